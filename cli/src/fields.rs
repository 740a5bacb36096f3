//! Values of fields, as typed or read: `--field`, `--clear`, `--fields`.
//!
//! | typed | wish |
//! |---|---|
//! | `NAME=VALUE` | put this value |
//! | `NAME=@FILE`, `NAME=@-` | put what the file, or standard input, holds |
//! | `NAME+=VALUE`, `NAME-=VALUE` | one element more, one less (`@` as above) |
//! | `--clear NAME` | no value |
//! | `--fields FILE`, `--fields -` | one JSON object: text and a whole number put a value, true and false one of yes or no, `null` clears, a list of them puts a whole set or list |
//!
//! A value that begins with `@` is typed `@@`. One line break at the end of a file is not part of
//! the value. What a value may be is the declaration's to say, not ours. Values may be personal:
//! no message here repeats one.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use crdt_schema::record::rules::{self, Rule};
use crdt_schema::record::{Ask, Wish};
use node::echo::Echo;
use node::error::{ErrorKind, NodeError};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Number, Value};

use crate::console::Console;
use crate::error::Failure;
use crate::words::Fact;

/// Most bytes one value or one `--fields` file may have: far above any declared field (an entry
/// takes less), far below what would trouble a small board.
const INPUT_BYTES_MAX: u64 = 4 << 20;

/// The flags, as typed; flattened into every command that writes a record.
#[derive(Default, clap::Args)]
pub(crate) struct FieldArgs {
    /// Put a value: NAME=VALUE, NAME=@FILE or NAME=@- (standard input); of a set or list add or
    /// remove one element: NAME+=VALUE, NAME-=VALUE
    #[arg(long = "field", short = 'f', value_name = "NAME=VALUE")]
    pub(crate) field: Vec<String>,
    /// Clear a field
    #[arg(long, value_name = "NAME")]
    pub(crate) clear: Vec<String>,
    /// Read one JSON object of fields from a file, or from standard input with -; for people's
    /// data, because every user of the machine may see a command line
    #[arg(long, value_name = "FILE|-")]
    pub(crate) fields: Vec<String>,
}

/// The wishes behind the flags: those of `--fields` first, then `--field`, then `--clear`.
///
/// # Errors
/// `usage` for a form that is none and for a field that is put or cleared beside anything else;
/// `file_missing` and others of files.
pub(crate) fn asks(args: &FieldArgs, console: &mut Console) -> Result<Vec<Ask>, Failure> {
    let mut reader = Reader::new(console);
    let mut asks = Vec::new();
    for source in &args.fields {
        let text = reader.source(source, None)?;
        // Windows' editors put a mark before UTF-8, and JSON takes none.
        asks.extend(object(text.trim_start_matches('\u{feff}'))?);
    }
    for typed in &args.field {
        asks.push(ask(typed, &mut reader)?);
    }
    let clear = |name: &String| Ask { field: name.clone(), what: Wish::Clear };
    asks.extend(args.clear.iter().map(clear));
    each_field_once(&asks)?;
    Ok(asks)
}

/// A value as typed: itself, or behind `@` what a file or standard input holds. A failure names
/// `field`, never what stands behind the `@`: who forgets that a value begins so has typed a value.
///
/// # Errors
/// Those of files; `usage` for a folder and for what is no text.
pub(crate) fn value(typed: &str, field: &Echo, console: &mut Console) -> Result<String, Failure> {
    Reader::new(console).value(typed, field)
}

/// Reads files, and standard input once.
struct Reader<'a> {
    console: &'a mut Console,
    input_read: bool,
}

impl<'a> Reader<'a> {
    fn new(console: &'a mut Console) -> Self {
        Self { console, input_read: false }
    }

    fn value(&mut self, typed: &str, field: &Echo) -> Result<String, Failure> {
        match typed.strip_prefix('@') {
            None => Ok(typed.to_owned()),
            Some(escaped) if escaped.starts_with('@') => Ok(escaped.to_owned()),
            Some(source) => self.source(source, Some(field)).map(without_last_break),
        }
    }

