//! The scripts: each is one step, and takes effect as a whole.

use std::{fmt::Write, sync::OnceLock};

use aws_lc_rs::digest;

/// A script that the server knows by its digest, once it has seen it.
pub(super) struct Script {
    pub(super) source: &'static str,
    pub(super) writes: bool,
    name: OnceLock<String>,
}

impl Script {
    const fn new(source: &'static str, writes: bool) -> Self {
        Self { source, writes, name: OnceLock::new() }
    }

    /// What `EVALSHA` calls it: the SHA-1 of its source, as the protocol says.
    pub(super) fn name(&self) -> &str {
        self.name.get_or_init(|| {
            let bytes = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.source.as_bytes());
            bytes.as_ref().iter().fold(String::new(), |mut name, byte| {
                // Writing to a string does not fail.
                write!(name, "{byte:02x}").map_or(String::new(), |()| name)
            })
        })
    }
}

/// A script in a file of its own. Its first line has the server refuse it
/// whole, before it has done anything, where memory is full, the disk fails or
/// the server only reads.
macro_rules! script {
    ($flags:literal, $file:literal, $writes:literal) => {
        Script::new(concat!("#!lua", $flags, "\n", include_str!("lua/common.lua"), include_str!($file)), $writes)
    };
}

/// A script on links, which all writes.
macro_rules! link_script {
    ($flags:literal, $file:literal) => {
        Script::new(
            concat!(
                "#!lua",
                $flags,
                "\n",
                include_str!("lua/common.lua"),
                include_str!("lua/link.lua"),
                include_str!($file)
            ),
            true,
        )
    };
}

/// Not marked as one that only reads, for those a replica would run, and say
/// what was true some time ago.
pub(super) static READ: Script = script!(" flags=allow-oom", "lua/read.lua", false);
pub(super) static INSERT_GRANT: Script = script!("", "lua/insert_grant.lua", true);
pub(super) static REDEEM_CODE: Script = script!("", "lua/redeem_code.lua", true);
pub(super) static ROTATE_REFRESH: Script = script!("", "lua/rotate_refresh.lua", true);
pub(super) static INSERT_ACCESS: Script = script!("", "lua/insert_access.lua", true);
/// Works where memory is full.
pub(super) static REVOKE_GRANT: Script = script!(" flags=allow-oom", "lua/revoke_grant.lua", true);
pub(super) static CONFIRM_REFRESH: Script = script!(" flags=allow-oom", "lua/confirm_refresh.lua", true);
pub(super) static LIST_GRANT: Script = script!("", "lua/list_grant.lua", true);
/// As with [`READ`].
pub(super) static LISTED: Script = script!(" flags=allow-oom", "lua/listed.lua", false);
pub(super) static RAISE_EPOCH: Script = script!("", "lua/raise_epoch.lua", true);
pub(super) static PARK: Script = script!("", "lua/park.lua", true);
pub(super) static CLAIM: Script = script!("", "lua/claim.lua", true);
pub(super) static SETTLE: Script = script!("", "lua/settle.lua", true);
pub(super) static VOID: Script = script!("", "lua/void.lua", true);
pub(super) static INSERT_KEY: Script = script!("", "lua/insert_key.lua", true);
pub(super) static REPLACE_CLIENT: Script = script!("", "lua/replace_client.lua", true);
pub(super) static REPLACE_CONSENT: Script = script!("", "lua/replace_consent.lua", true);
/// Works where memory is full, as far as the bits are there.
pub(super) static REVOKE_STATUSES: Script = script!(" flags=allow-oom", "lua/revoke_statuses.lua", true);
pub(super) static QUEUE_CODE: Script = link_script!("", "lua/queue_code.lua");
pub(super) static TAKE_QUEUED: Script = link_script!("", "lua/take_queued.lua");
pub(super) static DEFER_QUEUED: Script = link_script!("", "lua/defer_queued.lua");
pub(super) static FINISH_QUEUED: Script = link_script!("", "lua/finish_queued.lua");
pub(super) static REPLACE_TOKENS: Script = link_script!("", "lua/replace_tokens.lua");
/// Works where memory is full.
pub(super) static FORGET_LINK: Script = link_script!(" flags=allow-oom", "lua/forget_link.lua");
pub(super) static USE: Script = script!("", "lua/use.lua", true);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_by_its_digest() {
        assert_eq!(Script::new("abc", false).name(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
