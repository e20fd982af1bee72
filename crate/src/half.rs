//! Half precision, IEEE 754 binary16: weights of half the size, widened on their way into sums.
//!
//! Every half is a single, so widening is exact; what becomes a half is rounded to the nearest one,
//! to the even one of two. No engine computes with halves: they are moved by integer shifts.

use crate::simd::{F32x4, LANES};
use std::hint::black_box;

/// The half nearest to a single. From 65520 on that is infinity; NaN stays NaN.
pub fn to_half(x: f32) -> u16 {
    /// 65520, halfway between the largest half and where the next one would be.
    const OVERFLOW: u32 = 0x477f_f000;
    /// 2^-14, the least normal half.
    const LEAST_NORMAL: u32 = 0x3880_0000;
    let sign = (x.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = x.to_bits() & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00 | (magnitude >> 13 & 0x3ff) // a NaN, quiet as its mantissa may have lost its bits
    } else if magnitude >= OVERFLOW {
        0x7c00
    } else if magnitude < LEAST_NORMAL {
        // Floats from 0.5 on lie as far apart as subnormal halves do: the sum rounds to one.
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()
    } else {
        let odd = magnitude >> 13 & 1;
        ((magnitude + 0xfff + odd) >> 13) - ((127 - 15) << 10)
    };
    sign | half as u16
}

/// A finite number that no half is near: its magnitude is 65520 or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooLarge(pub f32);

/// The same where only infinity may become infinity.
pub fn try_to_half(x: f32) -> Result<u16, TooLarge> {
    let half = to_half(x);
    if half & 0x7fff == 0x7c00 && x.is_finite() { Err(TooLarge(x)) } else { Ok(half) }
}

/// The single of the same value as a half.
pub fn from_half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let magnitude = u32::from(bits & 0x7fff);
    // Shifting exponent and mantissa into place leaves an exponent that is 112 too small, which
    // one exact product puts right, for subnormals as well. Infinities and NaN have none.
    let value = if magnitude >= 0x7c00 {
        f32::from_bits(magnitude << 13 | 0x7f80_0000)
    } else {
        f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23)
    };
    f32::from_bits(value.to_bits() | sign)
}

/// Writes the singles of the same values to `singles`, of equal length, four at a time.
///
/// # Panics
///
/// If the lengths differ.
pub fn widen(halves: &[u16], singles: &mut [f32]) {
    assert_eq!(halves.len(), singles.len(), "one single for each half");
    let widen = Widen::new();
    let (vectors, tail) = singles.as_chunks_mut::<LANES>();
    let (half_vectors, half_tail) = halves.as_chunks::<LANES>();
    for (to, from) in vectors.iter_mut().zip(half_vectors) {
        widen.of(from).store(to);
    }
    if !tail.is_empty() {
        let mut padded = [0; LANES];
        padded[..tail.len()].copy_from_slice(half_tail);
        let mut widened = [0.0; LANES];
        widen.of(&padded).store(&mut widened);
        tail.copy_from_slice(&widened[..tail.len()]);
    }
}

/// Constants of widening, in registers: through `black_box` for the reason given in `softmax.rs`.
struct Widen {
    sign_and_magnitude: F32x4,
    rebias: F32x4,
    largest_exponent: F32x4,
    infinity: F32x4,
}

impl Widen {
    #[inline(always)]
    fn new() -> Self {
        let [sign_and_magnitude, rebias, largest_exponent, infinity] = black_box([
            0x8fff_e000_u32, // where sign, exponent and mantissa of a half are to stand
            (127 + 112) << 23,
            0x0f80_0000,
            0x7f80_0000,
        ])
        .map(|bits| F32x4::splat(f32::from_bits(bits)));
        Self { sign_and_magnitude, rebias, largest_exponent, infinity }
    }

    #[inline(always)]
    fn of(&self, halves: &[u16; LANES]) -> F32x4 {
        let shifted = F32x4::load_halves(halves).shl_bits(13).and_bits(self.sign_and_magnitude);
        // As in `from_half`, but what has the largest exponent goes through the product as well.
        let is_special = shifted.and_bits(self.largest_exponent).equal_bits(self.largest_exponent);
        (shifted * self.rebias).or_bits(is_special.and_bits(self.infinity))
    }
}
