//! XEP-0488: MUC Token Invite 0.1.0
//!
//! A link for people whose addresses nobody knows: whoever comes with what is in it becomes a member.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use xmpp::{
    error::{Condition, StanzaError},
    ext::muc::{Affiliation, Join, Role},
    jid::{BareJid, Jid},
    ns,
    time::Millis,
    xml::Element,
};

use super::{
    admin::{Answer, is_of},
    announce::News,
    room::{Effect, Effects, Room, error},
};

/// The tokens of a room that can still be used, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    #[serde(default)]
    issued: Vec<Token>,
    /// Counts them, so that none is issued twice.
    #[serde(default)]
    count: u64,
    /// Who was removed, and how many had been issued by then: none of those lets them in again.
    #[serde(default)]
    removed: BTreeMap<String, u64>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    secret: String,
    /// Those issued later have greater ones.
    #[serde(default)]
    number: u64,
    creator: String,
    /// How many may come with it yet.
    left: Option<u32>,
    /// Until when.
    until: u64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Token { creator, left, until, .. } = self;
        write!(formatter, "Token(by {creator}, for {left:?}, until {until})")
    }
}

impl Token {
    fn serves(&self, now: Millis) -> bool {
        self.until > now.0 && self.left != Some(0)
    }

    fn is_by(&self, who: &BareJid) -> bool {
        self.creator == who.as_str()
    }

    fn element(&self, now: Millis) -> Element {
        let seconds = self.until.saturating_sub(now.0).div_ceil(1000);
        Element::new("token", ns::MUC_TOKENS)
            .with_attr("delay", seconds.to_string())
            .with_attr_opt("counter", self.left.map(|left| left.to_string()))
            .with_text(&self.secret)
    }
}

impl Tokens {
    /// Whether somebody issued one, or cannot come with one.
    pub(super) fn mention(&self, who: &BareJid) -> bool {
        self.issued.iter().any(|token| token.is_by(who)) || self.removed.contains_key(who.as_str())
    }

    /// How many there are.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn len(&self) -> usize {
        self.issued.len()
    }

    fn expire(&mut self, now: Millis) {
        self.issued.retain(|token| token.serves(now));
        let oldest = self.issued.iter().map(|token| token.number).min();
        self.removed.retain(|_, until| oldest.is_some_and(|oldest| oldest <= *until));
    }

    fn admit(&self, secret: &str, who: &BareJid, now: Millis) -> Option<&Token> {
        let token = self.issued.iter().find(|token| is_same(&token.secret, secret))?;
        let shut_out = |(jid, until): (&String, &u64)| {
            let is_theirs = |jid: BareJid| jid == *who || is_of(who, &jid);
            token.number <= *until && BareJid::new(jid).is_ok_and(is_theirs)
        };
        (token.serves(now) && !self.removed.iter().any(shut_out)).then_some(token)
    }

    /// Somebody was removed, or banned. When more were than are remembered, everything that was issued is
    /// void instead.
    fn shut_out(&mut self, who: &BareJid, banned: bool) -> bool {
        if self.issued.is_empty() || (!banned && self.removed.contains_key(who.as_str())) {
            return false;
        }
        if self.removed.len() >= MOST_REMOVED {
            self.issued.clear();
            self.removed.clear();
            return true;
        }
        self.removed.insert(who.to_string(), self.count) != Some(self.count)
    }

    /// Somebody belongs to the room again, or left by themselves.
    fn pardon(&mut self, who: &BareJid) -> bool {
        self.removed.remove(who.as_str()).is_some()
    }

    /// Somebody came with one.
    fn take(&mut self, secret: &str, now: Millis) {
        let used = self.issued.iter_mut().find(|token| is_same(&token.secret, secret));
        if let Some(left) = used.and_then(|token| token.left.as_mut()) {
            *left = left.saturating_sub(1);
        }
        self.expire(now);
    }

    /// Those of an address, or of all of a domain, are no good any more.
    fn forget(&mut self, who: &BareJid) -> bool {
        let before = self.issued.len();
        let is_theirs = |jid: &BareJid| jid == who || is_of(jid, who);
        self.issued.retain(|token| BareJid::new(&token.creator).is_ok_and(|jid| !is_theirs(&jid)));
        self.issued.len() < before
    }
}

