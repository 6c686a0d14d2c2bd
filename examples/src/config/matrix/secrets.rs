//! Secrets of `[matrix]`, which stand in the file as they are.

use oauth_axum_rs::Secret;

use crate::config::reader::Reader;

/// The least that `introspection_secret` may have: the 128 bits that it needs, in hexadecimal digits. Then
/// nobody guesses it, and guesses need no limit, by which a stranger at the address of the homeserver, a
/// proxy's say, could shut it out.
const SHORTEST: usize = 32;

/// `introspection_secret`.
pub(super) fn read_introspection(section: &mut Reader<'_>, development: bool) -> Option<Secret> {
    const KEY: &str = "introspection_secret";
    let secret: Secret = section.take(KEY)?;
    let filled_in = check_filled_in(section, KEY, &secret, development);
    if filled_in {
        check_header(section, KEY, &secret);
    }
    if filled_in && !development && secret.expose().len() < SHORTEST {
        section
            .wrong(KEY, format_args!("must have {SHORTEST} characters at least, as `openssl rand -hex 32` makes them"));
    }
    Some(secret)
}

/// What a header can carry as it is (RFC 6750 section 2.1).
pub(super) fn check_header(table: &Reader<'_>, key: &str, secret: &Secret) {
    if !secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        table.wrong(key, "is sent in a header: printable ASCII without spaces");
    }
}

/// Whether somebody has put something in the place of what samples have there.
pub(super) fn check_filled_in(table: &Reader<'_>, key: &str, secret: &Secret, development: bool) -> bool {
    let filled_in = development || !secret.expose().chars().all(|c| matches!(c, '.' | '\u{2026}'));
    if !filled_in {
        table.wrong(key, "is what stands in samples: put a secret in its place");
    }
    filled_in
}
