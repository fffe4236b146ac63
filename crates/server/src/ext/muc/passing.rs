//! What goes from one occupant to another through the room: private messages (XEP-0045 §7.5),
//! requests, and requests for voice (§7.13).

use std::collections::{HashMap, VecDeque};

use xmpp::{
    edit::Edit,
    error::{Condition, ErrorType, StanzaError},
    ext::{
        form::{Field, FieldType, Form, FormType},
        muc::{self, Affiliation, Role},
    },
    jid::Jid,
    ns,
    stanza::{Child, Kind, Stanza},
    time::Millis,
    xml::Element,
};

use super::room::{Back, Effect, Effects, Room, error, send, wait};

/// Requests between occupants that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Questions {
    waiting: HashMap<String, Question>,
    order: VecDeque<String>,
    count: u64,
}

#[derive(Debug)]
struct Question {
    /// Who asked, and what the question was called.
    asker: Jid,
    id: String,
    /// Who must answer, and by which name they were asked.
    asked: Jid,
    nick: Box<str>,
}

impl Questions {
    /// Notes a question. Returns what it is called from now on, and the question that is forgotten for it.
    fn ask(&mut self, question: Question) -> (String, Option<Question>) {
        self.count += 1;
        let name = format!("q{:x}", self.count);
        self.waiting.insert(name.clone(), question);
        self.order.push_back(name.clone());
        let full = self.order.len() > MOST_QUESTIONS;
        let oldest = if full { self.order.pop_front() } else { None };
        (name, oldest.and_then(|oldest| self.waiting.remove(&oldest)))
    }

    /// How many of somebody's wait.
    fn of(&self, asker: &Jid) -> usize {
        self.waiting.values().filter(|question| question.asker == *asker).count()
    }

    /// Takes out those that will not be answered, oldest first.
    fn take(&mut self, ends: impl Fn(&Question) -> bool) -> Vec<Question> {
        let waiting = &mut self.waiting;
        let mut taken = Vec::new();
        self.order.retain(|name| {
            let over = waiting.get(name).is_none_or(&ends);
            if over {
                taken.extend(waiting.remove(name));
            }
            !over
        });
        taken
    }

    fn answered(&mut self, name: &str, by: &Jid) -> Option<Question> {
        if self.waiting.get(name).is_none_or(|question| question.asked != *by) {
            return None;
        }
        self.order.retain(|known| known != name);
        self.waiting.remove(name)
    }
}

impl Room {
    /// §7.5: to all sessions of one occupant, through the recipient's archive as any message.
    pub(super) fn private_message(
        &mut self,
        now: Millis,
        from: &Jid,
        nick: &str,
        stanza: &Stanza,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let Some((_, occupant)) = self.occupant(from) else {
            return Err(error(Condition::NotAcceptable, "you are not in this room"));
        };
        if !self.occupants.contains_key(nick) {
            return Err(error(Condition::ItemNotFound, "nobody here has that name"));
        }
        if !self.settings.private_messages.admits(occupant.role) {
            return Err(error(Condition::Forbidden, "you may not write to single occupants here"));
        }
        self.pace(now, from, "you are writing too fast")?;
        let (Some((sender, occupant)), Some(recipient)) =
            (self.occupant(from), self.occupants.get(nick))
        else {
            return Ok(());
        };
        let (sender_jid, address) = (from, self.occupant_jid(sender));
        let id = Element::new("occupant-id", ns::OCCUPANT_ID).with_attr("id", &*occupant.id);
        let mark = Element::new("x", ns::MUC_USER);
        let mut routed = None;
        // One goes the way of any message, through the archive; the other sessions get theirs beside.
        for (at, visit) in recipient.sessions.iter().rev().enumerate() {
            let message = Edit::new(stanza)
                .from(&address)
                .to(visit.jid.as_str())
                .drop_if(spoken_for)
                .append(mark.to_bytes(ns::CLIENT))
                .append(id.to_bytes(ns::CLIENT))
                .finish();
            let to = visit.jid.clone();
            out.push(match at {
                0 => {
                    let (from, id) = (self.occupant_jid(nick), stanza.id());
                    let id = id.map(|id| id.into_owned());
                    let back = Box::new(Back { to: sender_jid.clone(), from, id, x: None });
                    routed = Some(to.clone());
                    Effect::Route { to, message, back }
                }
                _ => Effect::Send {
                    to,
                    kind: Kind::Message,
                    bytes: message,
                    shared: false,
                    urgent: true,
                },
            });
        }
        // What comes back from another session did arrive at this one.
        if let (Some(id), Some(to)) = (stanza.id(), routed) {
            self.privates.note(now, &id, to, from);
        }
        Ok(())
    }

