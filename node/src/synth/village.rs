//! One village's year: which records there are, how they are tied, and when each is saved.
//!
//! What is kept of a record is a [`Slot`] of some fifty bytes; its text is made when its turn
//! comes, from the record's own stream, and forgotten. So a village of 6,000 records costs a few
//! hundred kilobytes, and the province no more than its largest village.

use crdt_schema::id::RecordId;
use crdt_schema::time::Timestamp;

use super::calendar::{self, later, office, sweep};
use super::counts::{Counts, Sort, disaster, natural, scaled};
use super::fields::{NEEDS as KEBUTUHAN, STATUS_WEIGHTS, kind};
use super::person::{Person, SHARED, Wanted, Whose};
use super::place::{Place, Use};
use super::random::Random;
use super::table::{NEEDS, WINDOWED, nth};
use super::{Change, Edits, SynthEvent, edits, needs, works};

/// What is odd about a record on purpose.
#[expect(clippy::struct_excessive_bools, reason = "oddities are drawn each for itself")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// No NIK, and a reason.
    pub(super) no_nik: bool,
    /// A digit of the NIK is wrong.
    pub(super) mistyped: bool,
    /// The birth date is not the NIK's.
    pub(super) misdated: bool,
    /// The NIK begins with a code that is none today.
    pub(super) retired: bool,
    /// The age lies outside the type's window.
    pub(super) outside: bool,
    /// Somebody known in other villages of the kecamatan too: that person's number.
    pub(super) shared: Option<u32>,
    /// The same person as the record before.
    pub(super) double: bool,
    /// A name like that of the record before, spelled otherwise.
    pub(super) twin: bool,
    /// A second type, besides the record's own.
    pub(super) second: bool,
    /// No RT and RW known.
    pub(super) nowhere: bool,
}

/// What edits change, so that each really changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Live {
    /// Place in the ladder of status, or of the kind's own states.
    pub(super) status: u8,
    /// 1 to 3.
    pub(super) priority: u8,
    /// 1 to 10; 0 while it was not looked up.
    pub(super) decile: u8,
    /// Which of the needs are asked, one bit each.
    pub(super) needs: u16,
    /// Edits so far.
    pub(super) edits: u16,
    /// Whether the NIK or name was put right.
    pub(super) corrected: bool,
}

/// One record, as small as it can be told.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// What it is.
    pub(super) sort: Sort,
    /// Number of its person in the village; for others a number of its own.
    pub(super) number: u32,
    /// When it is first saved.
    pub(super) at: Timestamp,
    /// The poor family a person lives in, the case a service is for, the head's case of a family.
    pub(super) tied: Option<u32>,
    /// The second case of a family.
    pub(super) member: Option<u32>,
    /// What is odd about it.
    pub(super) marks: Marks,
    /// What edits have made of it.
    pub(super) live: Live,
}

/// One save to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    slot: u32,
    /// Whether the record exists already.
    edit: bool,
}

/// How a village is filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling {
    /// Exactly so many records; as many as it has when `None`.
    pub(super) records: Option<u32>,
    /// How often a record is saved again.
    pub(super) edits: Edits,
    /// Whether a disaster strikes it.
    pub(super) disaster: bool,
    /// Whether a deadline makes everybody save within six hours.
    pub(super) deadline: bool,
}

/// A village whose saves come one by one, in order of time.
#[derive(Debug)]
pub(super) struct Village {
    pub(super) place: Place,
    pub(super) slots: Vec<Slot>,
    people: u32,
    due: Vec<Due>,
    next: usize,
}

impl Village {
    /// The village as the recipe fills it.
    pub(super) fn new(place: Place, filling: &Filling) -> Self {
        let counts = match filling.records {
            Some(wanted) => scaled(&natural(&place), wanted),
            None => natural(&place),
        };
        let mut slots = Slots::new(&place).fill(&counts, filling.records.is_some());
        if filling.disaster {
            strike(&place, &mut slots);
        }
        Self::scheduled(place, slots, filling)
    }

    /// The village with these records.
    pub(super) fn scheduled(place: Place, slots: Vec<Slot>, filling: &Filling) -> Self {
        let people = slots.iter().filter(|slot| has_person(slot.sort)).count();
        let people = u32::try_from(people).unwrap_or(u32::MAX);
        let due = schedule(&place, &slots, filling);
        Self { place, slots, people, due, next: 0 }
    }

