//! Prosody's values: tables as its data files hold them (Lua, `return { … };` and `item({ … });`) and as
//! its SQL storage does (JSON with `__array` and `__hash`).
//!
//! Only what Prosody writes is read: tables of constants. Nothing is executed.

use std::io::{self, BufRead, Read};

use serde_json::Value as Json;
use xmpp::{ns, xml::Element};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Number(f64),
    Text(String),
    Table(Table),
}

/// A table: what has the keys 1, 2, 3 …, and what has other keys, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) list: Vec<Value>,
    map: Vec<(Value, Value)>,
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn table(&self) -> Option<&Table> {
        match self {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Value::Bool(true)
    }
}

impl Table {
    /// The value of a key that is a text.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.iter().find(|(known, _)| known.text() == Some(key)).map(|(_, value)| value)
    }

    /// The value of the key `false`, where Prosody keeps what belongs to no contact.
    pub(super) fn of_false(&self) -> Option<&Value> {
        self.map.iter().find(|(key, _)| *key == Value::Bool(false)).map(|(_, value)| value)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.number()
    }

    pub(super) fn table(&self, key: &str) -> Option<&Table> {
        self.get(key)?.table()
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(Value::is_true)
    }

    /// Keys that are texts, with their values.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.map.iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.map.push((Value::Text(key.to_owned()), value));
    }

    /// Adds what another table has.
    pub(super) fn merge(&mut self, other: Table) {
        self.list.extend(other.list);
        self.map.extend(other.map);
    }

    /// An element as Prosody takes one apart (`util.stanza.preserialize`). Attributes are sorted: their
    /// order in a table means nothing.
    pub(super) fn element(&self) -> Option<Element> {
        self.element_within(ns::CLIENT, DEPTH)
    }

    fn element_within(&self, outer: &str, depth: usize) -> Option<Element> {
        let depth = depth.checked_sub(1)?;
        let empty = Table::default();
        let attributes = self.table("attr").unwrap_or(&empty);
        let namespace = attributes.text("xmlns").unwrap_or(outer).to_owned();
        let mut element = Element::new(self.text("name")?, namespace.as_str());
        let mut sorted: Vec<(&str, &str)> =
            attributes.named().filter_map(|(key, value)| Some((key, value.text()?))).collect();
        sorted.sort_unstable();
        for (key, value) in sorted {
            // Attributes of other namespaces are named `namespace\1name`; XMPP has none worth it.
            if key != "xmlns" && !key.contains('\u{1}') {
                element.set_attr(key, value);
            }
        }
        for child in &self.list {
            match child {
                Value::Text(text) => element.push_text(text.as_str()),
                Value::Table(table) => element.push(table.element_within(&namespace, depth)?),
                _ => return None,
            }
        }
        Some(element)
    }
}

/// Reads a value that Prosody's SQL storage kept.
pub(super) fn of_sql(kind: &str, text: &str) -> Option<Value> {
    match kind {
        "string" | "xml" => Some(Value::Text(text.to_owned())),
        "number" => text.parse().ok().map(Value::Number),
        "boolean" => Some(Value::Bool(text == "true")),
        "json" => of_json(serde_json::from_str(text).ok()?),
        _ => None,
    }
}

fn of_json(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number.as_f64()?),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::Table(Table {
            list: items.into_iter().filter_map(of_json).collect(),
            map: Vec::new(),
        }),
        Json::Object(fields) => {
            let mut table = Table::default();
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("__array", Json::Array(items)) => {
                        table.list.extend(items.into_iter().filter_map(of_json));
                    }
                    ("__hash", Json::Array(pairs)) => {
                        let mut pairs = pairs.into_iter();
                        while let (Some(key), Some(value)) = (pairs.next(), pairs.next()) {
                            table.map.extend(of_json(key).zip(of_json(value)));
                        }
                    }
                    (_, value) => table.map.extend(of_json(value).map(|v| (Value::Text(key), v))),
                }
            }
            Value::Table(table)
        }
    })
}

