//! The only file that prints.
//!
//! Standard output holds the result and nothing else; messages and progress go to standard error.
//! Where a person looks there are colours and lines around tables; in a pipe there are none. Text
//! that came from other nodes may hold codes that move a cursor or turn the writing: they are shown
//! by their numbers.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle, presets};
use crdt_schema::unseen::visible;

use crate::error::Failure;
use crate::report::{Block, Body, Page, Report};
use crate::words::{Fact, Words};

/// Where a command reads and writes.
pub struct Console {
    stdin: Box<dyn Read + Send>,
    stdout: Box<dyn Write + Send>,
    stderr: Errors,
    stdout_terminal: bool,
    stderr_terminal: bool,
    plain: bool,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("terminal", &self.stdout_terminal).finish_non_exhaustive()
    }
}

/// Standard error, for those who share it.
type Errors = Arc<Mutex<Box<dyn Write + Send>>>;

fn errors(to: impl Write + Send + 'static) -> Errors {
    Arc::new(Mutex::new(Box::new(to)))
}

/// Says messages on a console's standard error while somebody else holds the console.
#[derive(Clone)]
pub(crate) struct Teller {
    stderr: Errors,
    words: Words,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").finish_non_exhaustive()
    }
}

impl Teller {
    /// One line of a message.
    pub(crate) fn tell(&self, key: &str, facts: &[Fact]) {
        let text = self.words.say_with(key, facts);
        write_raw(&self.stderr, &format!("{}\n", visible(&text)));
    }
}

/// Standard error that does not take a message must not end the work it is about.
fn write_raw(stderr: &Errors, text: &str) {
    let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
    drop(stderr.write_all(text.as_bytes()));
    drop(stderr.flush());
}

/// What a captured console was given to print.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    stdout: Shared,
    stderr: Shared,
}

impl Captured {
    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }
}

impl Console {
    /// This process's own.
    pub fn system() -> Self {
        Self {
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: errors(io::stderr()),
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal(),
            plain: false,
        }
    }

    /// One that keeps what is printed and reads `stdin`; as in a pipe.
    pub fn captured(stdin: impl Into<Vec<u8>>) -> (Self, Captured) {
        let captured = Captured::default();
        let console = Self {
            stdin: Box::new(io::Cursor::new(stdin.into())),
            stdout: Box::new(captured.stdout.clone()),
            stderr: errors(captured.stderr.clone()),
            stdout_terminal: false,
            stderr_terminal: false,
            plain: true,
        };
        (console, captured)
    }

    /// One line on standard error, past any console: for a program that is about to end.
    pub(crate) fn tell_at_once(line: &str) {
        drop(writeln!(io::stderr(), "{line}"));
    }

    /// No colours from now on, terminal or not.
    pub(crate) fn be_plain(&mut self) {
        self.plain = true;
    }

    /// Whether results may have colours.
    pub(crate) fn colours(&self) -> bool {
        self.stdout_terminal && !self.plain
    }

