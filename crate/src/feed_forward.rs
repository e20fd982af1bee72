//! The feed-forward block, `x + output(gelu(intermediate(x)))`, in blocks of rows.
//!
//! The intermediate activation is four times as wide as the hidden states; it exists for one
//! block of rows per thread at a time, never for a whole sequence.

use crate::gelu::gelu;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::parallel::rows_per_block;
use crate::work::{Stop, Work};

/// Where the layer norm of a residual block stands.
#[derive(Clone, Copy)]
pub enum Norm<'a> {
    /// On the way in, `x + f(norm(x))`: the paper's character models.
    Before(&'a LayerNorm),
    /// On the way out, `norm(x + f(x))`: BERT and its descendants.
    After(&'a LayerNorm),
}

/// Replaces `hidden_states`, `[rows, hidden_size]`, by the block's result.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn feed_forward(
    work: &mut Work,
    hidden_states: &mut [f32],
    intermediate: &Linear,
    output: &Linear,
    norm: Norm,
) -> Result<(), Stop> {
    let (cols, inner) = (intermediate.in_features(), intermediate.out_features());
    assert_eq!(output.in_features(), inner, "the output layer must take what the first gives");
    assert_eq!(output.out_features(), cols, "the output layer must give hidden states");
    assert_eq!(hidden_states.len() % cols, 0, "hidden states must be whole rows");
    let block = rows_per_block(hidden_states.len() / cols);
    work.for_each_chunk(hidden_states, block * cols, |_, hidden_states| {
        let rows = hidden_states.len() / cols;
        let mut activation = vec![0.0; rows * inner];
        match norm {
            Norm::Before(norm) => {
                let mut normal = hidden_states.to_vec();
                normal.chunks_exact_mut(cols).for_each(|row| norm.apply(row));
                intermediate.apply(&normal, &mut activation);
            }
            Norm::After(_) => intermediate.apply(hidden_states, &mut activation),
        }
        gelu(&mut activation);
        output.apply_to_residual(&activation, hidden_states);
        if let Norm::After(norm) = norm {
            hidden_states.chunks_exact_mut(cols).for_each(|row| norm.apply(row));
        }
    })
}
