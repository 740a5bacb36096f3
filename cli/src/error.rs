//! Why a command did not do what was asked: kind, cause, hint, and the table of exit codes.
//!
//! A person reads three things in the language of choice: what failed, why, what to do next (the
//! texts lie in `i18n/*/errors.ftl`). A script reads `kind` and `exit`; its message is English
//! always. What a node could not do comes as [`NodeError`]; nothing personal is part of either.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use node::echo::Echo;
use node::error::{ErrorKind, NodeError, PATH_FACTS};
use node::node::WHOLE_FILE;
use serde_json::{Map, Value, json};

use crate::settings::Language;
use crate::words::{Fact, Words};

/// Exit codes and the kinds that end so, as in section 2 of `docs/cli.md`. 0 is success.
pub const EXIT_CODES: [(u8, &[ErrorKind]); 14] = [
    (1, &[ErrorKind::Internal]),
    (2, &[ErrorKind::Usage]),
    (
        3,
        &[
            ErrorKind::FileMissing,
            ErrorKind::RecordUnknown,
            ErrorKind::AreaUnknown,
            ErrorKind::KindUnknown,
            ErrorKind::FieldUnknown,
            ErrorKind::DeviceUnknown,
        ],
    ),
    (
        4,
        &[
            ErrorKind::ValueInvalid,
            ErrorKind::NikExcel,
            ErrorKind::TransitionInvalid,
            ErrorKind::AreaOutside,
        ],
    ),
    (
        5,
        &[
            ErrorKind::FileForeign,
            ErrorKind::FileTruncated,
            ErrorKind::FileAltered,
            ErrorKind::FormatNewer,
        ],
    ),
    (6, &[ErrorKind::NotEqual]),
    (7, &[ErrorKind::Damage]),
    (
        8,
        &[
            ErrorKind::NoCertificate,
            ErrorKind::NoRight,
            ErrorKind::Revoked,
            ErrorKind::KeystoreLocked,
        ],
    ),
    (9, &[ErrorKind::NetworkOther, ErrorKind::AlreadyJoined, ErrorKind::InvitationUsed]),
    (
        10,
        &[
            ErrorKind::StoreLocked,
            ErrorKind::StoreNewer,
            ErrorKind::StoreMissing,
            ErrorKind::StoreExists,
        ],
    ),
    (11, &[ErrorKind::DiskFull, ErrorKind::DiskError, ErrorKind::ReadOnly]),
    (12, &[ErrorKind::Partial]),
    (
        13,
        &[
            ErrorKind::PortInUse,
            ErrorKind::PeerUnreachable,
            ErrorKind::Timeout,
            ErrorKind::PeerRefused,
        ],
    ),
    (130, &[ErrorKind::Interrupted]),
];

/// The exit code of a kind; one the table does not know is our mistake.
pub fn exit_code(kind: ErrorKind) -> u8 {
    let row = EXIT_CODES.iter().find(|(_, kinds)| kinds.contains(&kind));
    row.map_or(1, |(code, _)| *code)
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    kind: ErrorKind,
    /// Of which message in `errors.ftl` its texts are; the kind's own but for few.
    told: Cow<'static, str>,
    cause: Cause,
    facts: Vec<Fact>,
}

/// Where the "why" comes from.
#[derive(Debug)]
enum Cause {
    /// In English as the node or a child said it; people read `error-KIND.why`.
    Said(String),
    /// A text of ours, in every language.
    Text(&'static str),
}

impl Failure {
    /// A command line that is wrong, for the reason with this key in `usage.ftl`.
    pub(crate) fn usage(key: &'static str, facts: Vec<Fact>) -> Self {
        Self::because(ErrorKind::Usage, key, facts)
    }

    /// A failure of `kind` whose why has this key.
    pub(crate) fn because(kind: ErrorKind, key: &'static str, facts: Vec<Fact>) -> Self {
        Self { kind, told: kind.as_str().into(), cause: Cause::Text(key), facts }
    }

