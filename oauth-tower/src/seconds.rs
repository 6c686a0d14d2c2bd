//! Settings are durations; what goes by the clock counts whole seconds.

use std::time::Duration;

/// Rounded up: what is set to less than a second is not set to nothing, which
/// means something else.
pub(crate) const fn whole(duration: Duration) -> u64 {
    let more = if duration.subsec_nanos() > 0 { 1 } else { 0 };
    duration.as_secs().saturating_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_is_zero_seconds() {
        assert_eq!(whole(Duration::ZERO), 0);
        assert_eq!([1, 900, 1000, 1001].map(|millis| whole(Duration::from_millis(millis))), [1, 1, 1, 2]);
        assert_eq!(whole(Duration::from_nanos(1)), 1);
        assert_eq!(whole(Duration::MAX), u64::MAX);
    }
}
