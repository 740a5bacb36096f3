//! A register full of marked values, and every command over it at the loudest log level: no mark
//! reaches standard error, a log, an error's object or the name of a file.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::desk::{DESA, Desk, Ended};
use crate::exits::{MARKS, says_no_mark};

/// What a log wrote.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does something at the loudest level; what was logged meanwhile.
fn logged(what: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, what);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// The fields of a kind: name, class, type.
fn fields(desk: &Desk, kind: &str) -> Vec<(String, String, String)> {
    let schema = desk.json(&["schema", kind]).done();
    let fields = schema.pointer("/kinds/0/fields").unwrap().as_array().unwrap();
    let text = |field: &Value, key: &str| field.get(key).unwrap().as_str().unwrap().to_owned();
    let of = |field| (text(field, "field"), text(field, "class"), text(field, "type"));
    fields.iter().map(of).collect()
}

/// The marked person, with a mark in every field that takes any text.
fn marked_everywhere(desk: &Desk) -> Map<String, Value> {
    let mut person = Desk::marked_person().as_object().unwrap().clone();
    for (field, _, form) in fields(desk, "ppks") {
        if form == "text" && !person.contains_key(&field) {
            person.insert(field, json!(MARKS[0]));
        }
    }
    person
}

fn add(desk: &Desk, person: &Map<String, Value>) -> Ended {
    let line = ["record", "add", "ppks", "--area", DESA, "--fields", "-", "--json"];
    desk.typed(&line, &Value::Object(person.clone()).to_string())
}

/// A line for people and for programs; only a result may show what is not of class S.
fn tells_no_mark(desk: &Desk, line: &[&str]) {
    for more in [&["--json"][..], &["--lang", "id"], &["--lang", "en"]] {
        let ended = desk.typed(&[line, more].concat(), "");
        let name = line.join(" ");
        says_no_mark(&ended.stderr, &name);
        if ended.exit != 0 {
            says_no_mark(&ended.stdout, &name);
        }
    }
}

/// Every command once, on a register of marked values.
fn every_command(desk: &Desk, id: &str) -> Vec<Vec<String>> {
    let path = |name: &str| desk.path(name);
    let (bundle, sheet) = (path("paket.wksbm"), path("lembar.csv"));
    std::fs::write(&sheet, format!("nama,nik\n{},{}\n", MARKS[0], "3209214501609007")).unwrap();
    let invitation = path("undangan");
    let lines: Vec<Vec<&str>> = vec![
        vec!["network", "create", "--name", "Uji", "--area", "32"],
        vec!["invite", "--area", "32.09", "-o", &invitation],
        vec!["join", "--invitation", &invitation],
        vec!["member", "list"],
        vec!["member", "confirm", id],
        vec!["area", "show", DESA],
        vec!["area", "list", "--under", "32.09.21"],
        vec!["area", "rehome", "32.09.21.2001", "32.09.39.2099"],
        // An address that is not this machine's: it ends before it stays up.
        vec!["run", "--offline", "--api", "192.0.2.1:1"],
        vec!["page"],
        vec!["sync", "--peer", "/ip4/127.0.0.1/tcp/1", "--timeout", "1"],
        vec!["peer", "add", "/ip4/127.0.0.1/tcp/1"],
        vec!["peer", "list"],
        vec!["peer", "remove", "/ip4/127.0.0.1/tcp/1"],
        vec!["status"],
        vec!["root"],
        vec!["verify"],
        vec!["verify", "--rebuild"],
        vec!["schema", "ppks"],
        vec!["glossary"],
        vec!["record", "add", "ppks", "--area", DESA, "-f", "nama=Kembangsepatu"],
        vec!["record", "set", id, "-f", "nama=Kembangsepatu Kedua"],
        vec!["record", "set", id, "-f", "status_penanganan=Kembangsepatu"],
        vec!["record", "show", id],
        vec!["record", "show", id, "--reveal", "uji"],
        vec!["record", "list"],
        vec!["record", "list", "--query", "Kembangsepatu"],
        vec!["record", "history", id],
        vec!["record", "history", id, "--reveal", "uji"],
        vec!["record", "conflicts"],
        vec!["record", "settle", id, "nama", "--value", "Kembangsepatu"],
        vec!["record", "settle", id, "jenis_kelamin", "--value", "Kembangsepatu"],
        vec!["record", "export", id, "-o", "catatan"],
        vec!["bundle", "export", "--all", "-o", &bundle],
        vec!["bundle", "inspect", &bundle],
        vec!["bundle", "import", &bundle],
        vec!["import", &sheet, "--kind", "ppks", "--area", DESA],
        vec!["synth", "--preset", "mini", "--seed", "1", "--into-node", "--records", "3"],
        vec!["completions", "bash"],
        vec!["man", "halaman"],
        vec!["member", "close"],
    ];
    let beside = |word: &str| match word {
        "catatan" | "halaman" => path(word),
        word => word.to_owned(),
    };
    lines.into_iter().map(|line| line.into_iter().map(beside).collect()).collect()
}

