//! The names and codes of records the generator writes, in one place.
//!
//! A test plans thousands of generated records against the declarations, so a name that is none
//! there cannot stay here.

use std::borrow::Cow;

use crdt_schema::record::{Ask, Wish};

/// What is asked of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldOp {
    /// It shall be this; of a set, the codes separated by `;` replace what is there.
    Put,
    /// It shall be empty.
    Clear,
    /// A set or list gains this.
    Add,
    /// A set or list loses this.
    Remove,
}

/// One thing asked of one field, as an operator would type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthField {
    /// The field's name.
    pub name: &'static str,
    /// What is asked.
    pub op: FieldOp,
    /// The text; empty for [`FieldOp::Clear`].
    pub value: Cow<'static, str>,
}

impl SynthField {
    /// The same as a wish on the field.
    pub fn ask(&self) -> Ask {
        let text = || self.value.clone().into_owned();
        let what = match self.op {
            FieldOp::Put => Wish::Put(text()),
            FieldOp::Clear => Wish::Clear,
            FieldOp::Add => Wish::Add(text()),
            FieldOp::Remove => Wish::Remove(text()),
        };
        Ask { field: self.name.to_owned(), what }
    }
}

/// Fields in the order they are written.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) Vec<SynthField>);

impl Fields {
    /// Room for a record of usual size.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(24))
    }

    /// One field, asked one thing.
    pub(super) fn one(
        name: &'static str,
        op: FieldOp,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(vec![SynthField { name, op, value: value.into() }])
    }

    /// Appends a value.
    pub(super) fn put(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.0.push(SynthField { name, op: FieldOp::Put, value: value.into() });
    }
}

/// The seven kinds.
pub(super) mod kind {
    pub(in super::super) const PPKS: &str = "ppks";
    pub(in super::super) const KELUARGA: &str = "keluarga";
    pub(in super::super) const PSKS: &str = "psks";
    pub(in super::super) const KPS: &str = "kps";
    pub(in super::super) const KEGIATAN: &str = "kegiatan";
    pub(in super::super) const KEMITRAAN: &str = "kemitraan";
    pub(in super::super) const LAYANAN: &str = "layanan";
}

/// The ladder of `status_penanganan`, its side exit last.
pub(super) const STATUS: [&str; 12] = [
    "terdata",
    "diverifikasi",
    "diasesmen",
    "direncanakan",
    "ditangani",
    "dipantau",
    "selesai",
    "dirujuk",
    "tidak_ditemukan",
    "pindah",
    "meninggal",
    "ganda",
];

/// How many of a hundred cases stand at each status when the year begins.
pub(super) const STATUS_WEIGHTS: [u32; 12] = [60, 40, 16, 10, 30, 16, 20, 4, 1, 1, 1, 1];

/// Place of `selesai`, the ladder's end.
pub(super) const STATUS_DONE: u8 = 6;

/// The codes of `kebutuhan` and of a `layanan`'s `jenis`.
pub(super) const NEEDS: [&str; 15] = [
    "hidup_layak",
    "perawatan_sosial",
    "dukungan_keluarga",
    "terapi",
    "pelatihan",
    "kewirausahaan",
    "aksesibilitas",
    "pangan",
    "sandang",
    "hunian",
    "biaya_pendidikan",
    "kesehatan",
    "adminduk",
    "bantuan_hukum",
    "rujukan_lembaga",
];

/// One programme code of the programme's text (G) and what is done under it.
#[derive(Debug)]
pub(super) struct Programme {
    /// Like `G.5.1.4`.
    pub(super) code: &'static str,
    /// Of a thousand kegiatan.
    pub(super) weight: u32,
    /// The `jenis` of such a kegiatan.
    pub(super) jenis: &'static str,
    /// What its title begins with.
    pub(super) title: &'static str,
}

const fn programme(
    code: &'static str,
    weight: u32,
    jenis: &'static str,
    title: &'static str,
) -> Programme {
    Programme { code, weight, jenis, title }
}

/// Every place of part G a kegiatan may belong to. Shares: 5.1 30 %, 5.2 20, 5.3 25, 3 10, 4 5, 1 7,
/// the others 3.
pub(super) static PROGRAMMES: [Programme; 32] = [
    programme("G.1.1", 10, "rapat", "Pemantapan konsepsi WKSBM"),
    programme("G.1.2", 25, "kunjungan", "Pendataan dan pemetaan sosial"),
    programme("G.1.3", 25, "kunjungan", "Pemutakhiran data"),
    programme("G.1.4", 10, "rapat", "Pengembangan jaringan informasi"),
    programme("G.2.1", 2, "rapat", "Penyusunan standar WKSBM"),
    programme("G.2.2", 3, "rapat", "Perintisan profil WKSBM"),
    programme("G.3.1", 30, "rapat", "Penyusunan profil WKSBM"),
    programme("G.3.2", 70, "pameran", "Penyebarluasan leaflet dan profil"),
    programme("G.4.1", 25, "pelatihan_sdm", "Pelatihan pengelola"),
    programme("G.4.2", 25, "bimbingan", "Pendampingan teknis"),
    programme("G.5.1.1", 50, "sosialisasi", "Penyebarluasan informasi"),
    programme("G.5.1.2", 50, "kunjungan", "Pengkajian kebutuhan jaringan"),
    programme("G.5.1.3", 50, "kunjungan", "Pemetaan calon jaringan"),
    programme("G.5.1.4", 50, "kampanye", "Kampanye sosial"),
    programme("G.5.1.5", 50, "forum", "Forum konsultasi calon jaringan"),
    programme("G.5.1.6", 50, "bimbingan", "Bimbingan lintas calon jaringan"),
    programme("G.5.2.1", 50, "bimbingan", "Pendampingan jaringan"),
    programme("G.5.2.2", 50, "bimbingan", "Bantuan dan pemantapan teknis"),
    programme("G.5.2.3", 50, "forum", "Forum jaringan"),
    programme("G.5.2.4", 50, "pelatihan_sdm", "Pelatihan teknis jaringan"),
    programme("G.5.3.1", 80, "rapat", "Fasilitasi jaringan"),
    programme("G.5.3.2", 80, "rapat", "Rapat peningkatan jaringan"),
    programme("G.5.3.3", 90, "aksi_sosial", "Aksi sosial"),
    programme("G.6.1", 3, "rapat", "Tinjauan program berjalan"),
    programme("G.6.2", 2, "rapat", "Kaji model"),
    programme("G.6.3", 2, "kunjungan", "Uji petik"),
    programme("G.6.4", 2, "kunjungan", "Studi banding"),
    programme("G.6.5", 2, "rapat", "Penyempurnaan program"),
    programme("G.7.1", 6, "kunjungan", "Monitoring"),
    programme("G.7.2", 3, "kunjungan", "Supervisi"),
    programme("G.7.3", 2, "rapat", "Evaluasi"),
    programme("G.7.4", 3, "rapat", "Penyusunan laporan"),
];

/// The twelve types of PSKS.
pub(super) const PSKS: [&str; 12] =
    ["Peksos", "PSM", "Tagana", "LKS", "KT", "LK3", "KP", "WKSBM", "WPKS", "Pensos", "TKSK", "DU"];
