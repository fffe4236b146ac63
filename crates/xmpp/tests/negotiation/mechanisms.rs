//! Every mechanism in every profile and framing.

use xmpp::sasl::{Mechanism, TlsInfo};
use xmpp::stream::client::{Encryption, Error, Preference};
use xmpp::stream::server::{AccountState, Profile};
use xmpp::xml::Framing;

use crate::house::{House, tls};
use crate::pair::{Pair, juliet};

#[test]
fn every_mechanism_works_in_every_profile_and_framing() {
    for mechanism in Mechanism::PASSWORD {
        for preference in [Preference::Sasl, Preference::Sasl2] {
            for framing in [Framing::Tcp, Framing::WebSocket] {
                let mut house = House::new();
                let mut client = juliet();
                client.mechanisms = vec![mechanism];
                client.preference = preference;
                client.framing = framing;
                let mut pair = Pair::new(&mut house, client);
                pair.direct = framing == Framing::WebSocket;
                let end = pair.run();
                assert_eq!(end.client.as_ref().unwrap().mechanism, mechanism, "{}", end.transcript);
                assert!(end.jid().starts_with("juliet@example.org/"));
            }
        }
    }
}

#[test]
fn the_strongest_mechanism_is_chosen() {
    let mut house = House::new();
    let end = Pair::new(&mut house, juliet()).run();
    let client = end.client.as_ref().unwrap();
    assert_eq!(client.mechanism.name(), "SCRAM-SHA-512-PLUS");
    assert_eq!(client.profile, Profile::Sasl2);
    assert!(end.transcript.contains("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"));
    assert!(!end.transcript.contains("r0m30"));
}

#[test]
fn the_end_point_is_bound_to_where_nothing_is_exported() {
    let weaker = TlsInfo { exporter: None, ..tls() };
    let mut house = House::new();
    let mut pair = Pair::new(&mut house, juliet());
    pair.client_tls = weaker.clone();
    pair.server_tls = weaker;
    let end = pair.run();
    assert_eq!(end.client.unwrap().mechanism.name(), "SCRAM-SHA-512-PLUS");
    assert!(!end.transcript.contains("tls-exporter"));
}

#[test]
fn a_client_may_prefer_not_to_bind_where_the_offer_is_not_repeated() {
    for (preference, mechanism) in
        [(Preference::Sasl, "SCRAM-SHA-1"), (Preference::Sasl2, "SCRAM-SHA-256")]
    {
        let mut house = House::new();
        let mut client = juliet();
        client.mechanisms = vec![Mechanism::from_name(mechanism).unwrap()];
        client.preference = preference;
        let end = Pair::new(&mut house, client).tampered(without_protection).run();
        // The proof covers the attribute that is missing, so the server refuses; the client would
        // not have minded.
        assert!(matches!(end.client_error(), Error::Refused(_)));
    }
}

/// Takes the attributes of XEP-0474 and XEP-0515 out of challenges.
fn without_protection(from_server: bool, text: String) -> String {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    let Some((before, rest)) = text.split_once("<challenge ").filter(|_| from_server) else {
        return text;
    };
    let (attributes, rest) = rest.split_once('>').unwrap();
    let (challenge, after) = rest.split_once('<').unwrap();
    let challenge = String::from_utf8(BASE64_STANDARD.decode(challenge).unwrap()).unwrap();
    let (challenge, _) = challenge.split_once(",h=").unwrap();
    let challenge = BASE64_STANDARD.encode(challenge);
    format!("{before}<challenge {attributes}>{challenge}<{after}")
}

#[test]
fn behind_a_proxy_mechanisms_do_not_bind() {
    let mut house = House::new();
    let mut pair = Pair::new(&mut house, juliet()).direct();
    pair.server_tls = TlsInfo::default();
    let end = pair.run();
    assert_eq!(end.client.unwrap().mechanism.name(), "SCRAM-SHA-512");
    assert!(!end.transcript.contains("PLUS"));
}