#[test]
fn no_command_tells_a_personal_value_but_in_its_result() {
    let desk = Desk::province();
    let log = logged(|| {
        let write = add(&desk, &marked_everywhere(&desk)).done();
        let id = write.get("record").unwrap().as_str().unwrap();
        let mut called = BTreeSet::new();
        for line in every_command(&desk, id) {
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            tells_no_mark(&desk, &line);
            called.insert(line.iter().take(2).copied().collect::<Vec<_>>().join("-"));
            called.insert(line.first().copied().unwrap().to_owned());
        }
        // The manual knows every command; the demo has people of its own.
        let pages = desk.json(&["man", &desk.path("halaman")]).done();
        for page in pages.get("files").unwrap().as_array().unwrap() {
            let name = page.as_str().unwrap().trim_end_matches(".1");
            let name = name.trim_start_matches("wksbm").trim_start_matches('-');
            assert!(
                ["", "demo"].contains(&name) || called.contains(name),
                "`{name}` was not called"
            );
        }
        tracing::trace!("the log listens");
    });
    assert!(log.contains("the log listens"));
    says_no_mark(&log, "the log");
    for (path, _) in desk.files() {
        says_no_mark(&path.to_string_lossy(), "the name of a file");
    }
}

#[test]
fn no_refusal_of_any_field_repeats_what_was_typed() {
    let desk = Desk::province();
    let write = add(&desk, &marked_everywhere(&desk)).done();
    let id = write.get("record").unwrap().as_str().unwrap();
    let mut refused = 0;
    let log = logged(|| {
        for (field, ..) in fields(&desk, "ppks") {
            let (short, long) = (MARKS.join(" "), MARKS.join(" ").repeat(100));
            for (typed, more) in [(&short, "--json"), (&long, "--json"), (&long, "--quiet")] {
                let body = json!({ field.clone(): typed }).to_string();
                let ended = desk.typed(&["record", "set", id, "--fields", "-", more], &body);
                says_no_mark(&ended.stderr, &field);
                if ended.exit != 0 {
                    says_no_mark(&ended.stdout, &field);
                    refused += 1;
                }
            }
        }
    });
    says_no_mark(&log, "the log");
    assert!(refused > 100, "only {refused} were refused");
}

#[test]
fn no_wrong_command_line_repeats_a_value() {
    let desk = Desk::province();
    let id = desk.person(DESA);
    for line in [
        &["record", "set", &id, "--nama=Kembangsepatu"][..],
        &["record", "set", &id, "--nama", "Kembangsepatu"],
        &["record", "set", &id, "-f", "Kembangsepatu"],
        &["record", "set", &id, "-f", "nama=Kembangsepatu", "-f", "nama=081234509009"],
        &["record", "set", &id, "-f", "nama=Kembangsepatu", "Jalan Rahasia"],
        &["record", "set", &id, "-f", "kebutuhan+=Kembangsepatu;x"],
        &["record", "set", &id, "-f", "nama=@/no/such/file"],
    ] {
        tells_no_mark(&desk, line);
    }
    for body in [
        r#"{"nama": "Kembangsepatu""#,
        r#"{"nama": {"x": "Kembangsepatu"}}"#,
        r#"["Kembangsepatu"]"#,
        "Kembangsepatu",
    ] {
        let line = ["record", "set", &id, "--fields", "-"];
        let ended = desk.typed(&line, body);
        assert_eq!(ended.exit, 2, "{body}");
        says_no_mark(&ended.stderr, body);
        says_no_mark(&desk.typed(&[&line[..], &["--json"]].concat(), body).stdout, body);
    }
}

#[test]
fn values_of_class_s_are_shown_only_for_a_purpose() {
    let desk = Desk::province();
    let person = marked_everywhere(&desk);
    let mut secret = person.clone();
    let specific: BTreeSet<String> = fields(&desk, "ppks")
        .into_iter()
        .filter(|(field, class, form)| class == "S" && form == "text" && person.contains_key(field))
        .map(|(field, ..)| field)
        .collect();
    assert!(specific.len() > 3, "{specific:?}");
    for field in &specific {
        secret.insert(field.clone(), json!("Rahasiaterdalam"));
    }
    let write = add(&desk, &secret).done();
    let id = write.get("record").unwrap().as_str().unwrap();
    for line in [
        &["record", "show", id][..],
        &["record", "history", id],
        &["record", "list"],
        &["record", "conflicts"],
        &["record", "list", "--query", "Rahasiaterdalam"],
    ] {
        for more in [&["--json"][..], &[]] {
            let ended = desk.typed(&[line, more].concat(), "");
            assert_eq!(ended.exit, 0);
            assert!(!ended.stdout.contains("Rahasiaterdalam"), "{line:?}: {}", ended.stdout);
        }
    }
    let shown = desk.json(&["record", "show", id, "--reveal", "uji"]);
    assert!(shown.stdout.contains("Rahasiaterdalam"), "{}", shown.stdout);
}

/// The real process, as loud as it can be made.
#[test]
fn the_binary_with_every_log_switched_on_tells_no_mark() {
    let desk = Desk::province();
    let person = Value::Object(marked_everywhere(&desk)).to_string();
    let sick = json!({"nama": MARKS[0], "nik": "320921450160900"}).to_string();
    let id = desk.person(DESA);
    let data = desk.data();
    for (line, body) in [
        (&["record", "add", "ppks", "--area", DESA, "--fields", "-"][..], person.as_str()),
        (&["record", "add", "ppks", "--area", DESA, "--fields", "-"], sick.as_str()),
        (&["record", "show", &id], ""),
        (&["record", "set", &id, "-f", "jenis_kelamin=Kembangsepatu"], ""),
        (&["verify"], ""),
        (&["bundle", "import", "/no/such/file"], ""),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wksbm"))
            .args(line)
            .arg("--data")
            .arg(&data)
            .envs([("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("WKSBM_LOG", "trace")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        says_no_mark(&String::from_utf8_lossy(&ended.stderr), &line.join(" "));
        if !ended.status.success() {
            says_no_mark(&String::from_utf8_lossy(&ended.stdout), &line.join(" "));
        }
    }
}
