//! Messages on their way, and archives.

use xmpp::error::Condition;
use xmpp::ext::delay::Delay;
use xmpp::ext::form::{Field, FieldType, Form, FormType};
use xmpp::ext::forward::Forwarded;
use xmpp::ext::rsm;
use xmpp::jid::{BareJid, FullJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use super::{Archived, Server, bare};

impl Server {
    pub(super) fn on_message(&mut self, from: &FullJid, mut message: Element) {
        message.set_attr("from", from.to_string());
        let to = message.attr("to").map(|to| Jid::new(to).unwrap());
        if to.is_some_and(|to| Self::is_of_rooms(&to)) {
            return self.room_message(from, &message);
        }
        let origin = message.child("origin-id", ns::STANZA_ID).and_then(|one| one.attr("id"));
        let origin = origin.map(str::to_owned);
        let sender = from.to_bare();
        if let Some(origin) = origin
            && !self.accounts.get_mut(&sender).unwrap().taken.insert(origin)
        {
            return;
        }
        self.route(&sender, Some(from), message);
    }

    /// Sends a message that some account wrote, on a device that is not part of the test if there
    /// is no `session`.
    pub(crate) fn route(&mut self, sender: &BareJid, session: Option<&FullJid>, message: Element) {
        let to = Jid::new(message.attr("to").unwrap()).unwrap().to_bare();
        let hint = |name| message.child(name, ns::HINTS).is_some();
        let kept = message.child("body", ns::CLIENT).is_some() || hint("store");
        let kept = kept && !hint("no-store");
        if kept {
            self.keep(sender, &to, &message);
        }
        let copy =
            Element::new("message", ns::CLIENT).with_attr("from", sender.to_string()).with_child(
                Element::new("sent", ns::CARBONS)
                    .with_child(Forwarded { delay: None, stanza: message.clone() }.to_element()),
            );
        for other in self.sessions_of(sender) {
            if Some(&other) != session && kept {
                self.deliver(&other, &copy);
            }
        }
        if !self.accounts.contains_key(&to) || to == *sender {
            return;
        }
        let mut delivered = message;
        let id = kept.then(|| self.keep(&to, sender, &delivered));
        if let Some(id) = id.filter(|_| self.stanza_ids) {
            delivered.retain_children(|child| !child.is("stanza-id", ns::STANZA_ID));
            delivered.push(
                Element::new("stanza-id", ns::STANZA_ID)
                    .with_attr("by", to.to_string())
                    .with_attr("id", id),
            );
        }
        for session in self.sessions_of(&to) {
            self.deliver(&session, &delivered);
        }
    }

    fn keep(&mut self, owner: &BareJid, with: &BareJid, message: &Element) -> String {
        self.count += 1;
        self.now = self.now.plus(1000);
        // Ids are no numbers and not ascending: nobody may count with them.
        let id = format!("{:x}-{}", self.count.wrapping_mul(2_654_435_761) % 0xffff, self.count);
        let kept = Archived {
            id: id.clone(),
            time: self.now,
            with: with.clone(),
            message: message.clone(),
        };
        self.accounts.get_mut(owner).unwrap().archive.push(kept);
        id
    }

    pub(super) fn archive(
        &mut self,
        from: &FullJid,
        query: &Element,
    ) -> Result<Option<Element>, Condition> {
        let account = from.to_bare();
        let form = xmpp::ext::form::Form::child_of(query).unwrap();
        let with = form.value("with").map(bare);
        let start = form.value("start").and_then(Millis::parse_xep0082);
        let rows = self.accounts[&account].archive.iter();
        let rows: Vec<&Archived> = rows
            .filter(|row| with.as_ref().is_none_or(|with| *with == row.with))
            .filter(|row| start.is_none_or(|start| row.time >= start))
            .collect();
        let wanted = rsm::Request::child_of(query).unwrap();
        let max = wanted.max.unwrap_or(self.page).min(self.page);
        let find = |id: &str| rows.iter().position(|row| row.id == id);
        let (page, complete) = match &wanted.position {
            rsm::Position::After(id) => {
                let at = find(id).ok_or(Condition::ItemNotFound)?;
                let rest = &rows[at + 1..];
                (&rest[..rest.len().min(max)], rest.len() <= max)
            }
            rsm::Position::First => (&rows[..rows.len().min(max)], rows.len() <= max),
            rsm::Position::Before(id) => {
                let at = find(id).ok_or(Condition::ItemNotFound)?;
                (&rows[at.saturating_sub(max)..at], at <= max)
            }
            rsm::Position::Last => (&rows[rows.len().saturating_sub(max)..], rows.len() <= max),
            rsm::Position::Index(_) => return Err(Condition::FeatureNotImplemented),
        };
        let results: Vec<Element> = page
            .iter()
            .map(|row| {
                let delay = Some(Delay::new(row.time));
                let forwarded = Forwarded { delay, stanza: row.message.clone() }.to_element();
                Element::new("result", ns::MAM)
                    .with_attr_opt("queryid", query.attr("queryid"))
                    .with_attr("id", &row.id)
                    .with_child(forwarded)
            })
            .collect();
        let set = rsm::Response {
            first: page.first().map(|row| (row.id.clone(), None)),
            last: page.last().map(|row| row.id.clone()),
            count: None,
        };
        let fin = Element::new("fin", ns::MAM)
            .with_attr_opt("complete", complete.then_some("true"))
            .with_child(set.to_element());
        for result in results {
            let message = Element::new("message", ns::CLIENT)
                .with_attr("from", account.to_string())
                .with_child(result);
            self.deliver(from, &message);
        }
        Ok(Some(fin))
    }
}

impl Server {
    /// A command in two steps: a form that wants a yes, and what it was filled in with.
    pub(super) fn delete_history(
        &mut self,
        account: &BareJid,
        command: &Element,
    ) -> Result<Option<Element>, Condition> {
        let answer = |status: &str| {
            Element::new("command", ns::COMMANDS)
                .with_attr("node", "delete-history")
                .with_attr("sessionid", "here")
                .with_attr("status", status)
        };
        let Some(filled) = Form::child_of(command) else {
            let sure = Field::new("sure", FieldType::Boolean).with_bool(false).with_required();
            let form = Form::new(FormType::Form).with_field(sure);
            return Ok(Some(answer("executing").with_child(form.to_element())));
        };
        if filled.boolean("sure") != Some(true) || command.attr("sessionid") != Some("here") {
            return Err(Condition::NotAcceptable);
        }
        self.accounts.get_mut(account).unwrap().archive.clear();
        Ok(Some(answer("completed")))
    }
}
