//! Saves: what a person typed becomes an entry, durable before it is answered.

use crdt_schema::area::AreaId;
use crdt_schema::authority::Rights;
use crdt_schema::class::Class;
use crdt_schema::edit::{Action, Date, Op};
use crdt_schema::entry::{DraftSection, OPEN_KINDS, SAVED_WEIGHT_MAX};
use crdt_schema::fold::SectionRead;
use crdt_schema::id::FeedId;
use crdt_schema::record::{
    Ask, Field, Kind, Notice, Plan, Refusal, RefusalReason, Rule, TermKind, ValueType, Wish, rules,
};
use crdt_schema::time::Timestamp;
use jiff::tz::Offset;

use super::Node;
use crate::answer::{EntryRef, FieldWarning, RecordWrite};
use crate::authority::{Grant, MemberState, Standing};
use crate::error::NodeError;
use crate::ports::{RecordKey, RecordVerdict, RowFilter};
use crate::replica::{Author, EditSeen, EntryVerdict, HeldRecord, Save};

/// Hours between UTC and West Java.
const WIB_HOURS: i8 = 7;
/// Hex digits of a record's id that name it.
const ID_DIGITS_MIN: usize = 8;

/// How a conflict is settled.
#[derive(Debug, Clone)]
pub enum Choice {
    /// By a value as typed.
    Value(String),
    /// By the value of one entry: `FEED:SEQ`, `FEED:SEQ@ID`, or the entry's id.
    Entry(String),
}

impl Node {
    /// Makes a record.
    ///
    /// # Errors
    /// [`NodeError`] when the kind, the area or a field is not known, a value is refused, this
    /// device may not write there, or the disk fails: then nothing changed.
    pub fn record_add(
        &mut self,
        kind: &str,
        area: &str,
        person: u8,
        asks: &[Ask],
    ) -> Result<RecordWrite, NodeError> {
        let schema = self.env.schema.clone();
        let kind =
            schema.kind(kind).ok_or_else(|| NodeError::KindUnknown { kind: kind.to_owned() })?;
        let area = self.area(area)?;
        self.must_write(area)?;
        let mut plan = kind.plan(None, asks, self.today()).map_err(|it| refused(kind, it))?;
        plan.notices.extend(self.missing_references(kind, &plan)?);
        let key = RecordKey { area, kind: kind.number, record: self.env.record_id()? };
        let held = self.nik_held(kind, &key, asks)?;
        self.save(key, person, plan, held)
    }

    /// Changes fields of a record. Asking for what it already says writes nothing and answers
    /// with the newest entry.
    ///
    /// # Errors
    /// As [`Node::record_add`], and when the record is not known.
    pub fn record_set(
        &mut self,
        id: &str,
        person: u8,
        asks: &[Ask],
    ) -> Result<RecordWrite, NodeError> {
        let key = self.record_key(id)?;
        let schema = self.env.schema.clone();
        let kind = schema
            .kind_numbered(key.kind)
            .ok_or_else(|| NodeError::KindUnknown { kind: key.kind.to_string() })?;
        self.must_write(key.area)?;
        let held = self.replica.record(&key).map_err(|error| self.store_error(error))?;
        let held = held.ok_or_else(|| NodeError::RecordUnknown { id: id.to_owned() })?;
        self.must_build_on(&key, held.verdict, held.weight)?;
        let plan = kind.plan(Some(&held.state), asks, self.today());
        let mut plan = plan.map_err(|it| refused(kind, it))?;
        plan.notices.extend(self.missing_references(kind, &plan)?);
        if plan.changes == 0 {
            let newest = self.newest_edit(&key)?;
            let warnings = plan.notices.into_iter().map(warning).collect();
            return Ok(RecordWrite { record: key.record, entry: newest, warnings });
        }
        let held = self.nik_held(kind, &key, asks)?;
        self.save(key, person, plan, held)
    }

    /// Settles a conflict: an ordinary edit that has seen every value and puts one.
    ///
    /// # Errors
    /// As [`Node::record_set`], and when no entry is meant or it holds no value of the field.
    pub fn record_settle(
        &mut self,
        id: &str,
        field: &str,
        person: u8,
        choice: &Choice,
    ) -> Result<RecordWrite, NodeError> {
        let text = match choice {
            Choice::Value(text) => text.clone(),
            Choice::Entry(entry) => self.value_of(id, field, entry)?,
        };
        let ask = Ask { field: field.to_owned(), what: Wish::Put(text) };
        self.record_set(id, person, &[ask])
    }

