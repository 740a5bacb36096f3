//! Why a value was refused or warned about: one rule each, in English for programs and in
//! Indonesian for the person at the desk. None of the words ever holds the value itself.

use std::fmt;

/// A rule: its name in answers, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `snake_case`, unique, kept for ever: scripts look at it.
    pub name: &'static str,
    /// What it says, in English.
    pub english: &'static str,
    /// What it says and what to do, in Indonesian.
    pub indonesian: &'static str,
}

macro_rules! rules {
    ($($id:ident $name:literal $english:literal $indonesian:literal;)*) => {
        $(
            #[doc = $english]
            pub const $id: Rule =
                Rule { name: $name, english: $english, indonesian: $indonesian };
        )*
        /// Every rule.
        pub const ALL: &[Rule] = &[$($id),*];
    };
}

rules! {
    FIELD_UNKNOWN "kolom_tidak_ada" "the kind has no such field"
        "Kolom ini tidak ada. Lihat nama kolom dengan `wksbm schema`.";
    FORBIDDEN "dilarang_hukum" "the law forbids keeping this"
        "Data ini tidak boleh disimpan. Hapus kolomnya.";
    REQUIRED "wajib_diisi" "a record must have this field"
        "Kolom ini wajib diisi.";
    EMPTY "kosong" "the value is empty; to empty a field, clear it"
        "Isinya kosong. Untuk mengosongkan kolom, pakai perintah hapus isi.";
    TWICE "dua_kali" "the field is named twice in one save"
        "Kolom ini disebut dua kali. Tulis satu kali saja.";
    NOT_A_SET "bukan_daftar" "the field holds one value: it takes no list of them, and none can be added or removed"
        "Kolom ini hanya berisi satu nilai: tidak menerima daftar, dan tidak dapat ditambah atau dikurangi.";
    NOT_YES_NO "bukan_kolom_ya_tidak" "true and false are values of a field of yes or no; any other takes a text"
        "true dan false hanya untuk kolom ya atau tidak. Tulis isi kolom ini sebagai teks, di antara tanda kutip.";
    NUMBER_FORM "angka_berubah" "a number that is not whole, or has more digits than JSON readers keep, would be changed; write it as a text, between quotation marks"
        "Angka yang tidak bulat atau terlalu panjang akan berubah bila dibaca. Tulis sebagai teks, di antara tanda kutip.";
    TEXT_LONG "terlalu_panjang" "the text is longer than the field allows"
        "Teks terlalu panjang. Singkatkan.";
    TEXT_CONTROL "huruf_kendali" "the text holds control characters, or signs that are invisible or turn the direction of writing"
        "Teks memuat tanda yang tidak terlihat atau membalik arah tulisan. Ketik ulang.";
    TEXT_LINE "satu_baris" "the field takes one line: no line break and no tab"
        "Kolom ini hanya satu baris, tanpa ganti baris dan tanpa tab. Tulis dalam satu baris.";
    TEXT_UNSEEN "huruf_tak_terlihat" "signs that nobody sees were taken out of the text"
        "Tanda yang tidak terlihat dikeluarkan dari isian. Periksa hasilnya.";
    SECTION_LARGE "terlalu_besar" "one save holds more than an edit may carry"
        "Isi sekali simpan terlalu besar. Bagi menjadi beberapa kali simpan.";
    NUMBER "bukan_bilangan" "not a whole number"
        "Isi dengan bilangan bulat, misalnya 12 atau 1.500.000.";
    RANGE "di_luar_batas" "the number lies outside what the field allows"
        "Bilangan di luar batas kolom ini.";
    YES_NO "bukan_ya_tidak" "neither yes nor no"
        "Isi dengan ya atau tidak.";
    DATE "bukan_tanggal" "not a date; write YYYY-MM-DD or DD/MM/YYYY, the year with four digits"
        "Tanggal tidak dikenal. Tulis seperti 17/08/1987 atau 1987-08-17.";
    MONTH "bukan_bulan" "not a month; write YYYY-MM"
        "Bulan tidak dikenal. Tulis seperti 2026-11.";
    CODE "kode_tidak_dikenal" "the code is not in the field's list"
        "Kode tidak ada dalam daftar. Lihat daftarnya dengan `wksbm schema`.";
    CODE_OLD "kode_daftar_lama" "the code comes from an older list and was converted"
        "Kode berasal dari daftar lama dan sudah disesuaikan. Periksa hasilnya.";
    RT_RW "bukan_rt_rw" "not the number of an RT or RW; write two digits, or - if unknown"
        "Isi nomor RT atau RW dua angka, atau - bila tidak tahu.";
    REFERENCE "bukan_id" "not a record id of 32 hexadecimal digits"
        "Isi dengan id catatan, 32 huruf-angka.";
    REFERENCE_ABSENT "rujukan_belum_ada" "this node holds no record of that kind under the id the field names; it is kept, for the record may not have come yet"
        "Catatan yang dirujuk tidak ada di simpul ini. Rujukannya tetap disimpan; periksa id-nya, atau tunggu catatannya sampai dari simpul lain.";
    HASH "bukan_hash" "not a BLAKE3 hash of 64 hexadecimal digits"
        "Isi dengan sidik berkas, 64 huruf-angka.";
    NIK_EXCEL "rusak_excel" "a spreadsheet took the number for a quantity and lost digits; type it again"
        "Nomor rusak oleh Excel, ketik ulang dari kartu.";
    NIK_DIGITS "bukan_16_angka" "the number must have 16 digits"
        "Nomor harus 16 angka. Periksa kartunya.";
    NIK_AREA "kode_wilayah_nomor" "the number begins with no possible area code"
        "Enam angka pertama bukan kode wilayah yang mungkin. Periksa kartunya.";
    NIK_DATE "tanggal_dalam_nomor" "the number holds an impossible date"
        "Tanggal di dalam nomor tidak mungkin. Periksa kartunya.";
    NIK_BIRTH_DIFFERS "nik_beda_tanggal_lahir" "the birth date in the NIK differs from the record; both are kept"
        "Tanggal lahir dalam NIK berbeda dari kolom tanggal lahir. Keduanya disimpan; periksa.";
    NIK_SEX_DIFFERS "nik_beda_jenis_kelamin" "the sex in the NIK differs from the record; both are kept"
        "Jenis kelamin dalam NIK berbeda dari kolomnya. Keduanya disimpan; periksa.";
    NIK_HELD "nik_sudah_ada" "another record of this kind in this area holds the same NIK; both are kept"
        "Catatan lain sejenis di wilayah ini sudah memakai NIK yang sama. Keduanya disimpan; periksa apakah orangnya sama.";
    NIK_ABSENT "alasan_tanpa_nik" "no NIK and no reason given; noted as not yet recorded"
        "NIK kosong tanpa alasan; dicatat sebagai belum dicatat. Lengkapi bila sudah ada.";
    NIK_AND_REASON "nik_dan_alasan" "a NIK and a reason for having none contradict each other; clear one of them"
        "NIK dan alasan tanpa NIK tidak dapat berlaku bersama. Isi salah satu, kosongkan yang lain.";
    NIK_REASON_CLEARED "alasan_dikosongkan" "the reason for having no NIK was cleared, for there is a NIK now"
        "Alasan tanpa NIK dikosongkan karena NIK sudah diisi.";
    TRANSITION "perpindahan_status" "the status may not go there from where it is"
        "Status tidak dapat berpindah ke sana. Lihat urutannya dengan `wksbm schema`.";
    TYPE_AGE "umur_di_luar_jenis" "the age lies outside the usual window of a type; reports may ask"
        "Umur di luar kebiasaan jenis ini. Periksa umur atau jenisnya.";
    TYPE_AGE_NEVER "umur_tidak_mungkin" "the age lies beyond what a type allows"
        "Umur tidak mungkin untuk jenis ini. Perbaiki umur atau jenisnya.";
    TYPE_SEX "jenis_kelamin_tidak_sesuai" "a type belongs to the other sex"
        "Jenis ini hanya untuk perempuan. Perbaiki jenis kelamin atau jenisnya.";
    CLOSED_NAMED "kasus_tertutup" "name the type itself; it is closed for others by the program"
        "Tulis kode jenisnya (10, 14, 16, 18 atau 19); program menutupnya sendiri.";
    CLOSED_UNREADABLE "tertutup_tidak_terbaca" "only who can read the closed types may take them away; if there are none left, clear the closed field"
        "Jenis tertutup hanya dapat dihapus oleh petugas yang dapat membacanya. Bila memang tidak ada \
         lagi, kosongkan kolom jenis_tertutup.";
    BAND_COMPUTED "kelompok_umur_dihitung" "the age band follows from the birth date; what was typed was replaced"
        "Kelompok umur dihitung dari tanggal lahir; isian diganti.";
    GUARDIAN "wali_anak" "a child's record names neither a guardian nor why there is none"
        "Data anak perlu wali (kolom wali) atau alasannya (alasan_wali).";
    COMMUNICATION "cara_komunikasi" "a disabled person's record does not say how to talk with them"
        "Isi cara_komunikasi untuk penyandang disabilitas.";
    ANY_OF "isi_salah_satu" "one of several fields must be filled"
        "Isi salah satu kolom yang diminta.";
    NEEDS "perlu_kolom_lain" "another field's value makes this field necessary"
        "Kolom ini wajib untuk pilihan tersebut.";
    FUTURE "tanggal_masa_depan" "the date lies after today by this machine's clock"
        "Tanggal lebih lambat dari hari ini. Periksa tanggal atau jam komputer.";
    ORDER "urutan_tanggal" "the later of two dates lies before the earlier"
        "Tanggal akhir lebih dulu dari tanggal awal.";
    PART_LARGER "bagian_melebihi_jumlah" "a part is larger than the whole"
        "Bagian lebih besar dari jumlah seluruhnya.";
    SHEET_HEADING "judul_tidak_ditemukan" "no heading among the first rows of the sheet"
        "Baris judul kolom tidak ditemukan di 20 baris pertama. Beri judul seperti NAMA, NIK, RT, RW, atau pakai --map.";
    SHEET_COLUMN_TWICE "kolom_ganda" "two columns of the sheet mean this field"
        "Dua kolom berisi hal yang sama. Hapus salah satu, atau lewati dengan --map.";
    SHEET_COLUMN "kolom_tidak_dikenal" "the column means no field and is passed over"
        "Judul kolom tidak dikenal, isinya dilewati. Bila perlu, sebut artinya dengan --map.";
    SHEET_COLUMN_NEAR "judul_mirip" "the column's heading resembles a known one, means no field and is passed over"
        "Judul kolom mirip kolom yang dikenal, tetapi tidak sama; isinya dilewati. Betulkan judulnya, atau sebut artinya dengan --map.";
    SHEET_MERGED "sel_gabungan" "cells are merged: what they hold counts for the first one only, the others are blank"
        "Sel-sel ini digabung: isinya hanya berlaku untuk sel pertama, yang lain dianggap kosong. Pisahkan (Unmerge Cells), isi setiap baris, lalu impor lagi.";
    SHEET_SEPARATORS "pemisah_berbeda" "the heading and the rows use different separators"
        "Baris judul dan baris isi memakai pemisah yang berbeda. Simpan ulang sebagai CSV dengan satu pemisah di semua baris.";
    SHEET_MAP "peta_tanpa_kolom" "the map names a column that the sheet has not"
        "Peta kolom menyebut judul yang tidak ada di lembar ini.";
    SHEET_OTHERS "lembar_lain" "the workbook has other sheets; only the first with a heading is read"
        "Berkas memuat lembar lain. Hanya lembar pertama yang berjudul kolom yang dibaca.";
    SHEET_LARGE "berkas_terlalu_besar" "the sheet is larger than is read at once"
        "Berkas terlalu besar. Bagi menjadi beberapa berkas.";
    SHEET_CELL_LONG "sel_terlalu_panjang" "a cell of the sheet holds more than 65,536 bytes"
        "Isi sel ini terlalu panjang untuk diimpor. Singkatkan, lalu impor lagi.";
    SHEET_CELL "sel_rusak" "the cell holds a failed formula"
        "Sel berisi rumus yang gagal, seperti #N/A atau #REF!. Isi dengan nilainya.";
    SHEET_LETTERS "huruf_rusak" "letters of the cell were lost in a conversion"
        "Huruf dalam sel rusak. Simpan ulang berkas sebagai CSV UTF-8.";
    SHEET_GUESSED "huruf_campuran" "the cell holds letters in another encoding than most of the file; they were read for what they most likely are"
        "Huruf dalam sel ini disimpan dengan cara lain daripada bagian lain berkas, jadi ditebak. Periksa ejaannya; lebih baik simpan ulang berkas sebagai CSV UTF-8.";
    SHEET_JOINED "baris_disatukan" "the field takes one line: line breaks and tabs in the cell were read as blanks"
        "Kolom ini hanya satu baris: ganti baris dan tab di dalam sel dibaca sebagai spasi. Periksa hasilnya.";
    SHEET_WIDE "baris_melebihi_judul" "the row has more cells than the heading; its values have slipped"
        "Baris ini lebih panjang dari judulnya, isinya bergeser. Periksa tanda pemisah di dalam isian.";
    SHEET_TWICE "ganda_dalam_berkas" "an earlier row of the sheet speaks of the same record"
        "Baris sebelumnya berisi orang atau hal yang sama. Gabungkan kedua baris.";
    SHEET_BARE "nama_tanpa_nomor" "another row of the sheet has this name, and a NIK or another number that this row lacks; nothing tells whether both are the same"
        "Baris lain di berkas ini bernama sama dan punya NIK atau nomor, baris ini tidak. Orang yang sama: hapus baris ini. Orang lain: lengkapi NIK atau tanggal lahirnya, atau tambahkan dengan `wksbm record add`.";
    SHEET_SEVERAL "cocok_lebih_dari_satu" "the row fits two records or more"
        "Baris ini cocok dengan lebih dari satu catatan. Lengkapi NIK, atau ubah catatannya satu per satu.";
    SHEET_UNCERTAIN "belum_tentu_sama" "a record of this name is held, and neither a NIK nor a day of birth proves that the row means it"
        "Sudah ada catatan dengan nama ini, dan tidak ada NIK atau tanggal lahir yang membuktikan bahwa orangnya sama. Orang yang sama: lengkapi catatan itu dengan `wksbm record set`. Orang lain: tulis NIK atau tanggal lahirnya, atau tambahkan dengan `wksbm record add`.";
    SHEET_CONTESTED "catatan_bertentangan" "the record the row means holds two values of what the row is known by; the conflict is settled first"
        "Catatan yang dimaksud masih memuat dua isi yang bertentangan untuk kolom pengenal ini. Selesaikan dahulu dengan `wksbm record settle`, lalu impor lagi.";
    SHEET_LIKELY "dikenali_dari_nama" "taken for the record with this name, day of birth, RW and RT; no NIK was there to compare"
        "Dianggap orang yang sama: nama, tanggal lahir, RW, dan RT sama; NIK tidak dapat dibandingkan. Periksa sebelum memakai --apply.";
    SHEET_NAMESAKE "nama_sama" "another record or row has this name, and neither a NIK nor a day of birth tells them apart"
        "Ada catatan atau baris lain dengan nama ini, dan tidak ada NIK atau tanggal lahir yang membedakan. Pastikan bukan orang yang sama.";
    SHEET_RENAMED "nama_berbeda" "the record that the number belongs to has had another name"
        "Catatan dengan nomor ini bernama lain. Pastikan nomornya tidak tertukar.";
    SHEET_FULL "catatan_terlalu_besar" "the row fits a record that has grown too large for another change"
        "Baris ini cocok dengan catatan yang sudah terlalu besar dan tidak dapat ditambah lagi. Lanjutkan di catatan baru.";
    SHEET_UNREAD "belum_dibandingkan" "the area holds a record of this kind that is too large to be read, and the row may be about that one"
        "Di wilayah ini ada catatan sejenis yang terlalu besar untuk dibaca. Pastikan baris ini bukan tentang catatan itu.";
    SHEET_WAITS "catatan_menunggu" "the row fits a record that waits for a confirmation, or for an entry that has not come"
        "Baris ini cocok dengan catatan yang masih menunggu. Sahkan dahulu perangkat penulisnya, atau impor bundel yang kurang.";
    WAITS "menunggu_pengesahan" "this is not open data: it waits, and counts once this device is confirmed"
        "Ini bukan data terbuka: menunggu, dan baru dihitung sesudah perangkat ini disahkan.";
    ENTRY_REPLACED "isi_sudah_diganti" "the entry's value has been replaced by a later one"
        "Isi dari entri itu sudah diganti entri lain. Lihat pilihannya dengan `wksbm record conflicts`.";
    ENTRY_WITHOUT "entri_tanpa_isi" "the entry wrote no value of this field"
        "Entri itu tidak menulis isi kolom ini. Lihat pilihannya dengan `wksbm record conflicts`.";
    ENTRY_APART "entri_tidak_dihitung" "the entry does not count, so its value is no choice"
        "Entri itu tidak dihitung, jadi isinya tidak dapat dipilih. Lihat pilihannya dengan `wksbm record conflicts`.";
}

