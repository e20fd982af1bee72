//! Layers and tables that keep their weights in fewer bits: halves against single precision on the
//! same numbers, 8 bits against sums of whole numbers, and all against each other.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::panels::with_two_panels;
use crate::reference::{self, Random, assert_close, assert_same_bits, exact};
use longformer::attention::{Heads, Layout, Projections, Source, Workspace, attention};
use longformer::band::Pattern;
use longformer::columns::{Scratch, add_linear, linear_of_rows};
use longformer::embedding::{Lookup, Table, embed};
use longformer::gemm::{Output, PANEL, Rows, Sums, padded};
use longformer::half::{TooLarge, from_half, to_half};
use longformer::work::whole;
use longformer::{Batch, LayerNorm, Linear, Storage};

fn storages() -> Vec<Storage> {
    let int8 = Sums::exact().iter().map(|&sums| Storage::Int8(sums));
    [Storage::F32, Storage::F16].into_iter().chain(int8).collect()
}

/// Parts and ends of tiles of 4 and of 6; more than a block of rows.
const ROWS: [usize; 9] = [1, 2, 3, 4, 5, 7, 12, 13, 97];

/// What the 8-bit product does in a step: the plain 128-bit instructions take two numbers, others four.
const STEPS_OF_TWO: bool =
    cfg!(all(target_feature = "simd128", not(target_feature = "relaxed-simd")));

/// Odd and even; parts of 8, whole ones, and both; of stretches of 128, one and a part, and whole ones.
const DEPTHS: [usize; 9] = [1, 2, 3, 8, 9, 15, 64, 131, 384];

/// Features of a group, groups.
const GROUPS: [[usize; 2]; 7] = [[1, 1], [3, 2], [8, 1], [9, 1], [12, 3], [24, 1], [5, 4]];

fn transposed(linear: &Linear, group: usize, vector: &[f32]) -> Vec<f32> {
    let mut folded = vec![f32::NAN; linear.in_features()];
    linear.transposed_group(group, vector, &mut folded, &mut Vec::new());
    folded
}

/// A layer and the numbers it was made of.
struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
    groups: usize,
}

impl Layer {
    fn new(random: &mut Random, in_features: usize, [group_len, groups]: [usize; 2]) -> Self {
        let out_features = group_len * groups;
        let mut weight = random.floats(in_features * out_features, 1.0);
        // Features of very different size: every one is to have a scale of its own.
        for (i, row) in weight.chunks_exact_mut(in_features).enumerate() {
            row.iter_mut().for_each(|x| *x *= [1.0, 1e-3, 30.0][i % 3]);
        }
        Self { weight, bias: random.floats(out_features, 1.0), groups }
    }

