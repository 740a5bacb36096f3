//! `ppks`: one need of one person, family or community.
//!
//! What looks harmless and is not: a serial of the family would link records in the open, the day
//! of recording says more than the month that is tally, an officer's name is a person's, and an
//! end of retention is computed from an age or a state. So these are personal.

use super::shared::{self, LINE, NAME, STORY};
use super::{AgeWindow, Check, Derive, Field, Kind, TermKind, Transition, ValueType, codes};
use crate::class::FieldClass::{Internal, Personal, Public, Specific, Tally};

/// Usual ages by type. Rules of different years disagree, so outside is a warning.
const WINDOWS: &[AgeWindow] = &[
    AgeWindow::usual("01", 0, 5),
    AgeWindow::usual("02", 5, 18),
    AgeWindow { never_above: Some(21), ..AgeWindow::usual("03", 12, 17) },
    AgeWindow::usual("04", 5, 18),
    AgeWindow::usual("05", 0, 17),
    AgeWindow::usual("06", 0, 17),
    AgeWindow::usual("07", 0, 18),
    AgeWindow::usual("08", 60, 130),
    AgeWindow::usual("20", 18, 130),
    AgeWindow { women_only: true, ..AgeWindow::usual("23", 18, 59) },
];

/// The ladder up, one step at a time, back where work must be done again, and the exits. An exit
/// made by mistake goes back to `terdata` or `diverifikasi`; from `meninggal` too, for lists err.
const TRANSITIONS: &[Transition] = &[
    (
        "terdata",
        &["diverifikasi", "tidak_ditemukan", "pindah", "meninggal", "ganda", "ditolak", "dirujuk"],
    ),
    (
        "diverifikasi",
        &[
            "diasesmen",
            "terdata",
            "dirujuk",
            "tidak_ditemukan",
            "pindah",
            "meninggal",
            "ganda",
            "ditolak",
        ],
    ),
    (
        "diasesmen",
        &[
            "direncanakan",
            "diverifikasi",
            "dirujuk",
            "tidak_ditemukan",
            "pindah",
            "meninggal",
            "ganda",
            "ditolak",
        ],
    ),
    (
        "direncanakan",
        &[
            "ditangani",
            "diasesmen",
            "dirujuk",
            "tidak_ditemukan",
            "pindah",
            "meninggal",
            "ganda",
            "ditolak",
        ],
    ),
    (
        "ditangani",
        &["dipantau", "direncanakan", "dirujuk", "tidak_ditemukan", "pindah", "meninggal", "ganda"],
    ),
    (
        "dipantau",
        &[
            "selesai",
            "ditangani",
            "diasesmen",
            "dirujuk",
            "tidak_ditemukan",
            "pindah",
            "meninggal",
            "ganda",
        ],
    ),
    ("selesai", &["dipantau", "diasesmen", "meninggal", "pindah", "ganda"]),
    (
        "dirujuk",
        &[
            "diasesmen",
            "ditangani",
            "dipantau",
            "selesai",
            "tidak_ditemukan",
            "pindah",
            "meninggal",
            "ganda",
        ],
    ),
    ("tidak_ditemukan", &["terdata", "diverifikasi", "pindah", "meninggal", "ganda"]),
    ("pindah", &["terdata", "diverifikasi", "meninggal"]),
    ("meninggal", &["terdata", "diverifikasi"]),
    ("ganda", &["terdata", "diverifikasi"]),
    ("ditolak", &["terdata", "diverifikasi"]),
];

