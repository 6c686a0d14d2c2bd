//! How devices may ask.

/// How devices may ask for tokens (RFC 8628).
///
/// ```
/// use oauth_core::server::AuthorizationServer;
/// let builder = AuthorizationServer::builder("https://auth.example").devices(|settings| {
///     settings.lifetime = 900;
/// });
/// # drop(builder);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceSettings {
    /// `expires_in`: how long a person may take, in seconds: 600. From 1 to 3600.
    pub lifetime: u64,
    /// `interval`: how long a device waits between two questions, in seconds: 5.
    /// From 1 to 60. Each one that comes too soon adds five for this device.
    pub interval: u64,
    /// How many requests one client may begin in a minute from one address: 600; 0
    /// for no limit. Nodes that share a store count together.
    pub requests_per_minute: u32,
    /// How many wrong codes may be typed in a minute from one address, and by one
    /// person who is signed in: 10; 0 for no limit. Nodes that share a store count
    /// together. Past that nothing is looked up (RFC 8628 section 5.1).
    pub user_code_failures_per_minute: u32,
    /// `verification_uri`: the path of the page where codes are typed, below the
    /// issuer: `/device`.
    pub verification_path: String,
}

impl DeviceSettings {
    /// What [`DeviceSettings::lifetime`] may be.
    pub(crate) const LIFETIMES: std::ops::RangeInclusive<u64> = 1..=3600;

    /// What [`DeviceSettings::interval`] may be.
    pub(crate) const INTERVALS: std::ops::RangeInclusive<u64> = 1..=60;

    /// By how much the interval grows (RFC 8628 section 3.5).
    pub(crate) const SLOWER: u64 = 5;
}

impl Default for DeviceSettings {
    fn default() -> Self {
        Self {
            lifetime: 600,
            interval: 5,
            requests_per_minute: 600,
            user_code_failures_per_minute: 10,
            verification_path: "/device".to_owned(),
        }
    }
}
