//! Making the account on the invitation's page, with any browser: for the many apps that cannot open
//! an invitation.

use http_body_util::{BodyExt as _, Limited};
use hyper::StatusCode;
use store::invites::{Invite, Kind};
use xmpp::{
    error::{Condition, StanzaError},
    jid::BareJid,
    sasl::Secret,
    stream::server::RegisterRequest,
};

use super::{Answer, Visit, apps, html::Html, invite, words::Words};
use crate::{auth::registration, invitation::Token, password::Password};

/// What somebody typed.
#[derive(Default)]
struct Entry {
    name: String,
    password: Option<Password>,
    again: Option<Password>,
}

/// The form as it is shown: `problem` says what was wrong with what was sent.
pub(super) struct Form<'a> {
    /// The name that the invitation is for, or what was typed.
    pub(super) name: &'a str,
    /// Whether the invitation is for that name only.
    pub(super) fixed: bool,
    /// What is to be done better.
    pub(super) problem: Option<&'a str>,
}

impl Form<'_> {
    /// The part of the page. Closed until somebody wants it.
    #[must_use]
    pub(super) fn html(&self, words: &Words, token: &Token) -> Html {
        let said = &words.join;
        let mut html = Html::new()
            .raw(if self.problem.is_some() { "<details open>\n" } else { "<details>\n" })
            .raw("<summary>")
            .text(said.summary)
            .raw("</summary>\n<p>")
            .text(said.explanation)
            .raw("</p>\n");
        if let Some(problem) = self.problem {
            html = html.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
        }
        html = html.raw("<form method=\"post\" action=\"/invite/").text(token.expose());
        html = html.raw("\">\n<label for=\"name\">").text(said.name);
        html = html.raw("</label>\n<input id=\"name\" name=\"name\" ");
        html =
            html.raw("required maxlength=\"64\" autocomplete=\"username\" autocapitalize=\"none\"");
        html = html.raw(if self.fixed { " readonly" } else { "" });
        html.raw(" value=\"")
            .text(self.name)
            .raw("\">\n<label for=\"password\">")
            .text(said.password)
            .raw("</label>\n")
            .raw(PASSWORD_FIELD)
            .raw("<label for=\"again\">")
            .text(said.again)
            .raw("</label>\n")
            .raw(AGAIN_FIELD)
            .raw("<p><button>")
            .text(said.make)
            .raw("</button></p>\n</form>\n</details>\n")
    }
}

/// Makes the account, or shows the page again with what is wrong.
pub async fn submit(visit: Visit, token: &str) -> Answer {
    let words = visit.words();
    let Visit { server, request, address, .. } = visit;
    if !server.invitation_visits.take_network(address, std::time::Instant::now()) {
        return invite::too_many(words);
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
        return words.notice(StatusCode::PAYLOAD_TOO_LARGE, words.too_long);
    };
    let entry = Entry::parse(&body.to_bytes());
    let found = match Token::parse(token) {
        Some(parsed) => registration::invitation(&server, token).await.map(|found| (parsed, found)),
        None => None,
    };
    let found = found.filter(|(_, invite)| invite.invite.kind == Kind::Account);
    let Some((token, invite)) = found else { return invite::invalid(words) };
    let made = match entry.request(&server, words, &token, &invite) {
        Ok(wanted) => {
            let account = wanted.account.clone();
            let made = registration::register(&server, wanted, address).await;
            made.map(|()| account).map_err(|error| problem(words, &error))
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(account) => welcome(words, &account),
        Err(problem) => {
            let name = invite.invite.name.as_deref();
            let form = Form {
                name: name.unwrap_or(&entry.name),
                fixed: name.is_some(),
                problem: Some(&problem),
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            invite::page_of(&server, words, (&token, &invite), status, &form).await
        }
    }
}

impl Entry {
    fn parse(body: &[u8]) -> Self {
        let mut entry = Self::default();
        for (key, value) in form_urlencoded::parse(body) {
            match key.as_ref() {
                "name" => entry.name = value.trim().chars().take(MAX_NAME).collect(),
                "password" => entry.password = Some(Password::new(value.into_owned())),
                "again" => entry.again = Some(Password::new(value.into_owned())),
                _ => {}
            }
        }
        entry
    }

    /// The account that is asked for, or what is wrong in words.
    fn request(
        &self,
        server: &crate::server::Server,
        words: &Words,
        token: &Token,
        invite: &Invite,
    ) -> Result<RegisterRequest, String> {
        let name = invite.invite.name.as_deref().unwrap_or(&self.name);
        let account = server.address(name).map_err(|_| words.bad_name.to_owned())?;
        let password = match (&self.password, &self.again) {
            (Some(password), Some(again)) if password == again => password,
            _ => return Err(words.join.not_the_same.to_owned()),
        };
        Ok(RegisterRequest {
            account,
            password: Secret::new(password.expose().as_bytes()),
            token: Some(token.expose().to_owned()),
        })
    }
}

/// The text of an error is in English; in other languages only its kind is told.
fn problem(words: &Words, error: &StanzaError) -> String {
    match (&error.text, error.condition) {
        (Some(text), _) if words.tag == "en" => capitalised(text),
        (_, Condition::Conflict) => words.join.taken.to_owned(),
        _ => words.join.failed.to_owned(),
    }
}

/// The text of an error as a sentence.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn welcome(words: &Words, account: &BareJid) -> Answer {
    let said = &words.join;
    let [before, after] = said.your_address;
    let main = Html::new()
        .raw("<h1>")
        .text(said.welcome)
        .raw("</h1>\n<p class=\"lead\">")
        .text(before)
        .raw("<code>")
        .text(account.as_str())
        .raw("</code>")
        .text(after)
        .raw("</p>\n<p>")
        .text(said.log_in)
        .raw("</p>\n")
        .html(&apps::list());
    words.page(StatusCode::OK, said.welcome, &main)
}

const PASSWORD_FIELD: &str = "<input id=\"password\" name=\"password\" type=\"password\" required \
     autocomplete=\"new-password\">\n";
const AGAIN_FIELD: &str = "<input id=\"again\" name=\"again\" type=\"password\" required \
     autocomplete=\"new-password\">\n";
/// Characters of a name.
const MAX_NAME: usize = 64;
/// Bytes of a submitted form.
const MAX_FORM: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    #[test]
    fn a_form_shows_what_was_typed_and_no_password() {
        let entry = Entry::parse(b"name=%22%3Eromeo&password=secret&again=secret");
        let form = Form { name: &entry.name, fixed: false, problem: Some("Too <short>") };
        let token = Token::random().unwrap();
        let html = form.html(Words::asked_for(&HeaderMap::new()), &token);
        assert!(html.as_str().contains("value=\"&quot;&gt;romeo\""), "{}", html.as_str());
        assert!(html.as_str().contains("Too &lt;short&gt;") && !html.as_str().contains("secret"));
        assert_eq!(entry.password, entry.again);
    }
}
