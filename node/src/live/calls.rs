//! Whom to dial, and when. No socket and no clock: times and chance come in, addresses go out.
//!
//! An address comes from a person, from an invitation, or from what a hub said about itself. It is
//! dialled until a link to the key it names stands, again when that breaks, and more seldom the
//! longer nobody answers. An address without a key is dialled until its link closes in good order.

use std::collections::BTreeMap;

use crdt_schema::time::Timestamp;

use crate::net::backoff;

/// Addresses dialled at once: a desk has three hubs above it and a few neighbours.
const TARGETS_MAX: usize = 64;
/// Between two addresses that give way to others: whoever names addresses without end has few of them
/// dialled.
const GIVES_WAY_EVERY_MS: i64 = 10_000;

/// Who named an address: what a person names is never forgotten by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    /// Somebody on the LAN announced itself.
    Neighbour,
    /// A hub said it of itself.
    Hub,
    /// A person.
    Person,
}

/// What a device may be dialled at.
#[derive(Debug, Clone)]
struct Target {
    key: Option<[u8; 32]>,
    by: NamedBy,
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be dialled then.
    Waits(Timestamp),
    /// A dial is under way.
    Dialled,
    /// A link to it stands.
    Linked(u64),
}

/// The addresses of one node.
#[derive(Debug, Default)]
pub struct Calls {
    targets: BTreeMap<String, Target>,
    /// Links that stand, by the key behind them.
    linked: BTreeMap<u64, [u8; 32]>,
    /// When an address gave way last.
    gave_way_at: Option<Timestamp>,
}

impl Calls {
    /// Adds an address; one that is known keeps its state, and the stronger name. The address that gave
    /// way to it, if one did: that is dialled no more.
    pub fn want(
        &mut self,
        address: String,
        key: Option<[u8; 32]>,
        by: NamedBy,
        now: Timestamp,
    ) -> Option<String> {
        if let Some(known) = self.targets.get_mut(&address) {
            known.by = known.by.max(by);
            return None;
        }
        let mut gone = None;
        if self.targets.len() >= TARGETS_MAX && by != NamedBy::Person {
            let worst = self.worst(by, now)?;
            self.targets.remove(&worst);
            (self.gave_way_at, gone) = (Some(now), Some(worst));
        }
        let state = State::Waits(now);
        self.targets.insert(address, Target { key, by, failures: 0, state });
        gone
    }

    /// Of addresses that nobody better named the one that gives way: where nobody was reached most often.
    fn worst(&self, by: NamedBy, now: Timestamp) -> Option<String> {
        let rests = |at: Timestamp| now.0.saturating_sub(at.0) < GIVES_WAY_EVERY_MS;
        if self.gave_way_at.is_some_and(rests) {
            return None;
        }
        let fails = |it: &Target| it.failures > 0 && matches!(it.state, State::Waits(_));
        let gives_way = self.targets.iter().filter(|(_, it)| it.by <= by && fails(it));
        let worst = gives_way.max_by_key(|(_, it)| (std::cmp::Reverse(it.by), it.failures));
        worst.map(|(address, _)| address.clone())
    }

    /// Whether an address is one of these.
    pub fn has(&self, address: &str) -> bool {
        self.targets.contains_key(address)
    }

    /// Forgets an address.
    pub fn forget(&mut self, address: &str) {
        self.targets.remove(address);
    }

    /// The moment of the next dial.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.targets.values().filter_map(|it| self.due_at(it)).min()
    }

    fn due_at(&self, target: &Target) -> Option<Timestamp> {
        let State::Waits(at) = target.state else { return None };
        let met = target.key.is_some_and(|key| self.linked.values().any(|it| *it == key));
        (!met).then_some(at)
    }

    /// Addresses to dial now. They count as dialled.
    pub fn due(&mut self, now: Timestamp) -> Vec<String> {
        let is_due = |it: &&Target| self.due_at(it).is_some_and(|at| at <= now);
        let due = self.targets.iter().filter(|(_, it)| is_due(it));
        let due: Vec<String> = due.map(|(address, _)| address.clone()).collect();
        for address in &due {
            if let Some(target) = self.targets.get_mut(address) {
                target.state = State::Dialled;
            }
        }
        due
    }

    /// A dial became no link.
    pub fn failed(&mut self, address: &str, now: Timestamp, chance: u64) {
        if let Some(target) = self.targets.get_mut(address) {
            target.failures = target.failures.saturating_add(1);
            target.state = State::Waits(after(now, target.failures, chance));
        }
    }

    /// A link stands: it was dialled at `address`, or came in.
    pub fn opened(&mut self, link: u64, key: [u8; 32], address: Option<&str>) {
        self.linked.insert(link, key);
        for (at, target) in &mut self.targets {
            let is_it = address.is_some_and(|dialled| dialled == at) || target.key == Some(key);
            if is_it && !matches!(target.state, State::Linked(_)) {
                target.state = State::Linked(link);
                target.key.get_or_insert(key);
            }
        }
    }

    /// A comparison over a link ended: whoever is gone after that did not fail to answer.
    pub fn served(&mut self, link: u64) {
        for target in self.targets.values_mut().filter(|it| it.state == State::Linked(link)) {
            target.failures = 0;
        }
    }

    /// A link is gone. `held` says that it stood for a while, or ended in good order: the next dial
    /// comes soon.
    pub fn closed(&mut self, link: u64, held: bool, now: Timestamp, chance: u64) {
        self.linked.remove(&link);
        for target in self.targets.values_mut().filter(|it| it.state == State::Linked(link)) {
            target.failures = if held { 0 } else { target.failures.saturating_add(1) };
            target.state = State::Waits(after(now, target.failures, chance));
        }
    }

    /// Every address, with the key behind it where it is known, and whether a person named it.
    pub fn all(&self) -> impl Iterator<Item = (&str, Option<[u8; 32]>, bool)> {
        let by_person = |it: &Target| it.by == NamedBy::Person;
        self.targets.iter().map(move |(at, it)| (at.as_str(), it.key, by_person(it)))
    }

    /// The address a link was dialled at.
    pub fn address_of(&self, key: &[u8; 32]) -> Option<&str> {
        self.targets.iter().find(|(_, it)| it.key == Some(*key)).map(|(at, _)| at.as_str())
    }
}

