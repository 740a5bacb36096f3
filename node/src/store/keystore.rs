//! The device's secret keys, in small files of their own: redb never wipes a page it frees, and a
//! copy of the stores must not be a copy of the device.
//!
//! `device.key` holds the seeds of the transport, signing and sealing keys; `root-NN.key` one of the
//! province's root keys each, on the devices that hold one. A file is written beside its name, made
//! durable, and only then named; on Unix only its owner may read it. It is not encrypted: who reads
//! the disk as its owner reads the keys.
//!
//! | bytes   | field    | form                                              |
//! |---------|----------|---------------------------------------------------|
//! | 0..8    | magic    | `wksbmkey`                                        |
//! | 8       | version  | 1                                                 |
//! | 9       | kind     | 1 device, 2 root                                  |
//! | 10..    | seeds    | device: transport, signing, sealing; root: one    |
//! | last 32 | checksum | BLAKE3 over all before, under a name of its own |

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crdt_schema::authority::DeviceKeys;
use crdt_schema::entry::SigningSecret;
use crdt_schema::id::DeviceId;
use curve25519_dalek::MontgomeryPoint;
use thiserror::Error;
use zeroize::Zeroizing;

use super::open::sync_folder;
use crate::ports::{Entropy, EntropyError, StoreError};

/// The version of the files this build writes.
pub const KEY_FILE_VERSION: u8 = 1;

const MAGIC: &[u8; 8] = b"wksbmkey";
const DEVICE: u8 = 1;
const ROOT: u8 = 2;
const START_BYTES: usize = 10;
const SEED_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 32;
const DEVICE_FILE: &str = "device.key";
/// Root keys one device may hold: k of n is about people, and nobody is a hundred people.
const ROOTS_MAX: u32 = 99;
/// No key file is longer.
const FILE_BYTES_MAX: usize = START_BYTES + 3 * SEED_BYTES + CHECKSUM_BYTES;

type Seed = Zeroizing<[u8; SEED_BYTES]>;

/// Why there are no keys. Nothing of a key is ever in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// There are no keys where some were expected.
    #[error("there are no keys here")]
    Missing,
    /// There are keys where new ones were to be made.
    #[error("there are keys here already")]
    Exists,
    /// A file is cut, altered, or not one of ours.
    #[error("the key file {file} is damaged")]
    Damaged {
        /// Its name.
        file: String,
    },
    /// Written by a newer build.
    #[error("the key file has version {found}, this build knows up to {KEY_FILE_VERSION}")]
    Newer {
        /// Version in the file.
        found: u8,
    },
    /// The keys belong to another account of this machine.
    #[error("the keys may not be read by this account")]
    Locked,
    /// More root keys than one device may hold.
    #[error("this device holds too many root keys")]
    TooManyRoots,
    /// No randomness to make a key from.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The disk.
    #[error("failed to write the keys: {0}")]
    Store(#[from] StoreError),
}

/// A device's secrets, read. `Debug` shows nothing; everything is wiped when it is dropped.
pub struct Keystore {
    folder: PathBuf,
    transport: Seed,
    signing: SigningSecret,
    sealing: Seed,
    keys: DeviceKeys,
    roots: Vec<SigningSecret>,
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keystore(..)")
    }
}

impl Keystore {
    /// Makes the three keys of a new device in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`] when a device's keys are there, [`KeystoreError::Entropy`]; else of
    /// the disk.
    pub fn create(folder: &Path, entropy: &dyn Entropy) -> Result<Self, KeystoreError> {
        let path = folder.join(DEVICE_FILE);
        if path.try_exists().map_err(reading)? {
            return Err(KeystoreError::Exists);
        }
        let mut seeds = Zeroizing::new([0; 3 * SEED_BYTES]);
        entropy.fill(&mut *seeds)?;
        make_folder(folder)?;
        write_file(&path, DEVICE, &*seeds)?;
        Self::open(folder)
    }

    /// Reads the keys in `folder`.
    ///
    /// # Errors
    /// [`KeystoreError::Missing`], [`KeystoreError::Locked`], [`KeystoreError::Damaged`],
    /// [`KeystoreError::Newer`]; else of the disk.
    pub fn open(folder: &Path) -> Result<Self, KeystoreError> {
        let seeds = read_file(&folder.join(DEVICE_FILE), DEVICE)?;
        Ok(Self::of(folder, &seeds, read_roots(folder)?))
    }

    /// Keys of these seeds that lie in no file: of a node over lent stores. Root keys are not made.
    pub fn lent(seeds: &[u8; 3 * SEED_BYTES]) -> Self {
        Self::of(Path::new(""), seeds, Vec::new())
    }

    fn of(folder: &Path, seeds: &[u8], roots: Vec<SigningSecret>) -> Self {
        let (transport, signing, sealing) = (seed(seeds, 0), seed(seeds, 1), seed(seeds, 2));
        let signing = SigningSecret::from_seed(&signing);
        let keys = DeviceKeys {
            transport: SigningSecret::from_seed(&transport).public().0,
            signing: signing.public(),
            sealing: sealing_public(&sealing),
        };
        Self { folder: folder.to_path_buf(), transport, signing, sealing, keys, roots }
    }

