//! Stages of `make bench`, much smaller, against the server of this tree: everything arrives once and in
//! order, and the servers stop.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `target/PROFILE/anemone`, which a build of the workspace puts beside this program.
fn anemone() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("anemone");
    assert!(path.exists(), "{} is missing: build the workspace first", path.display());
    path
}

fn run(stage: &str, row: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["bench", "--quick", "--rounds", "1", "--servers", "anemone", "--case", stage])
        .arg("--anemone")
        .arg(anemone())
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}{text}");
    assert!(text.contains(row), "{text}");
    assert!(text.contains("Messages lost, doubled, reordered or damaged: anemone 0."), "{text}");
}

#[test]
fn rooms() {
    run("rooms", "server CPU per copy of a message");
}

#[test]
fn federation() {
    run("federation", "CPU of both per message");
}

#[test]
fn files() {
    run("files", "upload of 64 KiB files");
}

#[test]
fn presence() {
    run("presence", "server CPU per delivery");
}
