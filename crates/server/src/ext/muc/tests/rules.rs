//! Rules of XEP-0045 about single requests.

use super::*;
use crate::ext::muc::settings::Writers;
use xmpp::ext::muc::Role;

const WICCA: &str = "wiccarocks@shakespeare.example/laptop";

fn admin(item: &str) -> String {
    format!(
        "<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
    )
}

fn config(fields: &str) -> String {
    format!(
        "<iq type='set' id='f'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'>{fields}</x></query></iq>"
    )
}

fn owners(jids: &[&str]) -> String {
    let values: String = jids.iter().map(|jid| format!("<value>{jid}</value>")).collect();
    config(&format!("<field var='muc#roomconfig_roomowners'>{values}</field>"))
}

fn affiliation(play: &Play, jid: &str) -> Affiliation {
    play.room.affiliation(&Jid::new(jid).unwrap())
}

#[test]
fn an_owner_leaves_the_room_to_another_owner_only() {
    let mut play = Play::open();
    let hag = "hag66@shakespeare.example";
    let refused = play.give(CRONE, None, &owners(&[hag]));
    assert_eq!(error_of(&refused, CRONE).as_deref(), Some("conflict"), "she owned nothing before");
    let refused = play.give(CRONE, None, &owners(&[]));
    assert_eq!(error_of(&refused, CRONE).as_deref(), Some("conflict"));
    play.give(CRONE, None, &owners(&["crone1@shakespeare.example", hag]));
    assert_eq!(error_of(&play.give(CRONE, None, &owners(&[hag])), CRONE), None);
    assert_eq!(affiliation(&play, HAG), Affiliation::Owner);
    assert_eq!(affiliation(&play, CRONE), Affiliation::Admin, "§10.2");
    let (_, crone) = play.room.occupant(&Jid::new(CRONE).unwrap()).unwrap();
    assert_eq!(crone.role, Role::Moderator);
}

#[test]
fn a_voice_outlasts_the_visit_in_a_moderated_room() {
    let mut play = Play::new(Settings { moderated: true, ..Settings::channel() });
    play.join(HAG, "thirdwitch");
    let role = |play: &Play| play.room.occupant(&Jid::new(HAG).unwrap()).unwrap().1.role;
    assert_eq!(role(&play), Role::Visitor);
    play.give(CRONE, None, &admin("<item nick='thirdwitch' role='participant'/>"));
    play.give(HAG, None, "<presence type='unavailable'/>");
    play.join(HAG, "another");
    assert_eq!(role(&play), Role::Participant);
    play.give(CRONE, None, &admin("<item nick='another' role='visitor'/>"));
    play.give(HAG, None, "<presence type='unavailable'/>");
    play.join(HAG, "thirdwitch");
    assert_eq!(role(&play), Role::Visitor);
    // A member speaks, until that is taken away, and with another affiliation it begins anew.
    let member = "<item jid='hag66@shakespeare.example' affiliation='member'/>";
    play.give(CRONE, None, &admin(member));
    assert_eq!(role(&play), Role::Participant);
    play.give(CRONE, None, &admin("<item nick='thirdwitch' role='visitor'/>"));
    play.give(HAG, None, "<presence type='unavailable'/>");
    play.join(HAG, "thirdwitch");
    assert_eq!(role(&play), Role::Visitor);
}

#[test]
fn who_changes_a_role_is_told_before_the_others() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let effects = play.give(CRONE, None, &admin("<item nick='thirdwitch' role='none'/>"));
    let kinds: Vec<_> = sent(&effects, CRONE).map(|stanza| stanza.name().to_owned()).collect();
    assert_eq!(kinds, ["iq", "presence"]);
}

#[test]
fn an_affiliation_is_on_disk_before_who_changed_it_is_told() {
    let mut play = Play::open();
    let member = "<item jid='hag66@shakespeare.example' affiliation='member'/>";
    let effects = play.give(CRONE, None, &admin(member));
    let saved = effects.iter().position(|e| matches!(e, Effect::Save { .. })).unwrap();
    let answered =
        effects.iter().position(|e| matches!(e, Effect::Send { kind: Kind::Iq, .. })).unwrap();
    assert!(saved < answered);
}

