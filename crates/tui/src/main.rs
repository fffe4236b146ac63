//! Clownfish in the terminal.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = clownfish::host::hide_memory() {
        eprintln!("clownfish: what is in memory may end up in core dumps: {error}");
    }
    match clownfish::cli::run() {
        Ok(arguments) => match clownfish::terminal::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => clownfish::cli::complain(&failure),
        },
        Err(code) => code,
    }
}
