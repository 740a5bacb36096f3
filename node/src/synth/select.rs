//! Which villages a plan means, and their events one after another.

use std::collections::VecDeque;

use crdt_schema::area::{AreaCode, AreaId, AreaTree, BaseArea};
use crdt_schema::time::Timestamp;

use super::calendar;
use super::mini;
use super::person::PEOPLE_MAX;
use super::place::{Place, area_key, villages};
use super::random::Random;
use super::village::{Filling, Village};
use super::{Plan, PlanError, Preset, SynthEvent};

/// Records of the preset `desa`.
const DESA_RECORDS: u64 = 700;

/// Villages of a kecamatan of the presets `kec` and `bencana`.
const KEC_VILLAGES: usize = 9;

/// The day codes change: 1 July.
const REHOME_DAY: u32 = 181;

/// An area whose code changes.
#[derive(Debug, Clone, Copy)]
struct Rehome {
    area: AreaId,
    old: AreaCode,
    new: AreaCode,
}

/// The events of a plan, from [`events`](super::events).
#[derive(Debug)]
pub struct Events {
    plan: Plan,
    areas: Vec<&'static BaseArea>,
    /// Areas begun so far.
    begun: usize,
    open: Option<Box<Village>>,
    stages: Option<Stages>,
}

/// A year cut in two by changes of code.
#[derive(Debug)]
struct Stages {
    cut: Timestamp,
    before: VecDeque<Village>,
    rehomes: VecDeque<Rehome>,
    after: VecDeque<Village>,
}

impl Events {
    pub(super) fn new(plan: &Plan) -> Result<Self, PlanError> {
        let areas = selected(plan)?;
        let most = plan.records.unwrap_or_default().div_ceil(areas.len().max(1) as u64);
        if most > u64::from(PEOPLE_MAX) {
            return Err(PlanError::TooMany { max: PEOPLE_MAX });
        }
        if plan.preset == Preset::Mini && plan.records.is_some_and(|records| records != 12) {
            return Err(PlanError::MiniIsFixed);
        }
        let mut events = Self { plan: plan.clone(), areas, begun: 0, open: None, stages: None };
        if plan.preset == Preset::Pemekaran {
            events.stages = Some(events.staged());
        }
        Ok(events)
    }

    /// Areas the plan means.
    pub fn areas(&self) -> u64 {
        self.areas.len() as u64
    }

    /// Areas whose events have begun.
    pub const fn begun(&self) -> u64 {
        self.begun as u64
    }

    fn village(&self, nth: usize) -> Option<Village> {
        let area = self.areas.get(nth)?;
        let place = Place::new(self.plan.seed, area);
        if self.plan.preset == Preset::Mini {
            return Some(mini::village(place));
        }
        let filling = Filling {
            records: self.share(nth as u64),
            edits: self.plan.edits,
            disaster: self.plan.preset == Preset::Bencana && nth == 0,
            deadline: self.plan.preset == Preset::Tenggat,
        };
        Some(Village::new(place, &filling))
    }

    /// How many records the area with this number gets.
    fn share(&self, nth: u64) -> Option<u32> {
        let default = (self.plan.preset == Preset::Desa).then_some(DESA_RECORDS);
        let records = self.plan.records.or(default)?;
        let areas = self.areas.len().max(1) as u64;
        let share = records / areas + u64::from(nth < records % areas);
        Some(u32::try_from(share).unwrap_or(PEOPLE_MAX))
    }

    fn staged(&self) -> Stages {
        let cut = calendar::moment(&mut Random::keyed(0), REHOME_DAY, 0);
        let rehomes = self.areas.iter().filter_map(|area| {
            Some(Rehome { area: area.id, old: area.code, new: area.later_code? })
        });
        Stages {
            cut,
            before: (0..self.areas.len()).filter_map(|nth| self.village(nth)).collect(),
            rehomes: rehomes.collect(),
            after: VecDeque::new(),
        }
    }
}

impl Iterator for Events {
    type Item = SynthEvent;

