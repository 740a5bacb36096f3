//! Wishes to sections.

use super::*;
use crate::entry::SECTIONS_BYTES_MAX;
use crate::record::{RefusalReason, TermKind};

#[test]
fn a_new_record_has_every_section_and_what_follows() {
    let plan = new_ppks(&[
        put("tanggal_lahir", "28/08/1945"),
        put("jenis_kelamin", "P"),
        put("tanggal_pendataan", "2026-11-03"),
    ])
    .unwrap();
    assert_eq!(
        written(kind("ppks"), &plan),
        [
            "open kode_daftar = permensos-08-2012",
            "open unit = orang",
            "open dasar_pemrosesan = tugas_publik",
            "T kode_jenis 08 = 08",
            "T status_penanganan = terdata",
            "T jenis_kelamin = P",
            "T kelompok_umur = 60+",
            "T bulan_pendataan = 2026-11",
            "U nama = Euis Contoh",
            "U nik = 3205016808459001",
            "U tanggal_pendataan = 2026-11-03",
            "S tanggal_lahir = 1945-08-28",
        ]
    );
    assert_eq!((plan.changes, rules(&plan)), (12, vec![]));
}

#[test]
fn presence_of_sections_says_nothing_about_a_person() {
    assert_eq!(classes(&new_ppks(&[]).unwrap()), Class::ALL);
    let family = kind("keluarga").plan(None, &[put("kepala", "Asep")], None).unwrap();
    assert_eq!(classes(&family), Class::ALL);
    let meeting = [
        put("judul", "Rapat RW"),
        put("kode_program", "5.3.2"),
        put("jenis", "rapat"),
        put("tanggal", "2026-11-01"),
    ];
    let plan = kind("kegiatan").plan(None, &meeting, None).unwrap();
    assert_eq!(classes(&plan), [Class::Open]);
}

#[test]
fn a_required_field_is_named_when_missing_and_cannot_be_cleared() {
    for kind in Schema::standard().kinds() {
        let refusal = kind.plan(None, &[], None).unwrap_err();
        assert_eq!((refusal.rule, refusal.reason), ("wajib_diisi", RefusalReason::Value));
        let named = kind.field(&refusal.field).unwrap();
        assert!(named.required && named.default.is_none(), "{}.{}", kind.name, named.name);
    }
    let state = after(&[new_ppks(&[]).unwrap()]);
    for name in ["nama", "kode_jenis", "status_penanganan", "dasar_pemrosesan"] {
        let refusal = kind("ppks").plan(Some(&state), &[clear(name)], None).unwrap_err();
        assert_eq!((refusal.field.as_str(), refusal.rule), (name, "wajib_diisi"));
    }
}

#[test]
fn saving_again_what_stands_there_saves_nothing() {
    let asks = [
        put("nama", " Euis Contoh "),
        put("kode_jenis", "8; lut"),
        put("status_penanganan", "terdata"),
        put("tanggal_lahir", "28-08-1945"),
        add("kebutuhan", "pangan"),
        remove("kebutuhan", "hunian"),
        clear("kasus"),
    ];
    let first = new_ppks(&[put("tanggal_lahir", "1945-08-28"), put("kebutuhan", "pangan")]);
    let state = after(&[first.unwrap()]);
    let plan = kind("ppks").plan(Some(&state), &asks, today()).unwrap();
    assert_eq!((plan.changes, plan.sections), (0, vec![]));
    assert!(kind("ppks").plan(Some(&state), &[], None).unwrap().sections.is_empty());
}

#[test]
fn only_what_changed_is_written() {
    let state = after(&[new_ppks(&[put("kebutuhan", "pangan; sandang"), put("rt", "3")]).unwrap()]);
    let asks = [
        put("kebutuhan", "sandang;hunian"),
        clear("rt"),
        put("rw", "RW 05"),
        put("status", "diverifikasi"),
    ];
    let plan = kind("ppks").plan(Some(&state), &asks, today()).unwrap();
    assert_eq!(
        written(kind("ppks"), &plan),
        [
            "T status_penanganan = diverifikasi",
            "U rw = 05",
            "U rt -",
            "U kebutuhan hunian = hunian",
            "U kebutuhan pangan -",
        ]
    );
}

