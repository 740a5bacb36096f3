//! The words of the programme, of government, and of this software, each explained once.
//!
//! Words with a story of their own stand here; every value of every code list follows from its
//! list, so that no form shows a code that cannot be looked up.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::codes::{self, Code};
use super::{Schema, fold_word};

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The word, as in Indonesian offices.
    pub term: &'static str,
    /// Written out, where it is an abbreviation.
    pub long: Option<&'static str>,
    /// What it means, in Indonesian.
    pub meaning: &'static str,
    /// What it means, in English.
    pub english: &'static str,
}

static GLOSSARY: LazyLock<Vec<Term>> = LazyLock::new(|| {
    let of_code = |code: &'static Code| Term {
        term: code.word(),
        long: code.short.map(|_| code.title),
        meaning: code.meaning,
        english: code.english,
    };
    let lists = Schema::standard().kinds().flat_map(|kind| kind.fields);
    let lists = lists.filter_map(|field| field.value.codes());
    let codes = codes::ppks_types().chain(lists.flat_map(|list| list.codes));
    let mut by_key = BTreeMap::new();
    let every = WORDS.iter().copied().chain(codes.map(of_code));
    for term in every.chain(codes::PROGRAM_HEADS.iter().map(of_code)) {
        by_key.entry(key(term.term)).or_insert(term);
    }
    by_key.into_values().collect()
});

/// How a word is sorted and looked up.
fn key(word: &str) -> String {
    word.split([' ', '_', '-']).map(fold_word).collect::<Vec<_>>().join(" ")
}

/// Every word, in alphabetical order, each once.
pub fn glossary() -> &'static [Term] {
    &GLOSSARY
}

/// The word as typed, or the abbreviation a code number stands for; upper and lower case alike.
pub fn glossary_term(word: &str) -> Option<&'static Term> {
    let wanted = key(word.trim());
    let place = GLOSSARY.binary_search_by(|term| key(term.term).cmp(&wanted)).ok();
    let by_word = place.and_then(|place| GLOSSARY.get(place));
    by_word
        .or_else(|| GLOSSARY.iter().find(|term| term.long.is_some_and(|long| key(long) == wanted)))
}

macro_rules! words {
    ($($term:literal $(= $long:literal)? : $meaning:literal / $english:literal;)*) => {
        &[$(Term {
            term: $term,
            long: words!(@long $($long)?),
            meaning: $meaning,
            english: $english,
        }),*]
    };
    (@long $long:literal) => { Some($long) };
    (@long) => { None };
}

