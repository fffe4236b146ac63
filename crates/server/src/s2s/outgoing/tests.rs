use xmpp::sm;

use super::{arrivals::ANSWER, *};

mod arrivals;
mod stored;

const NOW: Millis = Millis(1_000_000);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn queue() -> Outgoing {
    let unacked = sm::Limits { stanzas: 4, ..sm::Limits::SESSION };
    Outgoing::new(Bounds { stanzas: 6, fleeting: 12, unacked, ..Bounds::with_bounce(DAY) })
}

fn entry(text: &'static str, kind: Kind, parcel: Option<u64>) -> Entry {
    Entry { bytes: Bytes::from(text), kind, parcel, account: None, since: NOW }
}

fn message(text: &'static str, parcel: u64) -> Input {
    Input::Post(entry(text, Kind::Message, Some(parcel)))
}

fn at(queue: &mut Outgoing, now: Millis, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    queue.handle(now, input, &mut effects);
    effects
}

fn feed(queue: &mut Outgoing, input: Input) -> Vec<Effect> {
    at(queue, NOW, input)
}

fn open(queue: &mut Outgoing, carrier: u64, managed: Managed) -> Vec<Effect> {
    feed(queue, Input::Opened { carrier, managed })
}

/// What is written, without questions.
fn wrote(queue: &mut Outgoing, carrier: u64) -> String {
    let mut out = Vec::new();
    queue.write(NOW, carrier, &mut out, 1 << 20);
    String::from_utf8(out).unwrap().replace("<r xmlns='urn:xmpp:sm:3'/>", "")
}

fn lost(carrier: u64) -> Input {
    Input::Lost { carrier, failure: None }
}

fn acked(carrier: u64, h: u32) -> Input {
    Input::Acked { carrier, h }
}

fn bounced(effects: &[Effect]) -> Vec<(&str, Bounce)> {
    let bounced = effects.iter().filter_map(|effect| match effect {
        Effect::Bounce(entry, why) => Some((std::str::from_utf8(&entry.bytes).unwrap(), *why)),
        _ => None,
    });
    bounced.collect()
}

#[test]
fn the_first_stanza_opens_a_stream_and_arrives_with_its_acknowledgement() {
    let mut queue = queue();
    assert_eq!(feed(&mut queue, message("a", 1)), [Effect::Connect]);
    assert_eq!(feed(&mut queue, message("b", 2)), []);
    assert_eq!(open(&mut queue, 7, Managed::New), [Effect::Wake]);
    assert_eq!(wrote(&mut queue, 8), "", "another stream does not carry it");
    assert_eq!(wrote(&mut queue, 7), "ab");
    assert_eq!(feed(&mut queue, acked(7, 1)), [Effect::Done(vec![1])]);
    assert_eq!(feed(&mut queue, acked(7, 2)), [Effect::Done(vec![2])]);
    assert!(queue.is_empty());
    assert_eq!(feed(&mut queue, acked(7, 3)), [Effect::Broken]);
}

#[test]
fn the_operator_need_not_wait_for_the_next_attempt() {
    let mut queue = queue();
    assert_eq!(feed(&mut queue, Input::Try), [Effect::Connect], "although nothing waits");
    assert_eq!(feed(&mut queue, Input::Try), [], "it is being tried");
    feed(&mut queue, Input::Failed(Failure::passing("gone")));
    feed(&mut queue, message("a", 1));
    assert!(matches!(queue.phase(), Phase::Resting { .. }));
    assert_eq!(feed(&mut queue, Input::Try), [Effect::Connect]);
    assert_eq!(open(&mut queue, 1, Managed::New), [Effect::Wake]);
    assert_eq!(wrote(&mut queue, 1), "a");
    assert_eq!(feed(&mut queue, Input::Try), [], "a stream is there");
    assert_eq!(feed(&mut queue, Input::GiveBack), [], "and what waits is on its way");
    assert_eq!(feed(&mut queue, acked(1, 1)), [Effect::Done(vec![1])]);
}

