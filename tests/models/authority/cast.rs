//! Devices, areas, and authority entries as devices would write them.

use std::sync::LazyLock;

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::{
    Certificate, DeviceKeys, FeedEnd, Limits, Payload, Rights, RootStatement, SignedStatement,
};
use crdt_schema::entry::{ChainPoint, SigningSecret};
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};
use node::authority::{Authority, AuthorityEntry};

/// A device by its number.
pub(crate) type Who = u8;

/// Of the province, named in the root statement.
pub(crate) const PROVINCE: Who = 1;
/// Of the kabupaten.
pub(crate) const REGENCY: Who = 2;
/// Of the kecamatan the village lies in.
pub(crate) const DISTRICT: Who = 3;
/// Of the kecamatan it may move to.
pub(crate) const OTHER_DISTRICT: Who = 4;
/// Of the village.
pub(crate) const VILLAGE: Who = 5;
/// Joins with an invitation.
pub(crate) const GUEST: Who = 6;
/// Certified by deeds only.
pub(crate) const NEW: Who = 7;
/// Of another kabupaten.
pub(crate) const OTHER_REGENCY: Who = 8;
/// Strangers who have the invitation of another.
pub(crate) const STRANGERS: [Who; 6] = [9, 10, 11, 12, 13, 14];
/// Everyone else.
pub(crate) const ALL: [Who; 8] =
    [PROVINCE, REGENCY, DISTRICT, OTHER_DISTRICT, VILLAGE, GUEST, NEW, OTHER_REGENCY];

pub(crate) const JABAR: &str = "32";
pub(crate) const CIREBON: &str = "32.09";
pub(crate) const MAJALENGKA: &str = "32.10";
pub(crate) const SURANENGGALA: &str = "32.09.39";
pub(crate) const GUNUNG_JATI: &str = "32.09.21";
pub(crate) const SAMBENG: &str = "32.09.39.2001";
pub(crate) const FAR_DISTRICT: &str = "32.10.01";
pub(crate) const FAR_VILLAGE: &str = "32.10.01.2001";
pub(crate) const AREAS: [&str; 8] =
    [JABAR, CIREBON, MAJALENGKA, SURANENGGALA, GUNUNG_JATI, FAR_DISTRICT, SAMBENG, FAR_VILLAGE];

pub(crate) fn area(code: &str) -> AreaId {
    code.parse::<AreaCode>().unwrap().first_id()
}

/// Keys of everyone, by number.
static KEYS: LazyLock<[DeviceKeys; 15]> = LazyLock::new(|| {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map(|who: Who| {
        let signing = SigningSecret::from_seed(&[who; 32]).public();
        DeviceKeys { transport: [who; 32], signing, sealing: [who; 32] }
    })
});

pub(crate) fn keys(who: Who) -> DeviceKeys {
    *KEYS.get(usize::from(who)).unwrap()
}

pub(crate) fn device(who: Who) -> DeviceId {
    keys(who).device()
}

pub(crate) fn throw_away() -> SigningSecret {
    SigningSecret::from_seed(&[77; 32])
}

/// Whoever finds the paper of another may have a key of their own.
pub(crate) fn another_key() -> SigningSecret {
    SigningSecret::from_seed(&[78; 32])
}

pub(crate) fn feed(who: Who, at: &str, space: Space) -> FeedName {
    FeedName { device: device(who), area: area(at), space, incarnation: 0 }
}

/// The feed of a device that was put back from a backup.
pub(crate) fn restored(who: Who, at: &str, space: Space) -> FeedName {
    FeedName { incarnation: 1, ..feed(who, at, space) }
}

/// The entry at a place of a records feed, as far as authority cares: a name.
pub(crate) fn record_point(seq: u64) -> ChainPoint {
    ChainPoint { seq, id: EntryId([u8::try_from(seq).unwrap(); 32]) }
}

pub(crate) fn certificate(whom: Who, at: &str, rights: Rights) -> Certificate {
    let limits = Limits::default();
    Certificate { keys: keys(whom), area: area(at), rights, limits, invited: None }
}

/// What was written so far.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) statement: SignedStatement,
    pub(crate) entries: Vec<AuthorityEntry>,
}

impl World {
    /// Five offices, each certified by the one above.
    pub(crate) fn new() -> Self {
        let root = SigningSecret::from_seed(&[100; 32]);
        let statement = RootStatement {
            name: "Uji".into(),
            area: area(JABAR),
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices: vec![keys(PROVINCE)],
        };
        let mut world = Self { statement: statement.sign(&[root]).unwrap(), entries: Vec::new() };
        let above = Rights::above_desa();
        for (by, whom, at, rights) in [
            (PROVINCE, REGENCY, CIREBON, above),
            (PROVINCE, OTHER_REGENCY, MAJALENGKA, above),
            (REGENCY, DISTRICT, SURANENGGALA, above),
            (REGENCY, OTHER_DISTRICT, GUNUNG_JATI, above),
            (DISTRICT, VILLAGE, SAMBENG, Rights::desa()),
        ] {
            world.says(by, at, Payload::Certificate(certificate(whom, at, rights)), vec![]);
        }
        world
    }

