//! What every store must do, as ordinary functions over the traits. Each takes an empty store and
//! panics when the store does not keep its word.
//!
//! A store's tests call [`crate::conformance_tests`] with a function that makes an empty store and
//! gives it to the case. A new case is a function here and a line in the list of that macro.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{
    Contact, Content, Conversation, Encryption, EncryptionMode, Message, MessageId, Mute, Notify,
    Position, Store, Subscription,
};

pub mod conversations;
pub mod devices;
pub mod look;
pub mod outbox;
pub mod people;
pub mod profile;
pub mod steps;
pub mod timeline;
pub mod traces;

/// One case.
pub type Case = fn(&dyn Store);

/// Makes a test of every case. The argument is the full path of a function that takes a
/// [`Case`](crate::store::conformance::Case) and runs it with an empty store.
#[macro_export]
macro_rules! conformance_tests {
    ($run:path) => { $crate::conformance_tests! { @list [tests $run] } };
    (@list $what:tt) => {
        $crate::conformance_tests! { @make $what
            steps {
                a_step_is_seen_by_its_own_reads
                a_step_that_is_rolled_back_never_happened
                a_step_that_was_left_open_is_dropped
                a_write_without_a_step_stays
                rolling_back_nothing_is_harmless
                all_kinds_of_rows_are_rolled_back
                a_wiped_store_is_empty_and_usable
            }
            profile {
                a_login_is_replaced_as_a_whole
                values_are_kept_by_name
                values_have_a_limit
                media_are_kept_by_key
                media_have_a_limit
            }
            people {
                contacts_are_replaced_and_removed
                archives_begin_unknown
                archives_belong_to_their_owner
            }
            conversations {
                conversations_are_replaced
            }
            timeline {
                numbers_are_given_and_not_reused
                a_message_comes_back_as_it_was
                a_message_that_is_not_there_is_not_made
                pages_follow_each_other
                positions_order_and_may_change
                equal_positions_follow_the_order_of_arrival
                the_largest_position_is_a_position
                messages_are_found_by_their_ids
                the_newest_of_several_is_found
                changed_ids_are_found_and_old_ones_are_not
            }
            traces {
                traces_are_found_by_what_others_call_the_message
                traces_outlive_what_they_are_of
                what_is_hidden_is_seen_nowhere_and_goes_a_part_at_a_time
                hiding_is_part_of_a_step_and_can_be_done_again
            }
            look {
                words_are_found_without_case
                all_words_must_be_there
                a_look_can_be_narrowed
                parts_follow_each_other_to_the_end
                a_part_ends_when_enough_is_found
                equal_positions_are_not_lost_between_parts
                a_part_may_begin_where_nothing_is_any_more
                files_are_found_by_their_kind
                what_was_taken_back_is_not_found
            }
            outbox {
                stanzas_come_in_order
                a_stanza_is_replaced_in_its_place
            }
            devices {
                own_keys_are_replaced
                device_lists_are_kept_by_version
                identities_are_kept_by_key
                ratchets_are_kept_by_owner_device_and_version
            }
        }
    };
    (@make [tests $run:path] $($domain:ident { $($case:ident)* })*) => {
        $(mod $domain {
            $(#[test]
            fn $case() {
                $run($crate::store::conformance::$domain::$case);
            })*
        })*
    };
    (@make [cases] $($domain:ident { $($case:ident)* })*) => {
        &[$($((concat!(stringify!($domain), "::", stringify!($case)), $domain::$case as Case),)*)*]
    };
}

/// Every case with its name, for programs that have no test runner.
pub const CASES: &[(&str, Case)] = conformance_tests!(@list [cases]);

/// An address.
///
/// # Panics
/// It is none.
#[must_use]
pub fn address(text: &str) -> BareJid {
    BareJid::new(text).expect("an address")
}

/// A contact without anything special.
#[must_use]
pub fn contact(of: &str) -> Contact {
    Contact {
        address: address(of),
        in_roster: true,
        name: Some("Somebody".into()),
        nickname: None,
        groups: vec!["Friends".into()],
        subscription: Subscription::Both,
        asked: false,
        asks: false,
        avatar: None,
        blocked: false,
    }
}

/// A conversation without messages.
#[must_use]
pub fn conversation(with: &str) -> Conversation {
    Conversation {
        address: address(with),
        draft: String::new(),
        read_up_to: None,
        unread: 0,
        latest: None,
        order: Position(0),
        mute: Mute::No,
        pinned: false,
        shown: true,
        encryption: EncryptionMode::Omemo,
        accepted: true,
        announced: false,
        room: false,
        mentions: 0,
        notify: Notify::Usual,
        wallpaper: None,
        cleared: None,
        deleted: false,
    }
}

/// A text from the other side of a conversation.
#[must_use]
pub fn message(conversation: &str, position: u64, text: &str) -> Message {
    Message {
        id: MessageId(0),
        conversation: address(conversation),
        position: Position(position),
        sender: address(conversation),
        own: false,
        time: Millis(1_700_000_000_000),
        content: Content::Text(text.into()),
        origin_id: None,
        archive_id: None,
        encryption: Encryption::None,
        delivery: None,
        reached: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        starred: false,
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: crate::store::Way::default(),
        occupant: None,
    }
}

/// The texts of messages, in their order.
///
/// # Panics
/// One is not a text.
#[must_use]
pub fn texts(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| match &message.content {
            Content::Text(text) => text.as_str(),
            other => panic!("a text, not {other:?}"),
        })
        .collect()
}

/// Everything in one step.
///
/// # Panics
/// The store refuses.
pub fn in_step<T>(store: &dyn Store, work: impl FnOnce() -> T) -> T {
    store.begin().expect("begun");
    let result = work();
    store.commit().expect("committed");
    result
}
