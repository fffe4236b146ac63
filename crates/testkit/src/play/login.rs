//! How clients log in, by SASL or SASL2.

use super::actor::Class;
use super::component;
use super::report::{Failure, Outcome};
use super::script::Login;
use super::stage::Stage;
use super::template::Template;
use crate::client::Via;
use crate::client::login::{self, SASL, SASL2};
use crate::client::sasl::{Credentials, Exchange, Offer};
use crate::client::session::nonce;
use crate::tree::Tree;

impl Stage<'_> {
    /// Everything before authentication; returns the features to choose a mechanism from.
    async fn reach_authentication(&mut self, who: usize) -> Result<Tree, Failure> {
        if self.actors[who].stream_open {
            return self.features(who).await;
        }
        if self.actors[who].connection.is_some() {
            return self.open_stream(who).await;
        }
        let features = self.open_stream(who).await?;
        if self.actors[who].role.via != Via::StartTls {
            return Ok(features);
        }
        self.start_tls(who).await?;
        self.open_stream(who).await
    }

    pub(super) async fn log_in(&mut self, who: usize) -> Outcome {
        if self.actors[who].role.login.sasl2 {
            let block = Template::parse("<bind xmlns='urn:xmpp:bind:0'><tag>play</tag></bind>")?;
            return self.authenticate(who, &Login::default(), Some(&block)).await;
        }
        self.authenticate(who, &Login::default(), None).await?;
        if !self.actors[who].role.is_client() {
            return Ok(());
        }
        let resource = self.actors[who].role.resource.clone();
        self.bind(who, resource.as_deref()).await
    }

    /// Logs in or fails; afterwards the features of the authenticated stream are there.
    pub(super) async fn authenticate(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Outcome {
        let answer = self.exchange(who, login, block).await?;
        if !["success", component::HANDSHAKE].contains(&answer.name.as_str()) {
            return Err(Failure::new(format!("the login is refused:\n{}", answer.pretty())));
        }
        if answer.ns == SASL {
            self.open_stream(who).await?;
        }
        // Servers and components bind no resource: their streams are ready.
        self.actors[who].bound |= !self.actors[who].role.is_client();
        Ok(())
    }

    /// Logs in and leaves the server's last word to be received.
    pub(super) async fn try_to_authenticate(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Outcome {
        let answer = self.exchange(who, login, block).await?;
        self.actors[who].queue(Class::Stanza).push_front(answer);
        Ok(())
    }

    async fn exchange(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Result<Tree, Failure> {
        if self.actors[who].role.component.is_some() {
            return self.shake_hands(who, login).await;
        }
        let features = self.reach_authentication(who).await?;
        let login = login.or(&self.actors[who].role.login);
        if self.actors[who].role.server.is_some() {
            return self.show_certificate(who, &login).await;
        }
        let mut exchange = Exchange::new(self.credentials(who, &login, &features)?);
        let initial = exchange.initial()?;
        let mechanism = mechanism(&login, &features)?;
        let inline = match block {
            Some(block) => block.expand(&self.variables, true)?,
            None => String::new(),
        };
        let request = login::request(login.sasl2, &mechanism, &initial, &inline);
        self.actors[who].queue(Class::Stream).clear();
        self.send_bytes(who, request.as_bytes()).await?;
        loop {
            let answer = self
                .wait(who, "an answer to the login", |actor| actor.queue(Class::Stanza).pop_front())
                .await?;
            if answer.name != "challenge" {
                return self.conclude(who, exchange, answer);
            }
            let response = exchange.respond(&login::decode(&answer.text())?)?;
            let text = login::response(login.sasl2, &response);
            self.send_bytes(who, text.as_bytes()).await?;
        }
    }

    /// Checks that a server which says yes has proved that it knows the password.
    fn conclude(
        &mut self,
        who: usize,
        mut exchange: Exchange,
        answer: Tree,
    ) -> Result<Tree, Failure> {
        if answer.is("success", SASL) {
            exchange.finish(&login::success_data(&answer)?)?;
            let actor = &mut self.actors[who];
            actor.stream_open = false;
            if let Some(connection) = &mut actor.connection {
                connection.restart();
            }
        }
        if answer.is("success", SASL2) {
            exchange.finish(&login::success_data(&answer)?)?;
            let jid = answer.child("authorization-identifier", SASL2).map(Tree::text);
            let jid = jid.ok_or_else(|| Failure::new("success names no one"))?;
            self.actors[who].start_inline(&answer);
            if jid.contains('/') {
                self.actors[who].bound = true;
                self.variables.insert(self.name(who).to_owned(), jid);
            }
        }
        Ok(answer)
    }

    fn credentials(
        &mut self,
        who: usize,
        login: &Login,
        features: &Tree,
    ) -> Result<Credentials, Failure> {
        let mechanism = mechanism(login, features)?;
        let text = |template: &Option<Template>, default: &str| match template {
            Some(template) => template.expand(&self.variables, false),
            None => Ok(default.to_owned()),
        };
        let actor = &self.actors[who];
        let kind = match &login.binding {
            Some(kind) => Some(kind.as_str()),
            None if mechanism.ends_with("-EXPR") => Some("tls-exporter"),
            None if mechanism.ends_with("-ENDP") => Some("tls-server-end-point"),
            None if mechanism.ends_with("-PLUS") => Some("tls-exporter"),
            None => None,
        };
        let binding = match (kind, &actor.connection) {
            (Some(kind), Some(connection)) => {
                let data = connection.channel_binding(kind).unwrap_or_default();
                Some((kind.to_owned(), data))
            }
            _ => None,
        };
        Ok(Credentials {
            user: text(&login.user, &actor.user)?,
            authzid: text(&login.authzid, "")?,
            password: text(&login.password, &actor.password)?,
            binding,
            offer: login.checks_offer.then(|| Offer {
                mechanisms: login::offered(features, login.sasl2),
                bindings: login::announced_bindings(features),
            }),
            nonce: nonce(),
            mechanism,
        })
    }
}

/// The mechanism asked for, or a common one the server offers.
fn mechanism(login: &Login, features: &Tree) -> Result<String, Failure> {
    match &login.mechanism {
        Some(mechanism) => Ok(mechanism.clone()),
        None => Ok(login::choose(&login::offered(features, login.sasl2))?),
    }
}
