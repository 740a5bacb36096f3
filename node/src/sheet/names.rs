//! What offices call the columns, beyond the names and labels of the declarations.
//!
//! Written as [`fold`] leaves them: lower case, words apart by one space. A name counts only for
//! kinds that have the field.

/// Names by field; of several fields with one name the first that the kind has is meant.
pub(super) const NAMES: &[(&str, &[&str])] = &[
    (
        "nik",
        &[
            "no nik",
            "nomor nik",
            "no ktp",
            "nomor ktp",
            "nik ktp",
            "no induk kependudukan",
            "nomor induk kependudukan",
            "nik kepala keluarga",
            "nik kk",
        ],
    ),
    (
        "no_kk",
        &[
            "no kk",
            "nomor kk",
            "nokk",
            "kk",
            "nkk",
            "no kartu keluarga",
            "nomor kartu keluarga",
            "kartu keluarga",
            "no k k",
        ],
    ),
    (
        "kepala",
        &["nama kepala keluarga", "nama kk", "nama lengkap", "kepala rumah tangga", "nama kepala"],
    ),
    (
        "nama",
        &[
            "nama lengkap",
            "nama ppks",
            "nama pmks",
            "nama psks",
            "nama warga",
            "nama penduduk",
            "nama kps",
            "nama wksbm",
            "nama kelompok",
            "nama klien",
            "nama penerima",
            "nama pemerlu",
            "nama sesuai ktp",
            "nama orang",
            "name",
        ],
    ),
    ("nama_lembaga", &["lembaga", "nama badan", "nama organisasi", "nama lks"]),
    ("mitra", &["nama mitra", "nama lembaga", "lembaga"]),
    ("judul", &["nama kegiatan", "kegiatan", "judul kegiatan", "uraian kegiatan"]),
    (
        "kode_jenis",
        &[
            "jenis ppks",
            "jenis pmks",
            "jenis psks",
            "kode ppks",
            "kode pmks",
            "kategori",
            "kategori ppks",
            "kategori pmks",
            "jenis masalah",
            "kode jenis ppks",
            "ppks",
            "pmks",
            "psks",
        ],
    ),
    (
        "jenis",
        &["jenis kegiatan", "jenis layanan", "jenis bantuan", "jenis kps", "bentuk kegiatan"],
    ),
    ("jenis_sumber", &["jenis mitra", "sumber mitra"]),
    (
        "jenis_kelamin",
        &["jk", "l p", "p l", "lp", "kelamin", "jns kelamin", "jenis kel", "sex", "gender"],
    ),
    ("tempat_lahir", &["tempat lahir", "tmp lahir", "tmpt lahir", "kota lahir"]),
    (
        "tanggal_lahir",
        &["tgl lahir", "tanggallahir", "tgllahir", "tgl lhr", "lahir", "tanggal kelahiran"],
    ),
    ("umur_perkiraan", &["umur", "usia", "umur th", "usia th", "umur tahun", "usia tahun"]),
    ("status_kawin", &["status perkawinan", "status nikah", "perkawinan", "status pernikahan"]),
    (
        "hubungan_keluarga",
        &[
            "hubungan",
            "shdk",
            "status hubungan dalam keluarga",
            "hub keluarga",
            "hubungan dalam keluarga",
            "status keluarga",
        ],
    ),
    ("pendidikan", &["pendidikan terakhir", "pend terakhir", "ijazah"]),
    ("pekerjaan", &["pekerjaan utama", "mata pencaharian"]),
    (
        "alamat",
        &[
            "alamat lengkap",
            "alamat rumah",
            "alamat domisili",
            "alamat tinggal",
            "alamat sekarang",
            "alamat ktp",
            "jalan",
        ],
    ),
    (
        "dusun",
        &["kampung", "kp", "nama dusun", "kampung dusun", "dusun kampung", "blok", "lingkungan"],
    ),
    ("rt", &["no rt", "nomor rt"]),
    ("rw", &["no rw", "nomor rw"]),
    (
        "kontak",
        &[
            "no hp",
            "nomor hp",
            "hp",
            "no telp",
            "no telepon",
            "telepon",
            "telp",
            "no wa",
            "whatsapp",
            "no hp wa",
        ],
    ),
    ("disabilitas", &["jenis disabilitas", "ragam disabilitas", "disabilitas", "kecacatan"]),
    ("kebutuhan", &["jenis kebutuhan", "kebutuhan layanan"]),
    ("dtsen_desil", &["desil", "desil dtsen"]),
    ("dtsen_status", &["dtsen", "dtks", "status dtks", "terdaftar dtsen", "terdaftar dtks"]),
    ("program", &["bantuan", "jenis bantuan", "program bansos", "bansos", "bantuan yang diterima"]),
    ("wali", &["nama wali", "nama orang tua", "orang tua wali"]),
    ("kasus", &["uraian kasus", "permasalahan"]),
    ("kondisi", &["kondisi", "keadaan", "keterangan", "ket"]),
    ("catatan", &["keterangan", "ket", "catatan"]),
    ("petugas_data", &["petugas", "nama petugas", "pendata"]),
    ("tanggal_pendataan", &["tgl pendataan", "tgl data", "tanggal data"]),
    (
        "jumlah_anggota",
        &[
            "jml anggota",
            "jumlah anggota keluarga",
            "jml anggota keluarga",
            "jumlah jiwa",
            "jml jiwa",
        ],
    ),
    (
        "tanggal",
        &[
            "tgl",
            "tanggal kegiatan",
            "tgl kegiatan",
            "tanggal pelaksanaan",
            "hari tanggal",
            "waktu",
            "tanggal layanan",
            "tgl layanan",
        ],
    ),
    ("tempat", &["lokasi", "tempat kegiatan", "lokasi kegiatan"]),
    ("kode_program", &["program", "kode kegiatan", "kode g"]),
    ("penyelenggara", &["pelaksana", "nama penyelenggara"]),
    ("peserta_l", &["peserta l", "jumlah l", "jml l", "laki laki", "peserta laki laki"]),
    ("peserta_p", &["peserta p", "jumlah p", "jml p", "perempuan", "peserta perempuan"]),
    ("biaya", &["anggaran", "dana", "jumlah biaya", "biaya rp"]),
    ("nilai_rp", &["nilai", "nominal", "nilai rp", "jumlah rp", "nilai bantuan"]),
    ("ppks", &["id ppks", "ppks id"]),
    ("sk_nomor", &["no sk", "nomor sk"]),
    ("sk_tanggal", &["tgl sk", "tanggal sk"]),
    ("no_sk", &["nomor sk", "sk"]),
    ("naskah_nomor", &["no mou", "nomor mou", "mou"]),
    ("tanggal_berdiri", &["tgl berdiri", "berdiri", "tahun berdiri"]),
];

/// One column with the place of birth and the day.
pub(super) const PLACE_AND_DAY: &[&str] = &[
    "ttl",
    "tempat tgl lahir",
    "tempat tanggal lahir",
    "tempat dan tanggal lahir",
    "tempat dan tgl lahir",
    "tmp tgl lahir",
    "tempat tgl lhr",
    "kota tanggal lahir",
    "tempat tanggal bulan tahun lahir",
];

/// One column with RT and RW, in this order and in the other.
pub(super) const RT_AND_RW: &[&str] = &["rt rw", "rtrw", "alamat rt rw"];
pub(super) const RW_AND_RT: &[&str] = &["rw rt", "rwrt"];

/// Running numbers: passed over without a word.
pub(super) const NUMBERING: &[&str] =
    &["", "no", "nomor", "no urut", "nomor urut", "nmr", "urut", "n o"];

/// A title as it is compared: lower case, letters and digits, words apart by one space.
pub(super) fn fold(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
