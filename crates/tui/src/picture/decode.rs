//! Reading a picture that somebody else made: within limits of bytes, pixels and memory.

use std::fs::File;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Why a picture is not shown. Its words go behind the name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It was here and is gone, or cannot be opened.
    #[error("the file is not here any more")]
    Missing,
    /// More than [`MOST_BYTES`] or [`MOST_PIXELS`].
    #[error("too large to be shown here; o opens it")]
    TooLarge,
    /// Its first bytes are those of no format that is shown.
    #[error("no PNG, JPEG, WebP or GIF; o opens it")]
    Unknown,
    /// It says that it is a picture and is none.
    #[error("damaged: it cannot be shown")]
    Damaged,
}

/// Reads a picture, turned as its camera was held. Of an animation: the first frame.
///
/// What it is, its bytes tell; neither its name nor what its sender says is believed.
///
/// # Errors
/// It is not fit to be shown.
pub(crate) fn decode(path: &Path) -> Result<DynamicImage, Unfit> {
    let bytes = read(path)?;
    // Decoders are other people's code with bytes of strangers: a panic there ends this picture,
    // and not the thread. Nothing of theirs outlives it.
    catch_unwind(AssertUnwindSafe(|| decoded(bytes))).unwrap_or(Err(Unfit::Damaged))
}

/// The bytes of a plain file; a pipe or a device is not waited for.
fn read(path: &Path) -> Result<Vec<u8>, Unfit> {
    let metadata = std::fs::metadata(path).map_err(|_| Unfit::Missing)?;
    if !metadata.is_file() {
        return Err(Unfit::Unknown);
    }
    let file = File::open(path).map_err(|_| Unfit::Missing)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|_| Unfit::Missing)?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(Unfit::TooLarge),
        false => Ok(bytes),
    }
}

fn decoded(bytes: Vec<u8>) -> Result<DynamicImage, Unfit> {
    let format = image::guess_format(&bytes).map_err(|_| Unfit::Unknown)?;
    if !FORMATS.contains(&format) {
        return Err(Unfit::Unknown);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unfit)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Unfit::TooLarge);
    }
    if width == 0 || height == 0 {
        return Err(Unfit::Damaged);
    }
    if decoder.total_bytes() > MOST_MEMORY {
        return Err(Unfit::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(unfit)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn unfit(error: image::ImageError) -> Unfit {
    match error {
        image::ImageError::Limits(_) => Unfit::TooLarge,
        image::ImageError::Unsupported(_) => Unfit::Unknown,
        _ => Unfit::Damaged,
    }
}

const FORMATS: [ImageFormat; 4] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
/// Bytes of a file that is shown.
pub(crate) const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Pixels: what cameras of today make, and a fraction of a second to decode.
const MOST_PIXELS: u64 = 25_000_000;
/// Pixels of one side.
const MOST_SIDE: u32 = 16_384;
/// Bytes that a picture may have in memory, and that its decoder may take beside that.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, Rgba, RgbaImage};

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let image = RgbaImage::from_fn(width, height, |x, y| {
            Rgba([(x * 7) as u8, (y * 5) as u8, (x ^ y) as u8, 255])
        });
        let mut out = Cursor::new(Vec::new());
        DynamicImage::from(image).to_rgb8().write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn decode_bytes(bytes: &[u8]) -> Result<DynamicImage, Unfit> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        std::fs::write(&path, bytes).unwrap();
        decode(&path)
    }

    #[test]
    fn the_four_formats_are_read_whatever_their_name() {
        for format in FORMATS {
            let image = decode_bytes(&encoded(format, 20, 10)).unwrap();
            assert_eq!((image.width(), image.height()), (20, 10), "{format:?}");
        }
    }

    #[test]
    fn other_formats_are_not_read() {
        for bytes in [&b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0"[..], b"<svg/>", b"", b"%PDF-1.7", b"II*\0"]
        {
            assert_eq!(decode_bytes(bytes).unwrap_err(), Unfit::Unknown);
        }
    }

    /// A PNG with nothing but a header of some size, and an empty IDAT.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut png = encoded(ImageFormat::Png, 1, 1);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1))
            })
        })
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused_before_memory_is_taken() {
        for (width, height) in [(16_000, 16_000), (5_001, 5_000), (2_000_000_000, 1), (1, 70_000)] {
            assert_eq!(decode_bytes(&bomb(width, height)).unwrap_err(), Unfit::TooLarge);
        }
        // The size is right, the pixels are missing.
        assert_eq!(decode_bytes(&bomb(4_000, 4_000)).unwrap_err(), Unfit::Damaged);
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.png");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(decode(&path).unwrap_err(), Unfit::TooLarge);
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(decode(folder.path()).unwrap_err(), Unfit::Unknown);
        assert_eq!(decode(&folder.path().join("none")).unwrap_err(), Unfit::Missing);
        assert_eq!(decode(Path::new("/dev/zero")).unwrap_err(), Unfit::Unknown);
    }

    #[test]
    fn of_an_animation_only_the_first_frame_is_decoded() {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for level in 0..50 {
            let buffer = RgbaImage::from_pixel(30, 20, Rgba([level * 5, 0, 0, 255]));
            encoder
                .encode_frame(Frame::from_parts(buffer, 0, 0, Delay::from_numer_denom_ms(10, 1)))
                .unwrap();
        }
        drop(encoder);
        let first = decode_bytes(&bytes).unwrap().to_rgb8();
        assert_eq!(first.get_pixel(0, 0).0, [0, 0, 0]);
        // Only its beginning has to be sound.
        bytes.truncate(bytes.len() / 2);
        decode_bytes(&bytes).unwrap();
    }

    #[test]
    fn damaged_pictures_are_refused_and_nothing_worse() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize
        };
        for format in FORMATS {
            let whole = encoded(format, 40, 30);
            for _ in 0..300 {
                let mut bytes = whole.clone();
                for _ in 0..1 + random() % 8 {
                    let at = random() % bytes.len();
                    bytes[at] = random() as u8;
                }
                bytes.truncate(1 + random() % bytes.len());
                // Whatever comes out of it; a panic would end this test.
                let _ = decoded(bytes);
            }
        }
    }
}
