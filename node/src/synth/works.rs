//! The fields of those who help and of what is done: PSKS, KPS, kegiatan, kemitraan, layanan.
//!
//! Organisations are made up; a firm is `CV Contoh ..`. There is no phone number anywhere: a made-up
//! one may belong to someone.

use super::calendar::{Date, YEAR, day_of};
use super::counts::Sort;
use super::fields::{Fields, NEEDS as KEBUTUHAN, PROGRAMMES, PSKS};
use super::random::Random;
use super::village::{Slot, Village};

const HOPE: [&str; 8] = [
    "Tunas Mekar",
    "Asih Mulia",
    "Bina Sauyunan",
    "Karya Mandiri",
    "Cahaya Harapan",
    "Sinar Wargi",
    "Mitra Warga",
    "Harapan Jaya",
];
const TRAINING: [&str; 4] =
    ["dasar PSM", "pendampingan kasus", "tanggap darurat", "pencatatan data"];
const SKILLS: [&str; 4] = ["pendampingan lansia", "dapur umum", "konseling", "pengolahan data"];

/// What a group at the grass roots is called, its type, and its field of work.
const GROUPS: [(&str, &str, &str); 6] = [
    ("Kelompok Rereongan", "kps_lain", "sosial"),
    ("Majelis Taklim", "pengajian", "keagamaan"),
    ("Kelompok Arisan", "arisan", "ekonomi"),
    ("Rukun Kematian", "dana_kematian", "sosial"),
    ("Kelompok Usaha", "kube", "ekonomi"),
    ("Beras Perelek", "beras_perelek", "sosial"),
];

/// Phases of a group and how many of a hundred stand at each; `disahkan` needs its decree.
const STAGES: [&str; 6] = ["calon", "dirintis", "disahkan", "dimantapkan", "berkembang", "pasif"];
const STAGE_WEIGHTS: [u32; 6] = [25, 26, 20, 15, 8, 6];
const PLACES: [&str; 5] = ["Balai desa", "Balai RW", "Posyandu", "Aula sekolah", "Madrasah"];
const HOSTS: [(&str, &str); 3] =
    [("wksbm", "WKSBM"), ("kps", "KPS"), ("instansi", "Pemerintah desa")];
const THEMES: [&str; 8] = [
    "pelayanan lansia",
    "perlindungan anak",
    "keluarga pra-sejahtera",
    "penyandang disabilitas",
    "beras perelek",
    "gotong royong",
    "data terpadu",
    "kesiapsiagaan bencana",
];
const RESULTS: [&str; 6] = [
    "Peserta sepakat melanjutkan pertemuan setiap bulan dan menunjuk penanggung jawab di tiap RW.",
    "Daftar kasus diperiksa bersama ketua RT; beberapa alamat perlu dikunjungi ulang.",
    "Iuran warga disalurkan kepada keluarga yang paling membutuhkan.",
    "Kelompok baru bersedia bergabung dengan jaringan dan mengirim dua orang untuk dilatih.",
    "Kebutuhan alat bantu dicatat dan akan diusulkan ke kabupaten.",
    "Warga meminta jadwal pelayanan ditempel di papan pengumuman desa.",
];
const FUNDS: [&str; 4] = ["apbdes", "swadaya", "apbd", "csr"];
const ONE_PERSON: &str = "mitra_perorangan";
const PARTNERS: [(&str, &str); 6] = [
    ("dunia_usaha", "CV Contoh Jaya"),
    ("lembaga_agama", "DKM Al-Hidayah"),
    ("lsm", "Yayasan Contoh"),
    ("kampus", "Sekolah Tinggi Contoh"),
    ("pemerintah", "Puskesmas Contoh"),
    (ONE_PERSON, "Donatur Contoh"),
];
const FORMS: [&str; 6] = ["dana", "barang", "tenaga", "tempat", "rujukan", "data"];
const SCALES: [&str; 3] = ["lokal", "regional", "nasional"];
const GIVERS: [&str; 5] = ["WKSBM", "Pemerintah desa", "PSM", "Puskesmas Contoh", "LKS Asih Mulia"];
const OUTCOMES: [&str; 4] = [
    "diterima langsung dan dicatat",
    "diterima keluarga",
    "perlu kunjungan lanjutan",
    "menunggu jawaban rujukan",
];

/// The types that are bodies, by place: LKS, KT, LK3, WKSBM, DU; KP is a family.
const BODIES: [usize; 5] = [3, 4, 5, 7, 11];
const PIONEER_FAMILY: usize = 6;
const TKSK: usize = 10;

/// Somebody or something that helps.
pub(super) fn psks(village: &Village, number: u32, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let Sort::Psks(place) = slot.sort else { return fields };
    fields.put("kode_jenis", PSKS.get(place).copied().unwrap_or("PSM"));
    let body = BODIES.contains(&place);
    let unit = match (body, place) {
        (true, _) => "badan",
        (false, PIONEER_FAMILY) => "satu_keluarga",
        (false, _) => "perorangan",
    };
    fields.put("unit", unit);
    fields.put("wilayah_cakupan", if place == TKSK { "kecamatan" } else { "desa" });
    if body {
        let nth = random.between(1, 9);
        let hope = random.pick(&HOPE);
        fields.put(
            "nama_lembaga",
            match PSKS.get(place) {
                Some(&"KT") => format!("Karang Taruna {hope}"),
                Some(&"DU") => format!("CV Contoh Jaya {nth}"),
                Some(&"LK3") => format!("LK3 {hope}"),
                _ => format!("LKS {hope}"),
            },
        );
        fields.put("jumlah_anggota", random.between(5, 60).to_string());
    } else {
        let person = village.person(number, slot);
        fields.put("nama", person.name);
        fields.put("nik", person.nik);
        fields.put("jenis_kelamin", if person.man { "L" } else { "P" });
        fields.put("tanggal_lahir", person.birth.iso());
        fields.put("pelatihan", random.pick(&TRAINING));
    }
    fields.put("keahlian", random.pick(&SKILLS));
    fields.put("status", "aktif");
    fields.put("terakhir_dikonfirmasi", Date::of_day(day_of(slot.at)).iso());
    fields.put("sintetis", "ya");
    fields
}

