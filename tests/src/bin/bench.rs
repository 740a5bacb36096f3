//! Every measure of the core in one command: counts and ratios, as a table and as JSON.
//!
//! `cargo run --release -p tests --bin bench [-- --json] [NAME..]`. Counts (bytes, rounds, syncs) hold on any
//! machine; times are shown beside this machine's own rates and decide nothing.
#![expect(clippy::print_stdout, reason = "a bench that fails says where")]

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let (Some(tests::measure::OPEN), Some(folder)) =
        (arguments.next().as_deref(), arguments.next())
    {
        println!("{}", tests::measure::opened_kib(folder.as_ref()));
        return;
    }
    let (flags, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let report = tests::measure::run(&names);
    if flags.iter().any(|flag| flag == "--json") {
        println!("{}", report.json());
    } else {
        println!("{}", report.table());
    }
}