#[test]
fn a_voice_is_on_disk_before_who_changed_it_is_told() {
    let mut play = Play::new(Settings { moderated: true, ..Settings::channel() });
    play.join(HAG, "thirdwitch");
    let effects = play.give(CRONE, None, &admin("<item nick='thirdwitch' role='participant'/>"));
    let saved = effects.iter().position(|e| matches!(e, Effect::Save { .. })).unwrap();
    let answered =
        effects.iter().position(|e| matches!(e, Effect::Send { kind: Kind::Iq, .. })).unwrap();
    assert!(saved < answered);
}

#[test]
fn whoever_is_made_a_member_again_and_again_is_invited_once() {
    let mut play = Play::new(Settings { members_only: true, ..Settings::default() });
    let mut invitations = |item: &str| {
        let effects = play.give(CRONE, None, &admin(item));
        effects.iter().filter(|effect| matches!(effect, Effect::Route { .. })).count()
    };
    let item = |affiliation| format!("<item jid='a@a.example' affiliation='{affiliation}'/>");
    assert_eq!(invitations(&item("member")), 1);
    assert_eq!(invitations(&item("none")), 0);
    assert_eq!(invitations(&item("member")), 0);
    let crowd: String = (0..400)
        .map(|number| format!("<item jid='w{number}@a.example' affiliation='member'/>"))
        .collect();
    assert_eq!(invitations(&crowd), 49);
    assert_eq!(invitations(&crowd.replace("'member'", "'none'")), 0);
    assert_eq!(invitations(&crowd), 0);
}

#[test]
fn what_a_moderator_takes_from_somebody_is_remembered_although_many_may_speak() {
    let mut play = Play::new(Settings { moderated: true, ..Settings::channel() });
    for number in 0..1100 {
        let who = bare(&format!("w{number}@a.example"));
        play.room.remember_voice(&who, Role::Participant, &mut Vec::new());
    }
    play.room.affiliations.set(&bare(HAG), Affiliation::Member, None);
    play.join(HAG, "thirdwitch");
    play.give(CRONE, None, &admin("<item nick='thirdwitch' role='visitor'/>"));
    assert_eq!(play.room.role_of_newcomer(&bare(HAG)), Role::Visitor);
    for number in 0..1000 {
        let who = bare(&format!("m{number}@a.example"));
        play.room.affiliations.set(&who, Affiliation::Member, None);
        play.room.remember_voice(&who, Role::Visitor, &mut Vec::new());
    }
    let effects = play.give(CRONE, None, &admin("<item nick='thirdwitch' role='visitor'/>"));
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("resource-constraint"));
}

#[test]
fn whoever_is_forgotten_has_no_voice_and_no_hat() {
    let mut play = Play::new(Settings { moderated: true, ..Settings::channel() });
    play.room.remember_voice(&bare(HAG), Role::Participant, &mut Vec::new());
    for (name, fields) in
        [("create", "uri=u:1 title=x"), ("assign", "uri=u:1 jid=hag66@shakespeare.example")]
    {
        let fields: String = fields
            .split(' ')
            .filter_map(|field| field.split_once('='))
            .map(|(var, value)| format!("<field var='hats#{var}'><value>{value}</value></field>"))
            .collect();
        let xml = format!(
            "<iq type='set' id='h'><command xmlns='http://jabber.org/protocol/commands' \
             node='urn:xmpp:hats:commands:{name}'><x xmlns='jabber:x:data' type='submit'>{fields}\
             </x></command></iq>"
        );
        assert_eq!(error_of(&play.give(CRONE, None, &xml), CRONE), None, "{name}");
    }
    let known =
        |play: &Play| serde_json::to_string(&play.room.kept()).unwrap().matches("hag66").count();
    assert_eq!(known(&play), 2);
    assert!(play.room.kept().mentions(&bare(HAG)));
    play.room.forget(&bare(HAG), &mut Vec::new());
    assert_eq!(known(&play), 0);
    assert!(!play.room.kept().mentions(&bare(HAG)));
}

#[test]
fn what_is_refused_comes_back_with_the_reason() {
    let mut play = Play::open();
    play.room.affiliations.set(&bare(HAG), Affiliation::Admin, None);
    play.join(HAG, "thirdwitch");
    let effects = play.give(HAG, None, &admin("<item nick='firstwitch' role='visitor'/>"));
    let error = sent(&effects, HAG).next().unwrap();
    let query = error.child("query", ns::MUC_ADMIN).unwrap();
    assert_eq!(query.child("item", ns::MUC_ADMIN).unwrap().attr("nick"), Some("firstwitch"));
}

