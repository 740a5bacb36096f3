//! Who takes part: real areas of West Java, a hub for each kecamatan, kabupaten and the province, a
//! device for each village, and the authority that certifies them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crdt_schema::area::{AreaCode, AreaId, Level, base_areas};
use crdt_schema::authority::{
    Certificate, DeviceKeys, Limits, Payload, Rights, RootStatement, SignedStatement,
};
use crdt_schema::entry::{Draft, SigningSecret};
use crdt_schema::id::{DeviceId, FeedName, Space};
use node::store::keystore::Keystore;

use super::ground::hash;
use crate::world::{Feed, declaring, signed};

/// Kecamatan whose villages come first: a real move goes from one to the other.
const FIRST: [&str; 2] = ["32.09.39", "32.09.21"];
/// Nodes up to which a kecamatan has two villages, and up to which it has four.
const SMALL: [(usize, usize); 2] = [(16, 2), (60, 4)];

/// One who takes part.
#[derive(Debug, Clone)]
pub(super) struct Role {
    /// Where it belongs.
    pub(super) area: AreaId,
    /// The number of who certifies it and what it dials; the province has none.
    pub(super) above: Option<usize>,
    /// Seeds of its keys.
    pub(super) seeds: [u8; 96],
    /// Its public keys.
    pub(super) keys: DeviceKeys,
    /// Its id: a hash of those, asked for often.
    id: DeviceId,
    /// Whether it is certified from the first day.
    pub(super) certified: bool,
}

impl Role {
    /// The device with these seeds.
    pub(super) fn new(seed: u64, number: u64, area: AreaId, above: Option<usize>) -> Self {
        let mut seeds = [0; 96];
        for (place, part) in (0u8..).zip(seeds.chunks_exact_mut(32)) {
            let of = [&seed.to_be_bytes()[..], &number.to_be_bytes(), &[place]].concat();
            part.copy_from_slice(&hash(&[b"role", &of]));
        }
        let keys = Keystore::lent(&seeds).keys();
        Self { area, above, seeds, keys, id: keys.device(), certified: true }
    }

    /// The same, which says that this key of somebody else proves its connections.
    pub(super) fn behind(mut self, transport: [u8; 32]) -> Self {
        self.keys.transport = transport;
        Self { id: self.keys.device(), ..self }
    }

    /// The same, who comes with an invitation.
    pub(super) fn uncertified(self) -> Self {
        Self { certified: false, ..self }
    }

    /// Its id.
    pub(super) const fn device(&self) -> DeviceId {
        self.id
    }

    /// What it signs with.
    pub(super) fn secret(&self) -> SigningSecret {
        let seed: &[u8; 32] = self.seeds[32..64].first_chunk().unwrap();
        SigningSecret::from_seed(seed)
    }

    /// Its level.
    pub(super) fn level(&self) -> Level {
        self.area.level()
    }
}

/// Everybody, and what founds the network.
#[derive(Debug)]
pub(super) struct Cast {
    /// The province first; who certifies somebody stands before it.
    pub(super) roles: Vec<Role>,
    /// The root statement.
    pub(super) statement: SignedStatement,
    /// The certificates, by the area they lie in.
    pub(super) authority: BTreeMap<AreaId, Vec<Arc<Feed>>>,
}

impl Cast {
    /// The first `nodes` of West Java.
    pub(super) fn new(seed: u64, nodes: usize) -> Self {
        let mut roles = vec![Role::new(seed, 0, AreaCode::WEST_JAVA.first_id(), None)];
        let mut hubs: BTreeMap<AreaId, usize> = BTreeMap::new();
        let villages = SMALL.iter().find(|(most, _)| nodes <= *most).map(|(_, each)| *each);
        for (kecamatan, desa) in tree(villages) {
            let kabupaten = kecamatan.parent().unwrap();
            let mut add = |area: AreaCode, above: usize| {
                roles.push(Role::new(seed, roles.len() as u64, area.first_id(), Some(above)));
                roles.len() - 1
            };
            let above = *hubs.entry(kabupaten.first_id()).or_insert_with(|| add(kabupaten, 0));
            let above = add(kecamatan, above);
            for code in desa {
                add(code, above);
            }
            if roles.len() >= nodes {
                break;
            }
        }
        roles.truncate(nodes);
        let root = SigningSecret::from_seed(&hash(&[b"root", &seed.to_be_bytes()]));
        let statement = RootStatement {
            name: "Uji".to_owned(),
            area: roles[0].area,
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices: vec![roles[0].keys],
        };
        let statement = statement.sign(&[root]).unwrap();
        Self { roles, statement, authority: BTreeMap::new() }
    }

    /// Signs the certificates of everybody who has one from the first day.
    pub(super) fn certify(&mut self) {
        let mut drafts: BTreeMap<(usize, AreaId), Vec<Draft>> = BTreeMap::new();
        for role in self.roles.iter().filter(|role| role.certified) {
            let Some(above) = role.above else { continue };
            let said = declaring(&Payload::Certificate(certificate(role)));
            drafts.entry((above, role.area)).or_default().push(said);
        }
        for ((above, area), drafts) in drafts {
            let issuer = &self.roles[above];
            let device = issuer.device();
            let name = FeedName { device, area, space: Space::Authority, incarnation: 1 };
            let feed = signed(name, &issuer.secret(), drafts);
            self.authority.entry(area).or_default().push(Arc::new(feed));
        }
    }

    /// Villages of the cast.
    pub(super) fn villages(&self) -> Vec<AreaId> {
        let mut areas: Vec<AreaId> = self
            .roles
            .iter()
            .filter(|role| role.level() == Level::Desa)
            .map(|role| role.area)
            .collect();
        areas.sort_unstable();
        areas.dedup();
        areas
    }
}

/// What certifies somebody.
pub(super) fn certificate(role: &Role) -> Certificate {
    let rights = if role.level() == Level::Desa { Rights::desa() } else { Rights::above_desa() };
    Certificate {
        keys: role.keys,
        area: role.area,
        rights,
        limits: Limits::default(),
        invited: None,
    }
}

/// Every kecamatan with its villages, at most so many each.
fn tree(villages: Option<usize>) -> Vec<(AreaCode, Vec<AreaCode>)> {
    let mut below: BTreeMap<AreaCode, Vec<AreaCode>> = BTreeMap::new();
    for area in base_areas().filter(|area| area.code.level() == Level::Desa) {
        let of_kecamatan = below.entry(area.code.parent().unwrap()).or_default();
        if of_kecamatan.len() < villages.unwrap_or(usize::MAX) {
            of_kecamatan.push(area.code);
        }
    }
    let first = FIRST.map(|code| code.parse::<AreaCode>().unwrap());
    let mut ordered: Vec<(AreaCode, Vec<AreaCode>)> = Vec::new();
    let kabupaten = first[0].parent();
    let rank = |code: &AreaCode| {
        let place = first.iter().position(|first| first == code).unwrap_or(first.len());
        (place, code.parent() != kabupaten, *code)
    };
    ordered.extend(below);
    ordered.sort_by_key(|(code, _)| rank(code));
    ordered
}
