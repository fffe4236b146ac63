//! Who is believed: one table of what can arrive and who may send it, and everybody else, who may not.
//! Every feature that acts on what others send is in it.

use std::collections::{BTreeMap, BTreeSet};

use client::Command;
use client::store::{
    Contacts, Conversations, Delivery, Devices, Media, Profile, Timeline, Version,
};
use client::view::Change;
use xmpp::ext::muc::Affiliation;
use xmpp::jid::BareJid;

use crate::muc;
use crate::rooms::{SQUARE, join, parse};
use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";
const MERCUTIO: &str = "mercutio@example.net";
const TYBALT: &str = "tybalt@example.net";
/// Who is blocked.
const BENVOLIO: &str = "benvolio@example.net";
/// A room to which there is an invitation.
const PARTY: &str = "party@rooms.example.net";
/// SHA-1 of a picture that is here.
const PICTURE: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// The account itself, as which its server speaks.
const ACCOUNT: &[&str] = &["", ROMEO];
/// A contact, on a device or as a whole.
const PARTNER: &[&str] = &["juliet@example.net/balcony", JULIET];
/// What another device of the account may do in the conversation as well.
const BOTH: &[&str] = &["juliet@example.net/balcony", JULIET, OTHER_DEVICE];
/// The account on another device, writing to a contact, as only its server can say.
const OTHER_DEVICE: &str = "romeo@example.net/other>juliet@example.net";
/// A contact's node.
const OWNER: &[&str] = &[JULIET];
/// Its own devices are the account's affair everywhere.
const OWNER_OR_ACCOUNT: &[&str] = &[JULIET, "", ROMEO];
/// The room, and an occupant of it.
const ROOM: &[&str] = &[SQUARE];
const OCCUPANT: &[&str] = &["square@rooms.example.net/Juliet"];
/// Everybody in the room, of whom nobody but the room knows more.
const OCCUPANTS: &[&str] = &[
    "square@rooms.example.net/Juliet",
    "square@rooms.example.net/Mercutio",
    "square@rooms.example.net/Nobody",
    SQUARE,
];
const NOBODY: &[&str] = &[];

/// Everybody who could send something: for each payload all but those who may.
static SENDERS: [&str; 19] = [
    // Without an address: the account.
    "",
    ROMEO,
    "romeo@example.net/other",
    "example.net",
    JULIET,
    "juliet@example.net/balcony",
    // The contact of another conversation.
    MERCUTIO,
    "mercutio@example.net/street",
    // A stranger.
    TYBALT,
    "tybalt@example.net/tomb",
    "rooms.example.net",
    SQUARE,
    "square@rooms.example.net/Juliet",
    "square@rooms.example.net/Mercutio",
    "square@rooms.example.net/Nobody",
    // Who looks like somebody else.
    "romeo@example.net.evil.example",
    "evil.example/romeo@example.net",
    "juliet@example.net.evil.example/balcony",
    OTHER_DEVICE,
];

/// What can arrive. In a stanza `{from}` is the sender, and the other words in braces are ids.
struct Sample {
    feature: &'static str,
    /// Whose affair it is: what may not change unless they say so.
    about: &'static str,
    believed: &'static [&'static str],
    stanza: String,
}

fn message(kind: &str, payload: &str) -> String {
    format!("<message xmlns='jabber:client' type='{kind}'{{from}} id='x1'>{payload}</message>")
}

fn event(node: &str, id: &str, payload: &str) -> String {
    let items = format!("<items node='{node}'><item id='{id}'>{payload}</item></items>");
    let event = "http://jabber.org/protocol/pubsub#event";
    message("headline", &format!("<event xmlns='{event}'>{items}</event>"))
}

fn push(payload: &str) -> String {
    format!("<iq xmlns='jabber:client' type='set'{{from}} id='p1'>{payload}</iq>")
}

fn question(payload: &str) -> String {
    push(payload).replace("'set'", "'get'")
}

/// A message of this account to Tybalt, or one of him, in a wrapping.
fn forwarded(from: &str, to: &str) -> String {
    format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' \
         from='{from}' to='{to}' id='f1'><body>wrapped</body></message></forwarded>"
    )
}

type Row = (&'static str, &'static str, &'static [&'static str], String);

