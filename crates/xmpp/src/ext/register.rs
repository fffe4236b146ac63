//! XEP-0077: In-Band Registration 2.4, XEP-0445: Pre-Authenticated In-Band Registration 0.2.0

use crate::ns;
use crate::sasl::Secret;
use crate::xml::Element;

/// What a client submits: a registration, a new password, or the end of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// The fields of a registration, or of a change of password.
    Account {
        /// The user name, as it was sent.
        username: String,
        /// The password, as it was sent.
        password: Secret,
    },
    /// `<remove/>` and nothing else.
    Remove,
    /// `<remove/>` beside other elements: `bad-request`.
    Ambiguous,
    /// A field is missing or empty: `not-acceptable`.
    Incomplete,
}

impl Submission {
    /// Reads `<query/>` of an IQ of type `set`.
    #[must_use]
    pub fn parse(query: &Element) -> Self {
        if query.child("remove", ns::REGISTER).is_some() {
            let alone = query.children().count() == 1;
            return if alone { Self::Remove } else { Self::Ambiguous };
        }
        let text = |name| {
            let text = query.child(name, ns::REGISTER).map(Element::text);
            text.filter(|text| !text.is_empty())
        };
        match (text("username"), text("password")) {
            (Some(username), Some(password)) => {
                Self::Account { username, password: Secret::from(password) }
            }
            _ => Self::Incomplete,
        }
    }
}

/// The form for somebody who may register. `username` is given when the invitation names one.
#[must_use]
pub fn form(username: Option<&str>) -> Element {
    let instructions = match username {
        Some(_) => "Choose a password for your account.",
        None => "Choose a username and a password.",
    };
    let field = |name| Element::new(name, ns::REGISTER);
    query(instructions)
        .with_child(field("username").with_text(username.unwrap_or_default()))
        .with_child(field("password"))
}

/// The answer to somebody who may not register here: where to go instead (§5).
#[must_use]
pub fn redirection(url: Option<&str>) -> Element {
    let instructions = match url {
        Some(url) => format!("An invitation is needed to register. See {url}"),
        None => "An invitation is needed to register.".to_owned(),
    };
    let oob = url.map(|url| {
        Element::new("x", ns::OOB).with_child(Element::new("url", ns::OOB).with_text(url))
    });
    query(&instructions).with_children(oob)
}

/// The request that begins a registration by invitation.
#[must_use]
pub fn preauth(token: &str) -> Element {
    Element::new("preauth", ns::PREAUTH).with_attr("token", token)
}

/// The request that registers an account.
#[must_use]
pub fn submission(username: &str, password: &Secret) -> Element {
    Element::new("query", ns::REGISTER)
        .with_child(Element::new("username", ns::REGISTER).with_text(username))
        .with_child(
            Element::new("password", ns::REGISTER)
                .with_text(password.expose_str().unwrap_or_default()),
        )
}

/// The request that ends an account (§3.2).
#[must_use]
pub fn removal() -> Element {
    Element::new("query", ns::REGISTER).with_child(Element::new("remove", ns::REGISTER))
}

fn query(instructions: &str) -> Element {
    Element::new("query", ns::REGISTER)
        .with_child(Element::new("instructions", ns::REGISTER).with_text(instructions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submissions_are_told_apart() {
        let password = Secret::from("Calliope");
        assert_eq!(
            Submission::parse(&submission("bill", &password)),
            Submission::Account { username: "bill".into(), password: password.clone() }
        );
        let remove = Element::new("remove", ns::REGISTER);
        assert_eq!(Submission::parse(&removal()), Submission::Remove);
        let both = submission("bill", &password).with_child(remove);
        assert_eq!(Submission::parse(&both), Submission::Ambiguous);
        let empty = submission("bill", &Secret::default());
        assert_eq!(Submission::parse(&empty), Submission::Incomplete);
    }
}
