//! One device: a client that does everything right.
//!
//! It writes with XEP-0198 and an origin-id, keeps what is not acknowledged,
//! resumes or (as if the app had been restarted) begins a new session, sends
//! again what it must with the same origin-id, and after a new session asks the
//! archive for what it missed. Losing the connection is all in a day's work.

mod catch_up;
mod room;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use memchr::memmem;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use xmpp::sm::{self, Sm};
use xmpp::stream::client::Managed;
use xmpp::time::Millis;

use self::catch_up::CatchUp;
use self::room::Visit;
use super::evidence::{Arrival, DeviceLog, MessageId, stanza_id};
use super::random::Random;
use crate::connection::{Incoming, Outgoing, excerpt, is_stanza, send};
use crate::login::{Target, Wishes};
use crate::scan;

/// What the devices are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Write.
    Load,
    /// Write nothing new, get everything through.
    Settle,
    /// Go home.
    Stop,
}

/// What the devices are told.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    /// What to do.
    pub phase: Phase,
    /// How often each server has been killed.
    pub kills: [u64; 2],
}

impl Orders {
    /// How often any of them has been killed.
    pub fn all(&self) -> u64 {
        self.kills.iter().sum()
    }
}

/// What a device shows of itself.
#[derive(Debug, Default)]
pub struct Notes {
    /// What it did and saw.
    pub log: DeviceLog,
    /// On which server its account is.
    pub server: usize,
    /// Set while it is connected, has caught up and waits for nothing: how often
    /// the server had been killed when it began to connect.
    pub quiet: Option<u64>,
    /// Sessions that were resumed.
    pub resumed: u64,
    /// Sessions that were bound after an earlier one.
    pub rebound: u64,
    /// Catch-ups that began anew because the archive did not know the last id.
    pub misplaced: u64,
    /// Errors other than a lost connection, in words; the first few.
    pub complaints: Vec<String>,
}

/// A device, between two connections or on one.
pub struct Device {
    number: usize,
    name: String,
    server: usize,
    /// The address whose archive it reads: its own, or that of its room.
    owner: String,
    partner: String,
    visit: Option<Visit>,
    target: Target,
    notes: Arc<Mutex<Notes>>,
    orders: watch::Receiver<Orders>,
    random: Random,
    pace: Duration,
    /// The session that could be resumed.
    session: Option<(String, Sm<Option<usize>>)>,
    /// Whether everything that begins a session has been said in it.
    begun: bool,
    /// Messages that the next session must send first.
    again: VecDeque<usize>,
    /// The archive is known up to here.
    known: Option<String>,
    catching_up: Option<CatchUp>,
    connection: u32,
}

/// What a device is told at the beginning.
#[derive(Debug)]
pub struct Place {
    /// Its number.
    pub number: usize,
    /// The name of its account.
    pub name: String,
    /// On which server that is.
    pub server: usize,
    /// To whom it writes: a bare address.
    pub partner: String,
    /// Whether that is a room.
    pub room: bool,
    /// The archive it reads.
    pub reads: usize,
    /// The archives that keep what it writes.
    pub writes: Vec<usize>,
}

impl Device {
    /// A device that has never been connected.
    pub fn new(
        place: Place,
        pace: Duration,
        target: Target,
        orders: watch::Receiver<Orders>,
        random: Random,
    ) -> (Self, Arc<Mutex<Notes>>) {
        let log = DeviceLog {
            reads: place.reads,
            writes: place.writes,
            room: place.room,
            far: place.room && place.server != ROOMS,
            ..DeviceLog::default()
        };
        let notes = Arc::new(Mutex::new(Notes { log, server: place.server, ..Notes::default() }));
        let device = Self {
            number: place.number,
            server: place.server,
            owner: if place.room { place.partner.clone() } else { target.bare(&place.name) },
            name: place.name,
            visit: place.room.then(|| Visit::new(&place.partner, place.number)),
            partner: place.partner,
            target,
            notes: Arc::clone(&notes),
            orders,
            random,
            pace,
            session: None,
            begun: false,
            again: VecDeque::new(),
            known: None,
            catching_up: None,
            connection: 0,
        };
        (device, notes)
    }

