//! What follows from what is typed: fields nobody need fill in, and types that are kept closed.
//!
//! A derived value never lies in a more open class than the law allows its own field; none lies in
//! an open section. Age band and month are tally by the architecture's table, although they come
//! from a date that is not.

use std::collections::BTreeMap;

use super::parse::month_of;
use super::plan::{Draft, Wish, parts};
use super::rules::{self, Notice, Refusal};
use super::{Field, codes};
use crate::edit::{Date, Value};

/// A field that follows from others, all named as they are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derive {
    /// The age band, from the birth date and today, else from an age somebody guessed. Made when
    /// one of the two is typed, not on every save: else two offices would write different bands
    /// without knowing.
    AgeBand {
        /// The band.
        band: &'static str,
        /// The birth date.
        birth: &'static str,
        /// The guessed age, in years.
        estimate: &'static str,
    },
    /// The month of a date.
    Month {
        /// The month.
        month: &'static str,
        /// The date.
        date: &'static str,
    },
    /// Where a value is absent its reason must stand, and where it is present no reason: one that
    /// is put beside it is refused, one that stood there is cleared, with a warning. Where two were
    /// written apart both stand, and each save warns until one of them is cleared.
    Reason {
        /// The value.
        of: &'static str,
        /// The reason.
        reason: &'static str,
        /// The code that is put, with a warning, when nobody gives a reason.
        unknown: &'static str,
    },
    /// Types that ruin a life: typed in `open` like all others, kept in `closed`, and shown in
    /// `open` as nothing but `marker`.
    Closed {
        /// The set everybody counts.
        open: &'static str,
        /// The set few may read.
        closed: &'static str,
        /// The code that stands for all of them.
        marker: &'static str,
    },
}

impl Derive {
    /// The fields it speaks of.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&'static str> {
        match *self {
            Self::AgeBand { band, birth, estimate } => vec![band, birth, estimate],
            Self::Month { month, date } => vec![month, date],
            Self::Reason { of, reason, .. } => vec![of, reason],
            Self::Closed { open, closed, .. } => vec![open, closed],
        }
    }
}

/// Lets everything follow from what was asked.
pub(super) fn settle(draft: &mut Draft<'_>, today: Option<Date>) -> Result<(), Refusal> {
    for derive in draft.kind.derives {
        match *derive {
            Derive::AgeBand { band, birth, estimate } => {
                if let Some(fields) = three(draft, band, birth, estimate) {
                    settle_age_band(draft, fields, today);
                }
            }
            Derive::Month { month, date } => {
                if let (Some(month), Some(date)) = (draft.field(month), draft.field(date)) {
                    settle_month(draft, month, date);
                }
            }
            Derive::Reason { of, reason, unknown } => {
                if let (Some(of), Some(reason)) = (draft.field(of), draft.field(reason)) {
                    settle_reason(draft, of, reason, unknown)?;
                }
            }
            Derive::Closed { open, closed, marker } => {
                if let (Some(open), Some(closed)) = (draft.field(open), draft.field(closed)) {
                    Closing { open, closed, marker }.settle(draft)?;
                }
            }
        }
    }
    Ok(())
}

fn three(draft: &Draft<'_>, first: &str, second: &str, third: &str) -> Option<[&'static Field; 3]> {
    Some([draft.field(first)?, draft.field(second)?, draft.field(third)?])
}

/// Whole years from `birth` to `today`; none before birth.
pub(super) fn age_years(birth: Date, today: Date) -> Option<i64> {
    let had_birthday = (today.month(), today.day()) >= (birth.month(), birth.day());
    let years = i64::from(today.year()) - i64::from(birth.year()) - i64::from(!had_birthday);
    (years >= 0).then_some(years)
}