    fn save(
        &mut self,
        key: RecordKey,
        person: u8,
        plan: Plan,
        held: Option<FieldWarning>,
    ) -> Result<RecordWrite, NodeError> {
        let entry = self.stage_save(key, person, self.env.clock.now(), &plan)?;
        self.commit_own()?;
        let waits = self.keeps_waiting(key.kind, &plan);
        let waits = waits.then(|| Notice::new("", &rules::WAITS));
        let notices = plan.notices.into_iter().chain(waits).map(warning);
        let warnings = notices.chain(held).collect();
        Ok(RecordWrite { record: key.record, entry, warnings })
    }

    /// A warning where another record of the kind in the area holds the NIK that is put. Nothing is
    /// blocked: nobody can merge two records yet, and a person may have been given two on purpose.
    fn nik_held(
        &self,
        kind: &Kind,
        key: &RecordKey,
        asks: &[Ask],
    ) -> Result<Option<FieldWarning>, NodeError> {
        let is_nik = |field: &&Field| field.value == ValueType::Nik;
        let put = |ask: &Ask| {
            let Wish::Put(text) = &ask.what else { return None };
            let field = kind.field(&ask.field).filter(is_nik)?;
            let nik = field.parse(text).ok()?.value;
            Some((field.name, nik.as_text()?.to_owned()))
        };
        let Some((field, nik)) = asks.iter().find_map(put) else { return Ok(None) };
        let filter = RowFilter {
            areas: [key.area].into(),
            kinds: [key.kind].into(),
            terms: vec![(TermKind::Nik, nik)],
            verdicts: [RecordVerdict::Counting, RecordVerdict::Waiting].into(),
            ..RowFilter::default()
        };
        // The record itself may be one of the two.
        let found = self.replica.rows(&filter, None, 2);
        let (_, rows) = found.map_err(|error| self.store_error(error))?;
        let other = rows.iter().map(|row| row.key.record).find(|it| *it != key.record);
        let rule = &rules::NIK_HELD;
        Ok(other.map(|record| FieldWarning {
            field: field.to_owned(),
            rule: rule.name.to_owned(),
            message: rule.english.to_owned(),
            record: Some(record),
        }))
    }

    /// Stages one save; it is saved once the batch is committed.
    pub(crate) fn stage_save(
        &mut self,
        key: RecordKey,
        person: u8,
        claimed_at: Timestamp,
        plan: &Plan,
    ) -> Result<EntryRef, NodeError> {
        let mut sections = Vec::with_capacity(plan.sections.len());
        for (class, section) in &plan.sections {
            let salt = if class.is_droppable() { self.env.random()? } else { [0; 16] };
            sections.push(DraftSection::in_clear(*class, &section.encode(), salt));
        }
        if self.replica.needs_commit(key) {
            self.commit_own()?;
            // A row that cannot be folded is none to build on: the views say why.
            self.replica.views().map_err(|error| self.store_error(error))?;
        }
        if let Some(verdict) = self.replica.verdict_now(key) {
            let weight = self.replica.weight_now(key);
            self.must_build_on(&key, verdict, weight)?;
        }
        let author = Author { device: self.keys.device(), key: self.keys.signing() };
        let save = Save { key, person, claimed_at, sections };
        let entry = self.replica.save(&author, save);
        let entry = entry.map_err(|error| NodeError::store(&self.folder, error))?;
        Ok(EntryRef::from(&entry))
    }

    /// This device may write in an area.
    pub(crate) fn must_write(&self, area: AreaId) -> Result<(), NodeError> {
        self.must_be_whole()?;
        let asked = self.area_said(area);
        let Some(me) = self.me() else { return Err(NodeError::NoCertificate { area: asked }) };
        let covered = |grant: &Grant| self.tree().ever_covered(grant.area, area);
        if !me.grants.iter().any(covered) {
            let own = self.area_said(self.own_area());
            return Err(NodeError::AreaOutside { area: asked, own });
        }
        let writes = |grant: &Grant| grant.rights.has(Rights::WRITE) && covered(grant);
        if !me.grants.iter().any(writes) {
            return Err(NodeError::NoRight { right: Rights::WRITE.to_string(), area: asked });
        }
        match self.replica.own_standing(&self.device(), area) {
            Standing::Counts | Standing::OpenCounts(None) | Standing::Provisional => Ok(()),
            // Of a device that is whole and may write, only a move ends a feed.
            Standing::CountsUntil(_)
            | Standing::OpenCounts(Some(_))
            | Standing::Outside
            | Standing::Unknown => {
                let parent = self.tree().parent(area).unwrap_or(area);
                Err(NodeError::AreaMoved {
                    area: asked,
                    parent: self.area_said(parent),
                    own: self.area_said(self.own_area()),
                })
            }
        }
    }

