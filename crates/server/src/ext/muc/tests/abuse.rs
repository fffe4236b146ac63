//! Nick games, floods, races and crowds.

use xmpp::ext::form::Form;

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
        play.room.bounds = Bounds { occupants: 2000, messages_per_second: 0, ..BOUNDS };
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

#[test]
fn who_may_not_come_in_keeps_nobody_out() {
    let mut play = Play::new(Settings { members_only: true, ..Settings::default() });
    play.room.affiliations.set(&bare(HAG), Affiliation::Member, None);
    play.room.affiliations.set(&bare("evil.example"), Affiliation::Outcast, None);
    // Many more than the whole room may do in ten seconds, and nothing is kept of them.
    for number in 0..1000 {
        let banned = format!("x{number}@evil.example/x");
        let refused = play.join(&banned, &format!("x{number}"));
        assert_eq!(error_of(&refused, &banned).as_deref(), Some("forbidden"));
        let stranger = format!("x{number}@else.example/x");
        let refused = play.join(&stranger, &format!("x{number}"));
        assert_eq!(error_of(&refused, &stranger).as_deref(), Some("registration-required"));
        assert_eq!(play.give(&stranger, Some("x"), "<presence/>").len(), 1, "they are not here");
    }
    assert_eq!(error_of(&play.join(HAG, "thirdwitch"), HAG), None);
}

#[test]
fn strangers_who_come_and_go_do_not_keep_members_out() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare(HAG), Affiliation::Member, None);
    let wrong = |number: usize| format!("w{number}@a.example/x");
    let crowded = (0..1000).any(|number| {
        let effects = play.join(&wrong(number), "firstwitch");
        error_of(&effects, &wrong(number)).as_deref() == Some("resource-constraint")
    });
    assert!(crowded, "they wait");
    assert_eq!(error_of(&play.join(HAG, "thirdwitch"), HAG), None);
}

#[test]
fn those_in_a_crowd_are_listed_page_by_page() {
    use xmpp::ext::rsm;
    const CROWD: usize = 300;
    let mut play = Play::open();
    play.room.bounds = Bounds { occupants: 1000, answer_bytes: 4000, messages_per_second: 0 };
    for number in 1..CROWD {
        play.join(&format!("w{number}@a.example/x"), &format!("witch {number:03}"));
    }
    let mut ask = |set: String| {
        let xml = format!(
            "<iq type='get' id='i'><query xmlns='http://jabber.org/protocol/disco#items'>{set}</query></iq>"
        );
        let effects = play.give(CRONE, None, &xml);
        let query = sent(&effects, CRONE).next().unwrap().first_child().unwrap().clone();
        assert!(query.to_bytes(ns::CLIENT).len() < 4500, "it fits into an answer");
        let jids: Vec<String> =
            query.children().filter_map(|item| item.attr("jid")).map(Into::into).collect();
        (jids, rsm::Response::child_of(&query))
    };
    let (mut seen, mut set) = (Vec::new(), String::new());
    loop {
        let (jids, page) = ask(set);
        let page = page.expect("it says that there are more");
        assert_eq!(page.count, Some(CROWD));
        assert_eq!(
            page.first.and_then(|(_, index)| index),
            (!jids.is_empty()).then_some(seen.len())
        );
        let Some(last) = page.last else { break };
        seen.extend(jids);
        set = format!("<set xmlns='{}'><after>{last}</after></set>", ns::RSM);
    }
    assert_eq!(seen.len(), CROWD);
    assert!(seen.is_sorted_by(|one, other| one < other), "each once, in order");
    let (jids, _) = ask(format!("<set xmlns='{}'><max>7</max><before/></set>", ns::RSM));
    assert_eq!(jids, seen[CROWD - 7..]);
}