impl Room {
    /// `set` of a request for a token, or to revoke one; `get` of the list.
    pub(super) fn token(
        &mut self,
        now: Millis,
        from: &Jid,
        payload: &Element,
        out: &mut Effects,
    ) -> Answer {
        if !self.may_issue(from) {
            return Err(error(Condition::Forbidden, "only who makes members gives out links"));
        }
        self.tokens.expire(now);
        match payload.name() {
            "request" => self.issue(now, from, payload, out).map(Some),
            "revoke" => self.revoke(from, &payload.text(), out),
            "tokens" => Ok(Some(self.tokens_of(now, from))),
            _ => Err(StanzaError::new(Condition::ServiceUnavailable)),
        }
    }

    /// Admins, and in rooms for members those who may invite.
    fn may_issue(&self, who: &Jid) -> bool {
        let affiliation = self.affiliation(who);
        let s = &self.settings;
        affiliation >= Affiliation::Admin
            || (s.members_only && s.invitations_by_occupants && affiliation == Affiliation::Member)
    }

    fn issue(
        &mut self,
        now: Millis,
        from: &Jid,
        request: &Element,
        out: &mut Effects,
    ) -> Result<Element, StanzaError> {
        if self.settings.password.is_some() {
            // Members as well need it, each time.
            let text = "whoever comes into this room has to know its password";
            return Err(error(Condition::NotAllowed, text));
        }
        let number = |name: &str| match request.attr(name).map(|text| text.trim().parse::<u32>()) {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(StanzaError::new(Condition::BadRequest)),
        };
        let (delay, left) = (number("delay")?, number("counter")?);
        let creator = from.to_bare();
        let own = self.tokens.issued.iter().filter(|token| token.is_by(&creator)).count();
        if own >= MOST_OF_ONE || self.tokens.issued.len() >= MOST_TOKENS {
            return Err(error(Condition::ResourceConstraint, "there are too many links already"));
        }
        self.pace(now, from, "you are asking for too many links")?;
        self.tokens.count += 1;
        let seconds = delay.unwrap_or(USUAL_SECONDS).min(MOST_SECONDS);
        let secret = self.secret(self.tokens.count, now);
        let until = now.plus(u64::from(seconds) * 1000).0;
        let number = self.tokens.count;
        let token = Token { secret, number, creator: creator.to_string(), left, until };
        let element = token.element(now);
        self.tokens.issued.push(token);
        out.push(Effect::Save { state: true, changes: Vec::new() });
        Ok(element)
    }

