//! What an import leaves in a file and how it says so, and which files a result may replace.

use serde_json::{Value, json};

use crate::desk::{DESA, Desk};

/// A desa of another kecamatan: a desa carries its own kecamatan too.
const FAR_DESA: &str = "32.09.39.2001";

/// Two desa below one kabupaten.
fn neighbours() -> [Desk; 3] {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let desa = Desk::member(&kabupaten, DESA);
    [province, kabupaten, desa]
}

fn at(object: &Value, pointer: &str) -> Value {
    object.pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn what_is_for_others_is_left_in_the_file_and_is_no_failure() {
    let [_, kabupaten, desa] = neighbours();
    kabupaten.activity(FAR_DESA, "Rapat");
    kabupaten.activity(DESA, "Rapat");
    let file = kabupaten.path("semua.wksbm");
    kabupaten.json(&["bundle", "export", "--all", "-o", &file]).done();
    let seen = desa.json(&["bundle", "inspect", &file]).done();
    let done = desa.json(&["bundle", "import", &file]).done();
    assert_eq!(at(&done, "/files/0/rejected"), json!({"outside_interest": 1}), "{done}");
    assert_eq!(at(&done, "/files/0/new"), at(&seen, "/new_here"), "{seen}");
    assert_eq!(desa.json(&["bundle", "inspect", &file]).done().get("new_here").unwrap(), 0);
}

/// Twelve activities in a bundle, and where each of its frames begins.
fn long_bundle(kabupaten: &Desk) -> (String, Vec<u8>, Vec<usize>) {
    for number in 0..12 {
        kabupaten.activity(DESA, &format!("Rapat {number}"));
    }
    let file = kabupaten.path("utuh.wksbm");
    kabupaten.json(&["bundle", "export", "--all", "-o", &file]).done();
    let bytes = std::fs::read(&file).unwrap();
    let (mut frames, mut at) = (Vec::new(), 9);
    while let Some(length) = bytes.get(at + 1..at + 5) {
        frames.push(at);
        at += 21 + u32::from_be_bytes(length.try_into().unwrap()) as usize;
    }
    (file, bytes, frames)
}

#[test]
fn a_file_that_lost_its_end_or_a_byte_names_the_entries_it_lost() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let (_, bytes, frames) = long_bundle(&kabupaten);
    let runs: Vec<usize> = frames.iter().copied().filter(|at| bytes.get(*at) == Some(&4)).collect();
    let last = *runs.last().unwrap();
    let cut = kabupaten.write("potong.wksbm", bytes.get(..last + 30).unwrap());
    let mut flipped = bytes.clone();
    *flipped.get_mut(last + 30).unwrap() ^= 1;
    let flipped = kabupaten.write("ubah.wksbm", flipped);
    let whole = province.json(&["bundle", "inspect", &kabupaten.path("utuh.wksbm")]).done();
    assert_eq!(whole.get("missing").unwrap(), &json!([]));
    for (file, why) in [(cut, "cut"), (flipped, "altered")] {
        let seen = province.json(&["bundle", "inspect", &file]).done();
        let partly = province.json(&["bundle", "import", &file]);
        assert_eq!((partly.kind().as_str(), partly.exit), ("partial", 12));
        let partly = partly.object();
        assert_eq!(at(&partly, "/files/0/rejected"), json!({ why: 1 }), "{partly}");
        for missing in [at(&seen, "/missing"), at(&partly, "/files/0/missing")] {
            let [run] = missing.as_array().unwrap().as_slice() else { panic!("{missing}") };
            assert!(run.get("to").unwrap().as_u64() >= Some(12), "{why}: {missing}");
        }
    }
}

#[test]
fn what_stands_behind_the_end_of_a_bundle_is_named_and_the_bundle_is_kept() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let (_, bytes, _) = long_bundle(&kabupaten);
    let longer = kabupaten.write("lebih.wksbm", [&bytes[..], b"sisa"].concat());
    let seen = province.json(&["bundle", "inspect", &longer]).done();
    assert_eq!(seen.get("whole").unwrap(), &json!(false));
    let partly = province.json(&["bundle", "import", &longer]);
    assert_eq!((partly.kind().as_str(), partly.exit), ("partial", 12));
    let partly = partly.object();
    assert_eq!(at(&partly, "/files/0/rejected"), json!({"trailing": 1}), "{partly}");
    assert_eq!(at(&partly, "/files/0/new"), json!(12), "{partly}");
    assert_eq!(at(&partly, "/quarantined"), json!(0));
}