#[test]
fn a_long_list_of_wearers_says_that_it_is_not_everything() {
    let mut play = Play::open();
    let command = |name: &str, fields: &str| {
        format!(
            "<iq type='set' id='h'><command xmlns='http://jabber.org/protocol/commands' \
             node='urn:xmpp:hats:commands:{name}'><x xmlns='jabber:x:data' type='submit'>{fields}</x>\
             </command></iq>"
        )
    };
    let field =
        |var: &str, value: &str| format!("<field var='hats#{var}'><value>{value}</value></field>");
    let hat = field("title", "Brewer") + &field("uri", "urn:coven:brewer");
    play.give(CRONE, None, &command("create", &hat));
    for number in 0..500 {
        let who = field("jid", &format!("w{number}@a.example"));
        play.give(CRONE, None, &command("assign", &(who + &hat)));
    }
    let effects = play.give(CRONE, None, &command("list-assigned", ""));
    let answer = sent(&effects, CRONE).next().unwrap();
    assert!(answer.to_bytes(ns::CLIENT).len() < BOUNDS.answer_bytes + 2000);
    let form = answer.first_child().and_then(Form::child_of).expect("a table");
    let rest = format!("{} more do not fit here.", 500 - form.items.len());
    assert_eq!(form.instructions, [rest]);
    assert!(form.items.len() > 100);
}

fn register(nick: &str) -> String {
    format!(
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' \
         type='submit'><field var='muc#register_roomnick'><value>{nick}</value></field></x></query></iq>"
    )
}

#[test]
fn strangers_who_register_leave_places_for_those_whom_admins_list() {
    use crate::ext::muc::{
        affiliations::{Affiliations, MOST_LISTED},
        registering::MOST_REGISTERED,
    };
    let mut play = Play::open();
    let who = |number: usize, domain: &str| format!("w{number}@{domain}/x");
    let list = |play: &mut Play, members: &mut dyn Iterator<Item = String>| {
        let owner = (bare(CRONE).to_string(), "owner");
        let members = members.map(|who| (bare(&who).to_string(), "member"));
        let row = |(jid, affiliation): (String, &str)| store::rooms::Affiliation {
            jid: jid.into(),
            affiliation: affiliation.into(),
            nick: None,
            reason: None,
            version: 1,
        };
        let rows = std::iter::once(owner).chain(members).map(row).collect();
        play.room.affiliations = Affiliations::load(rows, 1, 0);
    };
    list(&mut play, &mut (0..MOST_REGISTERED / 10).map(|number| who(number, "crowd.example")));
    let late = who(MOST_LISTED, "crowd.example");
    let refused = play.give(&late, None, &register("late"));
    assert_eq!(error_of(&refused, &late).as_deref(), Some("resource-constraint"), "of one domain");
    let other = who(0, "other.example");
    assert_eq!(error_of(&play.give(&other, None, &register("other")), &other), None);
    list(&mut play, &mut (0..MOST_REGISTERED).map(|n| who(n, &format!("d{n}.example"))));
    let late = who(0, "late.example");
    let refused = play.give(&late, None, &register("late"));
    assert_eq!(error_of(&refused, &late).as_deref(), Some("resource-constraint"));
    let ban = admin("<item jid='crowd.example' affiliation='outcast'/>");
    assert_eq!(error_of(&play.give(CRONE, None, &ban), CRONE), None, "admins have their places");
}

#[test]
fn requests_are_bounded_and_end_when_nobody_answers() {
    use crate::ext::muc::requests::MOST_REQUESTS;
    let mut play = Play::new(Settings { membership_requests: true, ..Settings::default() });
    let who = |number: usize, domain: &str| format!("w{number}@{domain}/x");
    let mut ask = |number: usize, domain: &str| {
        play.now = play.now.plus(20_000);
        let from = who(number, domain);
        let effects = play.give(&from, None, &register(&format!("witch {number} of {domain}")));
        (error_of(&effects, &from), sent(&effects, CRONE).count(), play.room.requests.len())
    };
    let most_alike = MOST_REQUESTS / 5;
    for number in 0..most_alike {
        assert_eq!(ask(number, "crowd.example"), (None, 1, number + 1));
    }
    let full = Some("resource-constraint".to_owned());
    assert_eq!(ask(most_alike, "crowd.example"), (full.clone(), 0, most_alike), "of one domain");
    assert_eq!(ask(0, "crowd.example"), (None, 1, most_alike), "the same again is no more");
    for number in most_alike..MOST_REQUESTS {
        assert_eq!(ask(number, "shakespeare.example").0, None);
    }
    assert_eq!(ask(MOST_REQUESTS, "late.example").0, full);
    play.now = play.now.plus(31 * 24 * 60 * 60 * 1000);
    let late = who(0, "late.example");
    assert_eq!(error_of(&play.give(&late, None, &register("late")), &late), None);
    assert_eq!(play.room.requests.len(), 1, "the others are over");
}