    /// What nobody guesses who does not know the secret of the server.
    fn secret(&self, number: u64, now: Millis) -> String {
        let parts: [&[u8]; 3] = [b"token", &number.to_be_bytes(), &now.0.to_be_bytes()];
        let secret = self.salted(&parts);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&secret[..SECRET_BYTES])
    }

    fn revoke(&mut self, from: &Jid, secret: &str, out: &mut Effects) -> Answer {
        let all = self.sees_all(from);
        let creator = from.to_bare();
        let before = self.tokens.issued.len();
        self.tokens.issued.retain(|token| {
            !(is_same(&token.secret, secret.trim()) && (all || token.is_by(&creator)))
        });
        if self.tokens.issued.len() == before {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        out.push(Effect::Save { state: true, changes: Vec::new() });
        Ok(None)
    }

    /// Those that somebody may revoke.
    fn tokens_of(&self, now: Millis, from: &Jid) -> Element {
        let (all, creator) = (self.sees_all(from), from.to_bare());
        let shown = self.tokens.issued.iter().filter(|token| all || token.is_by(&creator));
        let written = |token: &Token| {
            let creator = Some(token.creator.as_str()).filter(|_| self.may_see_addresses(from));
            token.element(now).with_attr_opt("creator", creator)
        };
        Element::new("tokens", ns::MUC_TOKENS).with_children(shown.map(written))
    }

    fn sees_all(&self, who: &Jid) -> bool {
        self.affiliation(who) >= Affiliation::Admin || self.role(who) == Role::Moderator
    }

    /// Whether somebody who belongs to nothing here comes with a token that serves: one of somebody who
    /// may still give them out.
    pub(super) fn is_invited(&self, from: &Jid, join: &Join, now: Millis) -> bool {
        let bare = from.to_bare();
        let secret = join.password.as_deref();
        let token = secret.and_then(|secret| self.tokens.admit(secret, &bare, now));
        self.settings.password.is_none()
            && self.affiliation(from) == Affiliation::None
            && token
                .and_then(|token| Jid::new(&token.creator).ok())
                .is_some_and(|creator| self.may_issue(&creator))
    }

    /// Whoever comes with a token is a member from now on. It counts for nobody else.
    pub(super) fn redeem(
        &mut self,
        now: Millis,
        from: &Jid,
        join: &Join,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let Some(secret) = join.password.as_deref() else { return Ok(()) };
        if !self.is_invited(from, join, now) {
            return Ok(());
        }
        let bare = from.to_bare();
        self.has_room_for(std::iter::once((&bare, &Affiliation::Member)))?;
        self.tokens.take(secret, now);
        out.push(Effect::Save { state: true, changes: Vec::new() });
        self.set_affiliation(&bare, Affiliation::Member, News::default(), out);
        Ok(())
    }

    /// What somebody is told who is no member: that the link is no good any more, if they came with one.
    pub(super) fn not_a_member(&self, join: &Join) -> StanzaError {
        let secret = join.password.as_deref();
        let is_token = |secret: &str| {
            let url_safe = &base64::engine::general_purpose::URL_SAFE_NO_PAD;
            url_safe.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES)
        };
        match secret.is_some_and(is_token) && self.settings.password.is_none() {
            true => StanzaError::new(Condition::NotAuthorized)
                .with_app(Element::new("expired-token", ns::MUC_TOKENS)),
            false => StanzaError::new(Condition::RegistrationRequired),
        }
    }

    /// Whoever belongs to the room no longer lets nobody in, and does not come back with what was issued
    /// before.
    pub(super) fn follow_with_tokens(
        &mut self,
        who: &BareJid,
        affiliation: Affiliation,
        out: &mut Effects,
    ) {
        let changed = match affiliation {
            Affiliation::Outcast | Affiliation::None => {
                let forgot = self.tokens.forget(who);
                self.tokens.shut_out(who, affiliation == Affiliation::Outcast) || forgot
            }
            _ => self.tokens.pardon(who),
        };
        self.save_tokens(changed, out);
    }

    /// Whoever leaves by themselves may come back.
    pub(super) fn pardon(&mut self, who: &BareJid, out: &mut Effects) {
        let changed = self.tokens.pardon(who);
        self.save_tokens(changed, out);
    }

    /// Nothing is known of somebody any more.
    pub(super) fn forget_tokens(&mut self, who: &BareJid, out: &mut Effects) {
        let forgot = self.tokens.forget(who);
        let changed = self.tokens.pardon(who) || forgot;
        self.save_tokens(changed, out);
    }

    fn save_tokens(&self, changed: bool, out: &mut Effects) {
        if changed {
            out.push(Effect::Save { state: true, changes: Vec::new() });
        }
    }
}

/// Compares what must not be found out letter by letter.
fn is_same(one: &str, other: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Tokens of one room, and of one person among them.
pub(super) const MOST_TOKENS: usize = 100;
const MOST_OF_ONE: usize = 20;
/// People who were removed while there are tokens.
const MOST_REMOVED: usize = 1000;
/// A week, and a year.
const USUAL_SECONDS: u32 = 7 * 24 * 60 * 60;
const MOST_SECONDS: u32 = 366 * 24 * 60 * 60;
const SECRET_BYTES: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_a_token_in_a_log() {
        let token = Token {
            secret: "cauldronburn".to_owned(),
            number: 1,
            creator: "crone1@shakespeare.example".to_owned(),
            left: Some(3),
            until: 5,
        };
        assert_eq!(
            format!("{token:?}"),
            "Token(by crone1@shakespeare.example, for Some(3), until 5)"
        );
    }
}
