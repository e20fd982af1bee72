//! The feed-forward block, `x + output(gelu(intermediate(x)))`, in blocks of rows.
//!
//! The intermediate activation is four times as wide as the hidden states; it exists for one
//! block of rows at a time, never for a whole sequence.

use crate::columns::{self, LayerInput, Product, Scratch};
use crate::gelu::gelu;
use crate::layer_norm::{LayerNorm, layer_norm};
use crate::linear::Linear;
use crate::work::{Stop, Work};
use std::ops::Range;

/// Where the layer norm of a residual block stands.
#[derive(Clone, Copy)]
pub enum Norm<'a> {
    /// On the way in, `x + f(norm(x))`: the paper's character models.
    Before(&'a LayerNorm),
    /// On the way out, `norm(x + f(x))`: BERT and its descendants.
    After(&'a LayerNorm),
}

/// What layers make on the way of a block of rows; kept from call to call.
#[derive(Debug, Default)]
pub struct Buffers {
    pub(crate) product: Scratch,
    activation: Scratch,
    normal: Vec<f32>,
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
    buffers: &mut Buffers,
) -> Result<(), Stop> {
    let (cols, inner) = (intermediate.in_features(), intermediate.out_features());
    assert_eq!(output.in_features(), inner, "the output layer must take what the first gives");
    assert_eq!(output.out_features(), cols, "the output layer must give hidden states");
    assert_eq!(hidden_states.len() % cols, 0, "hidden states must be whole rows");
    for Range { start, end } in columns::blocks(hidden_states.len() / cols) {
        let hidden_states = &mut hidden_states[start * cols..end * cols];
        of_block(work, hidden_states, [intermediate, output], norm, buffers)?;
    }
    Ok(())
}

fn of_block(
    work: &mut Work,
    hidden_states: &mut [f32],
    [intermediate, output]: [&Linear; 2],
    norm: Norm,
    Buffers { product, activation, normal }: &mut Buffers,
) -> Result<(), Stop> {
    let (x, after) = match norm {
        Norm::Before(norm) => {
            work.grow(normal, hidden_states.len())?;
            let normal = &mut normal[..hidden_states.len()];
            layer_norm(work, hidden_states, norm, normal)?;
            (&*normal, None)
        }
        Norm::After(norm) => (&*hidden_states, Some(norm)),
    };
    let activation = Product::of(work, x, intermediate, gelu, activation)?;
    columns::add(work, LayerInput::Product(activation), output, after, hidden_states, product)
}