#[test]
fn a_nickname_is_free_again_when_the_request_for_it_is_over() {
    let mut play = Play::new(Settings { membership_requests: true, ..Settings::default() });
    let other = "wicca@shakespeare.example/laptop";
    let ask = |play: &mut Play, who| {
        play.now = play.now.plus(60_000);
        error_of(&play.give(who, None, &register("witch")), who)
    };
    assert_eq!(ask(&mut play, HAG), None);
    assert_eq!(ask(&mut play, other).as_deref(), Some("conflict"), "until it is decided");
    play.now = play.now.plus(31 * 24 * 60 * 60 * 1000);
    assert_eq!(ask(&mut play, other), None);
    play.now = play.now.plus(31 * 24 * 60 * 60 * 1000);
    play.join(CRONE, "firstwitch");
    assert_eq!(play.room.requests.len(), 0, "and whoever decides is not asked about it");
}

#[test]
fn who_asks_is_forgotten_when_something_else_decides() {
    let mut play = Play::new(Settings { membership_requests: true, ..Settings::default() });
    let asks = |play: &mut Play| {
        play.now = play.now.plus(60_000);
        assert_eq!(error_of(&play.give(HAG, None, &register("hag")), HAG), None);
        assert_eq!(play.room.requests.len(), 1);
    };
    let remove = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";
    asks(&mut play);
    play.give(HAG, None, remove);
    assert_eq!(play.room.requests.len(), 0, "taken back");
    for item in [
        "<item jid='hag66@shakespeare.example' affiliation='member'/>",
        "<item jid='hag66@shakespeare.example' affiliation='outcast'/>",
        "<item jid='shakespeare.example' affiliation='outcast'/>",
    ] {
        asks(&mut play);
        play.give(CRONE, None, &admin(item));
        assert_eq!(play.room.requests.len(), 0, "{item}");
        play.give(CRONE, None, &admin(&item.replace("member", "none").replace("outcast", "none")));
    }
    asks(&mut play);
    play.room.forget(&bare(HAG), &mut Vec::new());
    assert_eq!(play.room.requests.len(), 0, "the account is no more");
}

