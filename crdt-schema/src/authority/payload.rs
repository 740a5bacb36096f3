//! The payloads of authority entries: what lies in their one open section.

use super::device::DeviceKeys;
use super::rights::Rights;
use crate::area::{AreaCode, AreaId, Level};
use crate::codec::{DecodeError, Reader, Writer};
use crate::entry::{ChainPoint, EntryKind, SigningPublic};
use crate::id::{DeviceId, EntryId, FeedId};
use crate::time::Timestamp;

/// Feeds, entries or ranges one payload names; more take a second entry.
pub const NAMES_MAX: usize = 200;
/// Bytes of a person-readable text in a payload.
pub const TEXT_BYTES_MAX: usize = 500;

/// Where a feed ends: the last entry that counts, or none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedEnd {
    /// The feed.
    pub feed: FeedId,
    /// Its last counting entry; [`ChainPoint::START`] when none counts.
    pub last: ChainPoint,
}

/// What limits a device beyond its rights. They delay and report; they never decide what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Past this moment nodes warn and propose renewal.
    pub valid_until: Option<Timestamp>,
    /// Entries a day beyond which the level above is told; 0 is no limit.
    pub entries_per_day: u32,
}

/// Binds a device's keys to an area and rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The device.
    pub keys: DeviceKeys,
    /// Where its rights hold, and in all below.
    pub area: AreaId,
    /// What it may do there.
    pub rights: Rights,
    /// Limits.
    pub limits: Limits,
    /// For the certificate a joining device writes itself: the invitation it uses and the
    /// throw-away key's signature over all above.
    pub invited: Option<(EntryId, [u8; 64])>,
}

/// A throw-away key that may certify one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The throw-away key.
    pub key: SigningPublic,
    /// The area the device will be in.
    pub area: AreaId,
    /// The rights it will get.
    pub rights: Rights,
    /// Past this moment the confirmer is warned.
    pub expires_at: Timestamp,
    /// Whoever joins counts at once, open data only, until a closing says where that ends.
    pub counts_at_once: bool,
}

/// A person's word that a waiting device is the one meant: its certificate, issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The invitation that was used.
    pub invitation: EntryId,
    /// Exactly what the device asked for, or less.
    pub certificate: Certificate,
}

/// Where a device ends by agreement: by itself, or by a level above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The device.
    pub device: DeviceId,
    /// Where its feeds end; a feed not named does not count.
    pub ends: Vec<FeedEnd>,
}

/// A device's rights withdrawn: only what cuts name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The device; it is never certified again.
    pub device: DeviceId,
    /// Why, for people; no personal data.
    pub reason: String,
}

/// Up to which entries a revoked device's feeds count in one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The device.
    pub device: DeviceId,
    /// Per feed of the area this entry lies in.
    pub ends: Vec<FeedEnd>,
}

/// Quarantined edits made to count again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Feed, first and last sequence, and the entry at the last.
    pub ranges: Vec<(FeedId, u64, ChainPoint)>,
}

/// Today's code, name and parent of an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The area.
    pub area: AreaId,
    /// Its code from now on.
    pub code: AreaCode,
    /// Its name from now on.
    pub name: String,
    /// Its parent from now on.
    pub parent: AreaId,
    /// The day it takes effect in law, as `YYYYMMDD`; for reports only.
    pub valid_from: u32,
    /// Where the former parent's feeds in this area end.
    pub closes: Vec<FeedEnd>,
}

/// Any authority payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// [`Invitation`].
    Invitation(Invitation),
    /// [`Certificate`].
    Certificate(Certificate),
    /// [`Confirmation`].
    Confirmation(Confirmation),
    /// [`Closing`].
    Closing(Closing),
    /// [`Revocation`].
    Revocation(Revocation),
    /// [`Cut`].
    Cut(Cut),
    /// [`Adoption`].
    Adoption(Adoption),
    /// [`Alias`].
    Alias(Alias),
}

