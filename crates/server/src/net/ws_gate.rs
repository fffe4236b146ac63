//! What a WebSocket may read ahead of the XML before its client has logged in.
//!
//! A WebSocket's frame is in memory as a whole before the XML reader sees the first byte of it, and
//! its first bytes say how much room it wants. [`Gated`] looks at these heads (RFC 6455 §5.2) and at
//! the sum of bytes, and ends the connection at once when a stranger wants too much.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream with WebSocket frames in it, bounded until it is [opened](Gated::open).
pub struct Gated<T> {
    inner: T,
    gate: Option<Gate>,
}

impl<T> Gated<T> {
    /// Bounds `inner` to frames of `frame` bytes and `total` bytes in all.
    pub fn new(inner: T, frame: usize, total: usize) -> Self {
        Self { inner, gate: Some(Gate::new(frame as u64, total as u64)) }
    }

    /// The client has logged in: from now on everything passes.
    pub fn open(&mut self) {
        self.gate = None;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Gated<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        let passes = self.gate.as_mut().is_none_or(|gate| gate.passes(read));
        Poll::Ready(if passes { Ok(()) } else { Err(io::ErrorKind::QuotaExceeded.into()) })
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gated<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Follows the frames that pass.
#[derive(Debug)]
struct Gate {
    /// The largest frame.
    frame: u64,
    /// Bytes that may still come.
    left: u64,
    /// Bytes until the next frame begins.
    payload: u64,
    /// The head that is being read.
    head: [u8; LONGEST_HEAD],
    filled: usize,
}

impl Gate {
    fn new(frame: u64, total: u64) -> Self {
        Self { frame, left: total, payload: 0, head: [0; LONGEST_HEAD], filled: 0 }
    }

    fn passes(&mut self, mut bytes: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else { return false };
        self.left = left;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.payload > 0 {
                let skipped = self.payload.min(bytes.len() as u64);
                self.payload -= skipped;
                // No more than there is, as it is the smaller of the two.
                bytes = bytes.get(usize::try_from(skipped).unwrap_or(0)..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            self.head[self.filled] = byte;
            self.filled += 1;
            if let Some(payload) = head(&self.head[..self.filled]) {
                self.payload = payload;
                self.filled = 0;
            }
            if self.payload > self.frame {
                return false;
            }
        }
        true
    }
}

/// The length of a frame's payload, once its head is complete.
fn head(bytes: &[u8]) -> Option<u64> {
    let (&[_, second], rest) = bytes.split_first_chunk()?;
    let key = if second & MASKED == 0 { 0 } else { 4 };
    let (length, rest) = match second & !MASKED {
        126 => rest
            .split_first_chunk()
            .map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest)),
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest)),
        short => Some((u64::from(short), rest)),
    }?;
    (rest.len() >= key).then_some(length)
}

const MASKED: u8 = 0x80;
/// Two bytes, eight of length, four of mask.
const LONGEST_HEAD: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: u64) -> Vec<u8> {
        let mut bytes = vec![0x81];
        match length {
            0..126 => bytes.push(MASKED | length as u8),
            126..0x1_0000 => {
                bytes.push(MASKED | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    fn whole(length: u64) -> Vec<u8> {
        let mut bytes = frame(length);
        bytes.extend(vec![0xff; length as usize]);
        bytes
    }

    #[test]
    fn frames_within_the_limit_pass_however_they_are_cut() {
        let bytes = [whole(5), whole(0), whole(125), whole(126), whole(1000)].concat();
        for piece in [1, 2, 3, 7, 64, bytes.len()] {
            let mut gate = Gate::new(1000, 10_000);
            assert!(bytes.chunks(piece).all(|piece| gate.passes(piece)), "{piece}");
            assert_eq!((gate.payload, gate.filled), (0, 0), "{piece}");
        }
    }

    #[test]
    fn the_head_of_a_large_frame_is_enough_to_refuse_it() {
        for length in [1001, 60_000, 1 << 20, u64::MAX] {
            let mut gate = Gate::new(1000, 10_000);
            assert!(gate.passes(&whole(1000)));
            let head = frame(length);
            let (last, before) = head.split_last().unwrap();
            assert!(gate.passes(before));
            assert!(!gate.passes(&[*last]), "{length}");
        }
    }

    #[test]
    fn many_small_frames_are_too_much_as_well() {
        let mut gate = Gate::new(1000, 10_000);
        let count = (0..100).take_while(|_| gate.passes(&whole(500))).count();
        assert_eq!(count, 19);
    }
}
