//! What people read.

use crate::desk::{DESA, Desk};

#[test]
fn a_trial_network_is_said_at_status_and_at_every_save_quiet_or_not() {
    let desk = Desk::province();
    let said = |line: &[&str]| desk.typed(line, "").stderr;
    let save = [
        "record",
        "add",
        "kegiatan",
        "--area",
        DESA,
        "-f",
        "judul=Rapat",
        "-f",
        "kode_program=G.5.1.4",
        "-f",
        "jenis=rapat",
        "-f",
        "tanggal=2026-03-01",
    ];
    for line in [&["status"][..], &["status", "--json"], &save, &[&save[..], &["--quiet"]].concat()]
    {
        assert!(
            said(line).contains("jaringan uji")
                || said(line).contains("Jaringan uji: hanya orang sintetis"),
            "{line:?}"
        );
    }
    assert!(said(&["status", "--lang", "en"]).contains("synthetic people only"));
}

#[test]
fn pages_are_plain_in_a_pipe_and_say_the_same_ids_as_the_objects() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat bulanan");
    let page = desk.typed(&["record", "list"], "");
    assert_eq!(page.exit, 0);
    assert!(page.stdout.contains(id.get(..8).unwrap()), "{}", page.stdout);
    assert!(
        page.stdout.contains("Rapat bulanan") && page.stdout.contains("WIB"),
        "{}",
        page.stdout
    );
    assert!(!page.stdout.contains('\u{1b}'), "{}", page.stdout);
}

#[test]
fn a_refusal_says_what_why_and_what_next_in_the_language_of_the_desk() {
    let desk = Desk::province();
    let refused = desk.typed(&["record", "add", "kegiatan", "--area", DESA], "");
    assert_eq!((refused.exit, refused.stdout.as_str()), (4, ""));
    for part in ["ditolak", "Sebab:", "wajib diisi", "Saran:"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let english = desk.typed(&["record", "add", "kegiatan", "--area", DESA, "--lang", "en"], "");
    for part in ["refused", "Why:", "Next:"] {
        assert!(english.stderr.contains(part), "{}", english.stderr);
    }
}

#[test]
fn a_page_says_why_there_are_no_words_and_how_a_record_stands() {
    let (province, desk) = (Desk::province(), Desk::empty());
    province.activity(DESA, "Rapat");
    province.json(&["bundle", "export", "--all", "-o", &province.path("paket")]).done();
    let spoken = province.typed(&["root", "--lang", "en"], "").stdout;
    assert!(!spoken.contains("another moment"), "{spoken}");
    province.activity(DESA, "Rapat lagi");
    let silent = province.typed(&["root", "--lang", "en"], "").stdout;
    assert!(silent.contains("another moment"), "{silent}");
    let file = province.path("undangan");
    province.json(&["invite", "--area", DESA, "-o", &file]).done();
    desk.json(&["join", "--invitation", &file]).done();
    desk.activity(DESA, "Menunggu sah");
    let own = desk.typed(&["record", "list"], "").stdout;
    assert!(own.contains("Menunggu sah") && own.contains("menunggu"), "{own}");
    let none = desk.typed(&["record", "list", "--layer", "counting"], "").stdout;
    assert!(!none.contains("Menunggu sah"), "{none}");
}