impl Payload {
    /// The kind of entry it belongs in.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Invitation(_) => EntryKind::INVITATION,
            Self::Certificate(_) => EntryKind::CERTIFICATE,
            Self::Confirmation(_) => EntryKind::CONFIRMATION,
            Self::Closing(_) => EntryKind::CLOSING,
            Self::Revocation(_) => EntryKind::REVOCATION,
            Self::Cut(_) => EntryKind::CUT,
            Self::Adoption(_) => EntryKind::ADOPTION,
            Self::Alias(_) => EntryKind::ALIAS,
        }
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Self::Invitation(it) => write_invitation(&mut writer, it),
            Self::Certificate(it) => write_certificate(&mut writer, it),
            Self::Confirmation(it) => {
                writer.raw(&it.invitation.0);
                write_certificate(&mut writer, &it.certificate);
            }
            Self::Closing(it) => {
                writer.raw(&it.device.0);
                write_ends(&mut writer, &it.ends);
            }
            Self::Revocation(it) => {
                writer.raw(&it.device.0).bytes(it.reason.as_bytes());
            }
            Self::Cut(it) => {
                writer.raw(&it.device.0);
                write_ends(&mut writer, &it.ends);
            }
            Self::Adoption(it) => write_ranges(&mut writer, &it.ranges),
            Self::Alias(it) => write_alias(&mut writer, it),
        }
        writer.finish()
    }

    /// Reads the payload of an entry of `kind`; `Ok(None)` for a kind a newer build knows.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not canonical for their kind.
    pub fn from_bytes(kind: EntryKind, bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let r = &mut reader;
        let payload = match kind {
            EntryKind::INVITATION => Self::Invitation(read_invitation(r)?),
            EntryKind::CERTIFICATE => Self::Certificate(read_certificate(r)?),
            EntryKind::CONFIRMATION => {
                let invitation = EntryId::read(r)?;
                Self::Confirmation(Confirmation { invitation, certificate: read_certificate(r)? })
            }
            EntryKind::CLOSING => {
                Self::Closing(Closing { device: DeviceId::read(r)?, ends: read_ends(r)? })
            }
            EntryKind::REVOCATION => {
                let device = DeviceId::read(r)?;
                let reason = r.text(TEXT_BYTES_MAX, "reason")?.to_owned();
                Self::Revocation(Revocation { device, reason })
            }
            EntryKind::CUT => Self::Cut(Cut { device: DeviceId::read(r)?, ends: read_ends(r)? }),
            EntryKind::ADOPTION => Self::Adoption(Adoption { ranges: read_ranges(r)? }),
            EntryKind::ALIAS => Self::Alias(read_alias(r)?),
            _ => return Ok(None),
        };
        reader.end()?;
        Ok(Some(payload))
    }
}

impl Certificate {
    /// What the throw-away key signs: the certificate without its own signature, and the invitation.
    pub fn invited_message(&self, invitation: EntryId) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.raw(b"wksbm 2026 invited v1").raw(&invitation.0);
        write_certificate(&mut writer, &Self { invited: None, ..self.clone() });
        writer.finish()
    }
}

impl Alias {
    /// Whether what it says has a place in any tree: its levels fit, and it moves nothing that others
    /// lie below. Known from the alias alone, so every node decides alike, whatever it holds.
    pub fn fits(&self) -> bool {
        self.levels_fit() && (self.area.level() == Level::Desa || self.only_names())
    }

    /// Whether code and parent are those the area was first given.
    fn only_names(&self) -> bool {
        let parent = self.code.parent();
        self.area.first_code() == Some(self.code) && self.parent.first_code() == parent
    }

    /// Whether the code is one of the area's level and the parent one level up.
    fn levels_fit(&self) -> bool {
        let level = self.area.level();
        level == self.code.level() && level as u8 == self.parent.level() as u8 + 1
    }
}

fn write_certificate(writer: &mut Writer, it: &Certificate) {
    it.keys.write(writer);
    writer.raw(it.area.as_bytes()).u16(it.rights.bits());
    writer.varint_signed(it.limits.valid_until.map_or(0, |until| until.0));
    writer.varint(u64::from(it.limits.entries_per_day));
    match &it.invited {
        None => writer.u8(0),
        Some((invitation, signature)) => writer.u8(1).raw(&invitation.0).raw(signature),
    };
}

