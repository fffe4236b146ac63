//! The protocols by which terminals take pictures: what is written for each.
//!
//! - kitty: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>, with Unicode placeholders, so that
//!   the picture is text for everything that lies between.
//! - iTerm2: <https://iterm2.com/documentation-images.html>.
//! - Sixel: the DEC VT330/340 Programmer Reference Manual, volume 2, chapter 14.

use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, RgbaImage};

use super::Unfit;

/// What tells kitty about a picture and its place of so many cells, in pieces as it wants them.
pub(super) fn kitty(
    image: &RgbaImage,
    number: u32,
    (columns, rows): (u16, u16),
    tmux: bool,
) -> Result<String, Unfit> {
    let encoded = STANDARD.encode(png(image)?);
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 64 + 128);
    let mut rest = encoded.as_str();
    let mut first = true;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(PIECE));
        let more = u8::from(!after.is_empty());
        let mut sequence = String::from("\x1b_Gq=2,");
        if first {
            let _ = write!(sequence, "i={number},a=T,U=1,f=100,t=d,c={columns},r={rows},");
        }
        let _ = write!(sequence, "m={more};{piece}\x1b\\");
        out.push_str(&passed(sequence, tmux));
        rest = after;
        first = false;
    }
    Ok(out)
}

/// The text of a cell that shows a part of a picture of kitty's: in the first column it names the
/// row, the others follow from there.
pub(super) fn placeholder(row: u16, first_column: bool) -> String {
    let mut out = String::from(PLACEHOLDER);
    if first_column {
        // A row and a column; the number of the picture is in the colour of the cell.
        out.push(ROWS.get(usize::from(row)).copied().unwrap_or(ROWS[0]));
        out.push(ROWS[0]);
    }
    out
}

/// Whether kitty can be told about so many rows.
pub(super) const MOST_ROWS: u16 = ROWS.len() as u16;

/// A picture within so many columns of a row, as iTerm2 takes it. The cursor ends where text of one
/// column would have left it.
pub(super) fn iterm2(image: &RgbaImage, columns: u16, tmux: bool) -> Result<String, Unfit> {
    let png = png(image)?;
    let sequence = format!(
        "\x1b]1337;File=inline=1;size={};width={}px;height={}px;doNotMoveCursor=1:{}\x07",
        png.len(),
        image.width(),
        image.height(),
        STANDARD.encode(&png)
    );
    Ok(placed(columns, &passed(sequence, tmux)))
}

/// A picture as sixels. The cursor ends where text of one column would have left it.
pub(super) fn sixel(image: &RgbaImage, columns: u16) -> String {
    let (width, height) = image.dimensions();
    let colours = reduced(image);
    // Pixels of no colour stay as they are (P2 = 1), and pixels are square.
    let mut out = format!("\x1bP0;1;0q\"1;1;{width};{height}");
    let mut used = [false; COLOURS];
    colours.iter().flatten().for_each(|colour| used[usize::from(*colour)] = true);
    for (colour, _) in used.iter().enumerate().filter(|(_, used)| **used) {
        let part = |step: usize| colour / step % 6 * 20;
        let _ = write!(out, "#{colour};2;{};{};{}", part(36), part(6), part(1));
    }
    let row = width as usize;
    for band in colours.chunks(row.max(1) * 6) {
        write_band(band, row, &mut out);
        out.push('-');
    }
    out.push_str("\x1b\\");
    placed(columns, &out)
}

/// Six rows: a line of sixels for every colour in them, written over one another.
fn write_band(band: &[Option<u8>], width: usize, out: &mut String) {
    let mut lines: Vec<Option<Vec<u8>>> = vec![None; COLOURS];
    for (at, colour) in band.iter().enumerate() {
        if let Some(line) = colour.and_then(|colour| lines.get_mut(usize::from(colour))) {
            line.get_or_insert_with(|| vec![0; width])[at % width] |= 1 << (at / width);
        }
    }
    for (colour, line) in lines.iter().enumerate() {
        let Some(line) = line else { continue };
        let _ = write!(out, "#{colour}");
        for run in line.chunk_by(|one, two| one == two) {
            let sixel = char::from(b'?' + run[0]);
            match run.len() {
                length @ 1..4 => out.extend(std::iter::repeat_n(sixel, length)),
                length => {
                    let _ = write!(out, "!{length}{sixel}");
                }
            }
        }
        out.push('$');
    }
}

/// Every pixel as one of 216 colours, or none where the picture is transparent. What is lost by that
/// goes to the pixels that follow (Floyd and Steinberg).
fn reduced(image: &RgbaImage) -> Vec<Option<u8>> {
    let width = image.width() as usize;
    let mut below = vec![[0_i32; 3]; width + 2];
    let mut colours = Vec::with_capacity(image.as_raw().len() / 4);
    for row in image.rows() {
        let mut here = std::mem::replace(&mut below, vec![[0; 3]; width + 2]);
        for (x, pixel) in row.enumerate() {
            let [red, green, blue, alpha] = pixel.0;
            if alpha < 128 {
                colours.push(None);
                continue;
            }
            let mut colour = 0;
            for (part, value) in [red, green, blue].into_iter().enumerate() {
                let wanted = (i32::from(value) * 16 + here[x + 1][part]).clamp(0, 255 * 16);
                let step = (wanted + 408) / 816;
                let error = wanted - step * 816;
                colour = colour * 6 + step;
                here[x + 2][part] += error * 7 / 16;
                below[x][part] += error * 3 / 16;
                below[x + 1][part] += error * 5 / 16;
                below[x + 2][part] += error / 16;
            }
            colours.push(u8::try_from(colour).ok());
        }
    }
    colours
}

