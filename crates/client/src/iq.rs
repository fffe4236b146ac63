//! RFC 6120 §8.2.3: questions and their answers.

use std::collections::BTreeMap;

use xmpp::error::StanzaError;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// A result: the payload, if there is one.
    Result(Option<Element>),
    /// The one who was asked refuses.
    Error(StanzaError),
    /// No answer in time, or there is no session any more. The question may have been heard.
    Lost,
}

impl Answer {
    /// The payload of a result that has this name.
    pub(crate) fn payload(&self, name: &str, ns: &str) -> Option<&Element> {
        match self {
            Self::Result(payload) => payload.as_ref().filter(|payload| payload.is(name, ns)),
            Self::Error(_) | Self::Lost => None,
        }
    }

    /// The same as a reason for a user.
    pub(crate) fn problem(&self) -> Option<crate::view::Problem> {
        match self {
            Self::Result(_) => None,
            Self::Error(error) => Some(crate::view::Problem::Refused(describe(error))),
            Self::Lost => Some(crate::view::Problem::Timeout),
        }
    }
}

/// An error in words.
pub(crate) fn describe(error: &StanzaError) -> String {
    match &error.text {
        Some(text) => text.chars().take(MAX_ERROR_CHARS).collect(),
        None => error.condition.name().replace('-', " "),
    }
}

/// Called with the answer, exactly once.
pub(crate) type Then = Box<dyn FnOnce(&mut Cx<'_>, Answer) -> Step + Send>;

struct Pending {
    /// Whom was asked; `None` is the own account.
    to: Option<Jid>,
    until: u64,
    then: Then,
}

/// Questions that wait for an answer, by their id.
#[derive(Default)]
pub(crate) struct Table {
    pending: BTreeMap<String, Pending>,
}

impl Table {
    /// Waits for an answer until `until`.
    ///
    /// # Errors
    /// There is no room; the continuation comes back.
    pub(crate) fn insert(
        &mut self,
        id: String,
        to: Option<Jid>,
        until: u64,
        then: Then,
    ) -> Result<(), Then> {
        if self.pending.len() >= MOST {
            return Err(then);
        }
        self.pending.insert(id, Pending { to, until, then });
        Ok(())
    }

    /// Whose question this stanza answers, if it comes from whom was asked (RFC 6120 §8.1.2.1).
    pub(crate) fn answered(&mut self, iq: &Element, me: &BareJid) -> Option<(Then, Answer)> {
        let id = iq.attr("id")?;
        let from = match iq.attr("from") {
            Some(from) => Some(Jid::new(from).ok()?),
            None => None,
        };
        let expected = self.pending.get(id)?;
        let fits = match (&expected.to, from) {
            (None, None) => true,
            (None, Some(from)) => from == *me,
            // A server may leave out the address of the account itself.
            (Some(to), None) => *to == *me,
            (Some(to), Some(from)) => *to == from,
        };
        if !fits {
            return None;
        }
        let pending = self.pending.remove(id)?;
        Some((pending.then, parse(iq)))
    }

    /// One that waited too long.
    pub(crate) fn expired(&mut self, now: u64) -> Option<Then> {
        let id = self.pending.iter().find(|(_, pending)| pending.until <= now)?.0.clone();
        self.pending.remove(&id).map(|pending| pending.then)
    }

    /// Any one, when no answer can come any more.
    pub(crate) fn pop(&mut self) -> Option<Then> {
        self.pending.pop_first().map(|(_, pending)| pending.then)
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.pending.values().map(|pending| pending.until).min()
    }
}

fn parse(iq: &Element) -> Answer {
    if iq.attr("type") == Some("result") {
        return Answer::Result(iq.first_child().cloned());
    }
    let error = iq.child("error", ns::CLIENT).map(StanzaError::parse);
    Answer::Error(error.unwrap_or(StanzaError::new(xmpp::error::Condition::UndefinedCondition)))
}

/// Questions that may be open at once.
const MOST: usize = 512;
/// How much of somebody's explanation is shown.
const MAX_ERROR_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> BareJid {
        BareJid::new("romeo@example.net").unwrap()
    }

    fn answer(from: Option<&str>) -> Element {
        Element::new("iq", ns::CLIENT)
            .with_attr("type", "result")
            .with_attr("id", "1")
            .with_attr_opt("from", from)
    }

    fn asked(to: Option<&str>) -> Table {
        let mut table = Table::default();
        let to = to.map(|to| Jid::new(to).unwrap());
        assert!(table.insert("1".into(), to, 10, Box::new(|_, _| Ok(()))).is_ok());
        table
    }

    #[test]
    fn only_who_was_asked_can_answer() {
        for (to, from, good) in [
            (None, None, true),
            (None, Some("romeo@example.net"), true),
            (None, Some("romeo@example.net/orchard"), false),
            (None, Some("mercutio@example.net"), false),
            (Some("juliet@example.com"), Some("juliet@example.com"), true),
            (Some("juliet@example.com"), Some("juliet@example.com/balcony"), false),
            (Some("juliet@example.com"), None, false),
            (Some("romeo@example.net"), None, true),
        ] {
            let answered = asked(to).answered(&answer(from), &me());
            assert_eq!(answered.is_some(), good, "{to:?} {from:?}");
        }
    }

    #[test]
    fn an_answer_counts_once() {
        let mut table = asked(None);
        assert!(table.answered(&answer(None), &me()).is_some());
        assert!(table.answered(&answer(None), &me()).is_none());
    }

    #[test]
    fn what_waited_too_long_is_given_back() {
        let mut table = asked(None);
        assert_eq!(table.deadline(), Some(10));
        assert!(table.expired(9).is_none());
        assert!(table.expired(10).is_some());
        assert_eq!(table.deadline(), None);
    }
}
