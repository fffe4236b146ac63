//! XEP-0480: keys for hash functions that an account lacks.

use xmpp::sasl::scram_client::Credential;
use xmpp::sasl::{Hash, Mechanism, TlsInfo};
use xmpp::stream::client::{Error, Preference};

use crate::house::House;
use crate::pair::{Pair, juliet};
use crate::wire::{Wire, base64};

fn weak() -> House {
    let mut house = House::new();
    house.settings.hashes = vec![Hash::Sha1];
    house.settings.upgrades = vec![Hash::Sha256, Hash::Sha512];
    house.lacking = vec![Hash::Sha256, Hash::Sha512];
    house
}

#[test]
fn a_client_with_a_password_gives_the_keys_that_are_lacking() {
    let mut house = weak();
    let end = Pair::new(&mut house, juliet()).run();
    assert_eq!(end.client.as_ref().unwrap().mechanism, Mechanism::ScramPlus(Hash::Sha1));
    assert!(end.jid().starts_with("juliet@example.org/"));
    let hashes: Vec<Hash> = house.upgraded.iter().map(|keys| keys.hash).collect();
    assert_eq!(hashes, [Hash::Sha256, Hash::Sha512]);
    for keys in &house.upgraded {
        assert!(keys.verify_password("r0m30") && !keys.verify_password("r0m31"));
    }
    // The proof of the server comes with the first task, and once.
    assert_eq!(end.transcript.matches("<additional-data").count(), 1, "{}", end.transcript);
    assert_eq!(end.transcript.matches("<continue").count(), 2, "{}", end.transcript);
}

#[test]
fn an_account_that_lacks_nothing_or_another_name_sees_the_same_offer() {
    let mut house = weak();
    house.lacking = vec![Hash::Sha512];
    let end = Pair::new(&mut house, juliet()).run();
    assert!(end.transcript.contains(">UPGR-SCRAM-SHA-256</upgrade>"));
    assert_eq!(house.upgraded.len(), 1, "only what is lacking is demanded");
    house.lacking.clear();
    let end = Pair::new(&mut house, juliet()).run();
    assert!(end.transcript.contains(">UPGR-SCRAM-SHA-256</upgrade>"));
    assert!(!end.transcript.contains("<continue"), "{}", end.transcript);
    let mut settings = juliet();
    settings.credential = Some(Credential::Password("wrong".into()));
    house.lacking = vec![Hash::Sha512];
    let end = Pair::new(&mut house, settings).run();
    assert!(!end.transcript.contains("<continue"), "before the proof nothing is told");
    assert!(matches!(end.client_error(), Error::Refused(_)));
}

#[test]
fn no_client_gives_keys_to_whom_it_does_not_trust() {
    // Classic SASL has no tasks.
    let mut house = weak();
    let mut settings = juliet();
    settings.preference = Preference::Sasl;
    Pair::new(&mut house, settings).run().jid();
    // Without a channel binding that the connection would have, somebody may sit in between.
    house.settings.channel_binding = false;
    let end = Pair::new(&mut house, juliet()).run();
    assert!(!end.transcript.contains("</upgrade></authenticate>"), "{}", end.transcript);
    assert!(house.upgraded.is_empty());
    // Where the connection has none (a browser), there is nothing better.
    let none = TlsInfo { version: Some(0x0304), exporter: None, end_point: None };
    let mut pair = Pair::new(&mut house, juliet());
    (pair.client_tls, pair.server_tls) = (none.clone(), none);
    pair.run().jid();
    assert_eq!(house.upgraded.len(), 2);
    // A task that nobody asked for, and rounds that would burn the processor.
    let mut house = weak();
    let other = |server: bool, text: String| match server {
        true => text.replace("<task>UPGR-SCRAM-SHA-256", "<task>UPGR-SCRAM-SHA-1"),
        false => text,
    };
    let end = Pair::new(&mut house, juliet()).tampered(other).run();
    assert!(matches!(end.client_error(), Error::Task));
    let rounds = |server: bool, text: String| match server {
        true => text.replace("iterations='4096'", "iterations='2000000000'"),
        false => text,
    };
    let end = Pair::new(&mut house, juliet()).tampered(rounds).run();
    assert!(end.client_error().to_string().contains("2000000000"));
}

#[test]
fn a_task_out_of_order_or_with_something_else_ends_the_login() {
    let plain = base64("\0juliet\0r0m30");
    let ask = format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{plain}\
         </initial-response><upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>\
         <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade></authenticate>"
    );
    let next = "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>";
    let data = |hash: &str| {
        format!(
            "<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>{hash}\
             </hash></task-data>"
        )
    };
    let short = data(&base64("too short"));
    for (steps, said) in [
        (vec![data(&base64("x"))], "<policy-violation"),
        (vec![next.replace("256", "512")], "<malformed-request"),
        (vec![next.to_owned(), next.to_owned()], "<policy-violation"),
        (vec![next.to_owned(), short], "<malformed-request"),
        (vec![next.to_owned(), "<abort xmlns='urn:xmpp:sasl:2'/>".to_owned()], "<aborted"),
        (vec!["<message/>".to_owned()], "<policy-violation"),
    ] {
        let mut wire = Wire::open(weak());
        let demanded = wire.send(&ask);
        assert!(demanded.contains("<task>UPGR-SCRAM-SHA-256</task>"), "{demanded}");
        let mut last = String::new();
        for step in steps {
            last = wire.send(&step);
        }
        assert!(last.contains(said), "{last}");
        assert!(wire.house.upgraded.is_empty());
    }
}
