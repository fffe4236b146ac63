//! Clownfish in the terminal.

use std::process::ExitCode;

fn main() -> ExitCode {
    match clownfish::cli::run() {
        Ok(arguments) => match clownfish::terminal::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => clownfish::cli::complain(&failure),
        },
        Err(code) => code,
    }
}