    /// A failure of `kind` with texts of its own in `errors.ftl`.
    pub(crate) fn finer(kind: ErrorKind, told: &'static str, facts: Vec<Fact>) -> Self {
        let cause = Cause::Said(String::new());
        let mut finer = Self { kind, told: told.into(), cause, facts };
        finer.cause = Cause::Said(finer.cause(Words::new(Language::English)));
        finer
    }

    /// A file that could not be read or written.
    pub(crate) fn file(step: &'static str, path: &Path, source: io::Error) -> Self {
        NodeError::file(step, path, source).into()
    }

    /// A folder that cannot be made; a file in its place is a word that was typed wrongly.
    pub(crate) fn folder(folder: &Path, source: io::Error) -> Self {
        let is_file =
            matches!(source.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory);
        if !is_file {
            return Self::file("create", folder, source);
        }
        let file = folder.ancestors().find(|at| at.is_file()).unwrap_or(folder);
        Self::usage("usage-folder-is-file", vec![Fact::new("path", file.display())])
    }

    /// The result could not be written to standard output.
    pub(crate) fn output(source: io::Error) -> Self {
        Self::file("write", Path::new("stdout"), source)
    }

    /// The contract's word for it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The key of its reason, where that is a text of ours.
    pub(crate) const fn reason(&self) -> Option<&'static str> {
        match self.cause {
            Cause::Text(key) => Some(key),
            Cause::Said(_) => None,
        }
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        exit_code(self.kind)
    }

    /// The same without any path: `known` puts names for the files its reader knows into a text, and of
    /// any other only the length is told.
    pub(crate) fn without_paths(mut self, known: impl Fn(&str) -> String) -> Self {
        let strange: Vec<(String, Echo)> = self
            .facts
            .iter()
            .filter(|fact| PATH_FACTS.contains(&fact.name()))
            .filter_map(|fact| {
                let Echo::Text(text) = fact.value() else { return None };
                let quoted = format!("`{text}`");
                (known(&quoted) == quoted).then(|| (quoted, Echo::nothing(text)))
            })
            .collect();
        let without = |text: &str| {
            strange.iter().fold(known(text), |text, (quoted, nothing)| {
                text.replace(quoted, &nothing.to_string())
            })
        };
        for fact in &mut self.facts {
            let Echo::Text(text) = fact.value() else { continue };
            let quoted = format!("`{text}`");
            let told = match strange.iter().find(|(path, _)| *path == quoted) {
                Some((_, nothing)) => nothing.clone(),
                None if PATH_FACTS.contains(&fact.name()) => {
                    Echo::Text(unquoted(&known(&quoted)).to_owned())
                }
                None => Echo::Text(without(text)),
            };
            *fact = Fact::typed(fact.name().to_owned(), told);
        }
        if let Cause::Said(said) = &mut self.cause {
            *said = without(said);
        }
        self
    }

    /// What failed.
    pub(crate) fn message(&self, words: Words) -> String {
        words.say_with(&self.key("what"), &self.facts)
    }

    /// Why.
    pub(crate) fn cause(&self, words: Words) -> String {
        match self.cause {
            Cause::Said(_) => {
                let rule = self.facts.iter().find_map(|fact| words.rule_of(fact));
                rule.unwrap_or_else(|| words.say_with(&self.key("why"), &self.facts_in(words)))
            }
            Cause::Text(key) => words.say_with(key, &self.facts),
        }
    }

