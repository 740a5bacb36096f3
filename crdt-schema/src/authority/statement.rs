//! The root statement: what a network is, signed by k of its n root keys.

use thiserror::Error;

use super::device::DeviceKeys;
use crate::area::AreaId;
use crate::codec::{DecodeError, Reader, Writer};
use crate::entry::{SigningPublic, SigningSecret};
use crate::id::NetworkId;

/// Root keys a statement may name.
pub const ROOT_KEYS_MAX: usize = 15;
/// Provincial devices a statement may name; more are certified by these.
pub const ROOT_DEVICES_MAX: usize = 32;
/// Bytes of a network's name.
pub const NAME_BYTES_MAX: usize = 120;

const FORMAT: u8 = 1;
const FLAG_TRIAL: u8 = 1;
const CONTEXT_SIGN: &[u8] = b"wksbm 2026 root statement v1";

/// Why a root statement is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The bytes.
    #[error("the root statement cannot be read: {0}")]
    Bytes(#[from] DecodeError),
    /// Fewer good signatures than its own threshold asks for.
    #[error("the root statement is not signed by enough of its keys")]
    Unsigned,
}

/// What the province says once, and what everything else rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootStatement {
    /// The network's name, for people.
    pub name: String,
    /// The province.
    pub area: AreaId,
    /// Synthetic people only, for ever.
    pub trial: bool,
    /// How many of `keys` must sign; more than half.
    pub threshold: u8,
    /// The root keys, ascending.
    pub keys: Vec<SigningPublic>,
    /// The provincial devices it certifies, ascending.
    pub devices: Vec<DeviceKeys>,
}

/// A root statement whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    statement: RootStatement,
    bytes: Vec<u8>,
}

impl RootStatement {
    /// The network this statement founds.
    pub fn network(&self) -> NetworkId {
        NetworkId(blake3::derive_key("wksbm 2026 network v1", &self.body()))
    }

    /// Signs with as many keys as are at hand.
    ///
    /// # Errors
    /// [`StatementError`] when they are too few, or the statement breaks its own rules.
    pub fn sign(self, secrets: &[SigningSecret]) -> Result<SignedStatement, StatementError> {
        let body = self.body();
        let message = [CONTEXT_SIGN, &body].concat();
        let mut writer = Writer::new();
        writer.bytes(&body).varint(secrets.len() as u64);
        for secret in secrets {
            writer.raw(&secret.public().0).raw(&secret.sign(&message));
        }
        SignedStatement::verify(&writer.finish())
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(FORMAT).u8(if self.trial { FLAG_TRIAL } else { 0 });
        writer.raw(self.area.as_bytes()).bytes(self.name.as_bytes());
        writer.u8(self.threshold).varint(self.keys.len() as u64);
        for key in &self.keys {
            writer.raw(&key.0);
        }
        writer.varint(self.devices.len() as u64);
        for device in &self.devices {
            device.write(&mut writer);
        }
        writer.finish()
    }

    fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Unknown("root statement format"));
        }
        let flags = reader.u8()?;
        if flags > FLAG_TRIAL {
            return Err(DecodeError::Unknown("root statement mark"));
        }
        let area = AreaId::read(&mut reader)?;
        let name = reader.text(NAME_BYTES_MAX, "network name")?.to_owned();
        let threshold = reader.u8()?;
        let count = reader.count(ROOT_KEYS_MAX, "root keys")?;
        let keys =
            (0..count).map(|_| reader.array().map(SigningPublic)).collect::<Result<Vec<_>, _>>()?;
        let count = reader.count(ROOT_DEVICES_MAX, "root devices")?;
        let devices =
            (0..count).map(|_| DeviceKeys::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        reader.end()?;
        let majority =
            usize::from(threshold) * 2 > keys.len() && usize::from(threshold) <= keys.len();
        let ordered = keys.is_sorted_by(|a, b| a < b) && devices.is_sorted_by(|a, b| a < b);
        if !majority || !ordered {
            return Err(DecodeError::NotCanonical("root statement"));
        }
        Ok(Self { name, area, trial: flags == FLAG_TRIAL, threshold, keys, devices })
    }
}

impl SignedStatement {
    /// Reads a statement and counts its good signatures, strictly.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn verify(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut reader = Reader::new(bytes);
        let body = reader.bytes(8 * 1024, "root statement")?;
        let statement = RootStatement::read(body)?;
        let message = [CONTEXT_SIGN, body].concat();
        let count = reader.count(ROOT_KEYS_MAX, "root signatures")?;
        let mut signed = Vec::with_capacity(count);
        for _ in 0..count {
            let (key, signature) = (SigningPublic(reader.array()?), reader.array()?);
            let known = statement.keys.contains(&key) && !signed.contains(&key);
            if known && key.verify(&message, &signature).is_ok() {
                signed.push(key);
            }
        }
        reader.end()?;
        if signed.len() < usize::from(statement.threshold) {
            return Err(StatementError::Unsigned);
        }
        Ok(Self { statement, bytes: bytes.to_vec() })
    }

    /// What it says.
    pub const fn statement(&self) -> &RootStatement {
        &self.statement
    }

    /// Body and signatures, as they travel.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}
