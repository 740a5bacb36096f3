//! Fields that must fit together, as each kind declares it. A warning keeps everything.
//!
//! A check runs when a save names one of its fields, so that nobody is held up by what somebody
//! else left behind.

use super::derive::age_after;
use super::nik::Nik;
use super::plan::Draft;
use super::rules::{self, Notice, Refusal, Rule};
use super::{Field, Kind};
use crate::edit::{Date, Value};

/// Below it the law calls a person a child (UU 35/2014 article 1).
const ADULT_YEARS: i64 = 18;

/// The code of the sex field that says a woman.
const WOMAN: &str = "P";

/// When an age and a sex fit a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeWindow {
    /// The type's code.
    pub code: &'static str,
    /// First and last usual age in years; outside is a warning.
    pub usual: (i64, i64),
    /// Above it is an error.
    pub never_above: Option<i64>,
    /// Only women: else an error.
    pub women_only: bool,
}

impl AgeWindow {
    /// Warns outside `first..=last`.
    pub const fn usual(code: &'static str, first: i64, last: i64) -> Self {
        Self { code, usual: (first, last), never_above: None, women_only: false }
    }
}

/// A rule over several fields, all named as they are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Birth date and sex inside the NIK against the record: warns.
    NikAgrees {
        /// The NIK.
        nik: &'static str,
        /// The birth date.
        birth: &'static str,
        /// The sex.
        sex: &'static str,
    },
    /// Age and sex against the types: warns, or refuses what cannot be.
    TypeAge {
        /// The sets of types.
        types: &'static [&'static str],
        /// The birth date.
        birth: &'static str,
        /// The guessed age.
        estimate: &'static str,
        /// The sex.
        sex: &'static str,
        /// What fits.
        windows: &'static [AgeWindow],
    },
    /// A child's record names a guardian or says why there is none: warns (UU 27/2022 article 25).
    Guardian {
        /// The birth date.
        birth: &'static str,
        /// The guessed age.
        estimate: &'static str,
        /// One of them is enough.
        either: &'static [&'static str],
    },
    /// A disabled person's record says how to talk with them: warns (article 26).
    Communication {
        /// The set of types.
        types: &'static str,
        /// The types of disabled persons.
        codes: &'static [&'static str],
        /// How to talk.
        means: &'static str,
    },
    /// One of them must be filled: refuses.
    AnyOf {
        /// The fields; the first is named in the refusal.
        fields: &'static [&'static str],
    },
    /// While a field holds one of some codes, another must be filled: refuses.
    Needs {
        /// The field with the code.
        field: &'static str,
        /// The codes.
        codes: &'static [&'static str],
        /// What must be filled.
        needs: &'static [&'static str],
    },
    /// Dates that should not lie after today: warns, for clocks are wrong.
    NotFuture {
        /// The dates.
        dates: &'static [&'static str],
    },
    /// Two dates in their order: refuses.
    InOrder {
        /// The first.
        earlier: &'static str,
        /// The last; may be the same day.
        later: &'static str,
    },
    /// A part against the sum it belongs to: warns.
    PartOf {
        /// The part.
        part: &'static str,
        /// What adds up to the whole.
        whole: &'static [&'static str],
    },
}

impl Check {
    /// The fields it speaks of.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match *self {
            Self::NikAgrees { nik, birth, sex } => vec![nik, birth, sex],
            Self::TypeAge { types, birth, estimate, sex, .. } => {
                [types, &[birth, estimate, sex]].concat()
            }
            Self::Guardian { birth, estimate, either } => [either, &[birth, estimate]].concat(),
            Self::Communication { types, means, .. } => vec![types, means],
            Self::AnyOf { fields } => fields.to_vec(),
            Self::Needs { field, needs, .. } => [needs, &[field]].concat(),
            Self::NotFuture { dates } => dates.to_vec(),
            Self::InOrder { earlier, later } => vec![earlier, later],
            Self::PartOf { part, whole } => [whole, &[part]].concat(),
        }
    }

    fn run(&self, draft: &mut Draft<'_>, today: Option<Date>) -> Result<(), Refusal> {
        match *self {
            Self::NikAgrees { nik, birth, sex } => nik_agrees(draft, nik, birth, sex),
            Self::TypeAge { types, birth, estimate, sex, windows } => {
                let age = age_of(draft, birth, estimate, today);
                let is_man = text_of(draft, sex).is_some_and(|sex| sex != WOMAN);
                for name in types {
                    type_age(draft, name, windows, age, is_man)?;
                }
            }
            Self::Guardian { birth, estimate, either } => {
                let is_child =
                    age_of(draft, birth, estimate, today).is_some_and(|age| age < ADULT_YEARS);
                if is_child && !either.iter().any(|name| is_filled(draft, name)) {
                    warn(draft, either.first(), &rules::GUARDIAN);
                }
            }
            Self::Communication { types, codes, means } => {
                let is_disabled = codes.iter().any(|code| holds(draft, types, code));
                if is_disabled && !is_filled(draft, means) {
                    warn(draft, Some(&means), &rules::COMMUNICATION);
                }
            }
            Self::AnyOf { fields } => {
                let is_any = fields.iter().any(|name| is_filled(draft, name));
                refuse_if(!is_any, fields.first(), &rules::ANY_OF, &fields.join(", "))?;
            }
            Self::Needs { field, codes, needs } => {
                let is_needed = codes.iter().any(|code| holds(draft, field, code));
                let missing = needs.iter().find(|name| !is_filled(draft, name));
                refuse_if(is_needed && missing.is_some(), missing, &rules::NEEDS, field)?;
            }
            Self::NotFuture { dates } => {
                let is_ahead =
                    |name: &&&str| date_of(draft, name).zip(today).is_some_and(|(d, t)| d > t);
                let ahead: Vec<&str> = dates.iter().filter(is_ahead).copied().collect();
                for name in &ahead {
                    warn(draft, Some(name), &rules::FUTURE);
                }
            }
            Self::InOrder { earlier, later } => {
                let dates = date_of(draft, earlier).zip(date_of(draft, later));
                let is_wrong = dates.is_some_and(|(earlier, later)| later < earlier);
                refuse_if(is_wrong, Some(&later), &rules::ORDER, earlier)?;
            }
            Self::PartOf { part, whole } => {
                let sum: i64 = whole.iter().filter_map(|name| int_of(draft, name)).sum();
                if int_of(draft, part).is_some_and(|part| part > sum) {
                    warn(draft, Some(&part), &rules::PART_LARGER);
                }
            }
        }
        Ok(())
    }
}