    fn in_features(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    fn linear(&self, storage: Storage) -> Linear {
        let sizes = (self.in_features(), self.bias.len(), self.groups);
        let mut linear =
            Linear::try_with_storage(storage, sizes.0, sizes.1, sizes.2).expect("memory");
        linear.write_weight(0, &self.weight).expect("finite");
        linear.write_bias(0, &self.bias);
        linear
    }

    fn rounded_to_halves(&self) -> Self {
        let weight = self.weight.iter().map(|&x| from_half(to_half(x))).collect();
        Self { weight, bias: self.bias.clone(), groups: self.groups }
    }
}

/// What a group makes of `x`, `[rows, group_len]`, in rows and in panels.
fn apply(linear: &Linear, group: usize, x: &[f32]) -> [Vec<f32>; 2] {
    let group_len = linear.out_features() / linear.groups();
    let rows = x.len() / linear.in_features();
    let x = Rows { data: x, stride: linear.in_features() };

    let mut plain = vec![f32::NAN; rows * group_len];
    let output = Output { data: &mut plain, row_stride: group_len, panel_stride: PANEL };
    linear.apply_group(group, rows, x, output);

    let panel_stride = rows * PANEL;
    let mut panels = vec![f32::NAN; rows * padded(group_len)];
    let output = Output { data: &mut panels, row_stride: PANEL, panel_stride };
    linear.apply_group(group, rows, x, output);
    let unpacked = (0..rows * group_len)
        .map(|i| (i / group_len, i % group_len))
        .map(|(row, col)| panels[col / PANEL * panel_stride + row * PANEL + col % PANEL])
        .collect();
    [plain, unpacked]
}

#[test]
fn halves_compute_as_single_precision_does_on_the_same_numbers() {
    let mut random = Random::new(1);
    for in_features in DEPTHS {
        for sizes @ [group_len, groups] in GROUPS {
            let layer = Layer::new(&mut random, in_features, sizes);
            let [halves, singles] =
                [layer.linear(Storage::F16), layer.rounded_to_halves().linear(Storage::F32)];
            for rows in ROWS {
                let x = random.floats(rows * in_features, 1.0);
                let vector = random.floats(group_len, 1.0);
                for group in 0..groups {
                    let results = apply(&halves, group, &x);
                    for (result, expected) in results.iter().zip(apply(&singles, group, &x)) {
                        assert_same_bits((in_features, sizes, rows, group), result, &expected);
                    }
                    let [folded, expected] =
                        [&halves, &singles].map(|linear| transposed(linear, group, &vector));
                    assert_same_bits(("transposed", in_features, sizes), &folded, &expected);
                }
            }
        }
    }
}

/// A row or a feature as whole numbers, and what one of them is worth.
struct Quantized {
    numbers: Vec<i64>,
    scale: f32,
}

/// By 256 steps from the least number to the largest, 0 among them.
fn quantize_row(row: &[f32]) -> Quantized {
    let least = row.iter().copied().fold(0.0, f32::min);
    let most = row.iter().copied().fold(0.0, f32::max);
    let scale = most / 255.0 - least / 255.0;
    let steps = |x: f32| if scale > 0.0 { (x * (1.0 / scale)).round_ties_even() as i64 } else { 0 };
    let zero_point = steps(-least);
    let numbers = row.iter().map(|&x| (steps(x) + zero_point).clamp(0, 255) - zero_point).collect();
    Quantized { numbers, scale }
}

/// Each stretch by as many steps to its largest magnitude as the instructions leave.
fn quantize_feature(sums: Sums, row: &[f32]) -> Vec<Quantized> {
    let quantize = |part: &[f32]| {
        let most = part.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let scale = most / f32::from(sums.most_weight());
        let step = |&x: &f32| if scale > 0.0 { (x * (1.0 / scale)).round_ties_even() } else { 0.0 };
        Quantized { numbers: part.iter().map(|x| step(x) as i64).collect(), scale }
    };
    row.chunks(sums.stretch()).map(quantize).collect()
}

/// `start + x · weightᵀ`, each stretch in whole numbers and scaled then; `start` is
/// `[rows, features]`.
fn integer_product(
    sums: Sums,
    x: &[f32],
    weight: &[f32],
    start: &[f32],
    in_features: usize,
) -> Vec<f32> {
    let features: Vec<_> =
        weight.chunks_exact(in_features).map(|row| quantize_feature(sums, row)).collect();
    let rows: Vec<Quantized> = x.chunks_exact(in_features).map(quantize_row).collect();
    let mut result = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        for (j, feature) in features.iter().enumerate() {
            let parts = row.numbers.chunks(sums.stretch()).zip(feature);
            let product = parts.fold(0.0, |product, (q, Quantized { numbers, scale })| {
                let sum: i64 = q.iter().zip(numbers).map(|(q, w)| q * w).sum();
                product + scale * sum as f32
            });
            result.push(start[i * features.len() + j] + row.scale * product);
        }
    }
    result
}

/// Rows of every kind: about 0, on one side of it, behind a GELU, of one number, of zeros, huge,
/// tiny, and from one end to the other of a range that is even about 0, both of which round outwards.
fn activations(random: &mut Random, rows: usize, in_features: usize) -> Vec<f32> {
    let mut x = random.floats(rows * in_features, 3.0);
    for (i, row) in x.chunks_exact_mut(in_features).enumerate() {
        match (i + rows) % 9 {
            0 => row.iter_mut().for_each(|x| *x = x.abs() + 1.0),
            1 => row.iter_mut().for_each(|x| *x = -x.abs() - 1.0),
            2 => row.iter_mut().for_each(|x| *x = x.max(-0.17)),
            3 => row.fill(-2.5),
            4 => row.fill(0.0),
            5 => row.iter_mut().for_each(|x| *x *= 1e37),
            6 => row.iter_mut().for_each(|x| *x *= 1e-34),
            7 => {
                row[0] = 127.5;
                row[in_features - 1] = -127.5;
            }
            _ => {}
        }
    }
    x
}

