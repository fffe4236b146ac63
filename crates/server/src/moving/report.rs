//! What was taken, what was not, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The report of an import. Numbers count what is there afterwards thanks to this run; what was there
/// already counts as `known`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Nothing was written: the numbers say what would be.
    pub dry_run: bool,
    /// Accounts that were made.
    pub accounts: u64,
    /// Accounts that existed already and were added to. Their passwords stay as they are.
    pub accounts_known: u64,
    /// Contacts.
    pub contacts: u64,
    /// Subscription requests that wait.
    pub requests: u64,
    /// Nodes of accounts and of the service for publishing.
    pub nodes: u64,
    /// Items of nodes.
    pub items: u64,
    /// vCards and private documents.
    pub documents: u64,
    /// Blocked addresses.
    pub blocked: u64,
    /// Messages of accounts.
    pub messages: u64,
    /// Messages that wait for their recipients.
    pub waiting: u64,
    /// Rooms.
    pub rooms: u64,
    /// Messages of rooms.
    pub room_messages: u64,
    /// Messages that were there already.
    pub messages_known: u64,
    /// Messages that are older than the archive keeps them.
    pub messages_old: u64,
    /// Accounts whose clients can only log in with SCRAM-SHA-1.
    pub sha1_only: u64,
    /// What was not taken, by reason.
    pub skipped: BTreeMap<String, Skips>,
}

/// What was not taken for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skips {
    /// How many times.
    pub count: u64,
    /// The first few.
    pub examples: Vec<String>,
}

impl Report {
    /// Nothing was taken, and nothing left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Report { dry_run: self.dry_run, ..Report::default() }
    }

    /// Notes something that was not taken.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        // Reasons are sentences of this program; should one hold a text from outside, there are
        // not many of them.
        let known = self.skipped.contains_key(why) || self.skipped.len() < MOST_REASONS;
        let why = if known { why } else { "other reasons" };
        let skips = self.skipped.entry(why.to_owned()).or_default();
        skips.count += 1;
        if skips.examples.len() < EXAMPLES && !skips.examples.iter().any(|one| one == what) {
            skips.examples.push(what.to_owned());
        }
    }

    /// The report in sentences.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let head =
            if self.dry_run { "A trial run, nothing was written. To be taken:" } else { "Taken:" };
        lines.push(head.to_owned());
        let counts = [
            (self.accounts, "accounts"),
            (
                self.accounts_known,
                "accounts that existed already; their passwords stay as they are",
            ),
            (self.contacts, "contacts"),
            (self.requests, "subscription requests"),
            (self.nodes, "nodes"),
            (self.items, "items of nodes (avatars, keys, bookmarks)"),
            (self.documents, "vCards and private documents"),
            (self.blocked, "blocked addresses"),
            (self.messages, "messages"),
            (self.waiting, "messages that wait for their recipients"),
            (self.rooms, "rooms"),
            (self.room_messages, "messages of rooms"),
            (self.messages_known, "messages that were there already"),
        ];
        let counted = counts.iter().filter(|(count, _)| *count > 0);
        lines.extend(counted.map(|(count, what)| format!("{count:>9}  {what}")));
        if self.sha1_only > 0 {
            lines.push(format!(
                "{} of the accounts have keys for SCRAM-SHA-1 alone. Until all of them have a new \
                 password, the server offers nothing else: a client that tried more would fail.",
                self.sha1_only
            ));
        }
        if self.messages_old > 0 {
            lines.push(format!(
                "{} messages are older than they are kept: `retention_days` in [archive], or what was said \
                 of one account or room. The server removes them within an hour of its start: say something \
                 else first if they are to stay.",
                self.messages_old
            ));
        }
        if self.skipped.is_empty() {
            lines.push("Nothing was left out.".to_owned());
            return lines;
        }
        lines.push("Left out:".to_owned());
        for (why, skips) in &self.skipped {
            let more = if skips.count > skips.examples.len() as u64 { ", …" } else { "" };
            lines.push(format!("{:>9}  {why}: {}{more}", skips.count, skips.examples.join(", ")));
        }
        lines
    }
}

const MOST_REASONS: usize = 100;
const EXAMPLES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_stays_short_whatever_is_left_out() {
        let mut report = Report { accounts: 2, ..Report::default() };
        for number in 0..1000 {
            report.skip(&format!("a{number}@b"), "it is damaged");
            report.skip("x", &format!("reason {number}"));
        }
        assert!(report.skipped.len() <= MOST_REASONS + 1);
        let damaged = &report.skipped["it is damaged"];
        assert_eq!((damaged.count, damaged.examples.len()), (1000, EXAMPLES));
        let lines = report.lines();
        assert!(lines.contains(&"        2  accounts".to_owned()), "{lines:?}");
    }
}
