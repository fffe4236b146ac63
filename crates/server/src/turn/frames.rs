//! Frames in a connection (RFC 8656 §12.5): STUN messages and data of channels, one after the other.

/// Takes a connection apart. What is not a frame ends it.
#[derive(Debug, Default)]
pub struct Frames {
    waiting: Vec<u8>,
}

/// The connection carries something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTurn;

impl Frames {
    /// Bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole frame, without what fills it up.
    ///
    /// # Errors
    /// When the bytes are not a frame, or one that is longer than the largest packet.
    pub fn cut(&mut self) -> Result<Option<Vec<u8>>, NotTurn> {
        let Some(&[first, _, third, fourth]) = self.waiting.first_chunk() else {
            return match self.waiting.first() {
                // Nobody waits for a header that can never be one.
                Some(first) if first >> 6 > 1 => Err(NotTurn),
                _ => Ok(None),
            };
        };
        let length = usize::from(u16::from_be_bytes([third, fourth]));
        let (frame, whole) = match first >> 6 {
            0 => (HEADER + length, HEADER + length),
            1 => (CHANNEL + length, CHANNEL + length.next_multiple_of(4)),
            _ => return Err(NotTurn),
        };
        if frame > MOST_BYTES {
            return Err(NotTurn);
        }
        if self.waiting.len() < whole {
            return Ok(None);
        }
        let mut bytes: Vec<u8> = self.waiting.drain(..whole).collect();
        bytes.truncate(frame);
        Ok(Some(bytes))
    }
}

/// Fills up a frame for a connection: the data of a channel goes in steps of four bytes.
pub fn pad(frame: &mut Vec<u8>) {
    let is_channel = frame.first().is_some_and(|first| first >> 6 == 1);
    if is_channel {
        frame.resize(frame.len().next_multiple_of(4), 0);
    }
}

/// The header of a STUN message (RFC 8489 §5).
const HEADER: usize = 20;
/// The header of a channel's data (RFC 8656 §12.4).
const CHANNEL: usize = 4;
/// Longest frame: what fits into a packet of any network, with room for its wrapping.
pub const MOST_BYTES: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frames: &mut Frames) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| frames.cut().unwrap()).collect()
    }

    #[test]
    fn frames_are_cut_wherever_the_network_cuts() {
        let mut message = vec![0, 1, 0, 4];
        message.resize(HEADER + 4, 7);
        let mut channel = vec![0x40, 0, 0, 5, 1, 2, 3, 4, 5];
        let bare = channel.clone();
        pad(&mut channel);
        assert_eq!(channel.len(), 12);
        let stream = [message.clone(), channel, message.clone()].concat();
        for size in 1..stream.len() {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for piece in stream.chunks(size) {
                frames.push(piece);
                found.extend(all(&mut frames));
            }
            assert_eq!(found, [message.clone(), bare.clone(), message.clone()], "pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_a_frame_ends_the_connection() {
        for bytes in [&b"\x80"[..], b"\xffabc", b"\x40\x00\xff\xff", b"\x00\x01\xff\xfc"] {
            let mut frames = Frames::default();
            frames.push(bytes);
            assert_eq!(frames.cut(), Err(NotTurn), "{bytes:?}");
        }
    }

    #[test]
    fn messages_are_not_filled_up() {
        let mut message = vec![0, 1, 0, 0];
        message.resize(HEADER + 2, 0);
        let length = message.len();
        pad(&mut message);
        assert_eq!(message.len(), length);
    }
}