#[test]
fn eight_bits_compute_sums_of_whole_numbers() {
    let mut random = Random::new(2);
    let depths =
        DEPTHS.into_iter().flat_map(|depth| Sums::exact().iter().map(move |&s| (depth, s)));
    for ((in_features, sums), sizes) in depths.flat_map(|case| GROUPS.map(|sizes| (case, sizes))) {
        let [group_len, groups] = sizes;
        let layer = Layer::new(&mut random, in_features, sizes);
        let linear = layer.linear(Storage::Int8(sums));
        for rows in ROWS {
            let x = activations(&mut random, rows, in_features);
            for group in 0..groups {
                let features = group * group_len..(group + 1) * group_len;
                let bias = layer.bias[features.clone()].repeat(rows);
                let weight =
                    &layer.weight[features.start * in_features..features.end * in_features];
                let from_bias = integer_product(sums, &x, weight, &bias, in_features);
                let case = (in_features, sums, sizes, rows, group);
                let [plain, panels] = apply(&linear, group, &x);
                assert_same_bits(("rows", case), &plain, &from_bias);
                assert_same_bits(("panels", case), &panels, &from_bias);
            }
        }
    }
}

/// Sums that are whole: others go over one.
#[test]
fn eight_bits_give_the_same_bits_two_panels_at_a_time() {
    let mut random = Random::new(11);
    let groups = [[8, 1], [9, 1], [16, 2], [24, 1], [39, 1]];
    let deep = (Sums::Whole.stretch() + 5, [9, 1]); // more than a stretch
    for (in_features, sizes) in
        DEPTHS.into_iter().flat_map(|n| groups.map(|sizes| (n, sizes))).chain([deep])
    {
        let layer = Layer::new(&mut random, in_features, sizes);
        let linear = layer.linear(Storage::int8());
        for rows in if in_features > 1000 { &ROWS[5..6] } else { &ROWS } {
            let x = activations(&mut random, *rows, in_features);
            let group = sizes[1] - 1;
            let [one, two] =
                [false, true].map(|two| with_two_panels(two, || apply(&linear, group, &x)));
            for (one, two) in one.iter().zip(&two) {
                assert_same_bits((in_features, sizes, rows), two, one);
            }
        }
    }
}

/// A number is off by half a step, so a product by the other factor's size times that, and a sum by
/// as much for each of its terms.
#[test]
fn eight_bits_are_as_near_as_their_steps_are_fine() {
    let mut random = Random::new(3);
    for (in_features, &sums) in
        [8, 64, 131].into_iter().flat_map(|n| Sums::exact().iter().map(move |s| (n, s)))
    {
        let layer = Layer::new(&mut random, in_features, [24, 1]);
        let x = random.floats(20 * in_features, 1.0);
        let mut output = vec![f32::NAN; 20 * 24];
        layer.linear(Storage::Int8(sums)).apply(&x, &mut output);
        let expected = reference::linear(&exact(&x), &layer.weight, &layer.bias);
        for (i, (&actual, expected)) in output.iter().zip(expected).enumerate() {
            let size = [1.0, 1e-3, 30.0][i % 24 % 3];
            let most = f64::from(sums.most_weight());
            let term = size * (1.0 / 255.0 + 0.5 / most + 0.5 / 255.0 / most);
            let error = (f64::from(actual) - expected).abs();
            assert!(error <= term * in_features as f64, "{sums:?} [{i}] is off by {error}");
        }
    }
}

/// The largest numbers that a stretch can have, with either sign.
#[test]
fn the_largest_sums_are_exact() {
    for (sign, &sums) in
        [1.0, -1.0].into_iter().flat_map(|n| Sums::exact().iter().map(move |s| (n, s)))
    {
        let depth = sums.stretch();
        let storage = Storage::Int8(sums);
        let mut linear = Linear::try_with_storage(storage, depth, 1, 1).expect("memory");
        linear.write_weight(0, &vec![sign; depth]).expect("finite");
        let most = f32::from(sums.most_weight());
        for x in [255.0, -255.0] {
            let mut output = [f32::NAN];
            linear.apply(&vec![x; depth], &mut output);
            let expected = sign / most * (x * most * depth as f32);
            assert_eq!(output, [expected], "{sums:?}: {sign} * {x}");
        }
    }
}

