//! XEP-0004: Data Forms 2.13.2
//!
//! A [`Form`] is what any protocol that asks questions carries: pubsub configuration, archive
//! queries, registration, ad-hoc commands and the extended part of service discovery (XEP-0128).
//! Parsing is lenient (an unknown field type is `text-single`, as the XEP asks; a missing form
//! type counts as [`FormType::Form`]); what is built follows the schema.

use crate::ns;
use crate::xml::Element;

/// What a form is for: the `type` attribute of `<x/>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormType {
    /// An empty form to be filled out.
    Form,
    /// A form that was filled out.
    Submit,
    /// The one who was asked does not want to answer.
    Cancel,
    /// Data: a search result, an extended disco answer.
    Result,
}

/// The data type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `0`, `false`, `1` or `true`.
    Boolean,
    /// Text to show, not to answer.
    Fixed,
    /// Not shown; sent back unchanged.
    Hidden,
    /// Several addresses.
    JidMulti,
    /// One address.
    JidSingle,
    /// Several of the given options.
    ListMulti,
    /// One of the given options.
    ListSingle,
    /// Several lines, one per value.
    TextMulti,
    /// One line that is not shown while it is typed.
    TextPrivate,
    /// One line; the default.
    TextSingle,
}

/// One choice of a list field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOption {
    /// The text people see; empty when there is none.
    pub label: String,
    /// The value that is submitted.
    pub value: String,
}

/// One `<field/>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// The name of the field; only `fixed` fields may do without.
    pub var: Option<String>,
    /// The type, when the sender gave one.
    pub kind: Option<FieldType>,
    /// The text people see.
    pub label: Option<String>,
    /// A longer explanation.
    pub desc: Option<String>,
    /// Whether the form is incomplete without it.
    pub required: bool,
    /// The values in the order of the wire.
    pub values: Vec<String>,
    /// What a list field offers.
    pub options: Vec<FieldOption>,
    /// Children of other namespaces: validation (XEP-0122), media (XEP-0221).
    pub extra: Vec<Element>,
}

/// A data form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// What the form is for.
    pub kind: FormType,
    /// A line above the form.
    pub title: Option<String>,
    /// Explanations, a paragraph each.
    pub instructions: Vec<String>,
    /// The fields in the order of the wire.
    pub fields: Vec<Field>,
    /// The columns of a table of results.
    pub reported: Vec<Field>,
    /// The rows of a table of results.
    pub items: Vec<Vec<Field>>,
}

impl FormType {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FormType::Form => "form",
            FormType::Submit => "submit",
            FormType::Cancel => "cancel",
            FormType::Result => "result",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "submit" => FormType::Submit,
            "cancel" => FormType::Cancel,
            "result" => FormType::Result,
            _ => FormType::Form,
        }
    }
}

impl FieldType {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FieldType::Boolean => "boolean",
            FieldType::Fixed => "fixed",
            FieldType::Hidden => "hidden",
            FieldType::JidMulti => "jid-multi",
            FieldType::JidSingle => "jid-single",
            FieldType::ListMulti => "list-multi",
            FieldType::ListSingle => "list-single",
            FieldType::TextMulti => "text-multi",
            FieldType::TextPrivate => "text-private",
            FieldType::TextSingle => "text-single",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "boolean" => FieldType::Boolean,
            "fixed" => FieldType::Fixed,
            "hidden" => FieldType::Hidden,
            "jid-multi" => FieldType::JidMulti,
            "jid-single" => FieldType::JidSingle,
            "list-multi" => FieldType::ListMulti,
            "list-single" => FieldType::ListSingle,
            "text-multi" => FieldType::TextMulti,
            "text-private" => FieldType::TextPrivate,
            // "MUST be assumed if a form-submitting entity receives a field type it does not
            // understand" (XEP-0004, Field Types).
            _ => FieldType::TextSingle,
        }
    }
}

impl FieldOption {
    /// An option with a text for people.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        FieldOption { label: label.into(), value: value.into() }
    }
}

impl Field {
    /// A field with a name and a type.
    #[must_use]
    pub fn new(var: impl Into<String>, kind: FieldType) -> Self {
        Field { var: Some(var.into()), kind: Some(kind), ..Field::default() }
    }

    /// A field for a submission or a result, where the type follows from context.
    #[must_use]
    pub fn untyped(var: impl Into<String>) -> Self {
        Field { var: Some(var.into()), ..Field::default() }
    }

