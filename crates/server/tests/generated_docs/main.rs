//! Documents that come from the code: they must be what the code says now.
//!
//! `UPDATE_DOCS=1 cargo test -p anemone --test generated_docs` (or `make docs`) writes them anew.

mod administration;
mod compliance;
mod pubsub;
mod rooms;
mod sections;
mod tester;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use anemone::ext::{ALL, Inbound, Outbound, Scope, Spec};

#[test]
fn the_list_of_specifications_is_current() {
    let mut text = String::from(
        "# Supported specifications\n\n\
         Written from the list of extensions in `crates/server/src/ext`; run `make docs` after a \
         change.\n\n| specification | version | extension |\n|---|---|---|\n",
    );
    for (spec, extension) in specs() {
        writeln!(text, "| XEP-{:04}: {} | {} | {extension} |", spec.xep, spec.title, spec.version)
            .unwrap();
    }
    text.push_str(BASE);
    compare("docs/xeps.md", &text);
}

#[test]
fn the_description_of_the_project_is_current() {
    let mut xml = String::from(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns='http://usefulinc.com/ns/doap#' \
         xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>\n  <Project>\n    \
         <name>Anemone</name>\n    \
         <shortdesc xml:lang='en'>A private XMPP server that one person can run</shortdesc>\n    \
         <programming-language>Rust</programming-language>\n    <os>Linux</os>\n    \
         <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-server'/>\n",
    );
    for (spec, _) in specs() {
        write!(
            xml,
            "    <implements>\n      <xmpp:SupportedXep>\n        \
             <xmpp:xep rdf:resource='https://xmpp.org/extensions/xep-{:04}.html'/>\n        \
             <xmpp:status>complete</xmpp:status>\n        \
             <xmpp:version>{}</xmpp:version>\n      </xmpp:SupportedXep>\n    </implements>\n",
            spec.xep, spec.version
        )
        .unwrap();
    }
    xml.push_str("  </Project>\n</rdf:RDF>\n");
    compare("docs/doap.xml", &xml);
}

#[test]
fn the_order_of_hooks_is_on_paper() {
    let mut text = String::from(
        "The stages of a message and the extensions that take part in them, in order.\n\
         Hooks within one stage commute. Written by `make docs`.\n",
    );
    text.push_str("\nA message leaves an account:\n");
    for stage in
        [Outbound::Sanitize, Outbound::Admit, Outbound::Once, Outbound::Record, Outbound::Copy]
    {
        let names = ALL.iter().filter(|e| e.outbound.iter().any(|(at, _)| *at == stage));
        line(&mut text, &format!("{stage:?}"), names.map(|extension| extension.name));
    }
    text.push_str("\nA message reaches an account:\n");
    for stage in [
        Inbound::Admit,
        Inbound::Once,
        Inbound::Claim,
        Inbound::Record,
        Inbound::Deliver,
        Inbound::Copy,
        Inbound::Wake,
        Inbound::Miss,
    ] {
        let names = ALL.iter().filter(|e| e.inbound.iter().any(|(at, _)| *at == stage));
        line(&mut text, &format!("{stage:?}"), names.map(|extension| extension.name));
    }
    text.push_str("\nRequests (scope, kind, namespace, element):\n");
    for extension in ALL {
        for route in extension.iq {
            let scope = match route.scope {
                Scope::Own => "own account",
                Scope::Account => "account",
                Scope::Server => "server",
                Scope::Upload => "upload service",
                Scope::Bytestreams => "proxy",
                Scope::Rooms => "room service",
                Scope::Pubsub => "pubsub service",
                Scope::Room => "room",
            };
            let kind =
                route.kind.map_or("any".to_owned(), |kind| format!("{kind:?}").to_lowercase());
            writeln!(text, "  {}: {scope}, {kind}, {} {}", extension.name, route.ns, route.name)
                .unwrap();
        }
    }
    compare("docs/dev/stages.txt", &text);
}

#[test]
fn every_extension_has_a_name_of_its_own() {
    let mut names: Vec<_> = ALL.iter().map(|extension| extension.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(names.iter().all(|name| !name.is_empty()));
}

fn line<'a>(text: &mut String, stage: &str, names: impl Iterator<Item = &'a str>) {
    let names: Vec<_> = names.collect();
    writeln!(text, "  {stage}: {}", names.join(", ")).unwrap();
}

fn specs() -> Vec<(Spec, &'static str)> {
    let mut specs = BTreeMap::new();
    for extension in ALL {
        for spec in extension.specs {
            specs.insert(spec.xep, (*spec, extension.name));
        }
    }
    for (rest, part) in [(STREAM, "streams and sessions"), (MOVING, "import and export")] {
        for spec in rest {
            specs.entry(spec.xep).or_insert((*spec, part));
        }
    }
    specs.into_values().collect()
}

/// The folder of the project.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn compare(path: &str, text: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} is not current: run `make docs`", path.display());
}

/// What is not an extension of routing but part of streams and sessions.
const STREAM: &[Spec] = &[
    Spec { xep: 114, version: "1.6", title: "Jabber Component Protocol" },
    Spec {
        xep: 124,
        version: "1.11.2",
        title: "Bidirectional-streams Over Synchronous HTTP (BOSH)",
    },
    Spec { xep: 156, version: "1.4.0", title: "Discovering Alternative XMPP Connection Methods" },
    Spec {
        xep: 178,
        version: "1.2",
        title: "Best Practices for Use of SASL EXTERNAL with Certificates",
    },
    Spec { xep: 198, version: "1.6.3", title: "Stream Management" },
    Spec { xep: 206, version: "1.4", title: "XMPP Over BOSH" },
    Spec { xep: 220, version: "1.1.1", title: "Server Dialback" },
    Spec { xep: 288, version: "1.0.1", title: "Bidirectional Server-to-Server Connections" },
    Spec { xep: 344, version: "0.4", title: "Impact of TLS and DNSSEC on Dialback" },
    Spec { xep: 352, version: "1.0.0", title: "Client State Indication" },
    Spec { xep: 368, version: "1.1.0", title: "SRV records for XMPP over TLS" },
    Spec { xep: 386, version: "1.1.0", title: "Bind 2" },
    Spec { xep: 388, version: "1.0.4", title: "Extensible SASL Profile" },
    Spec { xep: 440, version: "1.0.0", title: "SASL Channel-Binding Type Capability" },
    Spec { xep: 480, version: "0.2.0", title: "SASL Upgrade Tasks" },
    Spec { xep: 474, version: "0.5.0", title: "SASL SCRAM Downgrade Protection" },
    Spec { xep: 478, version: "0.2.0", title: "Stream Limits Advertisement" },
    Spec { xep: 484, version: "0.2.0", title: "Fast Authentication Streamlining Tokens" },
    Spec { xep: 487, version: "0.1.0", title: "Host Meta 2 - One Method To Rule Them All" },
];

/// What never goes over the wire.
const MOVING: &[Spec] = &[Spec {
    xep: 227,
    version: "1.1",
    title: "Portable Import/Export Format for XMPP-IM Servers",
}];

const BASE: &str = "\nBeside these: RFC 6120 (core), RFC 6121 (instant messaging and presence), \
    RFC 7395 (WebSocket), RFC 7622 (addresses), RFC 5802 and RFC 7677 (SCRAM), RFC 5929 and RFC \
    9266 (channel binding), RFC 7590 (TLS), RFC 8030, RFC 8291 and RFC 8292 (Web Push). What each was tested with stands in \
    `tests/conformance`.\n";
