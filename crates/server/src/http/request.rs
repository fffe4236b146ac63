//! `/request`: the form in which visitors ask for an account. Off unless the operator wants it.

use std::time::Instant;

use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, StatusCode};
use store::{Millis, StoreError, requests::NewRequest, requests::State};

use super::{
    Answer, Visit,
    html::{Html, notice, page},
};

/// Characters of each field.
const MAX_NAME: usize = 64;
const MAX_CONTACT: usize = 200;
const MAX_TEXT: usize = 1000;
/// Bytes of a submitted form.
const MAX_FORM: usize = 16 * 1024;

/// The form, or what became of it.
pub async fn handle(visit: Visit) -> Answer {
    if !visit.server.config().front_door.requests {
        return notice(
            StatusCode::NOT_FOUND,
            "Not here",
            "This server takes no requests. People come in by invitation.",
        );
    }
    match *visit.request.method() {
        Method::GET | Method::HEAD => form(StatusCode::OK, &Entry::default(), None),
        Method::POST => submit(visit).await,
        _ => notice(StatusCode::METHOD_NOT_ALLOWED, "Not this way", "Please use the form."),
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
    let Visit { server, request, address, .. } = visit;
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
        return notice(StatusCode::PAYLOAD_TOO_LARGE, "Too long", "Please write less.");
    };
    let entry = Entry::parse(&body.to_bytes());
    if let Some(problem) = entry.problem(&server) {
        return form(StatusCode::UNPROCESSABLE_ENTITY, &entry, Some(problem));
    }
    if !entry.trap.is_empty() {
        // It looks as if it had worked.
        return thanks();
    }
    if !server.account_requests.take_network(address, Instant::now()) {
        let text = "Too many requests came from this network today. Try again tomorrow.";
        return notice(StatusCode::TOO_MANY_REQUESTS, "Please wait", text);
    }
    let full = notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "Please come back later",
        "Many requests wait for an answer already.",
    );
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
        Ok(_) => thanks(),
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

    fn problem(&self, server: &crate::server::Server) -> Option<&'static str> {
        let long = |text: &str, most: usize| text.chars().count() > most;
        if server.address(self.name.trim()).is_err() || long(&self.name, MAX_NAME) {
            return Some("The name can have letters, digits, dots and dashes, and no spaces.");
        }
        if self.contact.trim().is_empty() || long(&self.contact, MAX_CONTACT) {
            return Some("Please say how the invitation can reach you.");
        }
        long(&self.text, MAX_TEXT).then_some("Please write less than a thousand characters.")
    }
}

fn form(status: StatusCode, entry: &Entry, problem: Option<&str>) -> Answer {
    let mut main = Html::new().raw(
        "<h1>Ask for an account</h1>\n<p>A person reads this and, if it \
        is a yes, sends you an invitation.</p>\n",
    );
    if let Some(problem) = problem {
        main = main.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
    }
    let main = main
        .raw("<form method=\"post\" action=\"/request\">\n")
        .raw("<label for=\"name\">The name you would like</label>\n")
        .raw(
            "<input id=\"name\" name=\"name\" required maxlength=\"64\" autocomplete=\"username\" \
              autocapitalize=\"none\" value=\"",
        )
        .text(&entry.name)
        .raw("\">\n<label for=\"contact\">Where the invitation can reach you</label>\n")
        .raw(
            "<input id=\"contact\" name=\"contact\" required maxlength=\"200\" \
              placeholder=\"e-mail, phone, another chat address\" value=\"",
        )
        .text(&entry.contact)
        .raw("\">\n<label for=\"text\">Who are you? (optional)</label>\n")
        .raw("<textarea id=\"text\" name=\"text\" rows=\"4\" maxlength=\"1000\">")
        .text(&entry.text)
        .raw(
            "</textarea>\n<p class=\"away\" aria-hidden=\"true\"><label for=\"website\">Leave this \
              empty</label><input id=\"website\" name=\"website\" tabindex=\"-1\" \
              autocomplete=\"off\"></p>\n<p><button>Send</button></p>\n</form>\n",
        );
    page(status, "Ask for an account", &main)
}

fn thanks() -> Answer {
    notice(StatusCode::OK, "Thank you", "The operator will read your request and answer it.")
}
