//! What keys do.

use client::Command;
use client::store::MessageId;
use client::view::{Account, Change, Notification, Occasion};

use super::world::{ACCOUNT, JULIET, World, devices};
use crate::ui::app::Focus;
use crate::ui::event::{AccountNumber, Action, Event, FromCore, Protection};
use crate::ui::overlay::Overlay;
use crate::ui::sample::{self, address, at, text};
use client::store::TrustLevel;
use xmpp::time::Millis;

fn written(world: &World) -> &str {
    world.app.chat().unwrap().editor.text()
}

fn open(world: &World) -> String {
    world.app.open.as_ref().unwrap().with.to_string()
}

#[test]
fn enter_sends_what_is_written() {
    let mut world = World::balcony(80, 24);
    world.write("Good night");
    world.asked();
    world.press("Enter");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Send { to, text, reply_to: None, .. }, Command::Draft(..)] if text == "Good night" && to.to_string() == JULIET),
        "{asked:?}"
    );
    assert_eq!(written(&world), "");
}

#[test]
fn nothing_but_spaces_is_not_sent() {
    let mut world = World::balcony(80, 24);
    world.write("  ");
    world.asked();
    world.press("Enter");
    assert!(world.asked().is_empty());
}

#[test]
fn a_second_slash_sends_the_text_and_me_is_text() {
    let mut world = World::balcony(80, 24);
    for (typed, sent) in [("//help", "/help"), ("/me waves", "/me waves")] {
        world.write(typed);
        world.asked();
        world.press("Enter");
        let asked = world.asked();
        assert!(
            matches!(&asked[..], [Command::Send { text, .. }, ..] if text == sent),
            "{asked:?}"
        );
    }
}

#[test]
fn a_command_that_is_wrong_stays_and_says_why() {
    let mut world = World::balcony(80, 24);
    world.write("/fille x");
    world.press("Enter");
    assert_eq!(written(&world), "/fille x");
    assert!(world.app.notice.as_ref().unwrap().0.text.contains("/file"));
}

#[test]
fn a_message_is_chosen_and_answered() {
    let mut world = World::balcony(80, 24);
    world.press("Up");
    assert_eq!(world.app.focus, Focus::Message(MessageId(13)));
    world.press("r");
    world.write("So thrive my soul");
    world.asked();
    world.press("Enter");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Send { reply_to: Some(MessageId(13)), .. }, ..]),
        "{asked:?}"
    );
}

#[test]
fn an_own_message_is_edited_and_the_draft_comes_back() {
    let mut world = World::balcony(80, 24);
    world.write("half a thought");
    world.app.select(MessageId(12));
    world.press("e");
    assert_eq!(written(&world), "see https://moon.example/inconstant");
    world.write("!");
    world.asked();
    world.press("Enter");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Correct(MessageId(12), text), Command::Draft(..)] if text.ends_with("inconstant!")),
        "{asked:?}"
    );
    assert_eq!(written(&world), "half a thought");
}

#[test]
fn what_others_wrote_cannot_be_edited() {
    let mut world = World::balcony(80, 24);
    world.app.select(MessageId(13));
    world.press("e");
    assert_eq!(world.app.focus, Focus::Message(MessageId(13)));
    assert!(world.app.notice.is_some());
}

#[test]
fn reactions_are_added_and_taken_back() {
    let mut world = World::balcony(80, 24);
    world.press("Up + 1");
    let asked = world.asked();
    assert!(matches!(asked.last(), Some(Command::React(MessageId(13), set)) if set == &["👍"]));
    let mut message = text(13, 26, &address(JULIET), "Good night, good night!");
    message.reactions = vec![client::store::Reaction {
        occupant: None,
        sender: address("romeo@montague.example"),
        emoji: vec!["👍".to_owned()],
        time: at(sample::NOW),
        mark: client::store::Mark::default(),
        earlier: Vec::new(),
    }];
    world.change(Change::Messages { conversation: address(JULIET), messages: vec![message] });
    world.press("+ 1");
    assert!(matches!(world.asked().last(), Some(Command::React(_, set)) if set.is_empty()));
}

#[test]
fn taking_back_asks_first() {
    let mut world = World::balcony(80, 24);
    world.app.select(MessageId(12));
    world.asked();
    world.press("x Enter");
    assert!(world.asked().is_empty(), "the first choice is the harmless one");
    world.press("x y");
    assert!(matches!(&world.asked()[..], [Command::Retract(MessageId(12))]));
}

