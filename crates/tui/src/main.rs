//! Clownfish in the terminal.

use std::process::ExitCode;

fn main() -> ExitCode {
    match clownfish::cli::run() {
        Ok(_) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}