pub(super) const PPKS: Kind = Kind {
    number: 1,
    name: "ppks",
    title: "Pemerlu Pelayanan Kesejahteraan Sosial",
    help: "Satu kebutuhan satu orang, keluarga, atau komunitas. Fakir miskin dicatat per keluarga.",
    holds_person: true,
    fields: FIELDS,
    transitions: TRANSITIONS,
    label: "nama",
    checks: &[
        Check::NikAgrees { nik: "nik", birth: "tanggal_lahir", sex: "jenis_kelamin" },
        Check::TypeAge {
            types: &["kode_jenis", "jenis_tertutup"],
            birth: "tanggal_lahir",
            estimate: "umur_perkiraan",
            sex: "jenis_kelamin",
            windows: WINDOWS,
        },
        Check::Guardian {
            birth: "tanggal_lahir",
            estimate: "umur_perkiraan",
            either: &["wali", "alasan_wali"],
        },
        Check::Communication {
            types: "kode_jenis",
            codes: &["05", "09"],
            means: "cara_komunikasi",
        },
        Check::Needs { field: "status_penanganan", codes: &["ditolak"], needs: &["alasan_status"] },
        Check::NotFuture { dates: &["tanggal_lahir", "tanggal_pendataan", "tanggal_pemeriksaan"] },
        Check::InOrder { earlier: "tanggal_pendataan", later: "tanggal_pemeriksaan" },
    ],
    derives: &[
        Derive::Closed { open: "kode_jenis", closed: "jenis_tertutup", marker: codes::PPKS_MARKER },
        Derive::AgeBand {
            band: "kelompok_umur",
            birth: "tanggal_lahir",
            estimate: "umur_perkiraan",
        },
        Derive::Month { month: "bulan_pendataan", date: "tanggal_pendataan" },
        Derive::Reason { of: "nik", reason: "alasan_tanpa_nik", unknown: "belum_dicatat" },
    ],
};