    /// When the next save is; `None` when the year is over.
    pub(super) fn upcoming(&self) -> Option<Timestamp> {
        self.due.get(self.next).map(|due| due.at)
    }

    /// The slot with this number.
    pub(super) fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(number).ok()?)
    }

    /// The id of the record in this slot.
    pub(super) fn id(&self, slot: u32) -> RecordId {
        let mut random = self.place.stream(Use::Id, slot);
        let (high, low) = (random.bits(), random.bits());
        let mut bytes = [0; 16];
        for (byte, from) in
            bytes.iter_mut().zip(high.to_be_bytes().into_iter().chain(low.to_be_bytes()))
        {
            *byte = from;
        }
        RecordId(bytes)
    }

    /// The person of the record in this slot.
    pub(super) fn person(&self, number: u32, slot: &Slot) -> Person {
        let before = || number.checked_sub(1).and_then(|it| Some((it, self.slot(it)?)));
        if slot.marks.double
            && let Some((number, slot)) = before()
        {
            let mut person = self.person(number, slot);
            person.name = super::names::twin(&person.name);
            return person;
        }
        let wanted = wanted(slot);
        if slot.marks.twin
            && let Some((number, other)) = before()
        {
            let other = self.person(number, other);
            let wanted = Wanted { men: if other.man { 100 } else { 0 }, ..wanted };
            let person = Person::new(&self.place, self.people, Whose::Own(slot.number), &wanted);
            return Person { name: super::names::twin(&other.name), ..person };
        }
        let whose = slot.marks.shared.map_or(Whose::Own(slot.number), Whose::Shared);
        Person::new(&self.place, self.people, whose, &wanted)
    }

    /// The first save of the record in this slot, without waiting for its turn.
    pub(super) fn first_save(&self, number: u32) -> Option<SynthEvent> {
        let slot = self.slot(number)?;
        Some(SynthEvent::Record(self.record(number, slot, slot.at)))
    }

    fn record(&self, number: u32, slot: &Slot, at: Timestamp) -> Change {
        let mut random = self.place.stream(Use::Fields, number);
        let (kind, fields) = match slot.sort {
            Sort::Ppks(_) => (kind::PPKS, needs::ppks(self, number, slot, &mut random)),
            Sort::Keluarga => (kind::KELUARGA, needs::keluarga(self, slot, &mut random)),
            Sort::Psks(_) => (kind::PSKS, works::psks(self, number, slot, &mut random)),
            Sort::Kps => (kind::KPS, works::kps(self, slot, &mut random)),
            Sort::Kegiatan => (kind::KEGIATAN, works::kegiatan(self, slot, &mut random)),
            Sort::Kemitraan => (kind::KEMITRAAN, works::kemitraan(slot, &mut random)),
            Sort::Layanan => (kind::LAYANAN, works::layanan(self, slot, &mut random)),
        };
        self.change(number, kind, at, &mut random, fields)
    }

    /// A save of somebody at this desk.
    pub(super) fn change(
        &self,
        number: u32,
        kind: &'static str,
        at: Timestamp,
        random: &mut Random,
        fields: super::fields::Fields,
    ) -> Change {
        // Operator, PSM, WKSBM, TKSK, kabupaten, others: shares of 6.5.
        let person = random.weighted(&[60, 22, 8, 6, 3, 1]) + 1;
        Change {
            area: self.place.id,
            code: self.place.code,
            kind,
            record: self.id(number),
            person: u8::try_from(person).unwrap_or(1),
            fields: fields.0,
            claimed_at: at,
        }
    }
}

impl Iterator for Village {
    type Item = SynthEvent;

    fn next(&mut self) -> Option<SynthEvent> {
        let due = *self.due.get(self.next)?;
        self.next += 1;
        let place = usize::try_from(due.slot).ok()?;
        let mut slot = self.slots.get(place)?.clone();
        if !due.edit {
            return Some(SynthEvent::Record(self.record(due.slot, &slot, due.at)));
        }
        slot.live.edits += 1;
        let change = edits::edit(self, due.slot, &mut slot, due.at);
        if let Some(kept) = self.slots.get_mut(place) {
            kept.live = slot.live;
        }
        Some(SynthEvent::Edit(change))
    }
}

