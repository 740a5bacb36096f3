//! What was searched for, kept here so that no address ever holds it.
//!
//! People search by name and NIK. An address goes into histories, logs and the next office's screen,
//! so a search is sent as a form, remembered under a number, and the address holds the number.

use std::collections::VecDeque;

/// Searches remembered: a day at one desk. Older ones are typed again.
const SEARCHES_MAX: usize = 256;
/// Letters of one search: the longest name with room.
const QUERY_MAX: usize = 200;

/// The newest searches of this run of the program. No `Debug` shows one.
#[derive(Default)]
pub(super) struct Searches {
    next: u64,
    kept: VecDeque<(u64, String)>,
}

impl Searches {
    /// Remembers a search and returns its number; nothing for one that is empty.
    pub(super) fn keep(&mut self, typed: &str) -> Option<u64> {
        let query: String = typed.trim().chars().take(QUERY_MAX).collect();
        if query.is_empty() {
            return None;
        }
        if let Some((number, _)) = self.kept.iter().find(|(_, kept)| *kept == query) {
            return Some(*number);
        }
        self.next += 1;
        self.kept.push_back((self.next, query));
        if self.kept.len() > SEARCHES_MAX {
            self.kept.pop_front();
        }
        Some(self.next)
    }

    /// What was searched under a number, while it is remembered.
    pub(super) fn of(&self, number: u64) -> Option<String> {
        self.kept.iter().find(|(kept, _)| *kept == number).map(|(_, query)| query.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_found_by_its_number_until_many_others_came() {
        let mut searches = Searches::default();
        let first = searches.keep("  Euis Contoh ").unwrap_or_default();
        assert_eq!(searches.of(first).as_deref(), Some("Euis Contoh"));
        assert_eq!(searches.keep("Euis Contoh"), Some(first));
        assert_eq!(searches.keep("   "), None);
        for number in 0..SEARCHES_MAX {
            searches.keep(&format!("Warga {number}"));
        }
        assert_eq!(searches.of(first), None);
        assert_eq!(searches.kept.len(), SEARCHES_MAX);
    }

    #[test]
    fn a_search_has_an_end() {
        let mut searches = Searches::default();
        let number = searches.keep(&"é".repeat(10_000)).unwrap_or_default();
        assert_eq!(searches.of(number).map(|kept| kept.chars().count()), Some(QUERY_MAX));
    }
}
