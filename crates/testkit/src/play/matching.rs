//! Comparing what came with what a play expects.

use super::pattern::{Pattern, Presence};
use super::template::Variables;
use crate::tree::Tree;

/// Compares an element with a pattern; on success captured values are in `variables`.
///
/// # Errors
/// A sentence naming the place and the difference.
pub fn compare(pattern: &Pattern, tree: &Tree, variables: &mut Variables) -> Result<(), String> {
    let mut captured = variables.clone();
    element(pattern, tree, &mut captured).map_err(|why| format!("<{}> {why}", tree.name))?;
    *variables = captured;
    Ok(())
}

/// Finds for each pattern an element of its own, in whatever order they came.
///
/// # Errors
/// A sentence naming the first pattern for which nothing fits.
pub fn compare_any_order(
    patterns: &[Pattern],
    trees: &[Tree],
    variables: &mut Variables,
) -> Result<(), String> {
    let wanted: Vec<_> =
        patterns.iter().map(|pattern| (Presence::Required, pattern.clone())).collect();
    let found: Vec<&Tree> = trees.iter().collect();
    let group = Group { found: &found, ordered: false, others_allowed: false };
    group.assign(&wanted, &mut vec![false; found.len()], variables)
}

fn element(pattern: &Pattern, tree: &Tree, variables: &mut Variables) -> Result<(), String> {
    if tree.name != pattern.name {
        return Err(format!("came where <{}> was expected", pattern.name));
    }
    if tree.ns != pattern.ns {
        return Err(format!("has namespace \"{}\", expected \"{}\"", tree.ns, pattern.ns));
    }
    attributes(pattern, tree, variables)?;
    text(pattern, tree, variables)?;
    let found: Vec<&Tree> = tree.children().collect();
    let group =
        Group { found: &found, ordered: pattern.ordered, others_allowed: pattern.more_children };
    group.assign(&pattern.children, &mut vec![false; found.len()], variables)
}

fn attributes(pattern: &Pattern, tree: &Tree, variables: &mut Variables) -> Result<(), String> {
    for (name, template) in &pattern.attributes {
        match tree.attr(name) {
            Some(value) => template
                .compare(value, variables)
                .map_err(|why| format!("attribute {name} {why}"))?,
            None if template.allows_absence() => {}
            None => return Err(format!("has no attribute {name}")),
        }
    }
    if pattern.more_attributes {
        return Ok(());
    }
    // RFC 6120 §8.1.5 lets servers say the language of a stanza whose sender did not.
    let expected = |name: &str| {
        name == "xml:lang" || pattern.attributes.iter().any(|(known, _)| known == name)
    };
    match tree.attributes.iter().find(|(name, _)| !expected(name)) {
        Some((name, value)) => Err(format!("has an unexpected attribute {name}=\"{value}\"")),
        None => Ok(()),
    }
}

fn text(pattern: &Pattern, tree: &Tree, variables: &mut Variables) -> Result<(), String> {
    let text = tree.text();
    match &pattern.text {
        Some(template) if pattern.children.is_empty() => {
            template.compare(&text, variables).map_err(|why| format!("text {why}"))
        }
        Some(template) => {
            template.compare(text.trim(), variables).map_err(|why| format!("text {why}"))
        }
        None if pattern.more_children || text.trim().is_empty() => Ok(()),
        None => Err(format!("has unexpected text \"{}\"", text.trim())),
    }
}

/// Children to be shared out among patterns.
struct Group<'a> {
    found: &'a [&'a Tree],
    ordered: bool,
    others_allowed: bool,
}

