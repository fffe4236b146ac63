//! The messages of a conversation on the screen.
//!
//! Only what is visible is laid out, however many messages there are: from the message at the
//! bottom upwards, until the height is filled.

mod entry;

pub(crate) use entry::{BAR, SIDE, summary};

use client::store::{Message, MessageId};
use client::view::Room;
use ratatui::text::Line;
use xmpp::jid::BareJid;

use super::clock::Clock;
use super::mirror::{Mirror, Window};
use super::pictures::Pictures;
use super::theme::Theme;

/// Everything that decides how messages look.
#[derive(Clone, Copy)]
pub struct Sheet<'a> {
    /// Colours.
    pub theme: Theme,
    /// Time zone.
    pub clock: &'a Clock,
    /// Names, and how far files are.
    pub mirror: &'a Mirror,
    /// Pictures that are ready.
    pub pictures: &'a Pictures,
    /// The messages.
    pub window: &'a Window,
    /// Whom with.
    pub with: &'a BareJid,
    /// The room that it is, if it is one.
    pub room: Option<&'a Room>,
    /// The conversation is encrypted: what was not is marked.
    pub encrypted: bool,
    /// The unread line stands above this one.
    pub unread_from: Option<MessageId>,
    /// The chosen messages: from the first to the second, in whichever direction.
    pub selected: Option<(MessageId, MessageId)>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Which message stands at the bottom, and how many of its last rows are below the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The message.
    pub message: MessageId,
    /// Rows of it that are hidden.
    pub hidden: usize,
}

/// A row of a message.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What stands in it.
    pub line: Line<'static>,
    /// The row of the message's picture that it keeps free.
    pub picture: Option<u16>,
}

/// Rows on the screen, each with the message it belongs to.
pub type Visible = Vec<(MessageId, Row)>;

impl Sheet<'_> {
    /// What is on the screen, from top to bottom. `None` is the end of the conversation.
    #[must_use]
    pub fn visible(&self, anchor: Option<Anchor>) -> Visible {
        let Some(Anchor { message, hidden }) = self.anchored(anchor) else { return Vec::new() };
        let mut rows: Visible = Vec::new();
        let mut skip = hidden;
        for message in self.window.up_from(message) {
            let more = self.rows(message).into_iter().rev().skip(skip);
            rows.extend(more.map(|row| (message.id, row)));
            skip = 0;
            if rows.len() >= self.height {
                break;
            }
        }
        rows.truncate(self.height);
        rows.reverse();
        rows
    }

    /// The anchor after scrolling up (positive) or down, and whether the oldest message is in sight.
    #[must_use]
    pub fn scrolled(&self, anchor: Option<Anchor>, by: isize) -> (Option<Anchor>, bool) {
        let Some(from) = self.anchored(anchor) else { return (None, true) };
        let moved = match by {
            up if up >= 0 => self.up(from, up.unsigned_abs()),
            down => self.down(from, down.unsigned_abs()),
        };
        let missing = self.height.saturating_sub(self.rows_above(moved, self.height));
        let moved = self.down(moved, missing);
        (self.settled(moved), self.rows_above(moved, self.height + 1) <= self.height)
    }

    /// An anchor that shows a message, moved as little as possible.
    #[must_use]
    pub fn showing(&self, anchor: Option<Anchor>, id: MessageId) -> Option<Anchor> {
        let all = self.window.message(id).map_or(0, |message| self.rows(message).len());
        let visible = self.visible(anchor).iter().filter(|(of, _)| *of == id).count();
        if all == 0 || visible == all {
            return anchor;
        }
        let place = |of: MessageId| self.window.message(of).map(|m| (m.position, m.id));
        let bottom = self.anchored(anchor).and_then(|anchor| place(anchor.message));
        let at = Anchor { message: id, hidden: 0 };
        match place(id) < bottom {
            // It is above, or its top is: put it at the top.
            true => self.settled(self.down(at, self.height.saturating_sub(all))),
            false => self.settled(at),
        }
    }

    /// The anchor at which a message is the first on the screen, unless what follows is too short.
    #[must_use]
    pub fn from_top(&self, id: MessageId) -> Option<Anchor> {
        let all = self.rows(self.window.message(id)?).len();
        let at = Anchor { message: id, hidden: 0 };
        self.settled(self.down(at, self.height.saturating_sub(all)))
    }

    /// The rows of one message, with the lines that stand above it.
    #[must_use]
    pub fn rows(&self, message: &Message) -> Vec<Row> {
        entry::rows(self, message, self.window.up_from(message.id).nth(1))
    }

    /// Whether a message is among the chosen ones.
    fn is_selected(&self, message: &Message) -> bool {
        let Some((from, to)) = self.selected else { return false };
        let place = |id: MessageId| self.window.message(id).map(|m| (m.position, m.id));
        let (Some(from), Some(to)) = (place(from), place(to)) else { return false };
        (from.min(to)..=from.max(to)).contains(&(message.position, message.id))
    }

    fn anchored(&self, anchor: Option<Anchor>) -> Option<Anchor> {
        anchor
            .filter(|anchor| self.window.message(anchor.message).is_some())
            .or_else(|| Some(Anchor { message: self.window.newest()?.id, hidden: 0 }))
    }

    /// The end of the conversation has no anchor: new messages push it up.
    fn settled(&self, anchor: Anchor) -> Option<Anchor> {
        let end = self.window.newest().is_some_and(|newest| newest.id == anchor.message);
        (!(end && anchor.hidden == 0)).then_some(anchor)
    }

    fn up(&self, from: Anchor, by: usize) -> Anchor {
        let mut hidden = from.hidden + by;
        let mut last = from;
        for message in self.window.up_from(from.message) {
            let height = self.rows(message).len();
            last = Anchor { message: message.id, hidden: hidden.min(height.saturating_sub(1)) };
            if hidden < height {
                return last;
            }
            hidden -= height;
        }
        last
    }

    fn down(&self, from: Anchor, by: usize) -> Anchor {
        if by <= from.hidden {
            return Anchor { hidden: from.hidden - by, ..from };
        }
        let mut rest = by - from.hidden;
        let mut last = Anchor { hidden: 0, ..from };
        for message in self.window.down_from(from.message).skip(1) {
            let height = self.rows(message).len();
            last = Anchor { message: message.id, hidden: height.saturating_sub(rest) };
            if rest <= height {
                return last;
            }
            rest -= height;
        }
        last
    }

    /// Rows from the anchor upwards, counted no further than `enough`.
    fn rows_above(&self, anchor: Anchor, enough: usize) -> usize {
        let mut rows = 0;
        let mut skip = anchor.hidden;
        for message in self.window.up_from(anchor.message) {
            rows += self.rows(message).len().saturating_sub(skip);
            skip = 0;
            if rows >= enough {
                break;
            }
        }
        rows
    }
}

