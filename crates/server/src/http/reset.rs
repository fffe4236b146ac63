//! The page of a link with which somebody sets a new password. The operator makes the link, `anemone account
//! reset-link`. A link that was used, is too old, or whose account is disabled or gone looks like one that
//! never was.

use std::time::Instant;

use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, StatusCode};
use xmpp::error::Condition;

use super::{Answer, Visit, html::Html, join::capitalised, words::Words};
use crate::{
    admin::{Fault, Operations},
    auth::credentials,
    invitation::Token,
    password::Password,
    server::Server,
};

/// The page at `/reset/TOKEN`, or what became of its form.
pub async fn handle(visit: Visit, token: &str) -> Answer {
    let words = visit.words();
    let Visit { server, request, address, .. } = visit;
    if !server.invitation_visits.take_network(address, Instant::now()) {
        return words.notice(StatusCode::TOO_MANY_REQUESTS, words.reset.too_many);
    }
    let (Some(token), Some(operations)) = (Token::parse(token), server.operations()) else {
        return invalid(words);
    };
    let account = match operations.reset_of(&token).await {
        Ok(Some(account)) => account,
        Ok(None) => return invalid(words),
        Err(fault) => return failed(&server, words, &fault),
    };
    let page = |status, problem: Option<&str>| {
        let address = format!("{}@{}", account.name, server.domain());
        form(words, status, &address, &token, problem)
    };
    match *request.method() {
        Method::GET | Method::HEAD => page(StatusCode::OK, None),
        Method::POST => {
            let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
                return words.notice(StatusCode::PAYLOAD_TOO_LARGE, words.too_long);
            };
            let password = match entered(&body.to_bytes()) {
                Some(password) => password,
                None => return page(UNUSABLE, Some(words.join.not_the_same)),
            };
            match set(&server, operations, words, (&token, &account.name), password).await {
                Ok(answer) => answer,
                Err(problem) => page(UNUSABLE, Some(&problem)),
            }
        }
        _ => words.notice(StatusCode::METHOD_NOT_ALLOWED, words.use_the_form),
    }
}

/// The password, when it was typed twice in the same way.
fn entered(body: &[u8]) -> Option<Password> {
    let (mut password, mut again) = (None, None);
    for (key, value) in form_urlencoded::parse(body) {
        match key.as_ref() {
            "password" => password = Some(Password::new(value.into_owned())),
            "again" => again = Some(Password::new(value.into_owned())),
            _ => {}
        }
    }
    password.filter(|password| again.as_ref() == Some(password))
}

/// Sets the password, or says what is wrong with it.
async fn set(
    server: &Server,
    operations: &Operations,
    words: &'static Words,
    (token, name): (&Token, &str),
    password: Password,
) -> Result<Answer, String> {
    let keys = credentials::choose(server, name, password).await.map_err(|error| {
        match (&error.text, error.condition) {
            // The text of an error is in English.
            (Some(text), _) if words.tag == "en" => capitalised(text),
            (_, Condition::NotAcceptable) => {
                (words.reset.unusable)(server.config().registration.password_length)
            }
            _ => words.join.failed.to_owned(),
        }
    })?;
    Ok(match operations.reset(token, keys).await {
        Ok(Some(_)) => done(server, words, name),
        Ok(None) => invalid(words),
        Err(fault) => failed(server, words, &fault),
    })
}

fn invalid(words: &Words) -> Answer {
    words.notice(StatusCode::NOT_FOUND, words.reset.invalid)
}

fn failed(server: &Server, words: &Words, fault: &Fault) -> Answer {
    server.metrics.errors_environment.increment();
    tracing::warn!(error = %fault.message, "a new password could not be set");
    words.notice(StatusCode::SERVICE_UNAVAILABLE, words.reset.failed)
}

fn form(
    words: &Words,
    status: StatusCode,
    address: &str,
    token: &Token,
    problem: Option<&str>,
) -> Answer {
    let said = &words.reset;
    let [before, after] = said.account;
    let mut main = Html::new()
        .raw("<h1>")
        .text(said.heading)
        .raw("</h1>\n<p class=\"lead\">")
        .text(before)
        .raw("<code>")
        .text(address)
        .raw("</code>")
        .text(after)
        .raw("</p>\n<p>")
        .text(said.explanation)
        .raw("</p>\n");
    if let Some(problem) = problem {
        main = main.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
    }
    let main = main
        .raw("<form method=\"post\" action=\"/reset/")
        .text(token.expose())
        // Programs that keep passwords want to know whose it is.
        .raw("\">\n<input class=\"away\" name=\"name\" autocomplete=\"username\" readonly tabindex=\"-1\" \
              aria-hidden=\"true\" value=\"")
        .text(address)
        .raw("\">\n<label for=\"password\">")
        .text(said.password)
        .raw("</label>\n<input id=\"password\" name=\"password\" type=\"password\" required \
              autocomplete=\"new-password\">\n<label for=\"again\">")
        .text(words.join.again)
        .raw("</label>\n<input id=\"again\" name=\"again\" type=\"password\" required \
              autocomplete=\"new-password\">\n<p><button>")
        .text(said.set)
        .raw("</button></p>\n</form>\n");
    words.page(status, said.heading, &main)
}

fn done(server: &Server, words: &Words, name: &str) -> Answer {
    let said = &words.reset;
    let [before, after] = said.log_in;
    let main = Html::new()
        .raw("<h1>")
        .text(said.done)
        .raw("</h1>\n<p>")
        .text(before)
        .raw("<code>")
        .text(&format!("{name}@{}", server.domain()))
        .raw("</code>")
        .text(after)
        .raw("</p>\n");
    words.page(StatusCode::OK, said.done, &main)
}

const UNUSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
/// Bytes of a submitted form.
const MAX_FORM: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_typed_twice() {
        let text = |body: &[u8]| entered(body).map(|password| password.expose().to_owned());
        assert_eq!(text(b"password=a+b&again=a+b").as_deref(), Some("a b"));
        for wrong in ["", "password=a", "again=a", "password=a&again=b"] {
            assert_eq!(text(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