/// Whether a record of this sort is about somebody with a NIK.
fn has_person(sort: Sort) -> bool {
    match sort {
        Sort::Ppks(_) | Sort::Psks(_) => true,
        Sort::Kps | Sort::Kegiatan | Sort::Kemitraan | Sort::Keluarga | Sort::Layanan => false,
    }
}

/// What must be right about the person of a record.
fn wanted(slot: &Slot) -> Wanted {
    let need = if let Sort::Ppks(place) = slot.sort { NEEDS.get(place) } else { None };
    let (ages, men) = need.map_or(((20, 55), 51), |need| (need.ages, need.men));
    let thins_out = slot.sort == Sort::Ppks(nth::LUT);
    let ages = if slot.marks.outside { outside(ages) } else { ages };
    let marks = slot.marks;
    Wanted {
        ages,
        men,
        thins_out,
        retired: marks.retired,
        mistyped: marks.mistyped,
        misdated: marks.misdated,
    }
}

/// Ages a little beside the window: above a child's, below an old person's.
const fn outside((first, last): (u32, u32)) -> (u32, u32) {
    if last > 90 { (first - 8, first - 1) } else { (last + 2, last + 3) }
}

/// Slots being laid, in the order of the counts.
struct Slots<'a> {
    place: &'a Place,
    laid: Vec<Slot>,
    people: u32,
    shared: u32,
}

impl<'a> Slots<'a> {
    const fn new(place: &'a Place) -> Self {
        Self { place, laid: Vec::new(), people: 0, shared: 0 }
    }

    fn fill(mut self, counts: &Counts, exact: bool) -> Vec<Slot> {
        let of = |wanted: Sort| -> u32 {
            counts.iter().filter(|(sort, _)| *sort == wanted).map(|(_, count)| count).sum()
        };
        let inside = self.inside(counts);
        let poor = of(Sort::Ppks(nth::FM));
        // With an exact number asked, a family's record takes the place of another poor family's.
        let families = if exact { inside.min(poor / 2) } else { inside.min(poor) };
        let poor = if exact { poor - families } else { poor };
        for _ in 0..poor {
            self.person(Sort::Ppks(nth::FM));
        }
        let needs = |sort: &Sort| matches!(sort, Sort::Ppks(_)) && *sort != Sort::Ppks(nth::FM);
        for (sort, count) in counts.iter().filter(|(sort, _)| needs(sort)) {
            (0..*count).for_each(|_| self.person(*sort));
        }
        let cases = self.last();
        self.families(families, poor);
        for (sort, count) in counts.iter().filter(|(sort, _)| !matches!(sort, Sort::Ppks(_))) {
            (0..*count).for_each(|_| self.other(*sort, cases));
        }
        self.laid
    }

    fn last(&self) -> u32 {
        u32::try_from(self.laid.len()).unwrap_or(u32::MAX)
    }

    /// How many persons live in a poor family: 60 % of AT, 40 % of PD, 25 % of PRSE.
    fn inside(&self, counts: &Counts) -> u32 {
        let mut random = self.place.stream(Use::Counts, 2);
        let mut inside = 0;
        for (sort, count) in counts {
            let share = inside_share(*sort);
            inside += (0..*count).filter(|_| share > 0 && random.chance(share)).count();
        }
        u32::try_from(inside).unwrap_or(u32::MAX)
    }

    fn push(&mut self, sort: Sort, number: u32, frame: &mut Random, at: Timestamp) -> &mut Slot {
        let live = live(sort, frame);
        let marks = Marks::default();
        self.laid.push(Slot { sort, number, at, tied: None, member: None, marks, live });
        let last = self.laid.len() - 1;
        // The push above made the place; `laid` is never empty here.
        #[expect(clippy::indexing_slicing, reason = "the last of a vector just pushed to")]
        &mut self.laid[last]
    }

    /// A need, or somebody who helps.
    fn person(&mut self, sort: Sort) {
        let mut frame = self.place.stream(Use::Frame, self.last());
        let swept = frame.chance(8_500);
        let at = if swept { sweep(&mut frame) } else { later(&mut frame, calendar::start()) };
        let before = self.laid.last().map(|slot| (slot.sort, slot.marks));
        let number = self.people;
        self.people += 1;
        let mut marks = marks(sort, &mut frame, before);
        if frame.chance(SHARED_SHARE) && is_plain(sort, marks) && self.shared < SHARED {
            // Each village begins elsewhere among the kecamatan's people and takes each but once.
            let first = self.place.stream(Use::Counts, 4).between(0, SHARED - 1);
            marks.shared = Some((first + self.shared) % SHARED);
            self.shared += 1;
        }
        self.push(sort, number, &mut frame, at).marks = marks;
    }