/// What is wrapped: copies of other devices' messages, and what an archive holds.
fn wrapped() -> Vec<Row> {
    let sent = forwarded("romeo@example.net/x", TYBALT);
    let received = forwarded("tybalt@example.net/x", ROMEO);
    vec![
        (
            "message",
            TYBALT,
            ACCOUNT,
            message("chat", &format!("<sent xmlns='urn:xmpp:carbons:2'>{sent}</sent>")),
        ),
        (
            "message",
            TYBALT,
            ACCOUNT,
            message("chat", &format!("<received xmlns='urn:xmpp:carbons:2'>{received}</received>")),
        ),
        (
            "archive",
            TYBALT,
            NOBODY,
            message(
                "chat",
                &format!("<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{received}</result>"),
            ),
        ),
    ]
}

/// Requests.
fn requests() -> Vec<Row> {
    vec![
        (
            "roster",
            TYBALT,
            ACCOUNT,
            push(
                "<query xmlns='jabber:iq:roster' ver='9'><item jid='tybalt@example.net' \
                 subscription='both'/></query>",
            ),
        ),
        (
            "roster",
            JULIET,
            ACCOUNT,
            push(
                "<query xmlns='jabber:iq:roster'><item jid='juliet@example.net' \
                 subscription='remove'/></query>",
            ),
        ),
        (
            "blocking",
            JULIET,
            ACCOUNT,
            push("<block xmlns='urn:xmpp:blocking'><item jid='juliet@example.net'/></block>"),
        ),
        ("blocking", BENVOLIO, ACCOUNT, push("<unblock xmlns='urn:xmpp:blocking'/>")),
        ("ping", ROMEO, NOBODY, question("<ping xmlns='urn:xmpp:ping'/>")),
        ("caps", ROMEO, NOBODY, question("<query xmlns='http://jabber.org/protocol/disco#info'/>")),
    ]
}

/// What devices of the account tell each other.
fn between_devices() -> Vec<Row> {
    vec![
        (
            "mds",
            JULIET,
            ACCOUNT,
            event(
                "urn:xmpp:mds:displayed:0",
                JULIET,
                "<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' \
                 by='romeo@example.net' id='{hers-archived}'/></displayed>",
            ),
        ),
        (
            "bookmarks",
            ROMEO,
            ACCOUNT,
            event(
                "urn:xmpp:bookmarks:1",
                "fair@rooms.example.net",
                "<conference xmlns='urn:xmpp:bookmarks:1' name='Fair'/>",
            ),
        ),
        (
            "notify",
            JULIET,
            ACCOUNT,
            event(
                "urn:clownfish:chats:0",
                JULIET,
                "<chat xmlns='urn:clownfish:chats:0' jid='juliet@example.net'>\
                 <notify xmlns='urn:xmpp:notification-settings:1'><never/></notify></chat>",
            ),
        ),
        (
            "star",
            JULIET,
            NOBODY,
            message(
                "chat",
                "<star xmlns='urn:clownfish:stars:0' with='juliet@example.net' \
                 by='juliet@example.net' id='{hers}' archive='{hers-archived}' set='true' \
                 time='1700000000000'/>",
            ),
        ),
        ("history", ROMEO, NOBODY, message("chat", "<deleted xmlns='urn:clownfish:history:0'/>")),
        (
            "rooms",
            PARTY,
            NOBODY,
            message(
                "chat",
                "<answered xmlns='urn:clownfish:invitations:0' room='party@rooms.example.net'/>",
            ),
        ),
    ]
}

/// What people publish about themselves.
fn published() -> Vec<Row> {
    let list = |ns: &str, name: &str| format!("<{name} xmlns='{ns}'><device id='666'/></{name}>");
    let (modern, legacy) = ("urn:xmpp:omemo:2", "eu.siacs.conversations.axolotl");
    let mut rows: Vec<Row> = vec![
        (
            "nick",
            JULIET,
            OWNER,
            event(
                "http://jabber.org/protocol/nick",
                "current",
                "<nick xmlns='http://jabber.org/protocol/nick'>Jule</nick>",
            ),
        ),
        (
            "avatar",
            JULIET,
            OWNER,
            event(
                "urn:xmpp:avatar:metadata",
                PICTURE,
                &format!(
                    "<metadata xmlns='urn:xmpp:avatar:metadata'>\
                     <info id='{PICTURE}' bytes='3' type='image/png'/></metadata>"
                ),
            ),
        ),
    ];
    for (ns, node, name) in [
        (modern, "urn:xmpp:omemo:2:devices", "devices"),
        (legacy, "eu.siacs.conversations.axolotl.devicelist", "list"),
    ] {
        for (about, believed) in [(JULIET, OWNER_OR_ACCOUNT), (ROMEO, ACCOUNT)] {
            let list = event(node, "current", &list(ns, name));
            rows.push(("OMEMO Encryption", about, believed, list));
        }
    }
    rows
}

