//! XEP-0313: Message Archive Management, as a device uses it that was away

use std::time::Instant;

use anyhow::{Result, bail};
use memchr::memmem;

use super::Device;
use crate::connection::{Outgoing, excerpt, is_answer};
use crate::scan;

/// Going through the archive, page by page.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub(super) query: u32,
    /// The last id of the pages.
    pub(super) last: Option<String>,
    /// The last id that came live in the meantime.
    pub(super) live: Option<String>,
    /// When the last page was asked for.
    pub(super) asked: Instant,
}

impl Device {
    /// Asks for the archive after what is known.
    pub(super) async fn catch_up(&mut self, writer: &mut Outgoing) -> Result<()> {
        let query = self.catching_up.take().map_or(0, |earlier| earlier.query + 1);
        self.catching_up =
            Some(CatchUp { query, last: self.known.clone(), live: None, asked: Instant::now() });
        let after = self.known.as_deref().unwrap_or("the beginning");
        let what = format!("asks for what came after {after}");
        self.notes()?.log.read(self.connection, what);
        self.page(writer).await
    }

    async fn page(&mut self, writer: &mut Outgoing) -> Result<()> {
        let Some(CatchUp { query, last, asked, .. }) = &mut self.catching_up else { return Ok(()) };
        *asked = Instant::now();
        let after = last.as_ref().map(|id| format!("<after>{id}</after>")).unwrap_or_default();
        let to = match &self.visit {
            Some(_) => format!(" to='{}'", self.owner),
            None => String::new(),
        };
        let text = format!(
            "<iq type='set' id='catch-up-{query}'{to}><query xmlns='urn:xmpp:mam:2' queryid='catch-up-{query}'>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>50</max>{after}</set></query></iq>"
        );
        self.say(text, None, writer).await
    }

    /// An IQ has come; when it is the answer to the query, goes on.
    pub(super) async fn answer_arrived(
        &mut self,
        stanza: &[u8],
        writer: &mut Outgoing,
    ) -> Result<()> {
        let Some(catch_up) = &mut self.catching_up else { return Ok(()) };
        if !is_answer(stanza, &format!("catch-up-{}", catch_up.query)) {
            return Ok(());
        }
        let Some(fin) = scan::between(stanza, b"<fin", b">") else {
            // The server of a room cannot be reached, or it does not know the device yet: later.
            let unknown = memmem::find(stanza, b"<item-not-found").is_some();
            if self.visit.is_some() && !unknown {
                return Ok(());
            }
            // A message that came live just before a crash may never have been
            // stored; XEP-0313 lets the server not know its id. Begin anew.
            if catch_up.last.take().is_none() || !unknown {
                bail!("no archive: {}", excerpt(stanza));
            }
            let what = "is told that this is unknown; begins anew".to_owned();
            self.notes()?.misplaced += 1;
            self.notes()?.log.read(self.connection, what);
            return self.page(writer).await;
        };
        if scan::attribute(fin, "complete") != Some(b"true") {
            return self.page(writer).await;
        }
        if let Some(CatchUp { last, live, .. }) = self.catching_up.take() {
            let what = format!("has read to {last:?}; live came {live:?}");
            self.known = live.or(last);
            self.notes()?.log.read(self.connection, what);
        }
        Ok(())
    }
}
