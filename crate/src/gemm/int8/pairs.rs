//! The step of two numbers, for what has no more than the plain 128-bit instructions:
//! `i32x4.dot_i16x8_s`, two products of 16 bits and their sum.

use super::matrix::{Panel, Stretch};
use super::rows::QuantizedRows;
use super::{Products, Sums, Tile, add_scaled};
use crate::gemm::PANEL;
use crate::simd::{I16x8, I32x4};
use std::array::from_fn;

/// Numbers of a row, and of a column, in a step.
pub(super) const STEP: usize = 2;

/// Sums have 32 bits from the beginning.
pub(super) fn exact() -> &'static [Sums] {
    &[Sums::Whole]
}

/// Weights keep all 8 bits.
pub(super) fn most_weight(_: Sums) -> i8 {
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

/// The tile of each number of rows, from 1 on: more than four spill. There is one kind of sums, and
/// nothing fuses vectors.
pub(super) fn tiles(_: Sums, _panels: usize) -> &'static [Tile] {
    const TILES: [Tile; 4] = [tile::<1>, tile::<2>, tile::<3>, tile::<4>];
    &TILES
}

/// Adds what `ROWS` rows make with a panel to `products`.
fn tile<const ROWS: usize>(a: QuantizedRows, [b, _]: [Panel; 2], products: &mut [Products; 2]) {
    let mut first = 0;
    for Stretch { steps, scales, .. } in b.stretches() {
        let mut totals = [[I32x4::splat(0); 2]; ROWS];
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
        add_scaled(&totals, scales, &mut products[0]);
        first += steps.len();
    }
}
