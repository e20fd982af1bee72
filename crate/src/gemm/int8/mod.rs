//! The product with a right matrix of 8-bit numbers, its sums in whole numbers.
//!
//! ```text
//! a[k] ≈ row_scale * q[k]               q in -zero..=255 - zero: 256 steps from the row's least
//!                                       number to its largest, 0 among them
//! b[k] ≈ col_scale[s] * w[k]            w in -most..=most, s the stretch of k
//! c    = bias + row_scale * Σ col_scale[s] * Σ q[k] w[k]      over stretches s, and all k in s
//! ```
//!
//! A row of `A` is a token: it is quantised when it comes, by its own range, which need not be
//! even about 0 (behind a GELU it is not). A column of `B` is an output feature: it was quantised
//! when it was packed, each stretch of it by its own range.
//!
//! A step multiplies a few numbers of a row with as many of each column and adds them up: two
//! (`pairs`) or four (`fours`), as the instructions are. They say how far from `q` a number of a row
//! is kept, `Σ q w = Σ (q + shift) w - shift Σ w`, and, by [`Sums`], how large a weight may be. The
//! sum of a stretch is exact either way.

mod matrix;
mod rows;
#[cfg_attr(
    all(target_feature = "simd128", not(target_feature = "relaxed-simd")),
    path = "pairs.rs"
)]
#[cfg_attr(
    not(all(target_feature = "simd128", not(target_feature = "relaxed-simd"))),
    path = "fours.rs"
)]
mod step;

pub use matrix::{Int8Matrix, Int8Panels};
pub use rows::{QuantizedRows, quantize_row, quantize_symmetric, quantized_row_len};

use super::{Output, PANEL, Rows, Shape, wide};
use crate::simd::{F32x4, I32x4, copy, load_pair, store_pair};
use matrix::Panel;

/// How the sums of a step are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// By pairs, which x64 cuts off at 16 bits: weights are small enough for that there. A scale for
    /// each stretch of a column makes up for it. Fewer in a stretch would be nearer, but sums become
    /// floats once a stretch, and at 128 seven bits are nearly as near as eight bits of a whole column
    /// (`test/dtype.minilm.test.ts`).
    CutOff,
    /// In 32 bits: weights have all 8 bits, and a column has one scale, up to where sums would leave
    /// 32 bits.
    Whole,
}

impl Sums {
    /// The fastest that are exact here.
    pub fn here() -> Self {
        Self::exact()[0]
    }

    /// All that are exact here, the fastest first.
    pub fn exact() -> &'static [Self] {
        step::exact()
    }

    /// Numbers of a column that share a scale.
    pub fn stretch(self) -> usize {
        match self {
            Self::CutOff => 128,
            Self::Whole => 1 << 16,
        }
    }

    /// The largest weight whose sums are exact.
    pub fn most_weight(self) -> i8 {
        step::most_weight(self)
    }
}

/// `C = bias + A · B` with both quantised; `bias` is at least `padded(cols)` long.
///
/// # Panics
///
/// If a matrix is too short for `shape`.
pub fn multiply_int8(shape: Shape, a: Rows, b: Int8Panels, bias: &[f32], c: Output) {
    let Shape { rows, depth, .. } = shape;
    let stride = quantized_row_len(depth);
    let mut data = vec![0; rows * stride];
    for (row, to) in data.chunks_exact_mut(stride).enumerate() {
        quantize_row(&a.data[row * a.stride..][..depth], to);
    }
    multiply_quantized(shape, QuantizedRows { data: &data, stride }, b, bias, c);
}

/// `C = bias + A · B` with both quantised already.
///
/// # Panics
///
/// If a matrix is too short for `shape`, or `B` is not as deep.
pub fn multiply_quantized(shape: Shape, a: QuantizedRows, b: Int8Panels, bias: &[f32], c: Output) {
    let Shape { rows, depth, cols } = shape;
    assert_eq!(depth, b.depth(), "the matrices must fit");
    let most_panels = if b.sums() == Sums::Whole { wide::panels_at_a_time() } else { 1 };
    let mut first_col = 0;
    while first_col < cols {
        let first_panel = first_col / PANEL;
        // The last panel has all of its columns here, and may be the second of two.
        let panels = (cols - first_col).div_ceil(PANEL).min(most_panels);
        let tiles = step::tiles(b.sums(), panels);
        let b_panels = [0, panels - 1].map(|panel| b.panel(first_panel + panel));
        for first_row in (0..rows).step_by(tiles.len()) {
            let count = (rows - first_row).min(tiles.len());
            let mut products = [[[0.0; PANEL]; MOST_ROWS]; 2];
            tiles[count - 1](a.after(first_row), b_panels, &mut products);
            for (panel, products) in products[..panels].iter().enumerate() {
                let first_col = first_col + panel * PANEL;
                let width = (cols - first_col).min(PANEL);
                let bias = load_pair(&bias[first_col..]);
                let c_panel = &mut c.data[(first_panel + panel) * c.panel_stride..];
                for (row, product) in (first_row..).zip(&products[..count]) {
                    let to = &mut c_panel[row * c.row_stride..][..width];
                    let scale = F32x4::splat(a.scale(row));
                    let product = load_pair(product);
                    let values = [0, 1].map(|i| bias[i] + scale * product[i]);
                    if let Some(to) = to.first_chunk_mut::<PANEL>() {
                        store_pair(values, to);
                    } else {
                        let mut whole = [0.0; PANEL];
                        store_pair(values, &mut whole);
                        copy(&whole[..width], to);
                    }
                }
            }
        }
        first_col += panels * PANEL;
    }
}

/// Rows of the largest tile.
const MOST_ROWS: usize = 6;

/// Adds to products what rows and one panel of whole numbers make, or two, in units of the rows'
/// scales. By pointer: wasm-opt puts a function that is called in one place there, and V8 would run a
/// whole first product unoptimised (`tile.rs`).
type Tile = fn(a: QuantizedRows, b: [Panel; 2], products: &mut [Products; 2]);
type Products = [[f32; PANEL]; MOST_ROWS];

/// Adds the sums of a stretch, which has a scale for each column. In memory: there are as many
/// products as sums, and V8 has registers for one of them.
#[inline(always)]
fn add_scaled<const ROWS: usize>(
    sums: &[[I32x4; 2]; ROWS],
    scales: &[f32; PANEL],
    products: &mut Products,
) {
    let scales = load_pair(scales);
    for (sums, products) in sums.iter().zip(products) {
        let before = load_pair(products);
        store_pair([0, 1].map(|i| before[i] + scales[i] * sums[i].to_floats()), products);
    }
}
