//! A private XMPP server that one person can run for family, friends or a club.
//! The binary `anemone`.

fn main() -> std::process::ExitCode {
    anemone::cli::main()
}
