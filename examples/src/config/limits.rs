//! `[limits]`: what one party may do in a minute, or at once.

use super::reader::Reader;

/// With less than that in a body, no client gets its code redeemed.
const LEAST_BODY: u64 = 1024;

/// `[limits]`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `client_auth_failures_per_minute`; 0 for no limit.
    pub client_auth_failures_per_minute: u32,
    /// `registrations_per_minute`; 0 for no limit.
    pub registrations_per_minute: u32,
    /// `sign_in_failures_per_minute`; 0 for no limit.
    pub sign_in_failures_per_minute: u32,
    /// `pushed_requests_per_minute`; 0 for no limit.
    pub pushed_requests_per_minute: u32,
    /// `user_code_failures_per_minute`; 0 for no limit.
    pub user_code_failures_per_minute: u32,
    /// `revocation_misses_per_minute`; 0 for no limit.
    pub revocation_misses_per_minute: u32,
    /// `client_server_per_second`; 0 for no limit.
    pub client_server_per_second: u32,
    /// `body_bytes`, 1024 at least; 0 for no limit.
    pub body_bytes: usize,
}

impl Limits {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let mut limits = top.section("limits");
        let client_auth = limits.number("client_auth_failures_per_minute", 30, 0..=1_000_000);
        let sign_in = limits.number("sign_in_failures_per_minute", 10, 0..=1_000_000);
        let registrations = limits.number("registrations_per_minute", 30, 0..=1_000_000);
        let pushed = limits.number("pushed_requests_per_minute", 600, 0..=1_000_000);
        let user_codes = limits.number("user_code_failures_per_minute", 10, 0..=1_000_000);
        let revocations = limits.number("revocation_misses_per_minute", 300, 0..=1_000_000);
        let client_server = limits.number("client_server_per_second", 0, 0..=1_000_000);
        let body = limits.number("body_bytes", 65536, 0..=1 << 30);
        if (1..LEAST_BODY).contains(&body) {
            limits.wrong("body_bytes", format_args!("must be {LEAST_BODY} at least, or 0 for no limit, not {body}"));
        }
        Self {
            client_auth_failures_per_minute: u32::try_from(client_auth).unwrap_or(u32::MAX),
            registrations_per_minute: u32::try_from(registrations).unwrap_or(u32::MAX),
            sign_in_failures_per_minute: u32::try_from(sign_in).unwrap_or(u32::MAX),
            pushed_requests_per_minute: u32::try_from(pushed).unwrap_or(u32::MAX),
            user_code_failures_per_minute: u32::try_from(user_codes).unwrap_or(u32::MAX),
            revocation_misses_per_minute: u32::try_from(revocations).unwrap_or(u32::MAX),
            client_server_per_second: u32::try_from(client_server).unwrap_or(u32::MAX),
            body_bytes: usize::try_from(body).unwrap_or(usize::MAX),
        }
    }
}