#[test]
fn what_waits_is_given_back_from_memory_and_from_the_store_and_no_more_than_that() {
    let mut queue = queue();
    // As after a start: four are in the store, and one was sent since.
    feed(&mut queue, Input::Waiting { newest: 4, held: Held { stanzas: 4, bytes: 4 } });
    feed(&mut queue, message("e", 5));
    feed(&mut queue, Input::Failed(Failure::passing("gone")));
    assert_eq!(queue.held().stanzas, 5);
    let effects = feed(&mut queue, Input::GiveBack);
    assert_eq!(bounced(&effects), [], "none is in memory");
    feed(&mut queue, message("f", 6));
    let entries: Vec<Entry> = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)]
        .map(|(text, parcel)| entry(text, Kind::Message, Some(parcel)))
        .into();
    let effects = feed(&mut queue, Input::Loaded { entries, complete: true });
    let back = |text| (text, Bounce::Timeout);
    assert_eq!(bounced(&effects), ["a", "b", "c", "d", "e"].map(back));
    assert_eq!(queue.held().stanzas, 1, "what was sent afterwards waits");

    let effects = feed(&mut queue, Input::GiveBack);
    assert_eq!(bounced(&effects), [back("f")], "and goes back from memory");
    assert!(queue.is_empty());
}

#[test]
fn as_many_are_said_to_go_back_as_do() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "a");
    feed(&mut queue, message("b", 2));
    assert_eq!(queue.returnable(), 0, "they are on their way");
    // The next stream may go on where that one ended, and tell that the first one has arrived.
    assert_eq!(feed(&mut queue, lost(1)), [Effect::Connect]);
    assert_eq!((queue.held().stanzas, queue.returnable()), (2, 1));
    let back = |text| (text, Bounce::Timeout);
    assert_eq!(bounced(&feed(&mut queue, Input::GiveBack)), [back("b")]);
    assert_eq!((queue.held().stanzas, queue.returnable()), (1, 0));
    feed(&mut queue, Input::Failed(Failure::passing("gone")));
    assert_eq!(queue.returnable(), 1, "there is no stream that it could have arrived on");
    assert_eq!(bounced(&feed(&mut queue, Input::GiveBack)), [back("a")]);
    assert!(queue.is_empty());
}

#[test]
fn a_resumed_stream_repeats_what_was_not_handled() {
    let mut queue = queue();
    for (text, parcel) in [("a", 1), ("b", 2), ("c", 3)] {
        feed(&mut queue, message(text, parcel));
    }
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "abc");
    assert_eq!(feed(&mut queue, lost(1)), [Effect::Connect]);
    assert!(queue.resumable());
    feed(&mut queue, message("d", 4));
    let effects = open(&mut queue, 2, Managed::Resumed(1));
    assert_eq!(effects, [Effect::Done(vec![1]), Effect::Wake]);
    assert_eq!(wrote(&mut queue, 2), "bcd");
}

#[test]
fn a_new_stream_begins_with_what_the_old_one_did_not_bring() {
    for managed in [Managed::New, Managed::Not] {
        let mut queue = queue();
        feed(&mut queue, message("a", 1));
        feed(&mut queue, message("b", 2));
        open(&mut queue, 1, Managed::New);
        assert_eq!(wrote(&mut queue, 1), "ab");
        feed(&mut queue, lost(1));
        feed(&mut queue, message("c", 3));
        open(&mut queue, 2, managed);
        assert_eq!(wrote(&mut queue, 2), "abc");
    }
}

/// A stream without management: asks, and is answered.
fn confirm(queue: &mut Outgoing, carrier: u64) -> Vec<Effect> {
    assert!(queue.ask(NOW, carrier, "question"));
    feed(queue, Input::Flushed { carrier });
    assert!(!queue.ask(NOW, carrier, "another"), "one at a time");
    assert_eq!(feed(queue, Input::Answered("forged".into())), []);
    feed(queue, Input::Answered("question".into()))
}