    /// A message to the room that is not for everybody.
    pub(super) fn request(
        &mut self,
        now: Millis,
        (from, local): (&Jid, &str),
        stanza: &Stanza,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        if let Some(x) = stanza.child("x", ns::MUC_USER) {
            let x = x.element();
            if let Some(decline) = muc::decline(&x) {
                return self.pass_decline(now, from, stanza, &decline, out);
            }
            let invites = muc::invites(&x);
            if !invites.is_empty() {
                return self.invite(now, from, stanza, &invites, out);
            }
        }
        let form = stanza.child("x", ns::DATA_FORMS).and_then(|x| Form::parse(&x.element()));
        let kind = form.as_ref().and_then(Form::form_type);
        match (&form, kind) {
            (Some(form), Some(ns::MUC_REQUEST)) => match form.value("muc#request_allow") {
                Some(_) => self.decide(from, form, out),
                None => self.ask_for_voice(now, from, form, out),
            },
            (Some(form), Some(ns::MUC_REGISTER)) => {
                self.decide_registration(now, (from, local), form, out)
            }
            // What neither speaks to everybody nor asks for anything has no use here.
            _ => Err(StanzaError::new(Condition::BadRequest)),
        }
    }

    /// §7.13 and §8.6: moderators are asked.
    fn ask_for_voice(
        &mut self,
        now: Millis,
        from: &Jid,
        asked: &Form,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let Some((nick, occupant)) = self.occupant(from) else {
            return Err(error(Condition::NotAcceptable, "you are not in this room"));
        };
        if occupant.role != Role::Visitor {
            return Err(error(Condition::BadRequest, "you may speak already"));
        }
        if asked.value("muc#role").is_some_and(|role| role != Role::Participant.as_str()) {
            return Err(error(Condition::BadRequest, "voice is all that can be asked for"));
        }
        let nick = nick.to_owned();
        self.pace(now, from, "you are asking too often")?;
        let field = |var, kind, value: &str| Field::new(var, kind).with_value(value);
        let form = Form::typed(FormType::Form, ns::MUC_REQUEST)
            .with_title("Voice request")
            .with_field(field("muc#role", FieldType::ListSingle, "participant"))
            .with_field(field("muc#jid", FieldType::JidSingle, from.as_str()))
            .with_field(field("muc#roomnick", FieldType::TextSingle, &nick))
            .with_field(
                Field::new("muc#request_allow", FieldType::Boolean)
                    .with_label("Grant voice to this person?")
                    .with_bool(false),
            );
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_child(form.to_element())
            .to_bytes(ns::CLIENT);
        let moderators = self.occupants.values().filter(|o| o.role == Role::Moderator);
        for visit in moderators.flat_map(|moderator| &moderator.sessions) {
            out.push(send(&visit.jid, Kind::Message, &message));
        }
        Ok(())
    }

