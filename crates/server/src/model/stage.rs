//! A server without ports: its store is in memory, nobody else can be reached from it, and nothing is
//! limited by the second.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use store::{accounts::NewAccount, sqlite};
use xmpp::{error::StanzaError, jid::Jid, ns, xml::Element};

use crate::{
    account::Account,
    config::{Config, Home},
    ext::{Asker, IqAnswer, IqContext, Scope},
    iq::{Iq, IqKind},
    net::tls::{Tls, authority},
    secret::ServerSecret,
    server::Server,
};

/// A server, and what runs it.
pub struct Stage {
    /// The server.
    pub server: Arc<Server>,
    runtime: tokio::runtime::Runtime,
    home: PathBuf,
}

impl Stage {
    /// A server of `a.example` with the account `juliet`.
    ///
    /// # Panics
    /// When the machine has no place for it.
    #[must_use]
    pub fn new() -> Self {
        Self::with("[federation]\nenabled = false\n")
    }

    /// The same with more in its configuration.
    ///
    /// # Panics
    /// When the machine has no place for it.
    #[must_use]
    pub fn with(more: &str) -> Self {
        Self::over(more, sqlite::Options::default())
    }

    /// The same over a store of one's own kind.
    ///
    /// # Panics
    /// When the machine has no place for it.
    #[must_use]
    pub fn over(more: &str, options: sqlite::Options) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("anemone-model-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        let home = Home::new(&path);
        let config = Config::parse(&format!("{CONFIG}{more}")).expect("a configuration");
        let now = SystemTime::now();
        authority::ensure(&home, "a.example", &[], now).expect("an authority");
        let tls = Tls::open(&config, &home, now).expect("a certificate");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let store = sqlite::open_in_memory(options).expect("a store");
        let secret = ServerSecret::new([7; 32]);
        let server = {
            let _inside = runtime.enter();
            Server::new(config, home, store, secret, tls)
        };
        let stage = Self { server, runtime, home: path };
        let account = NewAccount {
            name: "juliet".into(),
            credentials: Vec::new(),
            admin: false,
            ignore_reservation: false,
            created_at: store::Millis(0),
            invited_by: None,
            invite: None,
        };
        let made = stage.run(stage.server.store.accounts.create(account));
        made.expect("an account");
        stage
    }

    /// Waits for something.
    pub fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// The account.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn juliet(&self) -> Arc<Account> {
        let jid = Jid::new("juliet@a.example").expect("an address");
        self.run(self.server.account(&jid)).expect("a store").expect("an account")
    }

    /// Asks what somebody asks, and does what comes after the answer.
    ///
    /// # Errors
    /// What the server answers.
    pub fn ask(
        &self,
        from: &Jid,
        scopes: &[Scope],
        account: Option<&Arc<Account>>,
        kind: IqKind,
        payload: &Element,
    ) -> IqAnswer {
        let config = self.server.config();
        let handler = self.server.registry.route(&config, scopes, kind, payload);
        let nobody = || StanzaError::new(xmpp::error::Condition::ServiceUnavailable);
        let handler = handler.ok_or_else(nobody)?;
        let to = account.map(|account| account.jid().clone().into());
        let iq = Iq { kind, id: "i".into(), to, payload: payload.clone() };
        let answer = self.run(async {
            let context = IqContext::new(&self.server, Asker::Remote(from), account);
            let answer = handler(&context, &iq).await;
            if let (_, Some(work)) = context.into_rest() {
                work.await;
            }
            answer
        });
        if let Ok(Some(element)) = &answer {
            // Whoever asked can read it.
            let again = Element::parse(&element.to_bytes(ns::CLIENT), &xmpp::xml::Limits::TRUSTED);
            assert_eq!(again.as_ref(), Ok(element));
        }
        answer
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What is left behind is in the directory for such things.
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

const CONFIG: &str = "domain = \"a.example\"\n[limits]\nthrottle = false\n";