#[test]
fn presence_that_found_no_room_is_made_up_for_with_the_next_stream() {
    let refused = |queue: &mut Outgoing, kind| {
        let effects = feed(queue, Input::Refused(entry("x", kind, None)));
        assert_eq!(bounced(&effects), [("x", Bounce::Full)]);
    };
    let mut queue = queue();
    refused(&mut queue, Kind::Iq);
    assert_eq!(queue.rest(), Some(Rest::Nothing));
    refused(&mut queue, Kind::Presence);
    assert_eq!(queue.rest(), Some(Rest::Presence { tried: Millis(0) }), "it is not forgotten");
    assert!(open(&mut queue, 1, Managed::New).contains(&Effect::Refresh));
    feed(&mut queue, lost(1));
    assert_eq!(queue.rest(), Some(Rest::Nothing));

    for parcel in 1..=6 {
        feed(&mut queue, message("m", parcel));
    }
    feed(&mut queue, Input::Post(entry("larger", Kind::Presence, None)));
    assert!(!open(&mut queue, 2, Managed::New).contains(&Effect::Refresh), "there was room");
    feed(&mut queue, lost(2));
    feed(&mut queue, Input::Post(entry("too large", Kind::Presence, None)));
    assert!(open(&mut queue, 3, Managed::New).contains(&Effect::Refresh));
}

#[test]
fn no_more_is_written_than_may_be_unacknowledged() {
    let mut queue = queue();
    for (text, parcel) in [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)] {
        feed(&mut queue, message(text, parcel));
    }
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "abcd");
    assert!(!queue.has_more(1));
    feed(&mut queue, acked(1, 2));
    assert!(queue.has_more(1));
    assert_eq!(wrote(&mut queue, 1), "e");
}

#[test]
fn a_domain_that_fails_is_tried_again_later_and_later() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    let mut now = NOW;
    let mut pauses = Vec::new();
    for _ in 0..12 {
        assert_eq!(at(&mut queue, now, Input::Failed(Failure::passing("no"))), []);
        let until = queue.deadline().unwrap();
        pauses.push(until.0 - now.0);
        assert_eq!(at(&mut queue, Millis(until.0 - 1), Input::Tick), []);
        now = until;
        assert_eq!(at(&mut queue, now, Input::Tick), [Effect::Connect]);
    }
    assert!(pauses[0] < 3000 && pauses[1] > pauses[0] && pauses[11] <= LONGEST_REST);
    let (failure, since) = queue.failure().unwrap();
    assert_eq!((failure.reason.as_str(), since), ("no", NOW));
    at(&mut queue, now, Input::Failed(Failure::passing("no")));
    assert_eq!(at(&mut queue, now, Input::Heard), [Effect::Connect]);
    open(&mut queue, 1, Managed::New);
    assert_eq!(queue.failure(), None);
}

#[test]
fn how_soon_a_concealed_failure_was_clear_is_not_told() {
    let mut queue = queue();
    feed(&mut queue, Input::Post(entry("iq", Kind::Iq, None)));
    let refused = Failure::permanent("nothing listens there").concealed();
    assert_eq!(bounced(&feed(&mut queue, Input::Failed(refused))), []);
    // Meanwhile it is tried again, and may be there.
    let before = NOW.plus(29_999);
    assert_eq!(at(&mut queue, before, Input::Tick), [Effect::Connect]);
    let silent = Failure::passing("it takes too long").concealed();
    assert_eq!(bounced(&at(&mut queue, before, Input::Failed(silent))), []);
    let effects = at(&mut queue, NOW.plus(30_000), Input::Tick);
    assert_eq!(bounced(&effects), [("iq", Bounce::Timeout)]);
    // It is the same where nothing was clear until then.
    let mut queue = self::queue();
    feed(&mut queue, Input::Post(entry("iq", Kind::Iq, None)));
    assert_eq!(bounced(&at(&mut queue, before, Input::Tick)), []);
    let effects = at(&mut queue, NOW.plus(30_000), Input::Tick);
    assert_eq!(bounced(&effects), [("iq", Bounce::Timeout)]);
}

