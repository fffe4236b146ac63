//! The machine by itself: stanzas in, effects out.

mod abuse;
mod returned;
mod rules;
mod service;

use xmpp::{
    ext::muc::Affiliation,
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    Input,
    room::{Bounds, Effect, Effects, Room},
    settings::Settings,
};
use crate::config::Config;

const CRONE: &str = "crone1@shakespeare.example/desktop";
const HAG: &str = "hag66@shakespeare.example/pda";
const BOUNDS: Bounds = Bounds { occupants: 5, answer_bytes: 100_000, messages_per_second: 1 };

struct Play {
    room: Room,
    config: Config,
    now: Millis,
}

impl Play {
    /// A room that Crone owns and is in.
    fn new(settings: Settings) -> Self {
        let jid = BareJid::new("coven@conference.shakespeare.example").unwrap();
        let mut room = Room::new(jid, settings, BOUNDS, [7; 32]);
        room.affiliations.set(&bare(CRONE), Affiliation::Owner, None);
        let config = Config::for_domain("shakespeare.example").unwrap();
        let mut play = Play { room, config, now: Millis(1_000_000) };
        play.join(CRONE, "firstwitch");
        play.give(
            CRONE,
            None,
            "<iq type='set' id='c'><query \
            xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/>\
            </query></iq>",
        );
        play
    }

    fn open() -> Self {
        Play::new(Settings { non_anonymous: true, ..Settings::channel() })
    }

    fn give(&mut self, from: &str, nick: Option<&str>, xml: &str) -> Effects {
        let stanza = Stanza::parse(xml.to_owned().into(), &Limits::CLIENT).unwrap();
        let from = Jid::new(from).unwrap();
        let input = Input { from: &from, nick, stanza: &stanza, config: &self.config };
        let mut out = Vec::new();
        self.room.handle(self.now, &input, &mut out);
        out
    }

    fn join(&mut self, from: &str, nick: &str) -> Effects {
        let xml = "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>";
        self.give(from, Some(nick), xml)
    }

    fn say(&mut self, from: &str, id: &str) -> Effects {
        let xml = format!("<message type='groupchat' id='{id}'><body>Double</body></message>");
        self.give(from, None, &xml)
    }
}

fn bare(jid: &str) -> BareJid {
    Jid::new(jid).unwrap().to_bare()
}

/// Everything that one address gets, in order.
fn sent<'a>(effects: &'a Effects, to: &'a str) -> impl Iterator<Item = Element> + 'a {
    let stanzas = effects.iter().filter_map(Effect::stanza);
    let stanzas = stanzas.filter(move |(recipient, ..)| recipient.as_str() == to);
    stanzas.map(|(_, _, bytes)| Element::parse(&bytes, &Limits::TRUSTED).unwrap())
}

fn codes(presence: &Element) -> Vec<String> {
    let x = presence.child("x", ns::MUC_USER).into_iter();
    let codes = x.flat_map(Element::children).filter(|child| child.name() == "status");
    codes.filter_map(|status| status.attr("code").map(str::to_owned)).collect()
}

fn error_of(effects: &Effects, to: &str) -> Option<String> {
    let error = sent(effects, to).find(|stanza| stanza.attr("type") == Some("error"))?;
    let error = error.children().find(|child| child.name() == "error")?.clone();
    error.first_child().map(|condition| condition.name().to_owned())
}

#[test]
fn newcomers_learn_of_the_others_before_they_learn_of_themselves() {
    let mut play = Play::open();
    play.say(CRONE, "m1");
    let effects = play.join(HAG, "thirdwitch");
    let names: Vec<String> = sent(&effects, HAG)
        .map(|stanza| {
            let from = stanza.attr("from").unwrap_or_default();
            let nick = from.split('/').nth(1).unwrap_or_default();
            format!("{} {nick}", stanza.name())
        })
        .collect();
    let order = ["presence firstwitch", "presence thirdwitch", "message firstwitch", "message "];
    assert_eq!(names, order);
    let own = sent(&effects, HAG).nth(1).unwrap();
    assert_eq!(codes(&own), ["110", "100", "170"]);
    assert!(sent(&effects, CRONE).all(|presence| codes(&presence).is_empty()));
}

