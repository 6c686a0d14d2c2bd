-- Adds an access token to a grant that lives.
-- KEYS: grant, access token
-- ARGV: now, access record, when it goes

if not is_live(load(KEYS[1]), ARGV[1]) then return 'ended' end
keep_access(KEYS[2], ARGV[2], ARGV[3])
return 'inserted'