#[test]
fn a_list_takes_and_gives_up_elements_by_text_or_id() {
    let family = kind("keluarga");
    let first = [put("kepala", "Asep"), put("anggota", "Euis, istri; Dede, anak")];
    let state = after(&[family.plan(None, &first, None).unwrap()]);
    assert_eq!(elements(family, &state, "anggota").len(), 2);
    let field = family.field("anggota").unwrap();
    let id = field.parse("Euis, istri").unwrap().element.unwrap();
    let asks = [remove("anggota", &id), remove("anggota", "Dede, anak"), add("anggota", "Ai; Iis")];
    let plan = family.plan(Some(&state), &asks, None).unwrap();
    assert_eq!(plan.changes, 3);
    let state =
        fold(&[entry(1, &[], &family.plan(None, &first, None).unwrap()), entry(2, &[1], &plan)])
            .state;
    assert_eq!(elements(family, &state, "anggota"), ["Ai; Iis"]);
}

#[test]
fn a_conflict_is_settled_by_putting_any_value_even_the_shown_one() {
    let ppks = kind("ppks");
    let first = new_ppks(&[]).unwrap();
    let base = after(std::slice::from_ref(&first));
    let edit = |name: &str| ppks.plan(Some(&base), &[put("nama", name)], None).unwrap();
    let state = apart(&first, &edit("Euis A"), &edit("Euis B"));
    let now = shown(ppks, &state, "nama").unwrap();
    let settled = ppks.plan(Some(&state), &[put("nama", &now)], None).unwrap();
    assert_eq!(settled.changes, 1);
    let same = apart(&first, &edit("Euis A"), &edit("Euis A"));
    assert_eq!(ppks.plan(Some(&same), &[put("nama", "Euis A")], None).unwrap().changes, 0);
}

#[test]
fn a_state_moves_only_along_its_transitions() {
    let ppks = kind("ppks");
    let state = after(&[new_ppks(&[]).unwrap()]);
    let refusal = ppks.plan(Some(&state), &[put("status", "selesai")], None).unwrap_err();
    let reason = RefusalReason::Transition { from: "terdata".into(), to: "selesai".into() };
    assert_eq!((refusal.reason, refusal.field.as_str()), (reason, "status_penanganan"));
    for kind in Schema::standard().kinds() {
        for (from, to) in kind.transitions {
            assert!(!to.contains(from), "{}: {from} to itself", kind.name);
        }
    }
}

#[test]
fn a_conflict_of_states_is_settled_by_either_or_what_follows_either() {
    let ppks = kind("ppks");
    let first = new_ppks(&[]).unwrap();
    let base = after(std::slice::from_ref(&first));
    let edit = |state: &str| ppks.plan(Some(&base), &[put("status", state)], None).unwrap();
    let state = apart(&first, &edit("pindah"), &edit("diverifikasi"));
    for (to, is_allowed) in
        [("pindah", true), ("diverifikasi", true), ("diasesmen", true), ("selesai", false)]
    {
        let plan = ppks.plan(Some(&state), &[put("status", to)], None);
        assert_eq!(plan.map(|plan| plan.changes).ok(), is_allowed.then_some(1), "{to}");
    }
}

#[test]
fn a_record_kept_elsewhere_may_begin_in_any_state() {
    let plan = new_ppks(&[put("status_penanganan", "dipantau")]).unwrap();
    assert_eq!(kind("ppks").status(&after(&[plan])), Some("dipantau".to_owned()));
}

