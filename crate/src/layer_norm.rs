//! Layer norm: `(x - mean) / sqrt(variance + eps) * weight + bias`, over each row.

use crate::parallel::{for_each_chunk, rows_per_block};
use crate::simd::{F32x4, LANES, sum_of};

/// The weights of a layer norm.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Factor per column, `[cols]`.
    pub weight: Vec<f32>,
    /// Term per column, `[cols]`.
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub eps: f32,
}

impl LayerNorm {
    /// A norm over rows of `cols` that leaves them normalised, neither scaled nor shifted.
    pub fn new(cols: usize, eps: f32) -> Self {
        Self { weight: vec![1.0; cols], bias: vec![0.0; cols], eps }
    }

    /// Columns of the rows it takes.
    pub fn cols(&self) -> usize {
        self.weight.len()
    }

    /// Normalises one row in place. The variance is the mean of squared distances from the mean,
    /// taken in a second pass: one pass over squares loses half the digits.
    pub fn apply(&self, row: &mut [f32]) {
        assert_eq!(row.len(), self.cols(), "a row must have as many columns as the norm");
        let cols = row.len() as f32;
        let mean = sum_of(row, |x| x) / cols;
        let centre = F32x4::splat(mean);
        let variance = sum_of(row, |x| {
            let distance = x - centre;
            distance * distance
        }) / cols;
        let inverse = 1.0 / (variance + self.eps).sqrt();

        let scale = F32x4::splat(inverse);
        let (vectors, tail) = row.as_chunks_mut::<LANES>();
        let (weights, tail_weights) = self.weight.as_chunks::<LANES>();
        let (biases, tail_biases) = self.bias.as_chunks::<LANES>();
        for ((x, weight), bias) in vectors.iter_mut().zip(weights).zip(biases) {
            let normal = (F32x4::load(x) - centre) * scale;
            normal.mul_add(F32x4::load(weight), F32x4::load(bias)).store(x);
        }
        for ((x, weight), bias) in tail.iter_mut().zip(tail_weights).zip(tail_biases) {
            *x = (*x - mean) * inverse * weight + bias;
        }
    }
}

/// Normalises every row of `hidden_states`, `[rows, cols]`, in place.
///
/// # Panics
///
/// If they are not whole rows.
pub fn layer_norm(hidden_states: &mut [f32], norm: &LayerNorm) {
    let cols = norm.cols();
    assert_eq!(hidden_states.len() % cols, 0, "hidden states must be whole rows");
    let block = rows_per_block(hidden_states.len() / cols);
    for_each_chunk(hidden_states, block * cols, |_, hidden_states| {
        hidden_states.chunks_exact_mut(cols).for_each(|row| norm.apply(row));
    });
}
