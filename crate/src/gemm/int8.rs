//! The product with a right matrix of 8-bit numbers, its sums in whole numbers.
//!
//! ```text
//! a[k] ≈ row_scale * q[k]       q in -zero..=255 - zero: 256 steps from the row's least number
//!                               to its largest, 0 among them
//! b[k] ≈ col_scale * w[k]       w in -127..=127
//! c    = start + row_scale * col_scale * Σ q[k] w[k]
//! ```
//!
//! A row of `A` is a token: it is quantised when it comes, by its own range, which need not be
//! even about 0 (behind a GELU it is not). A column of `B` is an output feature: it was quantised
//! when it was packed. `q` is kept as the difference from its zero point, 9 bits of 16, so that no
//! sum needs a correction.
//!
//! The step is `i32x4.dot_i16x8_s`: two products of 16 bits and their sum, exact as long as a row
//! has no more than [`MAX_DEPTH`] numbers. So the sums are the same in every build and order.

use super::{Output, PANEL, Rows, Shape, Start};
use crate::simd::{F32x4, I16x8, I32x4, LANES, ROUNDING, copy, load_pair, store_rounded_pairs};
use std::hint::black_box;

/// The deepest product whose sums fit 32 bits.
pub const MAX_DEPTH: usize = i32::MAX as usize / (255 * 127);

/// The right matrix: panels `[depth / 2][8][2]` without gaps, `depth` rounded up to pairs, and the
/// scale of each column. The columns of the last panel are all there.
#[derive(Clone, Copy)]
pub struct Int8Panels<'a> {
    /// From the first element of the first panel on.
    pub data: &'a [i8],
    /// One for each column.
    pub scales: &'a [f32],
}

/// The left matrix where it is at hand already: rows of [`quantize_row`] whose beginnings are
/// `stride` apart.
#[derive(Clone, Copy)]
pub struct QuantizedRows<'a> {
    /// From the first element of the first row on.
    pub data: &'a [i32],
    /// Distance of neighbouring rows.
    pub stride: usize,
}

/// Elements of a quantised row: its scale, then pairs of numbers.
pub fn quantized_row_len(depth: usize) -> usize {
    1 + depth.div_ceil(2).next_multiple_of(LANES)
}

/// Elements of a panel.
pub fn int8_panel_len(depth: usize) -> usize {
    depth.next_multiple_of(2) * PANEL
}

/// Quantises one column of `B` into its panel. A column with a NaN or an infinity gives NaN in
/// every product.
pub fn pack_int8_column(panels: &mut [i8], scales: &mut [f32], col: usize, column: &[f32]) {
    let panel_len = int8_panel_len(column.len());
    let most = column.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    let poison: f32 = column.iter().map(|x| x * 0.0).sum(); // 0 or NaN, of which `max` knows nothing
    let scale = most / 127.0 + poison;
    let inverse = inverse_of(scale);
    scales[col] = scale;
    let (pairs, _) = panels[col / PANEL * panel_len..][..panel_len].as_chunks_mut::<2>();
    for (pair, x) in pairs[col % PANEL..].iter_mut().step_by(PANEL).zip(column.chunks(2)) {
        for (weight, x) in pair.iter_mut().zip(x) {
            *weight = (x * inverse).round_ties_even() as i8;
        }
    }
}

/// Writes panel `panel` as floats, `[depth][8]`, to `floats`.
pub fn dequantize_panel(panels: Int8Panels, panel: usize, floats: &mut [f32]) {
    let depth = floats.len() / PANEL;
    let scales = &panels.scales[panel * PANEL..][..PANEL];
    let data = &panels.data[panel * int8_panel_len(depth)..][..int8_panel_len(depth)];
    for (k, row) in floats.chunks_exact_mut(PANEL).enumerate() {
        let pairs = &data[k / 2 * 2 * PANEL..][..2 * PANEL];
        for (col, x) in row.iter_mut().enumerate() {
            *x = scales[col] * f32::from(pairs[2 * col + k % 2]);
        }
    }
}

/// `C = start + A · B` with both quantised.
///
/// # Panics
///
/// If a matrix is too short for `shape`.
pub fn multiply_int8(shape: Shape, a: Rows, b: Int8Panels, start: Start, c: Output) {
    let Shape { rows, depth, .. } = shape;
    let stride = quantized_row_len(depth);
    let mut data = vec![0; rows * stride];
    for (row, to) in data.chunks_exact_mut(stride).enumerate() {
        quantize_row(&a.data[row * a.stride..][..depth], to);
    }
    multiply_quantized(shape, QuantizedRows { data: &data, stride }, b, start, c);
}