fn after(now: Timestamp, failures: u32, chance: u64) -> Timestamp {
    let wait = backoff::delay(failures, chance).as_millis();
    Timestamp(now.0.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "/dns4/hub.invalid/udp/4001/quic-v1";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn an_address_is_dialled_once_until_it_is_known_what_came_of_it() {
        let mut calls = Calls::default();
        calls.want(HUB.to_owned(), None, NamedBy::Person, at(0));
        assert_eq!(calls.due(at(0)), [HUB]);
        assert!(calls.due(at(1_000)).is_empty());
        assert_eq!(calls.wake_at(), None);
    }

    #[test]
    fn waits_grow_with_failures_and_begin_anew_after_a_link_that_served() {
        let mut calls = Calls::default();
        calls.want(HUB.to_owned(), Some([7; 32]), NamedBy::Person, at(0));
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert_eq!(calls.due(now).len(), 1);
            calls.failed(HUB, now, 0);
            let next = calls.wake_at().unwrap_or(now);
            waits.push(next.0 - now.0);
            now = next;
        }
        assert!(waits.is_sorted_by(|one, next| one < next), "{waits:?}");
        assert_eq!(calls.due(now).len(), 1);
        calls.opened(1, [7; 32], Some(HUB));
        assert_eq!(calls.wake_at(), None);
        calls.closed(1, true, now, 0);
        assert_eq!(calls.wake_at(), Some(Timestamp(now.0 + 1_000)));
    }

    #[test]
    fn a_link_that_served_is_dialled_soon_again_however_short_it_was() {
        let wait_after = |served: bool| {
            let mut calls = Calls::default();
            calls.want(HUB.to_owned(), Some([7; 32]), NamedBy::Person, at(0));
            let mut now = at(0);
            for link in 0..6 {
                assert_eq!(calls.due(now).len(), 1);
                calls.opened(link, [7; 32], Some(HUB));
                if served {
                    calls.served(link);
                }
                calls.closed(link, false, now, 0);
                now = calls.wake_at().unwrap_or(now);
            }
            now
        };
        // Six links, each lost at once: a hub whose power comes and goes.
        assert_eq!(wait_after(true), at(6));
        assert!(wait_after(false) > at(30));
    }

    #[test]
    fn a_key_that_is_linked_already_is_not_dialled_at_its_other_addresses() {
        let mut calls = Calls::default();
        calls.want(HUB.to_owned(), Some([7; 32]), NamedBy::Hub, at(0));
        calls.want("/ip4/192.0.2.7/tcp/4001".to_owned(), Some([7; 32]), NamedBy::Hub, at(0));
        calls.opened(4, [7; 32], None);
        assert!(calls.due(at(10)).is_empty());
        calls.closed(4, false, at(10), 0);
        assert_eq!(calls.due(at(600)).len(), 2);
    }

    #[test]
    fn where_nobody_was_reached_gives_way_to_who_came_later_and_to_nobody_weaker() {
        let mut calls = Calls::default();
        let old = |number: usize| format!("/ip4/192.0.2.1/tcp/{number}");
        for number in 0..TARGETS_MAX {
            calls.want(old(number), None, NamedBy::Hub, at(0));
        }
        assert_eq!(calls.due(at(0)).len(), TARGETS_MAX);
        calls.want(HUB.to_owned(), None, NamedBy::Hub, at(0));
        assert!(!calls.has(HUB), "of all that are dialled nothing is known yet");
        calls.failed(&old(7), at(0), 0);
        calls.failed(&old(9), at(0), 0);
        assert_eq!(calls.due(at(600)).len(), 2);
        calls.failed(&old(9), at(600), 0);
        calls.failed(&old(7), at(600), 0);
        assert_eq!(calls.due(at(1_200)).len(), 2);
        calls.failed(&old(9), at(1_200), 0);
        calls.want("/ip4/192.0.2.2/tcp/1".to_owned(), None, NamedBy::Neighbour, at(1_200));
        assert!(calls.has(&old(9)));
        calls.want(HUB.to_owned(), None, NamedBy::Hub, at(1_200));
        assert!(calls.has(HUB) && calls.has(&old(7)) && !calls.has(&old(9)));
        calls.failed(&old(7), at(1_201), 0);
        let next = |calls: &mut Calls, now| {
            calls.want("/ip4/192.0.2.3/tcp/1".to_owned(), None, NamedBy::Hub, now)
        };
        assert_eq!(next(&mut calls, at(1_209)), None, "so many, and no more");
        assert!(!calls.has("/ip4/192.0.2.3/tcp/1"));
        assert_eq!(next(&mut calls, at(1_210)), Some(old(7)));
    }

    #[test]
    fn what_neighbours_shout_never_fills_the_list_for_a_person() {
        let mut calls = Calls::default();
        for number in 0..200 {
            calls.want(format!("/ip4/192.0.2.1/tcp/{number}"), None, NamedBy::Neighbour, at(0));
        }
        assert_eq!(calls.due(at(0)).len(), TARGETS_MAX);
        calls.want(HUB.to_owned(), None, NamedBy::Person, at(0));
        assert_eq!(calls.due(at(0)), [HUB]);
    }
}
