//! Whether two panels at a time are faster here, and whether everything comes out as it should where
//! V8 fuses vectors: tried when an engine starts that was asked for it.

use crate::gelu::gelu;
use crate::gemm::{
    Int8Matrix, Output, PANEL, Panels, Rows, Shape, Start, Sums, TILE_ROWS, multiply,
    multiply_half, multiply_int8, multiply_transposed, pack_columns, pack_half_column, wide,
    write_columns,
};
use crate::layer_norm::LayerNorm;
use crate::memory::{try_filled, try_zeros};
use crate::simd::{add_assign, scale};
use crate::softmax::{Scores, exp2_and_sum_of_columns, exp2_and_sum_of_two};
use wasm_bindgen::prelude::*;

/// Tiles of every kind, whole pairs of panels and one more, of a depth that stays in the first-level
/// cache.
const SHAPE: Shape = Shape { rows: 18, depth: 128, cols: 40 };

/// Features of a context: tiles of 6 columns and of 4.
const ATTENDED: usize = 16;

/// Kernels over the same numbers again and again.
#[wasm_bindgen]
pub struct WideTrial {
    a: Vec<f32>,
    b: Vec<f32>,
    halves: Vec<u16>,
    int8: Int8Matrix,
    norm: LayerNorm,
    output: Vec<f32>,
}

#[wasm_bindgen]
impl WideTrial {
    #[allow(missing_docs, reason = "the numbers to compute with")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> super::Result<WideTrial> {
        let Shape { rows, depth, cols } = SHAPE;
        let mut int8 = Int8Matrix::try_new(Sums::here(), depth, cols)?;
        let mut halves = try_filled(depth * cols, 0)?;
        for (col, column) in numbers(depth * cols, 3).chunks_exact(depth).enumerate() {
            int8.write_column(col, column);
            pack_half_column(&mut halves, depth, col, column)?;
        }
        let (a, b) = (numbers(rows * depth, 1), numbers(depth * cols, 2));
        let norm = LayerNorm::new(depth, 1e-5);
        Ok(Self { a, b, halves, int8, norm, output: try_zeros(rows * cols)? })
    }

    /// The product, `times` times, over two panels at a time or over one. Returns a hash of it, the
    /// same one either way.
    pub fn product(&mut self, two: bool, times: usize) -> u32 {
        wide::set(two);
        for _ in 0..times {
            self.multiply(SHAPE.rows);
        }
        hash(0, &self.output)
    }

    /// All that kernels of a model are made of, `times` times. Returns a hash of the last results.
    pub fn others(&mut self, times: usize) -> u32 {
        let Shape { rows, depth, cols } = SHAPE;
        let zeros = [0.0; SHAPE.cols];
        let mut seen = 0;
        for _ in 0..times {
            seen = 0;
            for count in 1..=TILE_ROWS {
                self.multiply(count);
                seen = hash(seen, &self.output[..count * cols]);
                let Self { a, int8, output, .. } = self;
                let (shape, a) = (Shape { rows: count, ..SHAPE }, Rows { data: a, stride: depth });
                multiply_int8(shape, a, int8.from_column(0), &zeros, plain(output));
                seen = hash(seen, &output[..count * cols]);
            }
            let Self { a, b, halves, int8, norm, output } = self;
            let a_rows = Rows { data: a, stride: depth };
            multiply_half(SHAPE, a_rows, halves, Start::Zero, plain(output));
            seen = hash(seen, output);
            multiply_int8(SHAPE, a_rows, int8.from_column(0), &zeros, plain(output));
            seen = hash(seen, output);
            gelu(output);
            seen = hash(seen, output);
            let (first, second) = output.split_at_mut(rows * cols / 2);
            second[0] = exp2_and_sum_of_two(first, &mut second[1..]);
            seen = hash(seen, output);
            // Columns of A and B, whole panels of both; those of A are numbers like any others.
            let shape = Shape { rows: ATTENDED, depth, cols };
            let [values, weights] = [&*a, &*b].map(|data| Panels { data, stride: depth * PANEL });
            let mut context = vec![0.0; ATTENDED * cols];
            for start in [Start::Zero, Start::Accumulate] {
                multiply_transposed(shape, values, weights, start, plain(&mut context));
            }
            seen = hash(seen, &context);
            for known in [Scores::Bounded, Scores::Any] {
                let mut scores = b.clone();
                let (before, scores) = scores.split_at_mut(3 * PANEL);
                let sums = exp2_and_sum_of_columns(before, scores, 3, known);
                seen = hash(hash(seen, scores), &sums);
                write_columns(&context, sums, ATTENDED, PANEL, output, cols);
                seen = hash(seen, output);
            }
            let mut row = a[..depth].to_vec();
            norm.apply(&mut row);
            scale(&mut row, 0.5);
            add_assign(&mut row, &b[..depth]);
            seen = hash(seen, &row);
            let columns = Rows { data: a, stride: depth };
            let mut packed = vec![0.0; depth * PANEL];
            pack_columns(&mut packed, depth, 0, PANEL, columns);
            seen = hash(seen, &packed);
        }
        seen
    }

    fn multiply(&mut self, rows: usize) {
        let Self { a, b, output, .. } = self;
        let a = Rows { data: a, stride: SHAPE.depth };
        let b = Panels { data: b, stride: SHAPE.depth * PANEL };
        multiply(Shape { rows, ..SHAPE }, a, b, Start::Zero, plain(output));
    }
}

fn plain(data: &mut [f32]) -> Output<'_> {
    Output { data, row_stride: SHAPE.cols, panel_stride: PANEL }
}

/// Products of this engine go over two panels at a time from now on, or over one.
#[wasm_bindgen(js_name = takeTwoPanels)]
pub fn take_two_panels(two: bool) {
    wide::set(two);
}

/// In -1..1, the same ones every time.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / (1_u32 << 31) as f32 - 1.0
    };
    (0..len).map(|_| number()).collect()
}

/// Of the bits of all numbers, and what was seen before (FNV-1a, a number at a time).
fn hash(seen: u32, numbers: &[f32]) -> u32 {
    let step = |hash: u32, x: &f32| (hash ^ x.to_bits()).wrapping_mul(0x0100_0193);
    numbers.iter().fold(0x811c_9dc5 ^ seen, step)
}