fn read_certificate(reader: &mut Reader<'_>) -> Result<Certificate, DecodeError> {
    let keys = DeviceKeys::read(reader)?;
    let area = AreaId::read(reader)?;
    let rights = Rights::from_bits(reader.u16()?)?;
    let valid_until = Some(Timestamp(reader.varint_signed()?)).filter(|until| until.0 != 0);
    let entries_per_day =
        u32::try_from(reader.varint()?).map_err(|_| DecodeError::TooLarge("limit"))?;
    let invited = match reader.u8()? {
        0 => None,
        1 => Some((EntryId::read(reader)?, reader.array()?)),
        _ => return Err(DecodeError::Unknown("certificate form")),
    };
    let limits = Limits { valid_until, entries_per_day };
    Ok(Certificate { keys, area, rights, limits, invited })
}

fn write_invitation(writer: &mut Writer, it: &Invitation) {
    writer.raw(&it.key.0).raw(it.area.as_bytes()).u16(it.rights.bits());
    writer.varint_signed(it.expires_at.0).u8(u8::from(it.counts_at_once));
}

fn read_invitation(reader: &mut Reader<'_>) -> Result<Invitation, DecodeError> {
    Ok(Invitation {
        key: SigningPublic(reader.array()?),
        area: AreaId::read(reader)?,
        rights: Rights::from_bits(reader.u16()?)?,
        expires_at: Timestamp(reader.varint_signed()?),
        counts_at_once: match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Unknown("invitation form")),
        },
    })
}

fn write_ends(writer: &mut Writer, ends: &[FeedEnd]) {
    writer.varint(ends.len() as u64);
    for end in ends {
        writer.raw(&end.feed.0).varint(end.last.seq).raw(&end.last.id.0);
    }
}

fn read_ends(reader: &mut Reader<'_>) -> Result<Vec<FeedEnd>, DecodeError> {
    let count = reader.count(NAMES_MAX, "feed ends")?;
    let read = |_| Ok(FeedEnd { feed: FeedId::read(reader)?, last: read_point(reader)? });
    (0..count).map(read).collect()
}

fn read_point(reader: &mut Reader<'_>) -> Result<ChainPoint, DecodeError> {
    Ok(ChainPoint { seq: reader.varint()?, id: EntryId::read(reader)? })
}

fn write_ranges(writer: &mut Writer, ranges: &[(FeedId, u64, ChainPoint)]) {
    writer.varint(ranges.len() as u64);
    for (feed, first, last) in ranges {
        writer.raw(&feed.0).varint(*first).varint(last.seq).raw(&last.id.0);
    }
}

fn read_ranges(reader: &mut Reader<'_>) -> Result<Vec<(FeedId, u64, ChainPoint)>, DecodeError> {
    let count = reader.count(NAMES_MAX, "ranges")?;
    let read = |_| Ok((FeedId::read(reader)?, reader.varint()?, read_point(reader)?));
    (0..count).map(read).collect()
}

fn write_alias(writer: &mut Writer, it: &Alias) {
    writer.raw(it.area.as_bytes()).bytes(it.code.digits().as_bytes());
    writer.bytes(it.name.as_bytes()).raw(it.parent.as_bytes()).u32(it.valid_from);
    write_ends(writer, &it.closes);
}

fn read_alias(reader: &mut Reader<'_>) -> Result<Alias, DecodeError> {
    let area = AreaId::read(reader)?;
    let digits = reader.text(10, "area code")?;
    let code: AreaCode = digits.parse().map_err(|_| DecodeError::Malformed("area code"))?;
    if code.digits() != digits {
        return Err(DecodeError::NotCanonical("area code"));
    }
    Ok(Alias {
        area,
        code,
        name: reader.text(TEXT_BYTES_MAX, "area name")?.to_owned(),
        parent: AreaId::read(reader)?,
        valid_from: reader.u32()?,
        closes: read_ends(reader)?,
    })
}
