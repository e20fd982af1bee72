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
//! (`pairs`) or four (`fours`), as the instructions are. They say how large a weight may be, and
//! how far from `q` a number of a row is kept: `Σ q w = Σ (q + shift) w - shift Σ w`. The sum of a
//! stretch is exact either way.

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
pub use step::{STRETCH, most_weight};

use super::{Output, PANEL, Rows, Shape};
use crate::simd::{F32x4, I32x4, copy, load_pair, store_pair};
use matrix::Panel;
use step::tile;

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
    for first_col in (0..cols).step_by(PANEL) {
        let panel = first_col / PANEL;
        let width = (cols - first_col).min(PANEL);
        let b_panel = b.panel(panel);
        let bias = load_pair(&bias[first_col..]);
        let c_panel = &mut c.data[panel * c.panel_stride..];
        for first_row in (0..rows).step_by(TILE_ROWS) {
            let count = (rows - first_row).min(TILE_ROWS);
            let mut products = [[0.0; PANEL]; TILE_ROWS];
            TILES[count - 1](a.after(first_row), b_panel, &mut products);
            for (row, product) in (first_row..).zip(&products[..count]) {
                let to = &mut c_panel[row * c.row_stride..][..width];
                let scale = F32x4::splat(a.scale(row));
                let products = load_pair(product);
                let values = [0, 1].map(|i| bias[i] + scale * products[i]);
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
}

/// Rows of the largest tile: 8 sums, 2 vectors of the panel, 1 of the row and 2 of products, with
/// room to spare for V8.
const TILE_ROWS: usize = 4;

/// Adds to products what a row and a column of whole numbers make, in units of the row's scale.
type Tile = fn(a: QuantizedRows, b: Panel, products: &mut Products);
type Products = [[f32; PANEL]; TILE_ROWS];

/// The tile of each number of rows, from 1 on. By pointer: wasm-opt puts a function that is called
/// in one place there, and V8 would run a whole first product unoptimised (`tile.rs`).
const TILES: [Tile; TILE_ROWS] = [tile::<1>, tile::<2>, tile::<3>, tile::<4>];

/// Adds the sums of a stretch, which has a scale for each column. In memory: there are as many
/// products as sums, and V8 has registers for one of them.
#[inline(always)]
fn add_scaled<const ROWS: usize>(
    sums: [[I32x4; 2]; ROWS],
    scales: &[f32; PANEL],
    products: &mut Products,
) {
    let scales = load_pair(scales);
    for (sums, products) in sums.iter().zip(products) {
        let before = load_pair(products);
        store_pair([0, 1].map(|i| before[i] + scales[i] * sums[i].to_floats()), products);
    }
}