const WORDS: &[Term] = words! {
    // The programme.
    "WKSBM" = "Wahana Kesejahteraan Sosial Berbasis Masyarakat":
        "Sistem kerja sama antar keperangkatan pelayanan sosial di akar rumput, yang terdiri atas \
         usaha kelompok, lembaga, dan jaringan pendukungnya." /
        "community-based vehicle for social welfare: cooperation between grass-roots groups, \
         institutions and those who back them";
    "KPS" = "Keperangkatan Pelayanan Sosial":
        "Kelompok atau lembaga akar rumput yang melayani warga: arisan, dana kematian, pengajian, \
         karang taruna, yayasan." /
        "a grass-roots social service group or body";
    "PPKS" = "Pemerlu Pelayanan Kesejahteraan Sosial":
        "Orang, keluarga, kelompok, atau komunitas yang memerlukan pelayanan sosial; dulu PMKS." /
        "person, family, group or community in need of social welfare service";
    "PMKS" = "Penyandang Masalah Kesejahteraan Sosial":
        "Nama lama PPKS, dipakai sampai sekitar 2019." / "former name of PPKS";
    "PSKS" = "Potensi dan Sumber Kesejahteraan Sosial":
        "Orang, keluarga, lembaga, atau dunia usaha yang membantu usaha kesejahteraan sosial." /
        "potential and source of social welfare: people and bodies who help";
    "Balai UKS" = "Balai Usaha Kesejahteraan Sosial":
        "Tempat warga dan KPS bertemu di RT, RW, atau desa, dengan jam buka dan buku kebutuhan; \
         tempat simpul dipasang." /
        "the community centre where the KPS meet, and where the node stands";
    "jejaring":
        "Hubungan kerja sama antar KPS, antar WKSBM, dan dengan sistem sumber." /
        "network, the key word of the programme";
    "sistem sumber":
        "Asal sumber daya: formal (negara), informal (keluarga, tetangga), kemasyarakatan." /
        "where resources come from";
    "Puskesos" = "Pusat Kesejahteraan Sosial":
        "Loket kesejahteraan sosial di desa atau kelurahan yang menerima keluhan, melayani, dan \
         merujuk." / "social welfare desk of a desa or kelurahan";
    "SLRT" = "Sistem Layanan dan Rujukan Terpadu":
        "Sistem kabupaten atau kota yang menerima keluhan dan merujuknya ke layanan." /
        "integrated service and referral system of a kabupaten or kota";
    "SIKS-NG" = "Sistem Informasi Kesejahteraan Sosial - Next Generation":
        "Aplikasi Kementerian Sosial untuk data kesejahteraan sosial." /
        "the ministry's social welfare application";
    "DTKS" = "Data Terpadu Kesejahteraan Sosial":
        "Daftar nasional keluarga miskin sampai 2025; digantikan DTSEN." /
        "former national list of the poor";
    "DTSEN" = "Data Tunggal Sosial dan Ekonomi Nasional":
        "Daftar nasional sejak 2025 (Inpres 4/2025), dengan desil dari BPS." /
        "national social and economic data since 2025, with deciles";
    "desil":
        "Sepersepuluh penduduk menurut kesejahteraan; desil 1 termiskin." /
        "a tenth of the population by welfare; 1 is the poorest";
    "PKH" = "Program Keluarga Harapan":
        "Bantuan tunai bersyarat untuk keluarga miskin." / "conditional cash transfer";
    "BLT-DD" = "Bantuan Langsung Tunai Dana Desa":
        "Bantuan tunai dari dana desa." / "cash aid from the village fund";
    "PBI-JK" = "Penerima Bantuan Iuran Jaminan Kesehatan":
        "Orang yang iuran jaminan kesehatannya dibayar negara." /
        "person whose health insurance the state pays";
    "TKSK" = "Tenaga Kesejahteraan Sosial Kecamatan":
        "Orang yang ditunjuk membantu usaha kesejahteraan sosial di satu kecamatan." /
        "officer appointed to help welfare work in one kecamatan";
    "PSM" = "Pekerja Sosial Masyarakat":
        "Relawan warga yang menemukan kasus, berkunjung, dan melapor." /
        "community volunteer who finds cases, visits and reports";
    "Tagana" = "Taruna Siaga Bencana":
        "Relawan bencana terlatih." / "trained disaster volunteers";
    "KUBE" = "Kelompok Usaha Bersama":
        "Kelompok keluarga miskin yang berusaha bersama." / "joint business group of poor families";
    "DKM" = "Dewan Kemakmuran Masjid": "Pengurus masjid." / "mosque board";
    "PKK" = "Pemberdayaan dan Kesejahteraan Keluarga":
        "Gerakan keluarga di desa; kelompok terkecilnya dasawisma." / "family welfare movement";
    "Posyandu" = "Pos Pelayanan Terpadu":
        "Pos kesehatan ibu, anak, dan lanjut usia yang dikelola warga." / "community health post";
    "beras perelek":
        "Kebiasaan Sunda mengumpulkan sesendok beras tiap rumah untuk menolong tetangga." /
        "a spoon of rice from every house, to help neighbours";
    "kearifan lokal":
        "Kebiasaan baik setempat yang menolong sesama." / "local wisdom: customs of mutual help";
    "gotong royong": "Bekerja bersama tanpa upah." / "working together without pay";
    "PDP" = "Pelindungan Data Pribadi":
        "Hak orang atas datanya; diatur UU 27/2022." / "personal data protection, law 27/2022";
    "PPDP" = "Pejabat Pelindungan Data Pribadi":
        "Petugas yang mengawasi pemakaian data pribadi." / "data protection officer";
    "ATENSI" = "Asistensi Rehabilitasi Sosial":
        "Layanan rehabilitasi sosial Kementerian Sosial." / "social rehabilitation assistance";
    "musdes" = "musyawarah desa":
        "Rapat desa yang memutuskan bersama." / "village deliberation";
    "SPTJM" = "Surat Pernyataan Tanggung Jawab Mutlak":
        "Surat kepala yang menanggung kebenaran daftar." / "letter of absolute responsibility";
    "usulan":
        "Daftar nama yang diajukan desa untuk SIKS-NG sebelum tanggal 17." /
        "list of names a desa proposes";
    // Government.
    "NIK" = "Nomor Induk Kependudukan":
        "16 angka tetap milik seorang warga. Tidak pernah dipakai sebagai identitas catatan." /
        "resident number of 16 digits; never a record's identity";
    "KK" = "Kartu Keluarga":
        "Kartu dan nomor 16 angka satu keluarga; berubah bila kepala keluarga berganti." /
        "family card; its number changes with the head of family";
    "KTP" = "Kartu Tanda Penduduk": "Kartu identitas warga." / "identity card";
    "RT" = "Rukun Tetangga":
        "Kelompok tetangga terkecil." / "the smallest neighbourhood unit";
    "RW" = "Rukun Warga": "Gabungan beberapa RT." / "neighbourhood unit above the RT";
    "dusun": "Bagian desa." / "hamlet, part of a desa";
    "desa":
        "Wilayah dengan pemerintahan terpilih sendiri, dipimpin kepala desa." /
        "rural village with its own elected government";
    "kelurahan":
        "Wilayah kota yang dipimpin lurah." / "urban ward run by the municipality";
    "kecamatan": "Wilayah di atas desa, dipimpin camat." / "district above the desa";
    "kabupaten": "Wilayah di atas kecamatan, dipimpin bupati." / "regency";
    "kota": "Setingkat kabupaten, dipimpin wali kota." / "city, at the level of a kabupaten";
    "provinsi": "Wilayah di atas kabupaten, dipimpin gubernur." / "province";
    "Dinas Sosial":
        "Kantor urusan sosial kabupaten, kota, atau provinsi." / "social affairs office";
    "Permensos" = "Peraturan Menteri Sosial": "Peraturan Kementerian Sosial." /
        "regulation of the social minister";
    "Kepmensos" = "Keputusan Menteri Sosial": "Keputusan Kementerian Sosial." /
        "decree of the social minister";
    "SK" = "Surat Keputusan": "Keputusan tertulis pejabat." / "written decree";
    "CSR" = "Corporate Social Responsibility":
        "Tanggung jawab sosial perusahaan." / "corporate social responsibility";
    // The software.
    "simpul":
        "Program ini yang sedang berjalan di satu tempat." / "node: this program, running somewhere";
    "perangkat":
        "Komputer dengan kuncinya sendiri; setiap catatan membawa nama perangkat penulisnya." /
        "device: a computer with keys of its own";
    "undangan":
        "Berkas yang memungkinkan satu perangkat bergabung, juga tanpa jaringan." /
        "invitation: a file that lets one device join";
    "bundel":
        "Berkas berisi catatan untuk dibawa dengan stik USB." /
        "bundle: a file that carries entries on a stick";
    "akar":
        "Sidik seluruh data satu wilayah; akar sama berarti data sama." /
        "root: the fingerprint of all data of an area; equal roots mean equal data";
    "konflik":
        "Dua isian berbeda yang ditulis tanpa saling tahu; keduanya disimpan sampai dipilih." /
        "conflict: two values written apart; both are kept until somebody chooses";
    "riwayat":
        "Semua perubahan satu catatan: siapa, kapan, apa." / "history: every edit of a record";
    "catatan":
        "Satu hal yang terdaftar: satu kasus, satu keluarga, satu kegiatan." /
        "record: one registered thing";
    "suntingan":
        "Yang dikerjakan sekali simpan pada satu catatan." / "edit: what one save did to one record";
    "umpan":
        "Buku tulis bertanda tangan satu perangkat untuk satu wilayah; hanya bertambah di ujung." /
        "feed: one device's signed log for one area";
    "resi":
        "Pernyataan simpul lain bahwa catatan sampai nomor sekian sudah diterimanya." /
        "receipt: 'I hold this feed up to here'";
    "sertifikat":
        "Hak satu perangkat untuk menulis, membawa, atau membaca di satu wilayah." /
        "certificate: the right to act in an area";
    "pencabutan": "Berakhirnya sertifikat oleh tingkat di atasnya." / "revocation of a certificate";
    "karantina":
        "Catatan yang disimpan tetapi tidak dihitung." / "quarantine: stored but not counting";
    "menunggu":
        "Tanda catatan dari perangkat yang belum disahkan." /
        "waiting: from a device not yet confirmed";
    "hub":
        "Simpul yang selalu menyala di antara desa-desa." / "an always-on node between villages";
    "kasus tertutup":
        "Jenis kasus yang hanya diperlihatkan kepada pemegang kasus, TKSK, dan petugas kabupaten." /
        "closed case: its type is shown only to those who hold it";
    "jaringan uji":
        "Jaringan untuk percobaan; hanya data buatan." / "trial network: synthetic people only";
    "kelas data":
        "Siapa yang boleh membaca: P umum, I internal, T hitungan, U pribadi, S khusus." /
        "class: who may read a value";
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_of_every_list_can_be_looked_up() {
        for kind in Schema::standard().kinds() {
            for code in kind
                .fields
                .iter()
                .filter_map(|field| field.value.codes())
                .flat_map(|list| list.codes)
            {
                let found = glossary_term(code.word());
                assert!(found.is_some_and(|term| !term.meaning.is_empty()), "{}", code.code);
            }
        }
    }

    #[test]
    fn the_words_people_meet_first_are_explained() {
        for code in codes::ppks_types() {
            let found = glossary_term(code.title).and_then(|term| term.long);
            assert_eq!(found, Some(code.title));
        }
        for word in [
            "WKSBM",
            "wksbm",
            "KPS",
            "PPKS",
            "PSKS",
            "balai uks",
            "jejaring",
            "TKSK",
            "PSM",
            "SLRT",
            "Puskesos",
            "DTSEN",
            "NIK",
            "KK",
            "RT",
            "RW",
            "simpul",
            "bundel",
            "akar",
            "konflik",
            "riwayat",
            "Lanjut usia terlantar",
            "LUT",
            "g.5.1.3",
            "terdata",
        ] {
            assert!(glossary_term(word).is_some(), "{word}");
        }
        assert_eq!(glossary_term("tidak ada kata begini"), None);
    }

    #[test]
    fn the_page_of_words_says_what_the_glossary_says() {
        let page = include_str!("../../../docs/glossary.md");
        for Term { term, long, english, .. } in WORDS {
            let row = format!("| {term} | {} | {english} |", long.unwrap_or_default());
            assert!(page.lines().any(|line| line == row), "docs/glossary.md lacks: {row}");
        }
    }

    #[test]
    fn terms_are_sorted_unique_and_whole() {
        let keys: Vec<_> = glossary().iter().map(|term| key(term.term)).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        assert_eq!(
            WORDS.iter().map(|term| key(term.term)).collect::<BTreeSet<_>>().len(),
            WORDS.len()
        );
        for term in glossary() {
            assert!(!term.meaning.is_empty() && !term.english.is_empty(), "{}", term.term);
        }
    }
}