#[test]
fn requests_fail_at_once_and_messages_wait_for_their_time() {
    let mut queue = queue();
    feed(&mut queue, Input::Post(entry("iq", Kind::Iq, None)));
    feed(&mut queue, message("a", 1));
    let effects = feed(&mut queue, Input::Failed(Failure::passing("no")));
    assert_eq!(bounced(&effects), [("iq", Bounce::Timeout)]);
    assert_eq!(bounced(&at(&mut queue, NOW.plus(DAY - 1), Input::Tick)), []);
    at(&mut queue, NOW.plus(DAY - 1), Input::Failed(Failure::passing("no")));
    let effects = at(&mut queue, NOW.plus(DAY), Input::Tick);
    assert_eq!(bounced(&effects), [("a", Bounce::Timeout)]);
    assert!(queue.is_empty());
}

#[test]
fn what_is_told_waits_a_moment_for_a_domain_that_starts_anew() {
    let mut queue = queue();
    let away = || Input::Failed(Failure::passing("away"));
    feed(&mut queue, Input::Post(entry("p", Kind::Presence, None)));
    feed(&mut queue, Input::Post(entry("m", Kind::Message, None)));
    assert_eq!(bounced(&feed(&mut queue, away())), []);
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "pm");
    feed(&mut queue, acked(1, 2));
    feed(&mut queue, lost(1));
    feed(&mut queue, Input::Post(entry("q", Kind::Presence, None)));
    assert_eq!(bounced(&feed(&mut queue, away())), []);
    let late = NOW.plus(30_000);
    assert_eq!(bounced(&at(&mut queue, late, Input::Tick)), [("q", Bounce::Timeout)]);
    at(&mut queue, late, Input::Post(Entry { since: late, ..entry("r", Kind::Message, None) }));
    let effects = at(&mut queue, late, away());
    assert_eq!(bounced(&effects), [("r", Bounce::Timeout)], "it is away for longer");
}

#[test]
fn a_domain_that_does_not_exist_returns_everything() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    feed(&mut queue, Input::Post(entry("p", Kind::Presence, None)));
    let effects = feed(&mut queue, Input::Failed(Failure::permanent("no such name")));
    assert_eq!(bounced(&effects), [("a", Bounce::NotFound), ("p", Bounce::NotFound)]);
    feed(&mut queue, message("b", 2));
    assert!(open(&mut queue, 1, Managed::New).contains(&Effect::Refresh));
}

#[test]
fn what_was_written_and_never_acknowledged_goes_back_in_time_too() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    open(&mut queue, 1, Managed::New);
    wrote(&mut queue, 1);
    feed(&mut queue, lost(1));
    feed(&mut queue, Input::Failed(Failure::passing("no")));
    let effects = at(&mut queue, NOW.plus(DAY), Input::Tick);
    assert_eq!(bounced(&effects), [("a", Bounce::Timeout)]);
}

#[test]
fn a_full_queue_refuses_what_is_not_durable() {
    let mut queue = queue();
    for parcel in 1..=6 {
        feed(&mut queue, message("m", parcel));
    }
    let iq = || Input::Post(entry("iq", Kind::Iq, None));
    for _ in 0..3 {
        assert_eq!(bounced(&feed(&mut queue, iq())), [], "there is room for its bytes");
    }
    assert_eq!(bounced(&feed(&mut queue, iq())), [("iq", Bounce::Full)]);
    assert_eq!(bounced(&feed(&mut queue, message("n", 7))), []);
    assert!(queue.spilled());
}

#[test]
fn everybody_in_a_large_room_can_be_told_to_one_domain_at_once() {
    let mut queue = Outgoing::new(Bounds::with_bounce(DAY));
    for number in 0..1000 {
        let bytes = Bytes::from(vec![b'x'; 10_000]);
        let one = Entry { bytes, ..entry("", Kind::Presence, None) };
        assert_eq!(bounced(&feed(&mut queue, Input::Post(one))), [], "{number}");
    }
    assert_eq!(queue.fleeting().count(), 1000);
}

