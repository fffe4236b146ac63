//! `docs/compliance.md`: what XEP-0479 asks of servers, and what shows that it is met.

use std::{fmt::Write as _, fs, path::Path};

use super::{compare, root, specs, tester};

/// From which level on a server must have a feature.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// Every server.
    Server,
    /// Advanced servers only.
    Advanced,
}

/// A row of a table of XEP-0479 that asks something of servers.
struct Row {
    feature: &'static str,
    from: Level,
    rfcs: &'static [u16],
    xeps: &'static [u16],
    /// Plays that show it: files, or folders with all that is in them.
    plays: &'static [&'static str],
}

const fn row(
    feature: &'static str,
    from: Level,
    rfcs: &'static [u16],
    xeps: &'static [u16],
    plays: &'static [&'static str],
) -> Row {
    Row { feature, from, rfcs, xeps, plays }
}

use Level::{Advanced, Server};

/// The tables of XEP-0479 0.1.0. What it asks of clients only is left out.
const SUITES: &[(&str, &[Row])] = &[
    (
        "Core",
        &[
            row("Core features", Server, &[6120], &[], &["rfc-6120"]),
            row("TLS", Server, &[7590], &[], &["rfc-6120/stream/starttls_is_required.play"]),
            row("Direct TLS", Advanced, &[], &[368], &["xep-0368"]),
            row("Feature discovery", Server, &[], &[30], &["xep-0030"]),
            row("Feature broadcasts", Advanced, &[], &[115], &["xep-0115"]),
            row("Server extensibility", Server, &[], &[114], &["xep-0114"]),
            row("Event publishing", Advanced, &[], &[163], &["xep-0163"]),
        ],
    ),
    (
        "Web",
        &[row(
            "Web connection mechanisms",
            Server,
            &[7395],
            &[124, 206],
            &["rfc-7395", "xep-0206"],
        )],
    ),
    (
        "IM",
        &[
            row("Core features", Server, &[6121], &[], &["rfc-6121"]),
            row("User avatar compatibility", Advanced, &[], &[398, 153], &["xep-0398"]),
            row("vcard-temp", Server, &[], &[54], &["xep-0054"]),
            row("Outbound message synchronization", Server, &[], &[280], &["xep-0280"]),
            row("User blocking", Advanced, &[], &[191], &["xep-0191"]),
            row("Group chat", Server, &[], &[45, 249], &["xep-0045", "xep-0249"]),
            row(
                "Advanced group chat",
                Advanced,
                &[],
                &[48, 313, 402, 410],
                &[
                    "xep-0048",
                    "xep-0313/of_a_room.play",
                    "xep-0402",
                    "xep-0045/messages/self_ping.play",
                ],
            ),
            row(
                "Persistent storage of private data via PubSub",
                Advanced,
                &[],
                &[223],
                &["xep-0060/publish_options", "xep-0060/access"],
            ),
            row("Private XML storage", Advanced, &[], &[49], &["xep-0049"]),
            row("Stream management", Advanced, &[], &[198], &["xep-0198"]),
            row("History storage and retrieval", Advanced, &[], &[313], &["xep-0313"]),
            row("File upload", Server, &[], &[363], &["xep-0363"]),
        ],
    ),
    (
        "Mobile",
        &[
            row("Stream management", Server, &[], &[198], &["xep-0198"]),
            row("Client state indication", Server, &[], &[352], &["xep-0352"]),
            row("Third party push notifications", Advanced, &[], &[357], &["xep-0357"]),
        ],
    ),
    ("A/V calling", &[row("STUN/TURN server discovery", Server, &[], &[215], &["xep-0215"])]),
];

#[test]
fn the_compliance_table_is_current() {
    let mut text = String::from(
        "# Compliance\n\n\
         What the XMPP Compliance Suites 2023 (XEP-0479) ask of servers, and the plays that show \
         it: text scripts in `tests/plays`, run by `make test` on the default configuration; where \
         something cannot be there by default, such as a program with a secret, the setting is \
         named. Written by `make docs`.\n",
    );
    for (suite, rows) in SUITES {
        let missing = |level: Level| rows.iter().any(|row| row.from == level && !row.is_met());
        let level = match (missing(Server), missing(Advanced)) {
            (true, _) => "not met",
            (false, true) => "Server",
            (false, false) => "Advanced Server",
        };
        write!(
            text,
            "\n## {suite}: {level}\n\n\
             | feature | asked of | specifications | shown by | met |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for row in *rows {
            row.write(&mut text);
        }
    }
    tester::write(&mut text);
    compare("docs/compliance.md", &text);
}

impl Row {
    /// Everything it names is in the list of extensions, and has plays.
    fn is_met(&self) -> bool {
        let known = specs();
        let listed = |xep: &u16| known.iter().any(|(spec, _)| spec.xep == *xep);
        self.xeps.iter().all(listed) && self.plays.iter().all(|at| !plays(&path(at)).is_empty())
    }

    fn write(&self, text: &mut String) {
        let asked = match self.from {
            Server => "every server",
            Advanced => "advanced servers",
        };
        let rfcs = self.rfcs.iter().map(|rfc| format!("RFC {rfc}"));
        let specs: Vec<_> =
            rfcs.chain(self.xeps.iter().map(|xep| format!("XEP-{xep:04}"))).collect();
        let shown: Vec<_> = self
            .plays
            .iter()
            .map(|at| (at, plays(&path(at))))
            .filter(|(_, plays)| !plays.is_empty())
            .map(|(at, plays)| {
                let link = format!("[{at}](../tests/plays/{at})");
                let by_default = plays.iter().filter(|play| play.setting.is_none()).count();
                match (by_default, plays.first().and_then(|play| play.setting.as_deref())) {
                    (0, Some(setting)) if plays.len() == 1 => format!("{link} (with {setting})"),
                    (0, Some(setting)) => format!("{link} ({} plays, with {setting})", plays.len()),
                    (1, _) if plays.len() == 1 => link,
                    (1, _) => format!("{link} (1 play)"),
                    (many, _) => format!("{link} ({many} plays)"),
                }
            })
            .collect();
        let met = if self.is_met() { "yes" } else { "**no**" };
        writeln!(
            text,
            "| {} | {asked} | {} | {} | {met} |",
            self.feature,
            specs.join(", "),
            shown.join(", ")
        )
        .unwrap();
    }
}

pub(super) fn path(play: &str) -> std::path::PathBuf {
    root().join("tests/plays").join(play)
}

/// A play, as far as the table tells of it.
struct Play {
    /// What is not as by default, in its own words.
    setting: Option<String>,
}

/// The plays at a path, a file or a folder.
fn plays(path: &Path) -> Vec<Play> {
    if path.is_file() {
        let text = fs::read_to_string(path).unwrap();
        let setting = text.lines().find_map(|line| line.strip_prefix("setting: "));
        return vec![Play { setting: setting.map(str::to_owned) }];
    }
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let is_play = |path: &std::path::PathBuf| {
        path.is_dir() || path.extension().is_some_and(|kind| kind == "play")
    };
    paths.iter().filter(|path| is_play(path)).flat_map(|path| plays(path)).collect()
}
