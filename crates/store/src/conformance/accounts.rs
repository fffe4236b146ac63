//! What keeping accounts means.

use super::archive::message;
use super::{account, missing, new_account};
use crate::accounts::{Change, CreateError, Credential, NewAccount};
use crate::archive::Query;
use crate::documents::SaveError;
use crate::invites::{Kind, NewInvite, TokenHash};
use crate::roster::{self, Item};
use crate::{AccountId, Millis, SecretBytes, Store};

fn credential(hash: u8) -> Credential {
    Credential {
        hash,
        iterations: 10_000,
        salt: vec![1, 2, 3],
        stored_key: SecretBytes(vec![hash; 32]),
        server_key: SecretBytes(vec![hash + 1; 32]),
    }
}

fn invite(hash: u8, created_by: Option<AccountId>) -> NewInvite {
    NewInvite {
        hash: TokenHash([hash; 32]),
        kind: Kind::Account,
        created_by,
        created_at: Millis(1),
        name: None,
        subject: None,
        expires_at: Millis(5000),
        uses: 1,
        admin: false,
        note: "".into(),
    }
}

/// Accounts without any keys cannot log in anyway; those that may not do not count.
pub async fn accounts_that_lack_a_hash_are_counted(store: &Store) {
    let with = async |name: &str, hashes: &[u8]| {
        let credentials = hashes.iter().copied().map(credential).collect();
        let new = NewAccount { credentials, ..new_account(name) };
        store.accounts.create(new).await.unwrap()
    };
    with("none", &[]).await;
    with("both", &[1, 2]).await;
    assert_eq!(store.accounts.lacking(2).await.unwrap(), 0);
    let old = with("old", &[1]).await;
    assert_eq!(store.accounts.lacking(2).await.unwrap(), 1);
    assert_eq!(store.accounts.lacking(1).await.unwrap(), 0);
    store.accounts.change(old, Change::Disabled(true)).await.unwrap();
    assert_eq!(store.accounts.lacking(2).await.unwrap(), 0);
}

/// Both ways lead to the same row.
pub async fn an_account_is_found_by_name_and_number(store: &Store) {
    let romeo = account(store, "romeo").await;
    let new = NewAccount { admin: true, invited_by: Some(romeo), ..new_account("juliet") };
    let juliet = store.accounts.create(new).await.expect("created");
    let found = store.accounts.by_name("juliet").await.expect("read").expect("there");
    assert_eq!(store.accounts.by_id(juliet).await, Ok(Some(found.clone())));
    assert_eq!((found.id, found.admin, found.disabled), (juliet, true, false));
    assert_eq!((found.created_at, found.last_login), (Millis(1000), None));
    assert_eq!(found.invited_by, Some(romeo));
    assert_eq!(store.accounts.admins().await, Ok(vec![found]));
    assert_eq!(store.accounts.by_name("nurse").await, Ok(None));
    assert_eq!(store.accounts.by_id(missing()).await, Ok(None));
}

/// Names are unique.
pub async fn a_name_is_given_once(store: &Store) {
    account(store, "juliet").await;
    let again = store.accounts.create(new_account("juliet")).await;
    assert_eq!(again, Err(CreateError::Exists));
    assert_eq!(store.accounts.count().await, Ok(1));
}

/// New keys replace all old ones.
pub async fn credentials_are_replaced_as_a_whole(store: &Store) {
    let new =
        NewAccount { credentials: vec![credential(1), credential(2)], ..new_account("juliet") };
    let juliet = store.accounts.create(new).await.expect("created");
    let keys = store.accounts.credentials(juliet).await.expect("read");
    assert_eq!(keys, [credential(1), credential(2)]);
    assert_eq!(store.accounts.set_credentials(juliet, vec![credential(3)]).await, Ok(true));
    assert_eq!(store.accounts.credentials(juliet).await, Ok(vec![credential(3)]));
    assert_eq!(store.accounts.set_credentials(missing(), vec![credential(3)]).await, Ok(false));
    assert_eq!(store.accounts.credentials(missing()).await, Ok(vec![]));
    let (account, keys) = store.accounts.login("juliet").await.expect("read").expect("exists");
    assert_eq!((account.id, keys), (juliet, vec![credential(3)]));
    assert_eq!(store.accounts.login("nobody").await, Ok(None));
}

/// Added keys never replace any.
pub async fn credentials_are_added_beside_those_that_are_there(store: &Store) {
    let new = NewAccount { credentials: vec![credential(1)], ..new_account("juliet") };
    let juliet = store.accounts.create(new).await.expect("created");
    let other = Credential { iterations: 1, ..credential(1) };
    let added = store.accounts.add_credentials(juliet, vec![other, credential(2)]).await;
    assert_eq!(added, Ok(1));
    let keys = store.accounts.credentials(juliet).await;
    assert_eq!(keys, Ok(vec![credential(1), credential(2)]));
    assert_eq!(store.accounts.add_credentials(juliet, vec![credential(2)]).await, Ok(0));
    assert_eq!(store.accounts.add_credentials(missing(), vec![credential(2)]).await, Ok(0));
}

/// Lists continue after a name.
pub async fn accounts_are_listed_in_order_of_name(store: &Store) {
    for name in ["romeo", "juliet", "nurse"] {
        account(store, name).await;
    }
    let names = async |after, limit| -> Vec<String> {
        let list = store.accounts.list(after, limit).await.expect("read");
        list.into_iter().map(|account| account.name.into()).collect()
    };
    assert_eq!(names(None, 2).await, ["juliet", "nurse"]);
    assert_eq!(names(Some("nurse"), 2).await, ["romeo"]);
    assert_eq!(store.accounts.count().await, Ok(3));
}