#[test]
fn what_is_reflected_first_is_archived_first() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let mut ids = Vec::new();
    for id in ["m1", "m2", "m3"] {
        let effects = play.say(if id == "m2" { HAG } else { CRONE }, id);
        let reflected = sent(&effects, CRONE).next().unwrap();
        let stanza_id = reflected.child("stanza-id", ns::STANZA_ID).unwrap().attr("id").unwrap();
        let Some(Effect::Archive(line)) =
            effects.iter().find(|effect| matches!(effect, Effect::Archive(_)))
        else {
            panic!("{effects:?}")
        };
        assert_eq!(line.id.to_string(), stanza_id);
        ids.push(line.id);
    }
    assert!(ids.is_sorted_by(|one, other| one < other));
}

#[test]
fn a_message_that_is_sent_again_reaches_its_sender_alone() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let xml = "<message type='groupchat' id='m1'><body>Double</body>\
               <origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>";
    let first = play.give(HAG, None, xml);
    let again = play.give(HAG, None, xml);
    assert_eq!(sent(&again, CRONE).count(), 0);
    let id = |effects: &Effects| {
        let message = sent(effects, HAG).next().unwrap();
        message.child("stanza-id", ns::STANZA_ID).unwrap().attr("id").unwrap().to_owned()
    };
    assert_eq!(id(&first), id(&again));
    assert!(!again.iter().any(|effect| matches!(effect, Effect::Archive(_))));
    // A client that comes back with another address is the same; a device that says other words is not.
    let desk = "hag66@shakespeare.example/desk";
    play.join(desk, "thirdwitch");
    let again = play.give(desk, None, xml);
    assert_eq!((sent(&again, CRONE).count(), sent(&again, desk).count()), (0, 1));
    let other = play.give(desk, None, &xml.replace("Double", "Toil"));
    assert_eq!(sent(&other, CRONE).count(), 1);
    assert_ne!(id(&first), id(&other));
}

#[test]
fn a_flood_is_stopped_and_a_burst_is_not() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    play.now = play.now.plus(10_000);
    let refused: Vec<bool> =
        (0..12).map(|n| error_of(&play.say(HAG, &n.to_string()), HAG).is_some()).collect();
    assert_eq!(refused.iter().filter(|refused| **refused).count(), 2);
    assert!(refused[10] && refused[11]);
    play.now = play.now.plus(1000);
    assert_eq!(error_of(&play.say(HAG, "later"), HAG), None);
}

#[test]
fn coming_again_is_no_way_around_the_rate() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    play.now = play.now.plus(10_000);
    for number in 0..10 {
        assert_eq!(error_of(&play.say(HAG, &number.to_string()), HAG), None);
    }
    play.give(HAG, Some("thirdwitch"), "<presence type='unavailable'/>");
    let refused = play.join(HAG, "another");
    assert_eq!(error_of(&refused, HAG).as_deref(), Some("policy-violation"));
    let tablet = "hag66@shakespeare.example/tablet";
    assert!(error_of(&play.join(tablet, "tablet"), tablet).is_some(), "nor with another device");
    play.now = play.now.plus(1000);
    assert_eq!(error_of(&play.join(HAG, "another"), HAG), None);
    assert!(error_of(&play.say(HAG, "more"), HAG).is_some(), "there is no new bucket");
    play.now = play.now.plus(1000);
    assert_eq!(error_of(&play.say(HAG, "later"), HAG), None);
}

#[test]
fn coming_again_is_no_way_around_slow_mode() {
    let mut play = Play::new(Settings { slow_mode: 30, ..Settings::channel() });
    play.join(HAG, "thirdwitch");
    assert_eq!(error_of(&play.say(HAG, "first"), HAG), None);
    play.give(HAG, Some("thirdwitch"), "<presence type='unavailable'/>");
    play.join(HAG, "another");
    assert_eq!(error_of(&play.say(HAG, "second"), HAG).as_deref(), Some("policy-violation"));
    play.now = play.now.plus(30_000);
    assert_eq!(error_of(&play.say(HAG, "third"), HAG), None);
}

