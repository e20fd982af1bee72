//! The step of four numbers, for what has relaxed instructions.
//!
//! | | instructions | where it is exact |
//! |-|-|-|
//! | [`Sums::Whole`]  | `i32x4.relaxed_dot_i8x16_i7x16_add_s` | with AVX-VNNI, and with signs (ARM) |
//! | [`Sums::CutOff`] | `i16x8.relaxed_dot_i8x16_i7x16_s`, and pairs of its sums | everywhere, with small weights on x64 |
//!
//! Exact only where the processor's own way is known. x64 takes the second factor without a sign:
//! numbers of a row are kept in 0..=255 there. ARM takes a sign: -128..=127. By pairs x64 cuts sums off
//! at 16 bits, so weights give up a bit there, `2 * 255 * 64 < 2^15`. That costs little, as each stretch
//! of them has a scale of its own; a bit less in the rows would cost several times as much.

use super::matrix::{Panel, Stretch};
use super::rows::QuantizedRows;
use super::{Products, Sums, Tile, add_scaled};
use crate::gemm::PANEL;
use crate::simd::{I8x16, I16x8, I32x4, LANES};
use std::array::from_fn;
use std::hint::black_box;

/// Numbers of a row, and of a column, in a step.
pub(super) const STEP: usize = 4;

/// Whether the second factor has a sign, by pairs.
fn pairs_have_signs() -> bool {
    let [one, high] = black_box([0x0101_0101, i32::from_le_bytes([0x80; 4])]);
    let products = I8x16::splat_four(one).dot_pairs(I8x16::splat_four(high));
    let mut sums = [0; LANES];
    products.dot_pairs(I16x8::splat_pair(0x0001_0001)).store(&mut sums);
    sums[0] < 0
}

/// The same of fours, or none where their sums are not whole: asked by the largest products with a sign
/// and without, which 16 bits cannot hold. (AVX-VNNI-INT8 takes signs here and none by pairs.)
fn fours_have_signs() -> Option<bool> {
    let sum = |x: u8, y: u8| {
        let [x, y] = black_box([x, y]).map(|x| I8x16::splat_four(i32::from_le_bytes([x; 4])));
        let mut sums = [0; LANES];
        x.add_dot_fours(y, I32x4::splat(0)).store(&mut sums);
        sums[0]
    };
    match [sum(127, 255), sum(128, 128)] {
        [129_540, -65_536] => Some(false),
        [-508, 65_536] => Some(true),
        _ => None,
    }
}

/// All that are exact here, the fastest first.
pub(super) fn exact() -> &'static [Sums] {
    match fours_have_signs() {
        None => &[Sums::CutOff],
        Some(signs) if signs == pairs_have_signs() => &[Sums::Whole, Sums::CutOff],
        Some(_) => &[Sums::Whole],
    }
}

/// The largest weight whose sums are exact.
pub(super) fn most_weight(sums: Sums) -> i8 {
    if sums == Sums::CutOff && !pairs_have_signs() { 64 } else { 127 }
}

/// How numbers of a row are kept.
pub(super) struct Form {
    signed: bool,
}

impl Form {
    pub(super) fn here() -> Self {
        Self { signed: fours_have_signs().unwrap_or_else(pairs_have_signs) }
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

/// The tile of each number of rows, from 1 on. Of the registers that V8 has on x64, the largest one
/// takes two for each row, two for the panel and one for numbers of a row; without whole sums one more
/// for products and one for ones. Two panels are for whole sums alone, where vectors are fused (`wide`).
pub(super) fn tiles(sums: Sums, panels: usize) -> &'static [Tile] {
    const fn whole<const PANELS: usize>() -> [Tile; 6] {
        [
            tile::<1, PANELS, true>,
            tile::<2, PANELS, true>,
            tile::<3, PANELS, true>,
            tile::<4, PANELS, true>,
            tile::<5, PANELS, true>,
            tile::<6, PANELS, true>,
        ]
    }
    const ONE: [Tile; 6] = whole::<1>();
    const TWO: [Tile; 6] = whole::<2>();
    const CUT_OFF: [Tile; 4] =
        [tile::<1, 1, false>, tile::<2, 1, false>, tile::<3, 1, false>, tile::<4, 1, false>];
    match (sums, panels) {
        (Sums::CutOff, _) => &CUT_OFF,
        (Sums::Whole, 1) => &ONE,
        (Sums::Whole, _) => &TWO,
    }
}

/// Adds what `ROWS` rows make with `PANELS` panels to `products`.
fn tile<const ROWS: usize, const PANELS: usize, const WHOLE: bool>(
    a: QuantizedRows,
    b: [Panel; 2],
    products: &mut [Products; 2],
) {
    let ones = I16x8::splat_pair(black_box(0x0001_0001));
    let mut first = 0;
    let [left, right] = b.map(Panel::stretches);
    for stretches in left.zip(right).map(<[Stretch; 2]>::from) {
        let count = stretches[0].steps.len();
        let mut totals: [[[I32x4; 2]; ROWS]; PANELS] = from_fn(|panel| {
            let (sums, _) = stretches[panel].weight_sums.as_chunks::<LANES>();
            let sums = [0, 1].map(|half| I32x4::load(&sums[half]));
            from_fn(|row| sums.map(|sum| I32x4::splat(-a.shift(row)) * sum))
        });
        let numbers: [&[i32]; ROWS] = from_fn(|row| &a.numbers(row)[first..][..count]);
        let steps: [_; PANELS] = from_fn(|panel| &stretches[panel].steps[..count]);
        for k in 0..count {
            let columns: [[I8x16; 2]; PANELS] = from_fn(|panel| {
                let (halves, _) = steps[panel][k].as_chunks::<{ 2 * PANEL }>();
                [I8x16::load(&halves[0]), I8x16::load(&halves[1])]
            });
            for row in 0..ROWS {
                let x = I8x16::splat_four(numbers[row][k]);
                for panel in 0..PANELS {
                    for half in 0..2 {
                        let (column, total) = (columns[panel][half], &mut totals[panel][row][half]);
                        *total = if WHOLE {
                            column.add_dot_fours(x, *total)
                        } else {
                            *total + column.dot_pairs(x).dot_pairs(ones)
                        };
                    }
                }
            }
        }
        for panel in 0..PANELS {
            add_scaled(&totals[panel], stretches[panel].scales, &mut products[panel]);
        }
        first += count;
    }
}