/// Nothing that is not a number is hidden, and it reaches its own row or feature alone.
#[test]
fn nan_and_infinities_show() {
    let mut random = Random::new(4);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for in_features in [1, 8, 11] {
            let mut layer = Layer::new(&mut random, in_features, [9, 1]);
            let mut x = random.floats(6 * in_features, 1.0);
            x[3 * in_features - 1] = bad;
            let mut output = vec![0.0; 6 * 9];
            layer.linear(Storage::int8()).apply(&x, &mut output);
            for (row, output) in output.chunks_exact(9).enumerate() {
                assert!(output.iter().all(|x| x.is_nan() == (row == 2)), "{bad} in row {row}");
            }

            layer.weight[4 * in_features] = bad;
            let x = random.floats(6 * in_features, 1.0);
            layer.linear(Storage::int8()).apply(&x, &mut output);
            for (i, x) in output.iter().enumerate() {
                assert_eq!(x.is_nan(), i % 9 == 4, "{bad} in the weights, [{i}]");
            }
        }
    }
}

/// Numbers whose steps have no inverse count as 0, in rows and in weights.
#[test]
fn what_is_too_small_for_a_step_is_nothing() {
    let mut random = Random::new(10);
    for tiny in [1e-37, 1e-40, f32::from_bits(1)] {
        let mut layer = Layer::new(&mut random, 9, [8, 1]);
        let mut output = [f32::NAN; 8];
        // Large enough to show whatever is left of them.
        layer.weight.iter_mut().for_each(|x| *x *= 1e36);
        layer.linear(Storage::int8()).apply(&[tiny; 9], &mut output);
        assert_eq!(output[..], layer.bias, "rows of {tiny}");
        layer.weight.fill(tiny);
        layer.linear(Storage::int8()).apply(&[1.0; 9], &mut output);
        assert_eq!(output[..], layer.bias, "weights of {tiny}");
    }
}

/// Of 8 bits, folding takes what the weights are worth.
#[test]
fn transposed_groups_take_what_eight_bits_are_worth() {
    let mut random = Random::new(5);
    let cases = GROUPS.into_iter().flat_map(|sizes| Sums::exact().iter().map(move |&s| (sizes, s)));
    for (sizes @ [group_len, groups], sums) in cases {
        let in_features = Sums::CutOff.stretch() + 11;
        let layer = Layer::new(&mut random, in_features, sizes);
        let linear = layer.linear(Storage::Int8(sums));
        let vector = random.floats(group_len, 1.0);
        for group in 0..groups {
            let rows = &layer.weight[group * group_len * in_features..];
            let mut worth = Vec::new();
            for row in rows[..group_len * in_features].chunks_exact(in_features) {
                for Quantized { numbers, scale } in quantize_feature(sums, row) {
                    worth.extend(numbers.iter().map(|&q| f64::from(scale * q as f32)));
                }
            }
            let shape = [1, group_len, in_features];
            let expected = reference::matrix_product(&exact(&vector), &worth, shape);
            let folded = transposed(&linear, group, &vector);
            // Up to 30 * 24 in magnitude, and as many roundings as terms.
            assert_close((sizes, group), &folded, &expected, 2e-4);
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_neighbours_nor_on_how_weights_came() {
    let mut random = Random::new(6);
    for storage in storages() {
        let layer = Layer::new(&mut random, 37, [19, 1]);
        let (linear, norm) = (layer.linear(storage), LayerNorm::new(19, 1e-5));
        let mut pieces = Linear::try_with_storage(storage, 37, 19, 1).expect("memory");
        for features in [13..19, 5..13, 0..5] {
            pieces.write_bias(features.start, &layer.bias[features.clone()]);
            pieces
                .write_weight(features.start, &layer.weight[features.start * 37..features.end * 37])
                .expect("finite");
        }
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
                    &pieces,
                    Some(&norm),
                    &mut Scratch::default(),
                )
            });
            assert_same_bits((storage, row), &alone, &together[row * 19..][..19]);
        }
        let mut some = vec![f32::NAN; 3 * 19];
        whole(|work| {
            linear_of_rows(work, &x, &[199, 0, 50], &linear, &mut some, &mut Scratch::default())
        });
        for (row, some) in [199, 0, 50].into_iter().zip(some.chunks_exact(19)) {
            let mut alone = [f32::NAN; 19];
            linear.apply(&x[row * 37..][..37], &mut alone);
            assert_same_bits((storage, row), some, &alone);
        }
    }
}

