//! Addresses this node keeps dialling where it is not let in, and why: told once, not at each retry.

use std::collections::BTreeMap;

use crate::answer::{Refusal, When};
use crate::net::DialFailure;

/// Addresses that refuse, each with its newest reason.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<String, Refusal>);

impl Refusals {
    /// Notes one; `true` where that is news: the address did not refuse before, or for another reason.
    /// How long there is to wait changes each time and is none.
    pub(super) fn note(
        &mut self,
        address: &str,
        (reason, wait_seconds): (&str, Option<u16>),
        at: When,
    ) -> bool {
        if let Some(known) = self.0.get_mut(address).filter(|known| known.reason == reason) {
            known.wait_seconds = wait_seconds;
            return false;
        }
        let (address, reason) = (address.to_owned(), reason.to_owned());
        let refusal = Refusal { address: address.clone(), reason, wait_seconds, since: at };
        self.0.insert(address, refusal);
        true
    }

    /// It lets this node in, or is dialled no more.
    pub(super) fn forget(&mut self, address: &str) {
        self.0.remove(address);
    }

    /// By address.
    pub(super) fn list(&self) -> Vec<Refusal> {
        self.0.values().cloned().collect()
    }
}

/// The word for a dial that somebody answered who will not have it; `None` where nobody answered.
pub(super) const fn word_of(failure: DialFailure) -> Option<&'static str> {
    match failure {
        DialFailure::Refused => Some("refused"),
        DialFailure::Unsupported => Some("unsupported"),
        DialFailure::WrongPeer => Some("wrong_peer"),
        DialFailure::OtherNetwork => Some("other_network"),
        DialFailure::Unreachable
        | DialFailure::Timeout
        | DialFailure::Silent
        | DialFailure::Linked
        | DialFailure::Connected => None,
    }
}

/// Whether a link that ended for this reason was refused, and did not just break.
pub(super) fn is_refusal(reason: &str) -> bool {
    !["done", "lost", "stalled"].contains(&reason)
}

#[cfg(test)]
mod tests {
    use crdt_schema::time::Timestamp;

    use super::*;

    #[test]
    fn a_refusal_is_news_when_it_begins_and_when_its_reason_changes() {
        let mut it = Refusals::default();
        let mut note = |reason, wait, at| it.note("a", (reason, wait), When(Timestamp(at)));
        assert!(note("crowded", Some(600), 1));
        assert!(!note("crowded", Some(540), 2));
        assert!(note("refused", None, 3));
        assert!(!note("refused", None, 4));
        let listed = it.list();
        assert_eq!(listed.iter().map(|it| it.since.0.0).collect::<Vec<_>>(), [3]);
        it.forget("a");
        assert!(it.list().is_empty());
        assert!(it.note("a", ("refused", None), When(Timestamp(5))));
    }
}
