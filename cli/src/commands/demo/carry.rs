//! How news travels between the nodes of the demo: over sockets between all that have a connection,
//! and by a stick between the kecamatan's hub and the village that has none.

use std::collections::BTreeSet;
use std::time::Duration;

use super::stage::{Stage, list, number, text};
use crate::error::Failure;
use crate::patience::Patience;

/// Times the stick goes there and back before the demo gives up on equal roots: once suffices, more
/// would show a mistake of ours instead of hiding it.
const VISITS_MAX: usize = 3;
/// Until every connected node shows the same root.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the roots.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What a journey moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Journey {
    /// Times the stick was carried.
    pub(super) visits: u64,
    /// Bytes of the bundles.
    pub(super) bundle_bytes: u64,
    /// Every node showed the same root.
    pub(super) equal: bool,
}

/// Brings what every node wrote to every other.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    bundles: u64,
    /// File names, each with the node that wrote it and the one that took it.
    passed: Vec<(String, String, String)>,
}

impl Carrier {
    /// Lets news travel until every node shows the same root of `area`, or gives up. `hub` and `cut`
    /// meet by stick, the others by themselves.
    ///
    /// # Errors
    /// What a node could not do.
    pub(super) fn meet(
        &mut self,
        stage: &mut Stage,
        area: &str,
        (hub, cut): (usize, usize),
    ) -> Result<Journey, Failure> {
        let mut journey = Journey::default();
        let connected: Vec<usize> = (0..stage.nodes.len()).filter(|place| *place != cut).collect();
        wait_until_equal(stage, area, &connected)?;
        for _ in 0..VISITS_MAX {
            if roots(stage, area, &[hub, cut])?.len() == 1 {
                break;
            }
            self.pass(stage, &["--area", area], (cut, hub), &mut journey)?;
            self.pass(stage, &["--area", area], (hub, cut), &mut journey)?;
        }
        let all: Vec<usize> = (0..stage.nodes.len()).collect();
        journey.equal = wait_until_equal(stage, area, &all)?;
        Ok(journey)
    }

    /// Brings all that one node holds to one other, as a device that joins without a connection
    /// needs it.
    ///
    /// # Errors
    /// What a node could not do.
    pub(super) fn hand(
        &mut self,
        stage: &mut Stage,
        from: usize,
        to: usize,
    ) -> Result<Journey, Failure> {
        let mut journey = Journey::default();
        self.pass(stage, &["--all"], (from, to), &mut journey)?;
        Ok(journey)
    }

    /// The files that carried what went to or came from this node, by name.
    pub(super) fn files_of(&self, node: &str) -> Vec<String> {
        let touches = |(_, from, to): &&(String, String, String)| from == node || to == node;
        self.passed.iter().filter(touches).map(|(file, _, _)| file.clone()).collect()
    }

    /// One hand to the next: export there, import here.
    fn pass(
        &mut self,
        stage: &mut Stage,
        what: &[&str],
        (from, to): (usize, usize),
        journey: &mut Journey,
    ) -> Result<(), Failure> {
        self.bundles += 1;
        let file = format!("{:03}-{}.wksbm", self.bundles, stage.node(from)?.player.name);
        let path = stage.stick(&file)?;
        let export = [&["bundle", "export", "-o", path.as_str()], what].concat();
        let made = stage.ask(from, &export)?;
        let mut import = vec!["bundle", "import"];
        for file in list(&made, "/files")? {
            import.push(text(file, "")?);
        }
        stage.ask(to, &import)?;
        journey.visits += 1;
        journey.bundle_bytes += number(&made, "/bytes")?;
        let (from, to) = (&stage.node(from)?.player.name, &stage.node(to)?.player.name);
        self.passed.push((file, from.clone(), to.clone()));
        Ok(())
    }
}

/// Looks until the nodes at `places` show one root of the area; false when patience ends first.
fn wait_until_equal(stage: &mut Stage, area: &str, places: &[usize]) -> Result<bool, Failure> {
    let patience = Patience::of(PATIENCE);
    loop {
        if roots(stage, area, places)?.len() == 1 {
            return Ok(true);
        }
        if patience.is_over() {
            return Ok(false);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The different roots of the area these nodes show.
fn roots(stage: &mut Stage, area: &str, places: &[usize]) -> Result<BTreeSet<String>, Failure> {
    let mut roots = BTreeSet::new();
    for place in places {
        let answer = stage.ask(*place, &["root", "--area", area])?;
        roots.insert(text(&answer, "/root")?.to_owned());
    }
    Ok(roots)
}
