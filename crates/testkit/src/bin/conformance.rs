//! Prints which specifications the last run of the plays shows to work, and writes it to
//! `target/conformance.txt`. Ends with an error if a play failed on Anemone or was not run.

use std::process::ExitCode;

use testkit::conformance;
use testkit::play::library;

fn main() -> ExitCode {
    let loaded = library::load(&library::folder());
    let plays: Vec<_> = loaded.into_iter().filter_map(|(_, play)| play.ok()).collect();
    match conformance::write_summary(&plays) {
        Ok(summary) => {
            println!("{summary}");
            let bad = ["failed on anemone", "not run on anemone"];
            let good = !summary.lines().any(|line| bad.iter().any(|word| line.starts_with(word)));
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the summary cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
