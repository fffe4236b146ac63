//! A component, and the server it connects to.

use std::io;

use sha1::{Digest as _, Sha1};
use testkit::client::{Account, Client, Connection, Incoming, Via};
use testkit::target::{GATEWAY, GATEWAY_SECRET, Server, Target};
use testkit::tree::Tree;

/// A component.
pub(crate) struct Gateway(pub(crate) Connection);

impl Gateway {
    /// Opens a stream for a domain and proves a secret. Gives the answer as well.
    pub(crate) async fn open(
        server: &Server,
        domain: &str,
        secret: &str,
    ) -> io::Result<(Self, Tree)> {
        let mut connection = Connection::tcp(server.components()).await?;
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
        );
        connection.write(header.as_bytes()).await?;
        let id = loop {
            match connection.next().await? {
                Incoming::Header(header) => break header.attr("id").unwrap_or_default().to_owned(),
                Incoming::Declaration => {}
                other => return Err(io::Error::other(format!("no header but {other:?}"))),
            }
        };
        let digest = Sha1::new().chain_update(id).chain_update(secret).finalize();
        let proof: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // A stream that was refused may be closed already.
        let _ = connection.write(format!("<handshake>{proof}</handshake>").as_bytes()).await;
        let answer = connection.element().await?;
        Ok((Self(connection), answer))
    }

    pub(crate) async fn start(server: &Server) -> io::Result<Self> {
        let (gateway, answer) = Self::open(server, GATEWAY, GATEWAY_SECRET).await?;
        assert_eq!(answer.name, "handshake", "{}", answer.pretty());
        Ok(gateway)
    }

    pub(crate) async fn send(&mut self, xml: &str) -> io::Result<()> {
        self.0.write(xml.as_bytes()).await
    }

    /// The next stanza of a kind; others are passed over.
    pub(crate) async fn receive(&mut self, name: &str) -> io::Result<Tree> {
        loop {
            let element = self.0.element().await?;
            if element.name == name {
                return Ok(element);
            }
        }
    }
}

pub(crate) fn run<F: Future<Output = io::Result<()>>>(play: impl FnOnce(Server) -> F) {
    run_with("a gateway", play);
}

pub(crate) fn run_with<F: Future<Output = io::Result<()>>>(
    setting: &str,
    play: impl FnOnce(Server) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = Server::start(Target::Anemone, &[setting.to_owned()]).expect("it starts");
        server.create_account("romeo", "the secret of romeo").expect("an account");
        play(server).await.expect("it goes well");
    });
}

pub(crate) async fn romeo(server: &Server) -> io::Result<Client> {
    let account = Account {
        user: "romeo".into(),
        password: "the secret of romeo".into(),
        resource: Some("orchard".into()),
        mechanism: None,
    };
    Client::log_in(server.endpoint(), Via::StartTls, &account).await
}

pub(crate) fn condition(element: &Tree) -> Vec<String> {
    element.children().map(|child| child.name.clone()).collect()
}
