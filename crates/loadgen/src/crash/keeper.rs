//! The owner of the rooms, who changes them all the time: members, the configuration, the subject. What
//! the server has acknowledged of that must be there after a crash; what it has not may be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use memchr::memmem;
use tokio::sync::watch;

use super::device::{Orders, Phase};
use crate::connection::{Connection, Secured, excerpt, is_answer};
use crate::login::{Target, Wishes};
use crate::scan;

/// What was said of one room.
#[derive(Debug, Default)]
pub struct Claims {
    /// Members whose admission was acknowledged.
    members: BTreeSet<u64>,
    /// The number in the description, and in the subject.
    description: Latest,
    subject: Latest,
    tried: u64,
}

/// Something that has one value at a time: the one acknowledged last, or one that was tried since.
#[derive(Debug, Default, Clone, Copy)]
struct Latest {
    acknowledged: u64,
    tried: u64,
}

impl Latest {
    fn admits(self, found: u64) -> bool {
        (self.acknowledged..=self.tried).contains(&found)
    }
}

/// The owner.
pub struct Keeper {
    name: String,
    target: Target,
    rooms: Vec<String>,
    orders: watch::Receiver<Orders>,
    claims: Arc<Mutex<Vec<Claims>>>,
}

impl Keeper {
    /// Somebody who owns nothing yet.
    pub fn new(
        name: &str,
        target: Target,
        rooms: Vec<String>,
        orders: watch::Receiver<Orders>,
    ) -> (Self, Arc<Mutex<Vec<Claims>>>) {
        let claims: Vec<Claims> = rooms.iter().map(|_| Claims::default()).collect();
        let claims = Arc::new(Mutex::new(claims));
        let keeper =
            Self { name: name.to_owned(), target, rooms, orders, claims: Arc::clone(&claims) };
        (keeper, claims)
    }

    /// Makes a room with its first members; whether others come in is the caller's to say.
    pub async fn found(&self, room: &str, open: bool, members: &[String]) -> Result<()> {
        let mut session = self.target.log_in(&self.name, "founder", Wishes::default()).await?;
        let connection = &mut session.connection;
        connection.send(enter(room)).await?;
        let fields = [
            ("muc#roomconfig_persistentroom", "1"),
            ("muc#roomconfig_membersonly", if open { "0" } else { "1" }),
        ];
        set(connection, room, &configuration(&fields)).await?;
        for member in members {
            set(connection, room, &membership(member)).await?;
        }
        session.connection.close().await
    }

    /// Changes the rooms while there is load, connecting again and again, until told to stop.
    pub async fn run(mut self) -> Result<()> {
        while self.orders.borrow().phase != Phase::Stop {
            // A lost connection is all in a day's work.
            let _ = self.connected().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn connected(&mut self) -> Result<()> {
        let wishes = Wishes { stream_management: true, presence: false };
        let session = self.target.log_in(&self.name, "keeper", wishes).await?;
        let (mut connection, mut sent) = (session.connection, session.sent);
        for room in &self.rooms {
            connection.send(enter(room)).await?;
            sent += 1;
        }
        loop {
            while self.orders.borrow().phase != Phase::Load {
                if self.orders.borrow().phase == Phase::Stop {
                    return Ok(());
                }
                self.orders.changed().await?;
            }
            for at in 0..self.rooms.len() {
                let room = self.rooms[at].clone();
                let number = {
                    let claims = &mut self.claims()?[at];
                    claims.tried += 1;
                    claims.description.tried = claims.tried;
                    claims.subject.tried = claims.tried;
                    claims.tried
                };
                set(&mut connection, &room, &membership(&member(number % MOST_MEMBERS))).await?;
                self.claims()?[at].members.insert(number % MOST_MEMBERS);
                let fields = [("muc#roomconfig_roomdesc", format!("{MARK}{number}."))];
                let fields = fields.each_ref().map(|(var, value)| (*var, value.as_str()));
                set(&mut connection, &room, &configuration(&fields)).await?;
                self.claims()?[at].description.acknowledged = number;
                connection
                    .send(format!(
                        "<message type='groupchat' to='{room}'><subject>{MARK}{number}.</subject>\
                         </message><r xmlns='urn:xmpp:sm:3'/>"
                    ))
                    .await?;
                sent += 3;
                acknowledged(&mut connection, sent).await?;
                self.claims()?[at].subject.acknowledged = number;
            }
        }
    }

    fn claims(&self) -> Result<MutexGuard<'_, Vec<Claims>>> {
        self.claims.lock().map_err(|_| anyhow!("the keeper panicked"))
    }
}

/// Asks the server for everything that was claimed; what is missing is told in words.
pub async fn verify(
    name: &str,
    target: &Target,
    rooms: &[String],
    claims: &Mutex<Vec<Claims>>,
) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    let mut session = target.log_in(name, "verify", Wishes::default()).await?;
    let connection = &mut session.connection;
    for (at, room) in rooms.iter().enumerate() {
        let list = format!(
            "<iq type='get' id='list' to='{room}'><query xmlns='{ADMIN}'>\
             <item affiliation='member'/></query></iq>"
        );
        let list = in_time("the members", room, connection.request("list", list)).await?;
        let form = format!("<iq type='get' id='form' to='{room}'><query xmlns='{OWNER}'/></iq>");
        let form = in_time("the configuration", room, connection.request("form", form)).await?;
        let subject = in_time("the subject", room, read_subject(connection, room)).await?;
        let claims = &claims.lock().map_err(|_| anyhow!("the keeper panicked"))?[at];
        for &number in &claims.members {
            if !list.contains(&member(number)) {
                missing.push(format!("{}, made a member of {room}, is none", member(number)));
            }
        }
        for (what, text, latest) in
            [("description", form, claims.description), ("subject", subject, claims.subject)]
        {
            let found = number_in(&text);
            if !latest.admits(found) {
                missing.push(format!("the {what} of {room} is number {found} of {latest:?}"));
            }
        }
    }
    session.connection.close().await?;
    Ok(missing)
}

