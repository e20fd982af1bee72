//! Linear layers: packing by groups, plain rows, sums with a residual.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, add, assert_close, assert_same_bits, exact, matrix_product};
use longformer::columns::{Scratch, add_linear, linear_of_rows};
use longformer::gemm::{Output, PANEL, Rows, padded};
use longformer::work::whole;
use longformer::{LayerNorm, Linear};

/// Sums of up to 100 products of numbers in -1..1 stay below 20, where one rounding is at most
/// 1e-6; a layer norm divides them by a deviation of 1 and more.
const TOLERANCE: f64 = 1e-5;

/// Input features, output features.
const SIZES: [[usize; 2]; 8] =
    [[1, 1], [3, 2], [8, 8], [5, 9], [16, 24], [100, 30], [7, 64], [64, 7]];

/// One row; parts and ends of tiles and tasks of rows; several tasks; two blocks.
const ROWS: [usize; 9] = [1, 5, 12, 13, 24, 97, 211, 767, 800];

struct Weights {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Weights {
    fn new(random: &mut Random, [in_features, out_features]: [usize; 2]) -> Self {
        let weight = random.floats(in_features * out_features, 1.0);
        Self { weight, bias: random.floats(out_features, 1.0) }
    }

    fn linear(&self, groups: usize) -> Linear {
        let out_features = self.bias.len();
        let in_features = self.weight.len() / out_features;
        let mut linear = Linear::try_new(in_features, out_features, groups).expect("memory");
        linear.write_weight(0, &self.weight).expect("finite");
        linear.write_bias(0, &self.bias);
        linear
    }
}

#[test]
fn apply_matches_reference() {
    let mut random = Random::new(1);
    for size in SIZES {
        for rows in ROWS {
            let weights = Weights::new(&mut random, size);
            let linear = weights.linear(1);
            let x = random.floats(rows * size[0], 1.0);
            let expected = reference::linear(&exact(&x), &weights.weight, &weights.bias);

            let mut output = vec![f32::NAN; rows * size[1]];
            linear.apply(&x, &mut output);
            assert_close((size, rows), &output, &expected, TOLERANCE);
        }
    }
}

#[test]
fn add_linear_matches_reference() {
    let mut random = Random::new(2);
    for size @ [in_features, out_features] in SIZES {
        for rows in ROWS {
            let weights = Weights::new(&mut random, size);
            let linear = weights.linear(1);
            let x = random.floats(rows * in_features, 1.0);
            let before = random.floats(rows * out_features, 1.0);
            let sum = add(
                &exact(&before),
                &reference::linear(&exact(&x), &weights.weight, &weights.bias),
            );

            let mut hidden_states = before.clone();
            whole(|work| {
                add_linear(work, &mut hidden_states, &x, &linear, None, &mut Scratch::default())
            });
            assert_close((size, rows), &hidden_states, &sum, TOLERANCE);

            let norm = LayerNorm {
                weight: random.floats(out_features, 1.0),
                bias: random.floats(out_features, 1.0),
                eps: 1.0,
            };
            let expected = reference::layer_norm(&sum, &norm.weight, &norm.bias, norm.eps);
            let mut hidden_states = before;
            whole(|work| {
                add_linear(
                    work,
                    &mut hidden_states,
                    &x,
                    &linear,
                    Some(&norm),
                    &mut Scratch::default(),
                )
            });
            assert_close(("norm", size, rows), &hidden_states, &expected, TOLERANCE);
        }
    }
}

#[test]
fn linear_of_rows_gives_the_rows_of_the_whole() {
    let mut random = Random::new(7);
    for size @ [in_features, out_features] in SIZES {
        let linear = Weights::new(&mut random, size).linear(1);
        let x = random.floats(211 * in_features, 1.0);
        let mut together = vec![f32::NAN; 211 * out_features];
        linear.apply(&x, &mut together);
        for rows in [vec![], vec![210], vec![0, 100, 99, 100], (0..211).rev().collect::<Vec<u32>>()]
        {
            let mut output = vec![f32::NAN; rows.len() * out_features];
            whole(|work| {
                linear_of_rows(work, &x, &rows, &linear, &mut output, &mut Scratch::default())
            });
            for (i, &row) in rows.iter().enumerate() {
                let expected = &together[row as usize * out_features..][..out_features];
                assert_same_bits(
                    (size, row),
                    &output[i * out_features..][..out_features],
                    expected,
                );
            }
        }
    }
}

/// The projections of attention: heads of every size, into rows and into panels.
#[test]
fn each_group_gives_its_own_features() {
    let mut random = Random::new(3);
    for group_len in [1, 3, 4, 8, 12, 32] {
        for groups in [1, 2, 3] {
            let (rows, in_features) = (7, 10);
            let weights = Weights::new(&mut random, [in_features, groups * group_len]);
            let linear = weights.linear(groups);
            let x = random.floats(rows * in_features, 1.0);
            for group in 0..groups {
                let features = group * group_len..(group + 1) * group_len;
                let rows_of_weight =
                    &weights.weight[features.start * in_features..features.end * in_features];
                let expected =
                    reference::linear(&exact(&x), rows_of_weight, &weights.bias[features]);
                let case = (group_len, groups, group);
                let x = Rows { data: &x, stride: in_features };

                let mut data = vec![f32::NAN; rows * group_len];
                let output = Output { data: &mut data, row_stride: group_len, panel_stride: PANEL };
                linear.apply_group(group, rows, x, output);
                assert_close(("rows", case), &data, &expected, TOLERANCE);

                let mut panels = vec![f32::NAN; rows * padded(group_len)];
                let panel_stride = rows * PANEL;
                let output = Output { data: &mut panels, row_stride: PANEL, panel_stride };
                linear.apply_group(group, rows, x, output);
                let unpacked: Vec<f32> = (0..rows * group_len)
                    .map(|i| (i / group_len, i % group_len))
                    .map(|(row, col)| {
                        panels[col / PANEL * panel_stride + row * PANEL + col % PANEL]
                    })
                    .collect();
                assert_same_bits(("panels", case), &unpacked, &data);
            }
        }
    }
}

#[test]
fn transposed_group_matches_reference() {
    let mut random = Random::new(6);
    for group_len in [1, 3, 8, 12, 32] {
        for groups in [1, 3] {
            let in_features = 10;
            let weights = Weights::new(&mut random, [in_features, groups * group_len]);
            let linear = weights.linear(groups);
            let vector = random.floats(group_len, 1.0);
            for group in 0..groups {
                let rows = &weights.weight[group * group_len * in_features..];
                let rows = &rows[..group_len * in_features];
                let shape = [1, group_len, in_features];
                let expected = matrix_product(&exact(&vector), &exact(rows), shape);
                let mut folded = vec![f32::NAN; linear.in_features()];
                linear.transposed_group(group, &vector, &mut folded, &mut Vec::new());
                assert_close((group_len, groups, group), &folded, &expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn weights_may_come_in_pieces() {
    let mut random = Random::new(4);
    let [in_features, out_features] = [6, 30];
    for groups in [1, 2, 3, 5] {
        let weights = Weights::new(&mut random, [in_features, out_features]);
        let whole = weights.linear(groups);
        let mut pieces = Linear::try_new(in_features, out_features, groups).expect("memory");
        // Last piece first, across the borders of groups and panels.
        for features in [19..30, 7..19, 0..7] {
            pieces.write_bias(features.start, &weights.bias[features.clone()]);
            let rows = features.start * in_features..features.end * in_features;
            pieces.write_weight(features.start, &weights.weight[rows]).expect("finite");
        }
        let x = random.floats(in_features, 1.0);
        for group in 0..groups {
            let result = |linear: &Linear| {
                let group_len = out_features / groups;
                let mut data = vec![f32::NAN; group_len];
                let output = Output { data: &mut data, row_stride: group_len, panel_stride: PANEL };
                linear.apply_group(group, 1, Rows { data: &x, stride: in_features }, output);
                data
            };
            assert_same_bits((groups, group), &result(&pieces), &result(&whole));
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_neighbours() {
    let mut random = Random::new(5);
    let weights = Weights::new(&mut random, [37, 19]);
    let (linear, norm) = (weights.linear(1), LayerNorm::new(19, 1e-5));
    let x = random.floats(800 * 37, 1.0);
    let before = random.floats(800 * 19, 1.0);
    let mut together = before.clone();
    whole(|work| {
        add_linear(work, &mut together, &x, &linear, Some(&norm), &mut Scratch::default())
    });
    for row in (0..800).step_by(3) {
        let mut alone = before[row * 19..][..19].to_vec();
        whole(|work| {
            add_linear(
                work,
                &mut alone,
                &x[row * 37..][..37],
                &linear,
                Some(&norm),
                &mut Scratch::default(),
            )
        });
        assert_same_bits(row, &alone, &together[row * 19..][..19]);
    }
}

#[test]
fn a_new_layer_is_zero_and_knows_its_size() {
    let linear = Linear::try_new(5, 6, 2).expect("memory");
    assert_eq!((linear.in_features(), linear.out_features(), linear.groups()), (5, 6, 2));
    // Two groups of one panel, five weights and a bias to each of its columns.
    assert_eq!(linear.bytes(), 2 * 8 * (5 + 1) * 4);
    let mut output = [f32::NAN; 3];
    let zero = Linear::try_new(5, 3, 1).expect("memory");
    zero.apply(&[1.0; 5], &mut output);
    assert_eq!(output, [0.0; 3]);
}

#[test]
fn a_layer_too_large_for_any_memory_is_an_error() {
    for in_features in [usize::MAX, usize::MAX / 4, usize::MAX / 32] {
        assert!(Linear::try_new(in_features, 8, 1).is_err(), "{in_features} input features");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod refused {
    use super::Linear;

    #[test]
    #[should_panic(expected = "groups must be equal")]
    fn unequal_groups() {
        let _ = Linear::try_new(4, 10, 3);
    }

    #[test]
    #[should_panic(expected = "at least 1")]
    fn a_size_of_0() {
        let _ = Linear::try_new(0, 10, 1);
    }

    #[test]
    #[should_panic(expected = "[rows, in_features]")]
    fn a_part_of_a_row() {
        let linear = Linear::try_new(4, 2, 1).expect("memory");
        linear.apply(&[0.0; 7], &mut [0.0; 2]);
    }
}