    /// What a file or standard input holds, for the field that is to hold it or for `--fields`.
    fn source(&mut self, source: &str, field: Option<&Echo>) -> Result<String, Failure> {
        let path = Path::new(source);
        let read = if source == "-" { self.input() } else { file(path) };
        let bytes = read.map_err(|error| match field {
            Some(field) => unread(field, &error),
            None => Failure::file("read", path, error),
        });
        let Some(bytes) = bytes? else {
            return Err(Failure::usage("usage-stdin-twice", Vec::new()));
        };
        let wrong = |of_field, of_file| match field {
            Some(field) => Failure::usage(of_field, vec![Fact::typed("field", field.clone())]),
            None => Failure::usage(of_file, vec![Fact::new("path", source)]),
        };
        if bytes.len() as u64 > INPUT_BYTES_MAX {
            return Err(wrong("usage-field-too-long", "usage-value-too-long"));
        }
        String::from_utf8(bytes).map_err(|_| wrong("usage-field-not-text", "usage-not-text"))
    }

    fn input(&mut self) -> io::Result<Option<Vec<u8>>> {
        if std::mem::replace(&mut self.input_read, true) {
            return Ok(None);
        }
        limited(self.console.input()).map(Some)
    }
}

/// A file behind an `@` that cannot be read.
fn unread(field: &Echo, error: &io::Error) -> Failure {
    let facts = vec![Fact::typed("field", field.clone())];
    if error.kind() == io::ErrorKind::IsADirectory {
        return Failure::usage("usage-field-folder", facts);
    }
    let kind = NodeError::file("read", Path::new(""), error.kind().into()).kind();
    let told =
        if kind == ErrorKind::FileMissing { "field_file_missing" } else { "field_file_unread" };
    Failure::finer(kind, told, facts)
}

fn file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    limited(&mut std::fs::File::open(path)?).map(Some)
}

/// One byte over the limit is enough to know.
fn limited(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn without_last_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// One `--field`. The name ends at the first `=`; names hold no sign.
fn ask(typed: &str, reader: &mut Reader<'_>) -> Result<Ask, Failure> {
    let unclear = || Failure::usage("usage-field-form", Vec::new());
    let (name, value) = typed.split_once('=').ok_or_else(unclear)?;
    let (name, wish): (&str, fn(String) -> Wish) = if let Some(name) = name.strip_suffix('+') {
        (name, Wish::Add)
    } else if let Some(name) = name.strip_suffix('-') {
        (name, Wish::Remove)
    } else {
        (name, Wish::Put)
    };
    if name.is_empty() {
        return Err(unclear());
    }
    let value = reader.value(value, &Echo::field(name))?;
    Ok(Ask { field: name.to_owned(), what: wish(value) })
}

/// What an object holds, a name that stands twice included: a map would keep one of the two, and
/// nobody could say which was meant.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one object of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(All)
    }
}

/// The wishes of one JSON object, in its order.
fn object(text: &str) -> Result<Vec<Ask>, Failure> {
    let wrong = |line: usize| Failure::usage("usage-fields-json", vec![Fact::new("line", line)]);
    let Pairs(fields) = serde_json::from_str(text).map_err(|error| wrong(error.line()))?;
    let ask = |(field, value): (String, Value)| {
        let what = wish(&field, value)?;
        Ok(Ask { field, what })
    };
    fields.into_iter().map(ask).collect()
}

fn wish(field: &str, value: Value) -> Result<Wish, Failure> {
    match value {
        Value::Null => Ok(Wish::Clear),
        Value::Array(items) if items.is_empty() => Ok(Wish::Clear),
        Value::Array(items) => items
            .into_iter()
            .map(|item| element(field, item))
            .collect::<Result<_, _>>()
            .map(Wish::Whole),
        Value::Bool(truth) => Ok(Wish::Truth(truth)),
        single @ (Value::String(_) | Value::Number(_) | Value::Object(_)) => {
            text(field, single).map(Wish::Put)
        }
    }
}

/// Between the elements of a whole set or list, as people type and read one.
const ELEMENTS_APART: &str = ";";

/// An element that holds the sign between elements would read as two.
fn element(field: &str, value: Value) -> Result<String, Failure> {
    let text = text(field, value)?;
    if text.contains(ELEMENTS_APART) {
        return Err(Failure::usage(
            "usage-element-sign",
            vec![Fact::typed("field", Echo::field(field))],
        ));
    }
    Ok(text)
}

fn text(field: &str, value: Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => whole(field, &number),
        Value::Bool(_) => Err(invalid(field, &rules::NOT_YES_NO)),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Failure::usage(
            "usage-fields-value",
            vec![Fact::typed("field", Echo::field(field))],
        )),
    }
}

