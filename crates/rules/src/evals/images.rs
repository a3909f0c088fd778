//! Attached pictures: how many, how large, how named. Only the headers of GIF, PNG and JPEG are
//! read.

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::{Entity, EntityKind, TransferEncoding};

/// Segments of one JPEG that are skipped to find its size.
const SEGMENTS_LIMIT: usize = 512;
/// Pictures of one message that are looked at.
const PICTURES_LIMIT: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Gif,
    Png,
    Jpeg,
}

/// Height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    height: u32,
    width: u32,
}

impl Size {
    fn area(self) -> f64 {
        f64::from(self.height) * f64::from(self.width)
    }
}

struct Picture<'v> {
    format: Format,
    /// `None` when its header cannot be read.
    size: Option<Size>,
    name: Option<&'v str>,
}

/// Reads the size from the first bytes of a picture.
type ReadSize = fn(&[u8]) -> Option<Size>;

/// The pictures that are encoded in base64, as mailers send them.
fn pictures<'v>(views: &'v Views<'_>) -> impl Iterator<Item = Picture<'v>> {
    let leaves = views
        .case()
        .message
        .entities
        .iter()
        .filter(|entity| entity.kind == EntityKind::Leaf);
    let encoded = leaves.filter(|entity| entity.encoding == TransferEncoding::Base64);
    encoded.filter_map(picture).take(PICTURES_LIMIT)
}

fn picture<'v>(entity: &'v Entity<'_>) -> Option<Picture<'v>> {
    let (format, size): (_, ReadSize) = match entity.media_type.sub.as_str() {
        _ if entity.media_type.main != "image" => return None,
        "gif" => (Format::Gif, gif_size),
        "png" => (Format::Png, png_size),
        "jpeg" | "jpg" => (Format::Jpeg, jpeg_size),
        _ => return None,
    };
    let size = size(&entity.content).filter(|size| size.height > 0 && size.width > 0);
    Some(Picture {
        format,
        size,
        name: entity.file_name.as_deref(),
    })
}

/// The logical screen of a GIF (GIF89a §18): two bytes each, the low one first.
fn gif_size(content: &[u8]) -> Option<Size> {
    let screen = content
        .strip_prefix(b"GIF87a")
        .or_else(|| content.strip_prefix(b"GIF89a"))?;
    let [width, width_high, height, height_high, ..] = *screen else {
        return None;
    };
    let read = |low, high| u32::from(u16::from_le_bytes([low, high]));
    Some(Size {
        height: read(height, height_high),
        width: read(width, width_high),
    })
}

/// The first chunk of a PNG (ISO/IEC 15948 §11.2.2).
fn png_size(content: &[u8]) -> Option<Size> {
    let chunk = content
        .strip_prefix(b"\x89PNG\r\n\x1a\n")?
        .get(4..)?
        .strip_prefix(b"IHDR")?;
    let (width, rest) = chunk.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some(Size {
        height: u32::from_be_bytes(*height),
        width: u32::from_be_bytes(*width),
    })
}

/// The frame header of a JPEG (ITU-T T.81 §B.2.2), after other segments.
fn jpeg_size(content: &[u8]) -> Option<Size> {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut rest = content.strip_prefix(&[0xff, START])?;
    for _ in 0..SEGMENTS_LIMIT {
        let [0xff, marker, high, low, behind @ ..] = rest else {
            return None;
        };
        if matches!(*marker, END | SCAN) {
            return None;
        }
        // Frames have the markers C0 to CF but for C4, C8 and CC, which are tables.
        if (0xc0..=0xcf).contains(marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let [_, height, height_low, width, width_low, ..] = *behind else {
                return None;
            };
            let read = |high, low| u32::from(u16::from_be_bytes([high, low]));
            return Some(Size {
                height: read(height, height_low),
                width: read(width, width_low),
            });
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2)?;
        rest = behind.get(length..)?;
    }
    None
}

/// Whether a format is meant by the argument: `gif`, `png`, `jpeg`, `all`.
fn is_meant(arguments: &Arguments, picture: &Picture<'_>) -> bool {
    match arguments.text(0) {
        "all" => true,
        "gif" => picture.format == Format::Gif,
        "png" => picture.format == Format::Png,
        "jpeg" => picture.format == Format::Jpeg,
        _ => false,
    }
}

fn sizes(views: &Views<'_>, arguments: &Arguments) -> Vec<Size> {
    pictures(views)
        .filter(|picture| is_meant(arguments, picture))
        .filter_map(|picture| picture.size)
        .collect()
}

