//! Pictures in the terminal: decoded within limits, made as small as their place, and put into cells.

mod decode;
mod protocol;

use std::fmt;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use image::{DynamicImage, RgbaImage};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use serde::{Deserialize, Serialize};

pub(crate) use decode::MOST_BYTES;
pub use decode::Unfit;

/// How a terminal shows pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The graphics protocol of kitty, with placeholders: kitty, Ghostty.
    Kitty,
    /// Inline images of iTerm2: iTerm2, WezTerm, mintty.
    Iterm2,
    /// Sixel: foot, xterm, mlterm, Windows Terminal, tmux.
    Sixel,
    /// Half blocks in 24 bit colours: every terminal, coarsely.
    Blocks,
}

/// What pictures are drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// How.
    pub way: Way,
    /// Width and height of a cell in pixels.
    pub cell: (u16, u16),
    /// What goes to the terminal has to be passed through tmux.
    pub tmux: bool,
}

/// A picture that is ready to be drawn.
pub struct Picture {
    shape: Shape,
    size: Size,
    bytes: usize,
}

enum Shape {
    /// The terminal is told about it once; then cells refer to it by the number, in their colour.
    Kitty { number: Color, told: AtomicBool, telling: String },
    /// A picture for each row.
    Rows(Vec<String>),
    /// It can be drawn as a whole only.
    Whole(String),
    /// The upper and the lower half of every cell.
    Blocks(Vec<(Color, Color)>),
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Canvas {
    /// Reads a picture and makes it ready for at most so many columns and rows. Takes a while: not
    /// for a thread that draws. A small picture is not made larger.
    ///
    /// # Errors
    /// It is not fit to be shown.
    pub fn load(&self, path: &Path, most: (u16, u16)) -> Result<Picture, Unfit> {
        self.ready(decode::decode(path)?, most)
    }

    fn ready(&self, image: DynamicImage, (columns, rows): (u16, u16)) -> Result<Picture, Unfit> {
        let cell = (u32::from(self.cell.0.max(1)), u32::from(self.cell.1.max(1)));
        let rows = rows.clamp(1, protocol::MOST_ROWS);
        let most = (u32::from(columns.max(1)) * cell.0, u32::from(rows) * cell.1);
        let image = match image.width() > most.0 || image.height() > most.1 {
            true => image.thumbnail(most.0, most.1),
            false => image,
        };
        let size = Size {
            width: u16::try_from(image.width().div_ceil(cell.0)).unwrap_or(columns),
            height: u16::try_from(image.height().div_ceil(cell.1)).unwrap_or(rows),
        };
        let image = padded(&image, u32::from(size.width) * cell.0, u32::from(size.height) * cell.1);
        let shape = self.shape(&image, size)?;
        let bytes = shape.bytes();
        Ok(Picture { shape, size, bytes })
    }

    fn shape(&self, image: &RgbaImage, size: Size) -> Result<Shape, Unfit> {
        Ok(match self.way {
            Way::Kitty => {
                let (number, colour) = number()?;
                let place = (size.width, size.height);
                let telling = protocol::kitty(image, number, place, self.tmux)?;
                Shape::Kitty { number: colour, told: AtomicBool::new(false), telling }
            }
            Way::Sixel => Shape::Whole(protocol::sixel(image, size.width)),
            Way::Iterm2 => {
                let height = u32::from(self.cell.1.max(1));
                let row = |index: u32| {
                    let row =
                        image::imageops::crop_imm(image, 0, index * height, image.width(), height);
                    protocol::iterm2(&row.to_image(), size.width, self.tmux)
                };
                Shape::Rows((0..u32::from(size.height)).map(row).collect::<Result<_, _>>()?)
            }
            Way::Blocks => Shape::Blocks(halves(image, size)),
        })
    }
}

impl Shape {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        match self {
            Shape::Kitty { telling, .. } => telling.len(),
            Shape::Rows(rows) => rows.iter().map(String::len).sum(),
            Shape::Whole(whole) => whole.len(),
            Shape::Blocks(blocks) => std::mem::size_of_val(blocks.as_slice()),
        }
    }
}

impl Picture {
    /// Columns and rows that it takes.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// About how much memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Draws it with its row `skip` at the top of an area, and as much as there is room for.
    pub fn draw(&self, area: Rect, skip: u16, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let height = self.size.height.saturating_sub(skip).min(area.height);
        let area = Rect { height, ..area };
        if area.is_empty() {
            return;
        }
        let width = self.size.width.min(area.width);
        let area = Rect { width, ..area };
        match &self.shape {
            Shape::Kitty { number, told, telling } => {
                let telling = (!told.swap(true, Ordering::Relaxed)).then_some(telling.as_str());
                kitty(area, skip, *number, telling, buffer);
            }
            Shape::Rows(rows) => {
                let shown = rows.iter().skip(usize::from(skip));
                for (row, y) in shown.zip(area.top()..area.bottom()) {
                    beside(row, Rect { y, height: 1, ..area }, buffer);
                }
            }
            Shape::Whole(whole) if area.as_size() == self.size => beside(whole, area, buffer),
            Shape::Whole(_) => {}
            Shape::Blocks(blocks) => {
                let rows = blocks.chunks(usize::from(self.size.width)).skip(usize::from(skip));
                for (row, y) in rows.zip(area.top()..area.bottom()) {
                    for ((upper, lower), x) in row.iter().zip(area.left()..area.right()) {
                        buffer[(x, y)].set_symbol("▀").set_fg(*upper).set_bg(*lower);
                    }
                }
            }
        }
    }
}

