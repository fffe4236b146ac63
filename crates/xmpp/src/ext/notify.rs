//! XEP-0492: Chat notification settings 0.2.0

use crate::ns;
use crate::xml::Element;

/// Which messages of a chat notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// All.
    Always,
    /// Those that mention the user.
    OnMention,
    /// None.
    Never,
}

impl Notify {
    /// The name of its element.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnMention => "on-mention",
            Self::Never => "never",
        }
    }

    fn parse(element: &Element) -> Option<Self> {
        let all = [Self::Always, Self::OnMention, Self::Never];
        all.into_iter().find(|one| element.is(one.as_str(), ns::NOTIFICATION_SETTINGS))
    }
}

/// The service discovery identity of a program, by which it may have a setting of its own.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// `client`, for instance.
    pub category: &'a str,
    /// `phone`, for instance.
    pub kind: &'a str,
}

impl Identity<'_> {
    /// How closely a setting fits this program; `None` when it is for others ("Business Rules").
    fn fits(self, setting: &Element) -> Option<u8> {
        Notify::parse(setting)?;
        match (setting.attr("identity-category"), setting.attr("identity-type")) {
            (Some(category), Some(kind)) => {
                (category == self.category && kind == self.kind).then_some(2)
            }
            (Some(category), None) => (category == self.category).then_some(1),
            (None, None) => Some(0),
            (None, Some(_)) => None,
        }
    }

    /// The place of the setting that counts for this program: the closest, of those the first.
    fn closest(self, notify: &Element) -> Option<usize> {
        let mut found: Option<(usize, u8)> = None;
        for (at, child) in notify.children().enumerate() {
            let fits = self.fits(child);
            if fits > found.map(|(_, best)| best) {
                found = fits.map(|fits| (at, fits));
            }
        }
        found.map(|(at, _)| at)
    }
}

/// What `<notify/>` says for a program; `None` when it says nothing.
#[must_use]
pub fn read(notify: &Element, identity: Identity<'_>) -> Option<Notify> {
    let setting = notify.children().nth(identity.closest(notify)?)?;
    Notify::parse(setting)
}

/// `<notify/>` with another setting for a program. What counted for it takes the new name and keeps
/// what other programs put in it; settings of others stay as they are. Where there was no setting for
/// everybody, there is one.
#[must_use]
pub fn write(old: Option<&Element>, identity: Identity<'_>, setting: Notify) -> Element {
    let empty = || Element::new("notify", ns::NOTIFICATION_SETTINGS);
    let Some(old) = old.filter(|old| old.is("notify", ns::NOTIFICATION_SETTINGS)) else {
        return empty().with_child(named(setting));
    };
    let closest = identity.closest(old);
    let changed = |(at, child): (usize, &Element)| match Some(at) == closest {
        true => named(setting)
            .with_attr_opt("identity-category", child.attr("identity-category"))
            .with_attr_opt("identity-type", child.attr("identity-type"))
            .with_children(child.children().cloned()),
        false => child.clone(),
    };
    let children: Vec<Element> = old.children().enumerate().map(changed).collect();
    let for_all = children.iter().any(|child| {
        Notify::parse(child).is_some()
            && child.attr("identity-category").or(child.attr("identity-type")).is_none()
    });
    empty().with_children(children).with_children((!for_all).then(|| named(setting)))
}

fn named(setting: Notify) -> Element {
    Element::new(setting.as_str(), ns::NOTIFICATION_SETTINGS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    const PC: Identity<'_> = Identity { category: "client", kind: "pc" };
    const PHONE: Identity<'_> = Identity { category: "client", kind: "phone" };
    const GATEWAY: Identity<'_> = Identity { category: "gateway", kind: "sms" };

    fn parse(children: &str) -> Element {
        let xml = format!("<notify xmlns='urn:xmpp:notification-settings:1'>{children}</notify>");
        Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
    }

    /// The example of "Advanced notification settings".
    fn example() -> Element {
        parse(
            "<never identity-category='client' identity-type='pc'><advanced>\
             <when xmlns='custom:ns-1'>monday</when></advanced></never>\
             <on-mention identity-category='gateway'/>\
             <always><advanced><when xmlns='custom:ns-3'/></advanced></always>",
        )
    }

    #[test]
    fn the_closest_setting_counts() {
        for (identity, setting) in
            [(PC, Notify::Never), (PHONE, Notify::Always), (GATEWAY, Notify::OnMention)]
        {
            assert_eq!(read(&example(), identity), Some(setting));
        }
        for nothing in ["", "<never identity-type='pc'/>", "<often/>", "<never xmlns='other'/>"] {
            assert_eq!(read(&parse(nothing), PC), None, "{nothing}");
        }
    }

    #[test]
    fn only_what_counted_changes_and_keeps_what_others_put_there() {
        let new = write(Some(&example()), PC, Notify::OnMention);
        assert_eq!(read(&new, PC), Some(Notify::OnMention));
        assert_eq!(read(&new, PHONE), Some(Notify::Always));
        let first = new.children().next().unwrap();
        assert_eq!(first.attr("identity-type"), Some("pc"));
        let kept = first.child("advanced", ns::NOTIFICATION_SETTINGS).unwrap();
        assert!(kept.child("when", "custom:ns-1").is_some());
        assert_eq!(new.children().count(), 3);
        let new = write(Some(&new), PHONE, Notify::Never);
        assert_eq!(read(&new, PHONE), Some(Notify::Never));
        assert_eq!(read(&new, PC), Some(Notify::OnMention));
        assert!(new.children().last().unwrap().first_child().is_some());
    }

    #[test]
    fn there_is_always_a_setting_for_everybody() {
        let new = write(None, PC, Notify::Never);
        assert_eq!(read(&new, GATEWAY), Some(Notify::Never));
        let old = parse("<always identity-category='client'/>");
        let new = write(Some(&old), PC, Notify::Never);
        assert_eq!(read(&new, PC), Some(Notify::Never));
        assert_eq!(read(&new, GATEWAY), Some(Notify::Never));
        assert_eq!(new.children().count(), 2);
    }
}