#[test]
fn ctrl_k_goes_to_whom_a_few_letters_mean() {
    let mut world = World::balcony(80, 24);
    world.press("Ctrl-K");
    world.write("merc");
    world.press("Enter");
    assert_eq!(open(&world), "mercutio@verona.example");
    assert!(world.asked().iter().any(|command| matches!(command, Command::Open(_))));
    world.press("Ctrl-K");
    world.write("paris@verona.example");
    world.press("Enter");
    assert_eq!(open(&world), "paris@verona.example");
}

#[test]
fn alt_a_goes_through_what_is_unread_muted_ones_last() {
    let mut world = World::balcony(80, 24);
    let mut seen = Vec::new();
    for _ in 0..3 {
        world.press("Alt-A");
        let with = world.app.open.clone().unwrap().with;
        seen.push(with.node().unwrap().to_string());
        let mut conversation = world.app.conversation().unwrap().clone();
        conversation.unread = 0;
        world.change(Change::Conversation(Box::new(conversation)));
    }
    assert_eq!(seen, ["mercutio", "tybalt", "rosaline"]);
    world.press("Alt-/");
    assert_eq!(open(&world), "tybalt@capulet.example");
}

#[test]
fn what_is_seen_is_marked_read_once_and_only_with_the_keyboard_there() {
    let mut world = World::balcony(80, 24);
    let mut juliet = world.app.conversation().unwrap().clone();
    juliet.unread = 2;
    world.event(Event::Focus(false));
    world.asked();
    world.change(Change::Conversation(Box::new(juliet)));
    assert!(world.asked().is_empty());
    world.event(Event::Focus(true));
    let asked = world.asked();
    let marks = asked.iter().filter(|c| matches!(c, Command::MarkRead(_, MessageId(13)))).count();
    assert_eq!(marks, 1);
    world.event(Event::Time(at(sample::NOW)));
    assert!(world.asked().is_empty());
}

#[test]
fn drafts_are_kept_soon_and_then_now_and_again() {
    let mut world = World::balcony(80, 24);
    world.asked();
    world.write("a");
    assert!(matches!(&world.asked()[..], [Command::Draft(_, text)] if text == "a"));
    world.write("bc");
    assert!(world.asked().is_empty());
    let later = Millis(at(sample::NOW).0 + 3000);
    world.event(Event::Time(later));
    assert!(matches!(&world.asked()[..], [Command::Draft(_, text)] if text == "abc"));
    world.write("d");
    world.press("Alt-A");
    let asked = world.asked();
    assert!(matches!(&asked[0], Command::Draft(_, text) if text == "abcd"), "{asked:?}");
}

#[test]
fn a_command_is_not_kept_as_a_draft() {
    let mut world = World::balcony(80, 24);
    world.asked();
    world.write("/block");
    world.event(Event::Time(Millis(at(sample::NOW).0 + 3000)));
    assert!(world.asked().is_empty());
}

#[test]
fn many_pasted_lines_ask_first_and_few_do_not() {
    let mut world = World::balcony(80, 24);
    world.event(Event::Paste("one\r\ntwo".to_owned()));
    assert_eq!(written(&world), "one\ntwo");
    world.event(Event::Paste("x\n".repeat(50)));
    assert_eq!(written(&world), "one\ntwo");
    world.press("y");
    assert!(written(&world).len() > 50);
}

#[test]
fn pasted_control_characters_are_dropped() {
    let mut world = World::balcony(80, 24);
    world.event(Event::Paste("a\x1b[31m\u{9b}b".to_owned()));
    assert_eq!(written(&world), "a[31mb");
}

#[test]
fn page_up_at_the_top_asks_for_older_messages_once() {
    let mut world = World::balcony(80, 24);
    world.asked();
    for _ in 0..10 {
        world.press("PageUp");
    }
    let asked = world.asked();
    assert!(matches!(&asked[..], [Command::Older(_)]), "{asked:?}");
}

#[test]
fn commands_are_completed() {
    let mut world = World::balcony(80, 24);
    world.write("/ver");
    world.press("Tab");
    assert_eq!(written(&world), "/verify ");
    world.press("Ctrl-U");
    world.write("/chat ben");
    world.press("Tab");
    assert_eq!(written(&world), "/chat benvolio@montague.example ");
}