    /// What this device writes on a record would count as the record does: on one that counts, or,
    /// while the device waits itself, in the layer of those that wait; and there is room for it.
    pub(super) fn must_build_on(
        &self,
        key: &RecordKey,
        verdict: RecordVerdict,
        weight: u32,
    ) -> Result<(), NodeError> {
        let record = key.record.to_string();
        match verdict {
            _ if weight > SAVED_WEIGHT_MAX => Err(NodeError::RecordTooLarge { record }),
            RecordVerdict::Counting => Ok(()),
            RecordVerdict::Waiting if self.waits() || self.waits_with(key.kind) => Ok(()),
            RecordVerdict::Waiting => Err(NodeError::RecordWaits { record }),
            RecordVerdict::Quarantined => Err(NodeError::RecordQuarantined { record }),
            RecordVerdict::SetAside => Err(NodeError::RecordTooLarge { record }),
        }
    }

    /// Whether this device waits for its confirmation.
    pub(super) fn waits(&self) -> bool {
        self.me().is_none_or(|me| me.state == MemberState::Provisional)
    }

    /// Whether this device counts at once and edits of this kind wait for its confirmation.
    fn waits_with(&self, kind: u16) -> bool {
        self.me().is_some_and(|me| me.open_only) && !OPEN_KINDS.contains(&kind)
    }

    /// Whether this device counts at once and this save waits for its confirmation.
    pub(super) fn keeps_waiting(&self, kind: u16, plan: &Plan) -> bool {
        let is_open = plan.sections.iter().all(|(class, _)| *class == Class::Open);
        self.waits_with(kind) || !is_open && self.me().is_some_and(|me| me.open_only)
    }

    /// Whether this device can open a class in an area. In a trial network nothing is sealed, and
    /// whoever carries a section can read it: the pages say so rather than pretend.
    pub(super) fn may_read(&self, class: Class, area: AreaId) -> bool {
        if self.is_trial() {
            return true;
        }
        let Some(me) = self.me() else { return false };
        me.grants.iter().any(|grant| {
            grant.rights.has(Rights::read(class)) && self.tree().ever_covered(grant.area, area)
        })
    }

    /// The record a person means by its id or a beginning of it. `ID@AREA`, `ID@KIND` or both name one
    /// of several.
    pub(super) fn record_key(&self, id: &str) -> Result<RecordKey, NodeError> {
        let unknown = || NodeError::RecordUnknown { id: id.to_owned() };
        let mut parts = id.trim().split('@');
        let prefix = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_hex = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        if prefix.len() < ID_DIGITS_MIN || prefix.len() > 32 || !is_hex {
            return Err(unknown());
        }
        let mut found = self.replica.find(&prefix).map_err(|error| self.store_error(error))?;
        for part in parts {
            if let Some(kind) = self.env.schema.kind(part) {
                found.retain(|key| key.kind == kind.number);
            } else {
                let area = self.area(part)?;
                found.retain(|key| key.area == area);
            }
        }
        match found.as_slice() {
            [] => Err(unknown()),
            [key] => Ok(*key),
            several => self.one_of(several, prefix.len() == 32)?.ok_or_else(unknown),
        }
    }

    /// Of several records whose ids begin alike the one that is meant. An id is drawn by chance, so
    /// two that bear the whole of one are somebody's making, who must not hide either: the one that
    /// counts is meant, and of two that count the one of this device's own area.
    fn one_of(
        &self,
        several: &[RecordKey],
        is_whole: bool,
    ) -> Result<Option<RecordKey>, NodeError> {
        let mut meant = Vec::new();
        for key in several.iter().filter(|_| is_whole) {
            let held = self.replica.record(key).map_err(|error| self.store_error(error))?;
            let speaks = |it: &HeldRecord| {
                [RecordVerdict::Counting, RecordVerdict::SetAside].contains(&it.verdict)
            };
            meant.extend(held.filter(speaks).map(|it| it.key));
        }
        let own = self.own_area();
        if meant.len() > 1 && meant.iter().any(|key| key.area == own) {
            meant.retain(|key| key.area == own);
        }
        Ok(if let [key] = meant.as_slice() { Some(*key) } else { None })
    }

    /// Today in West Java, by this node's clock; `None` when no calendar reaches it.
    pub(crate) fn today(&self) -> Option<Date> {
        date_of(self.env.clock.now())
    }

    fn newest_edit(&self, key: &RecordKey) -> Result<EntryRef, NodeError> {
        let history = self.replica.history(key).map_err(|error| self.store_error(error))?;
        let newest = history.edits.last().map(|seen| EntryRef::from(&seen.entry));
        newest.ok_or_else(|| NodeError::RecordUnknown { id: key.record.to_string() })
    }