    /// Connects again and again until told to stop.
    pub async fn run(mut self) -> Result<()> {
        while self.orders.borrow().phase != Phase::Stop {
            let ended = self.connected().await;
            self.connection += 1;
            self.disconnected(ended.err())?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// A connection is over. That is how it goes; anything but a lost
    /// connection is worth a note.
    fn disconnected(&self, reason: Option<anyhow::Error>) -> Result<()> {
        let mut notes = self.notes()?;
        notes.quiet = None;
        let strange = reason.filter(|reason| reason.downcast_ref::<std::io::Error>().is_none());
        if let Some(reason) = strange.filter(|_| notes.complaints.len() < 5) {
            notes.complaints.push(format!("device {}: {reason:#}", self.number));
        }
        Ok(())
    }

    /// One connection, from login to its end.
    async fn connected(&mut self) -> Result<()> {
        let kills = self.orders.borrow().kills[self.server];
        let (mut reader, mut writer) = self.log_in().await?;
        let mut schedule = interval(self.pace);
        schedule.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                stanza = reader.next() => {
                    let stanza = match stanza? {
                        crate::connection::Frame::Stanza(stanza) => stanza.to_vec(),
                        _ => return Ok(()),
                    };
                    self.handle(&stanza, &mut writer).await?;
                }
                _ = schedule.tick() => self.tick(&mut writer).await?,
                changed = self.orders.changed() => changed?,
            }
            let phase = self.orders.borrow().phase;
            if phase == Phase::Stop {
                return Ok(());
            }
            let all = self.orders.borrow().all();
            let elsewhere =
                self.visit.as_ref().is_some_and(|visit| visit.sure != Some(all) || visit.behind);
            let waiting = self.catching_up.is_some() || self.unacknowledged()? > 0 || elsewhere;
            self.notes()?.quiet = (phase == Phase::Settle && !waiting).then_some(kills);
        }
    }

    async fn log_in(&mut self) -> Result<(Incoming, Outgoing)> {
        // Three of four times like a phone that lost its network; else like one
        // whose app was closed: then only the messages are remembered.
        let resume = self.random.chance(75) && self.begun;
        let earlier = self
            .session
            .as_ref()
            .filter(|_| resume)
            .map(|(id, sm)| sm::Resume { previd: id.clone(), h: sm.ack_value() });
        let wishes = Wishes { stream_management: true, presence: false };
        let resource = format!("device{}", self.number);
        let session = self.target.return_to(&self.name, &resource, wishes, earlier).await?;
        let (reader, mut writer) = session.connection.split();
        match session.managed {
            Some(Managed::Resumed(handled)) => self.resumed(handled, &mut writer).await?,
            Some(Managed::Enabled(enabled)) => {
                self.bound(enabled.id.context("sessions cannot be resumed")?, &mut writer).await?;
            }
            None => bail!("no stream management"),
        }
        Ok((reader, writer))
    }

    /// XEP-0198 §5: what the server has not handled is sent again.
    async fn resumed(&mut self, handled: u32, writer: &mut Outgoing) -> Result<()> {
        self.notes()?.resumed += 1;
        self.acknowledged(handled)?;
        let (_, sm) = self.session.as_ref().context("resumed without a session")?;
        let lost: Vec<_> = sm.unacked().map(|entry| entry.bytes.clone()).collect();
        for stanza in lost {
            send(writer, &stanza).await?;
        }
        // The answer to a query may have died with the server.
        if self.catching_up.is_some() {
            self.catch_up(writer).await?;
        }
        send(writer, REQUEST).await
    }

    /// A new session: tell the server what is wanted, send again what it has
    /// not acknowledged, and ask what was missed.
    async fn bound(&mut self, id: String, writer: &mut Outgoing) -> Result<()> {
        if let Some((_, sm)) = self.session.replace((id, Sm::new(sm::Limits::SESSION))) {
            self.notes()?.rebound += 1;
            let mut again: VecDeque<usize> =
                sm.into_unacked().filter_map(|entry| entry.meta).collect();
            again.append(&mut self.again);
            self.again = again;
        }
        self.begun = false;
        self.say(CARBONS.to_owned(), None, writer).await?;
        self.say("<presence/>".to_owned(), None, writer).await?;
        self.come_in(writer).await?;
        if let Some(visit) = &mut self.visit {
            // When it is there: what the room returns meanwhile comes before. Then it also catches up.
            visit.returned.extend(self.again.drain(..));
        } else {
            while let Some(number) = self.again.pop_front() {
                self.say(self.message(number), Some(number), writer).await?;
            }
            self.catch_up(writer).await?;
        }
        self.begun = true;
        Ok(())
    }

    /// Writes the next message, or asks about those that are not acknowledged.
    async fn tick(&mut self, writer: &mut Outgoing) -> Result<()> {
        self.keep_place(writer).await?;
        let unacknowledged = self.unacknowledged()?;
        let inside = self.visit.as_ref().is_none_or(|visit| visit.inside);
        if inside
            && self.orders.borrow().phase == Phase::Load
            && unacknowledged < MOST_UNACKNOWLEDGED
        {
            let number = {
                let mut notes = self.notes()?;
                notes.log.acknowledged.push(false);
                notes.log.acknowledged.len() - 1
            };
            // It is remembered first: a write that fails may have been enough.
            self.say(self.message(number), Some(number), writer).await?;
        }
        if self.unacknowledged()? > 0 {
            send(writer, REQUEST).await?;
        }
        Ok(())
    }

