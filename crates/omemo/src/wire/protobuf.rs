//! As much of protocol buffers as OMEMO's three messages need, read strictly.
//!
//! Unknown fields are skipped. A known field twice is an error: writers do not do it, and readers
//! that pick different ones of the two would not agree on what was said.

/// Why the bytes of a `<key/>` or of a key exchange cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The same field twice.
    #[error("field {0} occurs twice")]
    Duplicate(u32),
    /// A field is missing without which the message means nothing.
    #[error("field {0} is missing")]
    Missing(u32),
    /// The legacy version byte is not 0x33.
    #[error("version byte {0:#04x} instead of 0x33")]
    Version(u8),
    /// A key or tag does not have its length, or a key not its type byte.
    #[error("field {0} has the wrong length or type byte")]
    Field(u32),
    /// A number does not end within ten bytes or does not fit 64 bits, or a tag not 32.
    #[error("a number is too large")]
    Number,
    /// The field has another type than it should, or one that does not exist.
    #[error("field {0} is of the wrong type")]
    Type(u32),
    /// More bytes than [`MAX_KEY_MESSAGE_LEN`](crate::MAX_KEY_MESSAGE_LEN).
    #[error("the message is too long")]
    TooLong,
    /// It ends within a field.
    #[error("the message is cut off")]
    Truncated,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A fixed-size number, which no message here has.
    Fixed,
}

/// The fields of a message, one after the other.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The next field's number and value; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, WireError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| WireError::Number)?;
        let field = tag >> 3;
        let value = match tag & 7 {
            _ if field == 0 => return Err(WireError::Type(0)),
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| WireError::Truncated)?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups: nothing has used them since long before OMEMO.
            _ => return Err(WireError::Type(field)),
        };
        Ok(Some((field, value)))
    }

    /// A number of at most ten bytes, the last of which holds the 64th bit alone.
    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(WireError::Truncated)?;
            self.0 = rest;
            if shift == 63 && *byte > 1 {
                return Err(WireError::Number);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Number)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A field that may occur once.
pub(crate) struct Once<T>(u32, Option<T>);

impl<'a> Once<&'a [u8]> {
    pub(crate) fn bytes(field: u32) -> Self {
        Self(field, None)
    }

    pub(crate) fn set(&mut self, value: Value<'a>) -> Result<(), WireError> {
        match (self.1, value) {
            (None, Value::Bytes(bytes)) => {
                self.1 = Some(bytes);
                Ok(())
            }
            (Some(_), Value::Bytes(_)) => Err(WireError::Duplicate(self.0)),
            _ => Err(WireError::Type(self.0)),
        }
    }

    /// The value, if `convert` accepts it.
    pub(crate) fn parse<T>(
        self,
        convert: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, WireError> {
        convert(self.1.ok_or(WireError::Missing(self.0))?).ok_or(WireError::Field(self.0))
    }
}

impl Once<u32> {
    pub(crate) fn number(field: u32) -> Self {
        Self(field, None)
    }

    /// `uint32` takes the low 32 bits of what is there, as every reader of protocol buffers does.
    pub(crate) fn set(&mut self, value: Value<'_>) -> Result<(), WireError> {
        match (self.1, value) {
            (None, Value::Number(number)) => {
                self.1 = Some((number & u64::from(u32::MAX)) as u32);
                Ok(())
            }
            (Some(_), Value::Number(_)) => Err(WireError::Duplicate(self.0)),
            _ => Err(WireError::Type(self.0)),
        }
    }

    pub(crate) fn optional(self) -> Option<u32> {
        self.1
    }
}

impl<T> Once<T> {
    pub(crate) fn required(self) -> Result<T, WireError> {
        self.1.ok_or(WireError::Missing(self.0))
    }
}

/// Appends a number.
pub(crate) fn write_number(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3);
    write_varint(out, u64::from(value));
}

/// Appends bytes.
pub(crate) fn write_bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    write_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, WireError> {
        let mut fields = Fields::new(bytes);
        std::iter::from_fn(|| fields.next().transpose()).collect()
    }

    #[test]
    fn numbers_have_at_most_ten_bytes_and_64_bits() {
        let number = |bytes: &[u8]| {
            let bytes = [&[0x08], bytes].concat();
            let mut fields = Fields::new(&bytes);
            fields.next().map(|field| match field {
                Some((1, Value::Number(number))) => number,
                other => panic!("{other:?} is no number"),
            })
        };
        assert_eq!(number(&[0x00]), Ok(0));
        assert_eq!(number(&[0x80, 0x00]), Ok(0));
        let mut largest = [0xff; 10];
        largest[9] = 0x01;
        assert_eq!(number(&largest), Ok(u64::MAX));
        largest[9] = 0x02;
        assert_eq!(number(&largest), Err(WireError::Number));
        assert_eq!(number(&[0x80; 10]), Err(WireError::Number));
        assert_eq!(number(&[0x80; 11]), Err(WireError::Number));
        assert_eq!(number(&[0x80]), Err(WireError::Truncated));
    }

    #[test]
    fn unknown_fields_of_every_type_are_skipped() {
        let all = fields(&[
            0x78, 0x05, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 2, 9, 9, 0x7d, 1, 2, 3, 4, 0x08, 1,
        ]);
        let numbers: Vec<_> = all.unwrap().iter().map(|(field, _)| *field).collect();
        assert_eq!(numbers, [15, 15, 15, 15, 1]);
    }

    #[test]
    fn what_is_no_field_is_an_error() {
        assert_eq!(fields(&[0x00, 0x00]), Err(WireError::Type(0)), "field 0");
        assert_eq!(fields(&[0x0b]), Err(WireError::Type(1)), "a group");
        assert_eq!(fields(&[0x0e]), Err(WireError::Type(1)), "type 6");
        assert_eq!(fields(&[0x09, 1, 2]), Err(WireError::Truncated));
        assert_eq!(fields(&[0x0a, 3, 1, 2]), Err(WireError::Truncated));
        let length = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(fields(&length), Err(WireError::Truncated));
        let tag = [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00];
        assert_eq!(fields(&tag), Err(WireError::Number));
    }

    #[test]
    fn a_number_is_cut_to_32_bits_and_may_not_come_twice() {
        let mut once = Once::number(1);
        assert_eq!(once.set(Value::Bytes(&[])), Err(WireError::Type(1)));
        assert_eq!(once.set(Value::Number(1 << 32 | 7)), Ok(()));
        assert_eq!(once.set(Value::Number(7)), Err(WireError::Duplicate(1)));
        assert_eq!(once.required(), Ok(7));
        assert_eq!(Once::number(2).required(), Err(WireError::Missing(2)));
    }
}