    /// The public halves.
    pub const fn keys(&self) -> DeviceKeys {
        self.keys
    }

    /// The device these keys are.
    pub fn device(&self) -> DeviceId {
        self.keys.device()
    }

    /// What signs heads.
    pub const fn signing(&self) -> &SigningSecret {
        &self.signing
    }

    /// The seed of the Ed25519 key that proves connections.
    pub fn transport_seed(&self) -> &[u8; SEED_BYTES] {
        &self.transport
    }

    /// The X25519 secret that keys are wrapped to.
    pub fn sealing_secret(&self) -> &[u8; SEED_BYTES] {
        &self.sealing
    }

    /// Makes one root key more.
    ///
    /// # Errors
    /// [`KeystoreError::TooManyRoots`], [`KeystoreError::Entropy`]; else of the disk.
    pub fn create_root(&mut self, entropy: &dyn Entropy) -> Result<&SigningSecret, KeystoreError> {
        let mut fresh = Zeroizing::new([0; SEED_BYTES]);
        entropy.fill(&mut *fresh)?;
        let free = |path: &PathBuf| matches!(path.try_exists(), Ok(false));
        let path = (1..=ROOTS_MAX).map(|number| root_path(&self.folder, number)).find(free);
        write_file(&path.ok_or(KeystoreError::TooManyRoots)?, ROOT, &*fresh)?;
        self.roots.push(SigningSecret::from_seed(&fresh));
        self.roots.last().ok_or(KeystoreError::TooManyRoots)
    }

    /// The root keys this device holds, in the order they were made.
    pub fn root_secrets(&self) -> &[SigningSecret] {
        &self.roots
    }
}

/// X25519 of the secret and the base point.
fn sealing_public(secret: &[u8; SEED_BYTES]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
}

fn root_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("root-{number:02}.key"))
}

fn read_roots(folder: &Path) -> Result<Vec<SigningSecret>, KeystoreError> {
    let mut roots = Vec::new();
    for number in 1..=ROOTS_MAX {
        match read_file(&root_path(folder, number), ROOT) {
            Ok(bytes) => roots.push(SigningSecret::from_seed(&seed(&bytes, 0))),
            Err(KeystoreError::Missing) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(roots)
}

/// The seed at a position of a file's seeds, whose length was checked.
fn seed(seeds: &[u8], position: usize) -> Seed {
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    for (to, from) in seed.iter_mut().zip(seeds.iter().skip(position * SEED_BYTES)) {
        *to = *from;
    }
    seed
}

fn seeds_of(kind: u8) -> usize {
    if kind == DEVICE { 3 * SEED_BYTES } else { SEED_BYTES }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    blake3::derive_key("wksbm 2026 key file v1", bytes)
}

/// Writes a file that is there whole or not at all.
fn write_file(path: &Path, kind: u8, seeds: &[u8]) -> Result<(), KeystoreError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[KEY_FILE_VERSION, kind]);
    bytes.extend_from_slice(seeds);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    let unfinished = path.with_extension("key.new");
    let step = |step| move |error| KeystoreError::Store(super::error::failed_io(step)(error));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(step("remove an unfinished key file")(error));
        }
        _ => {}
    }
    let mut file = private_file(&unfinished).map_err(step("create a key file"))?;
    file.write_all(&bytes).map_err(step("write a key file"))?;
    file.sync_all().map_err(step("sync a key file"))?;
    drop(file);
    fs::rename(&unfinished, path).map_err(step("name a key file"))?;
    Ok(sync_folder(path)?)
}

/// The seeds in a file, checked.
fn read_file(path: &Path, kind: u8) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let damaged = || {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        KeystoreError::Damaged { file }
    };
    let bytes = read_bytes(path).map_err(reading)?;
    let version = *bytes.get(MAGIC.len()).ok_or_else(damaged)?;
    if !bytes.starts_with(MAGIC) {
        return Err(damaged());
    }
    if version > KEY_FILE_VERSION {
        return Err(KeystoreError::Newer { found: version });
    }
    let length = START_BYTES + seeds_of(kind);
    let (content, sum) = bytes.split_at_checked(length).ok_or_else(damaged)?;
    if sum != checksum(content) || content.get(MAGIC.len()..START_BYTES) != Some(&[1, kind]) {
        return Err(damaged());
    }
    Ok(Zeroizing::new(content.get(START_BYTES..).unwrap_or_default().to_vec()))
}

/// At most one byte more than a key file has; the buffer never moves, so nothing is left behind.
fn read_bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * FILE_BYTES_MAX));
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the system's many errors, two are for a person"
)]
fn reading(error: io::Error) -> KeystoreError {
    match error.kind() {
        io::ErrorKind::NotFound => KeystoreError::Missing,
        io::ErrorKind::PermissionDenied => KeystoreError::Locked,
        _ => KeystoreError::Store(StoreError::Io { step: "read the keys", source: error }),
    }
}