#[test]
fn a_file_with_nothing_in_it_was_not_copied_and_is_truncated() {
    let desk = Desk::province();
    let empty = desk.write("kosong.wksbm", b"");
    for line in [
        &["bundle", "import", &empty][..],
        &["bundle", "inspect", &empty],
        &["import", &empty, "--kind", "ppks", "--area", DESA],
    ] {
        let refused = desk.json(line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_truncated", 5), "{line:?}");
        let told = desk.typed(line, "").stderr;
        assert!(told.contains("kosong.") && told.contains("Salin ulang"), "{told}");
    }
    let joined = Desk::empty().json(&["join", "--invitation", &empty]);
    assert_eq!((joined.kind().as_str(), joined.exit), ("file_truncated", 5));
}

#[test]
fn a_file_cut_before_its_first_entries_is_truncated_and_nothing_of_any_file_is_taken() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let (whole, bytes, frames) = long_bundle(&kabupaten);
    let first = frames.iter().copied().find(|at| bytes.get(*at) == Some(&4)).unwrap();
    let before = province.json(&["status"]).done();
    for end in [first, first + 30] {
        let cut = kabupaten.write("potong.wksbm", bytes.get(..end).unwrap());
        let refused = province.json(&["bundle", "import", &whole, &cut]);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_truncated", 5), "{end}");
        let seen = province.json(&["bundle", "inspect", &cut]).done();
        assert_ne!(seen.get("missing").unwrap(), &json!([]), "{seen}");
    }
    assert_eq!(province.json(&["status"]).done().get("entries"), before.get("entries"));
}

#[test]
fn a_second_piece_that_comes_first_says_which_piece_it_waits_for() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let desa = Desk::empty();
    let invitation = desa.path("undangan");
    kabupaten.json(&["invite", "--area", DESA, "-o", &invitation]).done();
    desa.json(&["join", "--invitation", &invitation]).done();
    desa.carry_to(&kabupaten);
    kabupaten.json(&["member", "confirm", &desa.device()]).done();
    kabupaten.activity(DESA, "Rapat");
    let file = desa.path("paket.wksbm");
    let device = desa.device();
    let export = |size: &str| {
        kabupaten.json(&["bundle", "export", "--for", &device, "--max-size", size, "-o", &file])
    };
    let refused = export("1").object();
    let cause = at(&refused, "/error/cause");
    let least = cause.as_str().unwrap().split(' ').find(|word| word.parse::<u64>().is_ok());
    let made = export(least.unwrap()).done();
    let files = made.get("files").unwrap().as_array().unwrap();
    let files: Vec<&str> = files.iter().map(|file| file.as_str().unwrap()).collect();
    let (tail, before) = files.split_last().unwrap();
    assert!(!before.is_empty(), "{made}");
    let early = desa.json(&["bundle", "import", tail]);
    assert_eq!((early.kind().as_str(), early.exit), ("partial", 12));
    let said = early.object();
    assert!(at(&said, "/files/0/pending").as_u64() > Some(0), "{said}");
    assert_eq!(at(&said, "/files/0/part"), json!([files.len(), files.len()]));
    let cause = at(&said, "/error/cause");
    assert!(cause.as_str().unwrap().contains("Import that one first"), "{cause}");
    let page = desa.typed(&[&["bundle", "import", "--lang", "en"], before].concat(), "");
    let told = format!("{}{}", page.stdout, page.stderr);
    assert!(told.contains(&format!("not imported with it: {}", files.len())), "{told}");
    desa.json(&["bundle", "import", tail]).done();
    let all = desa.json(&[&["bundle", "import"], &files[..]].concat()).done();
    assert_eq!(at(&all, "/files/0/bundle"), at(&all, "/files/1/bundle"));
    let page = desa.typed(&[&["bundle", "import", "--lang", "en"], &files[..]].concat(), "");
    assert!(!page.stdout.contains("not imported"), "{}", page.stdout);
    let root = |desk: &Desk| desk.json(&["root", "--area", DESA]).done();
    assert_eq!(root(&desa).get("root"), root(&kabupaten).get("root"));
}

#[test]
fn a_folder_is_no_bundle_and_no_failing_disk() {
    let desk = Desk::province();
    for line in ["import", "inspect"] {
        let refused = desk.json(&["bundle", line, &desk.path("")]);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_foreign", 5));
        let cause = at(&refused.object(), "/error/cause");
        assert!(cause.as_str().unwrap().contains("folder"), "{cause}");
    }
}