#[test]
fn a_plain_stream_offers_neither_plain_nor_sasl2() {
    let mut house = House::new();
    house.settings.tls_required = false;
    house.settings.fast.clear();
    let mut client = juliet();
    client.encryption = Encryption::Never;
    let end = Pair::new(&mut house, client).run();
    let session = end.client.unwrap();
    assert_eq!((session.profile, session.mechanism.name()), (Profile::Sasl, "SCRAM-SHA-512"));
    assert!(!end.transcript.contains(">PLAIN<"));
    assert!(!end.transcript.contains("urn:xmpp:sasl:2"));
    assert!(end.transcript.contains("<starttls"));
}

#[test]
fn keys_of_an_earlier_login_replace_the_password() {
    let mut house = House::new();
    let first = Pair::new(&mut house, juliet()).run().client.unwrap();
    let mut client = juliet();
    client.credential =
        Some(xmpp::sasl::scram_client::Credential::Keys(first.keys.clone().unwrap()));
    let mut house = House::new();
    let end = Pair::new(&mut house, client).run();
    assert_eq!(end.client.unwrap().keys, first.keys);
}

#[track_caller]
fn refused(account: &str, password: &str, mechanism: Mechanism) -> (String, Vec<String>) {
    let mut transcript = String::new();
    let mut log = Vec::new();
    for preference in [Preference::Sasl, Preference::Sasl2] {
        let mut house = House::new();
        let mut client = juliet();
        client.account = xmpp::jid::BareJid::new(account).unwrap();
        client.credential = Some(xmpp::sasl::scram_client::Credential::Password(password.into()));
        client.mechanisms = vec![mechanism];
        client.preference = preference;
        let end = Pair::new(&mut house, client).run();
        assert!(end.server.is_none());
        transcript.push_str(&end.transcript);
        assert!(matches!(end.client_error(), Error::Refused(_)));
        log = house.log;
    }
    (transcript, log)
}

#[test]
fn wrong_passwords_and_unknown_users_get_the_same_answer() {
    for mechanism in Mechanism::PASSWORD {
        let (wrong, _) = refused("juliet@example.org", "wrong", mechanism);
        let (unknown, log) = refused("rosaline@example.org", "wrong", mechanism);
        for transcript in [&wrong, &unknown] {
            assert_eq!(transcript.matches("<not-authorized").count(), 2, "{transcript}");
        }
        assert_eq!(log.last().unwrap(), "refused not-authorized");
        // The same elements in the same order; only nonces, salts and names differ.
        let shape = |text: &str| text.lines().map(|line| line.len() / 40).collect::<Vec<_>>();
        assert_eq!(shape(&wrong).len(), shape(&unknown).len());
    }
}

#[test]
fn only_the_owner_learns_that_an_account_is_disabled_or_expired() {
    for mechanism in Mechanism::PASSWORD {
        let (disabled, _) = refused("tybalt@example.org", "rapier", mechanism);
        assert_eq!(disabled.matches("<account-disabled").count(), 2);
        let (expired, _) = refused("paris@example.org", "county", mechanism);
        assert_eq!(expired.matches("<credentials-expired").count(), 2);
        let (wrong, _) = refused("tybalt@example.org", "wrong", mechanism);
        assert_eq!(wrong.matches("<not-authorized").count(), 2);
    }
}

#[test]
fn a_store_that_does_not_answer_is_a_temporary_failure() {
    let mut house = House::new();
    house.broken = Some(xmpp::sasl::Condition::TemporaryAuthFailure.into());
    let end = Pair::new(&mut house, juliet()).run();
    assert!(matches!(end.client_error(), Error::Refused(failure)
        if failure.condition == xmpp::sasl::Condition::TemporaryAuthFailure));
}

#[test]
fn names_with_letters_beyond_ascii_are_prepared() {
    let mut house = House::new();
    house
        .accounts
        .insert("jos\u{e9}@example.org".into(), ("contrase\u{f1}a".into(), AccountState::Active));
    let mut client = juliet();
    client.account = xmpp::jid::BareJid::new("Jose\u{301}@Example.ORG").unwrap();
    client.credential =
        Some(xmpp::sasl::scram_client::Credential::Password("contrasen\u{303}a".into()));
    let end = Pair::new(&mut house, client).run();
    assert!(end.jid().starts_with("jos\u{e9}@example.org/"));
}
