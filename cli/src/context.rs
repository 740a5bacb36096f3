//! What every command has at hand: the world, its settings, its words, the console.

use std::path::Path;

use node::error::NodeError;
use node::guard::{Panicked, guarded};
use node::node::{Environment, Node};
use serde::Serialize;

use crate::World;
use crate::console::Console;
use crate::error::Failure;
use crate::progress::Bar;
use crate::report::{Page, Report};
use crate::settings::Settings;
use crate::words::{Fact, Words};

/// What was done; a panic over a damaged page is damage, any other is our mistake.
fn unless_rotten<A>(
    folder: &Path,
    done: Result<Result<A, NodeError>, Panicked>,
) -> Result<A, NodeError> {
    done.unwrap_or_else(|panicked| match Node::damage_in(folder) {
        Some(damage) => Err(damage),
        None => panicked.raise(),
    })
}

/// What every command has at hand.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a World,
    pub(crate) settings: Settings,
    pub(crate) words: Words,
    pub(crate) console: &'a mut Console,
}

impl<'a> Context<'a> {
    pub(crate) fn new(world: &'a World, settings: Settings, console: &'a mut Console) -> Self {
        let words = Words::new(settings.language);
        Self { world, settings, words, console }
    }

    /// The node's environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.world.environment
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> Result<&Path, Failure> {
        self.settings.folder()
    }

    /// The node in the data folder.
    pub(crate) fn open(&self) -> Result<Node, Failure> {
        let folder = self.folder()?;
        let open = || Node::open(folder, self.environment().clone());
        Ok(unless_rotten(folder, guarded(open))?)
    }

    /// Asks a node and closes it, so that what it holds is found again fast.
    pub(crate) fn ask<A>(
        mut node: Node,
        ask: impl FnOnce(&mut Node) -> Result<A, NodeError>,
    ) -> Result<A, Failure> {
        let folder = node.folder().to_path_buf();
        let asked = guarded(|| {
            let answer = ask(&mut node)?;
            node.close().map(|()| answer)
        });
        Ok(unless_rotten(&folder, asked)?)
    }

    /// Asks the node in the data folder.
    pub(crate) fn on_node<A>(
        &self,
        ask: impl FnOnce(&mut Node) -> Result<A, NodeError>,
    ) -> Result<A, Failure> {
        Self::ask(self.open()?, ask)
    }

    /// The node in the data folder, if one was ever made there.
    pub(crate) fn open_if_any(&self) -> Result<Option<Node>, Failure> {
        if self.settings.holds_node() { self.open().map(Some) } else { Ok(None) }
    }

    /// The report of an answer: the object for programs, or the page that `fill` makes of it.
    pub(crate) fn report<A: Serialize>(
        &self,
        answer: &A,
        fill: impl FnOnce(&mut Page, Words, &A),
    ) -> Result<Report, Failure> {
        if self.settings.json {
            return Report::object(answer);
        }
        let mut page = Page::default();
        fill(&mut page, self.words, answer);
        Ok(Report::page(page))
    }

    /// A bar for long work.
    pub(crate) fn bar(&self, key: &str) -> Bar {
        let shown = self.console.shows_progress() && !self.settings.quiet;
        Bar::new(self.words.say(key), shown, &self.world.interrupt)
    }

    /// A message that `--quiet` leaves out.
    pub(crate) fn tell(&mut self, key: &str, facts: &[Fact]) {
        if !self.settings.quiet {
            self.console.tell(&self.words.say_with(key, facts));
        }
    }

    /// Says that this network is for trials, each time, quiet or not: whoever types a real
    /// person's name must have been told.
    pub(crate) fn tell_if_trial(&mut self, node: &Node) {
        if node.is_trial() {
            self.console.warn(&self.words.say("tell-trial"));
        }
    }
}
