//! The feed-forward block against its definition, with the norm at either end.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, add, assert_close, assert_same_bits, exact};
use longformer::feed_forward::{Buffers, Norm, feed_forward};
use longformer::work::whole;
use longformer::{LayerNorm, Linear};

/// Activations up to about 10 are off by some 1e-6 each; a sum of 100 of them, weighted by numbers
/// in -1..1, is off by ten times that.
const TOLERANCE: f64 = 3e-5;

/// Hidden size, intermediate size.
const SIZES: [[usize; 2]; 5] = [[1, 1], [3, 10], [8, 32], [12, 7], [30, 100]];

/// One row; parts of tiles and tasks of rows; several tasks; two blocks.
const ROWS: [usize; 7] = [1, 12, 13, 60, 301, 767, 800];

struct Block {
    weight: [Vec<f32>; 2],
    bias: [Vec<f32>; 2],
    norm: LayerNorm,
}

impl Block {
    fn new(random: &mut Random, [hidden_size, inner]: [usize; 2]) -> Self {
        Self {
            weight: [(); 2].map(|()| random.floats(hidden_size * inner, 1.0)),
            bias: [inner, hidden_size].map(|len| random.floats(len, 1.0)),
            norm: LayerNorm {
                weight: random.floats(hidden_size, 1.0),
                bias: random.floats(hidden_size, 1.0),
                eps: 1.0,
            },
        }
    }

    fn linear(&self, i: usize) -> Linear {
        let (weight, bias) = (&self.weight[i], &self.bias[i]);
        let mut linear = Linear::try_new(weight.len() / bias.len(), bias.len(), 1).expect("memory");
        linear.write_weight(0, weight).expect("finite");
        linear.write_bias(0, bias);
        linear
    }

    /// `linear(gelu(linear(x)))`.
    fn expected(&self, x: &[f64]) -> Vec<f64> {
        let inner = reference::linear(x, &self.weight[0], &self.bias[0]);
        let activation: Vec<f64> = inner.into_iter().map(reference::gelu).collect();
        reference::linear(&activation, &self.weight[1], &self.bias[1])
    }

    fn expected_norm(&self, x: &[f64]) -> Vec<f64> {
        reference::layer_norm(x, &self.norm.weight, &self.norm.bias, self.norm.eps)
    }
}

#[test]
fn feed_forward_matches_reference() {
    let mut random = Random::new(1);
    for size in SIZES {
        for rows in ROWS {
            let block = Block::new(&mut random, size);
            let x = random.floats(rows * size[0], 1.0);
            let exact_x = exact(&x);
            let layers = [0, 1].map(|i| block.linear(i));

            let mut buffers = Buffers::default();
            let mut after = x.clone();
            whole(|work| {
                feed_forward(
                    work,
                    &mut after,
                    &layers[0],
                    &layers[1],
                    Norm::After(&block.norm),
                    &mut buffers,
                )
            });
            let expected = block.expected_norm(&add(&exact_x, &block.expected(&exact_x)));
            assert_close(("norm after", size, rows), &after, &expected, TOLERANCE);

            let mut before = x;
            whole(|work| {
                feed_forward(
                    work,
                    &mut before,
                    &layers[0],
                    &layers[1],
                    Norm::Before(&block.norm),
                    &mut buffers,
                )
            });
            let expected = add(&exact_x, &block.expected(&block.expected_norm(&exact_x)));
            assert_close(("norm before", size, rows), &before, &expected, TOLERANCE);
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_neighbours() {
    let mut random = Random::new(2);
    let block = Block::new(&mut random, [13, 29]);
    let layers = [0, 1].map(|i| block.linear(i));
    for norm in [Norm::After(&block.norm), Norm::Before(&block.norm)] {
        let mut buffers = Buffers::default();
        let x = random.floats(900 * 13, 1.0);
        let mut together = x.clone();
        whole(|work| feed_forward(work, &mut together, &layers[0], &layers[1], norm, &mut buffers));
        for (row, mut alone) in x.chunks_exact(13).map(<[f32]>::to_vec).enumerate() {
            whole(|work| {
                feed_forward(work, &mut alone, &layers[0], &layers[1], norm, &mut buffers)
            });
            assert_same_bits(row, &alone, &together[row * 13..][..13]);
        }
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
#[should_panic(expected = "must give hidden states")]
fn an_output_layer_of_another_size_is_refused() {
    let [intermediate, output] =
        [[4, 8], [8, 5]].map(|[from, to]| Linear::try_new(from, to, 1).expect("memory"));
    let norm = LayerNorm::new(4, 1e-5);
    whole(|work| {
        feed_forward(
            work,
            &mut [0.0; 4],
            &intermediate,
            &output,
            Norm::After(&norm),
            &mut Buffers::default(),
        )
    });
}
