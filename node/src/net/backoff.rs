//! When to dial again somebody who did not answer. Pure: the caller brings the chance.

use std::time::Duration;

/// The first wait, and the least.
pub const DELAY_MIN: Duration = Duration::from_secs(1);
/// The longest wait: a village that comes back after a night is met within five minutes.
pub const DELAY_MAX: Duration = Duration::from_secs(300);

/// How long to wait after `failures` dials in a row that became no link; `random` is any number.
///
/// The ceiling doubles with each failure; the delay lies between half of it and all of it, so that
/// a hub that was gone is not met by all its villages in one second.
pub fn delay(failures: u32, random: u64) -> Duration {
    let doubled = 1_u64.checked_shl(failures.min(32)).unwrap_or(u64::MAX);
    let ceiling = millis(DELAY_MIN).saturating_mul(doubled).min(millis(DELAY_MAX));
    let half = ceiling / 2;
    let jittered = half.saturating_add(random % (ceiling - half).saturating_add(1));
    Duration::from_millis(jittered.max(millis(DELAY_MIN)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_never_leaves_its_bounds() {
        for failures in [0, 1, 2, 8, 9, 31, 32, 63, 64, u32::MAX] {
            for random in [0, 1, 999, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
                let delay = delay(failures, random);
                assert!((DELAY_MIN..=DELAY_MAX).contains(&delay), "{failures} {random}: {delay:?}");
            }
        }
    }

    #[test]
    fn waits_grow_with_failures_until_five_minutes() {
        let least = |failures| delay(failures, 0);
        assert_eq!(least(0), Duration::from_secs(1));
        assert!((1..12).all(|failures| least(failures) <= least(failures + 1)));
        assert_eq!(least(4), Duration::from_secs(8));
        assert_eq!(least(20), DELAY_MAX / 2);
    }

    #[test]
    fn chance_spreads_a_delay_over_half_of_its_ceiling() {
        let delays: Vec<_> =
            (0..1000_u64).map(|n| delay(20, n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let (least, most) = (delays.iter().min(), delays.iter().max());
        assert!(least.is_some_and(|least| *least < Duration::from_secs(160)), "{least:?}");
        assert!(most.is_some_and(|most| *most > Duration::from_secs(290)), "{most:?}");
    }
}
