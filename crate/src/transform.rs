//! What a masked language model does to a row of hidden states before it asks for words:
//! `norm(gelu(dense(row)))`, BERT's `transform`.

use crate::columns::{Scratch, linear_of_rows};
use crate::gelu::gelu;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::parallel::rows_per_block;
use crate::work::{Stop, Work};

/// Writes the transform of the rows of `x` at `rows` to `output`, `[rows, out_features]`.
///
/// # Panics
///
/// If the shapes do not fit or a row is not in `x`.
pub fn transform(
    work: &mut Work,
    x: &[f32],
    rows: &[u32],
    dense: &Linear,
    norm: &LayerNorm,
    output: &mut [f32],
    scratch: &mut Scratch,
) -> Result<(), Stop> {
    let cols = norm.cols();
    assert_eq!(dense.out_features(), cols, "the norm must take what the layer gives");
    linear_of_rows(work, x, rows, dense, output, scratch)?;
    work.for_each_chunk(output, rows_per_block(rows.len()) * cols, |_, output| {
        gelu(output);
        output.chunks_exact_mut(cols).for_each(|row| norm.apply(row));
    })
}
