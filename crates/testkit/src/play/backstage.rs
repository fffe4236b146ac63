//! Clients that are not in the cast: they prepare accounts before and during a play.

use super::actor::Actor;
use super::caps::Caps;
use super::report::{Failure, Outcome};
use super::stage::{Stage, unique_tag};
use crate::target::Target;

impl Stage<'_> {
    /// Makes pairs of accounts see each other's presence, with clients that leave before the play.
    pub(super) async fn befriend(&mut self, pairs: &[(String, String)]) -> Outcome {
        let cast = self.actors.len();
        for (one, other) in pairs {
            let (a, b) = (self.extra(one)?, self.extra(other)?);
            for who in [a, b] {
                self.log_in(who).await?;
            }
            for (who, whom, kind) in [
                (a, other, "subscribe"),
                (b, one, "subscribed"),
                (b, one, "subscribe"),
                (a, other, "subscribed"),
            ] {
                let whom = self.variables.get(whom).cloned().unwrap_or_default();
                self.send(who, &format!("<presence to='{whom}' type='{kind}'/>")).await?;
                self.settle(who).await?;
            }
            for who in [a, b] {
                self.disconnect(who).await?;
            }
            self.transcript.clear();
        }
        self.actors.truncate(cast);
        Ok(())
    }

    /// A client of an account in the cast that is not on stage itself.
    fn extra(&mut self, account: &str) -> Result<usize, Failure> {
        let known = self.actors.iter().find(|actor| actor.role.account == account);
        let known =
            known.ok_or_else(|| Failure::new(format!("no role has the account {account}")))?;
        let mut role = known.role.clone();
        role.name = format!("{account} before the play");
        role.resource = Some("before".into());
        let extra = Actor::new(role, known.user.clone(), known.password.clone());
        self.actors.push(extra);
        Ok(self.actors.len() - 1)
    }

    pub(super) async fn want_notifications(&mut self, who: usize, nodes: &[String]) -> Outcome {
        if self.server.target() == Target::Prosody {
            self.teach_caps(nodes).await?;
        }
        self.announce(who, nodes).await
    }

    async fn announce(&mut self, who: usize, nodes: &[String]) -> Outcome {
        let caps = Caps::new(nodes);
        let presence = caps.presence();
        self.actors[who].caps = Some(caps);
        self.become_available(who, &presence).await?;
        // The server may ask what the caps mean; the second round trip comes after the answer.
        for _ in 0..2 {
            self.actors[who].unsettled = true;
            self.settle(who).await?;
        }
        Ok(())
    }

    /// Lets prosody learn what the caps mean from somebody without contacts. When it learns it from
    /// a user who has contacts, it notifies that user twice until the next login.
    async fn teach_caps(&mut self, nodes: &[String]) -> Outcome {
        let (user, password) = (format!("herald-{}", unique_tag()), "the secret of herald");
        self.server.create_account(&user, password)?;
        let mut client = self.actors.iter().filter(|actor| actor.role.is_client());
        let Some(mut role) = client.next().map(|actor| actor.role.clone()) else { return Ok(()) };
        role.name = "Herald".into();
        role.resource = None;
        self.actors.push(Actor::new(role, user, password.into()));
        let herald = self.actors.len() - 1;
        let before = self.transcript.length();
        self.log_in(herald).await?;
        self.announce(herald, nodes).await?;
        self.disconnect(herald).await?;
        self.transcript.condense(before, "Herald", "explains the caps");
        self.actors.truncate(herald);
        Ok(())
    }
}
