//! What a person should act on: each says what happened and what to do.

use crdt_schema::words::eight_words;
use node::answer::{
    AreaEntry, ForkPlace, ForkSeen, MemberState, SharedCode, SharedInvitation, Status, Takes,
};

use super::frame::{Ground, Homes};
use super::said;

/// Something to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alarm {
    pub(super) title: String,
    pub(super) text: String,
    /// To be read out over the telephone.
    pub(super) words: Vec<&'static str>,
    /// Where the page goes on about it.
    pub(super) link: Option<(&'static str, &'static str)>,
    /// Work stops until it is done; else it may wait.
    pub(super) grave: bool,
}

impl Alarm {
    fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        let (title, text) = (title.into(), text.into());
        Self { title, text, words: Vec::new(), link: None, grave: false }
    }

    fn grave(mut self) -> Self {
        self.grave = true;
        self
    }
}

/// Everything to act on, the gravest first.
pub(super) fn alarms(ground: &Ground, homes: &Homes) -> Vec<Alarm> {
    let status = &ground.status;
    let mut alarms: Vec<Alarm> = standing(ground).into_iter().collect();
    alarms.extend(status.shared_invitations.iter().map(|it| shared(it, homes)));
    alarms.extend(status.shared_codes.iter().map(one_code));
    alarms.extend(status.contested_areas.iter().map(contested));
    alarms.extend(status.forks.iter().map(|fork| forked(fork, homes)));
    if !status.clock.plausible {
        let text = "Betulkan tanggal dan jam perangkat. Catatan tetap tersimpan dan tetap dihitung; \
                    hanya waktunya yang tidak dapat dipercaya.";
        alarms.push(Alarm::new("Jam perangkat ini tidak masuk akal", text).grave());
    }
    alarms.extend(short_of_room(status));
    let counted = [
        (status.awaiting_adoption, "entri menunggu adopsi", ADOPTION),
        (status.quarantined - status.awaiting_adoption, "entri disisihkan", QUARANTINED),
        (status.set_aside, "catatan terlalu besar, disisihkan", SET_ASIDE),
        (status.waiting_deps, "catatan menunggu entri yang belum sampai", WAITING_DEPS),
        (status.waiting_confirmation, "catatan menunggu pengesahan perangkatnya", WAITING),
    ];
    for (count, what, text) in counted.into_iter().filter(|(count, ..)| *count > 0) {
        alarms.push(Alarm::new(format!("{} {what}", said::number(count)), text));
    }
    if status.conflicts > 0 {
        let title = format!("{} isian berkonflik", said::number(status.conflicts));
        let mut alarm = Alarm::new(title, CONFLICTS);
        alarm.link = Some(("/konflik", "Lihat konflik"));
        alarms.push(alarm);
    }
    alarms
}

const ADOPTION: &str = "Ditulis di sini di wilayah yang sudah pindah ke induk lain. Tetap tersimpan, tidak \
                        dihitung, sampai petugas di atas kedua induk mengadopsinya. Laporkan kepadanya.";
const QUARANTINED: &str = "Ditulis perangkat yang haknya sudah berakhir. Tetap tersimpan, tidak dihitung. \
                           Laporkan kepada petugas di atas Anda.";
const SET_ASIDE: &str = "Seluruh perubahannya melewati batas. Tersimpan dan tetap dibawa, tetapi isinya tidak \
                         ditampilkan dan tidak dihitung. Hubungi tingkat di atas.";
const WAITING_DEPS: &str =
    "Sebagian isinya masih di simpul lain. Biarkan tersambung, atau ambil bundel berikutnya.";
const WAITING: &str =
    "Belum ikut daftar dan hitungan. Petugas yang mengundang perangkat itu perlu mengesahkannya.";
const CONFLICTS: &str = "Dua orang mengisi kolom yang sama dengan isi berbeda. Kedua isi disimpan sampai \
                         seseorang memilih.";

