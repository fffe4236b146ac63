//! Binding and resuming, classic and in one request.

use xmpp::error::StreamCondition;
use xmpp::ext::bind2::Bind;
use xmpp::ext::sasl2::UserAgent;
use xmpp::jid::FullJid;
use xmpp::ns;
use xmpp::sm::{Enable, Resume};
use xmpp::stream::client::{Error, Managed, Preference};
use xmpp::stream::server::{Session, StreamLimits};
use xmpp::xml::{Element, Framing};

use crate::house::{CLIENT_ID, House};
use crate::pair::{Pair, juliet};
use crate::wire::{OPEN, Wire, base64};

fn everything() -> Bind {
    Bind {
        tag: Some("AwesomeXMPP".into()),
        carbons: true,
        enable: Some(Enable { resume: true, max: Some(300) }),
        inactive: true,
        other: Vec::new(),
    }
}

/// A wire that is authenticated by PLAIN and has opened its second stream.
fn authenticated(house: House) -> Wire {
    let mut wire = Wire::open(house);
    let auth = base64("\0juliet\0r0m30");
    let success = wire.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{auth}</auth>"
    ));
    assert_eq!(success, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    let features = wire.send(OPEN);
    assert!(features.starts_with("<?xml version='1.0'?><stream:stream from='example.org'"));
    assert!(features.contains("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"));
    assert!(features.contains("<sm xmlns='urn:xmpp:sm:3'/>"));
    assert!(!features.contains("mechanism"));
    wire
}

const BIND: &str = "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
    <resource>balcony</resource></bind></iq>";

#[test]
fn a_classic_session_is_bound() {
    let mut wire = authenticated(House::new());
    assert_eq!(
        wire.send(BIND),
        "<iq type='result' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>juliet@example.org/balcony</jid></bind></iq>"
    );
    let established = wire.established();
    assert!(matches!(established.session, Session::Bound { bind: None }));
    assert!(!established.inactive);
}

#[test]
fn a_refused_resource_can_be_asked_for_again() {
    let mut house = House::new();
    house.resources.insert("juliet@example.org/balcony".into());
    let mut wire = authenticated(house);
    let error = wire.send(BIND);
    assert!(error.starts_with("<iq type='error' id='b1'>"), "{error}");
    assert!(error.contains("<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"));
    let malformed = BIND.replace("balcony", "a&#x85;b");
    assert!(wire.send(&malformed).contains("<bad-request"));
    assert!(wire.send(&BIND.replace("balcony", "chamber")).contains("/chamber</jid>"));
    assert_eq!(wire.established().jid.to_string(), "juliet@example.org/chamber");
}

#[test]
fn nothing_but_bind_is_processed_before_binding() {
    for stanza in [
        "<message to='romeo@example.net'><body>hi</body></message>",
        "<presence/>",
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='get' id='r'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ] {
        authenticated(House::new()).ends_with(stanza, StreamCondition::NotAuthorized);
    }
    for nonza in ["<r xmlns='urn:xmpp:sm:3'/>", "<what xmlns='urn:example:ever'/>"] {
        authenticated(House::new()).ends_with(nonza, StreamCondition::UnsupportedStanzaType);
    }
}

