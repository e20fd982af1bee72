//! The weights of one query: against their definition, and against the context that they make.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::case::{Case, Vectors};
use super::definition::{
    DILATIONS, GLOBALS, HEAD_DIMS, LENGTHS, Layer, MASKS, WINDOWS, pattern, sequence,
};
use crate::reference::{self, Random, Sequence, assert_close, exact, visible_keys};
use longformer::Batch;
use longformer::attention::{AttentionWeights, Heads, Projections, Source, attention_weights};
use longformer::band::Pattern;
use longformer::work::whole;

/// As for the context (`definition.rs`): a score of up to 30, and with it the relative error of a
/// weight of at most 1.
const TOLERANCE: f64 = 1e-5;

fn weights_of(case: &Case, number: usize, query: usize, projections: [Projections; 2]) -> Vec<f32> {
    let mut batch = Batch::default();
    for Sequence { len, global_tokens, masked } in case.sequences.clone() {
        batch.push(len, global_tokens, masked);
    }
    let sequence = &batch.sequences()[number];
    let (heads, pattern, mut weights) = (case.heads, &case.pattern, AttentionWeights::default());
    whole(|work| {
        attention_weights(work, heads, pattern, sequence, query, projections, &mut weights)
    });
    weights.values
}

/// A window, dilations, global and masked tokens, for a random pair of sequences.
pub(crate) fn random_case(random: &mut Random, len: usize, globals: &str) -> Case {
    let dilations = random.pick(&DILATIONS);
    let num_heads = dilations.len() + random.below(2);
    Case {
        heads: Heads { num_heads, head_dim: random.pick(&HEAD_DIMS) },
        pattern: pattern(num_heads, random.pick(&WINDOWS), dilations, random.below(3) == 0),
        sequences: vec![sequence(5, "first", "none"), sequence(len, globals, random.pick(&MASKS))],
    }
}

/// The first, the last and some other queries.
fn queries(random: &mut Random, len: usize) -> Vec<usize> {
    let mut queries = vec![0, len - 1, random.below(len), random.below(len)];
    queries.sort_unstable();
    queries.dedup();
    queries
}

#[test]
fn weights_match_reference() {
    let mut random = Random::new(1);
    for len in LENGTHS {
        for globals in GLOBALS {
            for _ in 0..6 {
                let case = random_case(&mut random, len, globals);
                let vectors = [(); 2].map(|()| case.vectors(&mut random));
                for query in queries(&mut random, len) {
                    assert_matches(&case, query, &vectors);
                }
            }
        }
    }
}

fn assert_matches(case: &Case, query: usize, [local, global]: &[Vectors; 2]) {
    let weights = weights_of(case, 1, query, [case.given(local), case.given(global)]);
    let [local, global] = [local, global].map(|vectors| vectors.each_ref().map(|x| exact(x)));
    let sequence = &case.sequences[1];
    let place = (case.sequences[0].len, query);
    let (heads, pattern) = (case.heads, &case.pattern);
    let expected = reference::attention_weights(heads, pattern, sequence, place, &local, &global);
    assert_close((query, case), &weights, &expected, TOLERANCE);

    for (head, row) in weights.chunks_exact(sequence.len).enumerate() {
        let visible = visible_keys(sequence, pattern.bands[head], pattern.causal, query);
        for (key, &weight) in row.iter().enumerate() {
            // Not only close to 0: a key out of sight has no weight at all.
            assert!(
                weight == 0.0 || visible.contains(&key),
                "query {query} pays {weight} to key {key}, {case:?}"
            );
        }
        let sum: f64 = exact(row).iter().sum();
        let expected = if visible.is_empty() { 0.0 } else { 1.0 };
        assert_close((query, head, case), &[sum as f32], &[expected], 1e-6);
    }
}

