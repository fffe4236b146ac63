//! Which specifications are shown to work: the table in `tests/conformance`, and results of plays.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::play::Play;
use crate::play::library::{folder, repository};
use crate::target::Target;

/// One line of `tests/conformance/specs.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// As `spec:` lines of plays begin: `XEP-0280`, `RFC 6121`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The version that was read; RFCs have none.
    #[serde(default)]
    pub version: String,
    /// Tests outside of plays that show it too: crate and module.
    #[serde(default)]
    pub tests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    spec: Vec<Spec>,
}

/// Reads the table.
///
/// # Errors
/// When the file is missing or says something it should not.
pub fn specs() -> io::Result<Vec<Spec>> {
    let path = repository().join("tests/conformance/specs.toml");
    let text = std::fs::read_to_string(path)?;
    let table: Table = toml::from_str(&text).map_err(io::Error::other)?;
    Ok(table.spec)
}

/// How a play ended on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As written.
    Passed,
    /// Not as written.
    Failed,
    /// The server cannot do what the play needs, and why.
    Skipped(String),
    /// There is no result that is newer than the play.
    NotRun,
}

/// Keeps a verdict for the summary; every test may be a process of its own.
///
/// # Errors
/// When the build directory cannot be written to.
pub fn record(target: Target, play: &str, verdict: &Verdict) -> io::Result<()> {
    let path = result_path(target, play);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, if *verdict == Verdict::Passed { "passed" } else { "failed" })
}

fn result_path(target: Target, play: &str) -> PathBuf {
    build_directory().join("plays").join(target.name()).join(format!("{play}.result"))
}

/// `target`, or wherever the build is.
pub fn build_directory() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let found = exe.ancestors().find(|path| path.join("CACHEDIR.TAG").exists());
    found.map_or_else(|| repository().join("target"), Path::to_owned)
}

/// Why a play is not performed on a server; `None` if it is.
pub fn skip(play: &Play, target: Target) -> Option<String> {
    let written = play.skips.iter().find(|(name, _)| name == target.name());
    written
        .map(|(_, reason)| reason.clone())
        .or_else(|| play.needs.iter().find_map(|feature| target.lacks(feature)))
}

fn verdict(play: &Play, target: Target) -> Verdict {
    if let Some(reason) = skip(play, target) {
        return Verdict::Skipped(reason);
    }
    let modified = |path: PathBuf| std::fs::metadata(path)?.modified();
    let result = result_path(target, &play.name);
    let written = modified(folder().join(format!("{}.play", play.name)));
    match (modified(result.clone()), written) {
        (Ok(done), Ok(written)) if done >= written => match std::fs::read_to_string(result) {
            Ok(text) if text == "passed" => Verdict::Passed,
            _ => Verdict::Failed,
        },
        _ => Verdict::NotRun,
    }
}

/// The summary for one server: a line for each spec, then what failed and what was skipped.
pub fn summary(specs: &[Spec], plays: &[Play], target: Target) -> String {
    let mut out = String::new();
    let mut failed = String::new();
    let mut skipped = String::new();
    let name = target.name();
    for play in plays {
        match verdict(play, target) {
            Verdict::Failed => failed.push_str(&format!("failed on {name}: {}\n", play.name)),
            Verdict::NotRun => failed.push_str(&format!("not run on {name}: {}\n", play.name)),
            Verdict::Skipped(why) => {
                skipped.push_str(&format!("skipped on {name}: {}: {why}\n", play.name));
            }
            Verdict::Passed => {}
        }
    }
    for spec in specs {
        let _ = writeln!(out, "{}", spec_line(spec, plays, target));
    }
    out + &failed + &skipped
}

/// `anemone: XEP-0198 Stream Management 1.6.3: passed 9/9`.
fn spec_line(spec: &Spec, plays: &[Play], target: Target) -> String {
    let verdicts: Vec<_> = plays
        .iter()
        .filter(|play| play.specs.iter().any(|shown| is_section_of(shown, &spec.id)))
        .map(|play| verdict(play, target))
        .collect();
    let skipped = verdicts.iter().filter(|v| matches!(v, Verdict::Skipped(_))).count();
    let passed = verdicts.iter().filter(|v| **v == Verdict::Passed).count();
    let performed = verdicts.len() - skipped;
    let mut name = format!("{} {}", spec.id, spec.title);
    if !spec.version.is_empty() {
        let _ = write!(name, " {}", spec.version);
    }
    let mut line = format!("{}: {name}: ", target.name());
    match performed {
        0 if verdicts.is_empty() => line.push_str("no plays"),
        0 => line.push_str("not performed"),
        _ => {
            let word = if passed == performed { "passed" } else { "FAILED, passed" };
            let _ = write!(line, "{word} {passed}/{performed}");
        }
    }
    if skipped > 0 {
        let _ = write!(line, ", {skipped} skipped");
    }
    if target == Target::Anemone && !spec.tests.is_empty() {
        let _ = write!(line, "; also shown by {}", spec.tests.join(", "));
    }
    line
}

/// `XEP-0280 §6` is a section of `XEP-0280`.
pub fn is_section_of(shown: &str, id: &str) -> bool {
    shown.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Writes the summaries of all servers to `target/conformance.txt` and returns them.
///
/// # Errors
/// When the table cannot be read or the file cannot be written.
pub fn write_summary(plays: &[Play]) -> io::Result<String> {
    let specs = specs()?;
    let mut text = String::new();
    for target in Target::ALL {
        text.push_str(&summary(&specs, plays, target));
        text.push('\n');
    }
    std::fs::write(build_directory().join("conformance.txt"), &text)?;
    Ok(text)
}

/// What is wrong with the table: specs nothing shows, plays that show specs not in it.
pub fn mistakes(specs: &[Spec], plays: &[Play]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for play in plays {
        for shown in &play.specs {
            if !specs.iter().any(|spec| is_section_of(shown, &spec.id)) {
                mistakes.push(format!("{} shows {shown}, which is not in the table", play.name));
            }
        }
    }
    for spec in specs {
        let shows = |play: &Play| play.specs.iter().any(|shown| is_section_of(shown, &spec.id));
        if spec.tests.is_empty() && !plays.iter().any(shows) {
            mistakes.push(format!("nothing shows {}", spec.id));
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_belongs_to_its_spec_only() {
        assert!(is_section_of("XEP-0280 §6", "XEP-0280"));
        assert!(is_section_of("RFC 6121", "RFC 6121"));
        assert!(!is_section_of("XEP-02801", "XEP-0280"));
    }
}
