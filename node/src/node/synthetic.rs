//! Synthetic people, into a node or into a file: every record passes the same door a person's does.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter};
use std::path::Path;

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::record::{Ask, Kind};

use super::Node;
use super::output::{Sort, must_be_free, must_be_writable};
use super::records::{date_of, refused};
use crate::answer::Synth;
use crate::atomic::{self, create_private};
use crate::describe::find_area;
use crate::error::NodeError;
use crate::ports::RecordKey;
use crate::progress::Progress;
use crate::reason::{self, Because};
use crate::synth::{Change, Plan, PlanError, Preset, SynthEvent, WriteError, events, write_jsonl};

/// Saves staged before they are made durable.
const SAVES_PER_COMMIT: u64 = 4_096;

/// What `synth` asks for.
#[derive(Debug, Clone)]
pub struct SynthAsk {
    /// Name of a preset.
    pub preset: String,
    /// Where all chance comes from.
    pub seed: u64,
    /// Exactly so many records.
    pub records: Option<u64>,
    /// Another area than the preset's own.
    pub area: Option<String>,
}

impl Node {
    /// Writes synthetic records into this node, within what it may write. Records this node holds
    /// already, from the same seed, are left as they are; only what was written is counted.
    ///
    /// # Errors
    /// [`NodeError`] when the preset or area is none, an area lies outside this device's, the node
    /// belongs to a network of real people, or the disk fails. [`NodeError::Interrupted`] keeps
    /// what was made durable.
    pub fn synth_into(
        &mut self,
        ask: &SynthAsk,
        progress: &mut dyn Progress,
    ) -> Result<Synth, NodeError> {
        if !self.is_trial() {
            return Err((&reason::SYNTH_REAL).into());
        }
        self.must_have_room()?;
        let named = ask.area.as_deref().map(|code| self.area(code)).transpose()?;
        let own = Some(self.own_area()).filter(|area| area.level() == Level::Desa);
        let mut made = events(&plan(ask, named.or(own))?).map_err(no_plan)?;
        let (mut tally, mut held) = (Tally::default(), BTreeSet::new());
        let (mut staged, mut begun) = (0, 0);
        while let Some(event) = made.next() {
            if made.begun() != begun || staged >= SAVES_PER_COMMIT {
                begun = made.begun();
                if !progress.at(begun.saturating_sub(1), made.areas()) {
                    self.commit_own()?;
                    return Err(NodeError::Interrupted);
                }
            }
            if staged >= SAVES_PER_COMMIT {
                self.commit_own()?;
                self.must_have_room()?;
                staged = 0;
            }
            match event {
                SynthEvent::Record(change) if self.synth_held(&change)? => {
                    held.insert(change.record);
                }
                SynthEvent::Record(change) => {
                    tally.records += 1;
                    tally.areas.insert(change.area);
                    tally.entries += self.synth_save(&change, true)?;
                }
                SynthEvent::Edit(change) if held.contains(&change.record) => {}
                SynthEvent::Edit(change) => tally.entries += self.synth_save(&change, false)?,
                SynthEvent::Rehome { area, new, .. } => {
                    self.commit_own()?;
                    // Where it was found by the new code before, the table knew of the move, not the
                    // network.
                    if self.tree().code(area) != Some(new) {
                        self.rehome(&area.to_string(), &new.to_string())?;
                    }
                }
            }
            staged += 1;
        }
        self.commit_own()?;
        progress.at(made.areas(), made.areas());
        Ok(Synth {
            preset: ask.preset.clone(),
            seed: ask.seed,
            areas: tally.areas.len() as u64,
            records: tally.records,
            entries: tally.entries,
            sha256: None,
        })
    }

    /// Whether a run before wrote this record; ids follow from the seed.
    fn synth_held(&self, change: &Change) -> Result<bool, NodeError> {
        let Some(kind) = self.env.schema.kind(change.kind) else { return Ok(false) };
        let key = RecordKey { area: change.area, kind: kind.number, record: change.record };
        let held = self.replica.record(&key).map_err(|error| self.store_error(error))?;
        Ok(held.is_some())
    }

    /// Stages one synthetic save; returns how many entries it made.
    fn synth_save(&mut self, change: &Change, is_new: bool) -> Result<u64, NodeError> {
        self.must_write(change.area)?;
        let schema = self.env.schema.clone();
        let kind: &Kind = schema
            .kind(change.kind)
            .ok_or_else(|| NodeError::KindUnknown { kind: change.kind.to_owned() })?;
        let key = RecordKey { area: change.area, kind: kind.number, record: change.record };
        let asks: Vec<Ask> = change.asks();
        let state = (!is_new).then(|| self.replica.state_now(key));
        let plan = kind.plan(state.as_ref(), &asks, date_of(change.claimed_at));
        let plan = plan.map_err(|refusal| refused(kind, refusal))?;
        if plan.changes == 0 {
            return Ok(0);
        }
        self.stage_save(key, change.person, change.claimed_at, &plan)?;
        Ok(1)
    }
}

#[derive(Default)]
struct Tally {
    areas: BTreeSet<AreaId>,
    records: u64,
    entries: u64,
}

/// Writes synthetic records as lines of JSON; the file appears when it is whole. It needs no node,
/// and stays out of the data folder of whoever has one.
///
/// # Errors
/// [`NodeError`] when the file lies in `folder` or is no JSON lines and exists, the preset or area is none, a person stops it, or the disk fails.
pub fn synth_jsonl(
    ask: &SynthAsk,
    file: &Path,
    folder: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Synth, NodeError> {
    let failed = |error| NodeError::file("write", file, error);
    match folder {
        Some(folder) => must_be_writable(folder, file, Sort::JsonLines)?,
        None => must_be_free(file, Sort::JsonLines)?,
    }
    let tree = AreaTree::west_java();
    let area = ask.area.as_deref().map(|code| find_area(&tree, None, code)).transpose()?;
    let plan = plan(ask, area)?;
    let unfinished = atomic::beside(file);
    let open = create_private(&unfinished).map_err(failed)?;
    let mut out = BufWriter::new(open);
    let written = write_jsonl(&plan, &mut out, progress);
    let written = written.map_err(|error| match error {
        WriteError::Plan(error) => no_plan(error),
        WriteError::Io(error) => failed(error),
        WriteError::Interrupted => NodeError::Interrupted,
    });
    let named = || {
        let open = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        open.sync_all()?;
        fs::rename(&unfinished, file)
    };
    let written = written.and_then(|written| named().map_err(failed).map(|()| written));
    if written.is_err() {
        drop(fs::remove_file(&unfinished));
    }
    let written = written?;
    Ok(Synth {
        preset: ask.preset.clone(),
        seed: ask.seed,
        areas: written.areas,
        records: written.records,
        entries: written.entries,
        sha256: Some(written.sha256),
    })
}

fn plan(ask: &SynthAsk, area: Option<AreaId>) -> Result<Plan, NodeError> {
    let preset: Preset = ask.preset.parse().map_err(no_plan)?;
    Ok(Plan { area, records: ask.records, ..Plan::new(preset, ask.seed) })
}

fn no_plan(error: PlanError) -> NodeError {
    match error {
        PlanError::Preset => (&reason::SYNTH_PRESET).into(),
        PlanError::NoVillage => (&reason::SYNTH_NO_VILLAGE).into(),
        PlanError::TooMany { max } => Because::of(&reason::SYNTH_MANY).with("most", max).into(),
        PlanError::MiniIsFixed => (&reason::SYNTH_MINI).into(),
    }
}
