//! What the kernels are to compute: definitions in `f64`, written from the formulas, slow and
//! without a trick; and what tests need to compare with them. Nothing here calls a kernel.

mod attention;
mod close;
mod layers;
mod random;

pub(crate) use attention::{Sequence, attention, attention_weights, band_shows, visible_keys};
pub(crate) use close::{assert_close, assert_same_bits, largest_error, mismatch};
pub(crate) use layers::{add, embed, erf, gelu, layer_norm, linear, matrix_product, mean_of_rows};
pub(crate) use random::Random;

/// The same numbers in `f64`.
pub(crate) fn exact(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}