#[test]
fn a_stream_that_gets_nowhere_does_not_keep_messages_from_going_back() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "a");
    let due = NOW.plus(DAY);
    let late = Entry { since: NOW.plus(1), ..entry("b", Kind::Message, Some(2)) };
    at(&mut queue, late.since, Input::Post(late));
    // The peer is there, and has handled nothing.
    for minute in 1..=DAY / ANSWER {
        let now = NOW.plus(minute * ANSWER - 1);
        assert_eq!(bounced(&at(&mut queue, now, acked(1, 0))), []);
        assert_eq!(bounced(&at(&mut queue, now, Input::Tick)), []);
    }
    assert_eq!(queue.deadline(), Some(due));
    let effects = at(&mut queue, due, Input::Tick);
    assert_eq!(bounced(&effects), [("a", Bounce::Timeout)]);
    assert!(effects.contains(&Effect::Wake), "the stream ends");
    assert_eq!(queue.phase(), Phase::Connecting, "and another one carries what is left");
    assert_eq!(bounced(&at(&mut queue, due, lost(1))), []);
    at(&mut queue, due, Input::Opened { carrier: 2, managed: Managed::New });
    assert_eq!(wrote(&mut queue, 2), "b");
    assert_eq!(at(&mut queue, due.plus(1), acked(2, 1)), [Effect::Done(vec![2])]);
}

#[test]
fn what_comes_to_a_stream_late_has_its_time_to_be_acknowledged() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    feed(&mut queue, Input::Failed(Failure::passing("no")));
    let late = NOW.plus(DAY - 1000);
    at(&mut queue, late, Input::Opened { carrier: 1, managed: Managed::New });
    assert_eq!(wrote(&mut queue, 1), "a");
    assert_eq!(bounced(&at(&mut queue, late.plus(ANSWER - 1), Input::Tick)), []);
    assert_eq!(at(&mut queue, late.plus(ANSWER - 1), acked(1, 1)), [Effect::Done(vec![1])]);
}

#[test]
fn a_peer_that_acknowledges_something_has_not_stalled() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    feed(&mut queue, message("b", 2));
    open(&mut queue, 1, Managed::New);
    wrote(&mut queue, 1);
    queue.note_stall();
    feed(&mut queue, lost(1));
    open(&mut queue, 2, Managed::Resumed(0));
    feed(&mut queue, acked(2, 0));
    assert!(queue.has_stalled() && queue.unacked() == 2);
    feed(&mut queue, acked(2, 1));
    assert!(!queue.has_stalled() && queue.unacked() == 1);
}

#[test]
fn what_is_larger_than_the_other_side_takes_goes_back_and_ends_no_stream() {
    let mut queue = queue();
    feed(&mut queue, message("much too large", 1));
    feed(&mut queue, message("small", 2));
    feed(&mut queue, Input::Limited(Some(5)));
    let effects = open(&mut queue, 7, Managed::New);
    assert_eq!(bounced(&effects), [("much too large", Bounce::TooLarge)]);
    assert_eq!(wrote(&mut queue, 7), "small");
    let effects = feed(&mut queue, message("also too large", 3));
    assert_eq!(bounced(&effects), [("also too large", Bounce::TooLarge)]);
    feed(&mut queue, Input::Waiting { newest: 4, held: Held::default() });
    let parcel = entry("loaded, too large", Kind::Message, Some(4));
    let effects = feed(&mut queue, Input::Loaded { entries: vec![parcel], complete: true });
    assert_eq!(bounced(&effects), [("loaded, too large", Bounce::TooLarge)]);
    feed(&mut queue, Input::Limited(None));
    assert_eq!(bounced(&feed(&mut queue, message("taken, as nothing is said", 5))), []);
}

#[test]
fn what_was_written_before_the_limit_was_known_is_not_written_again() {
    let mut queue = queue();
    feed(&mut queue, message("it ended the stream", 1));
    open(&mut queue, 1, Managed::New);
    wrote(&mut queue, 1);
    feed(&mut queue, lost(1));
    feed(&mut queue, Input::Limited(Some(5)));
    let effects = open(&mut queue, 2, Managed::New);
    assert_eq!(bounced(&effects), [("it ended the stream", Bounce::TooLarge)]);
    assert_eq!(wrote(&mut queue, 2), "");
}
