//! No message of a mechanism breaks the other side, and none proves what its sender does not know.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::sasl::downgrade::Advertised;
use xmpp::sasl::plain::Plain;
use xmpp::sasl::scram_client::{Binding, Client, Credential};
use xmpp::sasl::scram_server::{ClientFirst, Terms};
use xmpp::sasl::{ChannelBinding, Hash, ScramKeys, Secret, TlsInfo, ht, prepare_password};

fuzz_target!(|data: &[u8]| {
    let [kind, options, input @ ..] = data else { return };
    let hash = Hash::ALL[usize::from(*options) % 3];
    let mut messages = input.splitn(2, |byte| *byte == 0);
    let (first, second) =
        (messages.next().unwrap_or_default(), messages.next().unwrap_or_default());
    match kind % 5 {
        0 => scram_server(hash, options & 4 != 0, first, second),
        1 => scram_client(hash, first, second),
        2 => {
            if let Ok(plain) = Plain::parse(input) {
                assert_eq!(plain.message().expose(), input);
            }
        }
        3 => {
            let method = ht::Method::ALL[usize::from(*options) % 6];
            if let Ok(initiator) = ht::Initiator::parse(method, input) {
                let token = Secret::from("a token nobody guesses");
                assert!(initiator.verify(method, &token, b"data").is_none());
            }
        }
        _ => {
            let Ok(text) = std::str::from_utf8(input) else { return };
            if let Ok(prepared) = prepare_password(text) {
                let again = prepare_password(prepared.expose_str().expect("text"));
                assert_eq!(again, Ok(prepared));
            }
        }
    }
});

fn scram_server(hash: Hash, plus: bool, first: &[u8], last: &[u8]) {
    let tls = TlsInfo { exporter: Some([5; 32]), ..TlsInfo::default() };
    let offered: &[_] = if plus { &[ChannelBinding::TlsExporter] } else { &[] };
    let terms = Terms { hash, plus, offered, tls: Some(&tls) };
    let Ok(first) = ClientFirst::parse(first, terms) else { return };
    // Keys of no password: no proof fits.
    let keys = ScramKeys::fake(b"secret", &first.username, hash, 4096);
    let (challenge, challenged) = first.challenge(keys, "nonce", &Advertised::default());
    assert!(challenge.starts_with("r="));
    assert!(challenged.verify(last).is_err());
}

fn scram_client(hash: Hash, challenge: &[u8], last: &[u8]) {
    let client = Client::new(hash, Binding::Unsupported, "user", None, "nonce");
    // Keys for a salt that nobody sends, or PBKDF2 would be all that is measured.
    let keys = xmpp::sasl::scram_client::ClientKeys::derive(hash, "p", b"s", 1);
    let credential = Credential::Keys(keys.expect("a password"));
    if let Ok((_, verifier, _)) = client.respond(challenge, &credential, &Advertised::default()) {
        assert!(verifier.verify(last).is_err());
    }
}
