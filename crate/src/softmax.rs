//! The exponential, and the softmax that attention makes of a row of scores.
//!
//! `exp(x) = 2^n * exp(r)` with `n = round(x / ln 2)` and `r = x - n ln 2` in `-0.35..0.35`, where
//! a polynomial of degree 5 is exact to 2e-7 (the coefficients are XNNPACK's
//! `raddstoreexpminusmax rr2-p5`). Adding `1.5 * 2^23 + 127` to `x / ln 2` leaves `n + 127` in the
//! low bits, which shifted left by 23 are the float `2^n`; below -127 that float is exactly 0.

use crate::simd::{F32x4, LANES};
use std::hint::black_box;

/// Constants of the exponential, in registers.
///
/// They come through `black_box`: otherwise V8 builds each of them again in every round of a loop,
/// which doubles its time.
#[derive(Clone, Copy)]
struct Exp {
    log2_e: F32x4,
    magic: F32x4,
    minus_ln2_high: F32x4,
    minus_ln2_low: F32x4,
    c: [F32x4; 5],
    lowest: F32x4,
}

impl Exp {
    #[inline(always)]
    #[allow(clippy::excessive_precision, reason = "the coefficients as they are published")]
    fn new() -> Self {
        let constants = black_box([
            std::f32::consts::LOG2_E,
            12_583_039.0,    // 1.5 * 2^23 + 127
            -0.693_145_75,   // ln 2, its upper 16 bits
            -1.428_606_8e-6, // ln 2, the rest
            0.999_999_7,     // c1
            0.499_991_5,     // c2
            0.166_676_52,    // c3
            0.041_897_822,   // c4
            0.008_289_29,    // c5
            -88.1,           // exp is 0 from here on
        ]);
        let [log2_e, magic, minus_ln2_high, minus_ln2_low, c1, c2, c3, c4, c5, lowest] =
            constants.map(F32x4::splat);
        Self { log2_e, magic, minus_ln2_high, minus_ln2_low, c: [c1, c2, c3, c4, c5], lowest }
    }

    /// `exp(x)` for `x <= 0`; exactly 0 for `x` below -88, `-inf` included.
    #[inline(always)]
    fn of(&self, x: F32x4) -> F32x4 {
        let x = x.max(self.lowest);
        let shifted = x.mul_add(self.log2_e, self.magic);
        let power = shifted.shl_bits(23);
        let n = shifted - self.magic;
        let r = n.mul_add(self.minus_ln2_high, x);
        let r = n.mul_add(self.minus_ln2_low, r);
        let [c1, c2, c3, c4, c5] = self.c;
        let p = c5.mul_add(r, c4).mul_add(r, c3).mul_add(r, c2).mul_add(r, c1);
        (r * power).mul_add(p, power)
    }
}

/// The largest element, or `-inf` of none.
pub fn largest(row: &[f32]) -> f32 {
    let (vectors, tail) = row.as_chunks::<LANES>();
    let mut max = F32x4::splat(f32::NEG_INFINITY);
    for vector in vectors {
        max = max.max(F32x4::load(vector));
    }
    tail.iter().fold(max.largest(), |max, &x| if x > max { x } else { max })
}

/// Replaces every score by `exp(score - max)` and returns the sum of the results.
///
/// `max` must be at least the largest score: nothing can overflow then.
pub fn exp_and_sum(row: &mut [f32], max: f32) -> f32 {
    let exp = Exp::new();
    let max = F32x4::splat(max);
    let (pairs, rest) = row.as_chunks_mut::<{ 2 * LANES }>();
    let mut sums = [F32x4::splat(0.0); 2];
    for pair in pairs {
        let (halves, _) = pair.as_chunks_mut::<LANES>();
        for (half, sum) in halves.iter_mut().zip(&mut sums) {
            let weight = exp.of(F32x4::load(half) - max);
            weight.store(half);
            *sum = *sum + weight;
        }
    }
    let mut total = (sums[0] + sums[1]).sum();
    for part in rest.chunks_mut(LANES) {
        let mut padded = [f32::NEG_INFINITY; LANES];
        padded[..part.len()].copy_from_slice(part);
        let weight = exp.of(F32x4::load(&padded) - max);
        weight.store(&mut padded);
        part.copy_from_slice(&padded[..part.len()]);
        total += weight.sum();
    }
    total
}