#[test]
fn a_crowd_that_comes_and_goes_is_slowed() {
    let mut play = Play::open();
    let mut refused = 0;
    for number in 0..220 {
        let jid = format!("witch{number}@a.example/x");
        let effects = play.join(&jid, "witch");
        refused += usize::from(error_of(&effects, &jid).as_deref() == Some("resource-constraint"));
        play.give(&jid, Some("witch"), "<presence type='unavailable'/>");
    }
    // Two hundred at once; who made the room is no stranger.
    assert_eq!(refused, 20);
    play.now = play.now.plus(1000);
    assert_eq!(error_of(&play.join(HAG, "hag"), HAG), None, "and then goes on");
}

#[test]
fn a_full_room_has_places_for_who_keeps_order() {
    let mut play = Play::open();
    for number in 1..5 {
        let effects = play.join(&format!("witch{number}@a.example/x"), &format!("witch{number}"));
        assert_eq!(error_of(&effects, &format!("witch{number}@a.example/x")), None);
    }
    assert_eq!(error_of(&play.join(HAG, "hag"), HAG).as_deref(), Some("service-unavailable"));
    play.room.affiliations.set(&bare(HAG), Affiliation::Admin, None);
    assert_eq!(error_of(&play.join(HAG, "hag"), HAG), None);
}

#[test]
fn visitors_of_a_room_that_hides_them_come_and_go_unseen() {
    let shown = [super::settings::Shown::Moderator, super::settings::Shown::Participant];
    let mut play =
        Play::new(Settings { moderated: true, shown: shown.into(), ..Settings::channel() });
    let joined = play.join(HAG, "thirdwitch");
    assert_eq!(sent(&joined, CRONE).count(), 0);
    assert_eq!(sent(&joined, HAG).filter(|stanza| stanza.name() == "presence").count(), 2);
    let left = play.give(HAG, None, "<presence type='unavailable'/>");
    assert_eq!(sent(&left, CRONE).count(), 0);
    assert_eq!(sent(&left, HAG).count(), 1);
}

#[test]
fn nobody_is_lowered_by_who_does_not_stand_above() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare(HAG), Affiliation::Admin, None);
    play.join(HAG, "thirdwitch");
    let change = |item: &str| {
        format!(
            "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>{item}\
                 </query></iq>"
        )
    };
    for (item, condition) in [
        ("<item nick='firstwitch' role='none'/>", "not-allowed"),
        ("<item nick='firstwitch' role='participant'/>", "not-allowed"),
        ("<item jid='crone1@shakespeare.example' affiliation='outcast'/>", "not-allowed"),
        ("<item jid='crone1@shakespeare.example' affiliation='member'/>", "forbidden"),
        ("<item jid='a@b.example' affiliation='admin'/>", "forbidden"),
        ("<item jid='hag66@shakespeare.example' affiliation='outcast'/>", "conflict"),
        ("<item nick='nobody' role='none'/>", "item-not-found"),
        ("<item nick='firstwitch'/>", "bad-request"),
        ("", "bad-request"),
    ] {
        let effects = play.give(HAG, None, &change(item));
        assert_eq!(error_of(&effects, HAG).as_deref(), Some(condition), "{item}");
    }
    let last = change("<item jid='crone1@shakespeare.example' affiliation='none'/>");
    assert_eq!(error_of(&play.give(CRONE, None, &last), CRONE).as_deref(), Some("conflict"));
}

#[test]
fn occupants_who_cannot_be_reached_are_gone() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let error = "<message type='error'><error type='cancel'><gone \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    let effects = play.give(HAG, None, error);
    let told = sent(&effects, CRONE).next().unwrap();
    assert_eq!((told.attr("type"), codes(&told)), (Some("unavailable"), vec!["333".into()]));
    assert!(play.room.occupant(&Jid::new(HAG).unwrap()).is_none());
}

