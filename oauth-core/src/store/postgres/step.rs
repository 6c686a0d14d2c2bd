//! The two steps that compare before they change: `Grant::redeem_code` and
//! `Grant::rotate_refresh` of `store/grant.rs`, in SQL.
//!
//! `g` finds the grant if the step has any outcome but a refusal, says which,
//! and locks the row until the statement's end. Under READ COMMITTED a
//! statement that had to wait for that lock judges the row anew, as its
//! predecessor left it: so all that is compared is in that one row, and
//! nothing is read from any other table. What follows acts on the outcome.

use super::statement::{Param, Sql};
use crate::{
    pkce::CodeChallenge,
    secret::Digest,
    store::{RedeemCode, RotateRefresh, grant::NewRetry},
};

/// Adds an access token (`$a`, `$b`, `$c`: digest, record, end) to the grant
/// in the table expression `$g`, and clears away those that have expired by
/// `$now`, so that however often a grant is refreshed it has few.
macro_rules! keep {
    ($g:literal, $now:literal, $a:literal, $b:literal, $c:literal) => {
        concat!(
            "expired AS (
                DELETE FROM oauth_access_tokens t USING ",
            $g,
            " s
                WHERE t.grant_no = s.no AND t.expires_at <= ",
            $now,
            "::bigint AND t.digest <> ",
            $a,
            "::bytea
            ), kept AS (
                INSERT INTO oauth_access_tokens (grant_no, digest, record, expires_at)
                SELECT no, ",
            $a,
            "::bytea, ",
            $b,
            "::text, ",
            $c,
            "::bigint FROM ",
            $g,
            "
                ON CONFLICT (grant_no, digest) DO UPDATE
                SET record = excluded.record, expires_at = excluded.expires_at
            )"
        )
    };
}
pub(super) use keep;

/// Ends the grant in `g` if `$when`, at `$now`.
macro_rules! end {
    ($when:literal, $now:literal) => {
        concat!(
            "ended AS (
                UPDATE oauth_grants o
                SET revoked_at = ",
            $now,
            "::bigint, retry_digest = NULL, retry_sealed = NULL, retry_until = NULL
                FROM g WHERE o.no = g.no AND o.revoked_at IS NULL AND ",
            $when,
            "
            )"
        )
    };
}
pub(super) use end;

pub(super) static REDEEM: Sql = Sql::writes(concat!(
    "WITH g AS MATERIALIZED (
        SELECT no, CASE WHEN code_redeemed_at IS NULL THEN 'redeemed' ELSE 'replayed' END AS outcome
        FROM oauth_grants
        WHERE id = $1::bytea AND client = $2::text AND code_digest = $3::bytea
            AND code_challenge IS NOT DISTINCT FROM $4::bytea
            AND CASE WHEN $5::text IS NULL THEN NOT code_redirect_uri_required ELSE code_redirect_uri = $5::text END
            AND (code_redeemed_at IS NOT NULL
                OR revoked_at IS NULL AND expires_at > $6::bigint AND code_expires_at > $6::bigint)
        FOR NO KEY UPDATE
    ), redeemed AS (
        UPDATE oauth_grants o SET code_redeemed_at = $6::bigint, ends_at = o.expires_at,
            refresh_digest = $7::bytea,
            refresh_generation = CASE WHEN $7::bytea IS NOT NULL THEN 0 END,
            refresh_used_at = CASE WHEN $7::bytea IS NOT NULL THEN $6::bigint END,
            retry_digest = NULL, retry_sealed = NULL, retry_until = NULL
        FROM g WHERE o.no = g.no AND g.outcome = 'redeemed' RETURNING o.no
    ), ",
    end!("g.outcome = 'replayed'", "$6"),
    ", ",
    keep!("redeemed", "$6", "$8", "$9", "$10"),
    " SELECT outcome FROM g",
));