/// Runs every check that has to do with this save.
pub(super) fn run(draft: &mut Draft<'_>, today: Option<Date>) -> Result<(), Refusal> {
    let kind: &Kind = draft.kind;
    for check in kind.checks {
        let fields = check.names();
        let mut touched = fields.iter().filter_map(|name| draft.field(name));
        if draft.is_new() || touched.any(|field| draft.is_touched(field)) {
            check.run(draft, today)?;
        }
    }
    Ok(())
}

fn nik_agrees(draft: &mut Draft<'_>, nik: &str, birth: &str, sex: &str) {
    let Some(number) = text_of(draft, nik).and_then(|digits| Nik::read(&digits)) else { return };
    if date_of(draft, birth).is_some_and(|date| !number.is_born_on(date)) {
        warn(draft, Some(&nik), &rules::NIK_BIRTH_DIFFERS);
    }
    let is_woman = text_of(draft, sex).map(|sex| sex == WOMAN);
    if is_woman.is_some_and(|is_woman| is_woman != number.is_woman()) {
        warn(draft, Some(&nik), &rules::NIK_SEX_DIFFERS);
    }
}

fn type_age(
    draft: &mut Draft<'_>,
    types: &str,
    windows: &[AgeWindow],
    age: Option<i64>,
    is_man: bool,
) -> Result<(), Refusal> {
    for window in
        windows.iter().filter(|window| holds(draft, types, window.code)).collect::<Vec<_>>()
    {
        refuse_if(window.women_only && is_man, Some(&types), &rules::TYPE_SEX, "women only")?;
        let Some(age) = age else { continue };
        let is_never = window.never_above.is_some_and(|last| age > last);
        refuse_if(is_never, Some(&types), &rules::TYPE_AGE_NEVER, "too old")?;
        if age < window.usual.0 || age > window.usual.1 {
            warn(draft, Some(&types), &rules::TYPE_AGE);
        }
    }
    Ok(())
}

fn warn(draft: &mut Draft<'_>, name: Option<&&str>, rule: &Rule) {
    draft.warn(Notice::new(name.copied().unwrap_or_default(), rule));
}

fn refuse_if(is_wrong: bool, name: Option<&&str>, rule: &Rule, more: &str) -> Result<(), Refusal> {
    let name = name.copied().unwrap_or_default();
    if is_wrong { Err(Refusal::value(name, rule).because(more)) } else { Ok(()) }
}

fn value_of<'d>(draft: &'d Draft<'_>, name: &str) -> Option<&'d Value> {
    draft.scalar(draft.field(name)?)
}

fn text_of(draft: &Draft<'_>, name: &str) -> Option<String> {
    value_of(draft, name)?.as_text().map(str::to_owned)
}

fn date_of(draft: &Draft<'_>, name: &str) -> Option<Date> {
    value_of(draft, name)?.as_date()
}

fn int_of(draft: &Draft<'_>, name: &str) -> Option<i64> {
    value_of(draft, name)?.as_int()
}

fn is_filled(draft: &Draft<'_>, name: &str) -> bool {
    draft.field(name).is_some_and(|field| draft.is_filled(field))
}

fn holds(draft: &Draft<'_>, name: &str, code: &str) -> bool {
    let Some(field): Option<&'static Field> = draft.field(name) else { return false };
    if field.merge.has_elements() {
        draft.elements(field).contains_key(code)
    } else {
        draft.scalar(field).and_then(Value::as_text) == Some(code)
    }
}

fn age_of(draft: &Draft<'_>, birth: &str, estimate: &str, today: Option<Date>) -> Option<i64> {
    age_after(draft, draft.field(birth)?, draft.field(estimate)?, today)
}
