//! XEP-0392: Consistent Color Generation 1.0.1
//!
//! A person has the same hue in every client. Hues become colours through HSLuv, which keeps the
//! brightness the same for all of them.

use sha1::{Digest as _, Sha1};

/// The hue of a text, in degrees (XEP-0392 §5.1).
#[must_use]
pub fn hue(text: &str) -> f64 {
    let digest = Sha1::digest(text.as_bytes());
    f64::from(u16::from_le_bytes([digest[0], digest[1]])) / 65536.0 * 360.0
}

/// A colour of the HSLuv space as sRGB, each part from 0 to 1. Hue in degrees, saturation and
/// lightness in percent.
#[must_use]
pub fn hsluv_to_rgb(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    if lightness > 99.999_999 {
        return [1.0; 3];
    }
    if lightness < 1e-8 {
        return [0.0; 3];
    }
    let chroma = most_chroma(lightness, hue) / 100.0 * saturation;
    let (sine, cosine) = hue.to_radians().sin_cos();
    let u = cosine * chroma / (13.0 * lightness) + WHITE_U;
    let v = sine * chroma / (13.0 * lightness) + WHITE_V;
    let y = luminance(lightness);
    let x = y * 9.0 * u / (4.0 * v);
    let z = y * (12.0 - 3.0 * u - 20.0 * v) / (4.0 * v);
    XYZ_TO_RGB.map(|row| gamma(row[0] * x + row[1] * y + row[2] * z).clamp(0.0, 1.0))
}

/// Hue in degrees and lightness in percent of an sRGB colour; no hue for greys.
#[must_use]
pub fn rgb_to_hue(rgb: [u8; 3]) -> Option<(f64, f64)> {
    if rgb[0] == rgb[1] && rgb[1] == rgb[2] {
        return None;
    }
    let linear = rgb.map(|part| linear(f64::from(part) / 255.0));
    let [x, y, z] =
        RGB_TO_XYZ.map(|row| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]);
    let divisor = x + 15.0 * y + 3.0 * z;
    let lightness = if y <= EPSILON { y * KAPPA } else { 116.0 * y.cbrt() - 16.0 };
    let u = 13.0 * lightness * (4.0 * x / divisor - WHITE_U);
    let v = 13.0 * lightness * (9.0 * y / divisor - WHITE_V);
    Some((v.atan2(u).to_degrees().rem_euclid(360.0), lightness))
}

/// The nearest colour of a palette (XEP-0392 §5.3 and §5.4). Of colours with the same hue, the one
/// whose lightness is nearest to `lightness` is taken.
#[must_use]
pub fn nearest<C: Copy>(palette: &[(C, [u8; 3])], hue: f64, lightness: f64) -> Option<C> {
    let key = |rgb: [u8; 3]| -> Option<(i64, f64)> {
        let (angle, light) = rgb_to_hue(rgb)?;
        let distance =
            (hue - angle.round()).rem_euclid(360.0).min((angle.round() - hue).rem_euclid(360.0));
        // Angles are compared in hundredths of a degree, so that equal ones count as equal.
        Some(((distance * 100.0).round() as i64, (light - lightness).abs()))
    };
    palette
        .iter()
        .filter_map(|(colour, rgb)| key(*rgb).map(|key| (key, *colour)))
        .min_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(_, colour)| colour)
}

/// The largest chroma that sRGB has for a lightness and a hue: where the ray of the hue leaves the
/// triangle of the possible colours.
fn most_chroma(lightness: f64, hue: f64) -> f64 {
    let (sine, cosine) = hue.to_radians().sin_cos();
    let cube = (lightness + 16.0).powi(3) / 1_560_896.0;
    let scale = if cube > EPSILON { cube } else { lightness / KAPPA };
    let mut most = f64::INFINITY;
    for [m1, m2, m3] in XYZ_TO_RGB {
        for limit in [0.0, 1.0] {
            let top1 = (284_517.0 * m1 - 94_839.0 * m3) * scale;
            let top2 = (838_422.0 * m3 + 769_860.0 * m2 + 731_718.0 * m1) * lightness * scale
                - 769_860.0 * limit * lightness;
            let bottom = (632_260.0 * m3 - 126_452.0 * m2) * scale + 126_452.0 * limit;
            let length = (top2 / bottom) / (sine - (top1 / bottom) * cosine);
            if length >= 0.0 {
                most = most.min(length);
            }
        }
    }
    most
}

fn luminance(lightness: f64) -> f64 {
    if lightness <= 8.0 { lightness / KAPPA } else { ((lightness + 16.0) / 116.0).powi(3) }
}

fn gamma(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

fn linear(gamma: f64) -> f64 {
    if gamma <= 0.040_45 { gamma / 12.92 } else { ((gamma + 0.055) / 1.055).powf(2.4) }
}

/// CIE constants and the white point D65 in u′v′.
const KAPPA: f64 = 903.296_296_3;
const EPSILON: f64 = 0.008_856_451_7;
const WHITE_U: f64 = 0.197_830_006_6;
const WHITE_V: f64 = 0.468_319_994_9;

/// The matrices of sRGB.
const XYZ_TO_RGB: [[f64; 3]; 3] = [
    [3.240_969_942, -1.537_383_178, -0.498_610_760],
    [-0.969_243_636, 1.875_967_502, 0.041_555_057],
    [0.055_630_080, -0.203_976_959, 1.056_971_514],
];
const RGB_TO_XYZ: [[f64; 3]; 3] = [
    [0.412_390_799, 0.357_584_339, 0.180_480_788],
    [0.212_639_006, 0.715_168_679, 0.072_192_315],
    [0.019_330_819, 0.119_194_780, 0.950_532_152],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0392 §12.1.
    #[test]
    fn colours_are_those_of_the_specification() {
        let vectors = [
            ("Romeo", 327.255_249, [0.865, 0.000, 0.686]),
            ("juliet@capulet.lit", 209.410_400, [0.000, 0.515, 0.573]),
            ("😺", 331.199_341, [0.872, 0.000, 0.659]),
            ("council", 359.994_507, [0.918, 0.000, 0.394]),
            ("Board", 171.430_664, [0.000, 0.527, 0.457]),
        ];
        for (text, angle, rgb) in vectors {
            assert!((hue(text) - angle).abs() < 1e-6, "{text}: {}", hue(text));
            for (found, expected) in hsluv_to_rgb(angle, 100.0, 50.0).into_iter().zip(rgb) {
                assert!((found - expected).abs() < 0.001, "{text}: {found} is not {expected}");
            }
        }
    }

    /// XEP-0392 §12.2.
    #[test]
    fn colours_of_the_web_safe_palette_are_those_of_the_specification() {
        let levels = [0, 51, 102, 153, 204, 255];
        let mut palette = Vec::new();
        for r in levels {
            for g in levels {
                for b in levels {
                    palette.push(([r, g, b], [r, g, b]));
                }
            }
        }
        let vectors = [
            ("Romeo", [255, 0, 204]),
            ("juliet@capulet.lit", [0, 204, 255]),
            ("😺", [255, 102, 204]),
            ("council", [204, 51, 102]),
            ("Board", [0, 255, 204]),
        ];
        for (text, rgb) in vectors {
            assert_eq!(nearest(&palette, hue(text), 73.2), Some(rgb), "{text}");
        }
    }
}