#[test]
fn a_room_that_its_maker_leaves_before_it_is_configured_ends() {
    let jid = BareJid::new("coven@conference.shakespeare.example").unwrap();
    let mut room = Room::new(jid, Settings::default(), BOUNDS, [7; 32]);
    room.affiliations.set(&bare(CRONE), Affiliation::Owner, None);
    let config = Config::for_domain("shakespeare.example").unwrap();
    let mut play = Play { room, config, now: Millis(1_000_000) };
    play.join(CRONE, "firstwitch");
    let ask = "<iq type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    for stanza in [ask, "<message type='groupchat' id='m'><body>x</body></message>"] {
        let effects = play.give(HAG, None, stanza);
        assert_eq!(error_of(&effects, HAG).as_deref(), Some("item-not-found"), "{stanza}");
    }
    let invite = "<message id='i'><x xmlns='http://jabber.org/protocol/muc#user'>\
                  <invite to='hag66@shakespeare.example'/></x></message>";
    play.give(CRONE, None, invite);
    let back = "<message type='error' id='i'><error type='wait'><conflict \
                xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    let effects = play.give(HAG, None, back);
    assert!(matches!(effects.as_slice(), [Effect::Return { .. }]), "{effects:?}");
    let effects = play.give(CRONE, Some("firstwitch"), "<presence type='unavailable'/>");
    let told = sent(&effects, CRONE).next().unwrap();
    let x = told.child("x", ns::MUC_USER).unwrap();
    assert!(x.child("destroy", ns::MUC_USER).is_some());
    assert!(matches!(effects.last(), Some(Effect::Destroy)));
}

#[test]
fn a_name_that_an_admin_gives_is_reserved_and_taken_back() {
    let mut play = Play::open();
    let give = "<item jid='hag66@shakespeare.example' affiliation='member' nick='thirdwitch'/>";
    play.give(CRONE, None, &admin(give));
    assert_eq!(play.room.affiliations.owner_of("thirdwitch"), Some(&bare(HAG)));
    let taken =
        "<item jid='wiccarocks@shakespeare.example' affiliation='member' nick='ThirdWitch'/>";
    let effects = play.give(CRONE, None, &admin(taken));
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("conflict"));
    let twice = "<item jid='a@b.example' affiliation='member' nick='x'/>\
                 <item jid='c@b.example' affiliation='member' nick='X'/>";
    let effects = play.give(CRONE, None, &admin(twice));
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("conflict"));
    play.give(CRONE, None, &admin(&give.replace("'thirdwitch'", "''")));
    assert_eq!(play.room.affiliations.owner_of("thirdwitch"), None);
}

#[test]
fn voice_goes_to_who_asked_and_to_nobody_with_the_same_name() {
    let mut play = Play::new(Settings { moderated: true, ..Settings::channel() });
    play.join(WICCA, "thirdwitch");
    let form = |jid: &str| {
        format!(
            "<message><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/muc#request</value></field>\
             <field var='muc#jid'><value>{jid}</value></field>\
             <field var='muc#roomnick'><value>thirdwitch</value></field>\
             <field var='muc#request_allow'><value>1</value></field></x></message>"
        )
    };
    let effects = play.give(CRONE, None, &form(HAG));
    assert_eq!(error_of(&effects, CRONE).as_deref(), Some("item-not-found"));
    assert_eq!(error_of(&play.give(CRONE, None, &form(WICCA)), CRONE), None);
    assert_eq!(play.room.role(&Jid::new(WICCA).unwrap()), Role::Participant);
}

#[test]
fn who_may_write_to_single_occupants_is_configured() {
    let pm = "<message type='chat' id='p'><body>x</body></message>";
    for (writers, refused) in
        [(Writers::Anyone, false), (Writers::Moderators, true), (Writers::Nobody, true)]
    {
        let settings = Settings { private_messages: writers, ..Settings::channel() };
        let mut play = Play::new(settings);
        play.join(HAG, "thirdwitch");
        let effects = play.give(HAG, Some("firstwitch"), pm);
        assert_eq!(error_of(&effects, HAG).as_deref() == Some("forbidden"), refused);
    }
}

