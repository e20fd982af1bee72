//! Attention against its definition, over grids of shapes chosen by code path.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::case::{Case, Vectors};
use crate::reference::{self, Random, Sequence, assert_close, exact, visible_keys};
use longformer::attention::{Heads, Projections, Source};
use longformer::band::Pattern;
use longformer::{Band, Linear};

/// A score of up to 30 is rounded by up to 1e-6, several times on the way through a sum of up to 64
/// products. What it is off by absolutely, its weight is off by relatively, and the sum of weights
/// as well; the weighted mean of values in -1..1 is then off by at most twice that.
const TOLERANCE: f64 = 1e-5;

/// The same for queries a tenth as long, whose scores are up to 3.
const SHORT_TOLERANCE: f64 = 2e-6;

/// One query; less than a vector; a tile and a part; more than a block of 24 queries; several
/// blocks; more than one block of 192 keys for global queries.
pub(crate) const LENGTHS: [usize; 7] = [1, 2, 7, 25, 50, 75, 200];
pub(crate) const WINDOWS: [usize; 5] = [0, 1, 2, 8, 200];
/// One or more per head, taken in turns.
pub(crate) const DILATIONS: [&[usize]; 6] = [&[1], &[2], &[3], &[50], &[1, 3], &[50, 1, 2]];
/// Less than a vector, a vector, a panel, a panel and a part, several panels.
pub(crate) const HEAD_DIMS: [usize; 7] = [1, 3, 4, 8, 12, 32, 64];

pub(crate) const GLOBALS: [&str; 5] = ["none", "first", "edges", "several", "all"];
pub(crate) const MASKS: [&str; 4] = ["none", "end", "scattered", "globals"];

fn global_tokens(kind: &str, len: usize) -> Vec<usize> {
    match kind {
        "none" => vec![],
        "first" => vec![0],
        "edges" if len == 1 => vec![0],
        "edges" => vec![0, len - 1],
        // More than a panel of them where there is room.
        "several" => (0..len).skip(1).step_by(if len < 40 { 3 } else { 7 }).collect(),
        _ => (0..len).collect(),
    }
}

fn masked(kind: &str, len: usize) -> Vec<usize> {
    match kind {
        "none" => vec![],
        "end" => (len - len / 3..len).collect(),
        "scattered" => (0..len).filter(|position| position * 7 % 5 == 2).collect(),
        // Some of them in every kind of global tokens, and for short sequences all there is.
        _ => (0..len).filter(|&position| position < 3 || position == len - 1).collect(),
    }
}

pub(crate) fn sequence(len: usize, globals: &str, mask: &str) -> Sequence {
    Sequence { len, global_tokens: global_tokens(globals, len), masked: masked(mask, len) }
}

pub(crate) fn pattern(
    num_heads: usize,
    window: usize,
    dilations: &[usize],
    causal: bool,
) -> Pattern {
    let dilations: Vec<usize> = dilations.iter().copied().cycle().take(num_heads).collect();
    Pattern::new(window, &dilations, causal)
}

/// What the definition says of vectors at hand.
fn expected(case: &Case, local: &Vectors, global: &Vectors) -> Vec<f64> {
    let [local, global] = [local, global].map(|vectors| vectors.each_ref().map(|x| exact(x)));
    reference::attention(case.heads, &case.pattern, &case.sequences, &local, &global)
}

/// With queries of 0 all scores are 0, and all weights `1 / n` of `n` visible keys. With values
/// that are 1 in the column of one key, the context shows every single weight, and all of this
/// is exact in f32.
#[test]
fn every_visible_key_counts_once_and_no_other_at_all() {
    let mut random = Random::new(6);
    for len in LENGTHS {
        for window in WINDOWS {
            for dilations in DILATIONS {
                for globals in GLOBALS {
                    // Every mask where that is cheap, and one of them elsewhere.
                    let drawn = random.below(MASKS.len());
                    let masks = if len < 40 { &MASKS[..] } else { &MASKS[drawn..][..1] };
                    for mask in masks {
                        let causal = random.below(2) == 0;
                        let head_dim = 64;
                        // Each head shows the weights of its own 64 keys.
                        let heads = Heads { num_heads: len.div_ceil(head_dim), head_dim };
                        assert_weights(&Case {
                            heads,
                            pattern: pattern(heads.num_heads, window, dilations, causal),
                            sequences: vec![sequence(len, globals, mask)],
                        });
                    }
                }
            }
        }
    }
}

