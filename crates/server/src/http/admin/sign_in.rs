//! Signing in and out: with an administrator's address and password, or with a link of the command line.

use std::{net::IpAddr, time::Instant};

use hyper::{StatusCode, header};
use sha2::{Digest as _, Sha256};
use store::accounts::Credential;
use xmpp::{
    jid::BareJid,
    sasl::Secret,
    stream::server::{AccountState, PasswordCheck, PasswordLookup},
};

use super::{
    super::{
        Answer,
        html::{Html, notice, page},
    },
    COOKIE, Form, PATH, field,
};
use crate::{admin::By, auth::credentials, limits::Verdict, server::Server};

/// The form, with what was wrong.
pub(super) fn form(status: StatusCode, problem: Option<&str>) -> Answer {
    let mut main = Html::new().raw("<h1>Administration</h1>\n");
    if let Some(problem) = problem {
        main = main.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
    }
    let main = main.raw(
        "<form method=\"post\" action=\"/admin/sign-in\">\n\
         <label for=\"name\">Your address</label>\n\
         <input id=\"name\" name=\"name\" required maxlength=\"200\" autocomplete=\"username\" \
         autocapitalize=\"none\">\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" required \
         autocomplete=\"current-password\">\n\
         <p><button>Sign in</button></p>\n</form>\n\
         <p>For administrators of this server. Whoever runs it gets a link for once with \
         <code>anemone admin link</code>.</p>\n",
    );
    page(status, "Administration", &main)
}

/// Checks what was filled in. Whoever is no administrator gets the same answer as whoever does not exist.
pub(super) async fn submit(server: &Server, form: &Form, from: IpAddr) -> Answer {
    let wrong = || {
        let words = "That is not the address and the password of an administrator.";
        self::form(StatusCode::FORBIDDEN, Some(words))
    };
    let name = field(form, "name");
    let full = match name.contains('@') {
        true => name.to_owned(),
        false => format!("{name}@{}", server.domain()),
    };
    let Ok(jid) = BareJid::new(&full) else { return wrong() };
    if jid.domain().as_str() != server.domain() {
        return wrong();
    }
    match server.logins.before(jid.as_str(), from, Instant::now()) {
        Verdict::Proceed => {}
        Verdict::Wait(time) => {
            server.metrics.logins_throttled.increment();
            tokio::time::sleep(time).await;
        }
        Verdict::Refuse => {
            server.metrics.logins_throttled.increment();
            let words = "Too many attempts. Wait a few minutes, and try again.";
            return self::form(StatusCode::TOO_MANY_REQUESTS, Some(words));
        }
    }
    let typed = form.password.as_ref().map(|typed| typed.expose().as_bytes());
    let password = Secret::new(typed.unwrap_or_default());
    let lookup = PasswordLookup { account: jid.clone(), password };
    let right = match credentials::password(server, lookup).await {
        Ok(check) => matches!(check, PasswordCheck::Right(AccountState::Active)),
        Err(error) => {
            server.store_failed("sign-in", &error);
            return unavailable();
        }
    };
    let local = jid.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
    let found = server.store.accounts.login(&local).await;
    let keys = match found {
        Ok(Some((account, keys))) if right && account.admin && !account.disabled => keys,
        _ => {
            server.metrics.logins_failed.increment();
            server.logins.failed(jid.as_str(), from, Instant::now());
            return wrong();
        }
    };
    server.logins.succeeded(jid.as_str(), from, Instant::now());
    note(server, Some(&local)).await;
    enter(server, Some(&local), fingerprint(&keys))
}

/// What changes when the password does.
pub(super) fn fingerprint(keys: &[Credential]) -> [u8; 32] {
    let mut hash = Sha256::new();
    keys.iter().for_each(|keys| hash.update(&keys.stored_key.0));
    hash.finalize().into()
}

/// The page of a link. It is used up by the button alone: programs that look at links press none.
pub(super) fn link(server: &Server, link: &str) -> Answer {
    if !server.admin_sessions.is_link(link, Instant::now()) {
        return no_link();
    }
    let main = Html::new()
        .raw("<h1>Administration</h1>\n<p>This link signs you in once.</p>\n<form method=\"post\" ")
        .raw("action=\"/admin/link/")
        .text(link)
        .raw("\"><p><button>Sign in</button></p></form>\n");
    page(StatusCode::OK, "Administration", &main)
}

/// Somebody uses a link.
pub(super) async fn follow(server: &Server, link: &str) -> Answer {
    match server.admin_sessions.use_link(link, Instant::now()) {
        true => {
            note(server, None).await;
            enter(server, None, [0; 32])
        }
        false => no_link(),
    }
}

/// Signing in is among what administrators did.
async fn note(server: &Server, account: Option<&str>) {
    if let Some(operations) = server.operations() {
        operations.note(&By::Web(account.map(Into::into)), "sign in", "").await;
    }
}

fn no_link() -> Answer {
    let words = "The link was used already, or is too old. anemone admin link makes another one.";
    notice(StatusCode::FORBIDDEN, "Not any more", words)
}

fn unavailable() -> Answer {
    let words = "The server cannot look that up at the moment.";
    notice(StatusCode::SERVICE_UNAVAILABLE, "Please come back later", words)
}

fn enter(server: &Server, account: Option<&str>, keys: [u8; 32]) -> Answer {
    match server.admin_sessions.sign_in(account, keys, Instant::now()) {
        Some(secret) => with_cookie(&secret, "Max-Age=28800"),
        None => unavailable(),
    }
}

/// Signs out.
pub(super) fn out(server: &Server, secret: &str) -> Answer {
    server.admin_sessions.sign_out(secret);
    with_cookie("", "Max-Age=0")
}

/// On to the first page, with another cookie. No other page than ours can make a browser send it.
fn with_cookie(value: &str, age: &str) -> Answer {
    let cookie = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; {age}");
    let mut answer = notice(StatusCode::SEE_OTHER, "Administration", "On to the first page.");
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, header::HeaderValue::from_static(PATH));
    if let Ok(cookie) = cookie.parse() {
        headers.insert(header::SET_COOKIE, cookie);
    }
    answer
}