/// Whether a number is between the arguments 1 and 2, both inclusive.
fn lies_between(arguments: &Arguments, value: f64) -> bool {
    arguments.number(1).is_some_and(|min| value >= min)
        && arguments.number(2).is_none_or(|max| value <= max)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "entities of one message are far below 2^52"
)]
pub(super) fn count(views: &Views<'_>, arguments: &Arguments) -> bool {
    let count = pictures(views)
        .filter(|picture| is_meant(arguments, picture))
        .count();
    lies_between(arguments, count as f64)
}

fn area(views: &Views<'_>, arguments: &Arguments) -> f64 {
    sizes(views, arguments).into_iter().map(Size::area).sum()
}

pub(super) fn coverage(views: &Views<'_>, arguments: &Arguments) -> bool {
    lies_between(arguments, area(views, arguments))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one message are far below 2^52"
)]
pub(super) fn text_ratio(views: &Views<'_>, arguments: &Arguments) -> bool {
    let area = area(views, arguments);
    let length: usize = views.body().iter().map(Vec::len).sum();
    let ratio = length as f64 / area;
    let is_below = arguments.number(2).is_some_and(|max| ratio < max);
    length > 0 && area > 0.0 && is_below && lies_between(arguments, ratio)
}

pub(super) fn size_exact(views: &Views<'_>, arguments: &Arguments) -> bool {
    sizes(views, arguments).into_iter().any(|size| {
        arguments.number(1) == Some(f64::from(size.height))
            && arguments.number(2) == Some(f64::from(size.width))
    })
}

pub(super) fn size_range(views: &Views<'_>, arguments: &Arguments) -> bool {
    let fits = |least: usize, most: usize, side: u32| {
        let side = f64::from(side);
        arguments.number(least).is_some_and(|min| side >= min)
            && arguments.number(most).is_none_or(|max| side <= max)
    };
    sizes(views, arguments)
        .into_iter()
        .any(|size| fits(1, 3, size.height) && fits(2, 4, size.width))
}

fn has_name(views: &Views<'_>, is_wanted: impl Fn(&str) -> bool) -> bool {
    pictures(views)
        .filter(|picture| picture.size.is_some())
        .filter_map(|picture| picture.name)
        .any(is_wanted)
}

pub(super) fn named(views: &Views<'_>, arguments: &Arguments) -> bool {
    has_name(views, |name| name == arguments.text(0))
}

pub(super) fn name_matches(views: &Views<'_>, arguments: &Arguments) -> bool {
    arguments
        .pattern(0)
        .is_some_and(|pattern| has_name(views, |name| views.matches(pattern, name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::{SEGMENTS_LIMIT, Size, gif_size, jpeg_size, png_size};

    const SIZE: Option<Size> = Some(Size {
        height: 2,
        width: 0x0103,
    });

    #[test]
    fn sizes_are_read() {
        for (content, wanted) in [
            (b"GIF89a\x03\x01\x02\x00rest".as_slice(), SIZE),
            (b"GIF87a\x03\x01\x02\x00", SIZE),
            (b"GIF89a\x03\x01\x02", None),
            (b"GIF88a\x03\x01\x02\x00", None),
        ] {
            assert_eq!(gif_size(content), wanted, "{content:?}");
        }
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x03\0\0\0\x02";
        assert_eq!(png_size(png), SIZE);
        assert_eq!(png_size(&png[..png.len() - 1]), None);
        let jpeg = b"\xff\xd8\xff\xe0\0\x04xx\xff\xc2\0\x0b\x08\0\x02\x01\x03\x03";
        assert_eq!(jpeg_size(jpeg), SIZE);
        for broken in [
            b"\xff\xd8\xff\xda\0\x04".as_slice(),
            b"\xff\xd8\xff\xe0\0\x01",
            b"\xff\xd8\xff\xe0\0\x09x",
            b"",
        ] {
            assert_eq!(jpeg_size(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn segments_are_limited() {
        for (count, wanted) in [(SEGMENTS_LIMIT - 1, SIZE), (SEGMENTS_LIMIT, None)] {
            let mut jpeg = b"\xff\xd8".to_vec();
            jpeg.extend(b"\xff\xe0\0\x02".repeat(count));
            jpeg.extend(b"\xff\xc0\0\x0b\x08\0\x02\x01\x03\x03");
            assert_eq!(jpeg_size(&jpeg), wanted, "{count}");
        }
    }
}
