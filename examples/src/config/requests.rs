//! `[par]` and `[jar]`: authorization requests that are pushed or signed.

use oauth_core::engine::authorization::{PushedRequests, RequestObjects};

use super::{limits::Limits, reader::Reader};

/// `[par]`, and what `[limits]` has to do with it.
pub(super) fn read_pushed(top: &mut Reader<'_>, limits: &Limits) -> PushedRequests {
    let mut section = top.section("par");
    let mut pushed = PushedRequests::default();
    pushed.required = section.or("required", pushed.required);
    // RFC 9126 section 2.2: "a typical value would be between 5 and 600 seconds".
    pushed.lifetime = section.number("lifetime", pushed.lifetime, 5..=600);
    pushed.unregistered_redirect_uris = section.or("unregistered_redirect_uris", pushed.unregistered_redirect_uris);
    pushed.per_minute = limits.pushed_requests_per_minute;
    pushed
}

/// `[jar]`.
pub(super) fn read_signed(top: &mut Reader<'_>) -> RequestObjects {
    let mut section = top.section("jar");
    let mut signed = RequestObjects::default();
    signed.required = section.or("required", signed.required);
    signed
}
