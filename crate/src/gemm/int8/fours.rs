//! The step of four numbers, by `i16x8.relaxed_dot_i8x16_i7x16_s`: pairs of 8-bit products, added up
//! in 16 bits, and pairs of those in 32.
//!
//! It is exact only where the processor's own way is known. x64 takes the second factor without a
//! sign and cuts sums off at 16 bits: numbers of a row are kept in 0..=255 there, and weights give
//! up a bit, `2 * 255 * 64 < 2^15`. ARM takes a sign: numbers are kept in -128..=127, and weights
//! keep theirs. A bit less in the weights costs little, as each stretch of them has a scale of its
//! own; a bit less in the rows would cost several times as much.

use super::matrix::{Panel, Stretch};
use super::rows::QuantizedRows;
use super::{Products, add_scaled};
use crate::gemm::PANEL;
use crate::simd::{I8x16, I16x8, I32x4, LANES};
use std::array::from_fn;
use std::hint::black_box;

/// Numbers of a row, and of a column, in a step.
pub(super) const STEP: usize = 4;

/// Numbers of a column that share a scale. Fewer would be nearer, but sums become floats once a
/// stretch, and at 128 seven bits are nearly as near as eight bits of a whole column
/// (`test/dtype.minilm.test.ts`).
pub const STRETCH: usize = 128;

/// Whether the second factor of a product has a sign here.
fn is_signed() -> bool {
    let [one, high] = black_box([0x0101_0101, i32::from_le_bytes([0x80; 4])]);
    let products = I8x16::splat_four(one).dot_pairs(I8x16::splat_four(high));
    let mut sums = [0; LANES];
    products.dot_pairs(I16x8::splat_pair(0x0001_0001)).store(&mut sums);
    sums[0] < 0
}

/// The largest weight whose sums are exact.
pub fn most_weight() -> i8 {
    if is_signed() { 127 } else { 64 }
}

/// How numbers of a row are kept.
pub(super) struct Form {
    signed: bool,
}

impl Form {
    pub(super) fn here() -> Self {
        Self { signed: is_signed() }
    }

    /// What lifts `-zero` to the least number there is.
    pub(super) fn shift(&self, zero: f32) -> f32 {
        if self.signed { zero - 128.0 } else { zero }
    }

    #[inline(always)]
    pub(super) fn store(&self, numbers: I16x8, to: &mut [i32; 2]) {
        *to = if self.signed { I8x16::signed_fours(numbers) } else { I8x16::fours(numbers) };
    }
}

/// Adds what `ROWS` rows make with a panel to `products`.
pub(super) fn tile<const ROWS: usize>(a: QuantizedRows, b: Panel, products: &mut Products) {
    let ones = I16x8::splat_pair(black_box(0x0001_0001));
    for (i, Stretch { steps, scales, sums }) in b.stretches().enumerate() {
        let (sums, _) = sums.as_chunks::<LANES>();
        let mut totals: [[I32x4; 2]; ROWS] = from_fn(|row| {
            let shift = I32x4::splat(-a.shift(row));
            [0, 1].map(|half| shift * I32x4::load(&sums[half]))
        });
        let first = i * (STRETCH / STEP);
        let a: [&[i32]; ROWS] = from_fn(|row| &a.numbers(row)[first..][..steps.len()]);
        for (k, step) in steps.iter().enumerate() {
            let (halves, _) = step.as_chunks::<{ 2 * PANEL }>();
            let [b0, b1] = [I8x16::load(&halves[0]), I8x16::load(&halves[1])];
            for row in 0..ROWS {
                let x = I8x16::splat_four(a[row][k]);
                totals[row][0] = totals[row][0] + b0.dot_pairs(x).dot_pairs(ones);
                totals[row][1] = totals[row][1] + b1.dot_pairs(x).dot_pairs(ones);
            }
        }
        add_scaled(totals, scales, products);
    }
}
