//! XEP-0317: Hats 0.3.1
//!
//! Owners and admins make hats, and give them to people; everybody who is there sees who wears what. Hats
//! stay with the room, and with the address of whoever wears one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
        muc::Affiliation,
        rsm::Position,
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    admin::Answer,
    announce::News,
    room::{Effect, Effects, Room, error},
};
use crate::ext::pages;

/// The hats of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hats {
    /// By their addresses.
    #[serde(default)]
    all: BTreeMap<String, Hat>,
    /// Who wears which, by bare address.
    #[serde(default)]
    worn: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Hat {
    title: String,
    #[serde(default)]
    hue: Option<String>,
}

/// Hats of one room, people who wear one, and hats of one of them.
const MOST_HATS: usize = 50;
const MOST_WEARERS: usize = 1000;
const MOST_WORN: usize = 10;
/// Characters of a title, and of an address.
const MOST_TEXT: usize = 200;
/// Bytes of a hue: an angle with more digits than anybody sees.
const MOST_HUE: usize = 16;

/// The commands with their names (XEP-0317 §3).
const COMMANDS: &[(&str, &str)] = &[
    ("create", "Make a hat, or change one"),
    ("destroy", "Destroy a hat"),
    ("list", "List the hats"),
    ("assign", "Give somebody a hat"),
    ("unassign", "Take a hat from somebody"),
    ("list-assigned", "List who wears which hat"),
];
const NODE: &str = "urn:xmpp:hats:commands:";
const FORM: &str = "urn:xmpp:hats:commands";

impl Hats {
    /// What somebody wears, as it stands in presence; `None` for nothing.
    pub(super) fn of(&self, jid: &BareJid) -> Option<Element> {
        let worn = self.worn.get(jid.as_str())?;
        let hats = worn.iter().filter_map(|uri| Some((uri, self.all.get(uri)?)));
        let hats = hats.map(|(uri, hat)| {
            Element::new("hat", ns::HATS)
                .with_attr("title", &hat.title)
                .with_attr("uri", uri)
                .with_attr_opt("hue", hat.hue.as_deref())
        });
        Some(Element::new("hats", ns::HATS).with_children(hats))
    }

    /// Whether somebody wears one.
    pub(super) fn are_worn_by(&self, jid: &BareJid) -> bool {
        self.worn.contains_key(jid.as_str())
    }

    /// Somebody is to be forgotten.
    pub(super) fn forget(&mut self, jid: &BareJid) {
        self.worn.remove(jid.as_str());
    }

    /// What changes when the list of hats does (XEP-0317 §2); `None` without hats.
    pub(super) fn hash(&self) -> Option<String> {
        let mut hash = Sha1::new();
        for (uri, hat) in &self.all {
            let hue = hat.hue.as_deref().unwrap_or_default();
            for part in [uri.as_str(), &hat.title, hue] {
                hash.update(part);
                hash.update([0]);
            }
        }
        let digest = hash.finalize();
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        (!self.all.is_empty()).then_some(hex)
    }

