//! The second part of `docs/compliance.md`: what the compliance tester of Conversations looks for.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use super::compliance::path;

/// A check of the tester.
struct Check {
    /// Its short name, and that of the play.
    name: &'static str,
    /// What it is about.
    title: &'static str,
    /// What it looks for.
    wants: &'static str,
    /// Whether it counts, or is only shown.
    counts: bool,
    by_default: Verdict,
}

/// Whether a server as `anemone init` makes it passes.
enum Verdict {
    Passes,
    /// It does once the operator has done this.
    After(&'static str),
}

use Verdict::{After, Passes};

const fn check(name: &'static str, title: &'static str, wants: &'static str) -> Check {
    Check { name, title, wants, counts: true, by_default: Passes }
}

const fn shown(name: &'static str, title: &'static str, wants: &'static str) -> Check {
    Check { counts: false, ..check(name, title, wants) }
}

impl Check {
    const fn after(self, what: &'static str) -> Self {
        Check { by_default: After(what), ..self }
    }
}

/// Every check that is in the tester, or was.
const CHECKS: &[Check] = &[
    check("xep0115", "Entity capabilities", "`<c/>` among the stream features"),
    check("xep0163", "Personal eventing", "identity `pubsub/pep` of the account"),
    check("roster_versioning", "Roster versioning", "`<ver/>` among the stream features"),
    check("xep0280", "Message carbons", "`urn:xmpp:carbons:2` at the server"),
    check("xep0191", "Blocking command", "`urn:xmpp:blocking` at the server"),
    check("xep0045", "Rooms", "a service with `http://jabber.org/protocol/muc`"),
    check("xep0198", "Stream management", "`<sm/>` among the stream features"),
    check("xep0313", "Archive", "`urn:xmpp:mam:2` at the account"),
    check(
        "xep0313muc",
        "Archive of rooms",
        "`urn:xmpp:mam:2` at a new room, or a field for it in its configuration",
    ),
    check("xep0352", "Client state indication", "`<csi/>` among the stream features"),
    check("xep363", "File upload", "a service with `urn:xmpp:http:upload:0`"),
    check("xep0065", "Proxy for bytestreams", "a service with the namespace of XEP-0065"),
    check("xep0357", "Push notifications", "`urn:xmpp:push:0` at the account"),
    check(
        "xep0368",
        "XMPP over TLS",
        "the record `_xmpps-client._tcp`, and behind it TLS with a certificate of the domain",
    )
    .after("the record that `anemone dns` prints, and a certificate that everybody trusts"),
    check(
        "xep0384",
        "OMEMO",
        "`publish-options` at the account, and that a new node is `open` when its first publication \
         says so",
    ),
    check("xep0398", "Avatar conversion", "`urn:xmpp:pep-vcard-conversion:0` at the account"),
    check(
        "xep0402",
        "Native bookmarks",
        "`#compat`, `#compat-pep`, `publish-options` and `config-node-max` at the account",
    ),
    check("xep0411", "Bookmark conversion", "`urn:xmpp:bookmarks-conversion:0` at the account"),
    check("xep0421", "Occupant identifiers", "`urn:xmpp:occupant-id:0` at a new room"),
    check(
        "xep0490",
        "What was read elsewhere",
        "`publish-options` and `config-node-max` at the account",
    ),
    check("xep0160", "Offline messages", "`msgoffline` at the server"),
    check("vcard", "vCards", "`vcard-temp` at the server"),
    check("vcard_muc", "Avatars of rooms", "`vcard-temp` at a new room"),
    shown("xep0077", "Registration", "`<register/>` among the features before login"),
    shown(
        "xep0156",
        "Ways for web clients",
        "host-meta that every page may read, in XML or JSON; BOSH that every page may use; a \
         WebSocket address that answers",
    ),
    shown("xep0157", "Contact addresses", "an address in the form of the server")
        .after("`abuse` or another address in `[contact]`"),
    shown("xep0363_cors", "File upload from pages", "the headers of CORS for a new slot"),
    shown("xep0280_rules", "Rules for carbons", "`urn:xmpp:carbons:rules:0` at the server"),
    shown("xep0313extended", "Archive, extended", "`urn:xmpp:mam:2#extended` at the account"),
    shown("xep0485", "Server information", "`urn:xmpp:serverinfo:0` at the server")
        .after("`server_info` in `[pubsub]`"),
    shown("stun", "STUN", "a service `stun` with host, port and transport (XEP-0215)")
        .after("a machine that the internet reaches, at an address that the server finds or `[turn]` names"),
    shown("turn", "TURN", "a service `turn` with name and password as well (XEP-0215)")
        .after("what STUN needs"),
];

/// Appends the table.
pub(super) fn write(text: &mut String) {
    text.push_str(
        "\n## The compliance tester\n\n\
         What <https://compliance.conversations.im> looks for with an account of the server, by the \
         source of its checks (`iNPUTmice/caas`), those included that it had once or has only in some \
         versions. Each has a play of its own that asks for the same by its own letter. Checks that \
         only inform do not count for the result. A server as `anemone init` makes it passes, \
         except where something is named that only its operator can know or do.\n\n\
         | check | about | looks for | counts | shown by | passes by default |\n\
         |---|---|---|---|---|---|\n",
    );
    for check in CHECKS {
        let counts = if check.counts { "yes" } else { "informs" };
        let passes = match check.by_default {
            Passes => "yes".to_owned(),
            After(what) => format!("**no**: needs {what}"),
        };
        let Check { name, title, wants, .. } = check;
        writeln!(
            text,
            "| {name} | {title} | {wants} | {counts} | \
             [play](../tests/plays/{FOLDER}/{name}.play) | {passes} |"
        )
        .unwrap();
    }
}

const FOLDER: &str = "compliance-tester";

#[test]
fn each_check_of_the_compliance_tester_has_its_play() {
    let entries = fs::read_dir(path(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
    let plays: BTreeSet<String> =
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let checks: BTreeSet<String> = CHECKS.iter().map(|check| check.name.to_owned()).collect();
    assert_eq!(plays, checks);
}

#[test]
fn what_passes_by_default_is_shown_by_default() {
    // The proxy and its port are there by default; plays have them off, so that ports stay free.
    let off_in_plays = ["xep0065"];
    for check in CHECKS {
        let play = fs::read_to_string(path(FOLDER).join(format!("{}.play", check.name))).unwrap();
        let set = play.lines().any(|line| line.starts_with("setting: "));
        if set && !off_in_plays.contains(&check.name) {
            assert!(matches!(check.by_default, After(_)), "{}", check.name);
        }
    }
}
