//! XML with wildcards: what a play expects to receive.

use super::template::Template;
use crate::tree::STREAMS;

/// An expected element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Local name.
    pub name: String,
    /// Namespace.
    pub ns: String,
    /// Expected attributes.
    pub attributes: Vec<(String, Template)>,
    /// `...` among the attributes: others may be present.
    pub more_attributes: bool,
    /// `strict` among the attributes: children come in the order written.
    pub ordered: bool,
    /// Expected children.
    pub children: Vec<(Presence, Pattern)>,
    /// `...` among the children: other elements and text may be present.
    pub more_children: bool,
    /// Expected text.
    pub text: Option<Template>,
}

/// How often an expected child has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Once; write it twice for two.
    Required,
    /// `{maybe}`: once or not at all.
    Optional,
    /// `{no}`: not at all.
    Forbidden,
}

impl Pattern {
    /// Reads a sequence of patterns.
    ///
    /// # Errors
    /// A sentence about the first mistake in the text.
    pub fn parse_all(text: &str) -> Result<Vec<Pattern>, String> {
        let mut scanner = Scanner { rest: text };
        let mut patterns = Vec::new();
        loop {
            scanner.skip_space();
            if scanner.rest.is_empty() {
                return Ok(patterns);
            }
            patterns.push(scanner.element("jabber:client")?);
        }
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) {
            return Ok(());
        }
        let near: String = self.rest.chars().take(30).collect();
        Err(format!("expected `{token}` before `{near}`"))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')))
            .unwrap_or(self.rest.len());
        if end == 0 {
            let near: String = self.rest.chars().take(30).collect();
            return Err(format!("expected a name before `{near}`"));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(name)
    }

    fn element(&mut self, parent_ns: &str) -> Result<Pattern, String> {
        self.expect("<")?;
        let full_name = self.name()?;
        let mut pattern = Pattern {
            name: full_name.to_owned(),
            ns: parent_ns.to_owned(),
            attributes: Vec::new(),
            more_attributes: false,
            ordered: false,
            children: Vec::new(),
            more_children: false,
            text: None,
        };
        self.attributes(&mut pattern)?;
        let default_ns = pattern.ns.clone();
        if let Some(local) = full_name.strip_prefix("stream:") {
            pattern.name = local.to_owned();
            pattern.ns = STREAMS.to_owned();
        } else if full_name.contains(':') {
            return Err(format!("<{full_name}>: use xmlns=\"…\" instead of a prefix"));
        }
        if self.eat("/>") {
            return Ok(pattern);
        }
        self.expect(">")?;
        self.content(&mut pattern, &default_ns)?;
        self.expect("</")?;
        let closed = self.name()?;
        if closed != full_name {
            return Err(format!("<{full_name}> is closed by </{closed}>"));
        }
        self.skip_space();
        self.expect(">")?;
        Ok(pattern)
    }

    fn attributes(&mut self, pattern: &mut Pattern) -> Result<(), String> {
        loop {
            self.skip_space();
            if self.rest.starts_with('>') || self.rest.starts_with("/>") {
                return Ok(());
            }
            if self.eat("...") {
                pattern.more_attributes = true;
                continue;
            }
            let name = self.name()?;
            if name == "strict" && !self.rest.starts_with('=') {
                pattern.ordered = true;
                continue;
            }
            self.expect("=")?;
            let quote = if self.rest.starts_with('\'') { "'" } else { "\"" };
            self.expect(quote)?;
            let end =
                self.rest.find(quote).ok_or_else(|| format!("{name}: the quote is not closed"))?;
            let value = unescape(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if name == "xmlns" {
                pattern.ns = value;
            } else {
                pattern.attributes.push((name.to_owned(), Template::parse(&value)?));
            }
        }
    }

    fn content(&mut self, pattern: &mut Pattern, ns: &str) -> Result<(), String> {
        let mut text = String::new();
        loop {
            let end = self
                .rest
                .find(['<', '{'])
                .ok_or_else(|| format!("<{}> is not closed", pattern.name))?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
            if self.rest.starts_with("</") {
                break;
            }
            if let Some((presence, rest)) = self.quantifier() {
                self.rest = rest;
                let child = self.element(ns)?;
                pattern.children.push((presence, child));
            } else if self.rest.starts_with('<') {
                let child = self.element(ns)?;
                pattern.children.push((Presence::Required, child));
            } else {
                self.rest = &self.rest[1..];
                text.push('{');
            }
        }
        if let Some((before, after)) = text.split_once("...")
            && (before.trim().is_empty() && after.trim().is_empty())
        {
            pattern.more_children = true;
        } else if !text.trim().is_empty() {
            let text = if text.contains('\n') { text.trim() } else { &text };
            pattern.text = Some(Template::parse(&unescape(text))?);
        }
        Ok(())
    }

    /// `{no}` or `{maybe}` in front of a child element.
    fn quantifier(&self) -> Option<(Presence, &'a str)> {
        let choices = [("{no}", Presence::Forbidden), ("{maybe}", Presence::Optional)];
        choices.into_iter().find_map(|(word, presence)| {
            let rest = self.rest.strip_prefix(word)?.trim_start();
            (rest.starts_with('<') && !rest.starts_with("</")).then_some((presence, rest))
        })
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_read_where_they_stand() {
        let text = r#"
            <message from="{romeo}" ...>
              <body>Hi &amp; bye</body>
              {no} <private xmlns="urn:xmpp:carbons:2"/>
              {maybe} <delay xmlns="urn:xmpp:delay" stamp="{any}"/>
              ...
            </message>"#;
        let patterns = Pattern::parse_all(text).unwrap();
        let [message] = patterns.as_slice() else { panic!("{patterns:?}") };
        assert!(message.more_attributes && message.more_children && !message.ordered);
        assert_eq!(message.ns, "jabber:client");
        let presences: Vec<_> = message.children.iter().map(|(presence, _)| *presence).collect();
        assert_eq!(presences, [Presence::Required, Presence::Forbidden, Presence::Optional]);
        assert_eq!(message.children[0].1.text, Some(Template::parse("Hi & bye").unwrap()));
        assert_eq!(message.children[1].1.ns, "urn:xmpp:carbons:2");
    }

    #[test]
    fn namespaces_are_inherited_and_the_stream_prefix_is_known() {
        let text = r#"<stream:error><policy-violation xmlns="urn:x"><text/></policy-violation></stream:error>"#;
        let patterns = Pattern::parse_all(text).unwrap();
        assert_eq!(patterns[0].ns, STREAMS);
        assert_eq!(patterns[0].children[0].1.children[0].1.ns, "urn:x");
    }

    #[test]
    fn several_patterns_follow_one_another() {
        assert_eq!(Pattern::parse_all("<presence/>\n<iq strict ...>...</iq>").unwrap().len(), 2);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, mistake) in [
            ("<iq>", "<iq> is not closed"),
            ("<iq></message>", "<iq> is closed by </message>"),
            ("<a:b/>", "prefix"),
            ("<iq id=1/>", "expected `\"`"),
        ] {
            let error = Pattern::parse_all(text).unwrap_err();
            assert!(error.contains(mistake), "{text}: {error}");
        }
    }
}
