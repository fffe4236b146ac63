//! The part of SOCKS5 (RFC 1928) that bytestreams use: no authentication, and a CONNECT whose address
//! is the name of a stream (XEP-0065 §6.3.2, §6.3.4).

/// The name of a stream: the SHA-1 of its id and both addresses, in small hexadecimal digits.
pub type StreamName = [u8; 40];

/// A client that comes in.
#[derive(Debug, Default)]
pub struct Greeting {
    waiting: Vec<u8>,
    greeted: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More has to be read.
    More,
    /// An answer, and more has to be read.
    Answer(&'static [u8]),
    /// The client named its stream. [`granted`] is the answer.
    Named(StreamName),
    /// An answer, and the connection ends.
    Refuse(&'static [u8]),
}

impl Greeting {
    /// Takes what was read. To be called again with nothing until there is no more to do.
    pub fn push(&mut self, bytes: &[u8]) -> Step {
        self.waiting.extend_from_slice(bytes);
        let step = match self.greeted {
            false => self.methods(),
            true => self.request(),
        };
        match step {
            Step::More if self.waiting.len() > LONGEST => Step::Refuse(b""),
            step => step,
        }
    }

    /// RFC 1928 §3: which methods of authentication there are.
    fn methods(&mut self) -> Step {
        let count = match *self.waiting {
            [] => return Step::More,
            [VERSION] => return Step::More,
            [VERSION, count, ..] => usize::from(count),
            _ => return Step::Refuse(b""),
        };
        let Some(methods) = self.waiting.get(2..2 + count) else { return Step::More };
        if !methods.contains(&0) {
            return Step::Refuse(&[VERSION, 0xff]);
        }
        self.waiting.drain(..2 + count);
        self.greeted = true;
        Step::Answer(&[VERSION, 0])
    }

    /// RFC 1928 §4.
    fn request(&mut self) -> Step {
        let &[version, command, _, kind, ..] = self.waiting.as_slice() else { return Step::More };
        if version != VERSION {
            return Step::Refuse(b"");
        }
        if command != CONNECT {
            return Step::Refuse(&[VERSION, 7, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        if kind != DOMAIN {
            return Step::Refuse(&[VERSION, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        let Some(&length) = self.waiting.get(4) else { return Step::More };
        let end = 5 + usize::from(length);
        let Some(name) = self.waiting.get(5..end) else { return Step::More };
        let Some(port) = self.waiting.get(end..end + 2) else { return Step::More };
        let name: Option<StreamName> = name.to_ascii_lowercase().try_into().ok();
        // What follows would be data before there is a stream. Nobody sends it: the answer comes first.
        let is_all = self.waiting.len() == end + 2;
        match name.filter(|name| name.iter().all(u8::is_ascii_hexdigit)) {
            Some(name) if port == [0, 0] && is_all => Step::Named(name),
            _ => Step::Refuse(&[VERSION, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        }
    }
}

/// The answer to a client that named its stream: with the name that it gave (XEP-0065 §6.3.2).
#[must_use]
pub fn granted(name: &StreamName) -> Vec<u8> {
    let mut answer = vec![VERSION, 0, 0, DOMAIN, 40];
    answer.extend_from_slice(name);
    answer.extend_from_slice(&[0, 0]);
    answer
}

/// The answer to a client whose stream takes nobody.
pub const NOT_ALLOWED: &[u8] = &[VERSION, 2, 0, 1, 0, 0, 0, 0, 0, 0];

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const DOMAIN: u8 = 3;
/// More than both messages can have.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &StreamName = b"972b7bf47291ca609517f67f86b5081086052dad";

    fn request(name: &[u8], port: [u8; 2]) -> Vec<u8> {
        let mut bytes = vec![5, 1, 0, 3, name.len() as u8];
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&port);
        bytes
    }

    #[test]
    fn a_client_names_its_stream_however_the_network_cuts() {
        let whole = [vec![5, 2, 1, 0], request(NAME, [0, 0])].concat();
        for size in 1..=whole.len() {
            let (mut greeting, mut named) = (Greeting::default(), None);
            for piece in whole.chunks(size) {
                let mut step = greeting.push(piece);
                while let Step::Answer(answer) = step {
                    assert_eq!(answer, [5, 0]);
                    step = greeting.push(b"");
                }
                match step {
                    Step::Named(name) => named = Some(name),
                    step => assert_eq!(step, Step::More),
                }
            }
            assert_eq!(named.as_ref(), Some(NAME), "pieces of {size}");
        }
        assert_eq!(granted(NAME).len(), 47);
    }

    #[test]
    fn what_is_not_for_bytestreams_is_refused() {
        let after_greeting = |bytes: &[u8]| {
            let mut greeting = Greeting::default();
            assert_eq!(greeting.push(&[5, 1, 0]), Step::Answer(&[5, 0]));
            greeting.push(bytes)
        };
        let is_refusal = |step: Step| matches!(step, Step::Refuse(_));
        assert!(is_refusal(Greeting::default().push(&[4, 1])), "SOCKS4");
        assert!(is_refusal(Greeting::default().push(&[5, 1, 2])), "a password is wanted");
        assert!(is_refusal(after_greeting(&[5, 2, 0, 3, 40])), "BIND");
        assert!(is_refusal(after_greeting(&[5, 1, 0, 1, 127, 0, 0, 1, 0, 80])), "an address");
        assert!(is_refusal(after_greeting(&request(b"example.org", [0, 80]))), "a host");
        assert!(is_refusal(after_greeting(&request(NAME, [0, 1]))), "a port");
        assert!(is_refusal(after_greeting(&request(&[b'x'; 40], [0, 0]))), "not hexadecimal");
        assert!(is_refusal(after_greeting(&[&request(NAME, [0, 0])[..], b"x"].concat())));
        assert!(is_refusal(Greeting::default().push(&[5; 600])), "without end");
    }

    #[test]
    fn much_at_once_is_taken_like_the_same_in_pieces() {
        let greeting = [&[5, 255][..], &[0; 255], &request(NAME, [0, 0])].concat();
        let long = [&[5, 255][..], &[0; 255], &[0xff; 300]].concat();
        for (bytes, last) in [(greeting, Step::Named(*NAME)), (long, Step::Refuse(b""))] {
            let mut whole = Greeting::default();
            assert_eq!(whole.push(&bytes), Step::Answer(&[5, 0]));
            assert_eq!(whole.push(b""), last);
        }
    }
}