#[test]
fn what_cannot_be_asked_is_refused_by_name_and_rule() {
    for (ask, field, rule) in [
        (put("nama_kucing", "Belang"), "nama_kucing", "kolom_tidak_ada"),
        (put("foto", "x.jpg"), "foto", "dilarang_hukum"),
        (put("nama_ibu_kandung", "Siti"), "nama_ibu_kandung", "dilarang_hukum"),
        (put("nik", "3,20501E+15"), "nik", "rusak_excel"),
        (put("tanggal_lahir", "31/02/1990"), "tanggal_lahir", "bukan_tanggal"),
        (put("kode_jenis", "27"), "kode_jenis", "kode_tidak_dikenal"),
        (put("kode_jenis", " ; "), "kode_jenis", "wajib_diisi"),
        (put("kebutuhan", ";"), "kebutuhan", "kosong"),
        (put("nama", "  "), "nama", "kosong"),
        (add("alamat", "Jalan"), "alamat", "bukan_daftar"),
        (put("prioritas", "4"), "prioritas", "di_luar_batas"),
        (put("status_penanganan", "ditolak"), "alasan_status", "perlu_kolom_lain"),
    ] {
        let refusal = new_ppks(&[ask]).unwrap_err();
        assert_eq!((refusal.field.as_str(), refusal.rule), (field, rule));
        assert!(super::super::rule(refusal.rule).is_some());
    }
    for twice in [
        [put("nama", "A"), put("nama", "B")],
        [put("nama", "A"), clear("nama")],
        [put("kode_jenis", "01"), put("jenis", "02")],
    ] {
        assert_eq!(kind("ppks").plan(None, &twice, None).unwrap_err().rule, "dua_kali");
    }
    let wish = |field: &str, what| Ask { field: field.to_owned(), what };
    let list = |texts: &[&str]| Wish::Whole(texts.iter().map(|it| (*it).to_owned()).collect());
    for (ask, rule) in [
        (wish("nama", list(&["a", "b"])), "bukan_daftar"),
        (wish("nama", list(&["a"])), "bukan_daftar"),
        (wish("nama", Wish::Truth(true)), "bukan_kolom_ya_tidak"),
        (wish("kode_jenis", Wish::Truth(true)), "bukan_kolom_ya_tidak"),
        (wish("kebutuhan", Wish::Truth(false)), "bukan_kolom_ya_tidak"),
        (wish("kebutuhan", list(&[])), "kosong"),
    ] {
        assert_eq!(new_ppks(std::slice::from_ref(&ask)).unwrap_err().rule, rule, "{ask:?}");
    }
    let unknown = new_ppks(&[put("nama_kucing", "Belang")]).unwrap_err();
    assert_eq!(unknown.reason, RefusalReason::FieldUnknown);
    assert_eq!(new_ppks(&[put("nik", "3E+15")]).unwrap_err().reason, RefusalReason::NikExcel);
}

#[test]
fn refusals_and_notices_hold_no_value() {
    let secrets = ["3205016808459001", "Belang", "3,20501E+15", "31/02/1990", "ditolak"];
    for ask in [
        put("nik", "3205016808450000"),
        put("tanggal_lahir", "31/02/1990"),
        put("kode_jenis", "Belang"),
        put("status_penanganan", "ditolak"),
        put("nik", "3,20501E+15"),
    ] {
        let shown = format!("{:?} {0}", new_ppks(std::slice::from_ref(&ask)).unwrap_err());
        assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
        assert!(!secrets.iter().any(|secret| format!("{ask:?}").contains(secret)));
    }
    let plan = new_ppks(&[put("tanggal_lahir", "1990-01-01"), put("jenis_kelamin", "L")]).unwrap();
    assert_eq!(plan.notices.len(), 3);
    assert!(!format!("{plan:?}").contains("1990"));
}

#[test]
fn a_nik_that_says_otherwise_is_kept_with_a_warning() {
    let plan = new_ppks(&[put("tanggal_lahir", "1945-08-27"), put("jenis_kelamin", "L")]).unwrap();
    let expected = [("nik", "nik_beda_tanggal_lahir"), ("nik", "nik_beda_jenis_kelamin")];
    assert_eq!(rules(&plan), expected);
    let state = after(&[plan]);
    assert_eq!(shown(kind("ppks"), &state, "nik").as_deref(), Some("3205016808459001"));
    assert_eq!(shown(kind("ppks"), &state, "tanggal_lahir").as_deref(), Some("1945-08-27"));
    // A save that touches neither is not held up by it.
    let later = kind("ppks").plan(Some(&state), &[put("alamat", "Kampung Baru")], today());
    assert_eq!(rules(&later.unwrap()), []);
}

#[test]
fn without_a_nik_there_is_always_a_reason_and_with_one_none() {
    let ppks = kind("ppks");
    let asks = [put("nama", "Ujang"), put("kode_jenis", "GLDNG")];
    let silent = ppks.plan(None, &asks, None).unwrap();
    assert_eq!(rules(&silent), [("nik", "alasan_tanpa_nik")]);
    assert!(written(ppks, &silent).contains(&"U alasan_tanpa_nik = belum_dicatat".to_owned()));
    let told =
        ppks.plan(None, &[&asks[..], &[put("alasan_tanpa_nik", "tidak_punya")]].concat(), None);
    assert_eq!(rules(told.as_ref().unwrap()), []);
    let state = after(&[told.unwrap()]);
    let found = ppks.plan(Some(&state), &[put("nik", "'3205010101879001")], None).unwrap();
    assert_eq!(written(ppks, &found), ["U nik = 3205010101879001", "U alasan_tanpa_nik -"]);
    assert_eq!(rules(&found), [("alasan_tanpa_nik", "alasan_dikosongkan")]);
}