/// A change touches one property.
pub async fn properties_change_one_by_one(store: &Store) {
    let juliet = account(store, "juliet").await;
    for change in [Change::Disabled(true), Change::Admin(true), Change::LastLogin(Millis(7))] {
        assert_eq!(store.accounts.change(juliet, change).await, Ok(true));
        assert_eq!(store.accounts.change(missing(), change).await, Ok(false));
    }
    let found = store.accounts.by_id(juliet).await.expect("read").expect("there");
    assert!(found.disabled && found.admin);
    assert_eq!(store.accounts.admins().await.expect("read"), []);
    assert_eq!(found.last_login, Some(Millis(7)));
}

/// A stranger cannot take over the address at once.
pub async fn a_deleted_name_is_reserved(store: &Store) {
    let juliet = account(store, "juliet").await;
    assert_eq!(store.accounts.delete(juliet, Millis(2000)).await, Ok(true));
    assert_eq!(store.accounts.delete(juliet, Millis(2000)).await, Ok(false));
    let refused = store.accounts.create(new_account("juliet")).await;
    assert_eq!(refused, Err(CreateError::Reserved { until: Millis(2000) }));
    let given_away = NewAccount { ignore_reservation: true, ..new_account("juliet") };
    let second = store.accounts.create(given_away).await.expect("created");
    assert_ne!(second, juliet, "the number was used again");
    assert_eq!(store.accounts.delete(second, Millis(2000)).await, Ok(true));
    let later = NewAccount { created_at: Millis(2000), ..new_account("juliet") };
    let third = store.accounts.create(later).await.expect("the reservation is over");
    assert_eq!(store.accounts.delete(third, Millis(2000)).await, Ok(true));
    assert_eq!(store.accounts.expire_reservations(Millis(1999)).await, Ok(0));
    assert_eq!(store.accounts.expire_reservations(Millis(2000)).await, Ok(1), "the name is kept");
    assert_eq!(store.accounts.expire_reservations(Millis(2000)).await, Ok(0));
}

/// Nothing is left to read, also when it has the number still.
pub async fn deleting_an_account_removes_all_of_it(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    store.accounts.set_credentials(juliet, vec![credential(1)]).await.expect("set");
    let contact = Item { jid: "romeo@montague.example".into(), ..Item::default() };
    store.roster.apply(juliet, vec![roster::Change::Put(contact)]).await.expect("put");
    store.documents.save(juliet, "vcard", "<vCard/>".into(), 1000).await.expect("saved");
    for id in 1..=450 {
        let unit = [message(juliet, id), message(romeo, id)].into_iter().collect();
        store.archive.append(unit, None).expect("taken");
    }
    assert_eq!(store.accounts.delete(juliet, Millis(2000)).await, Ok(true));
    assert_eq!(store.accounts.by_name("juliet").await, Ok(None));
    assert_eq!(store.accounts.credentials(juliet).await, Ok(vec![]));
    assert_eq!(store.roster.load(juliet).await, Ok(roster::Snapshot::default()));
    assert_eq!(store.documents.load(juliet, "vcard").await, Ok(None));
    assert_eq!(store.archive.ends(juliet).await, Ok(None));
    let query = Query { count: true, max: 10, ..Query::default() };
    let romeos = store.archive.page(romeo, query).await.expect("read");
    assert_eq!(romeos.count, Some(450), "the other side lost its copy");
    let late = store.documents.save(juliet, "vcard", "<vCard/>".into(), 1000).await;
    assert!(matches!(late, Err(SaveError::Store(_))), "a deleted account got a document");
}

/// One use, in one transaction with the account; what it grants is granted.
pub async fn an_invitation_is_used_with_the_account(store: &Store) {
    let romeo = account(store, "romeo").await;
    let offer = NewInvite { admin: true, ..invite(1, Some(romeo)) };
    store.invites.create(offer).await.expect("created");
    let invite = Some(TokenHash([1; 32]));
    let juliet = NewAccount { invite, ..new_account("juliet") };
    let juliet = store.accounts.create(juliet).await.expect("created");
    let found = store.accounts.by_id(juliet).await.expect("read").expect("there");
    assert_eq!((found.invited_by, found.admin), (Some(romeo), true));
    let used = store.invites.by_hash(TokenHash([1; 32])).await.expect("read").expect("there");
    assert_eq!((used.invite.uses, used.used_by), (0, vec![(Some(juliet), Millis(1000))]));
    let third = NewAccount { invite, ..new_account("nurse") };
    assert_eq!(store.accounts.create(third).await, Err(CreateError::Invite));
    assert_eq!(store.accounts.by_name("nurse").await, Ok(None));
}

/// A taken name does not cost a use.
pub async fn a_refused_account_leaves_the_invitation_alone(store: &Store) {
    account(store, "juliet").await;
    store.invites.create(invite(1, None)).await.expect("created");
    let hash = TokenHash([1; 32]);
    let again = NewAccount { invite: Some(hash), ..new_account("juliet") };
    assert_eq!(store.accounts.create(again).await, Err(CreateError::Exists));
    let left = store.invites.by_hash(hash).await.expect("read").expect("there");
    assert_eq!((left.invite.uses, left.used_by), (1, vec![]));
    let contact = NewInvite { kind: Kind::Contact, ..invite(2, None) };
    store.invites.create(contact).await.expect("created");
    let wrong = NewAccount { invite: Some(TokenHash([2; 32])), ..new_account("nurse") };
    assert_eq!(store.accounts.create(wrong).await, Err(CreateError::Invite));
    let left = store.invites.by_hash(TokenHash([2; 32])).await.expect("read").expect("there");
    assert_eq!(left.invite.uses, 1);
}