    /// The hidden `FORM_TYPE` field (XEP-0068).
    #[must_use]
    pub fn form_type(namespace: impl Into<String>) -> Self {
        Field::new(FORM_TYPE, FieldType::Hidden).with_value(namespace)
    }

    /// Adds a value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds several values.
    #[must_use]
    pub fn with_values<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Adds a boolean as the value, in the form every implementation reads.
    #[must_use]
    pub fn with_bool(self, value: bool) -> Self {
        self.with_value(if value { "1" } else { "0" })
    }

    /// Sets the text people see.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the longer explanation.
    #[must_use]
    pub fn with_desc(mut self, desc: impl Into<String>) -> Self {
        self.desc = Some(desc.into());
        self
    }

    /// Marks the field as required.
    #[must_use]
    pub fn with_required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Adds an option.
    #[must_use]
    pub fn with_option(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push(FieldOption::new(label, value));
        self
    }

    /// Adds a child of another namespace.
    #[must_use]
    pub fn with_extra(mut self, child: Element) -> Self {
        self.extra.push(child);
        self
    }

    /// The first value.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.values.first().map(String::as_str)
    }

    /// The first value as a boolean; `None` when it is not one of the four spellings.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.value()?.trim() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        }
    }

    /// All values as one text, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        self.values.join("\n")
    }

    fn parse(element: &Element) -> Self {
        let mut field = Field {
            var: element.attr("var").map(str::to_owned),
            kind: element.attr("type").map(FieldType::parse),
            label: element.attr("label").map(str::to_owned),
            ..Field::default()
        };
        for child in element.children() {
            if child.ns() != ns::DATA_FORMS {
                field.extra.push(child.clone());
                continue;
            }
            match child.name() {
                "value" => field.values.push(child.text()),
                "required" => field.required = true,
                "desc" => field.desc = Some(child.text()),
                "option" => field.options.push(FieldOption {
                    label: child.attr("label").unwrap_or_default().to_owned(),
                    value: child
                        .child("value", ns::DATA_FORMS)
                        .map(Element::text)
                        .unwrap_or_default(),
                }),
                _ => {}
            }
        }
        field
    }

    fn to_element(&self) -> Element {
        let mut element = Element::new("field", ns::DATA_FORMS)
            .with_attr_opt("var", self.var.as_deref())
            .with_attr_opt("type", self.kind.map(FieldType::as_str))
            .with_attr_opt("label", self.label.as_deref());
        if let Some(desc) = &self.desc {
            element.push(text_child("desc", desc));
        }
        if self.required {
            element.push(Element::new("required", ns::DATA_FORMS));
        }
        for value in &self.values {
            element.push(text_child("value", value));
        }
        for option in &self.options {
            let label = Some(option.label.as_str()).filter(|label| !label.is_empty());
            element.push(
                Element::new("option", ns::DATA_FORMS)
                    .with_attr_opt("label", label)
                    .with_child(text_child("value", &option.value)),
            );
        }
        for child in &self.extra {
            element.push(child.clone());
        }
        element
    }
}

impl Form {
    /// An empty form of a type.
    #[must_use]
    pub fn new(kind: FormType) -> Self {
        Form {
            kind,
            title: None,
            instructions: Vec::new(),
            fields: Vec::new(),
            reported: Vec::new(),
            items: Vec::new(),
        }
    }

    /// An empty form of a type whose fields mean what `form_type` says (XEP-0068).
    #[must_use]
    pub fn typed(kind: FormType, form_type: impl Into<String>) -> Self {
        Form::new(kind).with_field(Field::form_type(form_type))
    }

    /// Adds a field.
    #[must_use]
    pub fn with_field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Sets the title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds a paragraph of instructions.
    #[must_use]
    pub fn with_instructions(mut self, text: impl Into<String>) -> Self {
        self.instructions.push(text.into());
        self
    }