/// A disk that fills up: what is no longer taken in, and what to do.
fn short_of_room(status: &Status) -> Option<Alarm> {
    let title = format!("Ruang tinggal {} MB", status.store.free.unwrap_or_default() / 1_000_000);
    match status.store.takes {
        Takes::Everything => None,
        Takes::OwnArea => Some(Alarm::new(title, OWN_AREA)),
        Takes::OwnSaves => Some(Alarm::new(title, OWN_SAVES).grave()),
    }
}

const OWN_AREA: &str = "Data wilayah lain tidak diterima lagi. Catatan Anda dan data wilayah sendiri tetap \
                        masuk. Hapus berkas lain dari perangkat ini.";
const OWN_SAVES: &str = "Data dari simpul lain dan impor tidak diterima lagi; sisa ruang disimpan untuk catatan \
                         Anda. Hapus berkas lain dari perangkat ini; sesudah itu semuanya diambil kembali.";

/// A device that does not count, or no longer.
fn standing(ground: &Ground) -> Option<Alarm> {
    match ground.status.state {
        MemberState::Active if ground.status.open_only => {
            let text = "Data terbuka dari perangkat ini sudah dihitung; catatan tentang orang menunggu \
                        sampai petugas di atas mengesahkannya dengan delapan kata ini.";
            let mut alarm = Alarm::new("Perangkat ini belum disahkan", text);
            alarm.words = eight_words(&ground.status.device).to_vec();
            Some(alarm)
        }
        MemberState::Active => None,
        MemberState::Provisional => {
            let above = ground.above.first().map_or("atas", |area| said::level(area));
            let text = format!(
                "Kirim satu bundel ke {above} dan bacakan delapan kata ini lewat telepon kepada \
                 petugas di sana. Setelah disahkan, catatan perangkat ini ikut dihitung."
            );
            let mut alarm = Alarm::new("Perangkat ini menunggu pengesahan", text).grave();
            alarm.words = eight_words(&ground.status.device).to_vec();
            Some(alarm)
        }
        MemberState::Closed => {
            let text = "Yang ditulis sampai penutupan tetap dihitung; yang baru tidak lagi. \
                        Mintalah undangan baru bila perangkat ini masih dipakai.";
            Some(Alarm::new("Perangkat ini sudah ditutup", text).grave())
        }
        MemberState::Revoked => {
            let text = "Hak perangkat ini dicabut dari atas. Hubungi petugas di atas Anda; jangan hapus \
                        foldernya.";
            Some(Alarm::new("Perangkat ini sudah dicabut", text).grave())
        }
    }
}

fn shared(invitation: &SharedInvitation, homes: &Homes) -> Alarm {
    let devices: Vec<String> = invitation.devices.iter().map(|it| homes.device(it)).collect();
    let text = format!(
        "{} perangkat bergabung dengan undangan yang sama untuk wilayah {}: {}. Mungkin undangan itu \
         bocor; sahkan hanya yang Anda maksud, dan tutup yang lain.",
        said::number(devices.len() as u64),
        invitation.area,
        said::joined(&devices),
    );
    Alarm::new("Satu undangan dipakai beberapa perangkat", text).grave()
}

fn one_code(shared: &SharedCode) -> Alarm {
    let named = shared.areas.iter().map(|it| format!("{} ({})", it.name, it.area.id()));
    let text = format!(
        "Kode {} dipakai lebih dari satu wilayah: {}. Catatan tidak tercampur. Wilayah di atasnya memberi \
         salah satunya kode lain; sampai itu, teknisi mengetik sebelas angkanya.",
        shared.code,
        said::joined(&named.collect::<Vec<_>>()),
    );
    Alarm::new("Satu kode dipakai beberapa wilayah", text).grave()
}

fn contested(area: &AreaEntry) -> Alarm {
    let text = format!(
        "Wilayah {} ({}) diberi kode atau tempat oleh dua pihak; yang dipakai sekarang {}. Wilayah di \
         atasnya memutuskan dengan memberinya kode sekali lagi.",
        area.name,
        area.area.id(),
        area.area,
    );
    Alarm::new("Kode satu wilayah diperebutkan", text)
}

