//! What clients experience: comparing what came with what the play tells.

use super::actor::Class;
use super::matching;
use super::pattern::Pattern;
use super::report::{Failure, Outcome};
use super::script::Deed;
use super::stage::Stage;
use super::template::Variables;
use crate::tree::Tree;

impl Stage<'_> {
    /// Deeds that only look at what the server does.
    pub(super) async fn watch(&mut self, who: usize, deed: &Deed) -> Outcome {
        match deed {
            Deed::Receive(patterns) => {
                for pattern in patterns {
                    self.receive(who, pattern).await?;
                }
                Ok(())
            }
            Deed::ReceiveAnyOrder(patterns) => self.receive_any_order(who, patterns).await,
            Deed::ReceiveNone(patterns) => self.receive_none(who, patterns).await,
            Deed::ReceiveNothing => self.receive_nothing(who, Class::Stanza).await,
            Deed::ReceiveNoPresence => self.receive_nothing(who, Class::Presence).await,
            Deed::ReceiveDeclaration => {
                self.wait(who, "an XML declaration", |actor| actor.declared.then_some(())).await
            }
            Deed::IgnoreReceived => {
                self.settle_all().await?;
                for class in [Class::Stanza, Class::Presence, Class::Ack] {
                    self.actors[who].queue(class).clear();
                }
                Ok(())
            }
            Deed::StreamClosed => {
                self.wait(who, "the end of the stream", |actor| actor.closed.then_some(())).await?;
                self.nothing_left(who, Class::Stanza)?;
                let closing = self.closing_tag(who);
                // The server need not wait for the answer (RFC 6120 §4.4), so it may be gone.
                let _ = self.actors[who].write(closing.as_bytes()).await;
                self.wait_for_end(who).await
            }
            Deed::Disconnected => self.wait_for_end(who).await,
            other => unreachable!("{other:?} is not watching"),
        }
    }

    async fn wait_for_end(&mut self, who: usize) -> Outcome {
        self.wait(who, "the end of the connection", |actor| actor.ended.clone().map(drop)).await?;
        self.actors[who].leave();
        Ok(())
    }

    async fn receive(&mut self, who: usize, pattern: &Pattern) -> Outcome {
        let class = Class::of(&pattern.name, &pattern.ns);
        let wanted = describe(pattern);
        loop {
            let tree = self.wait(who, &wanted, |actor| actor.queue(class).pop_front()).await?;
            // A header may be passed over by a play that only asks for the features.
            if class == Class::Stream && pattern.name == "features" && tree.name != "features" {
                continue;
            }
            return matching::compare(pattern, &tree, &mut self.variables).map_err(|why| {
                Failure::new(format!("{why}\nreceived:\n{}", indent(&tree.pretty())))
            });
        }
    }

    async fn receive_any_order(&mut self, who: usize, patterns: &[Pattern]) -> Outcome {
        let mut trees = Vec::new();
        for pattern in patterns {
            let class = Class::of(&pattern.name, &pattern.ns);
            let wanted = format!("{} of {} elements", trees.len() + 1, patterns.len());
            trees.push(self.wait(who, &wanted, |actor| actor.queue(class).pop_front()).await?);
        }
        matching::compare_any_order(patterns, &trees, &mut self.variables).map_err(|why| {
            let received: String = trees.iter().map(Tree::pretty).collect();
            Failure::new(format!("{why}\nreceived:\n{}", indent(&received)))
        })
    }

    async fn receive_nothing(&mut self, who: usize, class: Class) -> Outcome {
        self.settle_for(who).await?;
        self.nothing_left(who, class)
    }

    async fn receive_none(&mut self, who: usize, patterns: &[Pattern]) -> Outcome {
        self.settle_for(who).await?;
        for pattern in patterns {
            let class = Class::of(&pattern.name, &pattern.ns);
            let mut variables = self.variables.clone();
            let queue = self.actors[who].queue(class).iter();
            let mut found = queue
                .filter(|tree| matching::compare(pattern, tree, &mut variables).is_ok())
                .map(Tree::pretty);
            if let Some(found) = found.next() {
                return Err(Failure::new(format!("it did come:\n{}", indent(&found))));
            }
        }
        Ok(())
    }

    /// Makes sure that whatever could have come to a client has come.
    async fn settle_for(&mut self, who: usize) -> Outcome {
        if self.actors[who].role.server.is_some() {
            let why = "what does not come to another server is shown by what comes after it";
            return Err(Failure::new(why));
        }
        if !self.actors[who].is_online() {
            return Err(Failure::new("has no session through which the server could be asked"));
        }
        self.settle_others(who).await?;
        self.actors[who].unsettled = true;
        self.settle(who).await
    }

    fn nothing_left(&mut self, who: usize, class: Class) -> Outcome {
        let left: String = self.actors[who].queue(class).iter().map(Tree::pretty).collect();
        if left.is_empty() {
            return Ok(());
        }
        let name = self.name(who);
        Err(Failure::new(format!(
            "{name} received what the play does not tell:\n{}",
            indent(&left)
        )))
    }

    /// After the last step: nothing may have come that the play does not tell.
    pub(super) async fn end(&mut self) -> Outcome {
        self.settle_all().await?;
        for who in 0..self.actors.len() {
            if self.actors[who].connection.is_some() {
                self.nothing_left(who, Class::Stanza)?;
            }
        }
        Ok(())
    }
}

fn describe(pattern: &Pattern) -> String {
    let mut text = format!("<{}", pattern.name);
    for (name, value) in &pattern.attributes {
        text.push_str(&format!(" {name}=\"{}\"", value.shown(&Variables::new())));
    }
    text.push('>');
    text
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
