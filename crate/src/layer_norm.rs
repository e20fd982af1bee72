//! Layer norm: `(x - mean) / sqrt(variance + eps) * weight + bias`, over each row.

use crate::parallel::rows_per_block;
use crate::simd::{F32x4, LANES, sum_of};
use crate::work::{Stop, Work};

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

/// Writes every row of `x`, `[rows, cols]`, to `normal`, normalised.
///
/// # Panics
///
/// If they are not whole rows, or not as many.
pub fn layer_norm(
    work: &mut Work,
    x: &[f32],
    norm: &LayerNorm,
    normal: &mut [f32],
) -> Result<(), Stop> {
    let cols = norm.cols();
    assert_eq!(x.len() % cols, 0, "hidden states must be whole rows");
    assert_eq!(x.len(), normal.len(), "there must be a row for each");
    let block = rows_per_block(x.len() / cols);
    work.for_each_chunk(normal, block * cols, |index, normal| {
        normal.copy_from_slice(&x[index * block * cols..][..normal.len()]);
        normal.chunks_exact_mut(cols).for_each(|row| norm.apply(row));
    })
}
