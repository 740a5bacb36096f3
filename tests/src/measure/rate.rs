//! What this machine does by itself, to read all other figures beside.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use crdt_schema::entry::SigningSecret;
use redb::{Database, Durability, TableDefinition};
use tempfile::TempDir;

use super::Report;
use super::scale::Scale;
use super::watch::Watch;

const HASHED_BYTES: usize = 64 << 20;
const VERIFIED: u32 = 4_000;
const SYNCS: u32 = 200;
const PUTS: u64 = 200_000;
/// Of a durable commit, and of a feed; two feeds of a village take turns, as its devices write.
const PUTS_A_COMMIT: u64 = 10_000;
const PUTS_A_FEED: u64 = 1_500;
const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("ukur");
const BY_DESA: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("ukur");

pub(super) fn measure(report: &mut Report, scale: Scale) {
    let mut add = |what: &str, rate: fn() -> f64, unit: &'static str| {
        let rates: Vec<f64> = (0..scale.repeats()).map(|_| rate()).collect();
        report.middle(format!("this machine, {what}"), &rates, unit);
    };
    add("BLAKE3", hashing, "MB/s");
    add("Ed25519 strict", verifying, "checks/s");
    add("sync of 4 KiB", syncing, "a second");
    add("redb puts of 100 bytes", putting, "a second");
    add("redb puts by desa, 10,000 a durable commit, by the clock", putting_by_desa, "a second");
}

/// Two of these beside another part: which machine it was measured on.
pub(super) fn beside(report: &mut Report) {
    report.add("this machine meanwhile, Ed25519 strict", verifying(), "checks/s");
    report.add("this machine meanwhile, redb puts of 100 bytes", putting(), "a second");
}

fn hashing() -> f64 {
    let bytes = vec![7; HASHED_BYTES];
    let watch = Watch::start();
    assert_ne!(blake3::hash(&bytes).as_bytes(), &[0; 32]);
    bytes.len() as f64 / 1e6 / watch.worked_seconds()
}

fn verifying() -> f64 {
    let secret = SigningSecret::from_seed(&[7; 32]);
    let public = secret.public();
    // Each of another message: one that held lately is not checked again.
    let signed =
        (0..VERIFIED).map(|number| (number.to_be_bytes(), secret.sign(&number.to_be_bytes())));
    let signed: Vec<_> = signed.collect();
    let watch = Watch::start();
    for (message, signature) in &signed {
        public.verify(message, signature).unwrap();
    }
    f64::from(VERIFIED) / watch.worked_seconds()
}

fn syncing() -> f64 {
    let folder = TempDir::new().unwrap();
    let mut file = File::create(folder.path().join("ukur")).unwrap();
    file.write_all(&[0; 4096]).unwrap();
    let watch = Watch::start();
    for number in 0..SYNCS {
        file.write_all_at(&number.to_be_bytes(), 0).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(SYNCS) / watch.seconds()
}

fn putting() -> f64 {
    let folder = TempDir::new().unwrap();
    let database = Database::create(folder.path().join("ukur.redb")).unwrap();
    let watch = Watch::start();
    let mut transaction = database.begin_write().unwrap();
    transaction.set_durability(Durability::None).unwrap();
    let mut table = transaction.open_table(TABLE).unwrap();
    for key in 0..PUTS {
        table.insert(key, &[7; 100][..]).unwrap();
    }
    drop(table);
    transaction.commit().unwrap();
    PUTS as f64 / watch.worked_seconds()
}

/// One table, as feeds lie in it: by the feed's id, which is a hash, and the number of the entry.
fn putting_by_desa() -> f64 {
    let folder = TempDir::new().unwrap();
    let database = Database::create(folder.path().join("ukur.redb")).unwrap();
    let feeds: Vec<[u8; 8]> = (0..PUTS / PUTS_A_FEED)
        .map(|feed| *blake3::hash(&feed.to_be_bytes()).as_bytes().first_chunk().unwrap())
        .collect();
    let of_village = feeds.chunks_exact(2);
    let keys: Vec<[u8; 16]> = of_village
        .flat_map(|pair| {
            let both = |seq: u64| pair.iter().map(move |feed| (feed, seq.to_be_bytes()));
            (0..PUTS_A_FEED).flat_map(both)
        })
        .map(|(feed, seq)| [*feed, seq].concat().try_into().unwrap())
        .collect();
    let watch = Watch::start();
    for some in keys.chunks(usize::try_from(PUTS_A_COMMIT).unwrap()) {
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(BY_DESA).unwrap();
        for key in some {
            table.insert(key, &[7; 100][..]).unwrap();
        }
        drop(table);
        transaction.commit().unwrap();
    }
    keys.len() as f64 / watch.seconds()
}
