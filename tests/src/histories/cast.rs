//! Who takes part in an invented history: the same few devices in each, made once.

use std::sync::OnceLock;

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::{DeviceKeys, RootStatement, SignedStatement};
use crdt_schema::entry::SigningSecret;
use crdt_schema::id::DeviceId;

/// The province: root device, issuer over everything.
pub(super) const PROVINCE: usize = 0;
/// The kabupaten: issuer below it.
pub(super) const KABUPATEN: usize = 1;
/// The kecamatan the village lies in at first.
pub(super) const KECAMATAN: usize = 2;
/// Two devices of the village.
pub(super) const VILLAGERS: [usize; 2] = [3, 4];
/// One that joins the village with an invitation.
pub(super) const JOINER: usize = 5;
/// The kecamatan the village may be moved to.
pub(super) const OTHER_KECAMATAN: usize = 6;
const DEVICES: u8 = 7;

/// A device of the cast.
#[derive(Debug)]
pub(super) struct Device {
    /// Its public keys.
    pub(super) keys: DeviceKeys,
    /// Its id.
    pub(super) id: DeviceId,
    /// What it signs with.
    pub(super) secret: SigningSecret,
    /// Where its certificate is.
    pub(super) area: AreaId,
}

/// The devices, their areas and the root statement.
#[derive(Debug)]
pub(super) struct Cast {
    /// By the numbers above.
    pub(super) devices: Vec<Device>,
    /// What founds the network.
    pub(super) statement: SignedStatement,
    /// The village most is written about.
    pub(super) village: AreaId,
    /// Another one of the same kecamatan.
    pub(super) neighbour: AreaId,
    /// The kecamatan, the one the village may be moved to, the kabupaten, the province.
    pub(super) above: [AreaId; 4],
}

impl Cast {
    /// The cast.
    pub(super) fn get() -> &'static Self {
        static CAST: OnceLock<Cast> = OnceLock::new();
        CAST.get_or_init(Self::new)
    }

    fn new() -> Self {
        let area = |code: &str| code.parse::<AreaCode>().unwrap().first_id();
        let village = area("32.09.39.2001");
        let above = [area("32.09.39"), area("32.09.21"), area("32.09"), area("32")];
        let [kecamatan, other, kabupaten, province] = above;
        let areas = [province, kabupaten, kecamatan, village, village, village, other];
        let devices: Vec<Device> =
            (0..DEVICES).zip(areas).map(|(number, area)| Device::new(number, area)).collect();
        let root = SigningSecret::from_seed(&[200; 32]);
        let statement = RootStatement {
            name: "Uji".to_owned(),
            area: province,
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices: vec![devices[PROVINCE].keys],
        };
        let statement = statement.sign(&[root]).unwrap();
        Self { devices, statement, village, neighbour: area("32.09.39.2002"), above }
    }

    /// Every area of the cast, the village first.
    pub(super) fn areas(&self) -> [AreaId; 6] {
        let [kecamatan, other, kabupaten, province] = self.above;
        [self.village, self.neighbour, kecamatan, other, kabupaten, province]
    }
}

impl Device {
    fn new(number: u8, area: AreaId) -> Self {
        let secret = SigningSecret::from_seed(&[number + 1; 32]);
        let transport = [number + 101; 32];
        let keys = DeviceKeys { transport, signing: secret.public(), sealing: [number; 32] };
        Self { keys, id: keys.device(), secret, area }
    }
}