#[test]
fn a_result_replaces_its_own_kind_and_nothing_else() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let synth = ["synth", "--preset", "mini", "--seed", "1", "--jsonl"];
    let commands: [&[&str]; 4] = [
        &["bundle", "export", "--all", "-o"],
        &["invite", "--area", "32.09", "-o"],
        &["record", "export", &id, "-o"],
        &synth,
    ];
    for line in commands {
        let letter = desk.write("surat.odt", "a letter");
        let typed = |file: &str| desk.json(&[line, &[file]].concat());
        let refused = typed(&letter);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_foreign", 5), "{line:?}");
        assert_eq!(std::fs::read(&letter).unwrap(), b"a letter", "{line:?}");
        let fresh = desk.path("hasil");
        typed(&fresh).done();
        typed(&fresh).done();
        std::fs::remove_file(&fresh).unwrap();
        let inside = desk.data().join("feed.redb");
        let refused = typed(inside.to_str().unwrap());
        assert_eq!((refused.kind().as_str(), refused.exit), ("usage", 2), "{line:?}");
        assert!(std::fs::read(&inside).unwrap().starts_with(b"redb"), "{line:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_before_anybody_waits_for_what_may_never_come() {
    let desk = Desk::province();
    let pipe = desk.path("pipa");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let joining = Desk::empty().json(&["join", "--invitation", &pipe]);
    assert_eq!((joining.kind().as_str(), joining.exit), ("file_foreign", 5));
    let lines: [&[&str]; 3] = [
        &["bundle", "import", &pipe],
        &["bundle", "inspect", &pipe],
        &["import", &pipe, "--kind", "ppks", "--area", DESA],
    ];
    for line in lines {
        let refused = desk.json(line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_foreign", 5), "{line:?}");
    }
    let sheet = desk.write("lembar.csv", "Nama\nUji Satu\n");
    let line = ["import", &sheet, "--kind", "ppks", "--area", DESA, "--map", &pipe];
    assert_eq!(desk.json(&line).kind(), "file_foreign");
}

#[test]
fn whoever_reads_its_own_bundle_has_met_nobody() {
    let desk = Desk::province();
    let file = desk.path("sendiri.wksbm");
    desk.json(&["bundle", "export", "--all", "-o", &file]).done();
    desk.json(&["bundle", "import", &file]).done();
    assert_eq!(at(&desk.json(&["peer", "list"]).done(), "/peers"), json!([]));
    assert_eq!(at(&desk.json(&["status"]).done(), "/peers"), json!([]));
}

#[test]
fn pieces_of_an_earlier_bundle_of_the_name_are_told_and_left() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let (whole, ..) = long_bundle(&kabupaten);
    let export = |more: &[&str]| {
        let line = ["bundle", "export", "--all", "-o", &whole];
        kabupaten.typed(&[&line, more].concat(), "")
    };
    let first = kabupaten.json(&["bundle", "export", "--all", "-o", &whole]).done();
    assert_eq!(at(&first, "/older"), json!([]), "it replaced itself");
    let least = at(&export(&["--max-size", "1", "--json"]).object(), "/error/cause");
    let least = least.as_str().unwrap().split(' ').find_map(|word| word.parse::<u64>().ok());
    let small = least.unwrap().to_string();
    let many = export(&["--max-size", &small, "--json"]).done();
    let pieces: Vec<Value> = at(&many, "/files").as_array().unwrap().clone();
    assert!(pieces.len() > 1, "{many}");
    assert_eq!(at(&many, "/older"), json!([whole]));
    let one = export(&["--json"]).done();
    assert_eq!(at(&one, "/older"), Value::from(pieces.clone()));
    let told = export(&[]).stdout;
    for piece in &pieces {
        let piece = piece.as_str().unwrap();
        assert!(told.contains(piece) && told.contains("bundel terdahulu"), "{told}");
        assert!(std::path::Path::new(piece).exists(), "nothing is deleted");
    }
}

#[test]
fn a_bundle_with_altered_bytes_is_told_as_altered_and_not_as_cut() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let (_, bytes, frames) = long_bundle(&kabupaten);
    for place in [10, 12, 13, 20] {
        let mut header = bytes.clone();
        *header.get_mut(place).unwrap() ^= 1;
        let header = kabupaten.write("kepala.wksbm", header);
        for line in ["import", "inspect"] {
            let refused = province.json(&["bundle", line, &header]);
            assert_eq!((refused.kind().as_str(), refused.exit), ("file_altered", 5), "{place}");
        }
        let told = province.typed(&["bundle", "import", &header], "").stderr;
        assert!(told.contains("kepala bundelnya berubah"), "{told}");
    }
    let runs: Vec<usize> = frames.iter().copied().filter(|at| bytes.get(*at) == Some(&4)).collect();
    let (first, last) = (*runs.first().unwrap(), *runs.last().unwrap());
    let mut tail = bytes.clone();
    tail.get_mut(last..).unwrap().fill(0);
    tail.resize(tail.len() + 20_000, 0);
    let tail = kabupaten.write("ekor.wksbm", tail);
    let partly = province.json(&["bundle", "import", &tail]);
    assert_eq!((partly.kind().as_str(), partly.exit), ("partial", 12));
    assert_eq!(at(&partly.object(), "/files/0/rejected"), json!({"altered": 1}));
    let mut nothing = bytes;
    nothing.get_mut(first..).unwrap().fill(0);
    let nothing = kabupaten.write("kosong.wksbm", nothing);
    let refused = province.json(&["bundle", "import", &nothing]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("file_altered", 5));
}
