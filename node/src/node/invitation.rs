//! The bytes of an invitation: everything a device needs to join with no connection.
//!
//! | bytes | field      | form                                                          |
//! |-------|------------|---------------------------------------------------------------|
//! | 0..8  | magic      | `WKSBMinv`                                                    |
//! | 8     | version    | 1                                                             |
//! | ..    | statement  | length, bytes: the network's root statement                   |
//! | ..    | entry      | id of the invitation entry, 32                                |
//! | ..    | secret     | seed of the throw-away key, 32                                |
//! | ..    | invitation | length, the payload as signed                                 |
//! | ..    | addresses  | count, each a text: where somebody of the network may be found   |
//! | ..    | authority  | count of feeds; each its name, count of runs, the runs        |
//! | last  | hash       | first 16 bytes of BLAKE3 over all before                      |
//!
//! As text it is the same bytes in base32 behind a word that says what it is. Whoever holds it
//! may join: neither form is ever logged.

use crdt_schema::authority::{Invitation, Payload, SignedStatement};
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::{EntryKind, PackedRun};
use crdt_schema::id::{EntryId, FeedName};
use data_encoding::BASE32_NOPAD;

use crate::sync::receipt::ADDRESS_BYTES_MAX;

const MAGIC: &[u8; 8] = b"WKSBMinv";
const VERSION: u8 = 1;
const HASH_BYTES: usize = 16;
const TEXT_PREFIX: &str = "wksbm-undangan:";
/// Bytes of an invitation: the authority of a whole province with every device certified is about two
/// thirds of it.
const BYTES_MAX: usize = 16 << 20;
/// Bytes of a file that holds one as text: a letter has 5 bits, and lines have ends.
pub(super) const TEXT_BYTES_MAX: u64 = 2 * BYTES_MAX as u64;
const STATEMENT_BYTES_MAX: usize = 16 << 10;
const PAYLOAD_BYTES_MAX: usize = 4 << 10;
/// Addresses it carries: two transports here, and a hub.
pub(super) const ADDRESSES_MAX: usize = 4;
const FEEDS_MAX: usize = 50_000;
const RUNS_MAX: usize = 10_000;

/// Whether a file that begins so is an invitation, as bytes or as text.
pub(super) fn is_like(begins: &[u8]) -> bool {
    begins.starts_with(MAGIC) || begins.trim_ascii_start().starts_with(TEXT_PREFIX.as_bytes())
}

/// Why bytes are no invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoInvitation {
    /// They do not begin like one.
    Foreign,
    /// They end too early.
    Truncated,
    /// They are not what was written.
    Altered,
    /// A newer layout.
    Newer(u8),
}

/// An invitation as a device holds it. `Debug` shows nothing: it holds a private key.
pub(super) struct InvitationFile {
    pub(super) statement: SignedStatement,
    pub(super) entry: EntryId,
    pub(super) secret: [u8; 32],
    pub(super) invitation: Invitation,
    /// Not signed: advice where to dial, which a reader may not understand.
    pub(super) addresses: Vec<String>,
    pub(super) authority: Vec<(FeedName, Vec<PackedRun>)>,
}

