//! The softmax that attention makes of a row of scores, in powers of two.
//!
//! Scores come multiplied by `log2 e` (`Heads::score_scale`): `exp(x) = 2^(x log2 e)`, and a factor
//! that goes into the queries costs nothing here. `2^x = 2^n * 2^r` with `n = round(x)` and
//! `r = x - n` in `-0.5..0.5`, where a polynomial of degree 5 is exact to 2e-7 (the coefficients of
//! XNNPACK's `raddstoreexpminusmax rr2-p5`, whose argument is `r ln 2`). Adding `1.5 * 2^23 + 127`
//! to `x` leaves `n + 127` in the low bits, which shifted left by 23 are the float `2^n`; at -127
//! that float is exactly 0.

use crate::simd::{F32x4, LANES};
use std::hint::black_box;

/// Constants of the power of two, in registers.
///
/// They come through `black_box`: otherwise V8 builds each of them again in every round of a loop,
/// which doubles its time.
#[derive(Clone, Copy)]
struct Exp2 {
    magic: F32x4,
    c: [F32x4; 5],
    lowest: F32x4,
}

impl Exp2 {
    #[inline(always)]
    #[allow(clippy::excessive_precision, reason = "the coefficients as they are published")]
    fn new() -> Self {
        const LN_2: f32 = std::f32::consts::LN_2;
        let constants = black_box([
            12_583_039.0, // 1.5 * 2^23 + 127
            0.999_999_7 * LN_2,
            0.499_991_5 * LN_2 * LN_2,
            0.166_676_52 * LN_2 * LN_2 * LN_2,
            0.041_897_822 * LN_2 * LN_2 * LN_2 * LN_2,
            0.008_289_29 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2,
            -127.0, // the power is 0 from here on
        ]);
        let [magic, c1, c2, c3, c4, c5, lowest] = constants.map(F32x4::splat);
        Self { magic, c: [c1, c2, c3, c4, c5], lowest }
    }

    /// `2^x` for `x <= 0`; exactly 0 for `x` below -126.5, `-inf` included.
    #[inline(always)]
    fn of(&self, x: F32x4) -> F32x4 {
        let x = x.max(self.lowest);
        let shifted = x + self.magic;
        let power = shifted.shl_bits(23);
        let r = x - (shifted - self.magic);
        let [c1, c2, c3, c4, c5] = self.c;
        let p = c5.mul_add(r, c4).mul_add(r, c3).mul_add(r, c2).mul_add(r, c1);
        (r * power).mul_add(p, power)
    }

    /// As [`exp2_and_sum`].
    #[inline(always)]
    fn and_sum(&self, row: &mut [f32], max: f32) -> f32 {
        let max = F32x4::splat(max);
        let (pairs, rest) = row.as_chunks_mut::<{ 2 * LANES }>();
        let mut sums = [F32x4::splat(0.0); 2];
        for pair in pairs {
            let (halves, _) = pair.as_chunks_mut::<LANES>();
            for (half, sum) in halves.iter_mut().zip(&mut sums) {
                let weight = self.of(F32x4::load(half) - max);
                weight.store(half);
                *sum = *sum + weight;
            }
        }
        let mut total = (sums[0] + sums[1]).sum();
        for x in rest {
            *x = self.of(F32x4::splat(*x) - max).first();
            total += *x;
        }
        total
    }
}

/// The largest element, or `-inf` of none.
pub fn largest(row: &[f32]) -> f32 {
    // Four at once: one maximum takes four cycles until the next can use it.
    let (groups, rest) = row.as_chunks::<{ 4 * LANES }>();
    let mut maxima = [F32x4::splat(f32::NEG_INFINITY); 4];
    for group in groups {
        let (vectors, _) = group.as_chunks::<LANES>();
        for (max, vector) in maxima.iter_mut().zip(vectors) {
            *max = max.max(F32x4::load(vector));
        }
    }
    let (vectors, tail) = rest.as_chunks::<LANES>();
    let [a, b, c, d] = maxima;
    let max = vectors.iter().fold(a.max(b).max(c.max(d)), |max, x| max.max(F32x4::load(x)));
    tail.iter().fold(max.largest(), |max, &x| if x > max { x } else { max })
}

/// Replaces every score by `2^(score - max)` and returns the sum of the results.
///
/// `max` must be at least the largest score: nothing can overflow then.
pub fn exp2_and_sum(row: &mut [f32], max: f32) -> f32 {
    Exp2::new().and_sum(row, max)
}

/// Turns scores that lie in two places into weights, each by the largest of both, and returns the
/// sum of all. A NaN among the scores, or nothing but infinities, gives NaN.
///
/// Out of line: inside of its caller the constants would be spilled.
#[inline(never)]
pub fn exp2_and_sum_of_two(first: &mut [f32], second: &mut [f32]) -> f32 {
    let max = largest(first).max(largest(second));
    let exp2 = Exp2::new();
    exp2.and_sum(first, max) + exp2.and_sum(second, max)
}