/// A group at the grass roots.
pub(super) fn kps(village: &Village, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let (group, jenis, field) = random.pick(&GROUPS);
    let stage = STAGES.get(random.weighted(&STAGE_WEIGHTS)).copied().unwrap_or("calon");
    let rw = random.between(1, village.place.rw);
    fields.put("nama", format!("{group} {} RW {rw:02}", random.pick(&HOPE)));
    fields.put("bentuk", if random.chance(8_000) { "kelompok" } else { "lembaga" });
    fields.put("jenis", jenis);
    fields.put("tahap", stage);
    if stage == "disahkan" {
        let decree =
            Date { year: random.between(2_018, YEAR - 1), ..Date::of_day(random.between(0, 58)) };
        fields.put("sk_nomor", format!("{}/Kep/{}", random.between(1, 99), decree.year));
        fields.put("sk_tanggal", decree.iso());
    }
    fields.put("bidang", field);
    fields.put("tingkat", "tingkat_rw");
    fields.put("asal", if random.chance(7_000) { "alami" } else { "dibentuk" });
    fields.put("jumlah_anggota", members(slot, 0).to_string());
    fields.put("sintetis", "ya");
    fields
}

/// Members of a group after so many edits: never the same number twice.
pub(super) fn members(slot: &Slot, edits: u16) -> u32 {
    8 + slot.number % 40 + u32::from(edits)
}

/// Something that was done, or is planned.
pub(super) fn kegiatan(village: &Village, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let weights = PROGRAMMES.each_ref().map(|programme| programme.weight);
    let programme = PROGRAMMES.get(random.weighted(&weights));
    let Some(programme) = programme else { return fields };
    let planned = slot.live.status == 0;
    let day = day_of(slot.at);
    let held = if planned { day + random.between(3, 30) } else { day };
    fields.put("jenis", programme.jenis);
    fields.put("kode_program", programme.code);
    fields.put("judul", format!("{}: {}", programme.title, random.pick(&THEMES)));
    fields.put("tanggal", Date::of_day(held).iso());
    let rw = random.between(1, village.place.rw);
    fields.put("tempat", format!("{} RW {rw:02}", random.pick(&PLACES)));
    let (host_type, host) = random.pick(&HOSTS);
    fields.put("jenis_penyelenggara", host_type);
    fields.put("penyelenggara", format!("{host} {}", random.pick(&HOPE)));
    fields.put("status", if planned { "rencana" } else { "terlaksana" });
    if !planned {
        let (men, women) = (random.between(3, 30), random.between(3, 45));
        fields.put("peserta_l", men.to_string());
        fields.put("peserta_p", women.to_string());
        fields.put("peserta_disabilitas", random.between(0, 2).to_string());
        let (one, two) = (random.pick(&RESULTS), random.pick(&RESULTS));
        fields.put("hasil", if one == two { one.to_owned() } else { format!("{one} {two}") });
    }
    if random.chance(5_000) {
        fields.put("biaya", (random.between(1, 40) * 50_000).to_string());
        fields.put("sumber_dana", random.pick(&FUNDS));
    }
    fields.put("sintetis", "ya");
    fields
}

/// A partner.
pub(super) fn kemitraan(slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let (source, partner) = random.pick(&PARTNERS);
    let start = random.between(0, day_of(slot.at));
    let field = if source == ONE_PERSON { "nama_perorangan" } else { "mitra" };
    fields.put(field, format!("{partner} {}", random.between(1, 99)));
    fields.put("jenis_sumber", source);
    fields.put("skala", random.pick(&SCALES));
    fields.put("bentuk", random.pick(&FORMS));
    fields.put("mulai", Date::of_day(start).iso());
    fields.put("berakhir", Date { year: YEAR + 1, ..Date::of_day(start.min(58)) }.iso());
    fields.put("nilai_rp", worth(slot, 0).to_string());
    fields.put("status", "berjalan");
    fields.put("sintetis", "ya");
    fields
}

/// Rupiah after so many edits: never the same sum twice.
pub(super) fn worth(slot: &Slot, edits: u16) -> u32 {
    (1 + slot.number % 60 + u32::from(edits)) * 50_000
}

/// A service given in a case.
pub(super) fn layanan(village: &Village, slot: &Slot, random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    let Some(case) = slot.tied else { return fields };
    let day = day_of(slot.at);
    let first = village.slot(case).map_or(day, |case| day_of(case.at));
    let given = random.between(first.max(day.saturating_sub(6)).min(day), day);
    let need = random.pick(&KEBUTUHAN);
    fields.put("ppks", village.id(case).to_string());
    fields.put("jenis", need);
    if need == "rujukan_lembaga" {
        fields.put("golongan", "rujukan");
        fields.put("rujukan_ke", "Balai Contoh");
    } else {
        fields.put("golongan", if random.chance(1_500) { "pencegahan" } else { "penanganan" });
    }
    fields.put("pemberi", random.pick(&GIVERS));
    fields.put("tanggal", Date::of_day(given).iso());
    if random.chance(6_000) {
        fields.put("nilai_rp", worth(slot, 0).to_string());
    }
    fields.put("hasil", random.pick(&OUTCOMES));
    fields.put("sintetis", "ya");
    fields
}
