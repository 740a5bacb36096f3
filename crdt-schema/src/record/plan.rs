//! What a person asks for becomes the sections of one edit, or a refusal that names the field.
//!
//! Only real changes make operations. A value typed again is a change only where a conflict lies:
//! that is how a conflict is settled. Everything here looks at what is *shown*; nothing reads a
//! clock: `today` comes in, and is absent where this machine's clock is implausible.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::rules::{self, Notice, Refusal, RefusalReason};
use super::{Derive, Field, Kind, Parsed, ValueType, check, derive, forbidden};
use crate::class::Class;
use crate::edit::{Date, EditError, Op, Section, Value};
use crate::entry::{SALT_BYTES, SECTIONS_BYTES_MAX};
use crate::fold::RecordState;

/// Apart which the values of a set or list are typed.
const SEPARATOR: char = ';';

/// One wish: which field, and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Name of the field, or one of its other names.
    pub field: String,
    /// What to do.
    pub what: Wish,
}

/// What to do with a field. The text is as typed.
#[derive(Clone, PartialEq, Eq)]
pub enum Wish {
    /// This value. On a set or list: values apart by `;` that replace the whole.
    Put(String),
    /// Of a set or list these elements in place of the whole; no single value.
    Whole(Vec<String>),
    /// Yes or no, and nothing that only reads like it.
    Truth(bool),
    /// Nothing.
    Clear,
    /// One element more.
    Add(String),
    /// One element less; of a list its text or its id.
    Remove(String),
}

impl Wish {
    /// Whether it says what the field shall hold in all: it stands alone in a save.
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Put(_) | Self::Whole(_) | Self::Truth(_) | Self::Clear)
    }
}

impl fmt::Debug for Wish {
    // What was typed may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put(_) => "Put",
            Self::Whole(_) => "Whole",
            Self::Truth(_) => "Truth",
            Self::Clear => "Clear",
            Self::Add(_) => "Add",
            Self::Remove(_) => "Remove",
        })
    }
}

/// What one save will write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Ascending by class. Of a new record about persons every class of its kind, even if empty.
    pub sections: Vec<(Class, Section)>,
    /// Warnings: they never block.
    pub notices: Vec<Notice>,
    /// Operations in all sections; 0 means there is nothing to save.
    pub changes: usize,
}

impl Kind {
    /// What saving `asks` on the record `now` writes; `None` is a new record. Of several wishes on
    /// one set the later build on the earlier, but its whole is named once. `today` fills the age band and dates in the future.
    ///
    /// # Errors
    /// [`RefusalReason::FieldUnknown`]; [`RefusalReason::NikExcel`];
    /// [`RefusalReason::Transition`] where the state asked for follows neither the shown one nor,
    /// in a conflict, any of the others; [`RefusalReason::Value`] for text that is no value of its
    /// field, a required field that is missing or cleared, a field put or cleared twice, one the
    /// law forbids, fields that do not fit together, or more than an edit may carry.
    pub fn plan(
        &self,
        now: Option<&RecordState>,
        asks: &[Ask],
        today: Option<Date>,
    ) -> Result<Plan, Refusal> {
        let mut draft = Draft::new(self, now);
        for ask in asks {
            draft.ask(ask)?;
        }
        if now.is_none() {
            draft.fill_defaults()?;
        }
        derive::settle(&mut draft, today)?;
        draft.require()?;
        draft.check_transition()?;
        check::run(&mut draft, today)?;
        draft.finish()
    }
}

/// A save being put together: what is shown, and what shall stand in its place.
pub(super) struct Draft<'a> {
    pub(super) kind: &'a Kind,
    now: Option<&'a RecordState>,
    scalars: BTreeMap<u16, Option<Value>>,
    elements: BTreeMap<u16, BTreeMap<String, Value>>,
    renewed: BTreeSet<(u16, String)>,
    replaced: BTreeSet<u16>,
    notices: Vec<Notice>,
}