#[test]
fn a_device_is_verified_only_after_the_fingerprint_was_compared() {
    let mut world = World::balcony(80, 24);
    world.change(Change::Devices(address(JULIET), devices()));
    world.write("/devices");
    world.press("Enter");
    world.asked();
    world.press("v Esc");
    assert!(world.asked().is_empty());
    world.write("/devices");
    world.press("Enter");
    world.asked();
    world.press("j v y");
    let asked = world.asked();
    assert!(
        matches!(&asked[..], [Command::Trust { level: TrustLevel::Verified, .. }]),
        "{asked:?}"
    );
}

#[test]
fn a_notification_rings_unless_its_conversation_is_on_screen() {
    let mut world = World::balcony(80, 24);
    let note = |with: &str| Notification {
        conversation: address(with),
        occasion: Occasion::Said {
            title: "somebody\x1b]0;x\x07".to_owned(),
            text: "hello".to_owned(),
        },
        message: None,
    };
    world.actions.clear();
    world.event(Event::Core(ACCOUNT, FromCore::Notify(note(JULIET))));
    assert!(world.actions.is_empty());
    world.event(Event::Core(ACCOUNT, FromCore::Notify(note("mercutio@verona.example"))));
    assert!(
        matches!(&world.actions[..], [Action::Bell, Action::Desktop(title, _)] if title == "somebody]0;x"),
        "{:?}",
        world.actions
    );
}

#[test]
fn a_stranger_is_told_of_without_anything_of_theirs() {
    let mut world = World::balcony(80, 24);
    world.actions.clear();
    let conversation = address("stranger@elsewhere.example");
    let note = Notification { conversation, occasion: Occasion::Stranger, message: None };
    world.event(Event::Core(ACCOUNT, FromCore::Notify(note)));
    let [Action::Bell, Action::Desktop(title, text)] = &world.actions[..] else { panic!() };
    assert!(!title.is_empty() && !title.contains("stranger@") && !text.contains("stranger@"));
}

#[test]
fn the_title_tells_what_is_unread_without_muted_conversations() {
    let world = World::verona(80, 24);
    let title = world.actions.iter().rev().find_map(|action| match action {
        Action::Title(title) => Some(title.as_str()),
        _ => None,
    });
    assert_eq!(title, Some("(4) Clownfish"));
}

