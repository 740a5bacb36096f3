//! Functions stay short enough to be read at once.

use crate::source::{Source, closing, names, places};

/// Lines of a function that nobody reads at once any more.
pub(crate) const LINES_MAX: usize = 120;
/// Lines from which a function is worth a second look; named together with one that is too long.
const LINES_LONG: usize = 80;

/// Functions above [`LINES_MAX`], and then also those that are merely long.
pub(crate) fn too_long(sources: &[Source]) -> Vec<String> {
    let mut long: Vec<(usize, String)> = sources.iter().flat_map(long_in).collect();
    long.sort_by(|one, other| other.cmp(one));
    let worst = long.first().map_or(0, |(lines, _)| *lines);
    if worst > LINES_MAX { long.into_iter().map(|(_, told)| told).collect() } else { Vec::new() }
}

fn long_in(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in places(&source.code, "fn") {
        let rest = source.code.get(at + 2..).unwrap_or_default().trim_start();
        let name: String = rest.bytes().take_while(|byte| names(*byte)).map(char::from).collect();
        let Some(open) = body(&source.code, at).filter(|_| !name.is_empty()) else { continue };
        let lines = source.line(closing(&source.code, open)) + 1 - source.line(at);
        if lines > LINES_LONG {
            let line = source.line(at);
            found.push((lines, format!("{}:{line}: `{name}` has {lines} lines", source.path)));
        }
    }
    found
}

/// The `{` of a function's body; a declaration has none.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (place, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(place),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
fn function(name: &str, lines: usize) -> String {
    format!("fn {name}(a: [u8; 3]) {{\n{}}}\n", "    x();\n".repeat(lines - 2))
}

#[test]
fn a_function_too_long_is_found_and_the_long_ones_with_it() {
    let of = |lines: &[usize]| {
        let text: String = lines.iter().map(|lines| function("f", *lines)).collect();
        let text = format!("trait T {{ fn g(&self); }}\n{text}");
        too_long(&[Source::new("a.rs", text)])
    };
    assert!(of(&[30, 81, LINES_MAX]).is_empty());
    assert_eq!(of(&[30, 80, LINES_MAX + 1]), ["a.rs:112: `f` has 121 lines"]);
    assert_eq!(of(&[30, 81, LINES_MAX + 1]).len(), 2);
}
