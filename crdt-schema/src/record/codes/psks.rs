//! The 12 types of PSKS of Permensos 08/2012, in its order, and one that older lists had.

use super::{Code, CodeList};

/// People and bodies who help.
pub static PSKS_TYPES: CodeList = CodeList {
    name: "psks",
    version: "permensos-08-2012",
    title: "Jenis PSKS",
    prefix: "",
    codes: &[
        Code::new("01", "Pekerja sosial profesional", "professional social worker")
            .short("Peksos")
            .means("Pekerja sosial bersertifikat yang berpraktik, negeri atau swasta."),
        Code::new("02", "Pekerja sosial masyarakat", "community social worker")
            .short("PSM")
            .means("Warga 18 tahun ke atas, terlatih, yang mengabdi sebagai relawan."),
        Code::new("03", "Taruna siaga bencana", "disaster response volunteer")
            .short("Tagana")
            .means("Relawan bencana terlatih, 18 sampai 40 tahun."),
        Code::new("04", "Lembaga kesejahteraan sosial", "social welfare organisation")
            .short("LKS")
            .means("Organisasi sosial yang didirikan masyarakat, berbadan hukum atau tidak.")
            .older(&["ORSOS", "Organisasi sosial"]),
        Code::new("05", "Karang taruna", "village youth organisation")
            .short("KT")
            .means("Organisasi pemuda desa atau kelurahan."),
        Code::new(
            "06",
            "Lembaga konsultasi kesejahteraan keluarga",
            "family welfare counselling body",
        )
        .short("LK3")
        .means("Lembaga berisi tenaga profesional yang memberi konsultasi dan merujuk keluarga."),
        Code::new("07", "Keluarga pioner", "pioneering family")
            .short("KP")
            .means("Keluarga yang mengatasi masalahnya sendiri dan menjadi teladan.")
            .also(&["Keluarga pionir"]),
        Code::new(
            "08",
            "Wahana kesejahteraan sosial keluarga berbasis masyarakat",
            "community-based vehicle for family social welfare",
        )
        .short("WKSBM")
        .means(
            "Sistem kerja sama antar keperangkatan pelayanan sosial di akar rumput: usaha \
             kelompok, lembaga, dan jaringan pendukungnya.",
        )
        .also(&["WKSKBM", "Wahana kesejahteraan sosial berbasis masyarakat"]),
        Code::new("09", "Wanita pemimpin kesejahteraan sosial", "woman welfare leader")
            .short("WPKS")
            .means("Perempuan yang memimpin usaha kesejahteraan sosial di wilayahnya."),
        Code::new("10", "Penyuluh sosial", "social extension worker").short("Pensos").means(
            "Penyebar dan penjelas program: pegawai negeri, atau tokoh agama, adat, pemuda.",
        ),
        Code::new("11", "Tenaga kesejahteraan sosial kecamatan", "kecamatan welfare officer")
            .short("TKSK")
            .means("Orang yang ditunjuk membantu usaha kesejahteraan sosial di satu kecamatan."),
        Code::new("12", "Dunia usaha", "business")
            .short("DU")
            .means("Perusahaan yang ikut dalam usaha kesejahteraan sosial.")
            .older(&["DU-UKS"]),
        Code::new("lokal-KEPERINTISAN", "Keperintisan dan kepahlawanan", "heroism and pioneering")
            .means("Jenis dalam daftar 2007 yang tidak ada dalam Permensos 08/2012.")
            .older(&["KEPERAWANAN", "Keperintisan"]),
    ],
};
