//! What people read when a play fails.

use std::fmt::Write as _;

use super::script::{Play, Step};

/// Why a play failed: what was expected and what came.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) what: String,
}

/// What a deed comes to.
pub(super) type Outcome = Result<(), Failure>;

impl Failure {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Failure { what: what.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Failure { what }
    }
}

/// Everything that went over the wires, in order.
#[derive(Default)]
pub(super) struct Transcript {
    entries: Vec<String>,
}

impl Transcript {
    const SHOWN: usize = 60;

    pub(super) fn sent(&mut self, who: &str, text: &str) {
        let text = if text.len() > 700 {
            let cut = (0..=600).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            format!("{}… ({} bytes)", &text[..cut], text.len())
        } else {
            text.to_owned()
        };
        self.entries.push(format!("{who} → {text}"));
    }

    pub(super) fn received(&mut self, who: &str, text: &str) {
        self.entries.push(format!("{who} ← {}", text.trim_end().replace('\n', "\n    ")));
    }

    pub(super) fn note(&mut self, text: String) {
        self.entries.push(text);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn length(&self) -> usize {
        self.entries.len()
    }

    /// Replaces what one client exchanged since `before` by a few words: a login that went well.
    pub(super) fn condense(&mut self, before: usize, who: &str, what: &str) {
        let recent = self.entries.split_off(before);
        let own = format!("{who} ");
        self.entries.extend(recent.into_iter().filter(|entry| !entry.starts_with(&own)));
        self.entries.push(format!("{who} {what}"));
    }

    /// The report of a failed step.
    pub(super) fn report(&self, play: &Play, step: Option<&Step>, failure: &Failure) -> String {
        let mut out = String::new();
        let name = &play.name;
        match step {
            Some(step) => {
                let _ = writeln!(out, "tests/plays/{name}.play:{}: {}", step.line, step.text);
            }
            None => {
                let _ = writeln!(out, "tests/plays/{name}.play: at the end");
            }
        }
        let _ = writeln!(out, "{}", failure.what.trim_end());
        let skipped = self.entries.len().saturating_sub(Self::SHOWN);
        let _ = writeln!(out, "\ntranscript{}:", if skipped > 0 { " (the end of it)" } else { "" });
        for entry in &self.entries[skipped..] {
            let _ = writeln!(out, "  {entry}");
        }
        out
    }
}
