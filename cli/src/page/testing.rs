//! Answers of a village's node, for tests of sentences: nothing here was ever stored.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use crdt_schema::id::{DeviceId, EntryId, FeedId, NetworkId, StoreInstance};
use crdt_schema::time::Timestamp;
use node::answer::{
    AreaEntry, AreaName, Arrived, Clock, ForkPlace, ForkSeen, MemberState, PeerSeen, Status,
    StoreStatus, Takes, When,
};

use super::frame::Ground;

/// 2026-11-24 14:05:30 WIB.
pub(super) const NOW: i64 = 1_795_503_930_000;

pub(super) fn hours_ago(hours: i64) -> When {
    When(Timestamp(NOW - hours * 3_600_000))
}

pub(super) fn area(code: &str, name: &str) -> AreaEntry {
    let code: crdt_schema::area::AreaCode = code.parse().unwrap();
    let level = code.level().name().to_owned();
    AreaEntry {
        area: AreaName::new(code, code.first_id()),
        name: name.to_owned(),
        level,
        shared_code: false,
    }
}

/// A desa of which nothing is known above.
pub(super) fn desa() -> Ground {
    let home = area("32.09.21.2001", "Sambeng");
    Ground {
        status: Status {
            network: NetworkId([3; 32]),
            name: "Uji Coba Jawa Barat".to_owned(),
            trial: true,
            device: DeviceId([1; 32]),
            area: home.area,
            rights: Vec::new(),
            state: MemberState::Active,
            open_only: false,
            version: "0.1.0".to_owned(),
            running: true,
            records: 700,
            entries: 1_300,
            feeds: 12,
            waiting_deps: 0,
            set_aside: 0,
            waiting_confirmation: 0,
            quarantined: 0,
            uncounted: 0,
            awaiting_adoption: 0,
            conflicts: 0,
            store: StoreStatus {
                instance: StoreInstance([4; 16]),
                format: 1,
                bytes: 1,
                free: None,
                takes: Takes::Everything,
            },
            clock: Clock { plausible: true },
            forks: Vec::new(),
            shared_invitations: Vec::new(),
            shared_codes: Vec::new(),
            contested_areas: Vec::new(),
            peers: Vec::new(),
            sessions: Vec::new(),
            refused: Vec::new(),
            arrived: Vec::new(),
        },
        home,
        above: vec![
            area("32.09.21", "Gunung Jati"),
            area("32.09", "Kabupaten Cirebon"),
            area("32", "Jawa Barat"),
        ],
        now: When(Timestamp(NOW)),
    }
}

/// What a hub's receipts say, complete as of now.
pub(super) fn arrived(at: &str, mine: u64, held: u64, oldest_missing: Option<When>) -> Arrived {
    Arrived {
        at: at.to_owned(),
        device: DeviceId([9; 32]),
        mine,
        held,
        missing: mine - held,
        oldest_missing,
        complete_as_of: Some(When(Timestamp(NOW))),
    }
}

/// A peer that was only met in files.
pub(super) fn by_bundle(number: u8) -> PeerSeen {
    PeerSeen {
        device: DeviceId([number; 32]),
        area: area("32.09.21", "Gunung Jati").area,
        address: None,
        connected: false,
        last_contact: Some(hours_ago(2)),
        equal: None,
    }
}

/// A peer on the line.
pub(super) fn connected(number: u8, equal: Option<bool>) -> PeerSeen {
    PeerSeen {
        address: Some("/ip4/192.0.2.7/udp/4001/quic-v1".to_owned()),
        connected: true,
        equal,
        ..by_bundle(number)
    }
}

/// A feed of a device with two entries at one place.
pub(super) fn fork(device: DeviceId) -> ForkSeen {
    let place = |via: &str, name: &str| ForkPlace {
        via: via.to_owned(),
        name: name.to_owned(),
        seen_at: Some(hours_ago(26)),
    };
    ForkSeen {
        feed: FeedId([5; 32]),
        seq: 813,
        ids: vec![EntryId([6; 32]), EntryId([7; 32])],
        device,
        places: vec![place("here", "sini"), place("bundle", "stik-lama.wksbm")],
    }
}