    /// Reads a form; `None` when the element is not `<x xmlns='jabber:x:data'/>`.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("x", ns::DATA_FORMS) {
            return None;
        }
        let mut form = Form::new(FormType::parse(element.attr("type").unwrap_or_default()));
        for child in element.children().filter(|child| child.ns() == ns::DATA_FORMS) {
            match child.name() {
                "title" => form.title = Some(child.text()),
                "instructions" => form.instructions.push(child.text()),
                "field" => form.fields.push(Field::parse(child)),
                "reported" => form.reported = parse_fields(child),
                "item" => form.items.push(parse_fields(child)),
                _ => {}
            }
        }
        Some(form)
    }

    /// Reads the first form among the children of `parent`.
    #[must_use]
    pub fn child_of(parent: &Element) -> Option<Self> {
        parent.child("x", ns::DATA_FORMS).and_then(Form::parse)
    }

    /// The field of that name.
    #[must_use]
    pub fn field(&self, var: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.var.as_deref() == Some(var))
    }

    /// The first value of the field of that name.
    #[must_use]
    pub fn value(&self, var: &str) -> Option<&str> {
        self.field(var)?.value()
    }

    /// The values of the field of that name; empty when there is no such field.
    #[must_use]
    pub fn values(&self, var: &str) -> &[String] {
        self.field(var).map(|field| field.values.as_slice()).unwrap_or_default()
    }

    /// The field of that name as a boolean; `None` when it is absent or not a boolean.
    #[must_use]
    pub fn boolean(&self, var: &str) -> Option<bool> {
        self.field(var)?.boolean()
    }

    /// What the fields mean (XEP-0068): the value of `FORM_TYPE`.
    #[must_use]
    pub fn form_type(&self) -> Option<&str> {
        self.value(FORM_TYPE)
    }

    /// The form as `<x/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut element = Element::new("x", ns::DATA_FORMS).with_attr("type", self.kind.as_str());
        if let Some(title) = &self.title {
            element.push(text_child("title", title));
        }
        for text in &self.instructions {
            element.push(text_child("instructions", text));
        }
        for field in &self.fields {
            element.push(field.to_element());
        }
        if !self.reported.is_empty() {
            element.push(with_fields("reported", &self.reported));
        }
        for item in &self.items {
            element.push(with_fields("item", item));
        }
        element
    }
}

fn parse_fields(parent: &Element) -> Vec<Field> {
    parent.children().filter(|child| child.is("field", ns::DATA_FORMS)).map(Field::parse).collect()
}

fn with_fields(name: &str, fields: &[Field]) -> Element {
    Element::new(name, ns::DATA_FORMS).with_children(fields.iter().map(Field::to_element))
}

fn text_child(name: &str, text: &str) -> Element {
    Element::new(name, ns::DATA_FORMS).with_text(text)
}

/// XEP-0068: the field that names the meaning of the others.
pub const FORM_TYPE: &str = "FORM_TYPE";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn parse(xml: &str) -> Form {
        Form::parse(&Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()).unwrap()
    }

    #[test]
    fn a_submission_is_read() {
        let form = parse(
            "<x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:example</value></field>\
             <field var='on'><value>true</value></field>\
             <field var='many'><value>a</value><value>b</value></field>\
             <field var='strange' type='colour'/></x>",
        );
        assert_eq!(form.kind, FormType::Submit);
        assert_eq!(form.form_type(), Some("urn:example"));
        assert_eq!(form.boolean("on"), Some(true));
        assert_eq!(form.values("many"), ["a", "b"]);
        assert_eq!(form.field("strange").unwrap().kind, Some(FieldType::TextSingle));
        assert_eq!(form.value("absent"), None);
    }

    #[test]
    fn a_form_survives_the_wire() {
        let form = Form::typed(FormType::Form, "urn:example")
            .with_title("Title")
            .with_instructions("Do this.")
            .with_field(
                Field::new("choice", FieldType::ListSingle)
                    .with_label("Choice")
                    .with_desc("One of them")
                    .with_required()
                    .with_value("b")
                    .with_option("A", "a")
                    .with_option("", "b"),
            )
            .with_field(Field::new("flag", FieldType::Boolean).with_bool(false));
        assert_eq!(Form::parse(&form.to_element()), Some(form));
    }

    #[test]
    fn a_table_survives_the_wire() {
        let mut form = Form::new(FormType::Result);
        form.reported.push(Field::new("name", FieldType::TextSingle).with_label("Name"));
        form.items.push(vec![Field::untyped("name").with_value("Juliet")]);
        form.items.push(vec![Field::untyped("name").with_value("Romeo")]);
        assert_eq!(Form::parse(&form.to_element()), Some(form));
    }

    #[test]
    fn another_element_is_not_a_form() {
        assert_eq!(Form::parse(&Element::new("x", "jabber:x:oob")), None);
    }
}