/// With one global token its rows are folded (`attention/global.rs`), with ten they are not.
#[test]
fn attention_takes_layers_of_every_storage() {
    let mut random = Random::new(7);
    let heads = Heads { num_heads: 2, head_dim: 12 };
    let (tokens, in_features) = (150, 24);
    for globals in [vec![70], (0..10).map(|i| i * 15).collect()] {
        let mut batch = Batch::default();
        batch.push(tokens, globals.clone(), vec![30]);
        let hidden_states = random.floats(tokens * in_features, 1.0);
        let layers = [(); 6].map(|()| {
            let weight = random.floats(24 * 24, 0.3);
            Layer { weight, bias: random.floats(24, 0.3), groups: 2 }
        });
        let context_of = |layers: [Linear; 6]| {
            let source =
                |i: usize| Source::Projected { hidden_states: &hidden_states, weights: &layers[i] };
            let projections = [0, 3].map(|i| Projections {
                query: source(i),
                key: source(i + 1),
                value: source(i + 2),
            });
            let mut context = vec![f32::NAN; tokens * heads.hidden_size()];
            let pattern = Pattern::new(20, &[1, 3], false);
            let mut workspace = Workspace::default();
            whole(|work| {
                attention(work, heads, &pattern, &batch, projections, &mut workspace, &mut context)
            });
            context
        };
        let singles = context_of(layers.each_ref().map(|layer| layer.linear(Storage::F32)));
        let rounded = layers.each_ref().map(|layer| layer.rounded_to_halves().linear(Storage::F32));
        let halves = context_of(layers.each_ref().map(|layer| layer.linear(Storage::F16)));
        assert_same_bits(globals.len(), &halves, &context_of(rounded));
        let bytes = context_of(layers.each_ref().map(|layer| layer.linear(Storage::int8())));
        // Values of about 1 by 24 products, each off by a few thousandths of its factors.
        assert_close(globals.len(), &bytes, &exact(&singles), 0.03);
    }
}

/// Hidden states are quantised once for all heads: that is the same as by each of them.
#[test]
fn eight_bit_attention_is_attention_over_what_the_layers_give() {
    let mut random = Random::new(9);
    let heads = Heads { num_heads: 3, head_dim: 12 };
    // As many as are not folded: a run, and some by themselves.
    let globals = || (0..7).chain([9, 12, 20, 29]).collect();
    for (tokens, globals) in [(1, vec![]), (30, globals()), (130, globals())] {
        let mut batch = Batch::default();
        batch.push(tokens, globals, vec![]);
        let hidden_states = random.floats(tokens * 21, 1.0);
        let layers = [(); 6].map(|()| Layer::new(&mut random, 21, [12, 3]).linear(Storage::int8()));
        let vectors = layers.each_ref().map(|linear| {
            let mut vectors = vec![f32::NAN; tokens * heads.hidden_size()];
            for head in 0..heads.num_heads {
                let data = &mut vectors[head * heads.head_dim..];
                let output = Output { data, row_stride: heads.hidden_size(), panel_stride: PANEL };
                linear.apply_group(head, tokens, Rows { data: &hidden_states, stride: 21 }, output);
            }
            vectors
        });
        let context_of = |sources: [Source; 6]| {
            let [local, global] = [0, 3].map(|first| Projections {
                query: sources[first],
                key: sources[first + 1],
                value: sources[first + 2],
            });
            let mut context = vec![f32::NAN; tokens * heads.hidden_size()];
            let pattern = Pattern::new(20, &[1, 3, 2], false);
            let mut workspace = Workspace::default();
            let projections = [local, global];
            whole(|work| {
                attention(work, heads, &pattern, &batch, projections, &mut workspace, &mut context)
            });
            context
        };
        let projected = layers
            .each_ref()
            .map(|weights| Source::Projected { hidden_states: &hidden_states, weights });
        let given = vectors
            .each_ref()
            .map(|vectors| Source::Given { data: vectors, layout: Layout::ByToken });
        assert_same_bits(tokens, &context_of(projected), &context_of(given));
    }
}