impl InvitationFile {
    /// Whether a reader takes an invitation of so many bytes with such runs of each feed.
    pub(super) fn may_be_read(bytes: usize, authority: &[(FeedName, Vec<PackedRun>)]) -> bool {
        bytes <= BYTES_MAX
            && authority.len() <= FEEDS_MAX
            && authority.iter().all(|(_, runs)| runs.len() <= RUNS_MAX)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.raw(MAGIC).u8(VERSION).bytes(self.statement.as_bytes());
        writer.raw(&self.entry.0).raw(&self.secret);
        writer.bytes(&Payload::Invitation(self.invitation.clone()).to_bytes());
        writer.varint(self.addresses.len() as u64);
        for address in &self.addresses {
            writer.bytes(address.as_bytes());
        }
        writer.varint(self.authority.len() as u64);
        for (name, runs) in &self.authority {
            name.write(&mut writer);
            writer.varint(runs.len() as u64);
            for run in runs {
                run.write(&mut writer);
            }
        }
        let mut bytes = writer.finish();
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes().iter().take(HASH_BYTES));
        bytes
    }

    pub(super) fn to_text(&self) -> String {
        format!("{TEXT_PREFIX}{}", BASE32_NOPAD.encode(&self.to_bytes()))
    }

    /// Reads a file, which may hold the bytes or the text.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, NoInvitation> {
        let text = std::str::from_utf8(bytes).ok().map(str::trim);
        if let Some(code) = text.and_then(|text| text.strip_prefix(TEXT_PREFIX)) {
            let code: String = code.split_whitespace().collect::<String>().to_ascii_uppercase();
            let decoded = BASE32_NOPAD.decode(code.as_bytes());
            return Self::from_bytes(&decoded.map_err(|_| NoInvitation::Altered)?);
        }
        Self::from_bytes(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, NoInvitation> {
        if bytes.len() > BYTES_MAX {
            return Err(NoInvitation::Altered);
        }
        let shared = bytes.iter().zip(MAGIC).take_while(|(a, b)| a == b).count();
        if shared < MAGIC.len() {
            let begun = shared > 0 && shared == bytes.len();
            return Err(if begun { NoInvitation::Truncated } else { NoInvitation::Foreign });
        }
        match bytes.get(MAGIC.len()) {
            None => return Err(NoInvitation::Truncated),
            Some(&VERSION) => {}
            Some(newer) => return Err(NoInvitation::Newer(*newer)),
        }
        let split = bytes.len().checked_sub(HASH_BYTES).ok_or(NoInvitation::Truncated)?;
        let (body, hash) = bytes.split_at_checked(split).ok_or(NoInvitation::Truncated)?;
        let is_whole = blake3::hash(body).as_bytes().starts_with(hash);
        match Self::read_body(body.get(MAGIC.len() + 1..).unwrap_or_default()) {
            Ok(file) if is_whole => Ok(file),
            Err(DecodeError::Truncated) => Err(NoInvitation::Truncated),
            Ok(_) | Err(_) => Err(NoInvitation::Altered),
        }
    }

    fn read_body(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let statement = reader.bytes(STATEMENT_BYTES_MAX, "root statement")?;
        let statement = SignedStatement::verify(statement)
            .map_err(|_| DecodeError::Malformed("root statement"))?;
        let entry = EntryId::read(&mut reader)?;
        let secret = reader.array()?;
        let payload = reader.bytes(PAYLOAD_BYTES_MAX, "invitation")?;
        let Some(Payload::Invitation(invitation)) =
            Payload::from_bytes(EntryKind::INVITATION, payload)?
        else {
            return Err(DecodeError::Malformed("invitation"));
        };
        let count = reader.count(ADDRESSES_MAX, "addresses")?;
        let text = |_| reader.text(ADDRESS_BYTES_MAX, "address").map(str::to_owned);
        let addresses = (0..count).map(text).collect::<Result<_, _>>()?;
        let mut authority = Vec::new();
        for _ in 0..reader.count(FEEDS_MAX, "feeds")? {
            let name = FeedName::read(&mut reader)?;
            let count = reader.count(RUNS_MAX, "runs")?;
            let runs = (0..count).map(|_| PackedRun::read(&mut reader));
            authority.push((name, runs.collect::<Result<_, _>>()?));
        }
        reader.end()?;
        Ok(Self { statement, entry, secret, invitation, addresses, authority })
    }
}

