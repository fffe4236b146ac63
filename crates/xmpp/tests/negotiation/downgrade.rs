//! Somebody with a valid certificate sits in between. None of their attempts succeeds.

use xmpp::sasl::{Mechanism, TlsInfo, scram_client};
use xmpp::stream::client::{Error, Preference};

use crate::house::{House, tls};
use crate::pair::{End, Pair, juliet};

/// Each side has TLS with the one in between, who shows the server's own certificate if `end_point`
/// is stolen.
fn attacked(
    preference: Preference,
    stolen: bool,
    tamper: fn(bool, String) -> String,
) -> (End, Vec<String>) {
    let mut house = House::new();
    house.settings.plain = false;
    let mut client = juliet();
    client.preference = preference;
    let mut pair = Pair::new(&mut house, client).tampered(tamper);
    let end_point = if stolen { tls().end_point } else { Some(vec![66; 32]) };
    pair.client_tls = TlsInfo { exporter: Some([66; 32]), end_point, ..tls() };
    let end = pair.run();
    (end, house.log)
}

#[track_caller]
fn fails(stolen: bool, tamper: fn(bool, String) -> String) {
    for preference in [Preference::Sasl, Preference::Sasl2] {
        let (end, log) = attacked(preference, stolen, tamper);
        assert!(end.server.is_none(), "{}", end.transcript);
        let error = end.client.expect_err("the client is not connected");
        assert!(
            !matches!(error, Error::Closed | Error::Protocol(_)),
            "{error}: {}",
            end.transcript
        );
        assert!(log.iter().all(|line| !line.starts_with("bind") && !line.starts_with("login")));
    }
}

fn without(text: String, parts: &[&str]) -> String {
    parts.iter().fold(text, |text, part| text.replace(part, ""))
}

const PLUS: [&str; 6] = [
    "<mechanism>SCRAM-SHA-512-PLUS</mechanism>",
    "<mechanism>SCRAM-SHA-256-PLUS</mechanism>",
    "<mechanism>SCRAM-SHA-1-PLUS</mechanism>",
    "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>",
    "<channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/>",
    "</sasl-channel-binding>",
];

#[test]
fn passing_everything_on_is_noticed_by_the_channel() {
    fails(false, |_, text| text);
    fails(true, |_, text| text);
}

#[test]
fn removing_every_offer_of_binding_is_noticed() {
    fails(false, |_, text| without(text, &PLUS));
}

#[test]
fn removing_the_mechanisms_but_not_the_types_is_noticed() {
    fails(false, |_, text| without(text, &PLUS[..3]));
}

#[test]
fn removing_the_types_but_not_the_mechanisms_is_noticed() {
    fails(false, |_, text| without(text, &PLUS[3..]));
}

#[test]
fn leaving_only_the_type_that_can_be_stolen_is_noticed() {
    fails(true, |_, text| text.replace("<channel-binding type='tls-exporter'/>", ""));
}

#[test]
fn offering_only_types_nobody_knows_is_noticed() {
    fails(false, |_, text| {
        text.replace("'tls-exporter'", "'tls-future'").replace("'tls-server-end-point'", "'other'")
    });
}

#[test]
fn types_nobody_knows_are_fatal_with_an_end_point_that_is_stolen_too() {
    fails(true, |_, text| {
        text.replace("'tls-exporter'", "'tls-future'").replace("'tls-server-end-point'", "'other'")
    });
}

#[test]
fn leaving_only_the_weakest_mechanisms_is_noticed_without_binding_too() {
    let mut house = House::new();
    let mut client = juliet();
    client.channel_binding = false;
    let tamper = |_, text| {
        without(
            text,
            &["<mechanism>SCRAM-SHA-512</mechanism>", "<mechanism>SCRAM-SHA-256</mechanism>"],
        )
    };
    let end = Pair::new(&mut house, client).tampered(tamper).run();
    assert!(matches!(end.client_error(), Error::Scram(scram_client::Error::Downgrade)));
}

#[test]
fn another_tls_version_at_the_other_end_is_noticed() {
    let mut house = House::new();
    let mut client = juliet();
    client.channel_binding = false;
    let mut pair = Pair::new(&mut house, client);
    pair.server_tls.version = Some(0x0303);
    assert!(matches!(pair.run().client_error(), Error::Scram(scram_client::Error::TlsVersion)));
}

#[test]
fn removing_starttls_ends_the_connection() {
    let mut house = House::new();
    let tamper = |_, text: String| {
        text.replace("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>", "")
    };
    let end = Pair::new(&mut house, juliet()).tampered(tamper).run();
    assert!(!end.transcript.contains("<auth"));
    assert!(matches!(end.client_error(), Error::Unencrypted));
}

#[test]
fn a_server_that_only_says_success_is_not_believed() {
    for mechanism in [Mechanism::PASSWORD[0], Mechanism::PASSWORD[3]] {
        let mut house = House::new();
        let mut client = juliet();
        client.mechanisms = vec![mechanism];
        client.preference = Preference::Sasl;
        let tamper = |from_server, text: String| {
            if from_server && text.contains("<challenge") {
                "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".to_owned()
            } else {
                text
            }
        };
        let end = Pair::new(&mut house, client).tampered(tamper).run();
        assert!(matches!(end.client_error(), Error::Scram(scram_client::Error::ServerUnproven)));
    }
}

#[test]
fn plain_is_never_used_unless_it_is_allowed() {
    let mut house = House::new();
    let tamper = |_, text: String| {
        let text = without(text, &PLUS);
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]
            .iter()
            .fold(text, |text, name| text.replace(&format!("<mechanism>{name}</mechanism>"), ""))
    };
    let end = Pair::new(&mut house, juliet()).tampered(tamper).run();
    assert!(end.transcript.contains("<mechanism>PLAIN</mechanism>"));
    assert!(matches!(end.client_error(), Error::NoMechanism));
}