/// Reads the whole of a data file: `return { … };`.
///
/// # Errors
/// When it cannot be read, or is not what Prosody writes.
pub(super) fn read_value(file: impl Read) -> io::Result<Table> {
    let mut reader = Reader::new(file);
    reader.space()?;
    reader.word("return")?;
    match reader.value(DEPTH)? {
        Value::Table(table) => Ok(table),
        _ => Err(reader.wrong("a table")),
    }
}

/// Reads a list file, `item({ … });` again and again, one item at a time.
///
/// # Errors
/// When it cannot be read, is not what Prosody writes, or `take` refuses.
pub(super) fn read_list<E: From<io::Error>>(
    file: impl Read,
    mut take: impl FnMut(Table) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader::new(file);
    loop {
        reader.left = LARGEST;
        reader.space()?;
        if reader.peek()?.is_none() {
            return Ok(());
        }
        reader.word("item")?;
        reader.space()?;
        reader.word("(")?;
        let Value::Table(table) = reader.value(DEPTH)? else {
            return Err(reader.wrong("a table").into());
        };
        reader.space()?;
        reader.word(")")?;
        take(table)?;
    }
}

struct Reader<R> {
    input: io::BufReader<R>,
    /// Bytes that the item may still have.
    left: usize,
}

impl<R: Read> Reader<R> {
    fn new(input: R) -> Self {
        Reader { input: io::BufReader::new(input), left: LARGEST }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> io::Result<u8> {
        let byte = self.peek()?.ok_or_else(|| self.wrong("more"))?;
        self.input.consume(1);
        self.left = self.left.checked_sub(1).ok_or_else(|| self.wrong("a smaller item"))?;
        Ok(byte)
    }

    fn wrong(&self, expected: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("expected {expected}"))
    }

    /// Passes white space, separators and comments.
    fn space(&mut self) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b',' => drop(self.next()?),
                b'-' if self.input.buffer().get(1) == Some(&b'-') => {
                    while self.peek()?.is_some_and(|byte| byte != b'\n') {
                        self.next()?;
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> io::Result<()> {
        for expected in word.bytes() {
            if self.next()? != expected {
                return Err(self.wrong(word));
            }
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> io::Result<Value> {
        self.space()?;
        match self.peek()? {
            Some(b'{') => self.table(depth).map(Value::Table),
            Some(b'"' | b'\'') => self.string().map(Value::Text),
            Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'(') => self.number().map(Value::Number),
            Some(_) => match self.name()?.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(self.wrong("a value")),
            },
            None => Err(self.wrong("a value")),
        }
    }

    fn table(&mut self, depth: usize) -> io::Result<Table> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.wrong("fewer tables in tables"))?;
        self.word("{")?;
        let mut table = Table::default();
        loop {
            self.space()?;
            match self.peek()? {
                Some(b'}') => {
                    self.next()?;
                    return Ok(table);
                }
                Some(b'[') => {
                    self.next()?;
                    let key = self.value(depth)?;
                    self.space()?;
                    self.word("]")?;
                    self.space()?;
                    self.word("=")?;
                    let value = self.value(depth)?;
                    match key {
                        Value::Number(_) => table.list.push(value),
                        key => table.map.push((key, value)),
                    }
                }
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                    let name = self.name()?;
                    self.space()?;
                    match (self.peek()?, name.as_str()) {
                        (Some(b'='), _) => {
                            self.next()?;
                            let value = self.value(depth)?;
                            table.map.push((Value::Text(name), value));
                        }
                        (_, "true") => table.list.push(Value::Bool(true)),
                        (_, "false") => table.list.push(Value::Bool(false)),
                        _ => return Err(self.wrong("a value")),
                    }
                }
                _ => table.list.push(self.value(depth)?),
            }
        }
    }

    fn name(&mut self) -> io::Result<String> {
        let mut name = String::new();
        while let Some(byte) = self.peek()?.filter(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            name.push(byte.into());
            self.next()?;
        }
        if name.is_empty() { Err(self.wrong("a name")) } else { Ok(name) }
    }

    fn number(&mut self) -> io::Result<f64> {
        let mut text = String::new();
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-./()".contains(byte);
        while let Some(byte) = self.peek()?.filter(part) {
            text.push(byte.into());
            self.next()?;
        }
        let hexadecimal = text.strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let number = hexadecimal.map(f64::from).or_else(|| text.parse().ok());
        number.ok_or_else(|| self.wrong("a number"))
    }

    fn string(&mut self) -> io::Result<String> {
        let quote = self.next()?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                byte if byte == quote => break,
                b'\\' => self.escape(&mut bytes)?,
                byte => bytes.push(byte),
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let byte = match self.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'v' => 11,
            b'f' => 12,
            b'x' => {
                let digits = [self.next()?, self.next()?];
                let text = std::str::from_utf8(&digits).unwrap_or_default();
                u8::from_str_radix(text, 16).map_err(|_| self.wrong("a number"))?
            }
            digit @ b'0'..=b'9' => {
                let mut code = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(more) = self.peek()?.filter(u8::is_ascii_digit) else { break };
                    code = code * 10 + u32::from(more - b'0');
                    self.next()?;
                }
                u8::try_from(code).map_err(|_| self.wrong("a byte"))?
            }
            other => other,
        };
        bytes.push(byte);
        Ok(())
    }
}