#[test]
fn occupant_ids_are_of_one_room_and_one_person() {
    let play = Play::open();
    let other = Room::new(
        bare("heath@conference.shakespeare.example"),
        Settings::default(),
        BOUNDS,
        [8; 32],
    );
    let id = play.room.occupant_id(&bare(HAG));
    assert_eq!(id, play.room.occupant_id(&bare(HAG)));
    assert_ne!(id, play.room.occupant_id(&bare(CRONE)));
    assert_ne!(id, other.occupant_id(&bare(HAG)));
    assert!(id.len() <= 128 && !id.contains("hag"));
}

#[test]
fn a_room_that_does_not_persist_ends_with_its_last_occupant() {
    let mut play = Play::new(Settings { persistent: false, ..Settings::default() });
    let effects = play.give(CRONE, None, "<presence type='unavailable'/>");
    assert!(matches!(effects.last(), Some(Effect::Destroy)), "{effects:?}");
    let mut kept = Play::open();
    let effects = kept.give(CRONE, None, "<presence type='unavailable'/>");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Destroy)));
}

/// A form of the owner, with some fields.
fn configured(play: &mut Play, fields: &[(&str, &str)]) -> Effects {
    let fields: String = fields
        .iter()
        .map(|(var, value)| {
            format!("<field var='muc#roomconfig_{var}'><value>{value}</value></field>")
        })
        .collect();
    let xml = format!(
        "<iq type='set' id='f'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'>{fields}</x></query></iq>"
    );
    play.give(CRONE, None, &xml)
}

#[test]
fn an_owner_who_is_named_an_admin_as_well_still_owns_the_room() {
    let crone = "crone1@shakespeare.example";
    let mut play = Play::open();
    configured(&mut play, &[("roomowners", crone), ("roomadmins", crone)]);
    assert_eq!(play.room.affiliation(&Jid::new(CRONE).unwrap()), Affiliation::Owner);
    configured(&mut play, &[("roomadmins", crone)]);
    assert_eq!(play.room.affiliation(&Jid::new(CRONE).unwrap()), Affiliation::Owner);
}

#[test]
fn an_admin_who_becomes_an_owner_is_no_mere_member() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare(HAG), Affiliation::Admin, None);
    let xml = "<iq type='set' id='f'><query xmlns='http://jabber.org/protocol/muc#owner'>\
               <x xmlns='jabber:x:data' type='submit'>\
               <field var='muc#roomconfig_roomowners'><value>crone1@shakespeare.example</value>\
               <value>hag66@shakespeare.example</value></field>\
               <field var='muc#roomconfig_roomadmins'/></x></query></iq>";
    play.give(CRONE, None, xml);
    assert_eq!(play.room.affiliation(&Jid::new(HAG).unwrap()), Affiliation::Owner);
}

#[test]
fn a_room_that_is_emptied_by_its_configuration_ends() {
    let mut play = Play::new(Settings { persistent: false, ..Settings::channel() });
    play.join(HAG, "thirdwitch");
    play.give(CRONE, None, "<presence type='unavailable'/>");
    let effects = configured(&mut play, &[("membersonly", "1")]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Destroy)), "{effects:?}");
}