#[test]
fn tokens_are_bounded_and_end() {
    use crate::ext::muc::tokens::MOST_TOKENS;
    let mut play = Play::new(Settings { invitations_by_occupants: true, ..Settings::default() });
    let ask = |play: &mut Play, who: &str, limits: &str| {
        play.now = play.now.plus(2_000);
        let xml = format!(
            "<iq type='set' id='t'><request xmlns='urn:xmpp:muc-token-invite:0' {limits}/></iq>"
        );
        let effects = play.give(who, None, &xml);
        let token = sent(&effects, who).find_map(|iq| Some(iq.first_child()?.text()));
        error_of(&effects, who).map_or(Ok(token.unwrap_or_default()), Err)
    };
    let enter = |play: &mut Play, who: &str, token: &str| {
        let xml = format!(
            "<presence><x xmlns='http://jabber.org/protocol/muc'><password>{token}</password></x>\
             </presence>"
        );
        let effects = play.give(who, Some(who.split('@').next().unwrap()), &xml);
        error_of(&effects, who)
    };
    let expired = Some("not-authorized".to_owned());
    let short = ask(&mut play, CRONE, "delay='60'").unwrap();
    play.now = play.now.plus(60_000);
    assert_eq!(enter(&mut play, "a@a.example/x", &short), expired, "its time is over");
    let token = ask(&mut play, CRONE, "counter='2'").unwrap();
    assert_ne!(token, short);
    // A nickname that is taken costs nothing.
    let taken = format!(
        "<presence><x xmlns='http://jabber.org/protocol/muc'><password>{token}</password></x></presence>"
    );
    let effects = play.give("a@a.example/x", Some("firstwitch"), &taken);
    assert_eq!(error_of(&effects, "a@a.example/x").as_deref(), Some("conflict"));
    for who in ["a@a.example/x", "b@a.example/x"] {
        assert_eq!(enter(&mut play, who, &token), None);
        assert_eq!(play.room.affiliation(&Jid::new(who).unwrap()), Affiliation::Member);
    }
    assert_eq!(enter(&mut play, "c@a.example/x", &token), expired, "two came with it");
    let token = ask(&mut play, "a@a.example/x", "counter='1'").unwrap();
    play.room.settings.invitations_by_occupants = false;
    assert_eq!(enter(&mut play, "c@a.example/x", &token), expired, "members invite nobody now");
    play.room.settings.invitations_by_occupants = true;
    assert_eq!(enter(&mut play, "c@a.example/x", &token), None);
    for number in 0..MOST_TOKENS {
        let who = format!("m{}@a.example/x", number / 20);
        play.room.affiliations.set(&bare(&who), Affiliation::Member, None);
        assert!(ask(&mut play, &who, "").is_ok(), "{number}");
    }
    let full = Err("resource-constraint".to_owned());
    assert_eq!(ask(&mut play, CRONE, ""), full);
    play.give(CRONE, None, &admin("<item jid='m0@a.example' affiliation='none'/>"));
    assert_eq!(play.room.tokens.len(), MOST_TOKENS - 20, "what a former member gave out is void");
    assert!(ask(&mut play, CRONE, "").is_ok());
    for _ in 1..20 {
        assert!(ask(&mut play, CRONE, "").is_ok());
    }
    assert_eq!(ask(&mut play, CRONE, ""), full, "so many are one person's");
    play.now = play.now.plus(7 * 24 * 60 * 60 * 1000);
    assert!(ask(&mut play, CRONE, "").is_ok());
    assert_eq!(play.room.tokens.len(), 1, "the others are over");
}

#[test]
fn whoever_was_removed_does_not_come_back_with_an_earlier_token() {
    let mut play = Play::new(Settings { invitations_by_occupants: true, ..Settings::default() });
    let issue = |play: &mut Play| {
        play.now = play.now.plus(2_000);
        let xml = "<iq type='set' id='t'><request xmlns='urn:xmpp:muc-token-invite:0'/></iq>";
        let effects = play.give(CRONE, None, xml);
        sent(&effects, CRONE).find_map(|iq| Some(iq.first_child()?.text())).unwrap()
    };
    let enter = |play: &mut Play, token: &str| {
        play.now = play.now.plus(2_000);
        let xml = format!(
            "<presence><x xmlns='http://jabber.org/protocol/muc'><password>{token}</password></x>\
             </presence>"
        );
        let effects = play.give("a@a.example/x", Some("a"), &xml);
        error_of(&effects, "a@a.example/x")
    };
    let set = |play: &mut Play, jid: &str, affiliation: &str| {
        let item = format!("<item jid='{jid}' affiliation='{affiliation}'/>");
        play.give(CRONE, None, &admin(&item));
    };
    let expired = Some("not-authorized".to_owned());
    let first = issue(&mut play);
    assert_eq!(enter(&mut play, &first), None);
    set(&mut play, "a@a.example", "none");
    assert_eq!(enter(&mut play, &first), expired, "removed");
    let second = issue(&mut play);
    assert_eq!(enter(&mut play, &second), None, "invited once more");
    set(&mut play, "a.example", "outcast");
    set(&mut play, "a.example", "none");
    set(&mut play, "a@a.example", "none");
    assert_eq!(enter(&mut play, &second), expired, "banned with their server");
    // Whoever left by themselves may change their mind.
    let third = issue(&mut play);
    assert_eq!(enter(&mut play, &third), None);
    let remove = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";
    play.now = play.now.plus(2_000);
    play.give("a@a.example/x", None, remove);
    assert_eq!(enter(&mut play, &third), None);
}

