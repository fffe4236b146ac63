//! Links with which somebody who forgot their password sets another one.

use store::{
    AccountId, Millis, Store, StoreError,
    accounts::{Account, Credential},
    invites::{Invite, Kind, NewInvite, UseError},
};

use super::{
    By, End, Fault, FaultCode, Operations, Response,
    operations::{MOST_ROWS, now, stamp},
    protocol::ResetLink,
};
use crate::invitation::{self, Token};

/// What the address of the page begins with.
pub const PATH: &str = "/reset/";
/// Hours that a link is good for.
const HOURS: u64 = 24;

impl Operations {
    /// A link for one account. Links that were made before are good for nothing any more.
    pub(super) async fn account_reset_link(&self, account: &str) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let address = self.address(&account.name);
        if account.disabled {
            let words = format!(
                "{address} is disabled, and a new password would not let it in; first: anemone account \
                 enable {address}"
            );
            return Err(Fault::new(FaultCode::Invalid, words));
        }
        let token = Token::random().map_err(|error| {
            Fault::new(FaultCode::Storage, format!("the system gives no random numbers: {error}"))
        })?;
        end_reset_links(&self.store, account.id).await?;
        let Millis(now) = now();
        let expires = Millis(now + HOURS * 60 * 60 * 1000);
        let invite = NewInvite {
            hash: token.hash(),
            kind: Kind::Reset,
            created_by: None,
            created_at: Millis(now),
            name: Some(account.name),
            subject: Some(account.id),
            expires_at: expires,
            uses: 1,
            admin: false,
            note: Box::default(),
        };
        self.store.invites.create(invite).await?;
        let listening = self.live.as_ref().map_or(Vec::new(), |live| live.listening());
        let origin = invitation::origin(&self.config(), &listening);
        Ok(Response::ResetLink(ResetLink {
            account: address,
            link: format!("{origin}{PATH}{}", token.expose()),
            expires: stamp(expires),
        }))
    }

    /// The account whose password a link sets; `None` when the link is good for nothing, whyever.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn reset_of(&self, token: &Token) -> Result<Option<Account>, Fault> {
        let found = self.store.invites.by_hash(token.hash()).await?;
        let good = |one: &Invite| one.invite.kind == Kind::Reset && one.is_valid(now());
        let Some(subject) = found.filter(good).and_then(|one| one.invite.subject) else {
            return Ok(None);
        };
        let account = self.store.accounts.by_id(subject).await?;
        Ok(account.filter(|account| !account.disabled))
    }

    /// Uses a link up and sets the password of its account, both or neither. `None` when the link was good for
    /// nothing.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn reset(
        &self,
        token: &Token,
        credentials: Vec<Credential>,
    ) -> Result<Option<Account>, Fault> {
        let Some(account) = self.reset_of(token).await? else { return Ok(None) };
        match self.store.invites.reset(token.hash(), now(), credentials).await {
            Ok(_) => {}
            Err(UseError::Invalid) => return Ok(None),
            Err(UseError::Store(error)) => return Err(error.into()),
        }
        let address = self.address(&account.name);
        self.end_sessions(&account.name, End::Password).await;
        self.note(&By::Web(None), "password from a link", &address).await;
        Ok(Some(account))
    }

    /// Another password: whoever came in with the old one is out.
    pub(super) async fn set_password(
        &self,
        account: &Account,
        credentials: Vec<Credential>,
    ) -> Result<(), Fault> {
        self.store.accounts.set_credentials(account.id, credentials).await?;
        self.end_sessions(&account.name, End::Password).await;
        Ok(())
    }
}

