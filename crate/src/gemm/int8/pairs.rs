//! The step of two numbers, for what has no more than the plain 128-bit instructions:
//! `i32x4.dot_i16x8_s`, two products of 16 bits and their sum.

use super::matrix::{Panel, Stretch};
use super::rows::QuantizedRows;
use super::{Products, add_scaled};
use crate::gemm::PANEL;
use crate::simd::{I16x8, I32x4};
use std::array::from_fn;

/// Numbers of a row, and of a column, in a step.
pub(super) const STEP: usize = 2;

/// Numbers of a column that share a scale: all, up to where sums would leave 32 bits. Eight bits are
/// enough for a whole column, and the V8 of Node 20 pays for shorter loops.
pub const STRETCH: usize = 1 << 16;

/// Weights keep all 8 bits.
pub fn most_weight() -> i8 {
    127
}

/// How numbers of a row are kept: as they are, 9 bits of 16.
pub(super) struct Form;

impl Form {
    pub(super) fn here() -> Self {
        Self
    }

    pub(super) fn shift(&self, _zero: f32) -> f32 {
        0.0
    }

    #[inline(always)]
    pub(super) fn store(&self, numbers: I16x8, to: &mut [i32; 4]) {
        numbers.store_pairs(to);
    }
}

/// Adds what `ROWS` rows make with a panel to `products`.
pub(super) fn tile<const ROWS: usize>(a: QuantizedRows, b: Panel, products: &mut Products) {
    for (i, Stretch { steps, scales, .. }) in b.stretches().enumerate() {
        let mut totals = [[I32x4::splat(0); 2]; ROWS];
        let first = i * (STRETCH / STEP);
        let a: [&[i32]; ROWS] = from_fn(|row| &a.numbers(row)[first..][..steps.len()]);
        for (k, step) in steps.iter().enumerate() {
            let (halves, _) = step.as_chunks::<PANEL>();
            let [b0, b1] = [I16x8::widen(&halves[0]), I16x8::widen(&halves[1])];
            for row in 0..ROWS {
                let x = I16x8::splat_pair(a[row][k]);
                totals[row][0] = totals[row][0] + x.dot_pairs(b0);
                totals[row][1] = totals[row][1] + x.dot_pairs(b1);
            }
        }
        add_scaled(totals, scales, products);
    }
}