/// `C = start + A · B` with both quantised already.
///
/// # Panics
///
/// If a matrix is too short for `shape`.
pub fn multiply_quantized(shape: Shape, a: QuantizedRows, b: Int8Panels, start: Start, c: Output) {
    let Shape { rows, depth, cols } = shape;
    for first_col in (0..cols).step_by(PANEL) {
        let panel = first_col / PANEL;
        let width = (cols - first_col).min(PANEL);
        let b_panel = &b.data[panel * int8_panel_len(depth)..][..int8_panel_len(depth)];
        let (b_panel, _) = b_panel.as_chunks::<{ 2 * PANEL }>();
        let col_scales = load_pair(&b.scales[first_col..]);
        let start = start.at_column(first_col);
        let c_panel = &mut c.data[panel * c.panel_stride..];
        for first_row in (0..rows).step_by(INT8_TILE_ROWS) {
            let count = (rows - first_row).min(INT8_TILE_ROWS);
            let mut sums = [[0; PANEL]; INT8_TILE_ROWS];
            TILES[count - 1](&a.data[first_row * a.stride + 1..], a.stride, b_panel, &mut sums);
            for (row, sums) in (first_row..).zip(&sums[..count]) {
                let to = &mut c_panel[row * c.row_stride..][..width];
                let mut whole = [0.0; PANEL];
                match start {
                    Start::Zero => {}
                    Start::Bias(bias) => copy(&bias[..PANEL], &mut whole),
                    Start::Accumulate => copy(to, &mut whole[..width]),
                }
                let row_scale = F32x4::splat(f32::from_bits(a.data[row * a.stride] as u32));
                let (whole_halves, _) = whole.as_chunks_mut::<LANES>();
                let (sums, _) = sums.as_chunks::<LANES>();
                for (i, half) in whole_halves.iter_mut().enumerate() {
                    let scale = row_scale * col_scales[i];
                    (F32x4::load(half) + scale * I32x4::load(&sums[i]).to_floats()).store(half);
                }
                copy(&whole[..width], to);
            }
        }
    }
}

/// Quantises a row of `A`: the bits of its scale, then pairs of 16-bit numbers. The scale is NaN if
/// there is a NaN or an infinity among them.
///
/// # Panics
///
/// If `quantized` is shorter than [`quantized_row_len`] says.
pub fn quantize_row(row: &[f32], quantized: &mut [i32]) {
    let (eights, tail) = row.as_chunks::<{ 2 * LANES }>();
    // Zeros change no range that has 0 in it.
    let mut last = [0.0; 2 * LANES];
    last[..tail.len()].copy_from_slice(tail);

    let zero = F32x4::splat(0.0);
    let (mut least, mut most, mut poison) = (zero, zero, zero);
    let mut see = |eight: &[f32; 2 * LANES]| {
        for x in load_pair(eight) {
            least = least.min(x);
            most = most.max(x);
            poison = poison + x * zero; // 0 or NaN, of which `min` and `max` know nothing
        }
    };
    eights.iter().for_each(&mut see);
    see(&last);
    let (least, most) = (least.smallest(), most.largest());
    // Divided before they are subtracted: the difference may be too large for a float.
    let scale = most / 255.0 - least / 255.0 + poison.sum();
    let inverse = inverse_of(scale);

    // Both ends may round outwards, and lie 256 steps apart then.
    let top = F32x4::splat(255.0 - (-least * inverse).round_ties_even());
    let factor = F32x4::splat(inverse);
    let rounding = F32x4::splat(black_box(ROUNDING));
    let (fours, _) = quantized[1..quantized_row_len(row.len())].as_chunks_mut::<LANES>();
    let store = |eight: &[f32; 2 * LANES], to: &mut [i32; LANES]| {
        let quantized = load_pair(eight).map(|x| (x * factor).min(top));
        store_rounded_pairs(quantized, rounding, to);
    };
    for (eight, to) in eights.iter().zip(fours.iter_mut()) {
        store(eight, to);
    }
    if let Some(to) = fours.get_mut(eights.len()) {
        store(&last, to);
    }
    quantized[0] = scale.to_bits() as i32;
}

/// `1 / scale`, or 0 for a scale so small that its inverse is no float: such numbers count as 0.
fn inverse_of(scale: f32) -> f32 {
    if scale < f32::MIN_POSITIVE { 0.0 } else { 1.0 / scale }
}

/// Rows of the largest tile: 8 sums, 2 vectors of the panel, 1 of the row and 1 of products, with
/// room to spare for V8.
const INT8_TILE_ROWS: usize = 4;

type Tile = fn(a: &[i32], stride: usize, b: &[[i8; 2 * PANEL]], sums: &mut Sums);
type Sums = [[i32; PANEL]; INT8_TILE_ROWS];

/// The tile of each number of rows, from 1 on. By pointer: wasm-opt puts a function that is called
/// in one place there, and V8 would run a whole first product unoptimised (`tile.rs`).
const TILES: [Tile; INT8_TILE_ROWS] = [tile::<1>, tile::<2>, tile::<3>, tile::<4>];

/// The sums of `ROWS` rows, `stride` pairs apart, with one panel.
fn tile<const ROWS: usize>(a: &[i32], stride: usize, b: &[[i8; 2 * PANEL]], sums: &mut Sums) {
    let mut totals = [[I32x4::zero(); 2]; ROWS];
    let a: [&[i32]; ROWS] = std::array::from_fn(|row| &a[row * stride..][..b.len()]);
    for (k, b) in b.iter().enumerate() {
        let (halves, _) = b.as_chunks::<PANEL>();
        let [b0, b1] = [I16x8::widen(&halves[0]), I16x8::widen(&halves[1])];
        for row in 0..ROWS {
            let x = I16x8::splat_pair(a[row][k]);
            totals[row][0] = totals[row][0] + x.dot_pairs(b0);
            totals[row][1] = totals[row][1] + x.dot_pairs(b1);
        }
    }
    for (totals, sums) in totals.iter().zip(sums) {
        let (halves, _) = sums.as_chunks_mut::<LANES>();
        totals[0].store(&mut halves[0]);
        totals[1].store(&mut halves[1]);
    }
}