/// Links that were made for an account are good for nothing any more.
async fn end_reset_links(store: &Store, account: AccountId) -> Result<(), StoreError> {
    let mine = |one: &Invite| one.invite.kind == Kind::Reset && one.invite.subject == Some(account);
    let all = store.invites.list(None, None, MOST_ROWS).await?;
    for one in all.iter().filter(|one| mine(one) && one.is_valid(now())) {
        store.invites.revoke(one.id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::{SecretBytes, tokens};

    use super::{super::Request, *};
    use crate::{
        config::{Config, Home},
        password::{self, Password},
    };

    fn operations(directory: &tempfile::TempDir) -> Operations {
        let options = store::sqlite::Options::default();
        let store = store::sqlite::open(&directory.path().join("anemone.db"), options).unwrap();
        let config =
            Config::parse("domain = \"example.org\"\n[login]\niterations = 4096\n").unwrap();
        Operations::stopped(store, Home::new(directory.path().to_owned()), config)
    }

    async fn ask(operations: &Operations, request: Request) -> Response {
        operations.perform(&By::CommandLine(0), request).await
    }

    async fn link(operations: &Operations) -> Token {
        let made = ask(operations, Request::AccountResetLink { account: "romeo".into() }).await;
        let Response::ResetLink(made) = made else { panic!("{made:?}") };
        assert_eq!(made.account, "romeo@example.org");
        Token::parse(made.link.strip_prefix("https://example.org/reset/").unwrap()).unwrap()
    }

    fn keys(text: &str) -> Vec<Credential> {
        password::credentials(&Password::new(text.to_owned()), 4096).unwrap()
    }

    #[tokio::test]
    async fn a_link_sets_one_password_once() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        let add = |account: &str| Request::AccountAdd {
            account: account.into(),
            password: Password::new("wherefore art".to_owned()),
            admin: false,
        };
        ask(&operations, add("romeo")).await;
        let old = operations.store.accounts.login("romeo").await.unwrap().unwrap().1;
        let first = link(&operations).await;
        let second = link(&operations).await;
        assert_eq!(operations.reset_of(&first).await, Ok(None), "a newer link ends the older");
        let found = operations.reset_of(&second).await.unwrap().unwrap();
        assert_eq!(&*found.name, "romeo");
        assert!(operations.reset(&second, keys("thou art")).await.unwrap().is_some());
        let new = operations.store.accounts.login("romeo").await.unwrap().unwrap().1;
        assert_ne!(old, new);
        assert_eq!(operations.reset(&second, keys("mine")).await, Ok(None), "used twice");
        let unchanged = operations.store.accounts.login("romeo").await.unwrap().unwrap().1;
        assert_eq!(new, unchanged);

        let third = link(&operations).await;
        let enable = |enabled| Request::AccountEnable { account: "romeo".into(), enabled };
        ask(&operations, enable(false)).await;
        assert_eq!(operations.reset_of(&third).await, Ok(None), "the account is disabled");
        assert_eq!(operations.reset(&third, keys("mine")).await, Ok(None));
        let refused = ask(&operations, Request::AccountResetLink { account: "romeo".into() }).await;
        assert!(matches!(refused, Response::Error(_)), "{refused:?}");
        ask(&operations, enable(true)).await;
        let password = Password::new("the operator's".to_owned());
        ask(&operations, Request::AccountPassword { account: "romeo".into(), password }).await;
        assert_eq!(operations.reset_of(&third).await, Ok(None), "another password was set");

        let fourth = link(&operations).await;
        let hash = fourth.hash();
        ask(&operations, Request::AccountDelete { account: "romeo".into() }).await;
        assert_eq!(
            operations.store.invites.by_hash(hash).await,
            Ok(None),
            "it goes with the account"
        );
        let nobody = ask(&operations, Request::AccountResetLink { account: "romeo".into() }).await;
        assert!(matches!(nobody, Response::Error(_)));
    }

    #[tokio::test]
    async fn a_link_is_good_until_a_password_is_set_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        let password = Password::new("wherefore art".to_owned());
        let add = Request::AccountAdd { account: "romeo".into(), password, admin: false };
        ask(&operations, add).await;
        let token = link(&operations).await;
        let mut refused = keys("thou art");
        refused.extend(keys("thou art"));
        assert!(operations.reset(&token, refused).await.is_err(), "the store does not take them");
        assert!(operations.reset_of(&token).await.unwrap().is_some());
        assert!(operations.reset(&token, keys("thou art")).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn another_password_ends_tokens_and_links_of_the_account_alone() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        for account in ["romeo", "juliet"] {
            let password = Password::new("wherefore art".to_owned());
            ask(
                &operations,
                Request::AccountAdd { account: account.into(), password, admin: false },
            )
            .await;
        }
        let store = &operations.store;
        let id = async |name: &str| store.accounts.by_name(name).await.unwrap().unwrap().id;
        let (romeo, juliet) = (id("romeo").await, id("juliet").await);
        let invite = async |kind, subject| {
            let token = Token::random().unwrap();
            let invite = NewInvite {
                hash: token.hash(),
                kind,
                created_by: Some(romeo),
                created_at: now(),
                name: None,
                subject,
                expires_at: Millis(now().0 + 60_000),
                uses: 1,
                admin: false,
                note: Box::default(),
            };
            store.invites.create(invite).await.unwrap();
            token.hash()
        };
        let invites = [
            invite(Kind::Reset, Some(romeo)).await,
            invite(Kind::Reset, Some(juliet)).await,
            invite(Kind::Account, None).await,
        ];
        for account in [romeo, juliet] {
            let token = tokens::Token {
                account,
                client: "phone".into(),
                slot: tokens::Slot::Current,
                mechanism: "HT-SHA-256-NONE".into(),
                key: SecretBytes(vec![1; 32]),
                description: Box::default(),
                created_at: now(),
                expires_at: Millis(now().0 + 60_000),
                last_used: None,
                counter: 0,
            };
            store.tokens.save(token).await.unwrap();
        }
        store.accounts.set_credentials(romeo, keys("thou art")).await.unwrap();
        let mut good = Vec::new();
        for hash in invites {
            good.push(store.invites.by_hash(hash).await.unwrap().unwrap().is_valid(now()));
        }
        assert_eq!(good, [false, true, true]);
        assert!(store.tokens.list(Some(romeo), 10).await.unwrap().is_empty());
        assert_eq!(store.tokens.list(Some(juliet), 10).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_link_ends_after_a_day_and_is_no_invitation() {
        let directory = tempfile::tempdir().unwrap();
        let operations = operations(&directory);
        let password = Password::new("wherefore art".to_owned());
        let add = Request::AccountAdd { account: "romeo".into(), password, admin: false };
        ask(&operations, add).await;
        let token = link(&operations).await;
        let stored = operations.store.invites.by_hash(token.hash()).await.unwrap().unwrap();
        assert!(stored.is_valid(Millis(now().0 + (HOURS - 1) * 60 * 60 * 1000)));
        assert!(!stored.is_valid(Millis(now().0 + HOURS * 60 * 60 * 1000)));
        let invitation =
            NewInvite { hash: Token::random().unwrap().hash(), ..stored.invite.clone() };
        let expired = NewInvite { expires_at: Millis(1), ..invitation.clone() };
        let other = Token::random().unwrap();
        operations.store.invites.create(NewInvite { hash: other.hash(), ..expired }).await.unwrap();
        assert_eq!(operations.reset_of(&other).await, Ok(None), "past its time");
        let other = Token::random().unwrap();
        let account = NewInvite { hash: other.hash(), kind: Kind::Account, ..invitation };
        operations.store.invites.create(account).await.unwrap();
        assert_eq!(operations.reset_of(&other).await, Ok(None), "an invitation sets no password");
        let Response::Invitations(listed) =
            ask(&operations, Request::InviteList { all: false }).await
        else {
            panic!("a list")
        };
        let kinds: Vec<&str> = listed.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["account", "password"]);
    }
}