#[test]
fn who_comes_in_again_unchanged_is_told_everything_and_others_nothing() {
    let mut play = Play::open();
    let first = play.join(HAG, "thirdwitch");
    let again = play.join(HAG, "thirdwitch");
    assert_eq!(sent(&again, HAG).count(), sent(&first, HAG).count());
    assert_eq!(sent(&again, CRONE).count(), 0);
    let xml = "<presence><show>away</show><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    assert_eq!(sent(&play.give(HAG, Some("thirdwitch"), xml), CRONE).count(), 1);
}

#[test]
fn whoever_comes_in_sees_the_device_that_kept_the_name() {
    let mut play = Play::open();
    let phone = "hag66@shakespeare.example/phone";
    play.join(HAG, "thirdwitch");
    let away = "<presence><show>away</show><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    play.give(phone, Some("thirdwitch"), away);
    play.join(WICCA, "secondwitch");
    let shown = |effects: &Effects, to: &str| {
        let presences = sent(effects, to).filter(|stanza| stanza.name() == "presence");
        let of_hag = presences
            .filter(|stanza| stanza.attr("from").is_some_and(|from| from.ends_with("/thirdwitch")));
        of_hag.map(|stanza| stanza.child("show", ns::CLIENT).is_some()).collect::<Vec<_>>()
    };
    let effects = play.give(phone, Some("hag"), "<presence/>");
    assert_eq!(shown(&effects, CRONE), [false], "others are told what the device that stays says");
    let witch = "hecate@shakespeare.example/x";
    assert_eq!(shown(&play.join(witch, "hecate"), witch), [false]);
}

#[test]
fn who_is_at_or_above_the_level_of_a_moderator_keeps_their_voice() {
    use Affiliation::{Admin, Member, None, Owner};
    let refused = |own: Affiliation, theirs: Affiliation, role: &str| {
        let mut play = Play::open();
        play.room.affiliations.set(&bare(HAG), own, Option::None);
        play.room.affiliations.set(&bare(WICCA), theirs, Option::None);
        play.join(HAG, "thirdwitch");
        play.join(WICCA, "secondwitch");
        if own < Admin {
            play.give(CRONE, Option::None, &admin("<item nick='thirdwitch' role='moderator'/>"));
        }
        let item = format!("<item nick='secondwitch' role='{role}'/>");
        error_of(&play.give(HAG, Option::None, &admin(&item)), HAG)
    };
    let all = [None, Member, Admin, Owner];
    for (own, theirs) in all.iter().flat_map(|own| all.iter().map(move |theirs| (*own, *theirs))) {
        let not_allowed = |denied: bool| denied.then(|| "not-allowed".to_owned());
        // §8.4, §8.2, §9.7.
        let voice = not_allowed(theirs >= own || theirs >= Admin);
        assert_eq!(refused(own, theirs, "visitor"), voice, "{own:?} mutes {theirs:?}");
        let kick = not_allowed(theirs > own);
        assert_eq!(refused(own, theirs, "none"), kick, "{own:?} kicks {theirs:?}");
        let order = not_allowed(theirs >= Admin);
        assert_eq!(refused(own, theirs, "participant"), order, "{own:?} lowers {theirs:?}");
    }
}

#[test]
fn the_card_of_an_occupant_comes_from_the_account_in_the_name_that_was_asked() {
    let mut play = Play::open();
    play.join(HAG, "thirdwitch");
    let effects = play.give(
        CRONE,
        Some("thirdwitch"),
        "<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>",
    );
    let [Effect::Ask { to, request }] = effects.as_slice() else { panic!("{effects:?}") };
    let request = Element::parse(request, &Limits::TRUSTED).unwrap();
    assert_eq!(to.as_str(), "hag66@shakespeare.example");
    assert_eq!(
        request.attr("from"),
        Some("coven@conference.shakespeare.example/firstwitch"),
        "who asks stays unknown"
    );
    play.give(HAG, Some("hag"), "<presence/>");
    let answer = format!("<iq type='result' id='{}'/>", request.attr("id").unwrap());
    assert!(play.give(WICCA, Some("firstwitch"), &answer).is_empty(), "from somebody else");
    let effects = play.give("hag66@shakespeare.example", Some("firstwitch"), &answer);
    let told = sent(&effects, CRONE).next().unwrap();
    assert_eq!(told.attr("from"), Some("coven@conference.shakespeare.example/thirdwitch"));
    assert_eq!(told.attr("id"), Some("v"));
}