#[test]
fn stream_management_is_not_enabled_before_binding() {
    let mut wire = authenticated(House::new());
    assert_eq!(
        wire.send("<enable xmlns='urn:xmpp:sm:3'/>"),
        "<failed xmlns='urn:xmpp:sm:3'>\
         <unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    );
    assert!(wire.send("<resume xmlns='urn:xmpp:sm:3' previd='x'/>").contains("<bad-request"));
    assert!(wire.send(BIND).contains("<jid>"));
}

#[test]
fn a_session_is_resumed_or_the_client_binds() {
    let house = || {
        let mut house = House::new();
        let jid = FullJid::new("juliet@example.org/balcony").unwrap();
        let other = FullJid::new("romeo@example.org/orchard").unwrap();
        house.sessions.insert("sm-7".into(), (jid, 42));
        house.sessions.insert("sm-8".into(), (other, 1));
        house
    };
    let mut wire = authenticated(house());
    assert_eq!(
        wire.send("<resume xmlns='urn:xmpp:sm:3' previd='sm-7' h='17'/>"),
        "<resumed xmlns='urn:xmpp:sm:3' previd='sm-7' h='42'/>"
    );
    let established = wire.established();
    assert_eq!(established.jid.to_string(), "juliet@example.org/balcony");
    assert!(matches!(established.session, Session::Resumed { resume } if resume.h == 17));

    let mut wire = authenticated(house());
    for foreign in ["sm-8", "sm-9"] {
        assert_eq!(
            wire.send(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{foreign}' h='0'/>")),
            "<failed xmlns='urn:xmpp:sm:3'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
        );
    }
    assert!(wire.send(BIND).contains("<jid>"));
}

#[test]
fn inactivity_before_binding_is_remembered() {
    let mut wire = authenticated(House::new());
    assert_eq!(wire.send("<inactive xmlns='urn:xmpp:csi:0'/>"), "");
    wire.send(BIND);
    assert!(wire.established().inactive);
}

#[test]
fn one_request_authenticates_and_binds_with_all_features() {
    let mut house = House::new();
    let mut client = juliet();
    client.bind = everything();
    client.user_agent = Some(UserAgent {
        id: Some(CLIENT_ID.into()),
        software: Some("Awesome".into()),
        device: Some("Kiva's Phone".into()),
    });
    let end = Pair::new(&mut house, client.clone()).run();
    assert_eq!(end.jid(), "juliet@example.org/AwesomeXMPP/stable");
    let session = end.client.unwrap();
    assert!(matches!(session.managed, Some(Managed::Enabled(ref enabled))
        if enabled.id.as_deref() == Some("sm-1")));
    assert!(session.bound.unwrap().child("metadata", ns::MAM).is_some());
    let features = session.features.unwrap();
    assert!(features.child("bind", ns::BIND).is_none());
    let server = end.server.unwrap();
    assert!(server.inactive);
    assert_eq!(server.user_agent, client.user_agent);
    assert!(matches!(server.session, Session::Bound { bind: Some(bind) } if bind == everything()));
}

#[test]
fn one_request_resumes_and_ignores_the_rest() {
    let mut house = House::new();
    let jid = FullJid::new("juliet@example.org/balcony").unwrap();
    house.sessions.insert("sm-7".into(), (jid, 42));
    let mut client = juliet();
    client.bind = everything();
    client.resume = Some(Resume { previd: "sm-7".into(), h: 17 });
    for preference in [Preference::Sasl, Preference::Sasl2] {
        client.preference = preference;
        let end = Pair::new(&mut house, client.clone()).run();
        assert_eq!(end.jid(), "juliet@example.org/balcony");
        assert_eq!(end.client.unwrap().managed, Some(Managed::Resumed(42)));
        assert!(!end.transcript.contains("<bound"));
        assert!(!end.server.unwrap().inactive, "a resumed stream is active");
    }
}

#[test]
fn a_failed_resumption_is_followed_by_a_new_session() {
    let mut house = House::new();
    let mut client = juliet();
    client.bind = everything();
    client.resume = Some(Resume { previd: "gone".into(), h: 17 });
    for preference in [Preference::Sasl2, Preference::Sasl] {
        client.preference = preference;
        let mut pair = Pair::new(&mut house, client.clone());
        if preference == Preference::Sasl {
            // What a session loop would answer is not part of the negotiation.
            pair.client.bind.enable = None;
        }
        let end = pair.run();
        assert!(end.transcript.contains("<item-not-found"));
        assert!(end.jid().starts_with("juliet@example.org/"));
    }
}

#[test]
fn authentication_without_bind_2_goes_on_without_a_restart() {
    let mut wire = Wire::open(House::new());
    let success = wire.send(&format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
         <initial-response>{}</initial-response></authenticate>",
        base64("\0juliet\0r0m30")
    ));
    assert!(success.starts_with(
        "<success xmlns='urn:xmpp:sasl:2'>\
         <authorization-identifier>juliet@example.org</authorization-identifier></success>\
         <stream:features><bind "
    ));
    let mut again = wire.send(BIND);
    assert!(again.contains("<jid>juliet@example.org/balcony</jid>"));
    again.clear();
    assert_eq!(wire.established().jid.to_string(), "juliet@example.org/balcony");
}

#[test]
fn a_second_authentication_ends_the_stream() {
    let authenticate = format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
         <initial-response>{}</initial-response></authenticate>",
        base64("\0juliet\0r0m30")
    );
    let mut wire = Wire::open(House::new());
    wire.send(&authenticate);
    wire.ends_with(&authenticate, StreamCondition::UnsupportedStanzaType);
}

