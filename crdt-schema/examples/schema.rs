//! Prints `docs/schema.md`, or with `--lines` the lines of `golden/schema-v1.txt`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use crdt_schema::record::{Schema, describe_lines, describe_markdown};

fn main() {
    let schema = Schema::standard();
    let is_lines = std::env::args().any(|arg| arg == "--lines");
    print!("{}", if is_lines { describe_lines(schema) } else { describe_markdown(schema) });
}