/// Comes into a room to read its subject.
async fn read_subject(connection: &mut Connection<Secured>, room: &str) -> Result<String> {
    connection.send(enter(room)).await?;
    loop {
        let stanza = connection.stanza().await?;
        if scan::is_element(stanza, "presence") && scan::attribute(stanza, "type") == Some(b"error")
        {
            bail!("the owner does not come into {room}: {}", excerpt(stanza));
        }
        let from = scan::attribute(stanza, "from").unwrap_or_default();
        if from.starts_with(room.as_bytes()) && memmem::find(stanza, b"<subject").is_some() {
            return Ok(String::from_utf8_lossy(stanza).into_owned());
        }
    }
}

/// An answer that the server owes, and a word about which one when it does not come.
async fn in_time<T>(what: &str, room: &str, answer: impl Future<Output = Result<T>>) -> Result<T> {
    let answer = tokio::time::timeout(ANSWER, answer).await;
    answer.with_context(|| format!("{room} does not tell its owner {what}"))?
}

fn enter(room: &str) -> String {
    format!(
        "<presence to='{room}/owner'><x xmlns='http://jabber.org/protocol/muc'>\
         <history maxstanzas='0'/></x></presence>"
    )
}

fn configuration(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!("<query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>{fields}</x></query>")
}

fn membership(jid: &str) -> String {
    format!("<query xmlns='{ADMIN}'><item jid='{jid}' affiliation='member'/></query>")
}

fn member(number: u64) -> String {
    format!("m{number}.@visitors.example")
}

/// A request that must succeed.
async fn set(connection: &mut Connection<Secured>, room: &str, payload: &str) -> Result<()> {
    connection.send(format!("<iq type='set' id='set' to='{room}'>{payload}</iq>")).await?;
    loop {
        let stanza = read(connection).await?;
        if is_answer(&stanza, "set") {
            if scan::attribute(&stanza, "type") != Some(b"result") {
                bail!("a change of {room} was refused: {}", excerpt(&stanza));
            }
            return Ok(());
        }
    }
}

/// Waits until the server has acknowledged so many stanzas.
async fn acknowledged(connection: &mut Connection<Secured>, sent: u32) -> Result<()> {
    loop {
        let stanza = read(connection).await?;
        if scan::is_element(&stanza, "a") {
            let handled = scan::attribute(&stanza, "h").context("an answer without h")?;
            if std::str::from_utf8(handled)?.parse::<u32>()? >= sent {
                return Ok(());
            }
            // It is on its way to disk: ask again.
            tokio::time::sleep(Duration::from_millis(2)).await;
            connection.send("<r xmlns='urn:xmpp:sm:3'/>").await?;
        }
    }
}

/// The next stanza; the server is told what came when it asks.
async fn read(connection: &mut Connection<Secured>) -> Result<Vec<u8>> {
    loop {
        let stanza = connection.stanza().await?.to_vec();
        if !scan::is_element(&stanza, "r") {
            return Ok(stanza);
        }
        connection.acknowledge().await?;
    }
}

/// The number behind the mark, or 0.
fn number_in(text: &str) -> u64 {
    let rest = text.split_once(MARK).map_or("", |(_, rest)| rest);
    let digits = rest.split('.').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// How long an answer may take after a round.
const ANSWER: Duration = Duration::from_secs(30);
/// Members that are made; then the first ones again.
const MOST_MEMBERS: u64 = 500;
const MARK: &str = "number ";
const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const OWNER: &str = "http://jabber.org/protocol/muc#owner";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_acknowledged_one_or_a_later_one() {
        let latest = Latest { acknowledged: 3, tried: 5 };
        assert_eq!([2, 3, 5, 6].map(|found| latest.admits(found)), [false, true, true, false]);
        assert!(Latest::default().admits(number_in("<subject/>")));
        assert_eq!(number_in("<subject>number 17.</subject>"), 17);
    }
}