#[test]
fn a_nik_and_a_reason_for_having_none_are_not_saved_together() {
    let ppks = kind("ppks");
    let refused = new_ppks(&[put("alasan_tanpa_nik", "hilang")]).unwrap_err();
    assert_eq!((refused.field.as_str(), refused.rule), ("alasan_tanpa_nik", "nik_dan_alasan"));
    let state = after(&[new_ppks(&[]).unwrap()]);
    let refused = ppks.plan(Some(&state), &[put("alasan_tanpa_nik", "hilang")], None).unwrap_err();
    assert_eq!(refused.rule, "nik_dan_alasan");
    // The card was another person's: the number goes, the reason comes.
    let asks = [clear("nik"), put("alasan_tanpa_nik", "hilang")];
    assert_eq!(rules(&ppks.plan(Some(&state), &asks, None).unwrap()), []);
}

#[test]
fn a_nik_and_a_reason_written_apart_warn_at_each_save_until_one_is_cleared() {
    let ppks = kind("ppks");
    let first = new_ppks(&[clear("nik"), put("alasan_tanpa_nik", "hilang")]).unwrap();
    let before = after(std::slice::from_ref(&first));
    let plan = |asks: &[Ask]| ppks.plan(Some(&before), asks, None).unwrap();
    let number = plan(&[put("nik", "3205010101879001")]);
    let reason = plan(&[put("alasan_tanpa_nik", "tidak_punya")]);
    let state = apart(&first, &number, &reason);
    assert!(shown(ppks, &state, "nik").is_some());
    assert!(shown(ppks, &state, "alasan_tanpa_nik").is_some(), "nothing is lost in a merge");
    let other = ppks.plan(Some(&state), &[put("alamat", "Kampung Baru")], None).unwrap();
    assert_eq!(rules(&other), [("alasan_tanpa_nik", "nik_dan_alasan")]);
    assert_eq!(written(ppks, &other), ["U alamat = Kampung Baru"]);
    for settled in ["nik", "alasan_tanpa_nik"] {
        let plan = ppks.plan(Some(&state), &[clear(settled)], None).unwrap();
        assert_eq!(rules(&plan), [], "{settled}");
    }
}

#[test]
fn a_save_that_no_entry_carries_is_refused_although_each_of_its_classes_would_fit() {
    let base = [
        put("judul", "Rapat"),
        put("kode_program", "G.5.1.4"),
        put("jenis", "rapat"),
        put("tanggal", "2026-03-01"),
        put("materi", &"x".repeat(4096)),
        put("hasil", &"é".repeat(4096)),
    ];
    let with = |guests: usize| {
        let names: Vec<String> =
            (0..guests).map(|it| format!("{it} {}", "x".repeat(190))).collect();
        let asks = [&base[..], &[put("daftar_hadir", &names.join(";"))]].concat();
        kind("kegiatan").plan(None, &asks, today())
    };
    let bytes = |plan: &Plan| plan.sections.iter().map(|(_, it)| it.encode().len()).sum::<usize>();
    let plan = with(15).unwrap();
    assert!(bytes(&plan) < SECTIONS_BYTES_MAX, "{}", bytes(&plan));
    let refused = with(30).unwrap_err();
    assert_eq!((refused.field.as_str(), refused.rule), ("kegiatan", "terlalu_besar"));
}

