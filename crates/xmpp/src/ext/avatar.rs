//! XEP-0084: User Avatar 1.1.4 and XEP-0153: vCard-Based Avatars 1.1.1
//!
//! The same image lives in two worlds: as items of two personal nodes, and as the photo of a
//! vcard-temp. [`Image`] is what both carry, with the SHA-1 hash by which both name it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::ns;
use crate::xml::Element;

/// An image that was read from either world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its type: what the file itself says, or what its sender said.
    pub kind: String,
}

/// One `<info/>`: a form in which the avatar exists (XEP-0084 §4.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The hash of the image, in hexadecimal.
    pub id: String,
    /// The size of the file.
    pub bytes: u64,
    /// The type of the file.
    pub kind: String,
    /// The width in pixels.
    pub width: Option<u32>,
    /// The height in pixels.
    pub height: Option<u32>,
    /// Where the file is, when it is not in the data node.
    pub url: Option<String>,
}

/// The forms in which an avatar exists; none when there is no avatar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(pub Vec<Info>);

/// What `<x xmlns='vcard-temp:x:update'/>` in presence says (XEP-0153 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The client does not know yet.
    Unknown,
    /// There is no photo.
    None,
    /// The photo has this hash.
    Photo(String),
}

impl Image {
    /// An image of the type that the file itself shows, or else `kind`, if that is one of an image.
    #[must_use]
    pub fn new(bytes: Vec<u8>, kind: Option<&str>) -> Option<Self> {
        // XEP-0153 §4: the type that is said to be is only a hint.
        let said = kind.map(str::trim).filter(|kind| kind.starts_with("image/"));
        let kind = sniff(&bytes).or(said)?.to_owned();
        Some(Image { bytes, kind })
    }

    /// The hash by which both protocols name the image: SHA-1 in lower-case hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Sha1::digest(&self.bytes);
        digest.iter().fold(String::with_capacity(40), |mut id, byte| {
            for nibble in [byte >> 4, byte & 15] {
                id.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            id
        })
    }

    /// Reads `<data/>`, the payload of the data node.
    #[must_use]
    pub fn from_data(data: &Element, kind: Option<&str>) -> Option<Self> {
        data.is("data", ns::AVATAR_DATA).then(|| decode(&data.text()))??.image(kind)
    }

    /// Reads `<PHOTO/>` of a vcard-temp; `None` when it holds no image.
    #[must_use]
    pub fn from_photo(photo: &Element) -> Option<Self> {
        let kind = photo.child("TYPE", ns::VCARD).map(Element::text);
        decode(&photo.child("BINVAL", ns::VCARD)?.text())?.image(kind.as_deref())
    }

    /// The payload of the data node.
    #[must_use]
    pub fn to_data(&self) -> Element {
        Element::new("data", ns::AVATAR_DATA).with_text(STANDARD.encode(&self.bytes))
    }

    /// The photo of a vcard-temp.
    #[must_use]
    pub fn to_photo(&self) -> Element {
        let child = |name: &str, text: &str| Element::new(name, ns::VCARD).with_text(text);
        Element::new("PHOTO", ns::VCARD)
            .with_child(child("TYPE", &self.kind))
            .with_child(child("BINVAL", &STANDARD.encode(&self.bytes)))
    }

    /// What the metadata node says about the image.
    #[must_use]
    pub fn info(&self) -> Info {
        let (width, height) = png_size(&self.bytes).unzip();
        Info {
            id: self.id(),
            bytes: self.bytes.len() as u64,
            kind: self.kind.clone(),
            width,
            height,
            url: None,
        }
    }
}

impl Metadata {
    /// Reads `<metadata/>`; forms without the required attributes are left out.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("metadata", ns::AVATAR_METADATA) {
            return None;
        }
        let infos = element.children().filter(|child| child.is("info", ns::AVATAR_METADATA));
        Some(Metadata(infos.filter_map(Info::parse).collect()))
    }

    /// The payload of the metadata node.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("metadata", ns::AVATAR_METADATA)
            .with_children(self.0.iter().map(Info::to_element))
    }

    /// The form that is in the data node.
    #[must_use]
    pub fn stored(&self) -> Option<&Info> {
        self.0.iter().find(|info| info.url.is_none())
    }
}

