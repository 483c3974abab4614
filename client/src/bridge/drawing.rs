//! A received picture, made small enough to stand among the files. Off the window's thread; what is in it is a stranger's.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parlor_ui::slint::{Image, Rgba8Pixel, SharedPixelBuffer};

use super::picture::picture_size;

/// Bytes of a picture that is drawn.
const BYTES: u64 = 20 << 20;
/// Pixels of its width and of its height, and of all of it: four bytes each while it is made small.
const SIDE: u32 = 8_192;
const PIXELS: u64 = 40_000_000;
/// Pixels that are left of it.
const WIDE: u32 = 1_280;
const HIGH: u32 = 480;

/// Whether a file of this name may be drawn: what the toolkit reads.
pub(super) fn is_drawable(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// Reads and shrinks it; `None`: it is too large, or no picture.
pub(super) fn small(path: &Path) -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BYTES + 1).read_to_end(&mut bytes).ok()?;
    let (width, height) = picture_size(&bytes).filter(|_| bytes.len() as u64 <= BYTES)?;
    if !(1..=SIDE).contains(&width)
        || !(1..=SIDE).contains(&height)
        || u64::from(width) * u64::from(height) > PIXELS
    {
        return None;
    }
    // Whoever made it may know a way to make a decoder fall over.
    let decoded = catch_unwind(AssertUnwindSafe(|| Image::load_from_data(&bytes, None).ok()?.to_rgba8()));
    shrunk(&decoded.ok()??)
}

/// Each pixel of the small one is the middle of those that it stands for.
fn shrunk(from: &SharedPixelBuffer<Rgba8Pixel>) -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let (width, height) = (from.width(), from.height());
    let by = width.div_ceil(WIDE).max(height.div_ceil(HIGH)).max(1);
    let (wide, high) = ((width / by).max(1), (height / by).max(1));
    let mut to = SharedPixelBuffer::<Rgba8Pixel>::new(wide, high);
    let pixels = from.as_slice();
    for (at, pixel) in to.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at as u32 % wide * by, at as u32 / wide * by);
        let (mut sum, mut count) = ([0_u32; 4], 0);
        for row in y..(y + by).min(height) {
            let start = (row * width + x) as usize;
            let end = (row * width + (x + by).min(width)) as usize;
            for one in pixels.get(start..end)? {
                let parts = [one.r, one.g, one.b, one.a];
                sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += u32::from(part));
                count += 1;
            }
        }
        let [r, g, b, a] = sum.map(|sum| (sum / count.max(1)) as u8);
        *pixel = Rgba8Pixel { r, g, b, a };
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_picture_becomes_small_and_keeps_its_colours() {
        let mut large = SharedPixelBuffer::<Rgba8Pixel>::new(2_600, 100);
        for (at, pixel) in large.make_mut_slice().iter_mut().enumerate() {
            *pixel = Rgba8Pixel { r: if at % 2_600 < 1_300 { 200 } else { 0 }, g: 7, b: 0, a: 255 };
        }
        let small = shrunk(&large).unwrap();
        assert_eq!((small.width(), small.height()), (866, 33));
        let pixels = small.as_slice();
        assert_eq!((pixels[0].r, pixels[865].r, pixels[400].g, pixels[400].a), (200, 0, 7, 255));
    }

    #[test]
    fn what_is_no_picture_is_not_drawn() {
        let folder = std::env::temp_dir();
        let path = folder.join(format!("parlor-drawing-{}.png", std::process::id()));
        let header = |width: u32, height: u32| {
            [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &width.to_be_bytes()[..], &height.to_be_bytes()].concat()
        };
        for bytes in
            [b"MZ".to_vec(), vec![], header(9_000, 1), header(8_000, 8_000), header(0, 1), header(10, 10)]
        {
            std::fs::write(&path, bytes).unwrap();
            assert!(small(&path).is_none());
        }
        let large = header(10, 10).into_iter().chain(std::iter::repeat_n(0, 20 << 20)).collect::<Vec<u8>>();
        std::fs::write(&path, large).unwrap();
        assert!(small(&path).is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(small(&path).is_none());
        let sign = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/icons/parlor.png");
        assert!(small(&sign).is_some_and(|sign| sign.width() > 0));
        assert!(
            is_drawable("a.PNG") && is_drawable("b.jpeg") && !is_drawable("c.svg") && !is_drawable("png")
        );
    }
}