#[test]
fn ages_outside_a_window_warn_and_impossible_ones_are_refused() {
    let with = |jenis: &str, born: &str, sex: &str| {
        let asks = [
            put("kode_jenis", jenis),
            put("tanggal_lahir", born),
            put("jenis_kelamin", sex),
            put("wali", "Neneng"),
            put("cara_komunikasi", "lisan"),
            put("alasan_tanpa_nik", "hilang"),
            clear("nik"),
        ];
        new_ppks(&asks)
    };
    let usual = [
        ("ABT", "2021-11-26", "L"),
        ("AT", "2008-01-01", "P"),
        ("ABH", "2014-11-25", "L"),
        ("LUT", "1966-11-25", "L"),
        ("PRSE", "1990-01-01", "P"),
        ("PD", "1990-01-01", "P"),
    ];
    for (jenis, born, sex) in usual {
        assert_eq!(rules(&with(jenis, born, sex).unwrap()), [], "{jenis}");
    }
    for (jenis, born, sex) in [
        ("ABT", "2020-11-25", "L"),
        ("AT", "2022-01-01", "P"),
        ("ABH", "2006-01-01", "L"),
        ("AJ", "2000-01-01", "L"),
        ("LUT", "1966-11-26", "L"),
        ("PRSE", "2010-01-01", "P"),
    ] {
        let plan = with(jenis, born, sex).unwrap();
        assert_eq!(rules(&plan), [("kode_jenis", "umur_di_luar_jenis")], "{jenis}");
    }
    let last_day = with("ABH", "2004-11-26", "L").unwrap();
    assert_eq!(rules(&last_day), [("kode_jenis", "umur_di_luar_jenis")]);
    assert_eq!(with("ABH", "2004-11-25", "L").unwrap_err().rule, "umur_tidak_mungkin");
    assert_eq!(with("PRSE", "1990-01-01", "L").unwrap_err().rule, "jenis_kelamin_tidak_sesuai");
}

#[test]
fn children_and_disabled_persons_are_cared_for_as_the_law_asks() {
    let plan = new_ppks(&[put("kode_jenis", "ADK"), put("umur_perkiraan", "9")]).unwrap();
    let expected = [("wali", "wali_anak"), ("cara_komunikasi", "cara_komunikasi")];
    assert_eq!(rules(&plan), expected);
}

#[test]
fn the_age_band_follows_the_birth_date_then_a_guess() {
    let ppks = kind("ppks");
    let band = |asks: &[Ask], today| {
        let base = [put("nama", "Ai"), put("kode_jenis", "24"), put("alasan_tanpa_nik", "hilang")];
        let plan = ppks.plan(None, &[&base[..], asks].concat(), today).unwrap();
        shown(ppks, &after(&[plan]), "kelompok_umur")
    };
    let born = put("tanggal_lahir", "2008-11-26");
    let guess = put("umur_perkiraan", "61");
    assert_eq!(band(&[born.clone(), guess.clone()], today()).as_deref(), Some("6-17"));
    assert_eq!(band(&[born.clone(), guess.clone()], None).as_deref(), Some("60+"));
    assert_eq!(band(std::slice::from_ref(&born), None), None);
    assert_eq!(band(std::slice::from_ref(&guess), today()).as_deref(), Some("60+"));
    assert_eq!(band(&[put("kelompok_umur", "18-59")], today()).as_deref(), Some("18-59"));
    let both = new_ppks(&[put("tanggal_lahir", "28/8/1945"), put("kelompok_umur", "0-5")]).unwrap();
    assert_eq!(rules(&both), [("kelompok_umur", "kelompok_umur_dihitung")]);
    let state = after(&[both]);
    let gone = ppks.plan(Some(&state), &[clear("tanggal_lahir")], today()).unwrap();
    assert_eq!(written(ppks, &gone), ["T kelompok_umur -", "S tanggal_lahir -"]);
}

/// Else two offices that touch other fields would write different bands without knowing.
#[test]
fn a_birthday_alone_writes_nothing() {
    let ppks = kind("ppks");
    let state = after(&[new_ppks(&[put("tanggal_lahir", "2008-11-26")]).unwrap()]);
    let tomorrow = Date::new(2026, 11, 26).ok();
    let other = ppks.plan(Some(&state), &[put("alamat", "Kampung Baru")], tomorrow).unwrap();
    assert_eq!(written(ppks, &other), ["U alamat = Kampung Baru"]);
    let again = ppks.plan(Some(&state), &[put("tanggal_lahir", "26/11/2008")], tomorrow).unwrap();
    assert_eq!(written(ppks, &again), ["T kelompok_umur = 18-59"]);
}

#[test]
fn a_record_that_lacks_a_later_required_field_can_still_be_edited() {
    let state = RecordState::default();
    let plan = kind("ppks").plan(Some(&state), &[put("alamat", "Kampung Baru")], None).unwrap();
    assert_eq!(written(kind("ppks"), &plan), ["U alamat = Kampung Baru"]);
}

#[test]
fn dates_of_tomorrow_warn_and_dates_in_wrong_order_are_refused() {
    let plan = new_ppks(&[put("tanggal_pendataan", "2026-11-26")]).unwrap();
    assert_eq!(rules(&plan), [("tanggal_pendataan", "tanggal_masa_depan")]);
    let wrong = [put("tanggal_pendataan", "2026-11-02"), put("tanggal_pemeriksaan", "2026-11-01")];
    let refusal = new_ppks(&wrong).unwrap_err();
    assert_eq!((refusal.field.as_str(), refusal.rule), ("tanggal_pemeriksaan", "urutan_tanggal"));
}