fn forked(fork: &ForkSeen, homes: &Homes) -> Alarm {
    let places: Vec<String> = fork.places.iter().map(place).collect();
    let text = format!(
        "Entri ke-{} dari {} ada {} macam: {}. Mungkin kartu SD disalin, atau cadangan lama dipakai \
         lagi. Tidak ada yang hilang; hentikan salah satunya dan beri tahu teknisi.",
        said::number(fork.seq),
        homes.device(&fork.device),
        fork.ids.len(),
        said::joined(&places),
    );
    Alarm::new("Satu perangkat menulis di dua tempat", text).grave()
}

fn place(place: &ForkPlace) -> String {
    let from = match place.via.as_str() {
        "here" => "ditulis di sini".to_owned(),
        "bundle" => format!("dari bundel {}", place.name),
        "peer" => {
            let short: String = place.name.chars().take(8).collect();
            format!("dari perangkat {short}")
        }
        _ => format!("dari {}", place.name),
    };
    let when = place.seen_at.and_then(said::full);
    when.map_or(from.clone(), |when| format!("{from}, terlihat {when}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
    use super::super::testing::{desa, fork};
    use super::*;

    fn titles(ground: &Ground) -> Vec<String> {
        alarms(ground, &Homes::default()).into_iter().map(|alarm| alarm.title).collect()
    }

    #[test]
    fn a_quiet_node_has_no_alarm() {
        assert!(titles(&desa()).is_empty());
    }

    #[test]
    fn a_fork_names_both_places() {
        let mut ground = desa();
        ground.status.forks = vec![fork(ground.status.device)];
        let alarms = alarms(&ground, &Homes::default());
        let text = &alarms[0].text;
        assert!(text.contains("Entri ke-813"), "{text}");
        assert!(
            text.contains("ditulis di sini, terlihat 23 November 2026 pukul 12.05 WIB"),
            "{text}"
        );
        assert!(text.contains("dari bundel stik-lama.wksbm"), "{text}");
        assert!(alarms[0].grave);
    }

    #[test]
    fn a_device_that_waits_reads_out_its_own_eight_words() {
        let mut ground = desa();
        ground.status.state = MemberState::Provisional;
        let alarms = alarms(&ground, &Homes::default());
        assert_eq!(alarms[0].words, eight_words(&ground.status.device));
        assert!(alarms[0].text.contains("ke kecamatan"), "{}", alarms[0].text);
    }

    #[test]
    fn a_disk_that_fills_says_what_ends_and_only_its_last_part_is_grave() {
        let mut ground = desa();
        ground.status.store.free = Some(45_999_999);
        ground.status.store.takes = Takes::OwnArea;
        let own_area = alarms(&ground, &Homes::default());
        assert_eq!(own_area[0].title, "Ruang tinggal 45 MB");
        assert!(!own_area[0].grave);
        ground.status.store.takes = Takes::OwnSaves;
        let own_saves = alarms(&ground, &Homes::default());
        assert!(own_saves[0].grave && own_saves[0].text != own_area[0].text);
    }

    #[test]
    fn everything_that_waits_is_counted() {
        let mut ground = desa();
        ground.status.quarantined = 1_500;
        ground.status.set_aside = 5;
        ground.status.waiting_deps = 2;
        ground.status.waiting_confirmation = 3;
        ground.status.conflicts = 4;
        ground.status.clock.plausible = false;
        assert_eq!(
            titles(&ground),
            [
                "Jam perangkat ini tidak masuk akal",
                "1.500 entri disisihkan",
                "5 catatan terlalu besar, disisihkan",
                "2 catatan menunggu entri yang belum sampai",
                "3 catatan menunggu pengesahan perangkatnya",
                "4 isian berkonflik",
            ]
        );
    }
}
