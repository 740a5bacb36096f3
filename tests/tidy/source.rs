//! Source files as the checks want them: with comments and texts blanked, tests taken out, and
//! lines where they were.

use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    /// As written.
    pub(crate) text: String,
    /// Comments, texts and characters are blanks; every line stands where it stood.
    pub(crate) code: String,
    /// The same without items that only tests see.
    pub(crate) shipped: String,
}

impl Source {
    /// A file of this text.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let code = blanked(&text);
        let shipped = without_tests(&code);
        Self { path: path.into(), text, code, shipped }
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

/// The workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every `.rs` file of the workspace's crates.
pub(crate) fn sources(crates: &[&str]) -> Vec<Source> {
    let root = workspace();
    let mut files = Vec::new();
    for name in crates {
        gather(&root.join(name), &mut files);
    }
    files.sort();
    let read = |path: &PathBuf| {
        let named = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        Source::new(named, std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                gather(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Whether a byte may stand in a name.
pub(crate) const fn names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where `word` stands in `code`, not as a part of a longer name.
pub(crate) fn places(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let (first, last) = (word.bytes().next(), word.bytes().last());
    let open_left = first.is_some_and(names);
    let open_right = last.is_some_and(names);
    let alone = |at: usize| {
        let left = at.checked_sub(1).and_then(|at| bytes.get(at));
        let right = bytes.get(at + word.len());
        let joins = |open: bool, beside: Option<&u8>| open && beside.is_some_and(|it| names(*it));
        !joins(open_left, left) && !joins(open_right, right)
    };
    code.match_indices(word).map(|(at, _)| at).filter(|at| alone(*at)).collect()
}

/// The byte behind the `}` that closes the `{` at `open`.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Writes blanks over a stretch; line ends stay.
fn blank(bytes: &mut [u8], from: usize, to: usize) {
    let to = to.min(bytes.len());
    for byte in bytes.get_mut(from..to).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn blanked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let previous = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let begins_name = !previous.is_some_and(|byte| names(*byte));
        let length = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest).filter(|_| begins_name) {
            length
        } else if rest.starts_with(b"\"") {
            quoted(rest)
        } else if rest.starts_with(b"'") {
            character(rest)
        } else {
            at += 1;
            continue;
        };
        blank(&mut bytes, at, at + length);
        at += length.max(1);
    }
    String::from_utf8(bytes).unwrap()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// `r"..."`, `r#"..."#` and their byte forms.
fn raw_text(rest: &[u8]) -> Option<usize> {
    let start = usize::from(rest.first() == Some(&b'b'));
    if rest.get(start) != Some(&b'r') {
        return None;
    }
    let hashes = rest.iter().skip(start + 1).take_while(|byte| **byte == b'#').count();
    let open = start + 1 + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = rest.get(open + 1..).unwrap_or_default();
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| open + 1 + end + close.len()))
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character; a lifetime is none and stays.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'');
        return end.map_or(rest.len(), |end| end + 4);
    }
    let width = match rest.get(1) {
        Some(byte) if *byte >= 0xf0 => 4,
        Some(byte) if *byte >= 0xe0 => 3,
        Some(byte) if *byte >= 0xc0 => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// Blanks every item behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for (at, mark) in code.match_indices("#[cfg(test)]") {
        let behind = at + mark.len();
        let rest = code.get(behind..).unwrap_or_default();
        let end = rest.find(['{', ';']).map_or(code.len(), |end| behind + end);
        let end =
            if code.as_bytes().get(end) == Some(&b'{') { closing(code, end) } else { end + 1 };
        blank(&mut bytes, at, end);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn comments_texts_and_characters_are_blanks_and_lines_stay() {
    let text = "let a = \"std::fs\"; // std::net\n/* std /* :: */ fs */ let b = '\"'; let c = \
                r#\"x\" std::io\"#;\nfn f<'a>(x: &'a str) {} let d = '\\''; tokio";
    let code = Source::new("a.rs", text).code;
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!(code.len(), text.len());
    for gone in ["std", "fs", "net", "io::", "\""] {
        assert!(!code.contains(gone), "{gone}: {code}");
    }
    for kept in ["let a =", "let b =", "let c =", "fn f<'a>(x: &'a str) {}", "tokio"] {
        assert!(code.contains(kept), "{kept}: {code}");
    }
}

#[test]
fn what_only_tests_see_is_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(\"}\") }\n}\nfn d() {}\n\
                #[cfg(test)]\nmod e;\nfn f() {}";
    let source = Source::new("a.rs", text);
    for gone in ["fn b", "mod e"] {
        assert!(source.code.contains(gone) && !source.shipped.contains(gone), "{gone}");
    }
    for kept in ["fn a", "fn d", "fn f"] {
        assert!(source.shipped.contains(kept), "{kept}");
    }
    assert_eq!(source.line(text.find("fn d").unwrap()), 6);
}

#[test]
fn a_word_is_not_found_inside_a_longer_one() {
    assert_eq!(places("node::x anode::y node_x node::z", "node::"), [0, 24]);
    assert_eq!(places("Instant Instantly", "Instant"), [0]);
}