impl<'a> Draft<'a> {
    fn new(kind: &'a Kind, now: Option<&'a RecordState>) -> Self {
        Self {
            kind,
            now,
            scalars: BTreeMap::new(),
            elements: BTreeMap::new(),
            renewed: BTreeSet::new(),
            replaced: BTreeSet::new(),
            notices: Vec::new(),
        }
    }

    pub(super) const fn is_new(&self) -> bool {
        self.now.is_none()
    }

    /// The field of a declaration; `None` only where a declaration names one that is not there,
    /// which a test of every kind excludes.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.kind.field(name)
    }

    /// Whether this save names the field.
    pub(super) fn is_touched(&self, field: &Field) -> bool {
        self.scalars.contains_key(&field.number) || self.elements.contains_key(&field.number)
    }

    /// What the scalar holds after the save.
    pub(super) fn scalar(&self, field: &Field) -> Option<&Value> {
        match self.scalars.get(&field.number) {
            Some(wanted) => wanted.as_ref(),
            None => self.now.and_then(|now| field.shown_in(now)),
        }
    }

    /// What the set or list holds after the save.
    pub(super) fn elements(&self, field: &Field) -> BTreeMap<String, Value> {
        let wanted = self.elements.get(&field.number);
        wanted.cloned().unwrap_or_else(|| self.elements_now(field))
    }

    /// What the set or list shows before the save.
    pub(super) fn elements_now(&self, field: &Field) -> BTreeMap<String, Value> {
        let now = self.now.into_iter().flat_map(|now| field.elements_in(now));
        now.map(|(element, value)| (element.to_owned(), value.clone())).collect()
    }

    /// Whether the field holds anything after the save.
    pub(super) fn is_filled(&self, field: &Field) -> bool {
        if field.merge.has_elements() {
            !self.elements(field).is_empty()
        } else {
            self.scalar(field).is_some()
        }
    }

    pub(super) fn put_scalar(&mut self, field: &Field, value: Option<Value>) {
        self.scalars.insert(field.number, value);
    }

    pub(super) fn put_elements(&mut self, field: &Field, wanted: BTreeMap<String, Value>) {
        self.elements.insert(field.number, wanted);
    }

    /// Writes the element again even where it stands: then a removal made apart does not win.
    pub(super) fn renew(&mut self, field: &Field, element: &str) {
        self.renewed.insert((field.number, element.to_owned()));
    }

    pub(super) fn warn(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Reads one value and keeps its warnings.
    pub(super) fn parse(&mut self, field: &Field, text: &str) -> Result<Parsed, Refusal> {
        let mut parsed = field.parse(text)?;
        parsed.notices.drain(..).for_each(|notice| self.warn(notice));
        Ok(parsed)
    }

    fn ask(&mut self, ask: &Ask) -> Result<(), Refusal> {
        let Some(field) = self.field(&ask.field) else {
            return Err(forbidden::refuse(&ask.field).unwrap_or_else(|| {
                let reason = RefusalReason::FieldUnknown;
                Refusal::with(reason, &ask.field, &rules::FIELD_UNKNOWN)
            }));
        };
        let is_whole = ask.what.is_whole();
        if is_whole && !self.replaced.insert(field.number) {
            return Err(Refusal::value(field.name, &rules::TWICE));
        }
        if !field.merge.has_elements() {
            return self.ask_scalar(field, &ask.what);
        }
        match self.closed_beside(field) {
            Some(closing) => closing.ask(self, &ask.what),
            None => self.ask_elements(field, &ask.what),
        }
    }

    /// Where codes of `field` are kept closed in another field, the pair of them.
    fn closed_beside(&self, field: &'static Field) -> Option<derive::Closing> {
        self.kind.derives.iter().find_map(|derive| match derive {
            Derive::Closed { open, closed, marker } if *open == field.name => {
                Some(derive::Closing { open: field, closed: self.field(closed)?, marker })
            }
            Derive::Closed { .. }
            | Derive::AgeBand { .. }
            | Derive::Month { .. }
            | Derive::Reason { .. } => None,
        })
    }

    fn ask_scalar(&mut self, field: &Field, wish: &Wish) -> Result<(), Refusal> {
        let value = match wish {
            Wish::Put(text) => Some(self.parse(field, text)?.value),
            Wish::Truth(truth) if field.value == ValueType::Bool => Some(Value::Bool(*truth)),
            Wish::Clear => None,
            Wish::Truth(_) => return Err(Refusal::value(field.name, &rules::NOT_YES_NO)),
            Wish::Whole(_) | Wish::Add(_) | Wish::Remove(_) => {
                return Err(Refusal::value(field.name, &rules::NOT_A_SET));
            }
        };
        self.put_scalar(field, value);
        Ok(())
    }

    fn ask_elements(&mut self, field: &Field, wish: &Wish) -> Result<(), Refusal> {
        // Taken out, not copied: a cell of a sheet may wish for thousands, one by one.
        let mut wanted =
            self.elements.remove(&field.number).unwrap_or_else(|| self.elements_now(field));
        match wish {
            Wish::Put(text) => wanted = self.whole(field, parts(text))?,
            Wish::Whole(texts) => wanted = self.whole(field, texts.iter().map(String::as_str))?,
            Wish::Truth(_) => return Err(Refusal::value(field.name, &rules::NOT_YES_NO)),
            Wish::Clear => wanted.clear(),
            Wish::Add(text) => self.add(field, text, &mut wanted)?,
            Wish::Remove(text) => {
                if wanted.remove(text.trim()).is_none() {
                    let parsed = field.parse(text)?;
                    parsed.element.and_then(|element| wanted.remove(&element));
                }
            }
        }
        self.put_elements(field, wanted);
        Ok(())
    }

    /// The elements that replace all.
    fn whole<'t>(
        &mut self,
        field: &Field,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<BTreeMap<String, Value>, Refusal> {
        let mut wanted = BTreeMap::new();
        for text in texts {
            self.add(field, text, &mut wanted)?;
        }
        if wanted.is_empty() {
            return Err(Refusal::value(field.name, &rules::EMPTY));
        }
        Ok(wanted)
    }

    fn add(
        &mut self,
        field: &Field,
        text: &str,
        wanted: &mut BTreeMap<String, Value>,
    ) -> Result<(), Refusal> {
        let parsed = self.parse(field, text)?;
        wanted.extend(parsed.element.map(|element| (element, parsed.value)));
        Ok(())
    }

    fn fill_defaults(&mut self) -> Result<(), Refusal> {
        for field in self.kind.fields {
            let Some(text) = field.default.filter(|_| !self.is_touched(field)) else { continue };
            self.ask(&Ask { field: field.name.to_owned(), what: Wish::Put(text.to_owned()) })?;
        }
        Ok(())
    }

    /// Of a new record every required field must be filled; of a known one those this save names,
    /// for a record of an older build may lack a field that came later.
    fn require(&self) -> Result<(), Refusal> {
        let missing = self.kind.fields.iter().find(|field| {
            let is_asked = self.is_new() || self.is_touched(field);
            field.required && is_asked && !self.is_filled(field)
        });
        missing.map_or(Ok(()), |field| Err(Refusal::value(field.name, &rules::REQUIRED)))
    }

    /// A record may begin in any state, for it may have been kept elsewhere before. In a conflict
    /// any of the surviving states may be chosen, and what follows any of them.
    fn check_transition(&self) -> Result<(), Refusal> {
        let (Some(field), Some(now)) = (self.kind.status_field(), self.now) else { return Ok(()) };
        let Some(Some(Value::Text(to))) = self.scalars.get(&field.number) else { return Ok(()) };
        let survivors = field.survivors_in(now, None);
        let mut states = survivors.iter().filter_map(|survivor| survivor.value.as_text());
        let is_allowed =
            states.any(|from| from == to || self.kind.next_states(from).contains(&to.as_str()));
        let shown = field.shown_in(now).and_then(Value::as_text);
        let Some(from) = shown.filter(|_| !is_allowed) else { return Ok(()) };
        let reason = RefusalReason::Transition { from: from.to_owned(), to: to.clone() };
        Err(Refusal::with(reason, field.name, &rules::TRANSITION))
    }

    fn finish(self) -> Result<Plan, Refusal> {
        let mut ops: BTreeMap<Class, Vec<Op>> = BTreeMap::new();
        if self.is_new() && self.kind.holds_person {
            ops.extend(self.kind.classes().into_iter().map(|class| (class, Vec::new())));
        }
        for field in self.kind.fields {
            let changes = self.operations(field);
            if !changes.is_empty() {
                ops.entry(field.class.section()).or_default().extend(changes);
            }
        }
        let changes = ops.values().map(Vec::len).sum();
        let sections = ops.into_iter().map(|(class, ops)| self.section(class, ops));
        let sections = sections.collect::<Result<Vec<_>, Refusal>>()?;
        // An entry carries all of them, those that can be dropped behind a salt each.
        let salt = |class: &Class| if class.is_droppable() { SALT_BYTES } else { 0 };
        let bytes: usize =
            sections.iter().map(|(class, section)| salt(class) + section.encode().len()).sum();
        if bytes > SECTIONS_BYTES_MAX {
            return Err(Refusal::value(self.kind.name, &rules::SECTION_LARGE));
        }
        Ok(Plan { sections, notices: self.notices, changes })
    }

    fn section(&self, class: Class, ops: Vec<Op>) -> Result<(Class, Section), Refusal> {
        let section = Section::from_ops(ops).map_err(|error| {
            let number = match error {
                EditError::Duplicate { field }
                | EditError::Element { field }
                | EditError::Text { field } => Some(field),
                EditError::TooManyOps | EditError::TooLarge | EditError::NoSuchDate => None,
            };
            let field = number.and_then(|number| self.kind.field_numbered(number));
            let name = field.map_or(self.kind.name, |field| field.name);
            Refusal::value(name, &rules::SECTION_LARGE)
        })?;
        Ok((class, section))
    }

    fn operations(&self, field: &Field) -> Vec<Op> {
        if let Some(wanted) = self.elements.get(&field.number) {
            return self.element_operations(field, wanted);
        }
        let number = field.number;
        match self.scalars.get(&number) {
            Some(Some(value)) if self.is_change(field, None, value) => {
                vec![Op::put(number, value.clone())]
            }
            Some(None) if self.is_held(field, None) => vec![Op::remove(number)],
            Some(_) | None => Vec::new(),
        }
    }

    fn element_operations(&self, field: &Field, wanted: &BTreeMap<String, Value>) -> Vec<Op> {
        let number = field.number;
        let now = self.elements_now(field);
        let gone = now.keys().filter(|element| !wanted.contains_key(*element));
        let is_renewed = |id: &String| self.renewed.contains(&(number, id.clone()));
        let puts = wanted
            .iter()
            .filter(|(id, value)| is_renewed(id) || self.is_change(field, Some(id), value));
        gone.map(|element| Op::remove_element(number, element))
            .chain(puts.map(|(id, value)| Op::put_element(number, id, value.clone())))
            .collect()
    }

    /// Whether writing `value` there says anything new: another value, or the end of a conflict.
    fn is_change(&self, field: &Field, element: Option<&str>, value: &Value) -> bool {
        let Some(now) = self.now else { return true };
        let survivors = field.survivors_in(now, element);
        survivors.is_empty() || survivors.iter().any(|survivor| survivor.value != *value)
    }

    fn is_held(&self, field: &Field, element: Option<&str>) -> bool {
        self.now.is_some_and(|now| !field.survivors_in(now, element).is_empty())
    }
}

/// The values of a whole set or list as typed.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty())
}

/// Every name that `kind`'s rules mention, for the test that they are all declared.
#[cfg(test)]
pub(super) fn names_in_rules(kind: &Kind) -> BTreeSet<&'static str> {
    let derived = kind.derives.iter().flat_map(Derive::names);
    let checked = kind.checks.iter().flat_map(super::Check::names);
    derived.chain(checked).chain([kind.label]).collect()
}
