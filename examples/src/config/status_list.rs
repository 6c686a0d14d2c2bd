//! `[status_list]`: which JWTs were revoked, for whoever verifies them.

use oauth_core::engine::status_list::StatusListSettings;

use super::reader::Reader;

/// `[status_list]`; `None` where it is off.
pub(super) fn read(top: &mut Reader<'_>) -> Option<StatusListSettings> {
    let mut section = top.section("status_list");
    let enabled = section.or("enabled", false);
    let mut lists = StatusListSettings::default();
    lists.ttl = section.number("ttl_seconds", lists.ttl, 1..=86_400);
    enabled.then_some(lists)
}
