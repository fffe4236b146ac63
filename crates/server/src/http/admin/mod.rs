//! `/admin`: the operator's view for administrators, in any browser. Plain forms, no script; every
//! operation is the one that the command line has ([`crate::admin`]).
//!
//! What protects it: a cookie that only this origin gets (`__Host-`, `SameSite=Strict`, `HttpOnly`), a word
//! of the session in every form, the header `Origin`, the policy of [`super::headers`], and the same growing
//! delay after wrong passwords as for clients.

mod actions;
mod lists;
mod pages;
pub mod session;
mod sign_in;

use std::{collections::HashMap, time::Instant};

use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, StatusCode, header};

use self::session::Signed;
use super::{Answer, Visit, html};
use crate::{admin::LONGEST_TEXT, password::Password, server::Server};

/// What the addresses of these pages begin with.
pub const PATH: &str = "/admin";
const COOKIE: &str = "__Host-anemone-admin";
/// Bytes of a submitted form: the longest notice has up to nine for a character.
const MAX_FORM: usize = 10 * LONGEST_TEXT;

/// What was filled into a form.
#[derive(Debug, Default)]
struct Form {
    fields: HashMap<String, String>,
    password: Option<Password>,
}

/// One of the pages, or what a form leads to.
pub async fn handle(visit: Visit) -> Answer {
    let mut answer = respond(visit).await;
    // With `no-referrer`, as on other pages, browsers send `Origin: null` with our own forms.
    let policy = header::HeaderValue::from_static("same-origin");
    answer.headers_mut().insert(header::REFERRER_POLICY, policy);
    answer
}

async fn respond(visit: Visit) -> Answer {
    let path = visit.request.uri().path().trim_start_matches(PATH).trim_matches('/').to_owned();
    let query = visit.request.uri().query().unwrap_or_default().to_owned();
    let server = visit.server.clone();
    let secret = cookie(&visit);
    let signed = match &secret {
        Some(secret) => signed(&server, secret).await,
        None => None,
    };
    match *visit.request.method() {
        Method::GET | Method::HEAD => match (path.strip_prefix("link/"), &signed) {
            (Some(link), _) => sign_in::link(&server, link),
            (None, Some(signed)) => pages::show(&server, signed, &path, &parse(&query)).await,
            (None, None) => sign_in::form(StatusCode::OK, None),
        },
        Method::POST => {
            if !same_origin(&visit) {
                let words = "The form came from another page than one of this server.";
                return html::notice(StatusCode::FORBIDDEN, "Not from there", words);
            }
            let address = visit.address;
            let Ok(body) = Limited::new(visit.request.into_body(), MAX_FORM).collect().await else {
                let words = "Please write less.";
                return html::notice(StatusCode::PAYLOAD_TOO_LARGE, "Too long", words);
            };
            let form = parse(std::str::from_utf8(&body.to_bytes()).unwrap_or_default());
            match (path.as_str(), &signed, &secret) {
                ("sign-in", ..) => sign_in::submit(&server, &form, address).await,
                (path, ..) if path.starts_with("link/") => {
                    sign_in::follow(&server, path.trim_start_matches("link/")).await
                }
                (_, Some(signed), Some(secret)) if signed.owns(field(&form, "form")) => {
                    match path.as_str() {
                        "sign-out" => sign_in::out(&server, secret),
                        action => actions::perform(&server, signed, action, &form).await,
                    }
                }
                (_, Some(_), _) => {
                    let words = "The form is not one of your session. Open the page again.";
                    html::notice(StatusCode::FORBIDDEN, "Not this form", words)
                }
                _ => sign_in::form(StatusCode::FORBIDDEN, Some("Please sign in first.")),
            }
        }
        _ => html::notice(StatusCode::METHOD_NOT_ALLOWED, "Not this way", "Please use the pages."),
    }
}

/// Who is signed in, if that is still an administrator with the same password.
async fn signed(server: &Server, secret: &str) -> Option<Signed> {
    let signed = server.admin_sessions.of(secret, Instant::now())?;
    let Some(name) = &signed.account else { return Some(signed) };
    let (account, keys) = server.store.accounts.login(name).await.ok()??;
    let good = account.admin && !account.disabled && sign_in::fingerprint(&keys) == signed.keys;
    if !good {
        server.admin_sessions.sign_out(secret);
    }
    good.then_some(signed)
}

fn cookie(visit: &Visit) -> Option<String> {
    let cookies = visit.request.headers().get_all(header::COOKIE);
    let pairs = cookies.iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_owned())
    });
    values.next()
}

/// Whether a form comes from one of our own pages. Browsers say so in one header or the other; what sends
/// neither is no browser, and has no cookie of somebody else.
fn same_origin(visit: &Visit) -> bool {
    let header = |name: &str| visit.request.headers().get(name)?.to_str().ok();
    let site = header("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    let origin = match (header("origin"), header("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, own)| own == host),
        (Some(_), None) => false,
    };
    site && origin
}

fn parse(text: &str) -> Form {
    let mut form = Form::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()).take(MOST_FIELDS) {
        match name.as_ref() {
            "password" => form.password = Some(Password::new(value.into_owned())),
            name => drop(form.fields.insert(name.to_owned(), value.into_owned())),
        }
    }
    form
}

fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.fields.get(name).map(|value| value.trim()).unwrap_or_default()
}

const MOST_FIELDS: usize = 50;