    /// Whether a bar would be seen.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_terminal
    }

    /// Standard input.
    pub(crate) fn input(&mut self) -> &mut dyn Read {
        &mut self.stdin
    }

    /// Prints the report: the result on standard output, a failure on standard error for people
    /// and in the object for programs.
    pub(crate) fn print(&mut self, report: &Report, words: Words, json: bool) -> io::Result<()> {
        if json && !matches!(report.body(), Body::Printed) {
            if matches!(report.body(), Body::Nothing) && report.failure().is_none() {
                return self.stdout.flush();
            }
            writeln!(self.stdout, "{}", report.json())?;
            return self.stdout.flush();
        }
        match report.body() {
            Body::Page(page) => {
                let look = Look { colours: self.colours(), lines: self.stdout_terminal };
                self.stdout.write_all(look.page(page).as_bytes())?;
            }
            Body::Text(text) => self.stdout.write_all(text.as_bytes())?,
            Body::Object(_) => writeln!(self.stdout, "{}", report.json())?,
            Body::Nothing | Body::Printed => {}
        }
        self.stdout.flush()?;
        if let Some(failure) = report.failure() {
            self.complain(failure, words);
        }
        Ok(())
    }

    /// One line of a result that comes bit by bit: for programs an object, for people a text.
    ///
    /// # Errors
    /// Whoever read standard output has gone.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.stdout, "{}", visible(line))?;
        self.stdout.flush()
    }

    /// Says on standard error what failed, why, and what to do next.
    pub(crate) fn complain(&mut self, failure: &Failure, words: Words) {
        let look = self.error_look();
        let what = look.paint(RED, &format!("{} {}", CROSS, visible(&failure.message(words))));
        let why = words.say("page-why");
        let then = words.say("page-do");
        let width = why.chars().count().max(then.chars().count());
        let lines = format!(
            "{what}\n  {why:<width$}  {}\n  {then:<width$}  {}\n",
            visible(&failure.cause(words)),
            visible(&failure.hint(words)),
        );
        self.tell_raw(&lines);
    }

    /// One line of a message on standard error.
    pub(crate) fn tell(&mut self, text: &str) {
        self.tell_raw(&format!("{}\n", visible(text)));
    }

    /// A line to look at, on standard error.
    pub(crate) fn warn(&mut self, text: &str) {
        let look = self.error_look();
        let line = look.paint(YELLOW, &format!("! {}", visible(text)));
        self.tell_raw(&format!("{line}\n"));
    }

    /// A step that went well, on standard error.
    pub(crate) fn step(&mut self, text: &str) {
        let look = self.error_look();
        let mark = look.paint(GREEN, TICK);
        self.tell_raw(&format!("{mark} {}\n", visible(text)));
    }

    fn error_look(&self) -> Look {
        Look { colours: self.stderr_terminal && !self.plain, lines: self.stderr_terminal }
    }

    /// Somebody who says messages here while this console is held elsewhere.
    pub(crate) fn teller(&self, words: Words) -> Teller {
        Teller { stderr: Arc::clone(&self.stderr), words }
    }

    fn tell_raw(&mut self, text: &str) {
        write_raw(&self.stderr, text);
    }
}

/// Before what went well, and before what failed.
const TICK: &str = "\u{2713}";
const CROSS: &str = "\u{2717}";

const RED: &str = "1;31";
const GREEN: &str = "1;32";
const YELLOW: &str = "33";
const BOLD: &str = "1";
const DIM: &str = "2";

/// How a page looks where it goes.
#[derive(Debug, Clone, Copy)]
struct Look {
    colours: bool,
    lines: bool,
}

impl Look {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn page(self, page: &Page) -> String {
        let mut text = String::new();
        for block in page.blocks() {
            text.push_str(&self.block(block));
            text.push('\n');
        }
        text
    }

    fn block(self, block: &Block) -> String {
        match block {
            Block::Title(line) => self.paint(BOLD, &visible(line)),
            Block::Good(line) => format!("{} {}", self.paint(GREEN, TICK), visible(line)),
            Block::Warning(line) => self.paint(YELLOW, &format!("! {}", visible(line))),
            Block::Line(line) => visible(line).into_owned(),
            Block::Pairs(pairs) => self.pairs(pairs),
            Block::Table(head, rows) => self.table(head, rows),
        }
    }

