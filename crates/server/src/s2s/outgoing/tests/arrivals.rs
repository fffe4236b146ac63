//! Streams without management: what has arrived, and what happens when nobody says so.

use super::{super::arrivals::SILENT_ANSWER, *};

#[test]
fn without_management_what_was_written_has_arrived_when_a_question_behind_it_is_answered() {
    let mut queue = queue();
    feed(&mut queue, message("a", 1));
    feed(&mut queue, Input::Post(entry("iq", Kind::Iq, None)));
    open(&mut queue, 1, Managed::Not);
    assert_eq!(wrote(&mut queue, 1), "aiq");
    assert!(queue.ask(NOW, 1, "first"));
    assert_eq!(feed(&mut queue, Input::Flushed { carrier: 1 }), []);
    feed(&mut queue, message("b", 2));
    assert_eq!(wrote(&mut queue, 1), "b");
    feed(&mut queue, Input::Flushed { carrier: 1 });
    let effects = feed(&mut queue, Input::Answered("first".into()));
    assert_eq!(effects, [Effect::Done(vec![1]), Effect::Wake], "the second came later");
    assert_eq!(confirm(&mut queue, 1), [Effect::Done(vec![2])]);
    assert!(!queue.ask(NOW, 1, "nothing to ask"));
    feed(&mut queue, message("c", 3));
    assert_eq!(wrote(&mut queue, 1), "c");
    assert!(queue.ask(NOW, 1, "last"));
    feed(&mut queue, lost(1));
    open(&mut queue, 2, Managed::Not);
    assert_eq!(wrote(&mut queue, 2), "c", "it may never have arrived");
}

/// Time passes until the open question counts as unanswered.
fn silence(queue: &mut Outgoing, carrier: u64) -> Vec<Effect> {
    let due = queue.answer_due().expect("a question");
    at(queue, due, Input::Silent { carrier })
}

/// A message that was written to a stream without management, with a question behind it.
fn asking(text: &'static str) -> Outgoing {
    let mut queue = queue();
    feed(&mut queue, message(text, 1));
    open(&mut queue, 1, Managed::Not);
    assert_eq!(wrote(&mut queue, 1), text);
    assert!(queue.ask(NOW, 1, "question"));
    feed(&mut queue, Input::Flushed { carrier: 1 });
    queue
}

#[test]
fn what_a_failed_network_swallowed_before_the_first_answer_is_sent_again_after_a_rest() {
    let mut queue = asking("a");
    assert_eq!(queue.answer_due(), Some(NOW.plus(ANSWER)));
    assert_eq!(silence(&mut queue, 1), [], "nothing counts as arrived");
    let Phase::Resting { until } = queue.phase() else { panic!("{:?}", queue.phase()) };
    assert!(until > NOW.plus(ANSWER), "not at once");
    assert!(queue.failure().is_some(), "the operator sees why");
    assert_eq!(feed(&mut queue, lost(1)), [], "the stream says so as well");
    assert_eq!(at(&mut queue, until, Input::Tick), [Effect::Connect]);
    open(&mut queue, 2, Managed::Not);
    assert_eq!(wrote(&mut queue, 2), "a");
    assert_eq!(confirm(&mut queue, 2), [Effect::Done(vec![1])]);
    // As if nothing had been.
    feed(&mut queue, message("b", 2));
    wrote(&mut queue, 2);
    assert!(queue.ask(NOW, 2, "question"));
    assert_eq!(queue.answer_due(), Some(NOW.plus(ANSWER)));
    assert_eq!(silence(&mut queue, 2), []);
    open(&mut queue, 3, Managed::Not);
    assert_eq!(wrote(&mut queue, 3), "b");
}

#[test]
fn who_cannot_answer_gets_nothing_more_than_twice() {
    let mut queue = asking("a");
    silence(&mut queue, 1);
    assert!(!queue.is_silent());
    open(&mut queue, 2, Managed::Not);
    assert_eq!(wrote(&mut queue, 2), "a");
    assert!(queue.ask(NOW, 2, "question"));
    feed(&mut queue, Input::Flushed { carrier: 2 });
    feed(&mut queue, message("b", 2));
    assert_eq!(wrote(&mut queue, 2), "b");
    feed(&mut queue, Input::Flushed { carrier: 2 });
    assert_eq!(silence(&mut queue, 2), [Effect::Done(vec![1]), Effect::Wake], "b came later");
    assert!(queue.is_silent());
    assert!(queue.ask(NOW, 2, "again"), "it may have learnt to answer");
    assert_eq!(queue.answer_due(), Some(NOW.plus(SILENT_ANSWER)), "and is not waited for as long");
    assert_eq!(silence(&mut queue, 2), [Effect::Done(vec![2])]);
    // Nor is anything repeated on the streams that follow.
    feed(&mut queue, lost(2));
    feed(&mut queue, message("c", 3));
    open(&mut queue, 3, Managed::Not);
    assert_eq!(wrote(&mut queue, 3), "c");
    assert!(queue.ask(NOW, 3, "question"));
    assert_eq!(silence(&mut queue, 3), [Effect::Done(vec![3])]);
    assert_eq!(queue.phase(), Phase::Online { carrier: 3 });
    feed(&mut queue, message("d", 4));
    wrote(&mut queue, 3);
    assert_eq!(confirm(&mut queue, 3), [Effect::Done(vec![4])]);
    assert!(!queue.is_silent());
}

#[test]
fn silence_on_a_stream_that_is_over_means_nothing() {
    let mut queue = asking("a");
    assert_eq!(feed(&mut queue, Input::Silent { carrier: 7 }), []);
    assert_eq!(queue.phase(), Phase::Online { carrier: 1 });
    assert_eq!(feed(&mut queue, Input::Answered("question".into())), [Effect::Done(vec![1])]);
    assert_eq!(feed(&mut queue, Input::Silent { carrier: 1 }), [], "it was answered in time");
    assert_eq!(queue.phase(), Phase::Online { carrier: 1 });
}

#[test]
fn without_management_no_more_is_written_than_may_be_lost() {
    let mut queue = queue();
    for parcel in 1..=6 {
        feed(&mut queue, message("m", parcel));
    }
    open(&mut queue, 1, Managed::Not);
    assert_eq!(wrote(&mut queue, 1), "mmmm");
    assert!(!queue.has_more(1));
    assert_eq!(confirm(&mut queue, 1), [Effect::Done(vec![1, 2, 3, 4]), Effect::Wake]);
    assert_eq!(wrote(&mut queue, 1), "mm");
}
