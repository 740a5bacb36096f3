//! The 26 types of PPKS of Permensos 08/2012, in its order, in two lists.
//!
//! Types 10, 14, 16, 18 and 19 ruin a life where they are known: they stand in a list of their
//! own, and the open list has [`PPKS_MARKER`] for all of them. Abbreviations that no source gives
//! were chosen here. Meanings are shortened, in own words.

use super::{Code, CodeList};

const VERSION: &str = "permensos-08-2012";

/// What the open list says in place of every closed type.
pub const PPKS_MARKER: &str = "tertutup";

/// The types everybody may count, two that cities add, and the marker of the closed ones.
pub static PPKS_OPEN: CodeList =
    CodeList { name: "ppks", version: VERSION, title: "Jenis PPKS", prefix: "", codes: OPEN };

/// The types few may read.
pub static PPKS_CLOSED: CodeList = CodeList {
    name: "ppks_tertutup",
    version: VERSION,
    title: "Jenis PPKS tertutup",
    prefix: "",
    codes: CLOSED,
};

/// All types in the order of the rule, then those cities add.
pub fn ppks_types() -> impl Iterator<Item = &'static Code> {
    let mut types: Vec<_> =
        OPEN.iter().chain(CLOSED).filter(|code| code.code != PPKS_MARKER).collect();
    // Digits come before letters, so the local ones stand last.
    types.sort_by_key(|code| code.code);
    types.into_iter()
}