    /// Sends a stanza that is kept until it is acknowledged.
    async fn say(
        &mut self,
        text: String,
        message: Option<usize>,
        writer: &mut Outgoing,
    ) -> Result<()> {
        let (_, sm) = self.session.as_mut().context("no session")?;
        sm.sent(Millis(0), text.clone().into(), message)
            .map_err(|_| anyhow!("too much is not acknowledged"))?;
        send(writer, text.as_bytes()).await
    }

    fn message(&self, number: usize) -> String {
        let id = MessageId { device: self.number, number };
        let kind = if self.visit.is_some() { "groupchat" } else { "chat" };
        format!(
            "<message to='{}' type='{kind}' id='{id}'><body>A message that must not be lost.</body>\
             <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>",
            self.partner
        )
    }

    async fn handle(&mut self, stanza: &[u8], writer: &mut Outgoing) -> Result<()> {
        if is_stanza(stanza) {
            let (_, sm) = self.session.as_mut().context("no session")?;
            let seq = sm.received();
            sm.settled(seq);
        }
        if scan::is_element(stanza, "r") {
            let handled = self.session.as_ref().map_or(0, |(_, sm)| sm.ack_value());
            send(writer, format!("<a xmlns='urn:xmpp:sm:3' h='{handled}'/>").as_bytes()).await
        } else if scan::is_element(stanza, "a") {
            let handled = scan::attribute(stanza, "h").context("an answer without h")?;
            self.acknowledged(std::str::from_utf8(handled)?.parse()?)
        } else if scan::is_element(stanza, "message") {
            self.message_arrived(stanza)
        } else if scan::is_element(stanza, "presence") {
            self.presence_arrived(stanza);
            Ok(())
        } else if scan::is_element(stanza, "iq") && self.place_answered(stanza) {
            Ok(())
        } else if scan::is_element(stanza, "iq") {
            self.answer_arrived(stanza, writer).await
        } else if scan::is_element(stanza, "stream:error") {
            bail!("stream error: {}", excerpt(stanza))
        } else {
            Ok(())
        }
    }

    fn acknowledged(&mut self, handled: u32) -> Result<()> {
        let (_, sm) = self.session.as_mut().context("no session")?;
        let messages: Vec<usize> =
            sm.acknowledge(handled)?.filter_map(|entry| entry.meta).collect();
        let mut notes = self.notes()?;
        for number in messages {
            notes.log.acknowledged[number] = true;
        }
        Ok(())
    }

    fn message_arrived(&mut self, stanza: &[u8]) -> Result<()> {
        let Some(message) = MessageId::find(stanza) else { return Ok(()) };
        if scan::attribute(stanza, "type") == Some(b"error") {
            if self.visit.is_some() {
                return self.came_back(message);
            }
            self.notes()?.log.refused.push(message);
            return Ok(());
        }
        let result = scan::between(stanza, b"<result", b">");
        let archive_id = match result {
            Some(result) => {
                scan::attribute(result, "id").map(|id| String::from_utf8_lossy(id).into_owned())
            }
            None => stanza_id(stanza, &self.owner),
        };
        let behind = self.visit.as_ref().is_some_and(|visit| visit.behind);
        match (&mut self.catching_up, result.is_some()) {
            (Some(catch_up), true) => catch_up.last.clone_from(&archive_id),
            (Some(catch_up), false) if archive_id.is_some() => {
                catch_up.live.clone_from(&archive_id)
            }
            (None, false) if archive_id.is_some() && !behind => self.known.clone_from(&archive_id),
            _ => {}
        }
        self.notes()?.log.arrivals.push(Arrival {
            message,
            connection: self.connection,
            live: result.is_none(),
            delayed: result.is_none() && memmem::find(stanza, b"<delay").is_some(),
            archive_id,
        });
        Ok(())
    }

    fn unacknowledged(&self) -> Result<usize> {
        Ok(self.session.as_ref().context("no session")?.1.unacked().len())
    }

    fn notes(&self) -> Result<MutexGuard<'_, Notes>> {
        self.notes.lock().map_err(|_| anyhow!("a device panicked"))
    }
}

/// XEP-0198 §4: asks how much was handled.
const REQUEST: &[u8] = b"<r xmlns='urn:xmpp:sm:3'/>";

/// XEP-0280 §4: what other devices write shall come here too.
const CARBONS: &str = "<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

/// The server of the rooms.
const ROOMS: usize = 0;

/// A device does not write more before it hears from the server.
const MOST_UNACKNOWLEDGED: usize = 20;