fn assert_weights(case: &Case) {
    let [sequence] = &case.sequences[..] else { panic!("one sequence") };
    let hidden_size = case.heads.hidden_size();
    let mut value = vec![0.0; sequence.len * hidden_size];
    (0..sequence.len).for_each(|j| value[j * hidden_size + j] = 1.0);
    let key = Random::new(0).floats(value.len(), 1.0);
    let context = case.context(&[vec![0.0; value.len()], key, value]);

    for i in 0..sequence.len {
        for (head, &band) in case.pattern.bands.iter().enumerate() {
            let keys = visible_keys(sequence, band, case.pattern.causal, i);
            let mut weights = vec![0.0; hidden_size];
            keys.iter().for_each(|&j| weights[j] = 1.0 / keys.len() as f32);
            for j in head * case.heads.head_dim..(head + 1) * case.heads.head_dim {
                let expected = weights[j];
                let weight = context[i * hidden_size + j];
                assert!(
                    weight == expected,
                    "query {i} gives key {j} the weight {weight}, expected {expected}, {case:?}"
                );
            }
        }
    }
}

#[test]
fn attention_matches_reference() {
    let mut random = Random::new(1);
    for len in LENGTHS {
        for window in WINDOWS {
            for dilations in DILATIONS {
                for globals in GLOBALS {
                    let num_heads = dilations.len() + random.below(2);
                    let heads = Heads { num_heads, head_dim: random.pick(&HEAD_DIMS) };
                    let mask = random.pick(&MASKS);
                    let case = Case {
                        heads,
                        pattern: pattern(num_heads, window, dilations, random.below(3) == 0),
                        sequences: vec![sequence(len, globals, mask)],
                    };
                    let mut vectors = [(); 2].map(|()| case.vectors(&mut random));
                    // Scores that cannot be large, too.
                    let length = random.pick(&[1.0, 0.1]);
                    for [query, ..] in &mut vectors {
                        query.iter_mut().for_each(|x| *x *= length);
                    }
                    let [local, global] = vectors;
                    let context = case.context_of([case.given(&local), case.given(&global)]);
                    let expected = expected(&case, &local, &global);
                    let tolerance = if length < 1.0 { SHORT_TOLERANCE } else { TOLERANCE };
                    assert_close(&case, &context, &expected, tolerance);
                }
            }
        }
    }
}

#[test]
fn asymmetric_windows_match_reference() {
    let mut random = Random::new(2);
    for len in LENGTHS {
        for _ in 0..40 {
            let heads = Heads { num_heads: 2, head_dim: random.pick(&HEAD_DIMS) };
            let bands = [(); 2].map(|()| Band {
                left: random.pick(&WINDOWS),
                right: random.pick(&WINDOWS),
                dilation: random.pick(&[1, 2, 3, 50]),
            });
            let sequences = vec![sequence(len, random.pick(&GLOBALS), random.pick(&MASKS))];
            let pattern = Pattern { bands: bands.to_vec(), causal: false };
            let case = Case { heads, pattern, sequences };
            let vectors = case.vectors(&mut random);
            let expected = expected(&case, &vectors, &vectors);
            assert_close(&case, &case.context(&vectors), &expected, TOLERANCE);
        }
    }
}

#[test]
fn ragged_batches_match_reference() {
    let mut random = Random::new(3);
    for _ in 0..100 {
        let dilations = random.pick(&DILATIONS);
        let heads = Heads { num_heads: dilations.len(), head_dim: random.pick(&HEAD_DIMS) };
        let sequences = (0..2 + random.below(4))
            .map(|_| {
                let len = 1 + random.below(90);
                sequence(len, random.pick(&GLOBALS), random.pick(&MASKS))
            })
            .collect();
        let causal = random.below(3) == 0;
        let pattern = pattern(heads.num_heads, random.pick(&WINDOWS), dilations, causal);
        let case = Case { heads, pattern, sequences };
        let [local, global] = [(); 2].map(|()| case.vectors(&mut random));
        let context = case.context_of([case.given(&local), case.given(&global)]);
        assert_close(&case, &context, &expected(&case, &local, &global), TOLERANCE);
    }
}

/// So many heads and tokens that keys and values are packed for some heads at a time.
#[test]
fn heads_in_rounds_match_reference() {
    let mut random = Random::new(5);
    for (globals, mask) in [("none", "scattered"), ("first", "none"), ("several", "end")] {
        let heads = Heads { num_heads: 13, head_dim: 4 };
        let case = Case {
            heads,
            pattern: pattern(heads.num_heads, 30, &[1, 3], false),
            sequences: vec![sequence(800, globals, mask), sequence(150, "edges", "none")],
        };
        let [local, global] = [(); 2].map(|()| case.vectors(&mut random));
        let context = case.context_of([case.given(&local), case.given(&global)]);
        assert_close(&case, &context, &expected(&case, &local, &global), TOLERANCE);
    }
}