const OPEN: &[Code] = &[
    Code::new("01", "Anak balita terlantar", "neglected toddler")
        .short("ABT")
        .means(
            "Anak sampai 5 tahun yang ditinggalkan, atau keluarganya tidak mampu atau tidak mau \
             mengasuh sehingga hak dasarnya tidak terpenuhi.",
        ),
    Code::new("02", "Anak terlantar", "neglected child")
        .short("AT")
        .means("Anak usia sekolah yang diabaikan, diperlakukan salah, atau tanpa asuhan orang tua."),
    Code::new("03", "Anak yang berhadapan dengan hukum", "child in conflict with the law")
        .short("ABH")
        .means(
            "Anak yang disangka, didakwa atau dijatuhi pidana, atau menjadi korban atau saksi \
             tindak pidana.",
        )
        .older(&["AN", "Anak nakal"]),
    Code::new("04", "Anak jalanan", "street child")
        .short("AJ")
        .means("Anak yang rentan, bekerja, atau hidup di jalanan."),
    Code::new("05", "Anak dengan kedisabilitasan", "child with a disability")
        .short("ADK")
        .means("Anak di bawah 18 tahun dengan disabilitas fisik, mental, atau keduanya."),
    Code::new(
        "06",
        "Anak yang menjadi korban tindak kekerasan atau diperlakukan salah",
        "child victim of violence or mistreatment",
    )
    .short("AKTK")
    .means("Anak yang disakiti atau terancam kekerasan di lingkungan dekatnya."),
    Code::new("07", "Anak yang memerlukan perlindungan khusus", "child in need of special protection")
        .short("AMPK")
        .means(
            "Anak dalam keadaan darurat, kelompok minoritas, dieksploitasi, diperdagangkan, \
             diculik, atau keadaan lain menurut UU 35/2014 pasal 59.",
        ),
    Code::new("08", "Lanjut usia terlantar", "neglected elderly person")
        .short("LUT")
        .means("Orang berumur 60 tahun atau lebih yang tidak dapat memenuhi kebutuhan dasarnya."),
    Code::new("09", "Penyandang disabilitas", "person with a disability")
        .short("PD")
        .means(
            "Orang dengan keterbatasan fisik, intelektual, mental atau sensorik jangka panjang \
             yang terhalang berpartisipasi penuh.",
        )
        .older(&["PACA", "Penyandang cacat"]),
    Code::new("11", "Gelandangan", "homeless person")
        .short("GLDNG")
        .means("Orang tanpa tempat tinggal dan mata pencaharian tetap, sering tanpa KTP.")
        .also(&["GLD"]),
    Code::new("12", "Pengemis", "beggar")
        .short("PGMS")
        .means("Orang yang mendapat penghasilan dengan meminta-minta di tempat umum.")
        .also(&["PGM"]),
    Code::new("13", "Pemulung", "waste picker")
        .short("PML")
        .means("Orang yang hidup dari mengumpulkan barang bekas."),
    Code::new("15", "Bekas warga binaan lembaga pemasyarakatan", "former prisoner")
        .short("BWBLP")
        .means(
            "Orang yang selesai menjalani pidana, atau dalam tiga bulan terakhirnya, dan sulit \
             kembali ke masyarakat.",
        )
        .older(&["BWBLK"]),
    Code::new("17", "Korban penyalahgunaan NAPZA", "victim of drug abuse")
        .short("NAPZA")
        .means("Orang yang memakai narkotika, psikotropika atau zat adiktif di luar pengawasan dokter."),
    Code::new("20", "Pekerja migran bermasalah sosial", "migrant worker in social trouble")
        .short("PMBS")
        .means(
            "Pekerja migran, di dalam atau luar negeri, yang mengalami kekerasan, kecelakaan, \
             pengusiran, atau tidak dapat menyesuaikan diri.",
        )
        .older(&["PM", "Pekerja migran"]),
    Code::new("21", "Korban bencana alam", "victim of a natural disaster")
        .short("KBA")
        .means("Orang atau keluarga yang menderita akibat bencana alam."),
    Code::new("22", "Korban bencana sosial", "victim of a social disaster")
        .short("KBS")
        .means("Orang atau keluarga yang menderita akibat konflik antarkelompok atau teror."),
    Code::new("23", "Perempuan rawan sosial ekonomi", "woman at social and economic risk")
        .short("PRSE")
        .means("Perempuan 18 sampai 59 tahun yang penghasilannya tidak cukup.")
        .older(&["WRSE", "Wanita rawan sosial ekonomi"]),
    Code::new("24", "Fakir miskin", "the poor")
        .short("FM")
        .means(
            "Keluarga tanpa mata pencaharian, atau yang mata pencahariannya tidak mencukupi \
             kebutuhan dasar. Dicatat per keluarga.",
        )
        .older(&["KFM", "Keluarga fakir miskin"]),
    Code::new(
        "25",
        "Keluarga bermasalah sosial psikologis",
        "family with social and psychological problems",
    )
    .short("KBSP")
    .means("Keluarga yang hubungan di dalamnya begitu buruk sehingga tugasnya tidak terlaksana."),
    Code::new("26", "Komunitas adat terpencil", "isolated customary community")
        .short("KAT")
        .means("Kelompok adat setempat yang kecil, terpencil, dan terikat pada alamnya."),
    Code::new("lokal-KLGRTN", "Keluarga rentan", "vulnerable family")
        .short("KLGRTN")
        .means("Keluarga yang mudah jatuh miskin; tidak ada dalam Permensos 08/2012."),
    Code::new("lokal-RTLH", "Rumah tidak layak huni", "house unfit to live in")
        .short("RTLH")
        .means("Keluarga yang rumahnya tidak layak huni; tambahan kota, tidak ada dalam Permensos 08/2012."),
    Code::new(PPKS_MARKER, "Kasus tertutup", "closed case")
        .means(
            "Ada jenis yang tidak diperlihatkan. Hanya pemegang kasus, TKSK dan petugas kabupaten \
             dapat membukanya.",
        ),
];

const CLOSED: &[Code] = &[
    Code::new("10", "Tuna susila", "sex worker")
        .short("TS")
        .means("Orang yang berulang kali berhubungan seks di luar nikah untuk upah."),
    Code::new("14", "Kelompok minoritas", "minority group")
        .short("KM")
        .means("Kelompok yang terganggu fungsi sosialnya karena diskriminasi dan peminggiran."),
    Code::new("16", "Orang dengan HIV/AIDS", "person living with HIV/AIDS")
        .short("ODHIV")
        .means(
            "Orang yang menurut pemeriksaan medis mengidap HIV. Tidak ditanyakan relawan; datang \
             lewat rujukan layanan kesehatan.",
        )
        .older(&["ODHA"]),
    Code::new("18", "Korban trafficking", "victim of human trafficking")
        .short("KTr")
        .means("Orang yang dirugikan oleh perdagangan orang.")
        .also(&["Korban perdagangan orang"]),
    Code::new("19", "Korban tindak kekerasan", "victim of violence")
        .short("KTK")
        .means("Orang atau keluarga yang menderita atau terancam kekerasan, penelantaran, atau eksploitasi."),
];
