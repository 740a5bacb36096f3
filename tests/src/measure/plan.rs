//! Saves planned from what was typed, as an import or a synthetic year does.

use node::synth::{Plan, Preset, events};

use super::Report;
use super::watch::Watch;
use crate::desk;

pub(super) fn measure(report: &mut Report) {
    let year = Plan::new(Preset::Kec, 7);
    let watch = Watch::start();
    let made = events(&year).unwrap().count();
    let making = watch.worked_seconds();
    let watch = Watch::start();
    let saves: usize = desk::drafts(&year, |_| true).values().map(Vec::len).sum();
    let planning = watch.worked_seconds() - making;
    report.add("synthetic saves made", made as f64 / making, "a second");
    report.add("saves planned and folded", saves as f64 / planning, "a second");
}