    /// The facts, with a reason of the node told in the language.
    fn facts_in(&self, words: Words) -> Cow<'_, [Fact]> {
        let reason = self.facts.iter().find_map(|fact| words.reason_of(fact, &self.facts));
        let Some(reason) = reason else { return Cow::Borrowed(&self.facts) };
        let told = |fact: &Fact| match fact.name() {
            "what" | "expected" => Fact::new(fact.name().to_owned(), &reason),
            _ => fact.clone(),
        };
        Cow::Owned(self.facts.iter().map(told).collect())
    }

    /// What to do next: as the reason itself says, else as its kind does.
    pub(crate) fn hint(&self, words: Words) -> String {
        self.own_hint(words).unwrap_or_else(|| self.kinds_hint(words))
    }

    /// What the reason itself says is to be done next: ours beside its text, that of the node, or
    /// the rule of the records, under its name.
    pub(crate) fn own_hint(&self, words: Words) -> Option<String> {
        match self.reason() {
            Some(key) => words.find(&format!("{key}.do")),
            None => self.facts.iter().find_map(|fact| words.hint_of(fact, &self.facts)),
        }
    }

    fn kinds_hint(&self, words: Words) -> String {
        words.say_with(&self.key("do"), &self.facts)
    }

    /// The contract's error object, English whatever the language.
    pub(crate) fn json(&self) -> Value {
        let english = Words::new(Language::English);
        let cause = match &self.cause {
            Cause::Said(said) => said.clone(),
            Cause::Text(_) => self.cause(english),
        };
        json!({
            "kind": self.kind.as_str(),
            "message": self.message(english),
            "cause": cause,
            "hint": self.hint(english),
            "exit": self.exit(),
        })
    }

    /// The same in a language, with what a reader in another needs to say it again: the finer word
    /// where there is one, and what happened to which thing.
    pub(crate) fn told(&self, language: Language) -> Value {
        let mut object = self.json();
        let Value::Object(fields) = &mut object else { return object };
        let words = Words::new(language);
        if language != Language::English {
            let texts = [
                ("message", self.message(words)),
                ("cause", self.cause(words)),
                ("hint", self.hint(words)),
            ];
            fields.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
        }
        if self.told != self.kind.as_str() {
            fields.insert("detail".to_owned(), json!(self.told));
        }
        let mut facts: Map<String, Value> = Map::new();
        if let Cause::Text(_) = self.cause {
            facts.insert("what".to_owned(), self.cause(words).into());
        }
        facts.extend(self.facts.iter().map(|it| (it.name().to_owned(), sent(it.value()))));
        fields.insert("facts".to_owned(), facts.into());
        object
    }

    /// A failure that a running node told with [`Failure::told`].
    pub(crate) fn heard(told: &Value) -> Self {
        let text = |name: &str| told.get(name).and_then(Value::as_str);
        let kind = text("kind").unwrap_or_default();
        let kind = ErrorKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = kind.unwrap_or(ErrorKind::Internal);
        let detail = text("detail").map(|detail| detail.to_owned().into());
        let facts = told.get("facts").and_then(Value::as_object).into_iter().flatten();
        let fact =
            |(name, value): (&String, &Value)| Some(Fact::typed(name.clone(), received(value)?));
        Self {
            kind,
            told: detail.unwrap_or(kind.as_str().into()),
            cause: Cause::Said(text("cause").unwrap_or_default().to_owned()),
            facts: facts.filter_map(fact).collect(),
        }
    }

    fn key(&self, part: &str) -> String {
        format!("error-{}.{part}", self.told.replace('_', "-"))
    }
}

/// A quoted text without its marks.
pub(crate) fn unquoted(text: &str) -> &str {
    text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).unwrap_or(text)
}

/// A fact as it travels: what is withheld travels as its length.
fn sent(fact: &Echo) -> Value {
    match fact {
        Echo::Text(text) => json!(text),
        Echo::Withheld { letters } => json!({"letters": letters}),
        other => json!(other.to_string()),
    }
}

fn received(fact: &Value) -> Option<Echo> {
    if let Some(text) = fact.as_str() {
        return Some(Echo::Text(text.to_owned()));
    }
    let letters = usize::try_from(fact.get("letters")?.as_u64()?).ok()?;
    Some(Echo::Withheld { letters })
}

