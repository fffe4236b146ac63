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

use super::{
    Answer, Visit, apps,
    html::{Html, notice, page},
    invite,
};
use crate::{auth::registration, invitation::Token, password::Password};

/// What somebody typed.
#[derive(Default)]
struct Entry {
    name: String,
    password: Option<Password>,
    again: Option<Password>,
}

/// The form as it is shown: `problem` says what was wrong with what was sent.
pub struct Form<'a> {
    /// The name that the invitation is for, or what was typed.
    pub name: &'a str,
    /// Whether the invitation is for that name only.
    pub fixed: bool,
    /// What is to be done better.
    pub problem: Option<&'a str>,
}

impl Form<'_> {
    /// The part of the page. Closed until somebody wants it.
    #[must_use]
    pub fn html(&self, token: &Token) -> Html {
        let mut html = Html::new()
            .raw(if self.problem.is_some() { "<details open>\n" } else { "<details>\n" })
            .raw(
                "<summary>The app cannot open it?</summary>\n<p>Make the account here, then log \
                  in with the app. Dino, Gajim and Profanity need this.</p>\n",
            );
        if let Some(problem) = self.problem {
            html = html.raw("<p class=\"card\" role=\"alert\">").text(problem).raw("</p>\n");
        }
        html = html.raw("<form method=\"post\" action=\"/invite/").text(token.expose());
        html = html.raw("\">\n<label for=\"name\">Name</label>\n<input id=\"name\" name=\"name\" ");
        html =
            html.raw("required maxlength=\"64\" autocomplete=\"username\" autocapitalize=\"none\"");
        html = html.raw(if self.fixed { " readonly" } else { "" });
        html.raw(" value=\"")
            .text(self.name)
            .raw("\">\n<label for=\"password\">Password</label>\n")
            .raw(PASSWORD_FIELD)
            .raw("<label for=\"again\">The password again</label>\n")
            .raw(AGAIN_FIELD)
            .raw("<p><button>Make the account</button></p>\n</form>\n</details>\n")
    }
}

/// Makes the account, or shows the page again with what is wrong.
pub async fn submit(visit: Visit, token: &str) -> Answer {
    let Visit { server, request, address, .. } = visit;
    if !server.invitation_visits.take_network(address, std::time::Instant::now()) {
        return invite::too_many();
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
        return notice(StatusCode::PAYLOAD_TOO_LARGE, "Too long", "Please write less.");
    };
    let entry = Entry::parse(&body.to_bytes());
    let found = match Token::parse(token) {
        Some(parsed) => registration::invitation(&server, token).await.map(|found| (parsed, found)),
        None => None,
    };
    let found = found.filter(|(_, invite)| invite.invite.kind == Kind::Account);
    let Some((token, invite)) = found else { return invite::invalid() };
    let made = match entry.request(&server, &token, &invite) {
        Ok(wanted) => {
            let account = wanted.account.clone();
            let made = registration::register(&server, wanted, address).await;
            made.map(|()| account).map_err(|error| words(&error))
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(account) => welcome(&account),
        Err(problem) => {
            let name = invite.invite.name.as_deref();
            let form = Form {
                name: name.unwrap_or(&entry.name),
                fixed: name.is_some(),
                problem: Some(&problem),
            };
            invite::page_of(&server, &token, &invite, StatusCode::UNPROCESSABLE_ENTITY, &form).await
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
        token: &Token,
        invite: &Invite,
    ) -> Result<RegisterRequest, String> {
        let name = invite.invite.name.as_deref().unwrap_or(&self.name);
        let account = server.address(name).map_err(|_| {
            "The name can have letters, digits, dots and dashes, and no spaces.".to_owned()
        })?;
        let password = match (&self.password, &self.again) {
            (Some(password), Some(again)) if password == again => password,
            _ => return Err("The two passwords are not the same.".to_owned()),
        };
        Ok(RegisterRequest {
            account,
            password: Secret::new(password.expose().as_bytes()),
            token: Some(token.expose().to_owned()),
        })
    }
}

fn words(error: &StanzaError) -> String {
    match (&error.text, error.condition) {
        (Some(text), _) => {
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        }
        (None, Condition::Conflict) => "Somebody has that name already.".to_owned(),
        _ => "It did not work. Please try again later.".to_owned(),
    }
}

fn welcome(account: &BareJid) -> Answer {
    let main = Html::new()
        .raw("<h1>Welcome</h1>\n<p class=\"lead\">Your address is <code>")
        .text(account.as_str())
        .raw(
            "</code>.</p>\n<p>Log in with it and your password, in as many apps as you like:</p>\n",
        )
        .html(&apps::list());
    page(StatusCode::OK, "Welcome", &main)
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
    use super::*;

    #[test]
    fn a_form_shows_what_was_typed_and_no_password() {
        let entry = Entry::parse(b"name=%22%3Eromeo&password=secret&again=secret");
        let form = Form { name: &entry.name, fixed: false, problem: Some("Too <short>") };
        let token = Token::random().unwrap();
        let html = form.html(&token);
        assert!(html.as_str().contains("value=\"&quot;&gt;romeo\""), "{}", html.as_str());
        assert!(html.as_str().contains("Too &lt;short&gt;") && !html.as_str().contains("secret"));
        assert_eq!(entry.password, entry.again);
    }
}
