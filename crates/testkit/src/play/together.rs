//! What several clients do at the same moment, and who of them the server lets win.

use super::actor::Class;
use super::matching;
use super::pattern::Pattern;
use super::report::{Failure, Outcome};
use super::script::{Deed, Together};
use super::stage::Stage;
use crate::tree::Tree;

impl Stage<'_> {
    pub(super) async fn together(&mut self, what: &Together) -> Outcome {
        match what {
            Together::Send(all, template) => {
                self.settle_others(usize::MAX).await?;
                let text = template.expand(&self.variables, true)?;
                // One write after the other, and no look at what the server does about the first.
                for who in all {
                    self.send(*who, &text).await?;
                }
                Ok(())
            }
            Together::OneReceives(all, pattern) => self.one_receives(all, pattern).await,
            Together::Visit(visits) => self.visit_at_once(visits).await,
            Together::OnePageHas(status) => self.one_page_has(*status),
            Together::OtherPagesHave(status) => self.other_pages_have(*status),
            Together::OthersReceive(pattern) => {
                for who in std::mem::take(&mut self.others) {
                    self.watch(who, &Deed::Receive(vec![pattern.clone()])).await?;
                }
                Ok(())
            }
        }
    }

    /// When the server has dealt with what all of them sent, exactly one of them must have got it.
    async fn one_receives(&mut self, all: &[usize], pattern: &Pattern) -> Outcome {
        for who in all {
            self.settle(*who).await?;
        }
        let class = Class::of(&pattern.name, &pattern.ns);
        let mut winners = Vec::new();
        for who in all {
            let variables = &self.variables;
            let fits =
                |tree: &Tree| matching::compare(pattern, tree, &mut variables.clone()).is_ok();
            let queue = self.actors[*who].queue(class);
            winners.extend(queue.iter().position(fits).map(|at| (*who, at)));
        }
        let [(winner, at)] = winners[..] else {
            let names: Vec<&str> = winners.iter().map(|(who, _)| self.name(*who)).collect();
            return Err(Failure::new(format!("{} of them received it: {names:?}", names.len())));
        };
        let tree = self.actors[winner].queue(class).remove(at);
        self.others = all.iter().copied().filter(|who| *who != winner).collect();
        match tree {
            Some(tree) => {
                matching::compare(pattern, &tree, &mut self.variables).map_err(Failure::new)
            }
            None => Ok(()),
        }
    }
}