#[test]
fn the_first_run_ends_in_a_conversation_with_who_invited() {
    let mut world = World::empty(80, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.event(Event::Paste("xmpp:juliet@capulet.example?roster;preauth=abc;ibr=y".to_owned()));
    world.press("Enter");
    world.write("romeo");
    world.press("Enter");
    world.write("a rose by any other name");
    world.press("Enter");
    world.press("p");
    for _ in 0..2 {
        world.write("star-crossed");
        world.press("Enter");
    }
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    assert_eq!(sign_in.address.to_string(), "romeo@capulet.example");
    assert_eq!(sign_in.invitation.unwrap().token, "abc");
    let Protection::Passphrase(passphrase) = sign_in.protection else { panic!("a passphrase") };
    assert_eq!(passphrase.expose(), b"star-crossed");
    world.event(Event::Account(ACCOUNT));
    let done = FromCore::Done(sign_in.number, client::view::Outcome::Done);
    world.event(Event::Core(ACCOUNT, done));
    assert_eq!(open(&world), JULIET);
    assert!(world.app.overlay.is_none());
}

/// As far as the question what protects the account.
fn asked_for_protection() -> World {
    let mut world = World::empty(80, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.write("romeo@montague.example");
    world.press("Enter");
    world.write("star-crossed");
    world.press("Enter");
    world
}

#[test]
fn the_keyring_is_taken_where_there_is_one_and_explained_where_not() {
    let mut world = asked_for_protection();
    world.press("Enter");
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    assert!(matches!(sign_in.protection, Protection::Keyring));

    let mut world = asked_for_protection();
    world.app.keyring = Err("the program secret-tool is missing".to_owned());
    world.press("k");
    assert!(!world.actions.iter().any(|action| matches!(action, Action::SignIn(_))));
    let screen = world.screen();
    assert!(screen.contains("The keyring cannot be used: the program secret-tool is missing."));
    world.press("n");
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    assert!(matches!(sign_in.protection, Protection::Plain));
}

#[test]
fn a_passphrase_is_typed_twice_and_not_too_short() {
    let mut world = asked_for_protection();
    world.press("p");
    world.write("short");
    world.press("Enter");
    assert!(world.screen().contains("At least eight letters"));
    for typed in ["-but longer", "another one"] {
        world.write(typed);
        world.press("Enter");
    }
    assert!(world.screen().contains("two different ones"));
    assert!(!world.actions.iter().any(|action| matches!(action, Action::SignIn(_))));
}

#[test]
fn a_wrong_password_is_asked_for_again() {
    let mut world = World::empty(80, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.write("romeo@montague.example");
    world.press("Enter");
    world.write("wrong");
    world.press("Enter n");
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    let problem = client::view::Problem::Login("the password is wrong".to_owned());
    let done = FromCore::Done(sign_in.number, client::view::Outcome::Failed(problem));
    world.event(Event::Core(ACCOUNT, done));
    let screen = world.screen();
    assert!(screen.contains("the password is wrong") && screen.contains("password ›"), "{screen}");
    // What protects the account was chosen before.
    world.write("right");
    world.press("Enter");
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    assert!(matches!(sign_in.protection, Protection::Plain));
}

#[test]
fn a_new_account_opens_no_conversation_of_another() {
    let mut world = World::balcony(80, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.write("bot@montague.example");
    world.press("Enter");
    world.write("star-crossed");
    world.press("Enter n");
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    let second = AccountNumber(1);
    world.event(Event::Account(second));
    let account = Account { address: address("bot@montague.example"), ..sample::account() };
    world.event(Event::Core(second, FromCore::View(Change::Account(account))));
    world.event(Event::Core(second, FromCore::Done(sign_in.number, client::view::Outcome::Done)));
    assert!(world.app.overlay.is_none());
    assert_eq!(world.app.open.as_ref().map(|key| key.account), Some(ACCOUNT));
    // Both are on one server: which one speaks is told by its name there.
    let screen = world.screen();
    assert!(screen.contains("as romeo"), "{screen}");
    assert!(world.app.account_label(second).is_some_and(|label| label == "bot"));
}

#[test]
fn a_password_is_never_on_the_screen() {
    let mut world = World::empty(80, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.write("romeo@montague.example");
    world.press("Enter");
    world.write("star-crossed");
    assert!(!world.screen().contains("star"));
    assert!(world.screen().contains("••••••••••••"));
    assert!(!format!("{:?}", world.app).contains("star"));
}

#[test]
fn a_hidden_conversation_is_left() {
    let mut world = World::balcony(80, 24);
    world.write("/hide");
    world.press("Enter");
    assert!(world.app.open.is_none());
    assert!(world.asked().iter().any(|command| matches!(command, Command::Hide(_))));
}

#[test]
fn hidden_conversations_are_listed_and_can_be_opened() {
    let mut world = World::balcony(80, 24);
    let mut hidden = world.app.conversation().unwrap().clone();
    world.write("/hide");
    world.press("Enter");
    hidden.shown = false;
    world.change(Change::Conversation(Box::new(hidden)));
    world.asked();
    world.write("/hidden");
    world.press("Enter");
    let screen = world.screen();
    assert!(screen.contains("Hidden conversations") && screen.contains(JULIET), "{screen}");
    assert!(!screen.contains("mercutio@"), "those in the list are not among them: {screen}");
    world.press("Enter");
    let asked = world.asked();
    let opened = |one: &Command| matches!(one, Command::Open(with) if *with == address(JULIET));
    assert!(asked.iter().any(opened), "{asked:?}");
}

#[test]
fn a_conversation_that_was_just_opened_is_no_request() {
    let mut world = World::verona(80, 24);
    world.open("paris@verona.example");
    let mut paris = sample::conversation("paris@verona.example", "Paris", 30, "");
    paris.preview = None;
    paris.request = true;
    world.change(Change::Conversation(Box::new(paris.clone())));
    let request = |world: &World| {
        let rows = world.app.rows();
        rows.iter().find(|row| row.key.with == address("paris@verona.example")).unwrap().request
    };
    assert!(!request(&world) && !world.screen().contains("/refuse"));
    paris.unread = 1;
    world.change(Change::Conversation(Box::new(paris)));
    assert!(request(&world) && world.screen().contains("/refuse"));
}

#[test]
fn a_draft_is_there_also_when_the_conversation_was_opened_before_it_was_told() {
    let mut world = World::verona(80, 24);
    world.open("paris@verona.example");
    let mut paris = sample::conversation("paris@verona.example", "Paris", 30, "");
    paris.draft = "half a thought".to_owned();
    world.change(Change::Conversation(Box::new(paris.clone())));
    assert_eq!(written(&world), "half a thought");
    world.press("Enter");
    // What the core said about the draft before it heard of the message comes late.
    world.change(Change::Conversation(Box::new(paris)));
    assert_eq!(written(&world), "");
}
