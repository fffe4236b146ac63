//! What waits in the store because it does not fit into memory, or from before a start.

use super::{super::stored::BATCH, *};

#[test]
fn what_does_not_fit_is_read_back_in_order() {
    let mut queue = queue();
    let texts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (text, parcel) in texts.into_iter().zip(1..) {
        feed(&mut queue, message(text, parcel));
    }
    open(&mut queue, 1, Managed::Not);
    assert_eq!(wrote(&mut queue, 1), "abcd");
    let effects = feed(&mut queue, Input::Flushed { carrier: 1 });
    assert!(effects.contains(&Effect::Load { after: 6, limit: BATCH }), "{effects:?}");
    // One that comes meanwhile stays behind those in the store.
    assert_eq!(feed(&mut queue, message("i", 9)), []);
    let entries = vec![
        entry("g", Kind::Message, Some(7)),
        entry("h", Kind::Message, Some(8)),
        entry("i", Kind::Message, Some(9)),
    ];
    feed(&mut queue, Input::Loaded { entries, complete: true });
    feed(&mut queue, message("j", 10));
    confirm(&mut queue, 1);
    assert_eq!(wrote(&mut queue, 1), "efgh");
    confirm(&mut queue, 1);
    assert_eq!(wrote(&mut queue, 1), "ij");
}

#[test]
fn a_store_that_cannot_be_read_is_asked_again_later() {
    let mut queue = queue();
    let held = Held { stanzas: 1, bytes: 1 };
    let load = Effect::Load { after: 0, limit: BATCH };
    assert!(feed(&mut queue, Input::Waiting { newest: 1, held }).contains(&load));
    assert_eq!(feed(&mut queue, Input::LoadFailed), []);
    let due = queue.deadline().expect("a time to try again");
    assert!(due > NOW);
    assert_eq!(feed(&mut queue, Input::Tick), []);
    assert_eq!(at(&mut queue, due, Input::Tick), [load]);
}

#[test]
fn everything_that_waits_is_counted_wherever_it_is() {
    let mut queue = queue();
    let held = |stanzas, bytes| Held { stanzas, bytes };
    for parcel in 1..=7 {
        feed(&mut queue, message("four", parcel));
    }
    assert_eq!(queue.held(), held(7, 28), "six in memory");
    open(&mut queue, 1, Managed::New);
    wrote(&mut queue, 1);
    assert_eq!(queue.held(), held(7, 28), "what was written may be lost");
    feed(&mut queue, acked(1, 4));
    assert_eq!(queue.held(), held(3, 12));
    feed(&mut queue, Input::Loaded { entries: Vec::new(), complete: true });
    assert_eq!(queue.held(), held(2, 8), "one went with its account");
    feed(&mut queue, lost(1));
    open(&mut queue, 2, Managed::Not);
    assert_eq!(wrote(&mut queue, 2), "fourfour");
    assert_eq!(queue.held(), held(2, 8));
    confirm(&mut queue, 2);
    assert_eq!(queue.held(), held(0, 0));
    assert!(queue.is_empty());
}

#[test]
fn what_waited_before_a_start_is_loaded_and_sent() {
    let mut queue = queue();
    let effects =
        feed(&mut queue, Input::Waiting { newest: 5, held: Held { stanzas: 1, bytes: 1 } });
    assert_eq!(effects, [Effect::Load { after: 0, limit: BATCH }, Effect::Connect]);
    let entries = vec![entry("a", Kind::Message, Some(5))];
    feed(&mut queue, Input::Loaded { entries, complete: true });
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "a");
}

#[test]
fn nothing_overtakes_what_is_read_from_the_store() {
    let mut queue = queue();
    feed(&mut queue, Input::Waiting { newest: 5, held: Held { stanzas: 1, bytes: 1 } });
    open(&mut queue, 1, Managed::New);
    feed(&mut queue, Input::Post(entry("p", Kind::Presence, None)));
    feed(&mut queue, message("m", 6));
    feed(&mut queue, Input::Post(entry("q", Kind::Presence, None)));
    assert_eq!(queue.held(), Held { stanzas: 4, bytes: 4 });
    assert_eq!(wrote(&mut queue, 1), "");
    let entries = vec![entry("a", Kind::Message, Some(5))];
    feed(&mut queue, Input::Loaded { entries, complete: true });
    assert_eq!(wrote(&mut queue, 1), "ap");
    let entries = vec![entry("m", Kind::Message, Some(6))];
    feed(&mut queue, Input::Loaded { entries, complete: true });
    assert_eq!(wrote(&mut queue, 1), "mq");
    feed(&mut queue, acked(1, 4));
    assert!(queue.is_empty());
}

#[test]
fn what_waits_behind_the_store_goes_back_with_everything_else() {
    let mut queue = queue();
    feed(&mut queue, Input::Waiting { newest: 5, held: Held { stanzas: 1, bytes: 1 } });
    feed(&mut queue, Input::Post(entry("iq", Kind::Iq, None)));
    let effects = feed(&mut queue, Input::Failed(Failure::passing("no")));
    assert_eq!(bounced(&effects), [("iq", Bounce::Timeout)]);
    assert_eq!(queue.held(), Held { stanzas: 1, bytes: 1 });
}

#[test]
fn what_is_posted_while_the_store_is_read_is_not_forgotten() {
    let mut queue = queue();
    queue.bounds.stanzas = 4;
    for (text, parcel) in ["a", "b", "c", "d", "e"].into_iter().zip(1..) {
        feed(&mut queue, message(text, parcel));
    }
    open(&mut queue, 1, Managed::New);
    assert_eq!(wrote(&mut queue, 1), "abcd");
    let load = feed(&mut queue, acked(1, 4));
    assert!(load.contains(&Effect::Load { after: 4, limit: BATCH }), "{load:?}");
    // It comes when the store has been read and before the queue hears of that.
    feed(&mut queue, message("f", 6));
    let entries = vec![entry("e", Kind::Message, Some(5))];
    let again = feed(&mut queue, Input::Loaded { entries, complete: true });
    assert!(again.contains(&Effect::Load { after: 5, limit: BATCH }), "{again:?}");
    let entries = vec![entry("f", Kind::Message, Some(6))];
    feed(&mut queue, Input::Loaded { entries, complete: true });
    assert_eq!(wrote(&mut queue, 1), "ef");
}
