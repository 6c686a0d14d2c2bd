//! `[device]`: devices without a browser.

use oauth_core::engine::device::DeviceSettings;

use super::{limits::Limits, reader::Reader};

/// `[device]`, and what `[limits]` has to do with it; `None` where it is off.
pub(super) fn read(top: &mut Reader<'_>, limits: &Limits) -> Option<DeviceSettings> {
    let mut section = top.section("device");
    let mut device = DeviceSettings::default();
    let enabled = section.or("enabled", false);
    device.lifetime = section.number("lifetime", device.lifetime, 1..=3600);
    device.interval = section.number("interval", device.interval, 1..=60);
    device.user_code_failures_per_minute = limits.user_code_failures_per_minute;
    enabled.then_some(device)
}