const FIELDS: &[Field] = &[
    Field::scalar(1, "nama", Personal, NAME)
        .titled("Nama", "Seperti di kartu; nama kepala untuk keluarga, nama kelompok untuk komunitas.")
        .also(&["nama_lengkap"])
        .required()
        .indexed(TermKind::Name),
    Field::scalar(2, "nama_panggilan", Personal, NAME)
        .titled("Nama panggilan", "Nama yang dipakai tetangga.")
        .indexed(TermKind::Name),
    Field::set(3, "kode_jenis", Tally, ValueType::Code(&codes::PPKS_OPEN))
        .titled(
            "Jenis PPKS",
            "Nomor 01-26 atau singkatannya, boleh lebih dari satu. Jenis 10, 14, 16, 18 dan 19 \
             ditulis di sini juga; program menyimpannya tertutup.",
        )
        .also(&["jenis"])
        .required()
        .indexed(TermKind::Type),
    Field::set(4, "jenis_tertutup", Specific, ValueType::Code(&codes::PPKS_CLOSED)).titled(
        "Jenis tertutup",
        "Diisi program dari kode_jenis. Hanya pemegang kasus, TKSK dan petugas kabupaten membacanya.",
    ),
    Field::scalar(5, "kode_daftar", Public, ValueType::Code(&codes::LIST_VERSIONS))
        .titled("Daftar jenis", "Daftar resmi yang dipakai untuk kode_jenis.")
        .required()
        .or("permensos-08-2012"),
    Field::scalar(6, "unit", Public, ValueType::Code(&codes::PPKS_UNITS))
        .titled("Satuan", "Orang, keluarga, atau komunitas.")
        .required()
        .or("orang"),
    Field::status(7, "status_penanganan", Tally, &codes::CASE_STATES, "terdata")
        .titled("Status penanganan", "Langkah penanganan; lihat urutannya.")
        .also(&["status"]),
    Field::scalar(8, "alasan_status", Specific, LINE)
        .titled("Alasan status", "Wajib bila ditolak; dianjurkan bila kasus berakhir."),
    shared::nik(9),
    shared::no_nik_reason(10),
    shared::kk(11),
    Field::scalar(12, "hubungan_keluarga", Personal, ValueType::Code(&codes::RELATIONS))
        .titled("Hubungan keluarga", "Kedudukan dalam KK."),
    Field::scalar(13, "no_urut_keluarga", Personal, ValueType::Int { min: 1, max: 100_000 })
        .titled("Nomor urut keluarga", "Nomor urut keluarga di desa pada formulir."),
    shared::sex(14),
    Field::scalar(15, "tempat_lahir", Specific, NAME)
        .titled("Tempat lahir", "Kabupaten atau kota kelahiran."),
    Field::scalar(16, "tanggal_lahir", Specific, ValueType::Date)
        .titled("Tanggal lahir", "Seperti 17/08/1987. Kelompok umur dihitung dari sini.")
        .also(&["tgl_lahir"]),
    Field::scalar(17, "umur_perkiraan", Specific, ValueType::Int { min: 0, max: 130 })
        .titled("Umur perkiraan", "Bila tanggal lahir tidak diketahui.")
        .measured_in("tahun"),
    Field::scalar(18, "kelompok_umur", Tally, ValueType::Code(&codes::AGE_BANDS))
        .titled("Kelompok umur", "Dihitung dari tanggal lahir atau umur perkiraan."),
    Field::scalar(19, "status_kawin", Personal, ValueType::Code(&codes::MARITAL_STATES))
        .titled("Status perkawinan", "Seperti di KK."),
    Field::scalar(20, "pendidikan", Personal, ValueType::Code(&codes::EDUCATIONS))
        .titled("Pendidikan", "Ijazah terakhir."),
    Field::scalar(21, "pekerjaan", Personal, ValueType::Code(&codes::OCCUPATIONS))
        .titled("Pekerjaan", "Pekerjaan utama."),
    shared::rw(22),
    shared::rt(23),
    shared::hamlet(24),
    shared::address(25),
    Field::scalar(26, "domisili_beda_kk", Personal, ValueType::Bool)
        .titled("Domisili beda KK", "Ya bila tinggal di luar alamat KK."),
    Field::scalar(27, "kontak", Personal, NAME)
        .titled("Kontak", "Telepon atau cara menghubungi."),
    Field::scalar(28, "status_daerah", Public, ValueType::Code(&codes::PLACE_STATES))
        .titled("Status daerah", "Perkotaan atau perdesaan."),
    Field::scalar(29, "geografis", Public, ValueType::Code(&codes::GEOGRAPHIES))
        .titled("Letak geografis", "Pantai atau bukan pantai."),
    Field::set(30, "disabilitas", Specific, ValueType::Code(&codes::DISABILITIES))
        .titled("Ragam disabilitas", "Boleh lebih dari satu."),
    Field::scalar(31, "alat_bantu", Specific, LINE)
        .titled("Alat bantu", "Alat yang dipakai atau diperlukan."),
    Field::scalar(32, "cara_komunikasi", Specific, ValueType::Code(&codes::MEANS_OF_TALK))
        .titled("Cara komunikasi", "Untuk penyandang disabilitas (UU 27/2022 pasal 26)."),
    shared::condition(33),
    shared::house(34),
    shared::water(35),
    shared::assets(36),
    Field::scalar(37, "kasus", Specific, STORY).titled("Kasus", "Cerita singkat, tanpa nama orang lain."),
    Field::set(38, "kebutuhan", Personal, ValueType::Code(&codes::NEEDS))
        .titled("Kebutuhan", "Yang diperlukan, boleh lebih dari satu."),
    Field::scalar(39, "prioritas", Personal, ValueType::Int { min: 1, max: 3 })
        .titled("Prioritas", "1 mendesak, 2 segera, 3 biasa."),
    Field::scalar(40, "alasan_prioritas", Specific, LINE)
        .titled("Alasan prioritas", "Mengapa didahulukan."),
    shared::dtsen(41),
    shared::decile(42),
    shared::aid(43),
    Field::scalar(44, "wali", Specific, NAME)
        .titled("Wali", "Yang mewakili anak atau penyandang disabilitas (UU 27/2022 pasal 25, 26)."),
    Field::scalar(45, "alasan_wali", Specific, LINE)
        .titled("Alasan tanpa wali", "Bila wali tidak ada, siapa yang bertindak."),
    shared::source(46),
    Field::scalar(47, "sumber_berkas", Personal, LINE)
        .titled("Berkas sumber", "Nama berkas dan baris asal impor."),
    Field::scalar(48, "petugas_data", Personal, NAME).titled("Petugas data", "Yang mendata."),
    Field::scalar(49, "tanggal_pendataan", Personal, ValueType::Date)
        .titled("Tanggal pendataan", "Hari data dicatat di lapangan."),
    shared::month(50, "bulan_pendataan", "Dihitung dari tanggal pendataan."),
    Field::scalar(51, "tanggal_pemeriksaan", Personal, ValueType::Date)
        .titled("Tanggal pemeriksaan", "Hari data diperiksa."),
    Field::scalar(52, "versi_kuesioner", Internal, NAME)
        .titled("Versi kuesioner", "Formulir yang dipakai."),
    Field::scalar(53, "draf", Internal, ValueType::Bool).titled("Draf", "Ya bila belum selesai diisi."),
    shared::legal_basis(54, "tugas_publik"),
    shared::consent_proof(55),
    shared::retention(56),
    shared::synthetic(57),
];
