//! Members whose words do not hold: they are heard again, but ever more seldom. Each new link costs a
//! comparison, so one altered program that breaks every link could else keep a hub at work all day.
//!
//! Pure: times come in. Kept in memory only, so a start forgives.

use std::collections::BTreeMap;

use crdt_schema::id::DeviceId;
use crdt_schema::time::Timestamp;

use crate::sync::{EndReason, Table};

/// Wait after the second fault, doubled with each. The first one costs nothing: a mistake of memory or
/// of a program that is changed meanwhile.
const FIRST_MS: i64 = 15_000;
/// And at most: what is mended there is heard within the hour.
const MOST_MS: i64 = 3_600_000;
/// Without a fault for so long, the next one is a first one.
const FORGIVEN_MS: i64 = 6 * 3_600_000;
/// Devices remembered; beyond them those whose fault is oldest are forgotten.
const DEVICES_MAX: usize = 1_024;

/// What a device did wrong lately.
#[derive(Debug, Clone, Copy)]
struct Faults {
    count: u32,
    newest: Timestamp,
}

/// Members whose links ended because what they sent breaks the rules.
#[derive(Debug, Default)]
pub(super) struct Distrust(BTreeMap<DeviceId, Faults>);

impl Distrust {
    /// A link to a device ended for this reason.
    pub(super) fn note(&mut self, device: DeviceId, reason: EndReason, now: Timestamp) {
        if !reason.is_fault() {
            return;
        }
        let known = self.0.get(&device).filter(|it| now.0 - it.newest.0 < FORGIVEN_MS);
        let count = known.map_or(0, |it| it.count).saturating_add(1);
        self.0.insert(device, Faults { count, newest: now });
        if self.0.len() > DEVICES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, it)| it.newest).map(|(device, _)| *device);
            oldest.and_then(|device| self.0.remove(&device));
        }
    }

    /// How many are remembered.
    pub(super) fn table(&self) -> Table {
        Table::new("devices heard seldom", self.0.len(), DEVICES_MAX)
    }

    /// Whether a device has to wait until it is heard again.
    pub(super) fn waits(&self, device: &DeviceId, now: Timestamp) -> bool {
        self.0.get(device).is_some_and(|it| now.0 - it.newest.0 < wait(it.count))
    }
}

fn wait(count: u32) -> i64 {
    let Some(doubled) = count.checked_sub(2) else { return 0 };
    FIRST_MS.saturating_mul(1 << doubled.min(16)).min(MOST_MS)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;

    const LIAR: DeviceId = DeviceId([9; 32]);

    #[test]
    fn each_fault_doubles_the_wait_until_an_hour_and_time_forgives() {
        let (mut it, mut now) = (Distrust::default(), Timestamp(0));
        let mut waits = Vec::new();
        for _ in 0..12 {
            it.note(LIAR, EndReason::BadRun, now);
            let begun = now;
            while it.waits(&LIAR, now) {
                now.0 += 1_000;
            }
            waits.push((now.0 - begun.0) / 1_000);
        }
        assert_eq!(waits.first_chunk(), Some(&[0, 15, 30, 60]));
        assert_eq!(waits.last(), Some(&3_600));
        now.0 += FORGIVEN_MS;
        it.note(LIAR, EndReason::Malformed, now);
        assert!(!it.waits(&LIAR, now), "it begins anew");
        it.note(LIAR, EndReason::Malformed, now);
        assert!(it.waits(&LIAR, Timestamp(now.0 + 14_000)));
        assert!(!it.waits(&LIAR, Timestamp(now.0 + 15_000)));
    }

    #[test]
    fn a_line_that_breaks_or_a_disk_that_fails_is_nobody_s_fault() {
        let mut it = Distrust::default();
        for reason in [EndReason::Lost, EndReason::Done, EndReason::Store, EndReason::Stalled] {
            it.note(LIAR, reason, Timestamp(0));
            it.note(LIAR, reason, Timestamp(0));
            assert!(!it.waits(&LIAR, Timestamp(0)), "{reason:?}");
        }
    }

    #[test]
    fn a_crowd_of_liars_takes_no_more_memory_than_is_stated() {
        let mut it = Distrust::default();
        for number in 0..=DEVICES_MAX {
            let mut device = DeviceId([0; 32]);
            device.0[..8].copy_from_slice(&(number as u64).to_be_bytes());
            for _ in 0..2 {
                it.note(device, EndReason::TooMuch, Timestamp(i64::try_from(number).unwrap()));
            }
        }
        assert_eq!(it.0.len(), DEVICES_MAX);
        let mut last = DeviceId([0; 32]);
        last.0[..8].copy_from_slice(&(DEVICES_MAX as u64).to_be_bytes());
        assert!(it.waits(&last, Timestamp(i64::try_from(DEVICES_MAX).unwrap())));
    }
}