    fn pairs(self, pairs: &[(String, String)]) -> String {
        let width = pairs.iter().map(|(name, _)| visible(name).chars().count()).max();
        let width = width.unwrap_or(0);
        let line = |(name, value): &(String, String)| {
            let name = format!("{:<width$}", visible(name));
            format!("  {}  {}", self.paint(DIM, &name), visible(value))
        };
        pairs.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn table(self, head: &[String], rows: &[Vec<String>]) -> String {
        let mut table = Table::new();
        table.force_no_tty();
        if self.lines {
            table.load_style(LINED);
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(terminal_width());
        } else {
            table.load_style(presets::NOTHING);
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(head.iter().map(|cell| visible(cell).into_owned()));
        for row in rows {
            table.add_row(row.iter().map(|cell| visible(cell).into_owned()));
        }
        table.trim_fmt()
    }
}

/// A line around and one below the head: what eyes need, and half the rows of a full grid.
const LINED: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// Columns a table needs at least to be read.
const COLUMNS_MIN: u16 = 40;

/// Columns of the terminal; 100 where it does not say (some say 0).
fn terminal_width() -> u16 {
    Table::new().width().filter(|columns| *columns >= COLUMNS_MIN).unwrap_or(100)
}

/// Bytes that two hold.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use serde_json::json;

    use super::*;
    use crate::settings::Language;

    fn printed(report: &Report, json: bool) -> Captured {
        let (mut console, captured) = Console::captured("");
        console.print(report, Words::new(Language::English), json).unwrap();
        captured
    }

    #[test]
    fn an_object_is_one_line_and_nothing_else_is_said() {
        let captured = printed(&Report::object(&json!({"a": "x\ny"})).ok().unwrap(), true);
        assert_eq!(captured.stdout(), "{\"v\":1,\"a\":\"x\\ny\"}\n");
        assert_eq!(captured.stderr(), "");
    }

    #[test]
    fn a_failure_goes_to_standard_error_for_people_and_to_standard_output_for_programs() {
        let failed = || Report::failed(Failure::usage("usage-no-data-folder", Vec::new()));
        let people = printed(&failed(), false);
        assert_eq!(people.stdout(), "");
        assert_eq!(people.stderr().lines().count(), 3);
        let programs = printed(&failed(), true);
        assert_eq!(programs.stdout().lines().count(), 1);
        assert_eq!(programs.stderr(), "");
    }

    #[test]
    fn a_pipe_gets_no_colours_and_no_lines() {
        let mut page = Page::default();
        page.title("T".into()).pair("name".into(), 1).pair("n".into(), 22);
        page.table(vec!["a".into(), "b".into()], vec![vec!["1".into(), "2".into()]]);
        let text = printed(&Report::page(page), false).stdout();
        assert!(text.is_ascii(), "{text}");
        assert!(text.contains("  name  1\n  n     22\n"), "{text}");
    }

    #[test]
    fn a_terminal_gets_colours_until_somebody_asks_for_none() {
        let (mut console, captured) = Console::captured("");
        (console.stderr_terminal, console.plain) = (true, false);
        console.warn("x");
        assert_eq!(captured.stderr(), "\u{1b}[33m! x\u{1b}[0m\n");
        console.be_plain();
        console.warn("y");
        assert!(captured.stderr().ends_with("! y\n"));
    }

    #[test]
    fn a_sign_that_nobody_sees_is_shown_wherever_people_are_told_something() {
        let turned = "Siti\u{202e}hanima\u{200b}";
        let mut page = Page::default();
        page.title(turned.into()).pair(turned.into(), turned).line(turned.into());
        page.table(vec![turned.into()], vec![vec![turned.into()]]);
        let (mut console, captured) = Console::captured("");
        let words = Words::new(Language::English);
        console.print(&Report::page(page), words, false).unwrap();
        console.line(turned).unwrap();
        console.tell(turned);
        console.warn(turned);
        console.step(turned);
        let facts = vec![Fact::new("what", turned)];
        console.complain(&Failure::usage("usage-other", facts), words);
        let all = format!("{}{}", captured.stdout(), captured.stderr());
        assert!(!all.contains(['\u{202e}', '\u{200b}']), "{all:?}");
        assert!(all.matches(r"Siti\u{202e}hanima\u{200b}").count() >= 11, "{all}");
    }

    #[test]
    fn what_another_node_wrote_cannot_move_the_cursor() {
        let mut page = Page::default();
        page.line("Siti\u{1b}[2J\u{7}".into());
        page.table(vec!["a".into()], vec![vec!["\u{1b}]0;x".into()]]);
        let text = printed(&Report::page(page), false).stdout();
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
        assert!(text.contains(r"Siti\u{1b}[2J\u{7}"), "{text:?}");
        let look = Look { colours: true, lines: true };
        assert!(look.block(&Block::Good("x".into())).contains('\u{1b}'));
    }
}