impl Group<'_> {
    /// Assigns patterns to children from the first on, going back when a choice leads nowhere.
    fn assign(
        &self,
        patterns: &[(Presence, Pattern)],
        used: &mut Vec<bool>,
        variables: &mut Variables,
    ) -> Result<(), String> {
        let Some(((presence, pattern), rest)) = patterns.split_first() else {
            return self.leftover(used);
        };
        if *presence == Presence::Forbidden {
            self.forbid(pattern, variables)?;
            return self.assign(rest, used, variables);
        }
        let mut reason = None;
        let mut later_reason = None;
        let from = if self.ordered {
            used.iter().rposition(|used| *used).map_or(0, |at| at + 1)
        } else {
            0
        };
        for (at, tree) in self.found.iter().enumerate().skip(from) {
            if used[at] {
                continue;
            }
            let mut attempt = variables.clone();
            if let Err(why) = element(pattern, tree, &mut attempt) {
                // The difference from a child of the same name tells more than any other.
                if tree.name == pattern.name && tree.ns == pattern.ns {
                    reason.get_or_insert(format!("→ <{}> {why}", tree.name));
                }
                continue;
            }
            let mut used = used.clone();
            used[at] = true;
            match self.assign(rest, &mut used, &mut attempt) {
                Ok(()) => {
                    *variables = attempt;
                    return Ok(());
                }
                Err(why) => later_reason = later_reason.or(Some(why)),
            }
        }
        if *presence == Presence::Optional {
            return self.assign(rest, used, variables).map_err(|why| later_reason.unwrap_or(why));
        }
        Err(later_reason
            .or(reason)
            .unwrap_or_else(|| format!("has no <{} xmlns=\"{}\">", pattern.name, pattern.ns)))
    }

    fn forbid(&self, pattern: &Pattern, variables: &Variables) -> Result<(), String> {
        let fits = |tree: &&&Tree| element(pattern, tree, &mut variables.clone()).is_ok();
        match self.found.iter().find(fits) {
            Some(tree) => Err(format!("has a <{}> that must not be there", tree.name)),
            None => Ok(()),
        }
    }

    fn leftover(&self, used: &[bool]) -> Result<(), String> {
        let left = self.found.iter().zip(used).find(|(_, used)| !**used);
        match left {
            Some((tree, _)) if !self.others_allowed => {
                Err(format!("has an unexpected <{} xmlns=\"{}\">", tree.name, tree.ns))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Found, Framing, Reader};

    fn tree(xml: &str) -> Tree {
        let mut reader = Reader::new(Framing::Documents);
        reader.push(xml.as_bytes());
        match reader.read() {
            Ok(Some(Found::Element(tree))) => tree,
            other => panic!("{xml}: {other:?}"),
        }
    }

    fn check(pattern: &str, xml: &str) -> Result<Variables, String> {
        let pattern = Pattern::parse_all(pattern).unwrap().remove(0);
        let mut variables = Variables::new();
        compare(&pattern, &tree(xml), &mut variables).map(|()| variables)
    }

    const MESSAGE: &str = "<message xmlns='jabber:client' type='chat' id='1'><body>Hi</body><x xmlns='a' n='7'/></message>";

    #[test]
    fn children_match_in_any_order() {
        check("<message type='chat' id='1'><x xmlns='a' n='7'/><body>Hi</body></message>", MESSAGE)
            .unwrap();
    }

    #[test]
    fn strict_children_match_in_order_only() {
        let wrong = "<message strict ...><x xmlns='a' n='7'/><body>Hi</body></message>";
        assert!(check(wrong, MESSAGE).is_err());
        check("<message strict ...><body>Hi</body><x xmlns='a' n='7'/></message>", MESSAGE)
            .unwrap();
    }

    #[test]
    fn anything_not_written_is_unexpected() {
        let error =
            check("<message type='chat' id='1'><body>Hi</body></message>", MESSAGE).unwrap_err();
        assert!(error.contains("unexpected <x"), "{error}");
        let error = check("<message type='chat'>...</message>", MESSAGE).unwrap_err();
        assert!(error.contains("unexpected attribute id"), "{error}");
    }

    #[test]
    fn dots_allow_the_rest() {
        check("<message ...>...</message>", MESSAGE).unwrap();
    }

    #[test]
    fn a_forbidden_child_is_found() {
        let pattern = "<message ...>{no} <x xmlns='a' ...>...</x> ...</message>";
        assert!(check(pattern, MESSAGE).is_err());
        check("<message ...>{no} <x xmlns='b'/> ...</message>", MESSAGE).unwrap();
    }

    #[test]
    fn captures_bind_across_children() {
        let xml = "<q xmlns='jabber:client'><i a='1'/><i a='2'/><j b='2'/></q>";
        let variables = check("<q><i a='{capture n}'/><i a='1'/><j b='{n}'/></q>", xml).unwrap();
        assert_eq!(variables["n"], "2");
    }

    #[test]
    fn the_reason_names_the_path() {
        let error = check("<message ...><x xmlns='a' n='8'/> ...</message>", MESSAGE).unwrap_err();
        assert_eq!(error, "<message> → <x> attribute n is \"7\", expected \"8\"");
    }
}