#[test]
fn an_unusable_resumption_inside_a_request_is_reported() {
    let request = |resume: &str| {
        format!(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
             <initial-response>{}</initial-response>{resume}\
             <bind xmlns='urn:xmpp:bind:0'/></authenticate>",
            base64("\0juliet\0r0m30")
        )
    };
    let mut wire = Wire::open(House::new());
    let answer = wire.send(&request("<resume xmlns='urn:xmpp:sm:3' previd='x' h='-1'/>"));
    assert!(answer.contains("<failed xmlns='urn:xmpp:sm:3'><bad-request"), "{answer}");
    assert!(answer.contains("<bound "));

    let mut house = House::new();
    house.settings.stream_management = false;
    let mut wire = Wire::open(house);
    let answer = wire.send(&request("<resume xmlns='urn:xmpp:sm:3' previd='x' h='1'/>"));
    assert!(answer.contains("<failed xmlns='urn:xmpp:sm:3'><feature-not-implemented"), "{answer}");
    assert!(!answer.contains("<sm "));
}

#[test]
fn limits_and_further_features_are_told() {
    let mut house = House::new();
    house.settings.limits_before = StreamLimits { max_bytes: Some(8192), idle_seconds: None };
    house.settings.limits_after =
        StreamLimits { max_bytes: Some(262_144), idle_seconds: Some(900) };
    house.settings.features_after = vec![
        Element::new("ver", ns::ROSTER_VERSIONS),
        Element::new("sub", ns::PRE_APPROVAL),
        Element::new("csi", ns::CSI),
    ];
    let end = Pair::new(&mut house, juliet()).run();
    let features = end.client.unwrap().features.unwrap();
    for (name, ns) in [("ver", ns::ROSTER_VERSIONS), ("sub", ns::PRE_APPROVAL), ("csi", ns::CSI)] {
        assert!(features.child(name, ns).is_some());
    }
    let limits = features.child("limits", ns::STREAM_LIMITS).unwrap();
    assert_eq!(limits.child("idle-seconds", ns::STREAM_LIMITS).unwrap().text(), "900");
    assert!(end.transcript.contains("<max-bytes>8192</max-bytes></limits>"));
}

#[test]
fn a_client_refuses_a_session_of_somebody_else() {
    let mut house = House::new();
    let mut client = juliet();
    client.preference = Preference::Sasl;
    let tamper = |_, text: String| text.replace("<jid>juliet@", "<jid>romeo@");
    let end = Pair::new(&mut house, client).tampered(tamper).run();
    assert!(matches!(end.client_error(), Error::Protocol(_)));
}

#[test]
fn websocket_answers_stand_alone() {
    let mut wire = Wire::new(House::new(), Framing::WebSocket, Some(crate::house::tls()));
    let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>";
    let opened = wire.send(open);
    let (header, features) = opened.split_once('\n').unwrap();
    assert!(header.starts_with("<open ") && header.ends_with("/>"), "{header}");
    assert!(
        features.starts_with("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>")
    );
    assert!(!features.contains("starttls"));
    let auth = base64("\0juliet\0r0m30");
    wire.send(&format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{auth}</auth>"
    ));
    wire.send(open);
    let bound = wire.send(&BIND.replace("<iq ", "<iq xmlns='jabber:client' "));
    assert!(bound.starts_with("<iq xmlns='jabber:client' type='result'"), "{bound}");
}