/// What is drawn beside the letters, with its first row cleared: the cursor goes back, and one on.
fn placed(columns: u16, sequence: &str) -> String {
    format!("\x1b7\x1b[{columns}X{sequence}\x1b8\x1b[1C")
}

/// Past tmux, to the terminal around it.
fn passed(sequence: String, tmux: bool) -> String {
    match tmux {
        true => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        false => sequence,
    }
}

fn png(image: &RgbaImage) -> Result<Vec<u8>, Unfit> {
    let mut out = Cursor::new(Vec::new());
    let written = DynamicImage::from(image.clone()).write_to(&mut out, ImageFormat::Png);
    written.map(|()| out.into_inner()).map_err(|_| Unfit::Damaged)
}

/// Letters of one piece: more than 4096 kitty does not take.
const PIECE: usize = 4096;
/// Six steps of red, green and blue.
const COLOURS: usize = 216;
/// The character that stands for a part of a picture.
const PLACEHOLDER: char = '\u{10EEEE}';
/// The marks that number rows and columns, from 0.
const ROWS: [char; 24] = [
    '\u{305}', '\u{30D}', '\u{30E}', '\u{310}', '\u{312}', '\u{33D}', '\u{33E}', '\u{33F}',
    '\u{346}', '\u{34A}', '\u{34B}', '\u{34C}', '\u{350}', '\u{351}', '\u{352}', '\u{357}',
    '\u{35B}', '\u{363}', '\u{364}', '\u{365}', '\u{366}', '\u{367}', '\u{368}', '\u{369}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    /// The colours of sixels in per cent, for every pixel that has one.
    fn drawn(sequence: &str, width: usize, height: usize) -> Vec<Option<[u32; 3]>> {
        let body = sequence.split_once('q').unwrap().1.split_once("\x1b\\").unwrap().0;
        let mut palette = std::collections::HashMap::new();
        let mut pixels = vec![None; width * height.next_multiple_of(6)];
        let (mut x, mut band, mut colour, mut times) = (0, 0, 0_u32, 1);
        let mut letters = body.chars().peekable();
        let number = |letters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut number = 0;
            while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                number = number * 10 + digit;
                letters.next();
            }
            number
        };
        while let Some(letter) = letters.next() {
            match letter {
                '"' => {
                    let size: Vec<u32> = (0..4)
                        .map(|_| {
                            let part = number(&mut letters);
                            letters.next_if_eq(&';');
                            part
                        })
                        .collect();
                    assert_eq!(size, [1, 1, width as u32, height as u32]);
                }
                '#' => {
                    colour = number(&mut letters);
                    if letters.next_if_eq(&';').is_some() {
                        assert_eq!(number(&mut letters), 2);
                        let mut part = || {
                            letters.next_if_eq(&';');
                            number(&mut letters)
                        };
                        palette.insert(colour, [part(), part(), part()]);
                    }
                }
                '!' => times = number(&mut letters) as usize,
                '$' => x = 0,
                '-' => (x, band) = (0, band + 1),
                sixel => {
                    let bits = sixel as u32 - u32::from('?');
                    for _ in 0..times {
                        for row in (0..6).filter(|row| bits & (1 << row) != 0) {
                            pixels[(band * 6 + row) * width + x] = Some(palette[&colour]);
                        }
                        x += 1;
                    }
                    times = 1;
                }
            }
        }
        pixels.truncate(width * height);
        pixels
    }

    #[test]
    fn sixels_show_the_picture() {
        let (width, height) = (40, 20);
        let image = RgbaImage::from_fn(width, height, |x, y| match (x < 20, y < 10) {
            (true, true) => Rgba([255, 0, 0, 255]),
            (true, false) => Rgba([0, 0, 0, 0]),
            (false, true) => Rgba([255, 255, 255, 255]),
            (false, false) => Rgba([120, 120, 120, 255]),
        });
        let pixels = drawn(&sixel(&image, 4), 40, 20);
        assert_eq!(pixels[0], Some([100, 0, 0]));
        assert_eq!(pixels[19 * 40], None, "transparent");
        assert_eq!(pixels[39], Some([100, 100, 100]));
        // Between two steps: the mean of many pixels is near.
        let greys = (10..20).flat_map(|y| (20..40).map(move |x| y * 40 + x));
        let sum: u32 = greys.map(|at| pixels[at].unwrap()[1]).sum();
        let mean = f64::from(sum) / 200.0;
        assert!((mean - 47.0).abs() < 3.0, "{mean}");
    }

    #[test]
    fn kitty_gets_the_picture_in_pieces_that_together_are_a_png() {
        let mut state = 1_u32;
        let image = RgbaImage::from_fn(100, 80, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            Rgba([a, b, c, 255])
        });
        let told = kitty(&image, 77, (10, 4), false).unwrap();
        let pieces: Vec<&str> = told.split_terminator("\x1b\\").collect();
        assert!(pieces.len() > 2);
        let mut encoded = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            let (head, body) = piece.split_once(';').unwrap();
            assert!(head.starts_with("\x1b_Gq=2,") && body.len() <= 4096);
            assert_eq!(head.contains("i=77,a=T,U=1,f=100,t=d,c=10,r=4"), index == 0);
            assert_eq!(head.ends_with("m=0"), index + 1 == pieces.len());
            encoded.push_str(body);
        }
        let png = STANDARD.decode(encoded).unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().to_rgba8(), image);
    }

    #[test]
    fn through_tmux_every_escape_is_doubled() {
        let image = RgbaImage::from_pixel(2, 2, Rgba([1, 2, 3, 255]));
        let told = kitty(&image, 1, (1, 1), true).unwrap();
        assert!(told.starts_with("\x1bPtmux;\x1b\x1b_Gq=2,") && told.ends_with("\x1b\x1b\\\x1b\\"));
    }
}
