//! Texts for people, Indonesian first and English: the files of `i18n/`, compiled in.
//!
//! Keys have a namespace (`page-`, `tell-`, `usage-`, `error-`, `hint-`, `reason-`, `demo-`, `help`), and a
//! test holds the files to the sources: a key that is used exists in each language, and one that
//! exists is used. English help stands beside the flags in the sources, not in a file; so do the
//! reasons of `node`.

use std::borrow::Cow;
use std::collections::HashMap;

use crdt_schema::record;
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use node::echo::Echo;

use crate::settings::Language;

static_loader! {
    static TEXTS = {
        locales: "./i18n",
        fallback_language: "id",
        // Marks around every gap would show as odd letters in simple terminals.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The gap of a count.
const COUNT: &str = "count";

static INDONESIAN: LanguageIdentifier = langid!("id");
static ENGLISH: LanguageIdentifier = langid!("en");

/// What fills a gap of a text.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    name: Cow<'static, str>,
    value: Echo,
}

impl Fact {
    /// `value` for the gap `name`.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        Self { name: name.into(), value: Echo::Text(value.to_string()) }
    }

    /// The gap.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What fills it.
    pub(crate) const fn value(&self) -> &Echo {
        &self.value
    }

    /// What was typed, as far as it may be repeated, for the gap `name`.
    pub(crate) fn typed(name: impl Into<Cow<'static, str>>, value: Echo) -> Self {
        Self { name: name.into(), value }
    }
}

/// Texts in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    language: Language,
}

impl Words {
    /// Texts in `language`.
    pub(crate) const fn new(language: Language) -> Self {
        Self { language }
    }

    /// The language.
    pub(crate) const fn language(self) -> Language {
        self.language
    }

    /// The text with this key.
    pub(crate) fn say(self, key: &str) -> String {
        TEXTS.lookup(self.identifier(), key)
    }

    /// The text with this key, its gaps filled.
    pub(crate) fn say_with(self, key: &str, facts: &[Fact]) -> String {
        let text = TEXTS.lookup_with_args(self.identifier(), key, &self.gaps(facts));
        let withheld = facts.iter().filter(|fact| matches!(fact.value, Echo::Withheld { .. }));
        withheld.fold(text, |text, fact| {
            // Words of ours about a text are no quotation.
            let said = self.gap(fact);
            text.replace(&format!("`{said}`"), &said)
        })
    }

    /// What fills a gap.
    fn gap(self, fact: &Fact) -> String {
        match &fact.value {
            Echo::Text(text) => text.clone(),
            Echo::Withheld { letters } => {
                self.say_with("tell-given-text", &[Fact::new("count", letters)])
            }
            other => other.to_string(),
        }
    }

    /// The text with this key, if there is one in this very language.
    pub(crate) fn find(self, key: &str) -> Option<String> {
        TEXTS.lookup_single_language::<&str>(self.identifier(), key, None).ok()
    }

    /// What a rule of the records says; of one this build does not know, what came with it.
    pub(crate) fn rule(self, name: &str, message: &str) -> String {
        self.known_rule(name).unwrap_or(message).to_owned()
    }

    /// The same, where the fact names a rule this build knows.
    pub(crate) fn rule_of(self, fact: &Fact) -> Option<String> {
        let Echo::Text(name) = &fact.value else { return None };
        let rule = (fact.name == "rule").then(|| self.known_rule(name)).flatten();
        rule.map(str::to_owned)
    }

    /// What a reason of the node says, where the fact names one; in English its own text stands
    /// among the facts already.
    pub(crate) fn reason_of(self, fact: &Fact, gaps: &[Fact]) -> Option<String> {
        let Echo::Text(name) = &fact.value else { return None };
        if fact.name != "because" || self.language == Language::English {
            return None;
        }
        let key = format!("reason-{}", name.replace('_', "-"));
        self.find_with(&key, gaps).map(|_| self.say_with(&key, gaps))
    }