    /// Makes a hat or changes one. Gives those who wear it.
    fn create(&mut self, uri: &str, hat: Hat) -> Result<Vec<String>, StanzaError> {
        if !self.all.contains_key(uri) && self.all.len() >= MOST_HATS {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        self.all.insert(uri.to_owned(), hat);
        Ok(self.wearers(uri))
    }

    fn destroy(&mut self, uri: &str) -> Result<Vec<String>, StanzaError> {
        let wearers = self.wearers(uri);
        self.all.remove(uri).ok_or_else(|| StanzaError::new(Condition::ItemNotFound))?;
        for worn in self.worn.values_mut() {
            worn.retain(|other| other != uri);
        }
        self.worn.retain(|_, worn| !worn.is_empty());
        Ok(wearers)
    }

    fn assign(&mut self, jid: &BareJid, uri: &str) -> Result<Vec<String>, StanzaError> {
        if !self.all.contains_key(uri) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        if !self.worn.contains_key(jid.as_str()) && self.worn.len() >= MOST_WEARERS {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        let worn = self.worn.entry(jid.as_str().to_owned()).or_default();
        if !worn.iter().any(|other| other == uri) {
            if worn.len() >= MOST_WORN {
                return Err(StanzaError::new(Condition::ResourceConstraint));
            }
            worn.push(uri.to_owned());
        }
        Ok(vec![jid.as_str().to_owned()])
    }

    fn unassign(&mut self, jid: &BareJid, uri: &str) -> Result<Vec<String>, StanzaError> {
        let nothing = || StanzaError::new(Condition::ItemNotFound);
        let worn = self.worn.get_mut(jid.as_str()).ok_or_else(nothing)?;
        let before = worn.len();
        worn.retain(|other| other != uri);
        if worn.len() == before {
            return Err(nothing());
        }
        self.worn.retain(|_, worn| !worn.is_empty());
        Ok(vec![jid.as_str().to_owned()])
    }

    fn wearers(&self, uri: &str) -> Vec<String> {
        let wears = |(_, worn): &(&String, &Vec<String>)| worn.iter().any(|other| other == uri);
        self.worn.iter().filter(wears).map(|(jid, _)| jid.clone()).collect()
    }

    fn fields(&self, uri: &str) -> Vec<Field> {
        let hat = self.all.get(uri);
        let untyped = |var: &str, value: Option<&str>| Field::untyped(var).with_values(value);
        let mut fields = vec![
            untyped("hats#title", hat.map(|hat| hat.title.as_str())),
            untyped("hats#uri", Some(uri)),
        ];
        if let Some(hue) = hat.and_then(|hat| hat.hue.as_deref()) {
            fields.push(untyped("hats#hue", Some(hue)));
        }
        fields
    }
}

impl Room {
    /// disco#items for the commands of the room.
    pub(super) fn commands(&self, from: &Jid) -> Element {
        let mut items = Items { node: Some(ns::COMMANDS.into()), ..Items::default() };
        let room = Jid::from(self.jid.clone());
        let offered = COMMANDS.iter().filter(|(name, _)| self.may_use(from, name));
        items.items.extend(offered.map(|(name, title)| {
            Item::new(room.clone()).with_node(format!("{NODE}{name}")).with_name(*title)
        }));
        items.to_element()
    }

    /// disco#info for one of them; `None` when there is none of that node.
    pub(super) fn describe_command(&self, from: &Jid, node: &str) -> Option<Element> {
        let (name, title) =
            COMMANDS.iter().find(|(name, _)| node.strip_prefix(NODE) == Some(name))?;
        let identity = Identity::new("automation", "command-node").with_name(*title);
        let info = Info::new().with_node(node).with_identity(identity);
        let info = info.with_features([ns::COMMANDS, ns::DATA_FORMS]);
        self.may_use(from, name).then(|| info.to_element())
    }

    /// Those who are in the room, or could be, see the hats; owners and admins handle them.
    fn may_use(&self, from: &Jid, name: &str) -> bool {
        match name {
            "list" | "list-assigned" => self.may_read(from),
            _ => self.affiliation(from) >= Affiliation::Admin,
        }
    }

    /// A command (XEP-0050).
    pub(super) fn command(&mut self, from: &Jid, command: &Element, out: &mut Effects) -> Answer {
        let node = command.attr("node").unwrap_or_default();
        let name = node.strip_prefix(NODE).unwrap_or_default().to_owned();
        if !COMMANDS.iter().any(|(known, _)| *known == name) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        if !self.may_use(from, &name) {
            return Err(error(Condition::Forbidden, "only owners and admins handle hats"));
        }
        if command.attr("action") == Some("cancel") {
            return Ok(Some(answer(command, "canceled", None)));
        }
        let form = Form::child_of(command).filter(|form| form.kind == FormType::Submit);
        match (&*name, form) {
            ("list", _) => Ok(Some(answer(command, "completed", Some(self.list_of_hats())))),
            ("list-assigned", _) => {
                // Who somebody is, only those see who would anyway.
                if !self.may_see_addresses(from) {
                    return Err(StanzaError::new(Condition::Forbidden));
                }
                Ok(Some(answer(command, "completed", Some(self.list_of_wearers()))))
            }
            (name, None) => Ok(Some(answer(command, "executing", Some(self.ask_hat(name))))),
            (name, Some(form)) => {
                self.change_hats(name, &form, out)?;
                Ok(Some(answer(command, "completed", None)))
            }
        }
    }

    fn change_hats(
        &mut self,
        name: &str,
        form: &Form,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let uri = text(form, "hats#uri")?;
        let jid = || {
            let jid = form.value("hats#jid").and_then(|jid| Jid::new(jid).ok());
            jid.map(|jid| jid.to_bare()).ok_or_else(|| StanzaError::new(Condition::JidMalformed))
        };
        let touched = match name {
            "create" => {
                let hue = form.value("hats#hue").filter(|hue| !hue.is_empty()).map(str::to_owned);
                if hue.as_deref().is_some_and(|hue| !is_angle(hue)) {
                    return Err(error(Condition::NotAcceptable, "a hue is an angle up to 360"));
                }
                let title = text(form, "hats#title")?.to_owned();
                self.hats.create(uri, Hat { title, hue })?
            }
            "destroy" => self.hats.destroy(uri)?,
            "assign" => self.hats.assign(&jid()?, uri)?,
            _ => self.hats.unassign(&jid()?, uri)?,
        };
        out.push(Effect::Save { state: true, changes: Vec::new() });
        if matches!(name, "create" | "destroy") {
            // XEP-0317 §3.2: the list is part of what the room is.
            self.broadcast_status(&[104], out);
        }
        for nick in self.worn_by(&touched) {
            let session = self.occupants.get(&nick).and_then(|occupant| occupant.sessions.last());
            if let Some(session) = session.map(|visit| visit.jid.clone()) {
                self.announce(&nick, &session, &News::default(), out);
            }
        }
        Ok(())
    }

    /// The nicknames of those who are there.
    fn worn_by(&self, addresses: &[String]) -> Vec<Box<str>> {
        let meant = |jid: &BareJid| addresses.iter().any(|address| address == jid.as_str());
        let there = self.occupants.iter().filter(|(_, occupant)| meant(&occupant.jid));
        there.map(|(nick, _)| nick.clone()).collect()
    }

    fn ask_hat(&self, name: &str) -> Form {
        let title = COMMANDS.iter().find(|(known, _)| *known == name).map(|(_, title)| *title);
        let single =
            |var: &str, label: &str| Field::new(var, FieldType::TextSingle).with_label(label);
        let mut choice = Field::new("hats#uri", FieldType::ListSingle).with_label("The hat");
        for (uri, hat) in &self.hats.all {
            choice = choice.with_option(hat.title.as_str(), uri.as_str());
        }
        let choice = choice.with_required();
        let who =
            Field::new("hats#jid", FieldType::JidSingle).with_label("Address").with_required();
        let fields = match name {
            "create" => vec![
                single("hats#title", "Title").with_required(),
                single("hats#uri", "What names it everywhere (URI)").with_required(),
                single("hats#hue", "Hue, an angle of the colour circle"),
            ],
            "destroy" => vec![choice],
            _ => vec![who, choice],
        };
        let form = Form::typed(FormType::Form, FORM).with_title(title.unwrap_or_default());
        fields.into_iter().fold(form, Form::with_field)
    }

    fn list_of_hats(&self) -> Form {
        let items = self.hats.all.keys().map(|uri| self.hats.fields(uri)).collect();
        table("Hats", &["hats#title", "hats#uri", "hats#hue"], items)
    }

    /// As many as fit into an answer: the specification knows no pages of them.
    fn list_of_wearers(&self) -> Form {
        let worn = self.hats.worn.iter();
        let worn = worn.flat_map(|(jid, uris)| uris.iter().map(move |uri| (jid, uri)));
        let rows: Vec<Vec<Field>> = worn
            .map(|(jid, uri)| {
                let mut fields = vec![Field::untyped("hats#jid").with_value(jid.as_str())];
                fields.extend(self.hats.fields(uri));
                fields
            })
            .collect();
        let written = |row: &Vec<Field>| table("", &[], vec![row.clone()]).to_element();
        let fits = pages::fit(&rows, &Position::First, self.bounds.answer_bytes, written);
        let columns = ["hats#jid", "hats#title", "hats#uri", "hats#hue"];
        let shown = rows.get(fits).unwrap_or_default().to_vec();
        let rest = rows.len() - shown.len();
        let form = table("Who wears which hat", &columns, shown);
        match rest {
            0 => form,
            _ => form.with_instructions(format!("{rest} more do not fit here.")),
        }
    }
}

fn table(title: &str, columns: &[&str], items: Vec<Vec<Field>>) -> Form {
    let mut form = Form::new(FormType::Result).with_title(title);
    form.reported = columns.iter().map(|var| Field::untyped(*var)).collect();
    form.items = items;
    form
}

/// Whether it is a hue (XEP-0392), written as briefly as there is need for.
fn is_angle(hue: &str) -> bool {
    hue.len() <= MOST_HUE && hue.parse::<f64>().is_ok_and(|angle| (0.0..=360.0).contains(&angle))
}

/// A value that must be there, and short enough.
fn text<'a>(form: &'a Form, var: &str) -> Result<&'a str, StanzaError> {
    let value = form.value(var).unwrap_or_default();
    if value.is_empty() || value.chars().count() > MOST_TEXT {
        return Err(error(Condition::NotAcceptable, "a hat has a short title and a short URI"));
    }
    Ok(value)
}