/// The age after the save: by the birth date where today is known, else as guessed.
pub(super) fn age_after(
    draft: &Draft<'_>,
    birth: &Field,
    estimate: &Field,
    today: Option<Date>,
) -> Option<i64> {
    let born = draft.scalar(birth).and_then(Value::as_date);
    let known = born.zip(today).and_then(|(born, today)| age_years(born, today));
    known.or_else(|| draft.scalar(estimate).and_then(Value::as_int))
}

fn settle_age_band(
    draft: &mut Draft<'_>,
    [band, birth, estimate]: [&'static Field; 3],
    today: Option<Date>,
) {
    if !draft.is_touched(birth) && !draft.is_touched(estimate) {
        return;
    }
    let Some(age) = age_after(draft, birth, estimate, today) else {
        let has_source = draft.is_filled(birth) || draft.is_filled(estimate);
        if !has_source && !draft.is_touched(band) {
            draft.put_scalar(band, None);
        }
        return;
    };
    let computed = Value::Text(codes::age_band(age).to_owned());
    let typed = draft.scalar(band).filter(|_| draft.is_touched(band));
    if typed.is_some_and(|typed| *typed != computed) {
        draft.warn(Notice::new(band.name, &rules::BAND_COMPUTED));
    }
    draft.put_scalar(band, Some(computed));
}

fn settle_month(draft: &mut Draft<'_>, month: &'static Field, date: &'static Field) {
    if !draft.is_touched(date) {
        return;
    }
    let value = draft.scalar(date).and_then(Value::as_date);
    draft.put_scalar(month, value.map(|date| Value::Text(month_of(date))));
}

fn settle_reason(
    draft: &mut Draft<'_>,
    of: &'static Field,
    reason: &'static Field,
    unknown: &'static str,
) -> Result<(), Refusal> {
    let is_touched = draft.is_touched(of) || draft.is_touched(reason);
    match (draft.is_filled(of), draft.is_filled(reason)) {
        (true, true) if draft.is_touched(reason) => {
            return Err(Refusal::value(reason.name, &rules::NIK_AND_REASON));
        }
        (true, true) if is_touched => {
            draft.put_scalar(reason, None);
            draft.warn(Notice::new(reason.name, &rules::NIK_REASON_CLEARED));
        }
        (true, true) => draft.warn(Notice::new(reason.name, &rules::NIK_AND_REASON)),
        (false, false) if is_touched || draft.is_new() => {
            draft.put_scalar(reason, Some(Value::Text(unknown.to_owned())));
            draft.warn(Notice::new(of.name, &rules::NIK_ABSENT));
        }
        _ => {}
    }
    Ok(())
}

/// A set everybody counts, the set few may read, and the code that stands for the latter.
pub(super) struct Closing {
    pub(super) open: &'static Field,
    pub(super) closed: &'static Field,
    pub(super) marker: &'static str,
}

type Elements = BTreeMap<String, Value>;

impl Closing {
    /// A wish on the open field: each code goes where it belongs.
    pub(super) fn ask(&self, draft: &mut Draft<'_>, wish: &Wish) -> Result<(), Refusal> {
        match wish {
            Wish::Put(text) => self.replace(draft, parts(text)),
            Wish::Whole(texts) => self.replace(draft, texts.iter().map(String::as_str)),
            Wish::Clear => self.replace(draft, std::iter::empty()),
            Wish::Truth(_) => Err(Refusal::value(self.open.name, &rules::NOT_YES_NO)),
            Wish::Add(text) => self.add(draft, text),
            Wish::Remove(text) => self.remove(draft, text),
        }
    }

    /// Whether the text is the marker, which names no type.
    fn is_marker(&self, text: &str) -> bool {
        let found = self.open.parse(text).ok().and_then(|parsed| parsed.element);
        found.is_some_and(|element| element == self.marker)
    }

    fn refuse_marker(&self) -> Refusal {
        Refusal::value(self.open.name, &rules::CLOSED_NAMED)
    }

    /// The marker typed back, as a list shows it, keeps what it stands for. Where the closed set
    /// cannot be read here, its marker stays.
    fn replace<'t>(
        &self,
        draft: &mut Draft<'_>,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<(), Refusal> {
        let closed_now = draft.elements(self.closed);
        let has_marker = draft.elements(self.open).contains_key(self.marker);
        let (mut open, mut closed) = (Elements::new(), Elements::new());
        let mut keeps = false;
        for text in texts {
            if self.is_marker(text) {
                keeps = true;
            } else {
                self.sort(draft, text, &mut open, &mut closed)?;
            }
        }
        if keeps && !has_marker && closed.is_empty() {
            return Err(self.refuse_marker());
        }
        if has_marker && closed_now.is_empty() && !keeps && closed.is_empty() {
            return Err(Refusal::value(self.open.name, &rules::CLOSED_UNREADABLE));
        }
        if keeps {
            closed.extend(closed_now.clone());
        }
        if !closed.is_empty() || (keeps && has_marker) {
            open.insert(self.marker.to_owned(), Value::Flag);
        }
        draft.put_elements(self.open, open);
        if closed != closed_now {
            draft.put_elements(self.closed, closed);
        }
        Ok(())
    }

    fn add(&self, draft: &mut Draft<'_>, text: &str) -> Result<(), Refusal> {
        let (mut open, mut closed) = (draft.elements(self.open), draft.elements(self.closed));
        if self.is_marker(text) {
            let stands = open.contains_key(self.marker);
            return if stands { Ok(()) } else { Err(self.refuse_marker()) };
        }
        let before = closed.len();
        self.sort(draft, text, &mut open, &mut closed)?;
        if closed.len() > before {
            open.insert(self.marker.to_owned(), Value::Flag);
            draft.put_elements(self.closed, closed);
        }
        draft.put_elements(self.open, open);
        Ok(())
    }

    fn remove(&self, draft: &mut Draft<'_>, text: &str) -> Result<(), Refusal> {
        if self.is_marker(text) {
            return Err(self.refuse_marker());
        }
        let (mut gone_open, mut gone_closed) = (Elements::new(), Elements::new());
        self.sort(draft, text, &mut gone_open, &mut gone_closed)?;
        let (mut open, mut closed) = (draft.elements(self.open), draft.elements(self.closed));
        open.retain(|code, _| !gone_open.contains_key(code));
        let before = closed.len();
        closed.retain(|code, _| !gone_closed.contains_key(code));
        if closed.len() < before {
            draft.put_elements(self.closed, closed);
        }
        draft.put_elements(self.open, open);
        Ok(())
    }

    /// Puts one typed code where it belongs.
    fn sort(
        &self,
        draft: &mut Draft<'_>,
        text: &str,
        open: &mut Elements,
        closed: &mut Elements,
    ) -> Result<(), Refusal> {
        let (field, elements) = match self.closed.parse(text) {
            Ok(_) => (self.closed, closed),
            Err(_) => (self.open, open),
        };
        let parsed = draft.parse(field, text)?;
        elements.extend(parsed.element.map(|element| (element, parsed.value)));
        Ok(())
    }

    /// The marker stands exactly while the closed set holds something, however that was changed.
    fn settle(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        if !draft.is_touched(self.closed) {
            return Ok(());
        }
        let mut open = draft.elements(self.open);
        let (closed, closed_now) = (draft.elements(self.closed), draft.elements_now(self.closed));
        if closed.is_empty() {
            open.remove(self.marker);
        } else {
            open.insert(self.marker.to_owned(), Value::Flag);
        }
        if closed.keys().any(|code| !closed_now.contains_key(code)) {
            // Somebody may be taking the last other type away, and the marker with it.
            draft.renew(self.open, self.marker);
        }
        if open.is_empty() && self.open.required {
            return Err(Refusal::value(self.open.name, &rules::REQUIRED));
        }
        draft.put_elements(self.open, open);
        Ok(())
    }
}