impl From<Line<'static>> for Row {
    fn from(line: Line<'static>) -> Row {
        Row { line, picture: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{sample, theme};
    use client::view::Change;
    use jiff::tz::TimeZone;

    /// A conversation of so many messages of one row, and one of `tall` rows at the end.
    fn mirror(count: i64, tall: usize) -> Mirror {
        let juliet = sample::address("juliet@capulet.example");
        let mut messages: Vec<Message> = (1..=count)
            .map(|n| sample::text(n, n as u64, &juliet, &format!("message {n}")))
            .collect();
        if tall > 0 {
            let text = (0..tall).map(|n| format!("row {n}")).collect::<Vec<_>>().join("\n");
            messages.push(sample::text(count + 1, count as u64 + 1, &juliet, &text));
        }
        let mut mirror = Mirror::default();
        mirror.apply(Change::Window {
            conversation: juliet,
            messages,
            older: false,
            newer: false,
            first_unread: None,
        });
        mirror
    }

    fn on_sheet<T>(mirror: &Mirror, test: impl FnOnce(&Sheet<'_>) -> T) -> T {
        let juliet = sample::address("juliet@capulet.example");
        let theme = Theme { background: theme::Background::Dark, depth: theme::Depth::None };
        test(&Sheet {
            theme,
            clock: &Clock::new(sample::at(sample::NOW), TimeZone::UTC),
            mirror,
            pictures: &Pictures::default(),
            window: &mirror.windows[&juliet],
            with: &juliet,
            room: None,
            encrypted: true,
            unread_from: None,
            selected: None,
            width: 60,
            height: 10,
        })
    }

    fn shown(sheet: &Sheet<'_>, anchor: Option<Anchor>) -> Vec<String> {
        sheet
            .visible(anchor)
            .iter()
            .map(|(_, row)| row.line.to_string().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn scrolling_up_and_down_again_comes_back_to_the_same_rows() {
        on_sheet(&mirror(100, 25), |sheet| {
            let start = shown(sheet, None);
            for by in [1, 7, 10, 24, 25, 60] {
                let (up, _) = sheet.scrolled(None, by);
                assert_ne!(shown(sheet, up), start, "{by}");
                assert_eq!(sheet.scrolled(up, -by).0, None, "{by}");
            }
        });
    }

    #[test]
    fn scrolling_stops_at_the_oldest_message_with_a_full_screen() {
        on_sheet(&mirror(100, 0), |sheet| {
            let (top, reached) = sheet.scrolled(None, 100_000);
            assert!(reached);
            let rows = shown(sheet, top);
            assert_eq!(rows.len(), 10);
            assert!(rows.iter().any(|row| row.contains("message 1")));
            assert_eq!(sheet.scrolled(top, 5).0, top);
        });
    }

    #[test]
    fn a_short_conversation_does_not_scroll() {
        on_sheet(&mirror(2, 0), |sheet| {
            assert_eq!(sheet.scrolled(None, 5), (None, true));
        });
    }

    #[test]
    fn any_message_can_be_brought_into_sight() {
        on_sheet(&mirror(50, 4), |sheet| {
            for id in [1, 25, 51, 2, 50] {
                let anchor = sheet.showing(None, MessageId(id));
                let all = sheet.rows(sheet.window.message(MessageId(id)).unwrap()).len();
                let seen = sheet.visible(anchor).iter().filter(|(of, _)| of.0 == id).count();
                assert_eq!(seen, all, "{id}");
            }
        });
    }

    #[test]
    fn a_message_stays_in_place_while_newer_ones_arrive() {
        let mut mirror = mirror(50, 0);
        let anchor = on_sheet(&mirror, |sheet| sheet.scrolled(None, 8).0);
        let before = on_sheet(&mirror, |sheet| shown(sheet, anchor));
        let juliet = sample::address("juliet@capulet.example");
        let messages = vec![sample::text(60, 60, &juliet, "new")];
        mirror.apply(Change::Messages { conversation: juliet, messages });
        assert_eq!(on_sheet(&mirror, |sheet| shown(sheet, anchor)), before);
    }
}