/// What says something in a conversation with a contact.
fn of_a_conversation() -> Vec<Row> {
    let error = "<error type='cancel'>\
        <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    let chat = |payload: &str| message("chat", payload);
    vec![
        ("message", JULIET, BOTH, chat("<body>new</body>")),
        ("message", JULIET, PARTNER, message("error", error).replace("x1", "{his}")),
        (
            "presence",
            JULIET,
            PARTNER,
            "<presence xmlns='jabber:client'{from}><show>chat</show></presence>".into(),
        ),
        ("receipts", JULIET, PARTNER, chat("<received xmlns='urn:xmpp:receipts' id='{his}'/>")),
        (
            "markers",
            JULIET,
            PARTNER,
            chat("<displayed xmlns='urn:xmpp:chat-markers:0' id='{his}'/>"),
        ),
        (
            "chat states",
            JULIET,
            PARTNER,
            chat("<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ),
        (
            "correct",
            JULIET,
            PARTNER,
            chat("<body>changed</body><replace xmlns='urn:xmpp:message-correct:0' id='{hers}'/>"),
        ),
        (
            "retract",
            JULIET,
            PARTNER,
            chat("<retract xmlns='urn:xmpp:message-retract:1' id='{hers}'/>"),
        ),
        (
            "react",
            JULIET,
            BOTH,
            chat(
                "<reactions xmlns='urn:xmpp:reactions:0' id='{his}'><reaction>x</reaction></reactions>",
            ),
        ),
    ]
}

/// What says something in a room.
fn of_a_room() -> Vec<Row> {
    let said = |payload: &str| message("groupchat", &format!("{payload}{{occupant}}"));
    vec![
        ("message", SQUARE, OCCUPANTS, said("<body>new</body>")),
        (
            "rooms",
            SQUARE,
            OCCUPANTS,
            "<presence xmlns='jabber:client' type='unavailable'{from}>\
             <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/></x>\
             </presence>"
                .into(),
        ),
        ("rooms", SQUARE, OCCUPANTS, said("<subject>another</subject>")),
        (
            "rooms",
            SQUARE,
            ROOM,
            message("error", "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
                .replace("x1", "{his-in-square}"),
        ),
        (
            "correct",
            SQUARE,
            OCCUPANT,
            said(
                "<body>changed</body>\
                 <replace xmlns='urn:xmpp:message-correct:0' id='{hers-in-square-origin}'/>",
            ),
        ),
        (
            "retract",
            SQUARE,
            OCCUPANT,
            said("<retract xmlns='urn:xmpp:message-retract:1' id='{hers-in-square}'/>"),
        ),
        (
            "retract",
            SQUARE,
            ROOM,
            said(
                "<retract xmlns='urn:xmpp:message-retract:1' id='{hers-in-square}'>\
                 <moderated xmlns='urn:xmpp:message-moderate:1'/></retract>",
            ),
        ),
        (
            "react",
            SQUARE,
            OCCUPANTS,
            said(
                "<reactions xmlns='urn:xmpp:reactions:0' id='{hers-in-square}'>\
                 <reaction>x</reaction></reactions>",
            ),
        ),
    ]
}

fn samples() -> Vec<Sample> {
    let rows =
        [wrapped(), requests(), between_devices(), published(), of_a_conversation(), of_a_room()]
            .concat();
    let sample = |(feature, about, believed, stanza)| Sample { feature, about, believed, stanza };
    rows.into_iter().map(sample).collect()
}

/// Romeo, who has written with Juliet and Mercutio, and is in a room with both.
struct Scene {
    world: World,
    romeo: usize,
    /// What the words in braces stand for.
    ids: BTreeMap<&'static str, String>,
    /// What came so far: each has an id of its own.
    count: usize,
}

fn scene() -> Scene {
    let mut world = World::new();
    world.server.add_account(MERCUTIO, "rapier");
    world.server.befriend(ROMEO, MERCUTIO);
    let mut square = muc::Room::public();
    square.affiliations.insert(bare(ROMEO), Affiliation::Owner);
    world.server.rooms.insert(bare(SQUARE), square);
    let people = [(ROMEO, "Romeo"), (JULIET, "Juliet"), (MERCUTIO, "Mercutio")];
    let [romeo, juliet, mercutio] = people.map(|(address, nick)| {
        let device = world.online(address, &[ROMEO, JULIET, MERCUTIO]);
        world.run(device, join(SQUARE, nick));
        device
    });
    for (device, to, text) in [
        (mercutio, ROMEO, "of Mercutio"),
        (juliet, SQUARE, "hers in the square"),
        (romeo, SQUARE, "his in the square"),
    ] {
        world.send(device, to, text);
        world.settle();
    }
    world.run(juliet, Command::Disconnect);
    world.send(romeo, JULIET, "his");
    world.settle();
    let his = world.last(romeo, JULIET);
    let hers = format!(
        "<message xmlns='jabber:client' type='chat' from='{JULIET}/balcony' to='{ROMEO}' id='h1'>\
         <body>hers</body></message>"
    );
    world.server.route(&bare(JULIET), None, parse(&hers));
    world.settle();
    let hers = world.last(romeo, JULIET);
    let said = |text: &str| {
        let all = world.messages(romeo, SQUARE).into_iter();
        let mut all =
            all.filter(|one| crate::world::text_of(&one.content).as_deref() == Some(text));
        all.next().expect("a message of the room")
    };
    let (in_square, mut own) = (said("hers in the square"), said("his in the square"));
    let ids = BTreeMap::from([
        ("{hers}", hers.origin_id),
        ("{hers-archived}", hers.archive_id),
        ("{his}", his.origin_id),
        ("{hers-in-square}", in_square.archive_id),
        ("{hers-in-square-origin}", in_square.origin_id),
        ("{his-in-square}", own.origin_id.clone()),
    ]);
    let ids = ids.into_iter().map(|(name, id)| (name, id.expect(name))).collect();
    // As if the room had not yet given it back.
    own.delivery = Some(Delivery::Sent);
    let store = &world.devices[romeo].store;
    store.save_message(&own).unwrap();
    store.save_media(PICTURE, Some(b"png")).unwrap();
    let mut scene = Scene { world, romeo, ids, count: 0 };
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='benvolio@example.net'/></block>";
    scene.arrives(&push(block), "");
    scene.arrives(
        "<message xmlns='jabber:client'{from}><x xmlns='jabber:x:conference' \
         jid='party@rooms.example.net'/></message>",
        "mercutio@example.net/street",
    );
    scene
}

impl Scene {
    /// A stanza reaches Romeo, with this sender.
    fn arrives(&mut self, stanza: &str, sender: &str) {
        let address = match sender.split_once('>') {
            Some((from, to)) => format!(" from='{from}' to='{to}'"),
            None if sender.is_empty() => String::new(),
            None => format!(" from='{sender}'"),
        };
        // The room says by an id who it was.
        let occupant = sender.strip_prefix(SQUARE).and_then(|rest| rest.strip_prefix('/'));
        let occupant = occupant.map(|nick| {
            let id = muc::occupant_id(&bare(&format!("{}@example.net", nick.to_lowercase())));
            format!("<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/>")
        });
        let mut stanza =
            stanza.replace("{from}", &address).replace("{occupant}", &occupant.unwrap_or_default());
        for (name, id) in &self.ids {
            stanza = stanza.replace(name, id);
        }
        self.count += 1;
        stanza = stanza.replace("id='x1'", &format!("id='x{}'", self.count));
        assert!(!stanza.contains('{'), "{stanza}");
        for session in self.world.server.sessions_of(&bare(ROMEO)) {
            self.world.server.deliver(&session, &parse(&stanza));
        }
        self.world.settle();
    }

    /// Everything that Romeo can see.
    fn picture(&self) -> Picture {
        let device = &self.world.devices[self.romeo];
        let mut picture = Picture::new();
        let mut note = |what, of: &BareJid, which: i64, seen: String| {
            picture.insert((what, of.to_string(), which), seen);
        };
        for one in device.store.conversations().unwrap() {
            note("conversation", &one.address, 0, format!("{one:?}"));
            for message in self.world.messages(self.romeo, one.address.as_str()) {
                note(MESSAGE, &one.address, message.id.0, serde_json::to_string(&message).unwrap());
            }
        }
        for one in device.store.contacts().unwrap() {
            note("contact", &one.address, 0, format!("{one:?}"));
        }
        for owner in [ROMEO, JULIET, MERCUTIO].map(bare) {
            let lists = [Version::Omemo2, Version::Legacy]
                .map(|version| device.store.device_list(&owner, version).unwrap());
            note("devices", &owner, 0, format!("{lists:?}"));
        }
        let version = device.store.value("roster-version").unwrap();
        note("roster", &bare(ROMEO), 0, format!("{version:?}"));
        for change in device.changes.iter().rev() {
            let (what, of) = match change {
                Change::Conversation(one) => ("view of a conversation", one.address.to_string()),
                Change::Contact(one) => ("view of a contact", one.address.to_string()),
                Change::Room(one) => ("view of a room", one.address.to_string()),
                Change::Bookmarks(_) => ("bookmarks", ROMEO.to_owned()),
                _ => continue,
            };
            // The last one is what is shown.
            picture.entry((what, of, 0)).or_insert_with(|| match change {
                Change::Conversation(one) => format!("{one:?} {:?} {}", one.typing, one.mentions),
                change => format!("{change:?}"),
            });
        }
        picture
    }
}

/// What is seen, by what it is, of whom, and which.
type Picture = BTreeMap<(&'static str, String, i64), String>;
const MESSAGE: &str = "message";

/// What somebody changed that was not their own affair.
fn difference(before: &Picture, after: &Picture, sender: &str, sample: &Sample) -> Option<String> {
    let (sender, _) = sender.split_once(['/', '>']).unwrap_or((sender, ""));
    let sender = if sender.is_empty() { ROMEO } else { sender };
    // A text that corrects nothing is a text of its sender's own.
    let text = sample.feature == "correct";
    let counts = |(what, of, which): &(&'static str, String, i64)| {
        let known = before.contains_key(&(*what, of.clone(), *which));
        (of.as_str() != sender || of.as_str() == sample.about)
            && (!text || (*what == MESSAGE && known))
    };
    let new = after.iter().find(|(key, seen)| counts(key) && before.get(*key) != Some(*seen));
    let gone = before.iter().find(|(key, _)| counts(key) && !after.contains_key(*key));
    new.or(gone).map(|(key, seen)| format!("{key:?}: {seen}"))
}

#[test]
fn nobody_is_believed_in_what_is_the_affair_of_somebody_else() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let mut scene = scene();
        let mut before = scene.picture();
        let strangers = SENDERS.iter().filter(|sender| !sample.believed.contains(sender));
        // From who may send it, it does something: the others were not refused for another reason.
        for sender in strangers.chain(sample.believed.first()) {
            scene.arrives(&sample.stanza, sender);
            let after = scene.picture();
            let changed = difference(&before, &after, sender, &sample);
            let (feature, stanza) = (sample.feature, &sample.stanza);
            match (changed, sample.believed.contains(sender)) {
                (Some(changed), false) => {
                    wrong.push(format!("{feature}, {sender:?} is believed: {stanza}\n  {changed}"));
                }
                (None, true) => {
                    wrong.push(format!("{feature}, {sender:?} is not believed: {stanza}"));
                }
                _ => {}
            }
            before = after;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_feature_that_acts_on_what_others_send_is_in_the_table() {
    let samples: BTreeSet<&str> = samples().iter().map(|sample| sample.feature).collect();
    let hears = client::features().filter_map(|(name, hears)| hears.then_some(name));
    let missing: Vec<&str> = hears.filter(|name| !samples.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
    let all: BTreeSet<&str> = client::features().map(|(name, _)| name).collect();
    assert!(samples.is_subset(&all), "{samples:?}");
}