#[test]
fn an_activity_needs_a_leaf_of_the_programme() {
    let plan = |code: &str| {
        let asks = [
            put("judul", "Kampanye"),
            put("kode_program", code),
            put("jenis", "kampanye"),
            put("tanggal", "2026-11-01"),
        ];
        kind("kegiatan").plan(None, &asks, None)
    };
    for code in ["G.5.1.4", "g.5.1.4", "5.1.4"] {
        let plan = plan(code).unwrap();
        assert!(written(kind("kegiatan"), &plan).contains(&"open kode_program = G.5.1.4".into()));
    }
    for code in ["G.5.1", "G.5", "G.9.1", "sosialisasi", "G.5.1.7"] {
        assert_eq!(plan(code).unwrap_err().rule, "kode_tidak_dikenal", "{code}");
    }
}

#[test]
fn a_network_is_legalised_only_with_its_decree() {
    let kps = kind("kps");
    let first = [put("nama", "WKSBM Mekar"), put("bentuk", "wksbm"), put("tahap", "dirintis")];
    let state = after(&[kps.plan(None, &first, None).unwrap()]);
    let bare = kps.plan(Some(&state), &[put("tahap", "disahkan")], None).unwrap_err();
    assert_eq!((bare.field.as_str(), bare.rule), ("sk_nomor", "perlu_kolom_lain"));
    let whole =
        [put("tahap", "disahkan"), put("sk_nomor", "141/7"), put("sk_tanggal", "2026-10-01")];
    assert_eq!(kps.plan(Some(&state), &whole, None).unwrap().changes, 3);
}

#[test]
fn a_source_is_named_as_person_or_body() {
    let psks = kind("psks");
    let plan = |asks: &[Ask]| psks.plan(None, &[&[put("jenis", "KT")], asks].concat(), None);
    assert_eq!(plan(&[]).unwrap_err().rule, "isi_salah_satu");
    let body = plan(&[put("unit", "L"), put("nama_lembaga", "Karang Taruna Tunas Mekar")]).unwrap();
    let state = after(&[body]);
    assert_eq!(psks.label(&state).as_deref(), Some("Karang Taruna Tunas Mekar"));
    assert_eq!(plan(&[put("unit", "L"), put("nama", "Asep")]).unwrap_err().field, "nama_lembaga");
}

#[test]
fn a_record_is_found_by_name_number_type_state_and_neighbourhood() {
    let asks = [
        put("nama", "Hj. Dédé Ma'ruf"),
        put("no_kk", "3205010101209001"),
        put("rt", "3"),
        put("rw", "5"),
        put("kode_jenis", "LUT;PD"),
    ];
    let state = after(&[new_ppks(&asks).unwrap()]);
    let terms = kind("ppks").terms(&state);
    let expected = [
        (TermKind::Name, "dede"),
        (TermKind::Name, "hj"),
        (TermKind::Name, "maruf"),
        (TermKind::Nik, "3205016808459001"),
        (TermKind::Kk, "3205010101209001"),
        (TermKind::Type, "08"),
        (TermKind::Type, "09"),
        (TermKind::Status, "terdata"),
        (TermKind::Rt, "05/03"),
    ];
    assert_eq!(terms, expected.map(|(kind, text)| (kind, text.to_owned())).into_iter().collect());
    let half = after(&[new_ppks(&[put("rw", "5")]).unwrap()]);
    assert!(kind("ppks").terms(&half).contains(&(TermKind::Rt, "05/-".to_owned())));
    let none = after(&[new_ppks(&[put("rw", "-")]).unwrap()]);
    assert!(!kind("ppks").terms(&none).iter().any(|(kind, _)| *kind == TermKind::Rt));
}

#[test]
fn a_save_too_large_for_an_edit_is_refused() {
    let long = "x".repeat(4000);
    let many: Vec<_> =
        (0..200).map(|n| add("anggota", &format!("{n} {}", "x".repeat(190)))).collect();
    let asks = [&[put("kepala", "Asep"), put("kondisi", &long)], &many[..]].concat();
    assert_eq!(kind("keluarga").plan(None, &asks, None).unwrap_err().rule, "terlalu_besar");
}
