//! Whether two panels at a time are faster here, and whether everything comes out as it should where
//! V8 fuses vectors: tried when an engine starts that was asked for it.

use crate::gelu::gelu;
use crate::gemm::{
    Int8Matrix, Output, PANEL, Panels, Rows, Shape, Start, multiply, multiply_int8, wide,
};
use crate::layer_norm::LayerNorm;
use crate::memory::try_zeros;
use crate::softmax::exp2_and_sum_of_two;
use wasm_bindgen::prelude::*;

/// Whole tiles and whole pairs of panels, of a depth that stays in the first-level cache.
const SHAPE: Shape = Shape { rows: 48, depth: 128, cols: 32 };

/// Kernels over the same numbers again and again.
#[wasm_bindgen]
pub struct WideTrial {
    a: Vec<f32>,
    b: Vec<f32>,
    int8: Int8Matrix,
    output: Vec<f32>,
}

#[wasm_bindgen]
impl WideTrial {
    #[allow(missing_docs, reason = "the numbers to compute with")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> super::Result<WideTrial> {
        let Shape { rows, depth, cols } = SHAPE;
        let mut int8 = Int8Matrix::try_new(depth, cols)?;
        for (col, column) in numbers(depth * cols, 3).chunks_exact(depth).enumerate() {
            int8.write_column(col, column);
        }
        let output = try_zeros(rows * cols)?;
        Ok(Self { a: numbers(rows * depth, 1), b: numbers(depth * cols, 2), int8, output })
    }

    /// The product, `times` times, over two panels at a time or over one. Returns a hash of it, the
    /// same one either way.
    pub fn product(&mut self, two: bool, times: usize) -> u32 {
        let Self { a, b, output, .. } = self;
        wide::turn(two);
        for _ in 0..times {
            let a = Rows { data: a, stride: SHAPE.depth };
            let b = Panels { data: b, stride: SHAPE.depth * PANEL };
            let row_stride = SHAPE.cols;
            let output = Output { data: output, row_stride, panel_stride: PANEL };
            multiply(SHAPE, a, b, Start::Zero, output);
        }
        hash(output)
    }

    /// A hash of what the other kernels make of it, those with neighbouring vectors in them.
    pub fn others(&mut self) -> u32 {
        let Self { a, int8, output, .. } = self;
        let Shape { depth, cols, .. } = SHAPE;
        let a = Rows { data: a, stride: depth };
        let row_stride = cols;
        let result = Output { data: output, row_stride, panel_stride: PANEL };
        multiply_int8(SHAPE, a, int8.from_column(0), &[0.0; SHAPE.cols], result);
        let (left, right) = output.split_at_mut(SHAPE.rows * cols / 2);
        gelu(left);
        LayerNorm::new(cols, 1e-5).apply(&mut left[..cols]);
        let (first, second) = right.split_at_mut(cols);
        second[0] = exp2_and_sum_of_two(first, &mut second[1..]);
        hash(output)
    }
}

/// Products of this engine go over two panels at a time from now on, or over one.
#[wasm_bindgen(js_name = takeTwoPanels)]
pub fn take_two_panels(two: bool) {
    wide::turn(two);
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

/// Of the bits of all numbers (FNV-1a, a number at a time).
fn hash(numbers: &[f32]) -> u32 {
    numbers.iter().fold(0x811c_9dc5, |hash, x| (hash ^ x.to_bits()).wrapping_mul(0x0100_0193))
}