    /// A device writes an authority entry in an area.
    pub(crate) fn says(&mut self, by: Who, at: &str, payload: Payload, deps: Vec<EntryId>) {
        let name = feed(by, at, Space::Authority);
        self.writes(name, self.last(&name), payload, deps);
    }

    /// The same in the feed it opened when it was put back from a backup.
    pub(crate) fn says_restored(&mut self, by: Who, at: &str, payload: Payload) {
        let name = restored(by, at, Space::Authority);
        self.writes(name, self.last(&name), payload, vec![]);
    }

    /// A copy of a device, which did not see the newest entry of the feed, writes one in its place.
    pub(crate) fn copy_says(&mut self, of: Who, at: &str, payload: Payload) {
        let name = feed(of, at, Space::Authority);
        let newest = self.last(&name);
        let found = self.entries.iter().find(|entry| entry.point == newest);
        let before = found.map(|it| ChainPoint { seq: it.point.seq - 1, id: it.prev });
        self.writes(name, before.unwrap_or(ChainPoint::START), payload, vec![]);
    }

    fn writes(&mut self, name: FeedName, prev: ChainPoint, payload: Payload, deps: Vec<EntryId>) {
        let seen: Vec<u8> = deps.iter().flat_map(|dep| dep.0).collect();
        let unique = [&name.id().0[..], &prev.id.0, &payload.to_bytes(), &seen].concat();
        let point =
            ChainPoint { seq: prev.seq + 1, id: EntryId(*blake3::hash(&unique).as_bytes()) };
        // Who says the same twice in one place said it once.
        if self.entries.iter().any(|entry| entry.point == point) {
            return;
        }
        self.entries.push(AuthorityEntry {
            feed: name,
            point,
            prev: prev.id,
            kind: payload.kind(),
            deps,
            payload: Some(payload),
        });
    }

    /// The newest entry of a feed: of a forked one, on the branch that goes on.
    pub(crate) fn last(&self, name: &FeedName) -> ChainPoint {
        self.heads(name).pop().unwrap_or(ChainPoint::START)
    }

    /// The newest entry of each branch of a feed, the lowest first.
    fn heads(&self, name: &FeedName) -> Vec<ChainPoint> {
        let same: Vec<_> = self.entries.iter().filter(|entry| entry.feed == *name).collect();
        let is_last = |id: EntryId| same.iter().all(|entry| entry.prev != id);
        let points = same.iter().map(|entry| entry.point);
        let mut heads: Vec<ChainPoint> = points.filter(|point| is_last(point.id)).collect();
        heads.sort_unstable();
        heads
    }

    /// Every authority feed of a device as it ends now, and its records in the village up to 3.
    pub(crate) fn ends_now(&self, who: Who) -> Vec<FeedEnd> {
        self.ends(who, |heads| heads.last().copied())
    }

    /// The same, of a forked feed the other branch.
    pub(crate) fn ends_beside(&self, who: Who) -> Vec<FeedEnd> {
        self.ends(who, |heads| heads.first().copied())
    }

    /// The same, of every authority feed an entry that nobody holds.
    pub(crate) fn ends_nowhere(&self, who: Who) -> Vec<FeedEnd> {
        let nowhere = ChainPoint { seq: 9, id: EntryId([0xdd; 32]) };
        self.ends(who, |heads| heads.last().map(|_| nowhere))
    }

    /// The same, of every authority feed its newest entry at a place where that never stood: one down where
    /// there is one, else one up.
    pub(crate) fn ends_misplaced(&self, who: Who) -> Vec<FeedEnd> {
        let misplaced = |last: &ChainPoint| {
            let seq = if last.seq > 1 { last.seq - 1 } else { last.seq + 1 };
            ChainPoint { seq, ..*last }
        };
        self.ends(who, |heads| heads.last().map(misplaced))
    }

    fn ends(&self, who: Who, of: impl Fn(&[ChainPoint]) -> Option<ChainPoint>) -> Vec<FeedEnd> {
        let records =
            FeedEnd { feed: feed(who, SAMBENG, Space::Records).id(), last: record_point(3) };
        let again = [restored(who, SAMBENG, Space::Authority)];
        let feeds = AREAS.map(|at| feed(who, at, Space::Authority)).into_iter().chain(again);
        let ends = feeds
            .filter_map(|name| Some(FeedEnd { feed: name.id(), last: of(&self.heads(&name))? }));
        ends.chain([records]).collect()
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::compute(self.statement.clone(), &self.entries)
    }
}

/// Every feed whose standing is asked.
pub(crate) static FEEDS: LazyLock<Vec<FeedName>> = LazyLock::new(|| {
    let of = |who: Who| {
        let at = AREAS.into_iter().flat_map(move |at| {
            [Space::Authority, Space::Records].map(|space| feed(who, at, space))
        });
        at.collect::<Vec<_>>()
    };
    let in_village =
        |who: Who| [Space::Authority, Space::Records].map(|space| feed(who, SAMBENG, space));
    let again = [DISTRICT, VILLAGE, GUEST].into_iter().flat_map(|who| {
        [Space::Authority, Space::Records].map(|space| restored(who, SAMBENG, space))
    });
    let strangers = STRANGERS.into_iter().flat_map(in_village);
    ALL.into_iter().flat_map(of).chain(strangers).chain(again).collect()
});