    fn next(&mut self) -> Option<SynthEvent> {
        if let Some(stages) = &mut self.stages {
            let event = stages.next();
            self.begun = self.areas.len() - stages.before.len();
            return event;
        }
        loop {
            if let Some(event) = self.open.as_mut().and_then(Iterator::next) {
                return Some(event);
            }
            self.open = Some(Box::new(self.village(self.begun)?));
            self.begun += 1;
        }
    }
}

impl Stages {
    fn next(&mut self) -> Option<SynthEvent> {
        while let Some(village) = self.before.front_mut() {
            if village.upcoming().is_some_and(|at| at < self.cut) {
                return village.next();
            }
            self.after.extend(self.before.pop_front());
        }
        if let Some(rehome) = self.rehomes.pop_front() {
            for village in &mut self.after {
                if village.place.id == rehome.area {
                    village.place.code = rehome.new;
                }
            }
            let Rehome { area, old, new } = rehome;
            return Some(SynthEvent::Rehome { area, old, new, claimed_at: self.cut });
        }
        loop {
            if let Some(event) = self.after.front_mut()?.next() {
                return Some(event);
            }
            self.after.pop_front();
        }
    }
}

/// The villages in and below an area.
fn below(area: AreaId) -> Vec<&'static BaseArea> {
    let tree = AreaTree::new(area);
    villages().filter(|village| tree.contains(village.id)).collect()
}

fn first_id(digits: &str) -> Option<AreaId> {
    digits.parse::<AreaCode>().ok().map(|code| code.first_id())
}

/// The villages a plan means, ascending.
fn selected(plan: &Plan) -> Result<Vec<&'static BaseArea>, PlanError> {
    let own = match plan.preset {
        Preset::Kab => first_id("3205"),
        Preset::Tenggat => first_id("3210"),
        Preset::Mini
        | Preset::Desa
        | Preset::Kec
        | Preset::Prov
        | Preset::Pemekaran
        | Preset::Bencana => first_id("32"),
    };
    let area = plan.area.or(own).ok_or(PlanError::NoVillage)?;
    let all = below(area);
    let mut random = Random::keyed(area_key(plan.seed, area, plan.preset.name()));
    let chosen = match plan.preset {
        Preset::Mini | Preset::Desa => {
            all.get(random.place(all.len())).copied().into_iter().collect()
        }
        Preset::Kec | Preset::Bencana => one_kecamatan(&all, &mut random),
        Preset::Pemekaran if plan.area.is_none() => around_the_changed(&all),
        Preset::Pemekaran | Preset::Kab | Preset::Prov | Preset::Tenggat => all,
    };
    if chosen.is_empty() { Err(PlanError::NoVillage) } else { Ok(chosen) }
}

/// All villages if they are of one kecamatan; else those of one with nine, or of the first.
fn one_kecamatan(all: &[&'static BaseArea], random: &mut Random) -> Vec<&'static BaseArea> {
    let kecamatan: Vec<&[&'static BaseArea]> = all.chunk_by(|a, b| a.parent == b.parent).collect();
    let fitting: Vec<&[&'static BaseArea]> =
        kecamatan.iter().copied().filter(|it| it.len() == KEC_VILLAGES).collect();
    let from = if fitting.is_empty() { kecamatan } else { fitting };
    from.get(random.place(from.len())).map_or_else(Vec::new, |it| it.to_vec())
}

/// The villages of every kecamatan that loses or gains one, or in which a code changes.
fn around_the_changed(all: &[&'static BaseArea]) -> Vec<&'static BaseArea> {
    let changed = all.iter().filter_map(|area| Some((area.parent?, area.later_code?.parent()?)));
    let touched: Vec<AreaId> = changed.flat_map(|(old, new)| [old, new.first_id()]).collect();
    let is_touched = |area: &&BaseArea| area.parent.is_some_and(|it| touched.contains(&it));
    all.iter().copied().filter(|area| is_touched(area)).collect()
}