    /// What is to be done about a reason of the node or a rule of the records, where the fact names
    /// one that has a text of its own.
    pub(crate) fn hint_of(self, fact: &Fact, gaps: &[Fact]) -> Option<String> {
        let Echo::Text(name) = &fact.value else { return None };
        let is_name = matches!(fact.name(), "because" | "rule");
        let key = is_name.then(|| format!("hint-{}", name.replace('_', "-")))?;
        self.find_with(&key, gaps).map(|_| self.say_with(&key, gaps))
    }

    /// The text with this key, if there is one in this very language whose gaps these facts fill.
    pub(crate) fn find_with(self, key: &str, facts: &[Fact]) -> Option<String> {
        TEXTS.lookup_single_language(self.identifier(), key, Some(&self.gaps(facts))).ok()
    }

    fn gaps(self, facts: &[Fact]) -> HashMap<Cow<'static, str>, FluentValue<'static>> {
        facts.iter().map(|fact| (fact.name.clone(), self.value(fact))).collect()
    }

    /// What fills a gap; a count as a number, so that a text can tell one from many.
    fn value(self, fact: &Fact) -> FluentValue<'static> {
        let text = self.gap(fact);
        let count = (fact.name == COUNT).then(|| text.parse::<u32>().ok()).flatten();
        count.map_or_else(|| text.into(), Into::into)
    }

    fn known_rule(self, name: &str) -> Option<&'static str> {
        record::rule(name).map(|rule| match self.language {
            Language::Indonesian => rule.indonesian,
            Language::English => rule.english,
        })
    }

    fn identifier(self) -> &'static LanguageIdentifier {
        match self.language {
            Language::Indonesian => &INDONESIAN,
            Language::English => &ENGLISH,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path, ending));
            } else if path.extension().is_some_and(|ext| ext == ending) {
                found.push(path);
            }
        }
        found.sort();
        found
    }

    fn home(folder: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
    }

    /// Keys of the language's files, attributes as `message.attribute`.
    pub(crate) fn keys(language: Language) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for path in files(&home("i18n").join(language.code()), "ftl") {
            let mut message = String::new();
            for line in fs::read_to_string(path).unwrap().lines() {
                let Some((name, _)) = line.split_once('=') else { continue };
                if let Some(attribute) = name.trim().strip_prefix('.') {
                    keys.insert(format!("{message}.{attribute}"));
                } else if !line.starts_with([' ', '#']) {
                    name.trim().clone_into(&mut message);
                    assert!(keys.insert(message.clone()), "{message} stands twice");
                }
            }
        }
        keys
    }

    /// Words in quotes in the sources that look like a key.
    fn used() -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for path in files(&home("src"), "rs") {
            let source = fs::read_to_string(path).unwrap();
            for word in source.split('"') {
                let looks = !word.ends_with('-')
                    && word.bytes().all(|b| b.is_ascii_lowercase() || b"-.0123456789".contains(&b));
                if looks && NAMESPACES.iter().any(|start| word.starts_with(start)) {
                    used.insert(word.to_owned());
                }
            }
        }
        used
    }

    /// English help stands beside the flags, English reasons in `node`.
    const ONE_LANGUAGE: [&str; 2] = ["help", "reason-"];
    const NAMESPACES: [&str; 4] = ["page-", "tell-", "usage-", "demo-"];

    #[test]
    fn both_languages_have_the_same_keys_but_for_what_the_sources_say_in_english() {
        let shared = |language| -> BTreeSet<String> {
            keys(language)
                .into_iter()
                .filter(|key| !ONE_LANGUAGE.iter().any(|it| key.starts_with(it)))
                .collect()
        };
        let (ours, theirs) = (shared(Language::Indonesian), shared(Language::English));
        let apart: Vec<&String> = ours.symmetric_difference(&theirs).collect();
        assert!(apart.is_empty(), "in one language only: {apart:?}");
    }

    #[test]
    fn a_key_that_is_used_exists_and_one_that_exists_is_used() {
        let (used, known) = (used(), keys(Language::Indonesian));
        assert!(used.len() > 50, "the scan found {}", used.len());
        let absent: Vec<&String> = used.difference(&known).collect();
        assert!(absent.is_empty(), "used, but no text: {absent:?}");
        let ours = known.iter().filter(|key| NAMESPACES.iter().any(|n| key.starts_with(n)));
        // What is to be done about a reason is looked for by the reason's own key.
        let is_used =
            |key: &str| used.contains(key.strip_suffix(".do").unwrap_or(key)) || used.contains(key);
        let idle: Vec<&String> = ours.filter(|key| !is_used(key)).collect();
        assert!(idle.is_empty(), "a text nobody uses: {idle:?}");
    }

    #[test]
    fn every_gap_is_the_same_in_both_languages() {
        let gaps = |language: Language| -> BTreeSet<String> {
            let mut gaps = BTreeSet::new();
            for path in files(&home("i18n").join(language.code()), "ftl") {
                let mut key = String::new();
                for line in fs::read_to_string(path).unwrap().lines() {
                    if let Some((name, _)) = line.split_once(" =") {
                        name.trim().clone_into(&mut key);
                    }
                    for gap in line.split("{ $").skip(1) {
                        gaps.insert(format!("{key} {}", gap.split(' ').next().unwrap()));
                    }
                }
            }
            gaps.retain(|gap| !ONE_LANGUAGE.iter().any(|it| gap.starts_with(it)));
            gaps
        };
        assert!(gaps(Language::Indonesian).len() > 20);
        let apart: Vec<String> = gaps(Language::Indonesian)
            .symmetric_difference(&gaps(Language::English))
            .cloned()
            .collect();
        assert!(apart.is_empty(), "{apart:?}");
    }

    #[test]
    fn english_tells_one_from_many() {
        let told = |count: usize| {
            let words = Words::new(Language::English);
            words.say_with("page-import-partial", &[Fact::new("count", count)])
        };
        assert!(told(1).contains("from one file."), "{}", told(1));
        assert!(told(2).contains("from 2 files."), "{}", told(2));
        assert!(told(12_345).contains("12345"), "{}", told(12_345));
        let words = Words::new(Language::Indonesian);
        let told = words.say_with("page-import-partial", &[Fact::new("count", 1)]);
        assert!(told.contains("Dari 1 berkas"), "{told}");
    }

    #[test]
    fn no_english_text_says_many_of_one() {
        let words = Words::new(Language::English);
        let path = home("i18n").join("en");
        let mut told = 0;
        for file in files(&path, "ftl") {
            let mut key = String::new();
            for line in fs::read_to_string(file).unwrap().lines() {
                if let Some((name, _)) = line.split_once(" =") {
                    if line.starts_with(' ') {
                        let message = key.split('.').next().unwrap().to_owned();
                        key = format!("{message}{}", name.trim());
                    } else {
                        name.trim().clone_into(&mut key);
                    }
                }
                if line.contains("{ $count") {
                    let facts = ["area", "node", "devices", "invitation"];
                    let mut facts: Vec<Fact> = facts.map(|it| Fact::new(it, "x")).into();
                    facts.push(Fact::new("count", 1));
                    let text = words.say_with(&key, &facts);
                    assert!(!text.contains("1 ") || text.contains("1 of "), "{key}: {text}");
                    told += 1;
                }
            }
        }
        assert!(told > 10, "{told}");
    }

    #[test]
    fn a_gap_is_filled_without_marks_around_it() {
        let facts = [Fact::new("area", "32.09")];
        let text = Words::new(Language::English).say_with("error-area-unknown.what", &facts);
        assert!(text.contains("32.09") && text.is_ascii(), "{text}");
    }
}