    /// The value of a field in one entry, as a person would type it.
    fn value_of(&self, id: &str, field: &str, entry: &str) -> Result<String, NodeError> {
        let key = self.record_key(id)?;
        let kind = self.env.schema.kind_numbered(key.kind);
        let kind = kind.ok_or_else(|| NodeError::KindUnknown { kind: key.kind.to_string() })?;
        let declared = kind.field(field).ok_or_else(|| NodeError::FieldUnknown {
            kind: kind.name.to_owned(),
            field: field.to_owned(),
        })?;
        let held = self.replica.record(&key).map_err(|error| self.store_error(error))?;
        let held = held.ok_or_else(|| NodeError::RecordUnknown { id: id.to_owned() })?;
        self.must_build_on(&key, held.verdict, held.weight)?;
        let history = self.replica.history(&key).map_err(|error| self.store_error(error))?;
        let named = EntryNamed::parse(entry);
        let meant: Vec<&EditSeen> = history.edits.iter().filter(|seen| named.means(seen)).collect();
        let [meant] = meant.as_slice() else {
            return Err(NodeError::EntryUnknown { entry: entry.to_owned() });
        };
        let survivors = declared.survivors_in(&held.state, None);
        let survivor = survivors.iter().find(|survivor| survivor.entry == meant.entry.id);
        let chosen = survivor.map(|survivor| declared.show(None, &survivor.value));
        chosen.ok_or_else(|| refused(kind, Refusal::value(field, no_choice(declared, meant))))
    }
}

/// Why a held entry's value of a field cannot be chosen.
fn no_choice(field: &Field, meant: &EditSeen) -> &'static Rule {
    let puts = |op: &Op| op.field == field.number && matches!(op.action, Action::Put(_));
    let sections = SectionRead::of(&meant.entry);
    let wrote = sections.iter().any(|(_, section)| match section {
        SectionRead::Ops(section) => section.ops().iter().any(puts),
        SectionRead::Unreadable | SectionRead::Malformed => false,
    });
    if !wrote {
        &rules::ENTRY_WITHOUT
    } else if meant.verdict == EntryVerdict::Counting {
        &rules::ENTRY_REPLACED
    } else {
        &rules::ENTRY_APART
    }
}

/// An entry as a person names it.
struct EntryNamed {
    id: Option<String>,
    place: Option<(String, u64)>,
}

impl EntryNamed {
    fn parse(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let (place, id) = match text.split_once('@') {
            Some((place, id)) => (place.to_owned(), Some(id.to_owned())),
            None => (text, None),
        };
        match place.split_once(':') {
            Some((feed, seq)) => {
                Self { id, place: seq.parse().ok().map(|seq| (feed.to_owned(), seq)) }
            }
            // An id alone; behind a `@` there is no place for another one.
            None if id.is_some() => Self { id: None, place: None },
            None => Self { id: Some(place), place: None },
        }
    }

    fn means(&self, seen: &EditSeen) -> bool {
        let begins =
            |whole: String, with: &str| with.len() >= ID_DIGITS_MIN && whole.starts_with(with);
        let feed: FeedId = seen.entry.header.feed;
        let place = self.place.as_ref().is_none_or(|(named, seq)| {
            *seq == seen.entry.header.seq && begins(feed.to_string(), named)
        });
        let id = self.id.as_ref().is_none_or(|id| begins(seen.entry.id.to_string(), id));
        place && id && (self.place.is_some() || self.id.is_some())
    }
}

/// A refusal of the declarations as what the caller can do about it.
pub(crate) fn refused(kind: &Kind, refusal: Refusal) -> NodeError {
    let Refusal { reason, field, rule, message } = refusal;
    match reason {
        RefusalReason::FieldUnknown => {
            NodeError::FieldUnknown { kind: kind.name.to_owned(), field }
        }
        RefusalReason::NikExcel => NodeError::NikExcel { field },
        RefusalReason::Transition { from, to } => NodeError::TransitionInvalid { field, from, to },
        // A newer reason is a value refused for a rule that says why.
        RefusalReason::Value | _ => {
            NodeError::ValueInvalid { field, rule: rule.to_owned(), message }
        }
    }
}

fn warning(notice: Notice) -> FieldWarning {
    let Notice { field, rule, message, .. } = notice;
    FieldWarning { field, rule: rule.to_owned(), message, record: None }
}

/// The day of a moment in West Java; `None` when no calendar reaches it.
pub(super) fn date_of(moment: Timestamp) -> Option<Date> {
    let now = jiff::Timestamp::from_millisecond(moment.0).ok()?;
    let date = Offset::constant(WIB_HOURS).to_datetime(now).date();
    let year = u16::try_from(date.year()).ok()?;
    let (month, day) = (u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?);
    Date::new(year, month, day).ok()
}