    /// Ties persons to poor families, and gives each such pair the family's record.
    fn families(&mut self, families: u32, poor: u32) {
        let members: Vec<u32> = self.members(families);
        for (nth, member) in (0u32..).zip(members) {
            let head = u32::try_from(u64::from(nth) * u64::from(poor) / u64::from(families.max(1)));
            let head = head.unwrap_or_default();
            let at = |number: u32, slots: &[Slot]| {
                let place = usize::try_from(number).unwrap_or(usize::MAX);
                slots.get(place).map_or(Timestamp(0), |slot| slot.at)
            };
            let mut frame = self.place.stream(Use::Frame, self.last());
            let both = at(head, &self.laid).max(at(member, &self.laid));
            let after = Timestamp(both.0 + i64::from(frame.between(60_000, 1_800_000)));
            if let Some(slot) = self.laid.get_mut(usize::try_from(member).unwrap_or(usize::MAX)) {
                slot.tied = Some(head);
            }
            let slot = self.push(Sort::Keluarga, nth, &mut frame, after);
            (slot.tied, slot.member) = (Some(head), Some(member));
        }
    }

    /// The first persons that may live in a poor family, of each type as many as its share.
    fn members(&self, wanted: u32) -> Vec<u32> {
        let mut random = self.place.stream(Use::Counts, 3);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let numbered = (0u32..).zip(&self.laid);
        let may: Vec<(u32, u32)> =
            numbered.map(|(n, slot)| (n, inside_share(slot.sort))).filter(|it| it.1 > 0).collect();
        let mut chosen: Vec<u32> =
            may.iter().filter(|(_, share)| random.chance(*share)).map(|(n, _)| *n).collect();
        // The draw above is another than the one that set the number: what lacks is filled up.
        let lacking: Vec<u32> =
            may.iter().map(|(n, _)| *n).filter(|n| chosen.binary_search(n).is_err()).collect();
        let lack = wanted.saturating_sub(chosen.len());
        chosen.extend(lacking.into_iter().take(lack));
        chosen.truncate(wanted);
        chosen.sort_unstable();
        chosen
    }

    /// What is no need; `cases` needs were laid first.
    fn other(&mut self, sort: Sort, cases: u32) {
        if matches!(sort, Sort::Psks(_)) {
            return self.person(sort);
        }
        let number = self.last();
        let mut frame = self.place.stream(Use::Frame, number);
        let case = u32::try_from(frame.below(cases.into())).unwrap_or_default();
        let after = self.laid.get(usize::try_from(case).unwrap_or(usize::MAX));
        let after = after.filter(|_| sort == Sort::Layanan);
        let at = match (sort, after.map(|slot| slot.at)) {
            (_, Some(at)) => later(&mut frame, at),
            (Sort::Kegiatan, _) => {
                let day = calendar::kegiatan_day(&mut frame);
                office(&mut frame, day)
            }
            (Sort::Kps, _) => sweep(&mut frame),
            _ => later(&mut frame, calendar::start()),
        };
        let slot = self.push(sort, number, &mut frame, at);
        slot.tied = matches!(sort, Sort::Layanan).then_some(case);
    }
}

/// Of 10,000 persons of a type, how many live in a poor family.
const fn inside_share(sort: Sort) -> u32 {
    let Sort::Ppks(place) = sort else { return 0 };
    match place {
        nth::AT => 6_000,
        nth::PD => 4_000,
        nth::PRSE => 2_500,
        _ => 0,
    }
}

/// Where a record stands when it is first saved.
fn live(sort: Sort, frame: &mut Random) -> Live {
    let case = matches!(sort, Sort::Ppks(_));
    let status = frame.weighted(if case { &STATUS_WEIGHTS } else { &[20, 80] });
    let mut needs = 0u16;
    for _ in 0..frame.between(1, 3) {
        needs |= 1u16.checked_shl(frame.between(0, 14)).unwrap_or(1);
    }
    debug_assert!(KEBUTUHAN.len() == 15, "one bit for each need");
    Live {
        status: u8::try_from(status).unwrap_or_default(),
        priority: u8::try_from(frame.weighted(&[15, 35, 50]) + 1).unwrap_or(3),
        decile: if frame.chance(6_000) {
            u8::try_from(frame.triangular(1, 5)).unwrap_or(1)
        } else {
            0
        },
        needs,
        edits: 0,
        corrected: false,
    }
}