/// The rule of that name: what a message in Indonesian is made from.
pub fn rule(name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.name == name)
}

/// A warning: the value is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The field's name.
    pub field: String,
    /// The rule's name; see [`rule`].
    pub rule: &'static str,
    /// What the rule says, in English, without the value.
    pub message: String,
}

impl Notice {
    /// A warning on `field`.
    pub fn new(field: &str, rule: &Rule) -> Self {
        Self { field: field.to_owned(), rule: rule.name, message: rule.english.to_owned() }
    }
}

/// What a caller can do about a refusal.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// There is no field of that name.
    FieldUnknown,
    /// The value breaks its field's declaration, or fields do not fit together.
    Value,
    /// A NIK or KK number whose digits a spreadsheet has thrown away.
    NikExcel,
    /// A state that may not follow the shown one.
    Transition {
        /// The shown state. Class T: for the person who asked, never for a log.
        from: String,
        /// The state asked for.
        to: String,
    },
}

impl fmt::Debug for RefusalReason {
    // States are values of class T.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FieldUnknown => "FieldUnknown",
            Self::Value => "Value",
            Self::NikExcel => "NikExcel",
            Self::Transition { .. } => "Transition",
        })
    }
}

/// A save that was refused: nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of mistake.
    pub reason: RefusalReason,
    /// The field's name, or what was given as one.
    pub field: String,
    /// The rule's name; see [`rule`].
    pub rule: &'static str,
    /// What the rule says, in English, without the value.
    pub message: String,
}

