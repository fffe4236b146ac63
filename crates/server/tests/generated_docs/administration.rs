//! `docs/administration.md`: the commands for administrators, and the plays that show them.

use std::{fmt::Write as _, fs};

use anemone::ext::administration::NAMES;

use super::{compare, root};

/// The folder with the plays.
const PLAYS: &str = "tests/plays/xep-0133";

#[test]
fn the_table_of_commands_is_current() {
    let plays = plays();
    let mut text = String::from(
        "# Administration from a client\n\n\
         Administrators (`anemone account admin NAME`) find these commands in their client, at the address of \
         the server (XEP-0050); nobody else sees them. Those of XEP-0133 have its names. Each does what a command \
         of `anemone` does, and is shown by a play. Written by `make docs`.\n\n\
         | command | node | shown by |\n|---|---|---|\n",
    );
    for (node, name) in NAMES {
        let quoted = format!("\"{node}\"");
        let shown: Vec<String> = plays
            .iter()
            .filter(|(name, play)| name != REFUSALS && play.contains(&quoted))
            .map(|(name, _)| format!("[{name}](../{PLAYS}/{name}.play)"))
            .collect();
        assert!(!shown.is_empty(), "no play shows {node}");
        writeln!(text, "| {name} | `{node}` | {} |", shown.join(", ")).unwrap();
    }
    text.push_str(
        "\nThat nobody else may use them is shown by \
         [nobody_else](../tests/plays/xep-0133/nobody_else.play) and \
         [for_administrators_only](../tests/plays/xep-0133/for_administrators_only.play).\n\n\
         A **message of the day** is told to every account once, and stays in its archive; the **welcome** goes to \
         accounts that are made while the server runs. Both are in `notices.json` in the data directory. \
         The **blacklist** and the **whitelist** are domains (`example.org`, or `*.example.org` for everything \
         below one) in `domains.json`; they add to `deny` and `allow` of `[federation]` and cannot take \
         those back. A **restart** needs no service manager: the process begins anew with the program and the \
         configuration as they are on disk. After a **shutdown** the server stays down unless the service manager \
         starts it again; the unit in `packaging/` does not. What was ordered for later can be **called off** \
         until then. **Idle** is who is online and whose devices \
         all are without a connection, have their app in the background (XEP-0352), or say that their owner is \
         away.\n\n\
         Left out of XEP-0133: passwords cannot be shown (the specification took that back), and there are no \
         lists for one direction only (`add-to-blacklist-in` and the like).\n",
    );
    compare("docs/administration.md", &text);
}

/// Shows that the commands are refused, not what they do.
const REFUSALS: &str = "nobody_else";

/// The plays by name, in order.
fn plays() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join(PLAYS)).unwrap().filter_map(Result::ok);
    let read = |entry: fs::DirEntry| {
        let name = entry.path().file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    let mut plays: Vec<_> = entries.map(read).collect();
    plays.sort();
    plays
}