impl Info {
    fn parse(element: &Element) -> Option<Self> {
        let number = |name: &str| element.attr(name)?.parse().ok();
        Some(Info {
            id: element.attr("id").filter(|id| !id.is_empty())?.to_owned(),
            bytes: element.attr("bytes").and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
            kind: element.attr("type").unwrap_or_default().to_owned(),
            width: number("width"),
            height: number("height"),
            url: element.attr("url").map(str::to_owned),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("info", ns::AVATAR_METADATA)
            .with_attr("bytes", self.bytes.to_string())
            .with_attr("id", self.id.as_str())
            .with_attr("type", self.kind.as_str())
            .with_attr_opt("width", self.width.map(|width| width.to_string()))
            .with_attr_opt("height", self.height.map(|height| height.to_string()))
            .with_attr_opt("url", self.url.as_deref())
    }
}

impl Update {
    /// Reads `<x/>`; `None` for another element.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("x", ns::VCARD_UPDATE) {
            return None;
        }
        let photo = element.child("photo", ns::VCARD_UPDATE).map(Element::text);
        Some(match photo.as_deref().map(str::trim) {
            None => Update::Unknown,
            Some("") => Update::None,
            Some(hash) => Update::Photo(hash.to_ascii_lowercase()),
        })
    }

    /// The child of presence.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let x = Element::new("x", ns::VCARD_UPDATE);
        let photo = Element::new("photo", ns::VCARD_UPDATE);
        match self {
            Update::Unknown => x,
            Update::None => x.with_child(photo),
            Update::Photo(hash) => x.with_child(photo.with_text(hash.as_str())),
        }
    }
}

/// A file without a known type.
struct File(Vec<u8>);

impl File {
    fn image(self, kind: Option<&str>) -> Option<Image> {
        Image::new(self.0, kind)
    }
}

/// Base64 with any white space in it (XEP-0153 §3.5); `None` when it is broken or empty.
fn decode(text: &str) -> Option<File> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(packed).ok()?;
    (!bytes.is_empty()).then_some(File(bytes))
}

/// The type of an image by its first bytes.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Width and height of a PNG: the first fields of its first chunk.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..16)?.strip_prefix(b"IHDR")?;
    let (width, height) = header.split_at_checked(4)?;
    let number = |part: &[u8]| Some(u32::from_be_bytes(part.try_into().ok()?));
    Some((number(width)?, number(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x40\0\0\0\x20";

    fn png() -> Image {
        Image::new(PNG.to_vec(), None).unwrap()
    }

    #[test]
    fn an_image_survives_both_worlds() {
        let image = png();
        assert_eq!(Image::from_data(&image.to_data(), None), Some(image.clone()));
        assert_eq!(Image::from_photo(&image.to_photo()), Some(image));
    }

    #[test]
    fn the_hash_is_of_the_file_itself() {
        let image = Image { bytes: b"abc".to_vec(), kind: String::new() };
        assert_eq!(image.id(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn the_file_says_its_type_and_size() {
        let image = Image::new(PNG.to_vec(), Some("image/jpeg")).unwrap();
        assert_eq!(image.kind, "image/png");
        let info = image.info();
        assert_eq!((info.width, info.height, info.bytes), (Some(64), Some(32), 24));
        assert_eq!(Image::new(b"??".to_vec(), Some("text/html")), None);
        assert!(Image::new(b"??".to_vec(), Some("image/svg+xml")).is_some());
    }

    #[test]
    fn white_space_in_base64_is_ignored_and_rubbish_refused() {
        let spaced = STANDARD.encode(PNG).replace('A', "A\n ");
        let data = |text: &str| Element::new("data", ns::AVATAR_DATA).with_text(text);
        assert_eq!(Image::from_data(&data(&spaced), None), Some(png()));
        assert_eq!(Image::from_data(&data("!"), None), None);
        assert_eq!(Image::from_data(&data(""), None), None);
    }

    #[test]
    fn metadata_survives_the_wire_and_names_what_is_stored() {
        let elsewhere = Info { url: Some("https://example.org/a.png".into()), ..png().info() };
        let metadata = Metadata(vec![elsewhere, png().info()]);
        assert_eq!(Metadata::parse(&metadata.to_element()), Some(metadata.clone()));
        assert_eq!(metadata.stored(), Some(&png().info()));
        assert_eq!(Metadata::default().stored(), None);
    }

    #[test]
    fn updates_survive_the_wire() {
        for update in [Update::Unknown, Update::None, Update::Photo("ab".into())] {
            assert_eq!(Update::parse(&update.to_element()), Some(update));
        }
    }
}
