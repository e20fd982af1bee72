//! The transform before the logits of a masked language model.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, assert_close, exact};
use longformer::columns::Scratch;
use longformer::transform::transform;
use longformer::work::whole;
use longformer::{LayerNorm, Linear};

/// As for the feed-forward block, whose first half it is; the norm divides by about 1.
const TOLERANCE: f64 = 3e-5;

#[test]
fn transform_matches_reference() {
    let mut random = Random::new(1);
    for [in_features, out_features] in [[1, 1], [3, 10], [30, 12], [32, 32]] {
        let weight = random.floats(in_features * out_features, 1.0);
        let bias = random.floats(out_features, 1.0);
        let mut dense = Linear::try_new(in_features, out_features, 1).expect("memory");
        dense.write_weight(0, &weight).expect("finite");
        dense.write_bias(0, &bias);
        let norm = LayerNorm {
            weight: random.floats(out_features, 1.0),
            bias: random.floats(out_features, 1.0),
            eps: 1.0,
        };
        let x = random.floats(300 * in_features, 1.0);
        let all: Vec<u32> = (0..300).collect();
        for rows in [&[][..], &[7], &[299, 0, 7, 7], &all] {
            let mut output = vec![f32::NAN; rows.len() * out_features];
            whole(|work| {
                transform(work, &x, rows, &dense, &norm, &mut output, &mut Scratch::default())
            });
            let row = |&row: &u32| &x[row as usize * in_features..][..in_features];
            let wanted = exact(&rows.iter().flat_map(row).copied().collect::<Vec<_>>());
            let inner = reference::linear(&wanted, &weight, &bias);
            let activation: Vec<f64> = inner.into_iter().map(reference::gelu).collect();
            let expected = reference::layer_norm(&activation, &norm.weight, &norm.bias, norm.eps);
            assert_close((in_features, out_features, rows.len()), &output, &expected, TOLERANCE);
        }
    }
}