fn make_folder(folder: &Path) -> Result<(), KeystoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    private_folder(&mut builder);
    let made = builder.create(folder);
    made.map_err(|error| super::error::failed_io("create the folder of the keys")(error).into())
}

#[cfg(unix)]
fn private_folder(builder: &mut fs::DirBuilder) {
    use std::os::unix::fs::DirBuilderExt;
    builder.mode(0o700);
}

#[cfg(not(unix))]
fn private_folder(_builder: &mut fs::DirBuilder) {}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Counts: the first byte is 1, the second 2.
    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            for byte in bytes {
                *byte = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            }
            Ok(())
        }
    }

    #[derive(Debug)]
    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _bytes: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }

    fn keys() -> (tempfile::TempDir, PathBuf, Keystore) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("keys");
        let keystore = Keystore::create(&folder, &Counting::default()).unwrap();
        (place, folder, keystore)
    }

    #[test]
    fn keys_come_back_as_they_were_made() {
        let (_place, folder, made) = keys();
        let read = Keystore::open(&folder).unwrap();
        assert_eq!(read.keys(), made.keys());
        assert_eq!(read.transport_seed(), made.transport_seed());
        assert_eq!(read.transport_seed()[0], 1);
        assert_eq!(read.sealing_secret()[0], 65);
        let signature = read.signing().sign(b"word");
        read.keys().signing.verify(b"word", &signature).unwrap();
        assert!(matches!(
            Keystore::create(&folder, &Counting::default()),
            Err(KeystoreError::Exists)
        ));
    }

    /// The seeds count from 1; the checksum is over all before.
    #[test]
    fn key_files_have_these_bytes_for_ever() {
        let (_place, folder, mut keystore) = keys();
        keystore.create_root(&Counting::default()).unwrap();
        let golden = include_str!("../../golden/key-files-v1.hex");
        let files = [folder.join(DEVICE_FILE), root_path(&folder, 1)];
        let bytes = files.each_ref().map(|path| hex::encode(fs::read(path).unwrap()));
        assert!(bytes.iter().eq(golden.lines()), "{bytes:?}");
        for (path, line) in files.iter().zip(golden.lines()) {
            fs::write(path, hex::decode(line).unwrap()).unwrap();
        }
        let read = Keystore::open(&folder).unwrap();
        assert_eq!((read.keys(), read.root_secrets().len()), (keystore.keys(), 1));
    }

    #[test]
    fn root_keys_come_back_in_order() {
        let (_place, folder, mut keystore) = keys();
        assert!(keystore.root_secrets().is_empty());
        let entropy = Counting::default();
        let first = keystore.create_root(&entropy).unwrap().public();
        let second = keystore.create_root(&entropy).unwrap().public();
        assert_ne!(first, second);
        let read = Keystore::open(&folder).unwrap();
        let publics: Vec<_> = read.root_secrets().iter().map(SigningSecret::public).collect();
        assert_eq!(publics, [first, second]);
        assert_eq!(read.keys(), keystore.keys());
    }

    /// RFC 7748, section 5.2: the first iteration, whose point is the base point.
    #[test]
    fn the_sealing_key_is_an_x25519_key() {
        let mut secret = [0; 32];
        secret[0] = 9;
        let public = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
        assert_eq!(hex::encode(sealing_public(&secret)), public);
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let (_place, folder, keystore) = keys();
        drop(keystore);
        let path = folder.join(DEVICE_FILE);
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole.len(), FILE_BYTES_MAX);
        for position in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(Keystore::open(&folder).is_err(), "byte {position}");
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let cut = Keystore::open(&folder).unwrap_err();
            assert!(matches!(cut, KeystoreError::Damaged { .. }), "{length} bytes");
        }
        fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
        assert!(matches!(Keystore::open(&folder), Err(KeystoreError::Damaged { .. })));
        let newer = [&whole[..8], &[2], &whole[9..]].concat();
        fs::write(&path, newer).unwrap();
        assert!(matches!(Keystore::open(&folder), Err(KeystoreError::Newer { found: 2 })));
    }

    #[test]
    fn missing_keys_and_missing_randomness_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("keys");
        assert!(matches!(Keystore::open(&folder), Err(KeystoreError::Missing)));
        assert!(matches!(Keystore::create(&folder, &NoEntropy), Err(KeystoreError::Entropy(_))));
        assert!(!folder.exists());
    }

    #[test]
    fn an_unfinished_file_of_a_power_cut_is_no_key() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("keys");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("device.key.new"), b"wksbmkey").unwrap();
        assert!(matches!(Keystore::open(&folder), Err(KeystoreError::Missing)));
        Keystore::create(&folder, &Counting::default()).unwrap();
        assert!(!folder.join("device.key.new").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_keys() {
        use std::os::unix::fs::PermissionsExt;
        let (_place, folder, _) = keys();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(DEVICE_FILE)), 0o600);
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let (_place, _, keystore) = keys();
        assert_eq!(format!("{keystore:?}"), "Keystore(..)");
    }
}
