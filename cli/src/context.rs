//! What every command has at hand: the world, its settings, its words, the console.

use std::path::Path;
use std::time::Duration;

use node::ask::Ask;
use node::error::{ErrorKind, NodeError};
use node::guard::{Panicked, guarded};
use node::node::{Environment, Node};
use node::ports::StoreError;
use serde::Serialize;

use crate::World;
use crate::api;
use crate::api::client::{Client, Unfound};
use crate::console::{Console, Teller};
use crate::error::Failure;
use crate::patience::Patience;
use crate::progress::Bar;
use crate::report::{Page, Report};
use crate::settings::{Language, Settings};
use crate::words::{Fact, Words};

/// What was done; a panic over a damaged page is damage, any other is our mistake. After a page
/// that could not be read the store refuses all that follows, and says only that: then too the
/// pages are asked.
fn unless_rotten<A>(
    folder: &Path,
    done: Result<Result<A, NodeError>, Panicked>,
) -> Result<A, NodeError> {
    match done {
        Ok(Err(error @ NodeError::Store { source: StoreError::Poisoned, .. })) => {
            Err(Node::damage_in(folder).unwrap_or(error))
        }
        Ok(done) => done,
        Err(panicked) => match Node::damage_in(folder) {
            Some(damage) => Err(damage),
            None => panicked.raise(),
        },
    }
}

/// How long a node that is to run waits for a command that holds the folder: whoever started it,
/// perhaps a supervisor, starts it again.
const RUN_WAIT: Duration = Duration::from_secs(5);
/// How long a command waits for another: many that save, each a fifth of a second.
const COMMAND_WAIT: Duration = Duration::from_secs(10);
/// How long it does so without a word.
const QUIET_WAIT: Duration = Duration::from_secs(2);
/// Between two looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
        let node = unless_rotten(folder, guarded(open))?;
        // The store is ours: a note of a run that was killed tells of nobody.
        api::forget_run(folder);
        Ok(node)
    }

    /// The same for a node that is to run; whoever holds the folder for a short command is waited for,
    /// and a person told at once.
    pub(crate) fn open_patiently(&mut self) -> Result<Node, Failure> {
        match self.open_when_free(Duration::ZERO, RUN_WAIT)? {
            Reached::Opened(node) => Ok(*node),
            Reached::Running(_) => Err(NodeError::store(self.folder()?, StoreError::Locked).into()),
        }
    }

    /// Opens the node; a short command that holds the folder is waited for so long, and a person is
    /// told once it has taken `quiet`. A node that runs there answers instead.
    fn open_when_free(&mut self, quiet: Duration, wait: Duration) -> Result<Reached, Failure> {
        let (mut patience, mut is_told) = (None, false);
        loop {
            let failure = match self.open() {
                Err(failure) if failure.kind() == ErrorKind::StoreLocked => failure,
                opened => return opened.map(|node| Reached::Opened(Box::new(node))),
            };
            if self.world.interrupt.is_set() {
                return Err(NodeError::Interrupted.into());
            }
            // A machine may be busy: a node that runs there is asked with patience.
            match Client::find_patiently(self.folder()?, self.asked_in()) {
                Ok(client) => return Ok(Reached::Running(client)),
                // It holds the folder until it ends, and that is nobody's short command.
                Err(Unfound::Silent) => return Err(failure),
                Err(Unfound::Nobody) => {}
            }
            let patience = *patience.get_or_insert_with(|| Patience::of(wait));
            if patience.is_over() {
                return Err(failure);
            }
            if !is_told && patience.took() >= quiet {
                self.tell("tell-waiting-store", &[]);
                is_told = true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The node that runs on the data folder, if one answers at once.
    pub(crate) fn running(&self) -> Result<Option<Client>, Failure> {
        Ok(Client::find(self.folder()?, self.asked_in()))
    }

    /// What programs read is English.
    const fn asked_in(&self) -> Language {
        if self.settings.json { Language::English } else { self.settings.language }
    }

    /// Who answers for the data folder: the node that runs there, else the one opened here, as soon
    /// as no other command holds it.
    pub(crate) fn reach(&mut self) -> Result<Reached, Failure> {
        match self.running()? {
            Some(client) => Ok(Reached::Running(client)),
            None => self.open_when_free(QUIET_WAIT, COMMAND_WAIT),
        }
    }

    /// The same, if a node was ever made there.
    pub(crate) fn reach_if_any(&mut self) -> Result<Option<Reached>, Failure> {
        if self.settings.holds_node() { self.reach().map(Some) } else { Ok(None) }
    }

    /// Asks whoever answers for the data folder.
    pub(crate) fn put<A: Ask>(&mut self, ask: A) -> Result<A::Answer, Failure> {
        let mut bar = self.unseen();
        self.put_watched(ask, &mut bar)
    }

    /// The same with a bar.
    pub(crate) fn put_watched<A: Ask>(
        &mut self,
        ask: A,
        bar: &mut Bar,
    ) -> Result<A::Answer, Failure> {
        self.reach()?.put(ask, bar)
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
        Bar::new(self.words.say(key), shown, &self.world.interrupt).telling(self.teller())
    }

    /// No bar, for work that is short; a person may end it all the same.
    pub(crate) fn unseen(&self) -> Bar {
        Bar::new(String::new(), false, &self.world.interrupt).telling(self.teller())
    }

    /// Who tells a person something while a command waits; nobody with `--quiet`.
    fn teller(&self) -> Option<Teller> {
        (!self.settings.quiet).then(|| self.console.teller(self.words))
    }

    /// A message that `--quiet` leaves out.
    pub(crate) fn tell(&mut self, key: &str, facts: &[Fact]) {
        if !self.settings.quiet {
            self.console.tell(&self.words.say_with(key, facts));
        }
    }

    /// Says what a person should know, quiet or not.
    pub(crate) fn warn(&mut self, key: &str) {
        self.console.warn(&self.words.say(key));
    }

    /// Says that this network is for trials, each time, quiet or not: whoever types a real
    /// person's name must have been told.
    pub(crate) fn tell_if_trial(&mut self, is_trial: bool) {
        if is_trial {
            self.console.warn(&self.words.say("tell-trial"));
        }
    }
}

/// Who answers for a data folder.
pub(crate) enum Reached {
    /// The node that runs there.
    Running(Client),
    /// The node opened here.
    Opened(Box<Node>),
}

impl Reached {
    /// Whether synthetic people only may be entered.
    pub(crate) fn is_trial(&self) -> bool {
        match self {
            Self::Running(client) => client.is_trial(),
            Self::Opened(node) => node.is_trial(),
        }
    }

    /// Asks, and closes what was opened, so that what it holds is found again fast.
    pub(crate) fn put<A: Ask>(self, ask: A, bar: &mut Bar) -> Result<A::Answer, Failure> {
        match self {
            Self::Running(client) => client.put(ask, bar),
            Self::Opened(mut node) => {
                let folder = node.folder().to_path_buf();
                // Whoever panics over a rotten page takes the node along, which then writes nothing more.
                let asked = guarded(move || {
                    let answer = ask.put(&mut node, bar);
                    if answer.is_ok() {
                        node.close();
                    }
                    answer
                });
                // Its files are looked at for rot once they are let go.
                Ok(unless_rotten(&folder, asked)?)
            }
        }
    }
}