#[test]
fn tables_keep_what_their_storage_can() {
    let mut random = Random::new(8);
    for cols in [1, 4, 7, 64] {
        let data = random.floats(10 * cols, 1.0);
        let halves: Vec<f32> = data.iter().map(|&x| from_half(to_half(x))).collect();
        let bytes = data.chunks_exact(cols).flat_map(|row| {
            let largest = row.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let (scale, inverse) = (largest / 127.0, 1.0 / (largest / 127.0));
            row.iter().map(move |x| scale * ((x * inverse).round_ties_even() + 0.0))
        });
        let bytes: Vec<f32> = bytes.collect();
        let ids: Vec<u32> = (0..40).map(|_| random.below(10) as u32).collect();
        let looked_up = |storage, data: &[f32]| {
            let mut table = Table::try_with_storage(storage, 10, cols).expect("memory");
            assert_eq!((table.rows(), table.cols()), (10, cols));
            table.write(4, &data[4 * cols..]).expect("finite");
            table.write(0, &data[..4 * cols]).expect("finite");
            let mut hidden_states = vec![f32::NAN; 40 * cols];
            whole(|work| {
                embed(work, &[Lookup { table: &table, ids: &ids }; 2], None, &mut hidden_states)
            });
            hidden_states
        };
        for (storage, kept) in [(Storage::F16, halves), (Storage::int8(), bytes)] {
            let expected = looked_up(Storage::F32, &kept);
            assert_same_bits((storage, cols), &looked_up(storage, &data), &expected);
        }
    }
}

#[test]
fn a_number_too_large_for_a_half_is_refused_where_halves_are_kept() {
    // Odd sizes, and the last number.
    for x in [65_519.0, -65_520.0, f32::MAX, f32::INFINITY, f32::NAN] {
        let data: Vec<f32> = (0..3 * 5).map(|i| if i == 14 { x } else { 1.0 }).collect();
        let too_large =
            if x.is_finite() && x.abs() >= 65_520.0 { Err(TooLarge(x)) } else { Ok(()) };
        for storage in storages() {
            let mut linear = Linear::try_with_storage(storage, 5, 3, 3).expect("memory");
            let expected = if storage == Storage::F16 { too_large } else { Ok(()) };
            assert_eq!(linear.write_weight(0, &data), expected, "a layer, {storage:?}, {x}");
            let mut table = Table::try_with_storage(storage, 3, 5).expect("memory");
            assert_eq!(table.write(0, &data), expected, "a table, {storage:?}, {x}");
        }
    }
}

#[test]
fn bytes_are_those_of_the_storage() {
    // Two groups of one panel each, their columns with a bias.
    for (storage, bytes) in [
        (Storage::F32, 2 * 8 * (5 * 4 + 4)),
        (Storage::F16, 2 * 8 * (5 * 2 + 4)),
        // A scale and a sum, too, and whole steps of weights.
        (Storage::int8(), 2 * 8 * (if STEPS_OF_TWO { 6 } else { 8 } + 3 * 4)),
    ] {
        let linear = Linear::try_with_storage(storage, 5, 6, 2).expect("memory");
        assert_eq!(linear.bytes(), bytes, "{storage:?}");
    }
}

#[test]
fn too_large_for_any_memory_is_an_error() {
    for storage in [Storage::F32, Storage::F16] {
        assert!(Linear::try_with_storage(storage, usize::MAX / 16, 8, 1).is_err(), "{storage:?}");
        assert!(Table::try_with_storage(storage, usize::MAX / 2, 3).is_err(), "{storage:?}");
    }
    assert!(Linear::try_with_storage(Storage::int8(), 1 << 20, usize::MAX / 1024, 1).is_err());
}
