//! The shorter lists: states, enumerations of the forms, and the needs.

use super::{Code, CodeList};

macro_rules! lists {
    ($($(#[$doc:meta])* $id:ident $name:literal $title:literal [
        $($code:literal $label:literal $english:literal $([$($also:literal),*])? ;)*
    ])*) => {
        $(
            $(#[$doc])*
            pub static $id: CodeList = CodeList::own($name, $title, &[
                $(Code::new($code, $label, $english)$(.also(&[$($also),*]))?),*
            ]);
        )*
    };
}

lists! {
    /// Whom a need belongs to.
    PPKS_UNITS "unit_ppks" "Satuan PPKS" [
        "orang" "Orang" "person" ["O"];
        "keluarga" "Keluarga" "family" ["K"];
        "komunitas" "Komunitas" "community" ["M"];
    ]
    /// Which official list a type was taken from.
    LIST_VERSIONS "kode_daftar" "Daftar jenis yang dipakai" [
        "permensos-08-2012" "Permensos 08/2012" "Permensos 08/2012, 26 types";
        "permensos-05-2019" "Permensos 5/2019" "Permensos 5/2019, 26 types";
        "depsos-2007" "Pedoman Depsos 2007" "guide of 2007, 22 types";
        "lokal" "Daftar setempat" "local list";
    ]
    /// The ladder of a case, and its exits.
    CASE_STATES "status_penanganan" "Status penanganan" [
        "terdata" "Terdata" "recorded";
        "diverifikasi" "Diverifikasi" "verified";
        "diasesmen" "Diasesmen" "assessed";
        "direncanakan" "Direncanakan" "planned";
        "ditangani" "Ditangani" "being served";
        "dipantau" "Dipantau" "being followed up";
        "selesai" "Selesai" "closed, purpose reached";
        "dirujuk" "Dirujuk" "referred elsewhere";
        "tidak_ditemukan" "Tidak ditemukan" "not found";
        "pindah" "Pindah" "moved away";
        "meninggal" "Meninggal" "deceased";
        "ganda" "Ganda" "recorded twice";
        "ditolak" "Ditolak" "turned down, with a reason";
    ]
    /// Sex as on the card.
    SEXES "jenis_kelamin" "Jenis kelamin" [
        "L" "Laki-laki" "male" ["pria", "1", "lk"];
        "P" "Perempuan" "female" ["wanita", "2", "pr"];
    ]
    /// Age bands of the counts.
    AGE_BANDS "kelompok_umur" "Kelompok umur" [
        "0-5" "0 sampai 5 tahun" "0 to 5 years";
        "6-17" "6 sampai 17 tahun" "6 to 17 years";
        "18-59" "18 sampai 59 tahun" "18 to 59 years";
        "60+" "60 tahun ke atas" "60 years and over";
    ]
    /// Kind of place.
    PLACE_STATES "status_daerah" "Status daerah" [
        "perkotaan" "Perkotaan" "urban" ["1"];
        "perdesaan" "Perdesaan" "rural" ["2"];
    ]
    /// Lie of the land.
    GEOGRAPHIES "geografis" "Letak geografis" [
        "pantai" "Pantai" "coast" ["1"];
        "bukan_pantai" "Bukan pantai" "inland" ["2"];
    ]
    /// Place in the family.
    RELATIONS "hubungan_keluarga" "Hubungan dalam keluarga" [
        "kepala" "Kepala keluarga" "head of family";
        "istri" "Istri" "wife";
        "suami" "Suami" "husband";
        "anak" "Anak" "child";
        "menantu" "Menantu" "child-in-law";
        "cucu" "Cucu" "grandchild";
        "orang_tua" "Orang tua" "parent";
        "mertua" "Mertua" "parent-in-law";
        "famili_lain" "Famili lain" "other relative";
        "bukan_famili" "Bukan famili" "not related";
    ]
    /// Marital status.
    MARITAL_STATES "status_kawin" "Status perkawinan" [
        "belum_kawin" "Belum kawin" "single";
        "kawin" "Kawin" "married";
        "cerai_hidup" "Cerai hidup" "divorced";
        "cerai_mati" "Cerai mati" "widowed";
    ]
    /// Highest school finished.
    EDUCATIONS "pendidikan" "Pendidikan terakhir" [
        "tidak_sekolah" "Tidak atau belum sekolah" "none";
        "sd" "SD atau sederajat" "primary school";
        "smp" "SMP atau sederajat" "lower secondary school";
        "sma" "SMA atau sederajat" "upper secondary school" ["smk", "slta"];
        "diploma" "Diploma" "diploma";
        "sarjana" "Sarjana ke atas" "degree" ["s1"];
    ]
    /// Main work.
    OCCUPATIONS "pekerjaan" "Pekerjaan utama" [
        "tidak_bekerja" "Tidak bekerja" "none";
        "pelajar" "Pelajar atau mahasiswa" "pupil or student";
        "mengurus_rumah" "Mengurus rumah tangga" "keeps the house";
        "petani" "Petani" "farmer";
        "buruh_tani" "Buruh tani" "farm labourer";
        "nelayan" "Nelayan" "fisher";
        "buruh" "Buruh harian atau pabrik" "labourer";
        "pedagang" "Pedagang kecil" "small trader";
        "sopir_ojek" "Sopir atau ojek" "driver";
        "pekerja_migran" "Pekerja migran" "migrant worker";
        "karyawan" "Karyawan swasta" "employee";
        "pegawai_negeri" "PNS, TNI atau Polri" "public servant" ["pns", "tni", "polri"];
        "pensiunan" "Pensiunan" "pensioner";
        "pekerjaan_lain" "Pekerjaan lain" "other work";
    ]
    /// Kinds of disability (UU 8/2016 article 4).
    DISABILITIES "disabilitas" "Ragam disabilitas" [
        "fisik" "Fisik" "physical" ["daksa"];
        "intelektual" "Intelektual" "intellectual" ["grahita"];
        "mental" "Mental" "mental" ["odgj", "psikososial"];
        "netra" "Sensorik netra" "blind";
        "rungu" "Sensorik rungu" "deaf";
        "wicara" "Sensorik wicara" "speech";
        "disabilitas_ganda" "Ganda atau multi" "multiple";
    ]
    /// Why a record has no NIK.
    NO_NIK_REASONS "alasan_tanpa_nik" "Alasan tanpa NIK" [
        "tidak_punya" "Tidak punya" "has none";
        "hilang" "Kartu hilang" "card lost";
        "belum_terbit" "Belum terbit" "not yet issued";
        "tidak_bersedia" "Tidak bersedia" "does not want to tell";
        "bukan_perorangan" "Bukan perorangan" "not one person";
        "belum_dicatat" "Belum ditanyakan atau dicatat" "not yet asked or recorded";
    ]
    /// Lawful basis of processing (UU 27/2022 article 20).
    LEGAL_BASES "dasar_pemrosesan" "Dasar pemrosesan data" [
        "persetujuan" "Persetujuan" "consent";
        "perjanjian" "Perjanjian" "contract";
        "kewajiban_hukum" "Kewajiban hukum" "legal obligation";
        "kepentingan_vital" "Kepentingan vital" "vital interest";
        "tugas_publik" "Tugas atau pelayanan publik" "public task";
        "kepentingan_sah" "Kepentingan sah lainnya" "legitimate interest";
    ]
    /// Where the datum comes from.
    SOURCES "sumber_data" "Sumber data" [
        "rt_rw" "RT/RW" "heads of RT or RW";
        "relawan" "PSM atau relawan" "volunteer" ["psm"];
        "musdes" "Musyawarah desa" "village deliberation";
        "warga" "Laporan warga" "told by residents";
        "data_dtsen" "DTSEN" "national list" ["dtsen"];
        "impor" "Impor berkas" "imported file";
    ]
    /// Whether the national list has the person.
    DTSEN_STATES "dtsen_status" "Status DTSEN" [
        "terdaftar" "Terdaftar" "listed";
        "tidak_terdaftar" "Tidak terdaftar" "not listed" ["tidak"];
        "belum_dicek" "Belum dicek" "not yet checked";
    ]
    /// Aid programmes.
    AID_PROGRAMS "program_bantuan" "Program bantuan" [
        "pkh" "Program Keluarga Harapan" "conditional cash transfer";
        "sembako" "Program Sembako" "food aid" ["bpnt"];
        "pbi_jk" "PBI Jaminan Kesehatan" "health insurance paid by the state" ["pbi"];
        "blt_dd" "BLT Dana Desa" "cash from the village fund" ["blt"];
        "bantuan_lokal" "Bantuan setempat" "local aid" ["lokal"];
    ]
    /// Needs, and the services that answer them.
    NEEDS "kebutuhan" "Kebutuhan dan layanan" [
        "hidup_layak" "Pemenuhan kebutuhan hidup layak" "a decent living";
        "perawatan_sosial" "Perawatan sosial" "social care";
        "dukungan_keluarga" "Dukungan keluarga" "family support";
        "terapi" "Terapi fisik, psikososial atau mental" "therapy";
        "pelatihan" "Pelatihan vokasional" "vocational training";
        "kewirausahaan" "Pembinaan kewirausahaan" "entrepreneurship";
        "aksesibilitas" "Dukungan aksesibilitas" "accessibility and aids";
        "pangan" "Pangan" "food";
        "sandang" "Sandang" "clothing";
        "hunian" "Hunian" "housing";
        "biaya_pendidikan" "Biaya pendidikan" "cost of schooling";
        "kesehatan" "Kesehatan atau JKN" "health" ["jkn", "kesehatan/jkn"];
        "adminduk" "Administrasi kependudukan" "identity papers";
        "bantuan_hukum" "Bantuan hukum" "legal aid";
        "rujukan_lembaga" "Rujukan ke lembaga" "referral to an institution";
    ]
    /// House.
    HOUSE_STATES "kondisi_rumah" "Kondisi rumah" [
        "layak" "Layak huni" "fit to live in";
        "tidak_layak" "Tidak layak huni" "unfit to live in";
        "menumpang" "Menumpang" "lives with others";
        "tanpa_rumah" "Tanpa rumah" "no house";
    ]
    /// Water.
    WATER_SOURCES "sumber_air" "Sumber air" [
        "ledeng" "Ledeng" "piped" ["pdam"];
        "sumur" "Sumur" "well";
        "mata_air" "Mata air" "spring";
        "sungai" "Sungai atau hujan" "river or rain";
        "air_beli" "Membeli" "bought";
    ]
    /// Assets.
    ASSETS "aset" "Aset" [
        "tanah" "Tanah" "land";
        "sawah" "Sawah atau kebun" "field";
        "ternak" "Ternak" "livestock";
        "motor" "Sepeda motor" "motorcycle";
        "tabungan" "Tabungan atau emas" "savings";
    ]
    /// How to talk with a disabled person.
    MEANS_OF_TALK "cara_komunikasi" "Cara komunikasi" [
        "lisan" "Lisan" "spoken";
        "isyarat" "Bahasa isyarat" "sign language";
        "lewat_pendamping" "Lewat pendamping" "through a companion" ["pendamping"];
        "audio" "Audio" "audio";
        "tulisan" "Tulisan" "written";
    ]
    /// What a source is.
    PSKS_UNITS "unit_psks" "Satuan PSKS" [
        "perorangan" "Perorangan" "one person" ["orang", "O"];
        "satu_keluarga" "Keluarga" "family" ["K"];
        "badan" "Lembaga" "body" ["L"];
    ]
    /// How far a source works.
    SCOPES "wilayah_cakupan" "Wilayah cakupan" [
        "rw" "RW" "RW";
        "desa" "Desa atau kelurahan" "desa or kelurahan" ["kelurahan"];
        "kecamatan" "Kecamatan" "kecamatan" ["kec"];
        "kabupaten" "Kabupaten atau kota" "kabupaten or kota" ["kab", "kota"];
        "provinsi" "Provinsi" "provinsi" ["prov"];
    ]
    /// Whether a source is at work.
    PSKS_STATES "status_psks" "Status PSKS" [
        "calon" "Calon" "candidate";
        "aktif" "Aktif" "active" ["ya"];
        "tidak_aktif" "Tidak aktif" "not active" ["tidak"];
        "berhenti" "Berhenti" "left";
    ]
    /// When a source can help.
    AVAILABILITIES "ketersediaan" "Ketersediaan" [
        "setiap_saat" "Setiap saat" "at any time";
        "hari_kerja" "Hari kerja" "working days";
        "akhir_pekan" "Akhir pekan" "weekends";
        "bila_dipanggil" "Bila dipanggil" "on call";
    ]
    /// Legal form.
    LEGAL_FORMS "bentuk_hukum" "Bentuk hukum" [
        "yayasan" "Yayasan" "foundation";
        "perkumpulan" "Perkumpulan" "association";
        "koperasi" "Koperasi" "cooperative";
        "perusahaan" "Perusahaan" "company" ["pt", "cv"];
        "tidak_berbadan_hukum" "Tidak berbadan hukum" "none";
    ]
    /// Accreditation.
    ACCREDITATIONS "akreditasi" "Akreditasi" [
        "A" "Akreditasi A" "accredited A";
        "B" "Akreditasi B" "accredited B";
        "C" "Akreditasi C" "accredited C";
        "belum" "Belum terakreditasi" "not accredited";
    ]
    /// Group or body.
    KPS_FORMS "bentuk_kps" "Bentuk KPS" [
        "kelompok" "Usaha kelompok" "group venture";
        "lembaga" "Lembaga" "institution";
        "wksbm" "WKSBM" "a WKSBM itself";
    ]
    /// What a KPS does.
    KPS_TYPES "jenis_kps" "Jenis KPS" [
        "jaringan_wksbm" "WKSBM" "WKSBM" ["wksbm"];
        "arisan" "Arisan" "rotating savings";
        "beras_perelek" "Beras perelek" "rice-spoon collection";
        "dana_kematian" "Dana kematian" "burial fund";
        "simpan_pinjam" "Simpan pinjam" "savings and loans";
        "kube" "Kelompok usaha bersama" "joint business group";
        "dasawisma" "PKK dasawisma" "ten-house group" ["pkk"];
        "pengajian" "Pengajian" "prayer group" ["majelis taklim"];
        "dkm" "Dewan kemakmuran masjid" "mosque board";
        "posyandu" "Posyandu" "health post";
        "karang_taruna" "Karang taruna" "youth organisation";
        "panti" "Panti atau LKS" "orphanage or home" ["lks"];
        "lembaga_konsultasi" "LK3" "counselling body" ["lk3"];
        "yayasan_sosial" "Yayasan" "foundation" ["yayasan"];
        "kps_lain" "Lainnya" "other";
    ]
    /// Field of work.
    KPS_FIELDS "bidang_kps" "Bidang" [
        "sosial" "Sosial" "social";
        "ekonomi" "Ekonomi" "economy";
        "bidang_kesehatan" "Kesehatan" "health" ["kesehatan"];
        "bidang_pendidikan" "Pendidikan" "education" ["pendidikan"];
        "keagamaan" "Keagamaan" "religion";
        "kebencanaan" "Kebencanaan" "disaster";
        "kepemudaan" "Kepemudaan" "youth";
        "perempuan_anak" "Perempuan dan anak" "women and children";
    ]
    /// Level at which a network works.
    KPS_LEVELS "tingkat_kps" "Tingkat" [
        "tingkat_rt" "RT" "RT" ["rt"];
        "tingkat_rw" "RW" "RW" ["rw"];
        "tingkat_dusun" "Dusun" "hamlet" ["dusun"];
        "tingkat_desa" "Desa atau kelurahan" "desa or kelurahan" ["desa", "kelurahan"];
        "tingkat_kecamatan" "Kecamatan" "kecamatan" ["kecamatan"];
    ]
    /// How a network came about.
    KPS_ORIGINS "asal_kps" "Asal" [
        "alami" "Tumbuh alami" "grew by itself";
        "dibentuk" "Dibentuk" "was formed";
    ]
    /// Phases of a network.
    KPS_STAGES "tahap" "Tahap" [
        "calon" "Calon" "candidate";
        "dirintis" "Dirintis" "being pioneered";
        "disahkan" "Disahkan" "legalised by decree";
        "dimantapkan" "Dimantapkan" "being strengthened";
        "berkembang" "Berkembang" "developing";
        "pasif" "Pasif" "passive";
        "bubar" "Bubar" "dissolved";
    ]
    /// Money.
    FUND_SOURCES "sumber_dana" "Sumber dana" [
        "iuran" "Iuran anggota" "members' dues";
        "donatur" "Donatur" "donors";
        "csr" "CSR perusahaan" "corporate social responsibility";
        "hibah" "Hibah" "grant";
        "zakat" "Zakat, infak, sedekah" "religious giving";
        "apbd" "APBD" "regional budget";
        "apbdes" "APBDes atau dana desa" "village budget" ["dana desa"];
        "swadaya" "Swadaya" "own means";
    ]
    /// Land of a Balai.
    LAND_STATES "status_tanah" "Status tanah" [
        "milik_desa" "Milik desa" "owned by the desa";
        "wakaf" "Wakaf" "religious endowment";
        "milik_lembaga" "Milik lembaga" "owned by the body";
        "sewa" "Sewa" "rented";
        "pinjam_pakai" "Pinjam pakai" "lent";
    ]
    /// Activities.
    ACTIVITY_TYPES "jenis_kegiatan" "Jenis kegiatan" [
        "sosialisasi" "Sosialisasi" "socialisation";
        "informasi" "Penyebaran informasi" "spreading information";
        "bimbingan" "Bimbingan" "guidance";
        "rapat" "Rapat" "meeting";
        "forum" "Forum" "forum";
        "aksi_sosial" "Aksi sosial" "social action" ["aksi"];
        "pelatihan_sdm" "Pelatihan" "training" ["pelatihan"];
        "pameran" "Pameran" "exhibition" ["bazar"];
        "kampanye" "Kampanye" "campaign";
        "kunjungan" "Kunjungan" "visit";
    ]
    /// Who holds an activity.
    ORGANISER_TYPES "jenis_penyelenggara" "Jenis penyelenggara" [
        "wksbm" "WKSBM" "a WKSBM";
        "kps" "KPS" "a KPS";
        "instansi" "Instansi" "a government office";
    ]
    /// States of an activity.
    ACTIVITY_STATES "status_kegiatan" "Status kegiatan" [
        "rencana" "Rencana" "planned";
        "terlaksana" "Terlaksana" "held";
        "batal" "Batal" "called off";
    ]
    /// Where a partner stands.
    PARTNER_TYPES "jenis_sumber" "Jenis sumber" [
        "pemerintah" "Pemerintah" "government";
        "dunia_usaha" "Dunia usaha" "business";
        "lembaga_agama" "Lembaga agama" "religious body";
        "lsm" "LSM" "non-governmental organisation";
        "kampus" "Kampus" "university";
        "mitra_perorangan" "Perorangan" "one person" ["perorangan"];
        "wksbm_lain" "WKSBM lain" "another WKSBM";
    ]
    /// How far a partnership reaches (aims E.2).
    PARTNER_SCALES "skala" "Skala" [
        "lokal" "Lokal" "local";
        "regional" "Regional" "regional";
        "nasional" "Nasional" "national";
    ]
    /// What a partner gives.
    SUPPORT_FORMS "bentuk_dukungan" "Bentuk dukungan" [
        "dana" "Dana" "money";
        "barang" "Barang" "goods";
        "tenaga" "Tenaga" "hands";
        "tempat" "Tempat" "a place";
        "rujukan" "Rujukan" "referral";
        "data" "Data" "data";
    ]
    /// States of a partnership.
    PARTNER_STATES "status_kemitraan" "Status kemitraan" [
        "calon" "Calon" "candidate";
        "dijajaki" "Dijajaki" "in talks";
        "berjalan" "Berjalan" "running";
        "berakhir" "Berakhir" "ended";
        "batal" "Batal" "called off";
    ]
    /// Bantul's three kinds of service.
    SERVICE_GROUPS "golongan_layanan" "Golongan layanan" [
        "pencegahan" "Pencegahan" "prevention";
        "penanganan" "Penanganan" "handling";
        "rujukan" "Rujukan" "referral";
    ]
}

/// The band an age belongs to.
pub const fn age_band(age_years: i64) -> &'static str {
    match age_years {
        ..=5 => "0-5",
        6..=17 => "6-17",
        18..=59 => "18-59",
        60.. => "60+",
    }
}