/// Bytes of one item of a list, or of a file that is one value.
const LARGEST: usize = 16 * 1024 * 1024;
/// Tables in tables.
const DEPTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = "item({\n\t{\n\t\t\"caf\\195\\169 \\\"<&>\\\"\";\n\t\t[\"name\"] = \"body\";\n\t\t\
        [\"attr\"] = {};\n\t};\n\t[\"name\"] = \"message\";\n\t[\"attr\"] = { [\"type\"] = \"chat\"; \
        [\"id\"] = \"7\"; };\n\t[\"when\"] = 1795912544.5;\n});\n";

    fn items(text: &str) -> io::Result<Vec<Table>> {
        let mut items = Vec::new();
        read_list::<io::Error>(text.as_bytes(), |item| {
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        let items = items(&ITEM.repeat(2)).unwrap();
        assert_eq!(items.len(), 2);
        let xml = items[0].element().unwrap().to_bytes(ns::CLIENT);
        let expected = "<message id='7' type='chat'><body>café \"&lt;&amp;&gt;\"</body></message>";
        assert_eq!(String::from_utf8_lossy(&xml), expected);
        assert_eq!(items[1].number("when"), Some(1_795_912_544.5));
    }

    #[test]
    fn what_is_not_a_constant_is_an_error() {
        for text in ["item(os.exit());", "item({ f() });", "item({", "print(1)", "item(\"x\");"] {
            assert!(items(text).is_err(), "{text}");
        }
        let deep = format!("item({}{});", "{".repeat(1000), "}".repeat(1000));
        assert!(items(&deep).is_err());
    }

    #[test]
    fn both_storages_mean_the_same() {
        let file = "return { [false] = { [\"pending\"] = {}; }; [\"a@b\"] = { [\"groups\"] = { \
                    [\"x y\"] = true; }; }; };";
        let mut sql = Table::default();
        if let Some(Value::Table(rest)) = of_sql("json", r#"{"__hash":[false,{"pending":{}}]}"#) {
            sql.merge(rest);
        }
        sql.set("a@b", of_sql("json", r#"{"groups":{"x y":true}}"#).unwrap());
        assert_eq!(read_value(file.as_bytes()).unwrap(), sql);
        assert!(sql.table("a@b").unwrap().table("groups").unwrap().is_true("x y"));
    }
}
