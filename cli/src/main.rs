//! The `wksbm` command: everything is in the library, so that tests run it in their own process.

use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(cli::tell_panic));
    cli::begin_log_if_asked();
    ExitCode::from(cli::run(std::env::args_os(), &mut cli::Console::system()))
}
