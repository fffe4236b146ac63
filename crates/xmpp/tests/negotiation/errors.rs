//! Every error in its place.

use xmpp::error::StreamCondition;
use xmpp::xml::Framing;

use crate::house::{House, tls};
use crate::wire::{OPEN, Wire, base64};

fn fresh() -> Wire {
    Wire::new(House::new(), Framing::Tcp, None)
}

#[test]
fn a_stream_header_that_does_not_fit_is_answered_with_a_header_and_an_error() {
    use StreamCondition::{
        HostUnknown, ImproperAddressing, InvalidFrom, InvalidNamespace, UnsupportedVersion,
    };
    for (from, to, condition) in [
        ("to='example.org'", "to='other.example'", HostUnknown),
        ("to='example.org'", "to=''", ImproperAddressing),
        ("to='example.org'", "", ImproperAddressing),
        ("org' version='1.0'", "org'", UnsupportedVersion),
        ("org' version='1.0'", "org' version='0.9'", UnsupportedVersion),
        ("org' version='1.0'", "org' version='one'", UnsupportedVersion),
        ("xmlns='jabber:client'", "xmlns='jabber:server'", InvalidNamespace),
        ("xmlns='jabber:client'", "xmlns='urn:x'", InvalidNamespace),
        ("/streams'", "/brooks'", InvalidNamespace),
        ("to='example.org'", "to='example.org' from='juliet@other.example'", InvalidFrom),
        ("to='example.org'", "to='example.org' from='@@'", InvalidFrom),
    ] {
        let mut wire = fresh();
        let written = wire.ends_with(&OPEN.replacen(from, to, 1), condition);
        assert!(
            written.starts_with("<?xml version='1.0'?><stream:stream from='example.org' id='"),
            "{written}"
        );
    }
}

#[test]
fn newer_versions_are_answered_with_ours() {
    let written = fresh().send(&OPEN.replacen("org' version='1.0'", "org' version='1.7'", 1));
    assert!(written.contains(" version='1.0' "));
    assert!(written.contains("<stream:features>"));
    assert!(
        fresh()
            .send(&OPEN.replacen("org' version='1.0'", "org' version='2.0'", 1))
            .contains("features")
    );
}

#[test]
fn the_answer_is_addressed_to_who_asked() {
    let open = OPEN.replacen("to=", "from='juliet@example.org' to=", 1);
    let written = fresh().send(&open);
    assert!(written.contains(" to='juliet@example.org' "), "{written}");
}

#[test]
fn broken_xml_ends_the_stream_with_its_own_error() {
    for (text, condition) in [
        ("<a></b>", StreamCondition::NotWellFormed),
        ("<!-- hi -->", StreamCondition::RestrictedXml),
        ("<x:a/>", StreamCondition::BadNamespacePrefix),
        ("\u{1}", StreamCondition::NotWellFormed),
    ] {
        let mut wire = fresh();
        wire.send(OPEN);
        wire.ends_with(text, condition);
    }
    let mut wire = fresh();
    wire.send(OPEN);
    let large = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}", "A".repeat(9000));
    wire.ends_with(&large, StreamCondition::PolicyViolation);
}

#[test]
fn stanzas_before_authentication_end_the_stream() {
    for stanza in ["<message/>", "<presence/>", "<iq type='get' id='1'/>"] {
        let mut wire = Wire::open(House::new());
        wire.ends_with(stanza, StreamCondition::NotAuthorized);
    }
    for element in ["<foo xmlns='urn:bar'/>", "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>"] {
        let mut wire = Wire::open(House::new());
        wire.ends_with(element, StreamCondition::UnsupportedStanzaType);
    }
    let mut wire = Wire::open(House::new());
    wire.ends_with("<message xmlns='urn:bar'/>", StreamCondition::InvalidNamespace);
}

