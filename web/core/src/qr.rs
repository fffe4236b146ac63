//! QR codes: made, and found in pictures of a camera.

use qrcodegen::{QrCode, QrCodeEcc};

/// A square picture, row by row: its side, and 1 for each dark square. `None` when the text is too
/// long for a code.
#[must_use]
pub fn encode(text: &str) -> Option<(u32, Vec<u8>)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let squares = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let dark = squares.map(|(x, y)| u8::from(code.get_module(x, y))).collect();
    Some((u32::try_from(code.size()).ok()?, dark))
}

/// The texts of the codes in a picture of four bytes for each point (red, green, blue, opacity).
/// Codes that cannot be read, or are no text, are left out.
#[must_use]
pub fn scan(width: usize, height: usize, rgba: &[u8]) -> Vec<String> {
    let points = width.saturating_mul(height);
    if points == 0 || points > MAX_POINTS || rgba.len() / 4 < points {
        return Vec::new();
    }
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        light(rgba, y * width + x)
    });
    let grids = picture.detect_grids();
    grids.iter().take(MAX_CODES).filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}

/// How light a point is (ITU-R BT.601), on white paper.
fn light(rgba: &[u8], point: usize) -> u8 {
    let Some([red, green, blue, opacity]) = rgba.get(point * 4..).and_then(<[u8]>::first_chunk)
    else {
        return u8::MAX;
    };
    let sum = u32::from(*red) * 299 + u32::from(*green) * 587 + u32::from(*blue) * 114;
    let opacity = u32::from(*opacity);
    u8::try_from((sum / 1000 * opacity + 255 * (255 - opacity)) / 255).unwrap_or(u8::MAX)
}

/// Larger pictures are not searched.
const MAX_POINTS: usize = 16 * 1024 * 1024;
const MAX_CODES: usize = 16;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A code as a camera may see it: larger, with a margin.
    fn picture(text: &str, scale: usize) -> (usize, Vec<u8>) {
        let (size, dark) = encode(text).unwrap();
        let (size, margin) = (size as usize, 4);
        let side = (size + 2 * margin) * scale;
        let points = (0..side * side).map(|at| (at % side / scale, at / side / scale));
        let rgba = points.flat_map(|(x, y)| {
            let (x, y) = (x.wrapping_sub(margin), y.wrapping_sub(margin));
            let dark = x < size && y < size && dark.get(y * size + x) == Some(&1);
            if dark { [10, 10, 10, 255] } else { [250, 250, 250, 255] }
        });
        (side, rgba.collect())
    }

    #[test]
    fn what_is_shown_is_what_is_read() {
        let text = format!("xmpp:juliet@example.org?message;omemo-sid-123={}", "ab".repeat(32));
        let (side, rgba) = picture(&text, 5);
        assert_eq!(scan(side, side, &rgba), [text]);
    }

    #[test]
    fn a_picture_without_a_code_or_with_wrong_sizes_says_nothing() {
        assert!(scan(40, 40, &[255; 6400]).is_empty());
        assert!(scan(40, 40, &[0; 10]).is_empty());
        assert!(scan(0, 0, &[]).is_empty());
        assert!(scan(usize::MAX, 2, &[0; 16]).is_empty());
        assert!(encode(&"a".repeat(5000)).is_none());
    }
}
