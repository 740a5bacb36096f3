//! axe-core, fetched and never kept in the tree: what it finds wrong with a page.

use serde_json::Value;

use crate::browser::{Browser, missing};

/// The script, from the file that `WKSBM_AXE` names.
pub(crate) fn source() -> Option<String> {
    let file = std::env::var_os("WKSBM_AXE");
    let script = file.and_then(|file| std::fs::read_to_string(file).ok());
    if script.is_none() {
        missing("axe-core (WKSBM_AXE names no file)");
    }
    script
}

/// What is wrong with the page that is open, one line each.
pub(crate) async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.say(&format!("{axe}; return ''")).await;
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run(document, {resultTypes: ['violations', 'incomplete']}) \
               .then(it => done(JSON.stringify([it.violations, it.passes.length])), \
               error => done(JSON.stringify([[{id: String(error), nodes: []}], 1])))";
    let told: Value = serde_json::from_str(&browser.say_later(run).await).unwrap();
    let passes = told.get(1).and_then(Value::as_u64).unwrap();
    assert!(passes > 0, "axe-core looked at nothing");
    let found = told.get(0).and_then(Value::as_array).unwrap();
    found.iter().map(line).collect()
}

fn line(found: &Value) -> String {
    let at = |it: &Value| it.pointer("/target/0").map(ToString::to_string).unwrap_or_default();
    let why = |it: &Value| it.get("failureSummary").map(ToString::to_string).unwrap_or_default();
    let nodes = found.get("nodes").and_then(Value::as_array).cloned().unwrap_or_default();
    let nodes: Vec<String> = nodes.iter().map(|it| format!("{} {}", at(it), why(it))).collect();
    format!("{}: {}", found.get("id").unwrap(), nodes.join("; "))
}
