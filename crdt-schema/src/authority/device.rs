//! A device's three public keys, and the id they make.

use crate::codec::{DecodeError, Reader, Writer};
use crate::entry::SigningPublic;
use crate::id::DeviceId;

/// The public halves of a device's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceKeys {
    /// Ed25519: proves the connection; usable while the keystore is locked.
    pub transport: [u8; 32],
    /// Ed25519: signs heads.
    pub signing: SigningPublic,
    /// X25519: what keys are wrapped to.
    pub sealing: [u8; 32],
}

impl DeviceKeys {
    /// Length in bytes: transport, signing, sealing.
    pub const SIZE_BYTES: usize = 96;

    /// The device these keys are.
    pub fn device(&self) -> DeviceId {
        let mut writer = Writer::new();
        self.write(&mut writer);
        DeviceId(blake3::derive_key("wksbm 2026 device v1", &writer.finish()))
    }

    /// Appends the 96 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.transport).raw(&self.signing.0).raw(&self.sealing);
    }

    /// Reads the 96 bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            transport: reader.array()?,
            signing: SigningPublic(reader.array()?),
            sealing: reader.array()?,
        })
    }
}