    /// A moderator answers a request for voice.
    fn decide(&mut self, from: &Jid, form: &Form, out: &mut Effects) -> Result<(), StanzaError> {
        if self.role(from) != Role::Moderator {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        let nick = form.value("muc#roomnick").unwrap_or_default();
        let Some(occupant) = self.occupants.get_mut(nick) else {
            return Err(error(Condition::ItemNotFound, "nobody here has that name"));
        };
        // The name may be somebody else's by now.
        let asked = form.value("muc#jid").and_then(|jid| Jid::new(jid).ok());
        if asked.is_some_and(|asked| occupant.jid != asked.to_bare()) {
            return Err(error(Condition::ItemNotFound, "who asked has another name now"));
        }
        let granted = form.boolean("muc#request_allow") == Some(true);
        if granted && occupant.role == Role::Visitor {
            occupant.role = Role::Participant;
            let who = occupant.jid.clone();
            self.remember_voice(&who, Role::Participant, out);
            self.announce_role(nick, Role::Visitor, &super::announce::News::default(), out);
        }
        Ok(())
    }

    /// A request or an answer from one occupant to another.
    pub(super) fn pass_iq(
        &mut self,
        now: Millis,
        from: &Jid,
        nick: &str,
        stanza: &Stanza,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        if matches!(stanza.type_().as_deref(), Some("result" | "error")) {
            self.pass_answer(from, stanza, out);
            return Ok(());
        }
        let Some((sender, _)) = self.occupant(from) else {
            let asks = |namespace| stanza.child("query", namespace).is_some();
            if asks(ns::DISCO_INFO) || asks(ns::DISCO_ITEMS) {
                // §6.6.
                return Err(error(Condition::BadRequest, "you are not in this room"));
            }
            // XEP-0410 §3.2: who gets this enters anew.
            let error = error(Condition::NotAcceptable, "you are not in this room");
            return Err(error.with_type(ErrorType::Cancel));
        };
        let sender = sender.to_owned();
        let Some(occupant) = self.occupants.get(nick) else {
            return Err(error(Condition::ItemNotFound, "nobody here has that name"));
        };
        // XEP-0410: whether one is still here, the room knows best.
        if *sender == *nick && stanza.child("ping", ns::PING).is_some() {
            let answer = Element::new("iq", ns::CLIENT)
                .with_attr("from", self.occupant_jid(nick))
                .with_attr("type", "result")
                .with_attr_opt("id", stanza.id());
            out.push(send(from, Kind::Iq, &answer.to_bytes(ns::CLIENT)));
            return Ok(());
        }
        // What a person says of themselves is kept by their server, and clients do not answer.
        let keeper = asks_account(stanza).then(|| Jid::from(occupant.jid.clone()));
        let other = occupant.sessions.iter().rev().find(|visit| visit.jid != *from);
        let device = other.or(occupant.sessions.last()).map(|visit| visit.jid.clone());
        let Some(to) = keeper.clone().or(device) else {
            return Err(StanzaError::new(Condition::ServiceUnavailable));
        };
        let id = stanza.id().unwrap_or_default();
        if id.len() > LONGEST_ID {
            return Err(error(Condition::NotAcceptable, "the id is too long"));
        }
        let rate = self.bounds.messages_per_second.saturating_mul(QUESTION_RATE);
        let listed = self.affiliation(from) > Affiliation::None;
        if !self.paces.take_question(from, listed, now, rate) {
            return Err(wait(Condition::PolicyViolation, "you are asking too fast"));
        }
        if self.questions.of(from) >= MOST_OF_ONE {
            return Err(wait(Condition::ResourceConstraint, "too many questions of yours wait"));
        }
        let (asker, id, asked) = (from.clone(), id.into_owned(), to.clone());
        let (id, forgotten) = self.questions.ask(Question { asker, id, asked, nick: nick.into() });
        if let Some(forgotten) = forgotten {
            self.leave_unanswered(&forgotten, Condition::RemoteServerTimeout, out);
        }
        let address = self.occupant_jid(&sender);
        let request = Edit::new(stanza).from(&address).to(to.as_str()).id(&id).finish();
        out.push(match keeper {
            Some(to) => Effect::Ask { to, request },
            None => {
                Effect::Send { to, kind: Kind::Iq, bytes: request, shared: false, urgent: true }
            }
        });
        Ok(())
    }

    /// Somebody left: what they were asked is answered by the room, since every request has an answer
    /// (RFC 6120 §8.2.3).
    pub(super) fn end_questions(&mut self, out: &mut Effects) {
        let nicks = &self.nicks;
        let over = self.questions.take(|question| {
            let is_gone = |who: &Jid| who.resource().is_some() && !nicks.contains_key(who);
            is_gone(&question.asked) || is_gone(&question.asker)
        });
        for question in over {
            self.leave_unanswered(&question, Condition::RecipientUnavailable, out);
        }
    }

    fn leave_unanswered(&self, question: &Question, why: Condition, out: &mut Effects) {
        if !self.nicks.contains_key(&question.asker) {
            return;
        }
        let answer = Element::new("iq", ns::CLIENT)
            .with_attr("from", self.occupant_jid(&question.nick))
            .with_attr("type", "error")
            .with_attr("id", question.id.as_str())
            .with_child(StanzaError::new(why).with_type(ErrorType::Wait).element());
        out.push(send(&question.asker, Kind::Iq, &answer.to_bytes(ns::CLIENT)));
    }

    /// The answer comes from the name that was asked, whatever its bearer is called by now, or from
    /// their account.
    fn pass_answer(&mut self, from: &Jid, stanza: &Stanza, out: &mut Effects) {
        let Some(question) = stanza.id().and_then(|id| self.questions.answered(&id, from)) else {
            return;
        };
        if !self.nicks.contains_key(&question.asker) {
            return;
        }
        let (to, address) = (question.asker, self.occupant_jid(&question.nick));
        let bytes = Edit::new(stanza).from(&address).to(to.as_str()).id(&question.id).finish();
        out.push(Effect::Send { to, kind: Kind::Iq, bytes, shared: false, urgent: true });
    }
}

/// Whether a request is for the card of an occupant (XEP-0054, XEP-0292), which the account keeps. What
/// else it keeps says whose it is too often.
fn asks_account(stanza: &Stanza) -> bool {
    let mut children = stanza.children();
    let (Some(payload), None) = (children.next(), children.next()) else { return false };
    let namespace = payload.ns();
    stanza.type_().as_deref() == Some("get") && matches!(namespace.as_ref(), ns::VCARD | ns::VCARD4)
}

/// What one occupant may not write to another in the name of the room or of a server.
fn spoken_for(child: &Child<'_>) -> bool {
    let namespace = child.ns();
    matches!(
        (child.name(), namespace.as_ref()),
        (_, ns::MUC | ns::MUC_USER | ns::OCCUPANT_ID) | ("stanza-id", ns::STANZA_ID)
    )
}

/// Questions of one room that wait, and those of one device among them: as many as it may ask at once.
const MOST_QUESTIONS: usize = 1000;
const MOST_OF_ONE: usize = 100;
const LONGEST_ID: usize = 256;
/// Questions for each message that somebody may send: clients ask about everybody they see.
const QUESTION_RATE: u32 = 5;