#[test]
fn weighted_values_are_the_context() {
    let mut random = Random::new(2);
    for len in LENGTHS {
        for globals in GLOBALS {
            let case = random_case(&mut random, len, globals);
            let [local, global] = [(); 2].map(|()| case.vectors(&mut random));
            let projections = [case.given(&local), case.given(&global)];
            let context = case.context_of(projections);
            for query in queries(&mut random, len) {
                let Sequence { global_tokens, masked, .. } = &case.sequences[1];
                let is_global = global_tokens.contains(&query) && !masked.contains(&query);
                let value = exact(&if is_global { &global } else { &local }[2]);
                let weights = exact(&weights_of(&case, 1, query, projections));
                let Heads { num_heads, head_dim } = case.heads;
                let first = case.sequences[0].len;
                let vector = |token: usize, head: usize| (token * num_heads + head) * head_dim;
                for (head, weights) in weights.chunks_exact(len).enumerate() {
                    let mut expected = vec![0.0; head_dim];
                    for (key, weight) in weights.iter().enumerate() {
                        let value = &value[vector(first + key, head)..][..head_dim];
                        expected.iter_mut().zip(value).for_each(|(x, value)| *x += weight * value);
                    }
                    let row = &context[vector(first + query, head)..][..head_dim];
                    assert_close((query, head, &case), row, &expected, TOLERANCE);
                }
            }
        }
    }
}

/// With queries of 0 every visible key weighs the same, several blocks of keys or not.
#[test]
fn equal_scores_give_equal_weights() {
    let heads = Heads { num_heads: 3, head_dim: 4 };
    let case = Case {
        heads,
        pattern: Pattern::new(300, &[1, 2, 9], false),
        sequences: vec![Sequence {
            len: 1000,
            global_tokens: vec![0, 191, 500],
            masked: vec![250, 999],
        }],
    };
    let [_, key, value] = case.vectors(&mut Random::new(3));
    let vectors = [vec![0.0; key.len()], key, value];
    for query in [0, 1, 500, 640, 998] {
        let weights = weights_of(&case, 0, query, [case.given(&vectors); 2]);
        for (head, row) in weights.chunks_exact(1000).enumerate() {
            let band = case.pattern.bands[head];
            let visible = visible_keys(&case.sequences[0], band, false, query);
            let mut expected = vec![0.0; 1000];
            visible.iter().for_each(|&key| expected[key] = 1.0 / visible.len() as f64);
            assert_close((query, head), row, &expected, 1e-8);
        }
    }
    assert!(
        weights_of(&case, 0, 250, [case.given(&vectors); 2]).iter().all(|&weight| weight == 0.0)
    );
}

#[test]
fn weights_of_projected_hidden_states_match_reference() {
    let mut random = Random::new(4);
    for (in_features, globals) in [(1, "none"), (5, "edges"), (24, "several"), (24, "all")] {
        let case = random_case(&mut random, 75, globals);
        let hidden_states = random.floats(case.tokens() * in_features, 1.0);
        let layers = [(); 2].map(|()| {
            [5.0, 5.0, 1.0].map(|limit| Layer::new(&mut random, in_features, case.heads, limit))
        });
        let projections = layers.each_ref().map(|layers| {
            let source = |weights| Source::Projected { hidden_states: &hidden_states, weights };
            let [query, key, value] = layers.each_ref().map(|layer| source(&layer.linear));
            Projections { query, key, value }
        });
        let [local, global] = layers.each_ref().map(|layers| {
            let project = |layer: &Layer| {
                reference::linear(&exact(&hidden_states), &layer.weight, &layer.bias)
            };
            layers.each_ref().map(project)
        });
        for query in queries(&mut random, 75) {
            let weights = weights_of(&case, 1, query, projections);
            let (sequence, place) = (&case.sequences[1], (case.sequences[0].len, query));
            let (heads, pattern) = (case.heads, &case.pattern);
            let expected =
                reference::attention_weights(heads, pattern, sequence, place, &local, &global);
            assert_close((in_features, query, &case), &weights, &expected, TOLERANCE);
        }
    }
}