/// Many blocks of queries and of keys, with windows that end far inside the sequence.
#[test]
fn a_long_sequence_matches_reference() {
    let mut random = Random::new(4);
    let heads = Heads { num_heads: 2, head_dim: 4 };
    let case = Case {
        heads,
        pattern: Pattern::new(100, &[1, 3], false),
        sequences: vec![Sequence {
            len: 1500,
            global_tokens: vec![0, 191, 192, 700, 1499],
            masked: (1100..1130).collect(),
        }],
    };
    let [local, global] = [(); 2].map(|()| case.vectors(&mut random));
    let context = case.context_of([case.given(&local), case.given(&global)]);
    assert_close("1500 tokens", &context, &expected(&case, &local, &global), TOLERANCE);
}

/// A linear layer and what it is made of.
pub(crate) struct Layer {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) linear: Linear,
}

impl Layer {
    /// For hidden states in -1..1 it gives features of about `limit`.
    pub(crate) fn new(random: &mut Random, in_features: usize, heads: Heads, limit: f32) -> Self {
        let out_features = heads.hidden_size();
        let weight = random.floats(in_features * out_features, limit / (in_features as f32).sqrt());
        let bias = random.floats(out_features, limit / 2.0);
        let mut linear =
            Linear::try_new(in_features, out_features, heads.num_heads).expect("memory");
        linear.write_weight(0, &weight).expect("finite");
        linear.write_bias(0, &bias);
        Self { weight, bias, linear }
    }
}

/// Compares attention over projections of hidden states, with layers of their own for global
/// queries. The values may be made of `value_states`, others than those of queries and keys.
fn assert_projected(random: &mut Random, case: &Case, in_features: usize, value_states: bool) {
    let states = [(); 2].map(|()| random.floats(case.tokens() * in_features, 1.0));
    let states = [0, 0, usize::from(value_states)].map(|i| &states[i]);
    let layers = [(); 2]
        .map(|()| [5.0, 5.0, 1.0].map(|limit| Layer::new(random, in_features, case.heads, limit)));
    let projections = layers.each_ref().map(|layers| {
        let [query, key, value] = [0, 1, 2]
            .map(|i| Source::Projected { hidden_states: states[i], weights: &layers[i].linear });
        Projections { query, key, value }
    });
    let [local, global] = layers.each_ref().map(|layers| {
        [0, 1, 2].map(|i| reference::linear(&exact(states[i]), &layers[i].weight, &layers[i].bias))
    });
    let expected =
        reference::attention(case.heads, &case.pattern, &case.sequences, &local, &global);
    let context = case.context_of(projections);
    assert_close((in_features, value_states, case), &context, &expected, TOLERANCE);
}

#[test]
fn projected_attention_matches_reference() {
    let mut random = Random::new(5);
    for head_dim in HEAD_DIMS {
        for in_features in [1, 5, 24] {
            for globals in GLOBALS {
                let heads = Heads { num_heads: 1 + random.below(3), head_dim };
                let dilations = random.pick(&DILATIONS);
                let sequences = (0..1 + random.below(3))
                    .map(|_| sequence(random.pick(&LENGTHS), globals, random.pick(&MASKS)))
                    .collect();
                let window = random.pick(&WINDOWS);
                let pattern = pattern(heads.num_heads, window, dilations, random.below(3) == 0);
                let case = Case { heads, pattern, sequences };
                assert_projected(&mut random, &case, in_features, false);
                if random.below(4) == 0 {
                    assert_projected(&mut random, &case, in_features, true);
                }
            }
        }
    }
}

/// With few of them the projections are folded into the global queries, with more they are not:
/// both over several blocks of 192 keys for each of 16 threads, and on either side of the change.
#[test]
fn global_queries_over_many_blocks_match_reference() {
    let mut random = Random::new(7);
    let tokens = [0, 191, 192, 1700, 2500, 3299];
    for (count, causal) in [(1, false), (4, false), (4, true), (5, true), (6, false)] {
        let case = Case {
            heads: Heads { num_heads: 2, head_dim: 8 },
            pattern: Pattern::new(1, &[1, 2], causal),
            sequences: vec![Sequence {
                len: 3300,
                global_tokens: tokens[tokens.len() - count..].to_vec(),
                masked: (600..1000).collect(),
            }],
        };
        assert_projected(&mut random, &case, 9, false);
    }
}