/// For tests with foreign bytes: what an invitation that these are is written as again, the file
/// and the text.
#[doc(hidden)]
pub fn invitation_again(bytes: &[u8]) -> Option<(Vec<u8>, String)> {
    let read = InvitationFile::read(bytes).ok()?;
    Some((read.to_bytes(), read.to_text()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::area::AreaId;
    use crdt_schema::authority::{DeviceKeys, Rights, RootStatement};
    use crdt_schema::entry::SigningSecret;
    use crdt_schema::id::{DeviceId, Space};
    use crdt_schema::time::Timestamp;

    use super::super::join::read_invitation;
    use super::*;

    /// One of each part, the keys from fixed seeds.
    fn invitation() -> InvitationFile {
        let secret = |seed: u8| SigningSecret::from_seed(&[seed; 32]);
        let device = DeviceKeys {
            transport: secret(1).public().0,
            signing: secret(2).public(),
            sealing: [3; 32],
        };
        let statement = RootStatement {
            name: "Uji".to_owned(),
            area: AreaId::WEST_JAVA,
            trial: true,
            threshold: 1,
            keys: vec![secret(4).public()],
            devices: vec![device],
        };
        let name = FeedName {
            device: DeviceId([5; 32]),
            area: AreaId::WEST_JAVA,
            space: Space::Authority,
            incarnation: 6,
        };
        InvitationFile {
            statement: statement.sign(&[secret(4)]).unwrap(),
            entry: EntryId([7; 32]),
            secret: [8; 32],
            invitation: Invitation {
                key: secret(8).public(),
                area: AreaId::WEST_JAVA,
                rights: Rights::desa(),
                expires_at: Timestamp(1_700_000_000_000),
                counts_at_once: true,
            },
            addresses: vec!["/dns4/hub.invalid/udp/4001/quic-v1".to_owned()],
            authority: vec![(
                name,
                vec![PackedRun { first: 1, bytes: vec![9, 10], signature: [11; 64] }],
            )],
        }
    }

    fn told(bytes: &[u8]) -> NoInvitation {
        InvitationFile::read(bytes).map(|_| ()).unwrap_err()
    }

    #[test]
    fn invitations_have_these_bytes_and_this_text_for_ever() {
        let golden = include_str!("../../golden/invitation-v1.txt");
        let said = [hex::encode(invitation().to_bytes()), invitation().to_text()];
        assert!(said.iter().eq(golden.lines()), "{}", said.join("\n"));
        for line in golden.lines() {
            let bytes = hex::decode(line).unwrap_or_else(|_| line.as_bytes().to_vec());
            let read = InvitationFile::read(&bytes).unwrap_or_else(|no| panic!("{no:?}"));
            assert_eq!(read.to_bytes(), invitation().to_bytes());
        }
    }

    #[test]
    fn addresses_beyond_the_limits_are_refused_by_a_reader() {
        let address = "/ip4/192.0.2.7/tcp/1".to_owned();
        let with = |addresses| InvitationFile { addresses, ..invitation() }.to_bytes();
        let most = with(vec![address.clone(); ADDRESSES_MAX]);
        assert!(InvitationFile::read(&most).is_ok_and(|it| it.addresses.len() == ADDRESSES_MAX));
        assert_eq!(told(&with(vec![address; ADDRESSES_MAX + 1])), NoInvitation::Altered);
        let longest = "a".repeat(ADDRESS_BYTES_MAX);
        assert!(InvitationFile::read(&with(vec![longest.clone()])).is_ok());
        assert_eq!(told(&with(vec![longest + "a"])), NoInvitation::Altered);
    }

    #[test]
    fn the_text_is_read_in_lines_and_in_small_letters_too() {
        let text = invitation().to_text();
        let (head, code) = text.split_at(TEXT_PREFIX.len());
        let lines: Vec<String> = code
            .to_lowercase()
            .as_bytes()
            .chunks(60)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let typed = format!("\n{head}\n{}\n", lines.join("\r\n"));
        let read = InvitationFile::read(typed.as_bytes()).unwrap_or_else(|no| panic!("{no:?}"));
        assert_eq!(read.to_bytes(), invitation().to_bytes());
    }

    #[test]
    fn a_cut_changed_foreign_or_newer_invitation_is_told_apart() {
        let whole = invitation().to_bytes();
        for length in 1..whole.len() {
            let cut = told(whole.get(..length).unwrap());
            assert!(matches!(cut, NoInvitation::Truncated | NoInvitation::Altered), "{length}");
        }
        for place in MAGIC.len() + 1..whole.len() {
            let mut bytes = whole.clone();
            *bytes.get_mut(place).unwrap() ^= 1;
            let no = told(&bytes);
            assert!(matches!(no, NoInvitation::Altered | NoInvitation::Truncated), "{place}");
        }
        let mut newer = whole;
        *newer.get_mut(MAGIC.len()).unwrap() = 2;
        assert_eq!(told(&newer), NoInvitation::Newer(2));
        assert_eq!(told(b"PK"), NoInvitation::Foreign);
    }

    /// With runs of noise, which take as much room in a file as they weigh.
    fn large(runs: usize) -> InvitationFile {
        let plain = invitation();
        let (name, _) = *plain.authority.first().unwrap();
        let run = |first: u64| {
            let mut bytes = vec![0; 1 << 19];
            blake3::Hasher::new().update(&first.to_le_bytes()).finalize_xof().fill(&mut bytes);
            PackedRun { first, bytes, signature: [11; 64] }
        };
        InvitationFile { authority: vec![(name, (1..=runs as u64).map(run).collect())], ..plain }
    }

    #[test]
    fn a_text_holds_as_much_as_the_bytes_and_neither_more_than_a_reader_takes() {
        let room = tempfile::tempdir().unwrap();
        let file = room.path().join("undangan");
        for (runs, may) in [(31, true), (32, false)] {
            let large = large(runs);
            let bytes = large.to_bytes();
            assert_eq!(InvitationFile::may_be_read(bytes.len(), &large.authority), may);
            let letters = large.to_text();
            let lines: Vec<_> = letters.as_bytes().chunks(76).collect();
            for form in [bytes, lines.join(&b"\r\n"[..]), letters.into_bytes()] {
                std::fs::write(&file, &form).unwrap();
                assert_eq!(read_invitation(&file).is_ok(), may, "{} bytes", form.len());
            }
        }
    }
}
