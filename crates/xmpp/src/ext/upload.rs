//! XEP-0363: HTTP File Upload 1.2.0
//!
//! The question for a slot ([`Request`]), its answer ([`Slot`]) and the two elements that stand in
//! errors.

use crate::ns;
use crate::time::Millis;
use crate::xml::Element;

/// What a file is meant for (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sent in a message; also meant when nothing is said.
    Message,
    /// Shown in a profile.
    Profile,
    /// Not to be available after this time.
    Ephemeral(Millis),
    /// Long term storage.
    Permanent,
    /// Something this version of the specification does not know, or an ephemeral one without time.
    Unknown,
}

/// `<request/>`: room for a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The file's name.
    pub filename: String,
    /// Its exact size in bytes, not 0.
    pub size: u64,
    /// Its media type.
    pub content_type: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
}

/// `<slot/>`: where to put the file and where others get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The address for the upload.
    pub put: String,
    /// The value of the header `Authorization` that has to go with it.
    pub authorization: String,
    /// The address for downloads.
    pub get: String,
}

impl Request {
    /// Reads `<request xmlns='urn:xmpp:http:upload:0'/>`; `None` without a name or a size.
    #[must_use]
    pub fn parse(request: &Element) -> Option<Self> {
        if !request.is("request", ns::HTTP_UPLOAD) {
            return None;
        }
        let purpose = request.children().find(|child| child.ns() == ns::UPLOAD_PURPOSE);
        Some(Request {
            filename: request.attr("filename").filter(|name| !name.is_empty())?.to_owned(),
            size: request.attr("size")?.parse().ok().filter(|size| *size > 0)?,
            content_type: request
                .attr("content-type")
                .filter(|media| !media.is_empty())
                .map(str::to_owned),
            purpose: purpose.map_or(Purpose::Message, Purpose::parse),
        })
    }

    /// The question as an element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let purpose = |name: &str| Element::new(name, ns::UPLOAD_PURPOSE);
        let purpose = match self.purpose {
            Purpose::Message | Purpose::Unknown => None,
            Purpose::Profile => Some(purpose("profile")),
            Purpose::Permanent => Some(purpose("permanent")),
            Purpose::Ephemeral(until) => {
                Some(purpose("ephemeral").with_attr("expire-before", until.xep0082()))
            }
        };
        Element::new("request", ns::HTTP_UPLOAD)
            .with_attr("filename", self.filename.as_str())
            .with_attr("size", self.size.to_string())
            .with_attr_opt("content-type", self.content_type.as_deref())
            .with_children(purpose)
    }
}

impl Purpose {
    fn parse(element: &Element) -> Self {
        match element.name() {
            "message" => Purpose::Message,
            "profile" => Purpose::Profile,
            "permanent" => Purpose::Permanent,
            "ephemeral" => element
                .attr("expire-before")
                .and_then(Millis::parse_xep0082)
                .map_or(Purpose::Unknown, Purpose::Ephemeral),
            _ => Purpose::Unknown,
        }
    }
}

impl Slot {
    /// Reads `<slot/>`; `None` when an address is missing.
    #[must_use]
    pub fn parse(slot: &Element) -> Option<Self> {
        let put = slot.child("put", ns::HTTP_UPLOAD)?;
        let header = put.children().find(|child| {
            child.attr("name").is_some_and(|name| name.eq_ignore_ascii_case("authorization"))
        });
        Some(Slot {
            put: put.attr("url")?.to_owned(),
            authorization: header.map(Element::text).unwrap_or_default(),
            get: slot.child("get", ns::HTTP_UPLOAD)?.attr("url")?.to_owned(),
        })
    }

    /// The answer as an element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let header = Element::new("header", ns::HTTP_UPLOAD)
            .with_attr("name", "Authorization")
            .with_text(self.authorization.as_str());
        let put = Element::new("put", ns::HTTP_UPLOAD)
            .with_attr("url", self.put.as_str())
            .with_child(header);
        let get = Element::new("get", ns::HTTP_UPLOAD).with_attr("url", self.get.as_str());
        Element::new("slot", ns::HTTP_UPLOAD).with_child(put).with_child(get)
    }
}

/// What stands in the error for a file that is too large (§6).
#[must_use]
pub fn file_too_large(max: u64) -> Element {
    let max = Element::new("max-file-size", ns::HTTP_UPLOAD).with_text(max.to_string());
    Element::new("file-too-large", ns::HTTP_UPLOAD).with_child(max)
}

/// What stands in an error that ends by itself (§6).
#[must_use]
pub fn retry(at: Millis) -> Element {
    Element::new("retry", ns::HTTP_UPLOAD).with_attr("stamp", at.xep0082())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn element(text: &str) -> Element {
        Element::parse(text.as_bytes(), &Limits::TRUSTED).unwrap()
    }

    #[test]
    fn the_specifications_requests_are_understood() {
        let plain = element(
            "<request xmlns='urn:xmpp:http:upload:0' filename='très cool.jpg' size='23456' \
             content-type='image/jpeg'/>",
        );
        let request = Request::parse(&plain).unwrap();
        assert_eq!((request.filename.as_str(), request.size), ("très cool.jpg", 23456));
        assert_eq!(request.content_type.as_deref(), Some("image/jpeg"));
        assert_eq!(request.purpose, Purpose::Message);
        assert_eq!(request.to_element(), plain);
        let ephemeral = element(
            "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='100'>\
             <ephemeral xmlns='urn:xmpp:http:upload:purpose:0' \
             expire-before='2025-09-10T23:08:25Z'/></request>",
        );
        let request = Request::parse(&ephemeral).unwrap();
        let until = Millis::parse_xep0082("2025-09-10T23:08:25Z").unwrap();
        assert_eq!(request.purpose, Purpose::Ephemeral(until));
        assert_eq!(Request::parse(&request.to_element()), Some(request));
    }

    #[test]
    fn a_request_without_name_or_size_is_none() {
        for wrong in ["filename='a'", "size='1'", "filename='a' size='0'", "filename='a' size='-1'"]
        {
            let text = format!("<request xmlns='urn:xmpp:http:upload:0' {wrong}/>");
            assert_eq!(Request::parse(&element(&text)), None, "{wrong}");
        }
    }

    #[test]
    fn a_purpose_nobody_knows_is_no_message() {
        for wrong in ["<ephemeral", "<ephemeral expire-before='soon'", "<forever"] {
            let text = format!(
                "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='1'>\
                 {wrong} xmlns='urn:xmpp:http:upload:purpose:0'/></request>"
            );
            assert_eq!(Request::parse(&element(&text)).unwrap().purpose, Purpose::Unknown);
        }
    }

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        let slot = Slot {
            put: "https://upload.montague.example/a/b".into(),
            authorization: "Bearer abc".into(),
            get: "https://upload.montague.example/a/b".into(),
        };
        assert_eq!(Slot::parse(&slot.to_element()), Some(slot));
    }
}
