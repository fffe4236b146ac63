//! Nick games, floods, races and crowds.

use super::*;

fn admin(item: &str) -> String {
    format!(
        "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
    )
}

#[test]
fn nobody_takes_a_name_that_looks_like_somebody_elses() {
    let mut play = Play::open();
    for nick in ["FirstWitch", " firstwitch", "f\u{456}rstw\u{456}tch", "firstwitc\u{1160}h"] {
        let effects = play.join(HAG, nick);
        assert_eq!(error_of(&effects, HAG).as_deref(), Some("conflict"), "{nick:?}");
    }
    for nick in [" ", "\u{1160}", "\u{2800}"] {
        let effects = play.join(HAG, nick);
        assert_eq!(error_of(&effects, HAG).as_deref(), Some("jid-malformed"), "{nick:?}");
    }
    play.now = play.now.plus(20_000);
    assert_eq!(error_of(&play.join(HAG, "thirdwitch"), HAG), None);
    let effects = play.give(HAG, Some("FIRSTWITCH"), "<presence/>");
    assert_eq!(error_of(&effects, HAG).as_deref(), Some("conflict"), "nor by another name later");
    let effects = play.give(HAG, Some("THIRDWITCH"), "<presence/>");
    assert_eq!(error_of(&effects, HAG), None, "one's own is one's own");
}

#[test]
fn a_reserved_name_is_kept_from_others_who_look_like_it() {
    let mut play = Play::open();
    let reserve = "<item jid='wicca@a.example' affiliation='member' nick='Hecate'/>";
    play.give(CRONE, None, &admin(reserve));
    let register = |nick: &str| {
        format!(
            "<iq type='set' id='r'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' \
             type='submit'><field var='muc#register_roomnick'><value>{nick}</value></field></x>\
             </query></iq>"
        )
    };
    assert_eq!(error_of(&play.join(HAG, "hecate"), HAG).as_deref(), Some("conflict"));
    let effects = play.give(HAG, None, &register("HECATE"));
    assert_eq!(error_of(&effects, HAG).as_deref(), Some("conflict"));
    let effects = play.give(HAG, None, &register(" "));
    assert_eq!(error_of(&effects, HAG).as_deref(), Some("not-acceptable"));
    let wicca = "wicca@a.example/x";
    assert_eq!(error_of(&play.join(wicca, "hecate"), wicca), None);
}

#[test]
fn what_goes_through_the_room_is_counted_with_what_is_said_in_it() {
    let refused = |stanza: &dyn Fn(usize) -> String, nick: Option<&str>| {
        let mut play = Play::new(Settings { moderated: false, ..Settings::channel() });
        play.join(HAG, "thirdwitch");
        play.now = play.now.plus(20_000);
        let refused = |n| error_of(&play.give(HAG, nick, &stanza(n)), HAG);
        (0..12).filter_map(refused).collect::<Vec<_>>()
    };
    let private = |n| format!("<message type='chat' id='p{n}'><body>x</body></message>");
    assert_eq!(refused(&private, Some("firstwitch")), ["policy-violation"; 2]);
    let invite = |n| {
        format!(
            "<message id='i{n}'><x xmlns='http://jabber.org/protocol/muc#user'>\
             <invite to='w{n}@a.example'/></x></message>"
        )
    };
    assert_eq!(refused(&invite, None), ["policy-violation"; 2]);
}

#[test]
fn two_owners_who_depose_each_other_leave_one() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare(HAG), Affiliation::Owner, None);
    play.join(HAG, "thirdwitch");
    // Both were sent at the same moment; the room takes one after the other.
    let first = admin("<item jid='hag66@shakespeare.example' affiliation='none'/>");
    let second = admin("<item jid='crone1@shakespeare.example' affiliation='none'/>");
    assert_eq!(error_of(&play.give(CRONE, None, &first), CRONE), None);
    assert_eq!(error_of(&play.give(HAG, None, &second), HAG).as_deref(), Some("forbidden"));
    let both = admin(
        "<item jid='hag66@shakespeare.example' affiliation='owner'/>\
         <item jid='crone1@shakespeare.example' affiliation='none'/>",
    );
    assert_eq!(error_of(&play.give(CRONE, None, &both), CRONE), None, "handed over in one step");
    let last = admin("<item jid='hag66@shakespeare.example' affiliation='admin'/>");
    assert_eq!(error_of(&play.give(HAG, None, &last), HAG).as_deref(), Some("conflict"));
}

#[test]
fn a_thousand_come_and_go_and_nothing_of_them_stays() {
    const CROWD: usize = 1000;
    let mut play = Play::open();
    let jid = |number: usize| format!("w{number}@a{number}.example/x");
    let mut told = 0;
    for number in 1..CROWD {
        // As the service does it with each stanza.
        play.room.bounds = Bounds { occupants: 2000, messages_per_second: 0 };
        let effects = play.join(&jid(number), &format!("n{number}"));
        // Everybody who is there, the newcomer in both directions, and the subject.
        let presences = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Send { kind: Kind::Presence, .. }));
        assert_eq!(presences.count(), 2 * number + 1);
        told += effects.len();
    }
    assert_eq!(play.room.occupants.len(), CROWD);
    assert!(told >= CROWD * CROWD);
    let said = play.say(CRONE, "m");
    assert_eq!(said.iter().filter(|e| matches!(e, Effect::Send { .. })).count(), CROWD);
    for number in 1..CROWD {
        let effects = play.give(&jid(number), None, "<presence type='unavailable'/>");
        assert_eq!(effects.len(), CROWD - number + 1, "who is still there, and who leaves");
    }
    assert_eq!((play.room.occupants.len(), play.room.nicks.len()), (1, 1));
}