#[test]
fn registering_again_and_again_is_slowed() {
    let mut play = Play::open();
    let remove = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";
    let mut refused = 0;
    for _ in 0..20 {
        for xml in [register("hag").as_str(), remove] {
            let effects = play.give(HAG, None, xml);
            refused += usize::from(error_of(&effects, HAG).as_deref() == Some("policy-violation"));
        }
    }
    assert_eq!(refused, 30);
}

#[test]
fn reasons_are_kept_as_long_as_they_are_read() {
    let mut play = Play::open();
    let long = "x".repeat(50_000);
    let ban =
        format!("<item jid='a@b.example' affiliation='outcast'><reason>{long}</reason></item>");
    play.give(CRONE, None, &admin(&ban));
    let entry = play.room.affiliations.entry(&bare("a@b.example")).unwrap();
    assert_eq!(entry.reason.as_deref().map(str::len), Some(1000));
}

#[test]
fn each_invitation_of_many_at_once_counts() {
    let mut play = Play::open();
    play.now = play.now.plus(20_000);
    let invites: String = (0..11).map(|n| format!("<invite to='w{n}@a.example'/>")).collect();
    let xml = format!(
        "<message id='i'><x xmlns='http://jabber.org/protocol/muc#user'>{invites}</x></message>"
    );
    let effects = play.give(CRONE, None, &xml);
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("policy-violation"));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Route { .. })));
}

#[test]
fn every_question_to_an_occupant_has_an_answer() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let ask =
        |id: &str| format!("<iq type='get' id='{id}'><query xmlns='jabber:iq:version'/></iq>");
    let refused = play.give(CRONE, Some("thirdwitch"), &ask(&"x".repeat(1000)));
    assert_eq!(
        error_of(&refused, CRONE).as_deref(),
        Some("not-acceptable"),
        "nothing long is kept"
    );
    assert_eq!(sent(&play.give(CRONE, Some("thirdwitch"), &ask("v1")), HAG).count(), 1);
    let gone = play.give(HAG, Some("thirdwitch"), "<presence type='unavailable'/>");
    let answer = sent(&gone, CRONE).find(|stanza| stanza.name() == "iq").expect("an answer");
    assert_eq!(answer.attr("id"), Some("v1"));
    assert_eq!(answer.attr("from"), Some("coven@conference.shakespeare.example/thirdwitch"));
    assert_eq!(error_of(&gone, CRONE).as_deref(), Some("recipient-unavailable"));
}

#[test]
fn questions_of_one_leave_room_for_those_of_others() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let mut why = Vec::new();
    for number in 0..200 {
        // Slowly enough.
        play.now = play.now.plus(1000);
        let ask = format!("<iq type='get' id='{number}'><query xmlns='jabber:iq:version'/></iq>");
        why.extend(error_of(&play.give(HAG, Some("firstwitch"), &ask), HAG));
    }
    assert_eq!(why, ["resource-constraint"; 100]);
    let ask = "<iq type='get' id='mine'><query xmlns='jabber:iq:version'/></iq>";
    assert_eq!(error_of(&play.give(CRONE, Some("thirdwitch"), ask), CRONE), None);
    play.now = play.now.plus(60_000);
    let fast = (0..60).map(|_| play.give(CRONE, Some("thirdwitch"), ask));
    let slowed = fast.filter(|e| error_of(e, CRONE).as_deref() == Some("policy-violation")).count();
    assert_eq!(slowed, 10);
}

#[test]
fn a_presence_that_everybody_would_get_is_small() {
    let mut play = Play::open();
    let presence = |length| {
        let status = "x".repeat(length);
        format!(
            "<presence><status>{status}</status>\
             <x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )
    };
    let refused = play.give(HAG, Some("thirdwitch"), &presence(10_000));
    assert_eq!(error_of(&refused, HAG).as_deref(), Some("policy-violation"));
    assert_eq!(error_of(&play.give(HAG, Some("thirdwitch"), &presence(9_000)), HAG), None);
}
