//! `demo`: a whole mesh on this machine, in a temporary folder, for whoever wants to see it work.
//!
//! `plan.rs` says what happens, as a list of steps; `running.rs` is one node as a process that stays
//! up; `stage.rs` knows all of them and asks them as anybody would; `carry.rs` lets news travel, over
//! sockets and by the stick that goes to the village without a connection; `scene.rs` does the steps;
//! `picture.rs` is what people see. What a node does, it does through the commands anyone may type:
//! nothing here opens a store.

mod carry;
mod picture;
mod plan;
mod running;
mod scene;
mod stage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crdt_schema::time::Timestamp;
use node::answer::Demo;
use node::error::ErrorKind;
use node::node::must_be_no_data_folder;

use self::plan::{Cast, Player, Step, steps};
use self::scene::Scene;
use self::stage::{Processes, STICK, Stage};
use crate::context::Context;
use crate::error::Failure;
use crate::limits::within;
use crate::progress::Interrupt;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// Most villages: those of the kecamatan the demo plays in.
const VILLAGES_MAX: u64 = 12;

/// Most records: what a person waits for.
const RECORDS_MAX: u64 = 100_000;

/// Between two looks whether a person wants the demo to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many villages, 1 to 12
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true,
          value_parser = within::<u16>(1..=VILLAGES_MAX, "usage-demo-villages"))]
    villages: u16,
    /// How many records, over all villages, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 40, allow_negative_numbers = true,
          value_parser = within::<u64>(1..=RECORDS_MAX, "usage-demo-records"))]
    records: u64,
    /// End once the roots are equal; else all nodes stay up until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Keep the nodes' folders here, to be asked afterwards
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let started = context.world.environment.clock.now();
    let cast = Cast::new(usize::from(args.villages), args.records)?;
    if let Some(folder) = &args.keep {
        must_be_no_data_folder(context.folder().ok(), folder)?;
        must_be_free(folder, cast.nodes())?;
    }
    let (folder, temporary) = folder(args.keep.as_ref())?;
    let hands = Processes::of_this_program(&context.world.interrupt)?;
    let mut scene = Scene::new(Stage::new(folder, cast.nodes(), hands), &cast);
    if !context.settings.quiet {
        context.console.tell(&picture::tree(cast.nodes()));
    }
    let rest = |step: &Step| *step == Step::Rest;
    for step in steps(&cast).into_iter().filter(|step| args.once || !rest(step)) {
        play(context, &mut scene, &step)?;
    }
    let seconds = elapsed(started, context.world.environment.clock.now()).as_secs_f64();
    let result = scene.result(&cast, seconds)?;
    let end = |page: &mut Page, words: Words, result: &Demo| {
        picture::end(page, words, result);
        if args.keep.is_some() {
            page.pair(words.say("page-folder"), &result.folder);
        }
    };
    let report = context.report(&result, end)?.but(unequal(&result));
    if !args.once {
        return stay_up(context, &mut scene, &report);
    }
    drop(temporary);
    Ok(report)
}

/// Does one step, with a bar while it lasts and a line when it is done.
fn play(context: &mut Context<'_>, scene: &mut Scene, step: &Step) -> Result<(), Failure> {
    let bar = context.bar("demo-working");
    bar.label(scene.doing(step, context.words)?);
    let done = scene.play(step, context.words);
    drop(bar);
    // A step may have failed, or seemed to go well, because a node is gone.
    let done = match scene.fallen() {
        Some(fallen) if !context.world.interrupt.is_set() => Err(fallen),
        _ => done,
    }?;
    if !context.settings.quiet {
        context.console.step(&done);
    }
    Ok(())
}

/// The result is shown, and all nodes stay up for whoever wants to look, until a person ends it.
fn stay_up(
    context: &mut Context<'_>,
    scene: &mut Scene,
    report: &Report,
) -> Result<Report, Failure> {
    let (words, json) = (context.words, context.settings.json);
    context.console.print(report, words, json).map_err(Failure::output)?;
    context.tell("demo-stays", &[]);
    // Programs log what they hear, and a link lets in whoever reads it.
    for stage::Page { node, folder, link } in scene.pages(!json) {
        let node = Fact::new("node", node);
        match link {
            Some(linked) => context.tell("demo-page", &[node, Fact::new("link", linked.link)]),
            None => {
                context.tell("demo-page-by", &[node, Fact::new("folder", folder.display())]);
            }
        }
    }
    if let Some(fallen) = watch(&context.world.interrupt, scene) {
        return Ok(Report::printed_but(fallen));
    }
    context.world.interrupt.clear();
    play(context, scene, &Step::Rest)?;
    Ok(Report::nothing())
}

/// Waits until a person wants the demo to end, or a node has ended by itself: why it did.
fn watch(interrupt: &Interrupt, scene: &mut Scene) -> Option<Failure> {
    while !interrupt.is_set() {
        let fallen = scene.fallen();
        std::thread::sleep(LOOK_EVERY);
        // Where all processes are asked to end at once, a node may be the first that does.
        if fallen.is_some() && !interrupt.is_set() {
            return fallen;
        }
    }
    None
}

/// Refuses a folder where a demo is kept: its nodes' folders are those of nodes.
fn must_be_free(folder: &Path, players: &[Player]) -> Result<(), Failure> {
    let is_kept =
        |player: &Player| must_be_no_data_folder(None, &folder.join(&player.name)).is_err();
    if players.iter().any(is_kept) {
        let facts = vec![Fact::new("path", folder.display())];
        return Err(Failure::finer(ErrorKind::StoreExists, "demo_kept", facts));
    }
    Ok(())
}

/// The folder to play in, with the stick's in it; a temporary one goes with its guard.
fn folder(keep: Option<&PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    let made = if let Some(folder) = keep {
        // The answer names the folders, and may be read from another place.
        let whole = std::path::absolute(folder);
        (whole.map_err(|error| Failure::file("find", folder, error))?, None)
    } else {
        let made = tempfile::Builder::new().prefix("wksbm-demo-").tempdir();
        let made = made.map_err(|error| Failure::file("create", &std::env::temp_dir(), error))?;
        (made.path().to_path_buf(), Some(made))
    };
    let stick = made.0.join(STICK);
    std::fs::create_dir_all(&stick).map_err(|error| Failure::folder(&stick, error))?;
    Ok(made)
}

/// The clock may have been set back meanwhile.
fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0))
}

/// The failure that says so, where not every node showed the same root.
fn unequal(result: &Demo) -> Option<Failure> {
    let facts = vec![Fact::new("nodes", result.nodes.len())];
    (!result.equal).then(|| Failure::because(ErrorKind::NotEqual, "demo-not-equal", facts))
}