/// The message in `errors.ftl` that tells an error: its kind's own, unless the same kind has
/// several things to say and to do.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are told as their kind is")]
fn told(error: &NodeError) -> &'static str {
    match error {
        NodeError::NoFolder { .. } => "no_folder",
        NodeError::FileEmpty { .. } => "file_empty",
        NodeError::ValueInvalid { field, .. } if field == WHOLE_FILE => "sheet_refused",
        NodeError::File { step: "write" | "create", .. }
            if error.kind() == ErrorKind::FileMissing =>
        {
            "folder_missing"
        }
        NodeError::AreaNotBelow { .. } => "area_not_below",
        NodeError::KeysDamaged { .. } => "keys_damaged",
        NodeError::AreaMoved { .. } => "area_moved",
        NodeError::RecordQuarantined { .. } => "record_quarantined",
        NodeError::RecordWaits { .. } => "record_waits",
        NodeError::RecordTooLarge { .. } => "record_too_large",
        NodeError::NoRoom { .. } => "no_room",
        _ => error.kind().as_str(),
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let facts = error.facts().into_iter().map(|(name, value)| Fact::typed(name, value));
        let cause = Cause::Said(error.to_string());
        Self { kind: error.kind(), told: told(&error).into(), cause, facts: facts.collect() }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeSet;

    use crdt_schema::area::ParseAreaError;
    use node::ports::StoreError;
    use node::reason::{self, Because};

    use super::*;

    #[test]
    fn every_kind_has_exactly_one_exit_code() {
        let listed: Vec<ErrorKind> =
            EXIT_CODES.iter().flat_map(|(_, kinds)| kinds.iter().copied()).collect();
        assert_eq!(listed.len(), ErrorKind::ALL.len());
        assert_eq!(
            listed.iter().collect::<BTreeSet<_>>(),
            ErrorKind::ALL.iter().collect::<BTreeSet<_>>()
        );
        assert!(EXIT_CODES.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn codes_that_scripts_rely_on_stay() {
        for (kind, code) in [
            (ErrorKind::Usage, 2),
            (ErrorKind::NikExcel, 4),
            (ErrorKind::FileTruncated, 5),
            (ErrorKind::Damage, 7),
            (ErrorKind::StoreLocked, 10),
            (ErrorKind::Partial, 12),
            (ErrorKind::Interrupted, 130),
        ] {
            assert_eq!(exit_code(kind), code, "{kind:?}");
        }
    }

    /// One of each way a node fails, and of each way a kind comes about.
    fn node_errors() -> Vec<NodeError> {
        let text = || String::from("x");
        let path = || Path::new("/tmp/x").to_path_buf();
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        let store = |source| NodeError::store(Path::new("/tmp/x"), source);
        vec![
            NodeError::Usage { what: (&reason::ADDRESS).into() },
            NodeError::area("32.09.21.9001", ParseAreaError::VillageKind),
            NodeError::NoFolder { path: path() },
            NodeError::FileEmpty { path: path() },
            NodeError::FileMissing { path: path() },
            NodeError::file("open", &path(), io(io::ErrorKind::NotFound)),
            NodeError::RecordUnknown { id: text() },
            NodeError::EntryUnknown { entry: text() },
            NodeError::AreaUnknown { code: text() },
            NodeError::KindUnknown { kind: text() },
            NodeError::FieldUnknown { kind: text(), field: text() },
            NodeError::DeviceUnknown { device: text() },
            NodeError::ValueInvalid { field: text(), rule: text(), message: text() },
            NodeError::ValueInvalid {
                field: WHOLE_FILE.to_owned(),
                rule: "judul_tidak_ditemukan".to_owned(),
                message: text(),
            },
            NodeError::NikExcel { field: text() },
            NodeError::TransitionInvalid { field: text(), from: text(), to: text() },
            NodeError::AreaOutside { area: text(), own: text() },
            NodeError::FileForeign { path: path(), expected: &reason::BUNDLE },
            NodeError::FileTruncated { path: path() },
            NodeError::FileAltered { path: path(), what: (&reason::SHEET_PARTS).into() },
            NodeError::FormatNewer { path: path(), found: 2, known: 1 },
            NodeError::NoCertificate { area: text() },
            NodeError::NoRight { right: text(), area: text() },
            NodeError::AreaNotBelow { area: text(), own: text() },
            NodeError::AreaMoved { area: text(), parent: text(), own: text() },
            NodeError::RecordQuarantined { record: text() },
            NodeError::RecordTooLarge { record: text() },
            NodeError::RecordWaits { record: text() },
            NodeError::Revoked { area: text() },
            NodeError::KeystoreLocked { why: (&reason::KEYS_MISSING).into() },
            NodeError::KeysDamaged { path: path() },
            NodeError::NetworkOther { theirs: text(), ours: text() },
            NodeError::AlreadyJoined { name: text() },
            NodeError::InvitationUsed,
            NodeError::NoRoom { folder: path(), free: 12_345_678, kept: 20_000_000 },
            store(StoreError::Full),
            store(StoreError::ReadOnly),
            store(StoreError::Locked),
            store(StoreError::Newer { found: 2, known: 1 }),
            store(StoreError::Missing),
            store(StoreError::Exists),
            store(StoreError::Damaged { what: text() }),
            store(StoreError::Poisoned),
            store(StoreError::Io { step: "open", source: io(io::ErrorKind::NotFound) }),
            store(StoreError::Io { step: "open", source: io(io::ErrorKind::Other) }),
            store(StoreError::Misuse("x")),
            NodeError::file("write", &path(), io(io::ErrorKind::NotFound)),
            NodeError::file("write", &path(), io(io::ErrorKind::StorageFull)),
            NodeError::file("write", &path(), io(io::ErrorKind::PermissionDenied)),
            NodeError::file("write", &path(), io(io::ErrorKind::Other)),
            NodeError::Interrupted,
            NodeError::Internal { what: text() },
        ]
    }

    #[test]
    fn every_failure_of_a_node_is_told_in_full_in_every_language() {
        for error in node_errors() {
            let shown = format!("{error:?}");
            let failure = Failure::from(error);
            for language in Language::ALL {
                let words = Words::new(language);
                for text in [failure.message(words), failure.cause(words), failure.hint(words)] {
                    assert!(!text.is_empty(), "{shown}");
                    assert!(!text.contains('$') && !text.contains("error-"), "{shown}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_failure_that_travelled_is_told_as_the_one_that_did_not() {
        for error in node_errors() {
            let failure = Failure::from(error);
            let heard = Failure::heard(&failure.told(Language::English));
            assert_eq!(heard.json(), failure.json());
            for words in Language::ALL.map(Words::new) {
                let texts = |it: &Failure| [it.message(words), it.cause(words), it.hint(words)];
                assert_eq!(texts(&heard), texts(&failure));
            }
            let indonesian = failure.told(Language::Indonesian);
            let words = Words::new(Language::Indonesian);
            assert_eq!(indonesian.get("hint").unwrap(), &failure.hint(words));
        }
    }

    #[test]
    fn every_reason_is_told_in_indonesian_with_the_gaps_it_has_in_english() {
        let words = Words::new(Language::Indonesian);
        for reason in reason::ALL {
            let key = format!("reason-{}", reason.name.replace('_', "-"));
            let gaps = reason.english.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            let gaps: Vec<&str> = gaps.map(|(gap, _)| gap).collect();
            let facts: Vec<Fact> =
                gaps.iter().map(|gap| Fact::new(*gap, format!("<{gap}>"))).collect();
            let text = words.find_with(&key, &facts);
            let text = text.unwrap_or_else(|| panic!("no text for {key}, or a gap too many"));
            assert!(gaps.iter().all(|gap| text.contains(&format!("<{gap}>"))), "{text}");
        }
        let told = crate::words::tests::keys(Language::Indonesian);
        let told = told.iter().filter(|key| key.starts_with("reason-")).count();
        assert_eq!(told, reason::ALL.len());
    }

    #[test]
    fn every_hint_of_its_own_belongs_to_a_reason_or_a_rule_and_fills_its_gaps() {
        let keys = crate::words::tests::keys(Language::English);
        let hints: Vec<&str> = keys.iter().filter_map(|key| key.strip_prefix("hint-")).collect();
        assert!(hints.len() > 4, "{hints:?}");
        for hint in hints {
            let name = hint.replace('-', "_");
            let reason = reason::ALL.iter().find(|reason| reason.name == name);
            assert!(reason.is_some() || crdt_schema::record::rule(&name).is_some(), "{hint}");
            let gaps = reason.map_or("", |reason| reason.english).split('{').skip(1);
            let gaps = gaps.filter_map(|rest| rest.split_once('}'));
            let because = |text: Because, (gap, _)| text.with(gap, format!("<{gap}>"));
            let error = match reason {
                Some(reason) => NodeError::from(gaps.fold(Because::of(reason), because)),
                None => NodeError::ValueInvalid {
                    field: WHOLE_FILE.to_owned(),
                    rule: name.clone(),
                    message: String::new(),
                },
            };
            let failure = Failure::from(error);
            for words in Language::ALL.map(Words::new) {
                let told = failure.hint(words);
                assert_ne!(told, failure.kinds_hint(words), "{hint}");
                assert!(!told.contains('$'), "{told}");
            }
        }
    }

    #[test]
    fn an_indonesian_reader_is_told_the_reason_in_indonesian_also_by_a_running_node() {
        let failure = Failure::from(NodeError::from(&reason::RIGHTS_NONE));
        let heard = Failure::heard(&failure.told(Language::English));
        for failure in [failure, heard] {
            let indonesian = failure.cause(Words::new(Language::Indonesian));
            assert_eq!(indonesian, "Daftar haknya kosong.");
            assert_eq!(failure.cause(Words::new(Language::English)), "the list of rights is empty");
        }
        let long = NodeError::from(Because::of(&reason::NETWORK_NAME).with("most", 120));
        let long = Failure::heard(&Failure::from(long).told(Language::Indonesian));
        let indonesian = long.cause(Words::new(Language::Indonesian));
        assert_eq!(indonesian, "Nama jaringan panjangnya 1 sampai 120 bita.");
        let path = Path::new("/tmp/x").to_path_buf();
        let foreign = Failure::from(NodeError::FileForeign { path, expected: &reason::COLUMN_MAP });
        let cause = foreign.cause(Words::new(Language::Indonesian));
        assert_eq!(cause, "Yang diminta: peta kolom.");
        assert_eq!(foreign.json().get("cause").unwrap(), "`/tmp/x` is not a column map");
    }

    #[test]
    fn every_kind_says_what_why_and_what_to_do_in_every_language() {
        for kind in ErrorKind::ALL {
            for language in Language::ALL {
                for part in ["what", "why", "do"] {
                    let key = format!("error-{}.{part}", kind.as_str().replace('_', "-"));
                    assert!(crate::words::tests::keys(language).contains(&key), "{key}");
                }
            }
        }
    }

    #[test]
    fn a_refused_value_is_explained_by_its_rule_in_the_language_of_the_reader() {
        let refused = |rule: &str| {
            let (field, message) = ("nama".to_owned(), "x".to_owned());
            Failure::from(NodeError::ValueInvalid { field, rule: rule.to_owned(), message })
        };
        let (known, unknown) = (refused("wajib_diisi"), refused("no_such_rule"));
        let indonesian = Words::new(Language::Indonesian);
        assert_eq!(known.cause(indonesian), "Kolom ini wajib diisi.");
        assert!(unknown.cause(indonesian).contains("no_such_rule"));
    }

    #[test]
    fn the_object_for_scripts_is_english_and_complete() {
        let object = Failure::from(NodeError::AreaUnknown { code: "99".into() }).json();
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["kind", "message", "cause", "hint", "exit"]);
        assert_eq!(object.get("kind").unwrap(), "area_unknown");
        assert_eq!(object.get("cause").unwrap(), "no area has this code: `99`");
        assert_eq!(object.get("exit").unwrap(), 3);
    }
}
