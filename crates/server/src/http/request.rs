//! `/request`: the form in which visitors ask for an account. Off unless the operator wants it.

use std::time::Instant;

use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, StatusCode};
use store::{Millis, StoreError, requests::NewRequest, requests::State};

use super::{Answer, Visit, html::Html, words::Words};

/// Characters of each field.
const MAX_NAME: usize = 64;
const MAX_CONTACT: usize = 200;
const MAX_TEXT: usize = 1000;
/// Bytes of a submitted form.
const MAX_FORM: usize = 16 * 1024;

/// The form, or what became of it.
pub async fn handle(visit: Visit) -> Answer {
    let words = visit.words();
    if !visit.server.config().front_door.requests {
        return words.notice(StatusCode::NOT_FOUND, words.request.none_taken);
    }
    match *visit.request.method() {
        Method::GET | Method::HEAD => form(words, StatusCode::OK, &Entry::default(), None),
        Method::POST => submit(visit).await,
        _ => words.notice(StatusCode::METHOD_NOT_ALLOWED, words.use_the_form),
    }
}

/// What a visitor wrote.
#[derive(Debug, Default)]
struct Entry {
    name: String,
    contact: String,
    text: String,
    /// A field that people do not see and programs fill in.
    trap: String,
}

async fn submit(visit: Visit) -> Answer {
    let words = visit.words();
    let Visit { server, request, address, .. } = visit;
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
        return words.notice(StatusCode::PAYLOAD_TOO_LARGE, words.too_long);
    };
    let entry = Entry::parse(&body.to_bytes());
    if let Some(problem) = entry.problem(&server, words) {
        return form(words, StatusCode::UNPROCESSABLE_ENTITY, &entry, Some(problem));
    }
    if !entry.trap.is_empty() {
        // It looks as if it had worked.
        return thanks(words);
    }
    if !server.account_requests.take_network(address, Instant::now()) {
        return words.notice(StatusCode::TOO_MANY_REQUESTS, words.request.too_many);
    }
    let full = words.notice(StatusCode::SERVICE_UNAVAILABLE, words.request.full);
    let limit = u32::try_from(server.config().front_door.requests_waiting).unwrap_or(u32::MAX);
    let waiting = server.store.requests.list(Some(State::Open), None, limit).await;
    if !waiting.is_ok_and(|waiting| waiting.len() < limit as usize) {
        return full;
    }
    let row = NewRequest {
        name: entry.name.trim().into(),
        contact: entry.contact.trim().into(),
        text: entry.text.trim().into(),
        at: Millis(server.now().0),
    };
    match server.store.requests.create(row).await {
        Ok(_) => thanks(words),
        Err(StoreError::Limit(_)) => full,
        Err(error) => {
            server.store_failed("account request", &error);
            full
        }
    }
}

impl Entry {
    fn parse(body: &[u8]) -> Self {
        let mut entry = Self::default();
        for (key, value) in form_urlencoded::parse(body) {
            let field = match key.as_ref() {
                "name" => &mut entry.name,
                "contact" => &mut entry.contact,
                "text" => &mut entry.text,
                "website" => &mut entry.trap,
                _ => continue,
            };
            *field = value.into_owned();
        }
        entry
    }

    fn problem(&self, server: &crate::server::Server, words: &Words) -> Option<&'static str> {
        let long = |text: &str, most: usize| text.chars().count() > most;
        if server.address(self.name.trim()).is_err() || long(&self.name, MAX_NAME) {
            return Some(words.bad_name);
        }
        if self.contact.trim().is_empty() || long(&self.contact, MAX_CONTACT) {
            return Some(words.request.no_contact);
        }
        long(&self.text, MAX_TEXT).then_some(words.request.long_text)
    }
}

fn form(words: &Words, status: StatusCode, entry: &Entry, problem: Option<&str>) -> Answer {
    let said = &words.request;
    let mut main = Html::new().raw("<h1>").text(said.heading).raw("</h1>\n<p>");
    main = main.text(said.explanation).raw("</p>\n");
    if let Some(problem) = problem {
        main = main.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
    }
    let main = main
        .raw("<form method=\"post\" action=\"/request\">\n<label for=\"name\">")
        .text(said.name)
        .raw(
            "</label>\n<input id=\"name\" name=\"name\" required maxlength=\"64\" \
              autocomplete=\"username\" autocapitalize=\"none\" value=\"",
        )
        .text(&entry.name)
        .raw("\">\n<label for=\"contact\">")
        .text(said.contact)
        .raw("</label>\n<input id=\"contact\" name=\"contact\" required maxlength=\"200\" placeholder=\"")
        .text(said.contact_example)
        .raw("\" value=\"")
        .text(&entry.contact)
        .raw("\">\n<label for=\"text\">")
        .text(said.text)
        .raw("</label>\n<textarea id=\"text\" name=\"text\" rows=\"4\" maxlength=\"1000\">")
        .text(&entry.text)
        .raw("</textarea>\n<p class=\"away\" aria-hidden=\"true\"><label for=\"website\">")
        .text(said.trap)
        .raw("</label><input id=\"website\" name=\"website\" tabindex=\"-1\" autocomplete=\"off\"></p>\n")
        .raw("<p><button>")
        .text(said.send)
        .raw("</button></p>\n</form>\n");
    words.page(status, said.heading, &main)
}

fn thanks(words: &Words) -> Answer {
    words.notice(StatusCode::OK, words.request.thanks)
}