/// What is odd about a record of this sort, after one with those marks. Shares: 6.3 and 6.7.
fn marks(sort: Sort, frame: &mut Random, before: Option<(Sort, Marks)>) -> Marks {
    let Sort::Ppks(place) = sort else { return Marks::default() };
    let homeless = matches!(place, nth::GLDNG | nth::PGMS);
    let no_nik = frame.chance(if homeless { 6_000 } else { 400 });
    // Doubles and twins are made among the poor families, nine records in ten; so their shares are
    // a little above those of the whole.
    let follows = matches!(before, Some((last, marks)) if last == sort && is_plain(last, marks));
    let double = frame.chance(DOUBLE_SHARE) && follows;
    let twin = frame.chance(TWIN_SHARE) && follows && !double;
    Marks {
        no_nik: no_nik && !double,
        mistyped: frame.chance(50) && !double,
        misdated: frame.chance(150) && !double,
        retired: frame.chance(50),
        outside: frame.chance(100) && WINDOWED.contains(&place),
        shared: None,
        double,
        twin,
        second: place == nth::LUT && frame.chance(1_200),
        nowhere: frame.chance(if homeless { 5_000 } else { 200 }),
    }
}

/// Of 10,000 poor families: known in another village too, recorded twice, named like another.
const SHARED_SHARE: u32 = 80;
const DOUBLE_SHARE: u32 = 61;
const TWIN_SHARE: u32 = 365;

/// Whether a record is of a poor family, with its own person and NIK as they should be.
fn is_plain(sort: Sort, marks: Marks) -> bool {
    let odd = marks.double || marks.twin || marks.no_nik || marks.mistyped || marks.misdated;
    sort == Sort::Ppks(nth::FM) && !odd && marks.shared.is_none()
}

/// A disaster in one RW: its families are recorded within 48 hours, by day and night.
fn strike(place: &Place, slots: &mut Vec<Slot>) {
    let (families, day) = disaster(place);
    let people = slots.iter().filter(|slot| has_person(slot.sort)).count();
    let mut laid = Slots { laid: std::mem::take(slots), ..Slots::new(place) };
    laid.people = u32::try_from(people).unwrap_or(u32::MAX);
    for _ in 0..families {
        let mut frame = place.stream(Use::Frame, laid.last());
        let minute = frame.between(0, 48 * 60 - 1);
        let at = calendar::moment(&mut frame, day, minute);
        let number = laid.people;
        laid.people += 1;
        laid.push(Sort::Ppks(nth::KBA), number, &mut frame, at).live.status = 0;
    }
    *slots = laid.laid;
}

/// Every save of the year, in order of time.
fn schedule(place: &Place, slots: &[Slot], filling: &Filling) -> Vec<Due> {
    let mut due = Vec::with_capacity(slots.len() * 3);
    for (number, slot) in (0u32..).zip(slots) {
        due.push(Due { at: slot.at, slot: number, edit: false });
        let mut random = place.stream(Use::Times, number);
        for _ in 0..filling.edits.draw(&mut random) {
            due.push(Due { at: later(&mut random, slot.at), slot: number, edit: true });
        }
    }
    if filling.deadline {
        deadline(place, slots, &mut due);
    }
    due.sort_unstable();
    due
}

/// Edits of one village on the last day, within six hours.
const DEADLINE_EDITS: (u32, u32) = (20, 200);

/// The last day of the year: 20 to 200 saves between eight and two o'clock.
fn deadline(place: &Place, slots: &[Slot], due: &mut Vec<Due>) {
    let mut random = place.stream(Use::Burst, 0);
    let last_day = calendar::DAYS - 1;
    let opens = calendar::moment(&mut Random::keyed(0), last_day, 480);
    let old: Vec<u32> =
        (0u32..).zip(slots).filter(|(_, slot)| slot.at < opens).map(|(number, _)| number).collect();
    for _ in 0..random.between(DEADLINE_EDITS.0, DEADLINE_EDITS.1) {
        let minute = random.between(481, 480 + 359);
        let at = calendar::moment(&mut random, last_day, minute);
        if let Some(slot) = old.get(random.place(old.len())).copied() {
            due.push(Due { at, slot, edit: true });
        }
    }
}