impl Refusal {
    /// A value refused under `rule`.
    pub fn value(field: &str, rule: &Rule) -> Self {
        Self::with(RefusalReason::Value, field, rule)
    }

    /// A refusal under `rule` that the caller treats as `reason` says.
    pub fn with(reason: RefusalReason, field: &str, rule: &Rule) -> Self {
        Self { reason, field: field.to_owned(), rule: rule.name, message: rule.english.to_owned() }
    }

    /// The same, with more to say. `more` must not hold a value.
    #[must_use]
    pub fn because(mut self, more: &str) -> Self {
        self.message = format!("{}: {more}", self.message);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rule_names_are_unique_snake_case_and_found() {
        let names: BTreeSet<&str> = ALL.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), ALL.len());
        for entry in ALL {
            let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(entry.name.bytes().all(is_plain), "{}", entry.name);
            assert!(entry.indonesian.ends_with('.'), "{}", entry.name);
            assert_eq!(rule(entry.name), Some(entry));
        }
    }

    #[test]
    fn states_are_not_shown_in_debug() {
        let reason = RefusalReason::Transition { from: "terdata".into(), to: "selesai".into() };
        let shown = format!("{:?}", Refusal::with(reason, "status", &TRANSITION));
        assert!(!shown.contains("terdata") && !shown.contains("selesai"), "{shown}");
    }
}
