//! The words of the pages for visitors, in the language that their browser asks for.
//!
//! Pages for the operator, and the operator's own page, are in English and in the operator's language.

mod de;
mod en;

use hyper::{
    StatusCode,
    header::{self, HeaderMap},
};

use super::{
    Answer,
    html::{self, Html},
};

/// A heading and a sentence.
pub(crate) type Notice = (&'static str, &'static str);

/// All words of the pages. Those around something, such as an address, are in parts.
#[derive(Debug)]
pub(crate) struct Words {
    /// The language (BCP 47).
    pub(crate) tag: &'static str,
    pub(crate) to_the_front_door: &'static str,
    pub(crate) nothing_here: Notice,
    pub(crate) too_long: Notice,
    pub(crate) use_the_form: Notice,
    pub(crate) bad_name: &'static str,
    pub(crate) invitation: Invitation,
    pub(crate) join: Join,
    pub(crate) about: About,
    pub(crate) request: Request,
    pub(crate) reset: Reset,
}

/// Of the page of an invitation.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) too_many: Notice,
    pub(crate) invalid: Notice,
    /// Who invites, and to what.
    pub(crate) invites: fn(&str, &str) -> String,
    /// The same when nobody in particular does.
    pub(crate) invited: fn(&str) -> String,
    pub(crate) lead: &'static str,
    /// Around the address that an account is for.
    pub(crate) your_address: [&'static str; 2],
    /// Around what the address will be like.
    pub(crate) you_choose: [&'static str; 2],
    /// The first half of an address, whatever it will be.
    pub(crate) name: &'static str,
    pub(crate) in_the_browser: &'static str,
    pub(crate) nothing_to_install: &'static str,
    pub(crate) get_an_app: &'static str,
    pub(crate) open_it: &'static str,
    pub(crate) on_this_device: &'static str,
    pub(crate) open_in_the_app: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) code: &'static str,
    pub(crate) copy: &'static str,
    /// For how many people, and for how many more hours.
    pub(crate) limits: fn(u32, u64) -> String,
}

/// Of the form that makes an account.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) summary: &'static str,
    pub(crate) explanation: &'static str,
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) again: &'static str,
    pub(crate) make: &'static str,
    pub(crate) not_the_same: &'static str,
    pub(crate) taken: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) welcome: &'static str,
    /// Around the address.
    pub(crate) your_address: [&'static str; 2],
    pub(crate) log_in: &'static str,
}

/// Of the front door.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) lead: &'static str,
    pub(crate) apps: &'static str,
    /// Around the domain.
    pub(crate) addresses: [&'static str; 2],
    pub(crate) is_it_you: &'static str,
    /// With markup.
    pub(crate) fingerprints: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) no_installation: &'static str,
    pub(crate) open_clownfish: &'static str,
    /// With markup.
    pub(crate) without_clownfish: &'static str,
    pub(crate) account: &'static str,
    pub(crate) by_invitation: &'static str,
    pub(crate) ask: &'static str,
    /// Around addresses.
    pub(crate) questions: [&'static str; 2],
}

/// Of the form in which visitors ask for an account.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) none_taken: Notice,
    pub(crate) too_many: Notice,
    pub(crate) full: Notice,
    pub(crate) thanks: Notice,
    pub(crate) heading: &'static str,
    pub(crate) explanation: &'static str,
    pub(crate) name: &'static str,
    pub(crate) contact: &'static str,
    pub(crate) contact_example: &'static str,
    pub(crate) text: &'static str,
    pub(crate) trap: &'static str,
    pub(crate) send: &'static str,
    pub(crate) no_contact: &'static str,
    pub(crate) long_text: &'static str,
}

/// Of the page on which somebody sets a new password with a link.
#[derive(Debug)]
pub(crate) struct Reset {
    pub(crate) too_many: Notice,
    pub(crate) invalid: Notice,
    pub(crate) failed: Notice,
    pub(crate) heading: &'static str,
    /// Around the address.
    pub(crate) account: [&'static str; 2],
    pub(crate) explanation: &'static str,
    pub(crate) password: &'static str,
    pub(crate) set: &'static str,
    /// What a password must be like, with how many characters it has at least.
    pub(crate) unusable: fn(u64) -> String,
    pub(crate) done: &'static str,
    /// Around the address.
    pub(crate) log_in: [&'static str; 2],
}

/// What there is; the first one is for everybody else.
const ALL: [&Words; 2] = [&en::WORDS, &de::WORDS];

impl Words {
    /// The language that a browser likes best of those that there are (RFC 9110 §12.5.4).
    #[must_use]
    pub(crate) fn asked_for(headers: &HeaderMap) -> &'static Words {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let mut best = (ALL[0], 0);
        for wish in asked.unwrap_or_default().split(',').take(MOST_WISHES) {
            let mut parts = wish.split(';').map(str::trim);
            let language = parts.next().unwrap_or_default().split('-').next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            let known = ALL.into_iter().find(|words| words.tag.eq_ignore_ascii_case(language));
            if let Some(words) = known.filter(|_| weight > best.1) {
                best = (words, weight);
            }
        }
        best.0
    }

    /// A whole page in this language.
    #[must_use]
    pub(crate) fn page(&self, status: StatusCode, title: &str, main: &Html) -> Answer {
        html::frame(self.tag, status, title, main)
    }

    /// A page that says one thing.
    #[must_use]
    pub(crate) fn notice(&self, status: StatusCode, (heading, sentence): Notice) -> Answer {
        let main = html::says(heading, sentence, self.to_the_front_door);
        self.page(status, heading, &main)
    }
}

/// A weight (RFC 9110 §12.4.2) in thousandths; nonsense weighs nothing.
fn thousandths(weight: &str) -> u32 {
    let weight: f32 = weight.parse().unwrap_or(0.0);
    // Between 0 and 1000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rounded = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
    rounded
}

/// Languages that a browser may name; people have set fewer.
const MOST_WISHES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_speaks_what_the_browser_likes_best() {
        let tag = |asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
            Words::asked_for(&headers).tag
        };
        for german in
            ["de", "de-AT", "DE", "fr, de;q=0.8, en;q=0.7", "de;q=0.9,en;q=0.8", "xx, de; q=0.1"]
        {
            assert_eq!(tag(german), "de", "{german}");
        }
        for english in [
            "",
            "en-GB,de;q=0.9",
            "fr",
            "de;q=0",
            "de;q=0.5, en;q=0.6",
            "de;q=x",
            "*",
            ";;,,",
            "de;q=NaN",
        ] {
            assert_eq!(tag(english), "en", "{english}");
        }
        assert_eq!(Words::asked_for(&HeaderMap::new()).tag, "en");
    }

    #[test]
    fn time_and_number_are_said_as_people_say_them() {
        let limits = |words: &Words, uses, hours| (words.invitation.limits)(uses, hours);
        let english = &en::WORDS;
        assert_eq!(
            limits(english, 1, 0),
            "The invitation is good for one person and for less than an hour."
        );
        assert_eq!(
            limits(english, 5, 47),
            "The invitation is good for 5 people and for 47 more hours."
        );
        assert_eq!(
            limits(&de::WORDS, 1, 1),
            "Die Einladung gilt für eine Person und noch eine Stunde."
        );
        assert_eq!(limits(&de::WORDS, 3, 72), "Die Einladung gilt für 3 Personen und noch 3 Tage.");
    }
}