pub(super) static ROTATE: Sql = Sql::writes(concat!(
    "WITH g AS MATERIALIZED (
        SELECT no, retry_sealed, refresh_generation AS generation,
            CASE WHEN $3::bigint >= refresh_generation THEN 'rotated'
                WHEN substring(retry_digest for 32) = $2::bytea AND retry_until > $5::bigint THEN 'retry'
                ELSE 'reused' END AS outcome
        FROM oauth_grants
        WHERE id = $1::bytea AND client = $4::text AND revoked_at IS NULL AND expires_at > $5::bigint
            AND (refresh_generation > $3::bigint OR refresh_digest = $2::bytea AND refresh_used_at > $6::bigint)
        FOR NO KEY UPDATE
    ), rotated AS (
        UPDATE oauth_grants o SET refresh_used_at = $5::bigint,
            refresh_digest = coalesce($7::bytea, $2::bytea),
            refresh_generation = CASE WHEN $7::bytea IS NULL THEN g.generation
                ELSE least(g.generation, 9223372036854775806) + 1 END,
            retry_digest = CASE WHEN $8::bytea IS NOT NULL THEN $2::bytea || coalesce($13::bytea, ''::bytea) END,
            retry_sealed = $8::bytea,
            retry_until = $9::bigint
        FROM g WHERE o.no = g.no AND g.outcome = 'rotated' RETURNING o.no
    ), hint AS (
        INSERT INTO oauth_retries (until, grant_no)
        SELECT $9::bigint, no FROM rotated WHERE $9::bigint IS NOT NULL AND $13::bytea IS NULL ON CONFLICT DO NOTHING
    ), ",
    end!("g.outcome = 'reused'", "$5"),
    ", ",
    keep!("rotated", "$5", "$10", "$11", "$12"),
    " SELECT outcome, CASE WHEN outcome = 'retry' THEN retry_sealed END FROM g",
));

/// The values of [`REDEEM`].
pub(super) fn redeem<'a>(redeem: &'a RedeemCode, record: &'a str) -> [Param<'a>; 10] {
    [
        Param::bytes(redeem.grant.as_bytes()),
        Param::text(redeem.client.as_str()),
        Param::bytes(redeem.digest.as_bytes()),
        Param::Bytes(redeem.challenge.as_ref().map(|challenge| CodeChallenge::as_bytes(challenge).as_slice())),
        Param::Text(redeem.redirect_uri.as_deref()),
        Param::time(redeem.now),
        Param::Bytes(redeem.refresh.as_ref().map(|refresh| refresh.as_bytes().as_slice())),
        Param::bytes(redeem.access.digest.as_bytes()),
        Param::text(record),
        Param::time(redeem.access.expires_at),
    ]
}

/// The successor, and the way back to it.
pub(super) fn next(rotate: &RotateRefresh) -> (Option<Digest>, Option<NewRetry<'_>>) {
    rotate.next.successor().map_or((None, None), |(digest, retry)| (Some(digest), retry))
}

/// The values of [`ROTATE`].
pub(super) fn rotate<'a>(
    rotate: &'a RotateRefresh,
    (next, retry): &'a (Option<Digest>, Option<NewRetry<'a>>),
    record: &'a str,
) -> [Param<'a>; 13] {
    let next = next.as_ref().map(|next| next.as_bytes().as_slice());
    let retry = retry.as_ref();
    let until_used = retry.is_some_and(|retry| retry.until_used);
    let now = super::row::number(rotate.now.0);
    // The token is idle unless used later than this. Neither is negative.
    let idle = now - super::row::number(rotate.idle_lifetime);
    [
        Param::bytes(rotate.grant.as_bytes()),
        Param::bytes(rotate.digest.as_bytes()),
        Param::number(rotate.generation),
        Param::text(rotate.client.as_str()),
        Param::time(rotate.now),
        Param::Number(Some(idle)),
        Param::Bytes(next),
        Param::Bytes(retry.map(|retry| retry.sealed)),
        Param::time(retry.map(|retry| retry.until)),
        Param::bytes(rotate.access.digest.as_bytes()),
        Param::text(record),
        Param::time(rotate.access.expires_at),
        Param::Bytes(until_used.then_some(rotate.access.digest.as_bytes().as_slice())),
    ]
}