fn answer(command: &Element, status: &str, form: Option<Form>) -> Element {
    let node = command.attr("node").unwrap_or_default();
    let session = command.attr("sessionid").unwrap_or("hats");
    let mut answer = Element::new("command", ns::COMMANDS)
        .with_attr("node", node)
        .with_attr("sessionid", session)
        .with_attr("status", status);
    if status == "executing" {
        let complete = Element::new("complete", ns::COMMANDS);
        let actions = Element::new("actions", ns::COMMANDS).with_attr("execute", "complete");
        answer.push(actions.with_child(complete));
    }
    answer.with_children(form.map(|form| form.to_element()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid() -> BareJid {
        BareJid::new("terry@courses.example").unwrap()
    }

    fn hat(title: &str) -> Hat {
        Hat { title: title.into(), hue: None }
    }

    #[test]
    fn a_hat_is_made_worn_and_gone_for_all_at_once() {
        let mut hats = Hats::default();
        assert_eq!(hats.hash(), None);
        assert!(hats.assign(&jid(), "urn:hat").is_err());
        assert_eq!(hats.create("urn:hat", hat("Host")), Ok(Vec::new()));
        let first = hats.hash();
        hats.assign(&jid(), "urn:hat").unwrap();
        hats.assign(&jid(), "urn:hat").unwrap();
        assert_eq!(hats.of(&jid()).unwrap().children().count(), 1);
        assert_eq!(hats.create("urn:hat", hat("Hostess")), Ok(vec![jid().as_str().to_owned()]));
        assert!(first.is_some() && hats.hash() != first);
        assert_eq!(hats.destroy("urn:hat").unwrap().len(), 1);
        assert_eq!(hats.of(&jid()), None);
        assert!(hats.destroy("urn:hat").is_err() && hats.unassign(&jid(), "urn:hat").is_err());
    }

    #[test]
    fn hats_are_bounded() {
        let mut hats = Hats::default();
        for n in 0..MOST_HATS {
            hats.create(&format!("urn:{n}"), hat("Host")).unwrap();
        }
        let refused = hats.create("urn:one more", hat("Host")).unwrap_err();
        assert_eq!(refused.condition, Condition::ResourceConstraint);
        assert!(hats.create("urn:0", hat("Other")).is_ok(), "those that are there can change");
    }

    #[test]
    fn nobody_wears_more_than_fits_into_presence() {
        let mut hats = Hats::default();
        let witch = BareJid::new("hag66@shakespeare.example").unwrap();
        let uri = |n: usize| format!("urn:coven:{n}");
        for n in 0..=MOST_WORN {
            hats.create(&uri(n), Hat::default()).unwrap();
        }
        for n in 0..MOST_WORN {
            hats.assign(&witch, &uri(n)).unwrap();
        }
        let error = hats.assign(&witch, &uri(MOST_WORN)).unwrap_err();
        assert_eq!(error.condition, Condition::ResourceConstraint);
        assert!(hats.assign(&witch, &uri(0)).is_ok(), "what is worn stays");
    }

    #[test]
    fn a_hue_is_short() {
        assert!(is_angle("327.255249") && is_angle("0") && is_angle("360"));
        let long = format!("1.{}", "0".repeat(100_000));
        assert!(!is_angle(&long) && !is_angle("361") && !is_angle("-1") && !is_angle("NaN"));
    }
}