/// Cells that refer to a picture which kitty knows, or is told about in the first of them.
fn kitty(area: Rect, skip: u16, number: Color, telling: Option<&str>, buffer: &mut Buffer) {
    let mut telling = telling.unwrap_or_default();
    for (row, y) in (area.top()..area.bottom()).enumerate() {
        for x in area.left()..area.right() {
            let part = protocol::placeholder(skip + row as u16, x == area.left());
            let cell = &mut buffer[(x, y)];
            cell.set_symbol(&format!("{}{part}", std::mem::take(&mut telling)));
            cell.set_fg(number).set_diff_option(ONE_COLUMN);
        }
    }
}

/// What the terminal draws beside its letters stands in the first cell; the others are left alone.
fn beside(sequence: &str, area: Rect, buffer: &mut Buffer) {
    for at in area.positions() {
        let cell = &mut buffer[at];
        *cell = Cell::default();
        cell.set_diff_option(CellDiffOption::Skip);
    }
    buffer[area.as_position()].set_symbol(sequence).set_diff_option(ONE_COLUMN);
}

/// However long the text of a cell is, the cursor is one column further.
const ONE_COLUMN: CellDiffOption = CellDiffOption::ForcedWidth(NonZeroU16::MIN);

/// The mean colours of the upper and the lower half of every cell.
fn halves(image: &RgbaImage, size: Size) -> Vec<(Color, Color)> {
    let (width, height) = (u32::from(size.width), u32::from(size.height) * 2);
    let filter = image::imageops::FilterType::Triangle;
    let small = image::imageops::resize(image, width, height, filter);
    let colour = |x: u32, y: u32| {
        let [red, green, blue, _] = small.get_pixel(x, y).0;
        Color::Rgb(red, green, blue)
    };
    let cells = (0..height / 2).flat_map(|row| (0..width).map(move |x| (x, row * 2)));
    cells.map(|(x, y)| (colour(x, y), colour(x, y + 1))).collect()
}

/// Whole cells: what is beyond the picture is transparent.
fn padded(image: &DynamicImage, width: u32, height: u32) -> RgbaImage {
    let mut canvas = RgbaImage::new(width, height);
    image::imageops::replace(&mut canvas, &image.to_rgba8(), 0, 0);
    canvas
}

/// The number that the terminal knows a picture by, also as a colour. Other programs choose theirs
/// too: any of 24 bits.
fn number() -> Result<(u32, Color), Unfit> {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|_| Unfit::Damaged)?;
    let [red, green, blue] = bytes;
    let blue = blue.max(1);
    Ok((u32::from_be_bytes([0, red, green, blue]), Color::Rgb(red, green, blue)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;
    use ratatui::style::Color;

    const WAYS: [Way; 4] = [Way::Kitty, Way::Iterm2, Way::Sixel, Way::Blocks];

    fn canvas(way: Way) -> Canvas {
        Canvas { way, cell: (10, 20), tmux: false }
    }

    fn image(width: u32, height: u32) -> DynamicImage {
        RgbaImage::from_pixel(width, height, Rgba([200, 30, 30, 255])).into()
    }

    #[test]
    fn a_picture_fits_its_place_and_keeps_its_shape() {
        for way in WAYS {
            let size =
                |width, height| canvas(way).ready(image(width, height), (40, 15)).unwrap().size();
            assert_eq!(size(4000, 3000), Size::new(40, 15), "{way:?}");
            assert_eq!(size(3000, 300), Size::new(40, 2), "{way:?}");
            assert_eq!(size(8, 8), Size::new(1, 1), "a small one stays small with {way:?}");
            assert_eq!(size(1, 16_000).height, 15, "{way:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_outside_of_the_area() {
        for way in WAYS {
            let picture = canvas(way).ready(image(100, 200), (40, 15)).unwrap();
            assert_eq!(picture.size(), Size::new(10, 10));
            for (skip, rows) in [(0, 10), (4, 6), (4, 3), (0, 2), (9, 5), (10, 3), (400, 3)] {
                let mut buffer =
                    Buffer::filled(Rect::new(0, 0, 30, 20), ratatui::buffer::Cell::new("."));
                let area = Rect::new(5, 5, 10, rows);
                picture.draw(area, skip, &mut buffer);
                for position in buffer.area.positions().filter(|at| !area.contains(*at)) {
                    assert_eq!(buffer[position].symbol(), ".", "{way:?} {skip} {rows} {position}");
                }
            }
        }
    }

    #[test]
    fn half_blocks_have_the_colours_of_the_picture() {
        let picture = canvas(Way::Blocks).ready(image(100, 200), (10, 10)).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 10));
        picture.draw(buffer.area, 0, &mut buffer);
        assert_eq!(buffer[(3, 3)].fg, Color::Rgb(200, 30, 30));
    }

    #[test]
    fn what_goes_to_the_terminal_is_of_the_chosen_protocol() {
        for (way, begins) in
            [(Way::Kitty, "\x1b_G"), (Way::Iterm2, "\x1b]1337;File="), (Way::Sixel, "\x1bP")]
        {
            let picture = canvas(way).ready(image(50, 40), (10, 10)).unwrap();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 10));
            picture.draw(buffer.area, 0, &mut buffer);
            assert!(buffer[(0, 0)].symbol().contains(begins), "{way:?}");
            assert!(picture.bytes() > 0);
        }
    }
}
