//! How news travels between the nodes of the demo: here by a stick that goes from desk to desk.

use std::collections::BTreeSet;

use super::stage::{Stage, list, number, text};
use crate::error::Failure;

/// Rounds before the demo gives up on equal roots: two suffice (one collects, one hands out), the
/// others would show a mistake of ours instead of hiding it.
const ROUNDS_MAX: usize = 4;

/// What a journey moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Journey {
    /// Nodes visited.
    pub(super) visits: u64,
    /// Bytes of the bundles, each import counted.
    pub(super) bundle_bytes: u64,
    /// Bytes over sockets.
    pub(super) wire_bytes: u64,
    /// Every node showed the same root.
    pub(super) equal: bool,
}

/// Brings what every node wrote to every other.
pub(super) trait Carrier {
    /// Travels from `from` until every node shows the same root of `area`, or gives up.
    ///
    /// # Errors
    /// What a node could not do.
    fn carry(&mut self, stage: &mut Stage, area: &str, from: usize) -> Result<Journey, Failure>;

    /// Brings all that one node holds to one other, as a device that joins needs it.
    ///
    /// # Errors
    /// What a node could not do.
    fn hand(&mut self, stage: &mut Stage, from: usize, to: usize) -> Result<Journey, Failure>;

    /// The files that carried what went to or came from this node, by name.
    fn files_of(&self, node: &str) -> Vec<String>;
}

/// A stick: each node takes what is on it and puts on it all it holds of the area.
#[derive(Debug, Default)]
pub(super) struct Stick {
    bundles: u64,
    /// File names, each with the node that wrote it and the one that took it.
    passed: Vec<(String, String, String)>,
}

impl Carrier for Stick {
    fn carry(&mut self, stage: &mut Stage, area: &str, from: usize) -> Result<Journey, Failure> {
        let mut journey = Journey::default();
        let mut roots: Vec<Option<String>> = vec![None; stage.nodes.len()];
        let mut here = from;
        see(stage, area, here, &mut roots)?;
        for _ in 0..ROUNDS_MAX * stage.nodes.len() {
            if equal(&roots) {
                journey.equal = true;
                break;
            }
            let next = (here + 1) % stage.nodes.len();
            self.pass(stage, &["--area", area], (here, next), &mut journey)?;
            see(stage, area, next, &mut roots)?;
            here = next;
        }
        Ok(journey)
    }

    fn hand(&mut self, stage: &mut Stage, from: usize, to: usize) -> Result<Journey, Failure> {
        let mut journey = Journey::default();
        self.pass(stage, &["--all"], (from, to), &mut journey)?;
        Ok(journey)
    }

    fn files_of(&self, node: &str) -> Vec<String> {
        let touches = |(_, from, to): &&(String, String, String)| from == node || to == node;
        self.passed.iter().filter(touches).map(|(file, _, _)| file.clone()).collect()
    }
}

impl Stick {
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

/// Asks a node for its root of the area.
fn see(
    stage: &mut Stage,
    area: &str,
    place: usize,
    roots: &mut [Option<String>],
) -> Result<(), Failure> {
    let answer = stage.ask(place, &["root", "--area", area])?;
    let root = text(&answer, "/root")?.to_owned();
    if let Some(seen) = roots.get_mut(place) {
        *seen = Some(root);
    }
    Ok(())
}

/// Whether every node was asked since it last changed, and all said the same.
fn equal(roots: &[Option<String>]) -> bool {
    let seen: BTreeSet<&Option<String>> = roots.iter().collect();
    seen.len() == 1 && !seen.contains(&None)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::super::plan::Cast;
    use super::super::stage::Hands;
    use super::*;

    /// Nodes that hold sets of letters: a bundle is the set, a root its text.
    #[derive(Default)]
    struct Letters {
        held: BTreeMap<String, BTreeSet<char>>,
        files: BTreeMap<String, BTreeSet<char>>,
        /// Takes nothing from any bundle.
        deaf: bool,
    }

    struct Shared(Arc<Mutex<Letters>>);

    impl Hands for Shared {
        fn run(&mut self, args: &[&str]) -> Result<(Value, u32), Failure> {
            let mut world = self.0.lock().unwrap();
            let folder = (*args.last().unwrap()).to_owned();
            let held = world.held.entry(folder.clone()).or_default().clone();
            let answer = match *args.first().unwrap() {
                "root" => json!({"root": held.iter().collect::<String>()}),
                _ if args.contains(&"export") => {
                    let path = args.iter().skip_while(|arg| **arg != "-o").nth(1).unwrap();
                    world.files.insert((*path).to_owned(), held);
                    json!({"files": [path], "bytes": 10})
                }
                _ => {
                    let file = world.files.get(*args.get(2).unwrap()).unwrap().clone();
                    if !world.deaf {
                        world.held.entry(folder).or_default().extend(file);
                    }
                    json!({})
                }
            };
            Ok((answer, 7))
        }
    }

    fn stage(world: &Arc<Mutex<Letters>>) -> Stage {
        let cast = Cast::new(3, 3).ok().unwrap();
        let stage = Stage::new("/demo".into(), cast.nodes(), Shared(Arc::clone(world)));
        for (node, letter) in stage.nodes.iter().zip('a'..) {
            let folder = node.folder.to_str().unwrap().to_owned();
            world.lock().unwrap().held.insert(folder, BTreeSet::from([letter]));
        }
        stage
    }

    #[test]
    fn the_stick_goes_round_until_all_hold_everything_and_no_further() {
        let world = Arc::new(Mutex::new(Letters::default()));
        let mut stage = stage(&world);
        let mut stick = Stick::default();
        let journey = stick.carry(&mut stage, "32.09.21", 3).ok().unwrap();
        // Six nodes: five visits collect, five hand out.
        assert_eq!(journey, Journey { visits: 10, bundle_bytes: 100, wire_bytes: 0, equal: true });
        let all: BTreeSet<char> = ('a'..='f').collect();
        assert!(world.lock().unwrap().held.values().all(|held| *held == all));
        assert_eq!(stick.files_of("desa-3").len(), 4);
    }

    #[test]
    fn nodes_that_take_nothing_are_never_called_equal() {
        let world = Arc::new(Mutex::new(Letters { deaf: true, ..Letters::default() }));
        let journey = Stick::default().carry(&mut stage(&world), "32.09.21", 3).ok().unwrap();
        assert!(!journey.equal);
        assert_eq!(journey.visits, 24);
    }
}
