//! The system's tools, called one by one.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a tool; what it printed, or what it said against it.
pub(crate) fn attempt(line: &[&str]) -> Result<String, String> {
    attempt_fed(line, "")
}

/// Runs a tool that must succeed.
#[track_caller]
pub(crate) fn tool(line: &[&str]) -> String {
    attempt(line).unwrap()
}

/// Runs a tool that reads this and must succeed.
#[track_caller]
pub(crate) fn tool_fed(line: &[&str], input: &str) -> String {
    attempt_fed(line, input).unwrap()
}

/// Runs a tool inside a namespace.
pub(crate) fn within(namespace: &str, line: &[&str]) -> Result<String, String> {
    attempt(&[&["ip", "netns", "exec", namespace], line].concat())
}

/// Asks a process to end.
pub(crate) fn terminate(pid: u32) {
    // A process that is gone already is what was asked for.
    drop(attempt(&["sh", "-c", "kill -TERM $0", &pid.to_string()]));
}

/// Stops a process where it is.
#[track_caller]
pub(crate) fn pause(pid: u32) {
    tool(&["sh", "-c", "kill -STOP $0", &pid.to_string()]);
}

/// Lets it go on.
#[track_caller]
pub(crate) fn resume(pid: u32) {
    tool(&["sh", "-c", "kill -CONT $0", &pid.to_string()]);
}

/// A Python that starts at once: a wrapper that looks for the right version costs more than a frame.
pub(crate) fn python() -> &'static str {
    let debian = "/usr/bin/python3";
    if std::path::Path::new(debian).is_file() { debian } else { "python3" }
}

/// The same for a tool that reads something.
pub(crate) fn attempt_fed(line: &[&str], input: &str) -> Result<String, String> {
    let (program, arguments) = line.split_first().unwrap();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    // A tool that reads nothing may have ended by now.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(format!("`{}` ended with {}: {}", line.join(" "), ended.status, said.trim()))
}
