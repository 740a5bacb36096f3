//! The file against the store in memory, through any sequence of batches, kills, ends, clearings and
//! compactions: what was durable is there after a kill, and nothing that was not.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::fs;
use std::path::PathBuf;

use crdt_schema::id::StoreInstance;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tempfile::TempDir;

use super::RedbViewStore;
use super::testing::{Ids, any_batch, any_filter, any_key};
use crate::ports::{RecordKey, RowFilter, ViewBatch, ViewStore};
use crate::store::memory::MemoryViewStore;

const INSTANCE: StoreInstance = StoreInstance([1; 16]);
const CACHE_BYTES: usize = 1 << 20;

/// A filter, behind which row, and how many.
type Asked = (RowFilter, Option<RecordKey>, usize);

/// What was committed, what of it a kill leaves, and what is asked after every step.
#[derive(Debug, Clone)]
struct Views {
    now: MemoryViewStore,
    durable: MemoryViewStore,
    /// Whether anything is asked after the step of now: a thread that writes a batch is waited for then.
    looked: bool,
    lists: Vec<Asked>,
    prefixes: Vec<String>,
    keys: Vec<RecordKey>,
}

#[derive(Debug, Clone)]
enum Step {
    /// A batch; one that is not looked at is left under way, where a thread writes it.
    Commit {
        batch: ViewBatch,
        durable: bool,
        looked: bool,
    },
    /// The program ends, and opens what lies on the disk.
    Kill,
    /// The store is closed and opened again.
    Reopen,
    Clear,
    Compact,
}

struct Model;

impl ReferenceStateMachine for Model {
    type State = Views;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Views> {
        let lists = (any_filter(), prop::option::of(any_key()), 0_usize..9);
        let asked = (
            prop::collection::vec(lists, 8),
            prop::collection::vec("a[0-7](a[0-7]){0,3}1?[0-2]?", 4),
            prop::collection::vec(any_key(), 16),
        );
        asked
            .prop_map(|(lists, prefixes, keys)| {
                let [now, durable] = [MemoryViewStore::new(), MemoryViewStore::new()];
                Views { now, durable, looked: true, lists, prefixes, keys }
            })
            .boxed()
    }

    fn transitions(_: &Views) -> BoxedStrategy<Step> {
        prop_oneof![
            8 => (any_batch(), any::<bool>(), any::<bool>())
                .prop_map(|(batch, durable, looked)| Step::Commit { batch, durable, looked }),
            3 => Just(Step::Kill),
            2 => Just(Step::Reopen),
            1 => Just(Step::Clear),
            1 => Just(Step::Compact),
        ]
        .boxed()
    }

    fn apply(mut views: Views, step: &Step) -> Views {
        views.looked = !matches!(step, Step::Commit { looked: false, .. });
        match step {
            Step::Commit { batch, durable, .. } => {
                views.now.commit(batch.clone(), *durable).unwrap();
                if *durable {
                    views.durable = views.now.clone();
                }
            }
            Step::Kill => views.now = views.durable.clone(),
            Step::Reopen | Step::Compact => views.durable = views.now.clone(),
            Step::Clear => {
                views.now.clear().unwrap();
                views.durable = views.now.clone();
            }
        }
        views
    }
}

struct OnDisk {
    store: Option<RedbViewStore>,
    folder: TempDir,
}

impl OnDisk {
    fn path(&self) -> PathBuf {
        self.folder.path().join("view.redb")
    }

    fn open(&mut self) {
        let opened = RedbViewStore::open_or_create(&self.path(), INSTANCE, CACHE_BYTES);
        self.store = Some(opened.unwrap());
    }

    fn store(&mut self) -> &mut RedbViewStore {
        self.store.as_mut().unwrap()
    }

    /// What was not durable may or may not outlive an end: it is made so.
    fn make_durable(&mut self) {
        let applied = self.store().applied().unwrap();
        self.store().commit(ViewBatch { applied, ..ViewBatch::default() }, true).unwrap();
    }
}

impl StateMachineTest for OnDisk {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Views) -> Self {
        let mut empty = Self { store: None, folder: TempDir::new().unwrap() };
        empty.open();
        empty
    }

    fn apply(mut it: Self, _: &Views, step: Step) -> Self {
        match step {
            Step::Commit { batch, durable, .. } => it.store().commit(batch, durable).unwrap(),
            Step::Kill => {
                // A thread that writes has its end: the copy is of one moment.
                it.store().applied().unwrap();
                let killed = it.folder.path().join("killed.redb");
                fs::copy(it.path(), &killed).unwrap();
                it.store = None;
                fs::rename(&killed, it.path()).unwrap();
                it.open();
            }
            Step::Reopen => {
                it.make_durable();
                it.store = None;
                it.open();
            }
            Step::Clear => it.store().clear().unwrap(),
            Step::Compact => {
                it.make_durable();
                it.store().compact().unwrap();
            }
        }
        it
    }

    fn check_invariants(it: &Self, views: &Views) {
        if !views.looked {
            return;
        }
        let (store, now) = (it.store.as_ref().unwrap(), &views.now);
        // Rows first: they are answered while a thread still writes.
        for key in &views.keys {
            assert_eq!(store.row(key, &Ids).unwrap(), now.row(key, &Ids).unwrap());
        }
        assert_eq!(store.applied().unwrap(), now.applied().unwrap());
        assert_eq!(store.totals().unwrap(), now.totals().unwrap());
        assert_eq!(store.counts().unwrap(), now.counts().unwrap());
        for (filter, after, limit) in &views.lists {
            let [store, now] = [store as &dyn ViewStore, now]
                .map(|it| it.list(filter, after.as_ref(), *limit, &Ids).unwrap());
            assert_eq!(store, now);
        }
        for prefix in &views.prefixes {
            assert_eq!(store.find(prefix).unwrap(), now.find(prefix).unwrap());
        }
        for key in &views.keys {
            assert_eq!(store.edits(key, &Ids).unwrap(), now.edits(key, &Ids).unwrap());
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_view_store_answers_what_was_committed(sequential 1..12 => OnDisk);
}
