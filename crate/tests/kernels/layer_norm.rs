//! Layer norm against its definition.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, assert_close, assert_same_bits, exact};
use longformer::LayerNorm;
use longformer::layer_norm::layer_norm;
use longformer::work::whole;

/// For results of up to about 10. The mean of up to 1000 numbers of about 10 is off by some 1e-6,
/// which the deviation, 0.6 and more, divides.
const TOLERANCE: f64 = 1e-5;

/// One column, a part of a vector, a vector, tails, two vectors, a real size and the same
/// with a tail.
const COLS: [usize; 12] = [1, 2, 3, 4, 5, 7, 8, 9, 12, 64, 768, 771];

fn norm(random: &mut Random, cols: usize) -> LayerNorm {
    LayerNorm { weight: random.floats(cols, 2.0), bias: random.floats(cols, 1.0), eps: 1e-5 }
}

#[test]
fn layer_norm_matches_reference() {
    let mut random = Random::new(1);
    for cols in COLS {
        for offset in [0.0, 1.0, -10.0] {
            let norm = norm(&mut random, cols);
            let mut row = random.floats(cols, 1.0);
            row.iter_mut().for_each(|x| *x += offset);
            // Two columns may lie close together, and the deviation be small.
            row[0] = offset + 2.0;
            let expected = reference::layer_norm(&exact(&row), &norm.weight, &norm.bias, norm.eps);
            norm.apply(&mut row);
            assert_close((cols, offset), &row, &expected, TOLERANCE);
        }
    }
}

#[test]
fn each_row_is_normalised_by_itself() {
    let mut random = Random::new(4);
    let norm = norm(&mut random, 13);
    // One row; the end of a block of rows and the next; several blocks.
    for rows in [0, 1, 12, 13, 301] {
        let x = random.floats(rows * 13, 3.0);
        let mut together = vec![f32::NAN; x.len()];
        whole(|work| layer_norm(work, &x, &norm, &mut together));
        for (i, mut alone) in x.chunks_exact(13).map(<[f32]>::to_vec).enumerate() {
            norm.apply(&mut alone);
            assert_same_bits((rows, i), &together[i * 13..][..13], &alone);
        }
    }
}

#[test]
fn eps_counts_where_the_variance_is_small() {
    for eps in [1e-12, 1e-5, 1.0] {
        let norm = LayerNorm { eps, ..LayerNorm::new(6, 0.0) };
        let mut row = [1e-3, -1e-3, 2e-3, -2e-3, 0.0, 0.0];
        let expected = reference::layer_norm(&exact(&row), &norm.weight, &norm.bias, eps);
        norm.apply(&mut row);
        assert_close(eps, &row, &expected, TOLERANCE);
    }
}

#[test]
fn a_constant_row_becomes_the_bias() {
    let mut random = Random::new(2);
    for cols in [1, 2, 4, 8, 16, 64, 1024] {
        let norm = norm(&mut random, cols);
        // A value whose sums are exact; others leave a mean that is off by a rounding.
        let mut row = vec![-3.25; cols];
        norm.apply(&mut row);
        assert_eq!(row, norm.bias, "{cols} columns");
    }
}

#[test]
fn a_new_norm_gives_mean_0_and_variance_1() {
    for cols in [8, 100, 768] {
        let mut row = Random::new(3).floats(cols, 5.0);
        LayerNorm::new(cols, 1e-12).apply(&mut row);
        let mean = exact(&row).iter().sum::<f64>() / cols as f64;
        let square = exact(&row).iter().map(|x| x * x).sum::<f64>() / cols as f64;
        assert!(mean.abs() <= TOLERANCE, "mean {mean} of {cols}");
        assert!((square - 1.0).abs() <= TOLERANCE, "variance {square} of {cols}");
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
#[should_panic(expected = "as many columns as the norm")]
fn a_row_of_another_size_is_refused() {
    LayerNorm::new(8, 1e-5).apply(&mut [0.0; 7]);
}
