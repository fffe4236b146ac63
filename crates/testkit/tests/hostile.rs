//! Another server that says what it may not: what this one believes, and whom it disturbs.

use std::io;

use testkit::client::{Account, Client, Peer, Via};
use testkit::target::federation::{Cable, Domain, Wiring, start};
use testkit::tree::Tree;

const NAMES: [&str; 3] = ["capulet.example", "montague.example", "rogue.example"];
const PASSWORD: &str = "wherefore";

/// Juliet's server and Romeo's, and one that tests speak for.
struct Stage {
    capulet: Domain,
    _montague: Domain,
    rogue: Domain,
    to_capulet: Cable,
    _others: Vec<Cable>,
}

impl Stage {
    async fn set(wiring: Wiring) -> io::Result<Self> {
        let (domains, mut cables) = start(&NAMES, wiring, "").await?;
        let [capulet, montague, rogue] = <[Domain; 3]>::try_from(domains).ok().expect("three");
        capulet.create_account("juliet", PASSWORD)?;
        rogue.stop()?;
        let to_capulet = cables.remove(0);
        Ok(Stage { capulet, _montague: montague, rogue, to_capulet, _others: cables })
    }

    /// A stream that says it comes from a domain, with the certificate of the rogue.
    async fn connect_as(&self, from: &str) -> io::Result<(Peer, Tree)> {
        let trust = self.capulet.endpoint().trust.clone().showing(self.rogue.identity()?);
        Peer::connect(self.to_capulet.address(), &trust, from, "capulet.example").await
    }

    /// A stream that is let in as what it is.
    async fn rogue(&self) -> io::Result<Peer> {
        let (mut peer, _) = self.connect_as("rogue.example").await?;
        peer.authenticate().await?;
        Ok(peer)
    }

    async fn juliet(&self) -> io::Result<Client> {
        let account = Account {
            user: "juliet".into(),
            password: PASSWORD.into(),
            resource: Some("balcony".into()),
            mechanism: None,
        };
        let endpoint = self.capulet.endpoint();
        let mut juliet = Client::log_in(endpoint, Via::StartTls, &account).await?;
        juliet.send("<presence xmlns='jabber:client'/>").await?;
        juliet.receive_until(|stanza| stanza.name == "presence").await?;
        Ok(juliet)
    }
}

fn run<F: Future<Output = io::Result<()>>>(wiring: Wiring, play: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let stage = Stage::set(wiring).await.expect("the servers start");
        play(stage).await.expect("it goes as it must");
    });
}

fn says(from: &str, id: &str) -> String {
    format!(
        "<message from='{from}' to='juliet@capulet.example' type='chat' id='{id}'>\
         <body>I am {from}</body></message>"
    )
}

/// The conditions of a stream error, if it is one.
fn condition(elements: &[Tree]) -> Vec<String> {
    let error = elements.iter().find(|element| element.name == "error");
    error.map_or(Vec::new(), |error| error.children().map(|one| one.name.clone()).collect())
}

#[test]
fn a_server_speaks_for_its_own_domain_alone() {
    run(Wiring::default(), |stage| async move {
        let mut juliet = stage.juliet().await?;
        for forged in [
            "romeo@montague.example/orchard",
            "nurse@capulet.example",
            "capulet.example",
            "juliet@capulet.example/balcony",
            "romeo@sub.rogue.example",
        ] {
            let mut rogue = stage.rogue().await?;
            rogue.send(&says(forged, "forged")).await?;
            let last = rogue.until_closed().await?;
            assert_eq!(condition(&last), ["invalid-from"], "{forged}");
        }
        for bad in [
            "<message to='juliet@capulet.example'><body>Nobody</body></message>",
            "<message from='x@rogue.example'><body>To nobody</body></message>",
        ] {
            let mut rogue = stage.rogue().await?;
            rogue.send(bad).await?;
            let last = rogue.until_closed().await?;
            assert_eq!(condition(&last), ["improper-addressing"], "{bad}");
        }
        // Whoever says what is true is heard, and Juliet has seen nothing else.
        let mut rogue = stage.rogue().await?;
        rogue.send(&says("rosaline@rogue.example/x", "true")).await?;
        let first = juliet.receive_until(|stanza| stanza.name == "message").await?;
        assert_eq!(first.attr("id"), Some("true"), "{}", first.pretty());
        Ok(())
    });
}

#[test]
fn a_certificate_stands_for_its_own_domain_alone() {
    run(Wiring::default(), |stage| async move {
        let (mut peer, features) = stage.connect_as("montague.example").await?;
        assert!(!features.pretty().contains("EXTERNAL"), "{}", features.pretty());
        assert!(peer.authenticate().await.is_err(), "it is not believed");
        // Before anybody is known nothing is taken.
        let (mut peer, _) = stage.connect_as("rogue.example").await?;
        peer.send(&says("rosaline@rogue.example/x", "early")).await?;
        assert_eq!(condition(&peer.until_closed().await?), ["not-authorized"]);
        Ok(())
    });
}

#[test]
fn a_forged_dialback_is_found_out() {
    run(Wiring { dialback: true, ..Wiring::default() }, |stage| async move {
        let mut juliet = stage.juliet().await?;
        // The key is asked of the domain that it is said to come from, which never gave it.
        let (mut peer, _) = stage.connect_as("montague.example").await?;
        peer.send(
            "<db:result from='montague.example' to='capulet.example'>\
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef</db:result>",
        )
        .await?;
        let verdict = peer.receive().await?;
        assert_ne!(verdict.attr("type"), Some("valid"), "{}", verdict.pretty());
        let sent = peer.send(&says("romeo@montague.example/orchard", "forged")).await;
        if sent.is_ok() {
            peer.until_closed().await?;
        }
        let mut rogue = stage.rogue().await?;
        rogue.send(&says("rosaline@rogue.example/x", "true")).await?;
        let first = juliet.receive_until(|stanza| stanza.name == "message").await?;
        assert_eq!(first.attr("id"), Some("true"), "{}", first.pretty());
        Ok(())
    });
}

#[test]
fn nobody_vouches_for_keys_that_were_never_given() {
    run(Wiring { dialback: true, ..Wiring::default() }, |stage| async move {
        let (mut peer, _) = stage.connect_as("rogue.example").await?;
        peer.send(
            "<db:verify from='rogue.example' to='capulet.example' id='made-up'>\
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef</db:verify>",
        )
        .await?;
        let verdict = peer.receive().await?;
        assert_ne!(verdict.attr("type"), Some("valid"), "{}", verdict.pretty());
        Ok(())
    });
}