#[test]
fn whoever_is_shown_no_longer_seems_to_leave() {
    let mut play = Play::new(Settings::channel());
    play.join(HAG, "thirdwitch");
    let effects = configured(&mut play, &[("presencebroadcast", "moderator")]);
    let told = sent(&effects, CRONE).find(|stanza| stanza.name() == "presence").unwrap();
    assert_eq!(told.attr("type"), Some("unavailable"));
    let effects = configured(&mut play, &[("presencebroadcast", "participant")]);
    let told: Vec<_> = sent(&effects, CRONE).filter(|s| s.name() == "presence").collect();
    assert!(told.iter().any(|stanza| stanza.attr("type").is_none()), "{told:?}");
    let mut play = Play::new(Settings {
        shown: [super::settings::Shown::Participant].into(),
        ..Settings::channel()
    });
    play.join(HAG, "thirdwitch");
    play.join("a@a.example/x", "second");
    let xml = "<iq type='set' id='v'><query xmlns='http://jabber.org/protocol/muc#admin'>\
               <item nick='thirdwitch' role='visitor'/></query></iq>";
    let effects = play.give(CRONE, None, xml);
    let told = sent(&effects, "a@a.example/x").next().unwrap();
    assert_eq!(told.attr("type"), Some("unavailable"));
}

#[test]
fn a_device_that_takes_another_name_alone_hears_of_it() {
    let mut play = Play::open();
    let other = "hag66@shakespeare.example/phone";
    play.join(HAG, "thirdwitch");
    play.join(other, "thirdwitch");
    let effects = play.give(HAG, Some("hag"), "<presence/>");
    let told: Vec<_> = sent(&effects, HAG).collect();
    assert_eq!(codes(&told[0]), ["303", "110"]);
    let from = |at: usize| told[at].attr("from").unwrap_or_default().to_owned();
    assert!(from(1).ends_with("/thirdwitch") && told[1].attr("type").is_none());
    assert!(from(2).ends_with("/hag") && codes(&told[2]).contains(&"110".to_owned()));
    assert!(sent(&effects, CRONE).all(|stanza| stanza.attr("type").is_none()));
}

#[test]
fn who_belongs_to_the_room_by_a_domain_can_reserve_a_nickname() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare("witches.example"), Affiliation::Member, None);
    let xml = "<iq type='set' id='r'><query xmlns='jabber:iq:register'>\
               <x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'>\
               <value>hag</value></field></x></query></iq>";
    let effects = play.give("hag@witches.example/x", None, xml);
    assert_eq!(error_of(&effects, "hag@witches.example/x"), None);
    let owner = play.room.affiliations.owner_of("hag").cloned();
    assert_eq!(owner, Some(bare("hag@witches.example")));
}

#[test]
fn a_role_that_is_asked_for_with_an_affiliation_does_not_contradict_it() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let xml = "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>\
               <item jid='hag66@shakespeare.example' affiliation='admin'/>\
               <item nick='thirdwitch' role='visitor'/></query></iq>";
    play.give(CRONE, None, xml);
    let (_, hag) = play.room.occupant(&Jid::new(HAG).unwrap()).unwrap();
    assert_eq!(hag.role, xmpp::ext::muc::Role::Moderator);
}

#[test]
fn the_lists_of_a_room_are_bounded() {
    let mut play = Play::open();
    for number in 1..super::affiliations::MOST_LISTED {
        let jid = bare(&format!("witch{number}@a.example"));
        play.room.affiliations.set(&jid, Affiliation::Member, None);
    }
    let xml = "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>\
               <item jid='late@a.example' affiliation='member'/></query></iq>";
    let effects = play.give(CRONE, None, xml);
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("resource-constraint"));
    let remove = xml.replace("late", "witch1").replace("'member'", "'none'");
    assert_eq!(error_of(&play.give(CRONE, None, &remove), CRONE), None);
    assert_eq!(error_of(&play.give(CRONE, None, xml), CRONE), None);
}

#[test]
fn every_stanza_that_leaves_the_room_is_well_formed_and_addressed() {
    let mut play = Play::open();
    let nick = "o'<&>\"";
    let effects = play.join("obrien@a.example/x", nick);
    let said = play.say("obrien@a.example/x", "m");
    for (to, kind, bytes) in effects.iter().chain(&said).filter_map(Effect::stanza) {
        let stanza = Stanza::parse(bytes, &Limits::CLIENT).unwrap();
        assert_eq!(stanza.to().as_deref(), Some(to.as_str()));
        assert_eq!(stanza.kind(), kind);
        assert_ne!(kind, Kind::Other);
    }
}
