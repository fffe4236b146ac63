//! What every backend must do, as ordinary async functions over the traits. Each takes an empty store
//! and panics when the store does not keep its word.
//!
//! A backend's tests call [`crate::conformance_tests`] with a function that makes a store and runs one
//! case with it. A new case is a function here and a line in the list of that macro.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::accounts::NewAccount;
use crate::{AccountId, Millis, Store};

pub mod accounts;
pub mod archive;
pub mod audit;
pub mod blocks;
pub mod documents;
pub mod endpoints;
pub mod invites;
pub mod outbox;
pub mod prefs;
pub mod pubsub;
pub mod push;
pub mod requests;
pub mod retentions;
pub mod rooms;
pub mod roster;
pub mod sessions;
pub mod tokens;
pub mod uploads;

/// A case at work.
pub type Case<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Makes a test of every case. The argument is the full path of a function that takes
/// `impl for<'a> FnOnce(&'a Store) -> Case<'a>`, opens an empty store and runs it.
#[macro_export]
macro_rules! conformance_tests {
    ($run:path) => {
        $crate::conformance_tests! { $run;
            accounts {
                an_account_is_found_by_name_and_number
                a_name_is_given_once
                credentials_are_added_beside_those_that_are_there
                credentials_are_replaced_as_a_whole
                accounts_are_listed_in_order_of_name
                accounts_that_lack_a_hash_are_counted
                properties_change_one_by_one
                a_deleted_name_is_reserved
                deleting_an_account_removes_all_of_it
                an_invitation_is_used_with_the_account
                a_refused_account_leaves_the_invitation_alone
            }
            roster {
                an_unknown_roster_is_empty
                items_come_back_as_put
                every_change_has_a_version
                differences_tell_what_changed
                old_versions_are_forgotten
                requests_wait_until_answered
                requests_are_bounded
            }
            blocks {
                a_list_is_a_set
                a_list_is_bounded
            }
            prefs {
                preferences_are_replaced
                rules_are_bounded
            }
            archive {
                rows_come_back_in_order
                a_unit_is_kept_whole_or_not_at_all
                ids_are_never_taken_twice
                tickets_are_told_in_order
                the_tail_counts_on_after_everything_is_gone
                the_tail_knows_the_origins
                pages_follow_each_other_forwards
                pages_follow_each_other_backwards
                a_page_is_flipped_only_inside
                unknown_ids_are_named
                a_bare_address_matches_every_resource
                times_are_inclusive
                ids_are_chosen_exactly
                counts_and_indexes_agree
                the_ends_are_the_visible_ones
                an_account_knows_to_whom_it_wrote
                waiting_rows_are_delivered_once
                hidden_rows_go_when_delivered
                rows_can_wait_again
                expiry_takes_the_old_ones_only
                a_purge_leaves_the_other_side_its_copy
                reads_see_what_was_appended_before
                a_jumping_clock_disturbs_nothing
            }
            retentions {
                what_was_said_is_kept
                an_archive_with_a_retention_of_its_own_keeps_to_it
                much_of_one_archive_goes_in_portions
                what_waits_for_a_device_is_kept_apart
            }
            outbox {
                parcels_wait_until_they_are_done
                a_parcel_and_its_archive_row_are_one_unit
                a_parcel_goes_once_its_sender_is_told
                parcels_of_a_deleted_account_are_gone
                domains_that_were_reached_are_known_for_a_while
            }
            documents {
                a_document_is_replaced_and_deleted
                the_quota_counts_keys_and_bodies
                keys_are_listed_by_prefix
            }
            pubsub {
                nodes_are_made_once_and_deleted_whole
                affiliations_and_subscriptions_are_kept_by_address
                changes_are_all_or_nothing
                a_publication_makes_the_node_it_expects_to_make
                the_newest_stay_when_a_node_is_full
                the_quota_holds
                a_share_is_bounded
                items_are_read_in_pages
                items_have_two_orders
                the_service_has_nodes_and_is_no_account
                pages_are_bounded_in_bytes
                expired_items_are_gone
                items_come_back_as_published
                nodes_belong_to_one_account
            }
            push {
                a_service_and_node_are_one_registration
                registrations_are_forgotten
                details_change_while_the_registration_is_the_same
            }
            tokens {
                a_device_has_two_slots
                using_the_new_token_ends_the_old
                a_counter_only_grows
                tokens_are_revoked_and_expire
                devices_make_room
            }
            rooms {
                rooms_are_made_once
                lists_are_changed_by_address
                rooms_are_listed_by_name
                visits_are_taken_once
                a_room_has_an_archive
            }
            endpoints {
                an_address_is_renewed
                an_ended_address_is_not_renewed
                addresses_of_an_account_are_bounded
                messages_wait_for_their_device
                an_unknown_application_loses_its_address
                messages_are_bounded
                what_has_ended_is_forgotten
            }
            uploads {
                a_slot_becomes_a_file_once
                slots_count_against_the_quota
                unused_slots_are_bounded
                files_are_listed_from_both_ends
                purposes_have_quotas_of_their_own
                what_goes_is_left_over_until_cleared
                usage_follows_what_comes_and_goes
                files_and_slots_expire
            }
            invites {
                an_invitation_is_used_up
                a_reset_takes_the_use_and_sets_the_keys_or_does_neither
                other_keys_end_the_other_ways_in_or_nothing_changes
                an_invitation_ends
                invitations_are_listed_newest_first
                deleting_the_inviter_ends_the_invitation
            }
            requests {
                a_request_is_decided_once
                requests_expire
                open_requests_are_bounded
            }
            audit {
                entries_are_a_chain
                old_entries_go_from_the_beginning
                entries_are_about_everybody_they_name
            }
            sessions {
                sessions_are_taken_once
                sessions_of_deleted_accounts_are_gone
            }
        }
    };
    ($run:path; $($domain:ident { $($case:ident)* })*) => {
        $(mod $domain {
            $(#[test]
            fn $case() {
                $run(|store| Box::pin($crate::conformance::$domain::$case(store)));
            })*
        })*
    };
}

/// Runs a future on this thread, which sleeps while it waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// An account of this name without keys.
pub(crate) fn new_account(name: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        credentials: Vec::new(),
        admin: false,
        ignore_reservation: false,
        created_at: Millis(1000),
        invited_by: None,
        invite: None,
    }
}

/// Creates an account.
pub(crate) async fn account(store: &Store, name: &str) -> AccountId {
    store.accounts.create(new_account(name)).await.expect("the account is created")
}

/// A number no account has.
pub(crate) fn missing() -> AccountId {
    AccountId(9999)
}