#[test]
fn the_peer_may_close_at_any_time() {
    let mut wire = fresh();
    wire.send(OPEN);
    assert_eq!(wire.send("</stream:stream>"), "</stream:stream>");
    assert!(wire.is_closed());
}

#[test]
fn nothing_but_starttls_is_offered_where_encryption_is_required() {
    let mut wire = fresh();
    let written = wire.send(OPEN);
    assert!(
        written
            .contains("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>")
    );
    assert!(!written.contains("mechanism"));
    let auth = base64("\0juliet\0r0m30");
    let refused = wire.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{auth}</auth>"
    ));
    assert!(refused.contains("<encryption-required"), "{refused}");
    assert!(wire.house.log.iter().all(|line| !line.starts_with("password")));
}

#[test]
fn what_was_sent_before_encryption_is_not_used_after_it() {
    let mut wire = fresh();
    wire.send(OPEN);
    let injected = format!(
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{OPEN}<auth \
         xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{}</auth>",
        base64("\0juliet\0r0m30")
    );
    assert_eq!(wire.send(&injected), "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    wire.encrypt(tls());
    assert_eq!(wire.send(""), "");
    assert!(wire.send(OPEN).contains("SCRAM-SHA-256-PLUS"));
    assert!(wire.house.log.is_empty());
}

#[test]
fn starttls_inside_tls_fails() {
    let mut wire = Wire::open(House::new());
    assert_eq!(
        wire.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
    );
    assert!(wire.is_closed());
}

fn auth(mechanism: &str, text: &str) -> String {
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>")
}

#[test]
fn every_bad_authentication_gets_its_condition() {
    let bound = base64("p=tls-exporter,,n=juliet,r=abc");
    let cases = [
        (auth("NONSENSE", "="), "invalid-mechanism"),
        (auth("HT-SHA-256-NONE", "="), "invalid-mechanism"),
        (auth("PLAIN", "!!!"), "incorrect-encoding"),
        (auth("PLAIN", "="), "malformed-request"),
        (auth("PLAIN", &base64("juliet")), "malformed-request"),
        (auth("PLAIN", &base64("romeo@example.org\0juliet\0r0m30")), "invalid-authzid"),
        (auth("PLAIN", &base64("juliet@example.org/x\0juliet\0r0m30")), "invalid-authzid"),
        (auth("PLAIN", &base64("\0juliet@example.org\0r0m30")), "not-authorized"),
        (auth("PLAIN", &base64("\0juliet\0wrong")), "not-authorized"),
        (auth("SCRAM-SHA-1", "="), "malformed-request"),
        (auth("SCRAM-SHA-1", &bound), "malformed-request"),
        (auth("SCRAM-SHA-1", &base64("y,,n=juliet,r=abc")), "not-authorized"),
        (auth("SCRAM-SHA-1", &base64("n,a=romeo@example.org,n=juliet,r=a")), "invalid-authzid"),
        (auth("SCRAM-SHA-1-PLUS", &base64("n,,n=juliet,r=abc")), "malformed-request"),
    ];
    for (text, condition) in cases {
        let mut wire = Wire::open(House::new());
        let failure = wire.send(&text);
        let start = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>";
        assert!(failure.starts_with(&format!("{start}<{condition}/>")), "{text}: {failure}");
        assert!(!wire.is_closed());
        let ok = wire.send(&auth("PLAIN", &base64("juliet@example.org\0juliet\0r0m30")));
        assert!(ok.contains("<success"), "{ok}");
    }
}

#[test]
fn mechanisms_below_the_policy_are_too_weak() {
    let mut house = House::new();
    house.settings.plain = false;
    house.settings.hashes = vec![xmpp::sasl::Hash::Sha512];
    let mut wire = Wire::open(house);
    assert!(wire.send(&auth("PLAIN", &base64("\0juliet\0r0m30"))).contains("<mechanism-too-weak"));
    let first = base64("n,,n=juliet,r=abc");
    assert!(wire.send(&auth("SCRAM-SHA-1", &first)).contains("<mechanism-too-weak"));
    assert!(wire.send(&auth("SCRAM-SHA-1-PLUS", &first)).contains("<invalid-mechanism"));
    assert!(wire.house.log.iter().all(|line| line.starts_with("refused")));
}

#[test]
fn an_exchange_can_be_aborted_and_begun_without_initial_response() {
    let mut wire = Wire::open(House::new());
    let sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
    assert_eq!(wire.send(&auth("SCRAM-SHA-256", "")), format!("<challenge xmlns='{sasl}'/>"));
    let first = base64("n,,n=juliet,r=abc");
    let challenge = wire.send(&format!("<response xmlns='{sasl}'>{first}</response>"));
    assert!(challenge.starts_with(&format!("<challenge xmlns='{sasl}'>")));
    assert!(wire.send(&format!("<abort xmlns='{sasl}'/>")).contains("<aborted/>"));
    let stray = wire.send(&format!("<response xmlns='{sasl}'>=</response>"));
    assert!(stray.contains("<malformed-request"));
}

#[test]
fn anything_else_during_an_exchange_ends_the_stream() {
    for element in [
        "<message/>",
        "<abort xmlns='urn:xmpp:sasl:2'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ] {
        let mut wire = Wire::open(House::new());
        wire.send(&auth("SCRAM-SHA-256", ""));
        wire.ends_with(element, StreamCondition::PolicyViolation);
    }
}

#[test]
fn attempts_are_counted_over_all_kinds_of_failure() {
    let mut house = House::new();
    house.settings.attempts = 3;
    let mut wire = Wire::open(house);
    wire.send(&auth("NONSENSE", "="));
    wire.send(&auth("PLAIN", &base64("\0juliet\0wrong")));
    let last = wire
        .ends_with(&auth("PLAIN", &base64("\0juliet\0wrong")), StreamCondition::PolicyViolation);
    assert!(last.starts_with("<failure"), "the client also learns why: {last}");
}

#[test]
fn the_identity_of_the_stream_must_be_kept() {
    let claimed = OPEN.replacen("to=", "from='romeo@example.org' to=", 1);
    let plain = base64("\0juliet\0r0m30");
    let mut wire = Wire::new(House::new(), Framing::Tcp, Some(tls()));
    wire.send(&claimed);
    let failure = wire.send(&format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
         <initial-response>{plain}</initial-response></authenticate>"
    ));
    assert!(failure.contains("<invalid-authzid"), "{failure}");

    let mut wire = Wire::open(House::new());
    wire.send(&auth("PLAIN", &plain));
    wire.ends_with(&claimed, StreamCondition::InvalidFrom);

    let mut house = House::new();
    house.settings.domains.push("other.example".into());
    let mut wire = Wire::open(house);
    wire.send(&auth("PLAIN", &plain));
    wire.ends_with(&OPEN.replace("example.org", "other.example"), StreamCondition::HostUnknown);
}

#[test]
fn two_domains_are_told_apart() {
    let mut house = House::new();
    house.settings.domains.push("other.example".into());
    let mut wire = Wire::new(house, Framing::Tcp, Some(tls()));
    let written = wire.send(&OPEN.replace("example.org", "other.example"));
    assert!(written.contains(" from='other.example' "));
    wire.send(&auth("PLAIN", &base64("\0juliet\0r0m30")));
    assert_eq!(wire.house.log.first().unwrap(), "password juliet@other.example");
}

#[test]
fn an_error_over_websocket_is_followed_by_close() {
    let mut wire = Wire::new(House::new(), Framing::WebSocket, Some(tls()));
    let open =
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='nowhere.example' version='1.0'/>";
    let written = wire.ends_with(open, StreamCondition::HostUnknown);
    assert!(written.starts_with("<open "));
    let mut wire = Wire::new(House::new(), Framing::WebSocket, Some(tls()));
    assert_eq!(wire.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"), "");
    assert!(wire.is_closed());
}
