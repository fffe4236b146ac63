//! Specifications section by section: what each asks for, and the plays that show it.
//!
//! A play names the sections it shows; one that names a section shows those above it as well. What is not
//! offered has a reason, and no play.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{compare, compliance::path, root};

/// A section of a specification.
pub(super) struct Row {
    number: &'static str,
    title: &'static str,
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    /// A heading above others.
    Part,
    /// Plays have to show it.
    Shown,
    /// Why it is not offered.
    NotOffered(&'static str),
}

pub(super) const fn part(number: &'static str, title: &'static str) -> Row {
    Row { number, title, what: What::Part }
}

pub(super) const fn shown(number: &'static str, title: &'static str) -> Row {
    Row { number, title, what: What::Shown }
}

pub(super) const fn not_offered(
    number: &'static str,
    title: &'static str,
    reason: &'static str,
) -> Row {
    Row { number, title, what: What::NotOffered(reason) }
}

/// A document about one specification.
pub(super) struct Document {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) xep: u16,
    pub(super) rows: &'static [Row],
}

impl Document {
    /// Holds the document against the plays there are.
    pub(super) fn check(&self) {
        let plays = self.plays();
        self.name_what_there_is(&plays);
        let mut text = format!("# {}\n\n{}\n", self.title, self.about);
        let mut missing = Vec::new();
        for row in self.rows {
            let found = plays.iter().filter(|(section, _)| is_within(section, row.number));
            let mut found: Vec<&String> = found.flat_map(|(_, plays)| plays).collect();
            found.sort_unstable();
            found.dedup();
            let cell = match (row.what, found.is_empty()) {
                (What::Part, _) => {
                    write!(
                        text,
                        "\n## {} {}\n\n| § | use case | shown by |\n|---|---|---|\n",
                        row.number, row.title
                    )
                    .unwrap();
                    continue;
                }
                (What::Shown, true) => {
                    missing.push(format!("§{} {}", row.number, row.title));
                    continue;
                }
                (What::Shown, false) => {
                    found.iter().map(|play| link(play)).collect::<Vec<_>>().join(", ")
                }
                (What::NotOffered(reason), true) => format!("not offered: {reason}"),
                (What::NotOffered(_), false) => panic!(
                    "XEP-{:04} §{} is not offered, and shown by {found:?}",
                    self.xep, row.number
                ),
            };
            writeln!(text, "| {} | {} | {cell} |", row.number, row.title).unwrap();
        }
        assert!(missing.is_empty(), "no play of XEP-{:04} names {missing:#?}", self.xep);
        compare(self.file, &text);
    }

    /// Sections that plays name have to exist.
    fn name_what_there_is(&self, plays: &BTreeMap<String, Vec<String>>) {
        let in_parts = |section: &str| {
            let part = section.split('.').next();
            self.rows.iter().any(|row| row.what == What::Part && Some(row.number) == part)
        };
        for (section, plays) in plays.iter().filter(|(section, _)| in_parts(section)) {
            // Requests and answers are sections of their own, which belong to the one above them.
            let above = section.rsplit_once('.').map_or("", |(above, _)| above);
            let is_known = |number: &str| self.rows.iter().any(|row| row.number == number);
            let known = is_known(section) || (is_known(above) && above.contains('.'));
            assert!(known, "XEP-{:04} has no §{section}, which {plays:?} names", self.xep);
        }
    }

    /// The plays by the sections that they name.
    fn plays(&self) -> BTreeMap<String, Vec<String>> {
        let mut plays: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let prefix = format!("XEP-{:04} §", self.xep);
        for file in files(&path("")) {
            let text = fs::read_to_string(&file).unwrap();
            let Some(specs) = text.lines().find_map(|line| line.strip_prefix("spec: ")) else {
                continue;
            };
            let file = file.strip_prefix(path("")).unwrap().to_string_lossy().into_owned();
            for section in specs.split(", ").filter_map(|spec| spec.strip_prefix(&prefix)) {
                plays.entry(section.to_owned()).or_default().push(file.clone());
            }
        }
        plays
    }
}

/// Whether a section is another one, or part of it.
fn is_within(section: &str, of: &str) -> bool {
    section.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn link(play: &str) -> String {
    let name = play.trim_end_matches(".play");
    let name = name.split_once('/').map_or(name, |(_, name)| name);
    format!("[{name}](../tests/plays/{play})")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    debug_assert!(folder.starts_with(root()));
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|kind| kind == "play"))
        .collect()
}