/// A whole number as it was written. Of any other the reader keeps what it comes to and not what was
/// written: `1.10` would become `1.1`, and of twenty-three digits the last would be noughts.
fn whole(field: &str, number: &Number) -> Result<String, Failure> {
    let is_whole = number.is_u64() || number.is_i64();
    is_whole.then(|| number.to_string()).ok_or_else(|| invalid(field, &rules::NUMBER_FORM))
}

/// A value that its field cannot hold as it was written.
fn invalid(field: &str, rule: &Rule) -> Failure {
    let (rule, message) = (rule.name.to_owned(), rule.english.to_owned());
    NodeError::ValueInvalid { field: Echo::field(field).to_string(), rule, message }.into()
}

/// A field that is put or cleared stands alone: in one save nobody could say which comes last.
fn each_field_once(asks: &[Ask]) -> Result<(), Failure> {
    let mut wishes: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for ask in asks {
        let (count, whole) = wishes.entry(&ask.field).or_default();
        *count += 1;
        *whole |= ask.what.is_whole();
    }
    match wishes.iter().find(|(_, (count, whole))| *whole && *count > 1) {
        None => Ok(()),
        Some((field, _)) => {
            Err(Failure::usage("usage-field-twice", vec![Fact::typed("field", Echo::field(field))]))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn args(field: &[&str], clear: &[&str], fields: &[&str]) -> FieldArgs {
        FieldArgs { field: list(field), clear: list(clear), fields: list(fields) }
    }

    fn made(args: &FieldArgs, stdin: &str) -> Result<Vec<Ask>, Failure> {
        asks(args, &mut Console::captured(stdin).0)
    }

    fn refused(args: &FieldArgs, stdin: &str) -> Failure {
        made(args, stdin).map(|asks| asks.len()).unwrap_err()
    }

    fn is(ask: &Ask, field: &str, what: &Wish) -> bool {
        ask.field == field && ask.what == *what
    }

    #[test]
    fn a_typed_field_is_put_added_or_removed_by_its_sign() {
        let made = made(&args(&["a=1=2", "b+=x", "b-=y", "c="], &["d"], &[]), "").unwrap();
        let wanted = [
            ("a", Wish::Put("1=2".into())),
            ("b", Wish::Add("x".into())),
            ("b", Wish::Remove("y".into())),
            ("c", Wish::Put(String::new())),
            ("d", Wish::Clear),
        ];
        assert_eq!(made.len(), wanted.len());
        assert!(made.iter().zip(&wanted).all(|(ask, (field, what))| is(ask, field, what)));
    }

    #[test]
    fn a_value_is_read_from_a_file_or_from_standard_input_without_its_last_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        std::fs::write(&path, "dua\nbaris\r\n").unwrap();
        let typed = format!("a=@{}", path.display());
        let read = made(&args(&[&typed, "b+=@-", "c=@@at"], &[], &[]), "masuk\n").unwrap();
        let wanted = [
            ("a", Wish::Put("dua\nbaris".into())),
            ("b", Wish::Add("masuk".into())),
            ("c", Wish::Put("@at".into())),
        ];
        assert!(read.iter().zip(&wanted).all(|(ask, (field, what))| is(ask, field, what)));
    }

    #[test]
    fn a_file_that_is_not_there_is_file_missing() {
        let failure = refused(&args(&["a=@/no/such/file"], &[], &[]), "");
        assert_eq!(failure.kind(), ErrorKind::FileMissing);
    }

    #[test]
    fn what_stands_behind_the_sign_of_a_file_is_never_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(place("Rahasia-bukan-teks"), b"\xff\xfe").unwrap();
        std::fs::create_dir(place("Rahasia-folder")).unwrap();
        let long = std::fs::File::create(place("Rahasia-panjang")).unwrap();
        long.set_len(INPUT_BYTES_MAX + 1).unwrap();
        for (name, kind) in [
            ("Rahasia", ErrorKind::FileMissing),
            ("Rahasia-bukan-teks", ErrorKind::Usage),
            ("Rahasia-folder", ErrorKind::Usage),
            ("Rahasia-panjang", ErrorKind::Usage),
            ("Rahasia-bukan-teks/3209210101909001", ErrorKind::DiskError),
        ] {
            for typed in [format!("nik=@{}", place(name)), format!("nik+=@{}", place(name))] {
                let failure = refused(&args(&[&typed], &[], &[]), "");
                assert_eq!(failure.kind(), kind, "{name}");
                let object = failure.json().to_string();
                let said = format!("{object}{failure:?}");
                assert!(object.contains("`nik`"), "{object}");
                assert!(!said.contains("Rahasia") && !said.contains("9001"), "{said}");
            }
        }
    }

    #[test]
    fn an_object_puts_clears_and_replaces_in_its_order() {
        let text = r#"{"z":"Siti","n":12,"y":true,"e":null,"s":["01","07"],"none":[]}"#;
        let made = made(&args(&[], &[], &["-"]), text).unwrap();
        let wanted = [
            ("z", Wish::Put("Siti".into())),
            ("n", Wish::Put("12".into())),
            ("y", Wish::Truth(true)),
            ("e", Wish::Clear),
            ("s", Wish::Whole(vec!["01".into(), "07".into()])),
            ("none", Wish::Clear),
        ];
        assert_eq!(made.len(), wanted.len());
        assert!(made.iter().zip(&wanted).all(|(ask, (field, what))| is(ask, field, what)));
    }

    #[test]
    fn a_long_number_keeps_its_digits() {
        let made = made(&args(&[], &[], &["-"]), r#"{"nik":3209210101909001}"#).unwrap();
        assert!(is(made.first().unwrap(), "nik", &Wish::Put("3209210101909001".into())));
    }

    #[test]
    fn a_number_that_reading_would_change_is_refused_and_told_by_its_field_alone() {
        for number in ["1.10", "3.0", "1e3", "12345678901234567890123", "-0", "0.1"] {
            for text in [format!(r#"{{"nama":{number}}}"#), format!(r#"{{"nama":[{number}]}}"#)] {
                let failure = refused(&args(&[], &[], &["-"]), &text);
                let object = failure.json().to_string();
                assert_eq!(failure.kind(), ErrorKind::ValueInvalid, "{text}");
                assert!(object.contains("`nama`") && !object.contains(number), "{object}");
            }
        }
        let written = made(&args(&[], &[], &["-"]), r#"{"nama":-7,"rt":18446744073709551615}"#);
        let written = written.unwrap();
        assert!(is(&written[0], "nama", &Wish::Put("-7".into())));
        assert!(is(&written[1], "rt", &Wish::Put("18446744073709551615".into())));
    }

    #[test]
    fn a_mark_of_byte_order_before_an_object_is_no_part_of_it() {
        let made = made(&args(&[], &[], &["-"]), "\u{feff}{\"nama\":\"Siti\"}").unwrap();
        assert!(is(&made[0], "nama", &Wish::Put("Siti".into())));
    }

    #[test]
    fn forms_that_are_none_are_usage() {
        for wrong in [
            args(&["no sign"], &[], &[]),
            args(&["=x"], &[], &[]),
            args(&["+=x"], &[], &[]),
            args(&["a=1", "a=2"], &[], &[]),
            args(&["a=1", "a+=2"], &[], &[]),
            args(&["a+=1"], &["a"], &[]),
            args(&["a=@-", "b=@-"], &[], &[]),
        ] {
            assert_eq!(refused(&wrong, "").kind(), ErrorKind::Usage, "{:?}", wrong.field);
        }
        for text in ["", "[]", "{", r#"{"a":{}}"#, r#"{"a":[[]]}"#, r#"{"a":["x;y"]}"#] {
            let failure = refused(&args(&[], &[], &["-"]), text);
            assert_eq!(failure.kind(), ErrorKind::Usage, "{text}");
        }
    }

    #[test]
    fn a_field_named_twice_in_one_object_is_refused_by_its_name() {
        for text in [
            r#"{"nama":"Satu","rt":"01","nama":"Dua"}"#,
            r#"{"nama":"Satu","nama":null}"#,
            r#"{"nama":["a","b"],"nama":["c"]}"#,
        ] {
            let failure = refused(&args(&[], &[], &["-"]), text);
            assert_eq!(failure.kind(), ErrorKind::Usage, "{text}");
            assert!(failure.json().to_string().contains("`nama`"), "{text}");
        }
    }

    #[test]
    fn no_message_repeats_a_value() {
        for (wrong, stdin) in [
            (args(&["Rahasia"], &[], &[]), ""),
            (args(&["a=Rahasia", "a=Rahasia"], &[], &[]), ""),
            (args(&[], &[], &["-"]), r#"{"a":["Rahasia;"]}"#),
            (args(&[], &[], &["-"]), r#"{"a":"Rahasia" "b"}"#),
        ] {
            let failure = refused(&wrong, stdin);
            assert!(!failure.json().to_string().contains("Rahasia"));
            assert!(!format!("{failure:?}").contains("Rahasia"));
        }
    }
}
