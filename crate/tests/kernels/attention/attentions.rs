//! Hugging Face's layouts of the weights, against the definition of each weight.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::case::{Case, Vectors};
use super::definition::{GLOBALS, LENGTHS};
use super::weights::random_case;
use crate::reference::{self, Random, assert_close, band_shows, exact};

use longformer::Batch;
use longformer::attention::{AttentionWeights, Head, attentions, global_attentions};
use longformer::work::whole;

/// As for the weights of one query (`weights.rs`).
const TOLERANCE: f64 = 1e-5;

#[test]
fn attentions_match_reference() {
    let mut random = Random::new(11);
    for len in LENGTHS {
        for globals in GLOBALS {
            for _ in 0..6 {
                let case = random_case(&mut random, len, globals);
                let vectors = [(); 2].map(|()| case.vectors(&mut random));
                let every = random.below(3) + 1;
                assert_matches(&case, &(0..len).step_by(every).collect::<Vec<_>>(), &vectors);
                assert_matches(&case, &[random.below(len)], &vectors);
            }
        }
    }
}

/// Of the second of two sequences, so that its rows begin somewhere.
fn assert_matches(case: &Case, queries: &[usize], [local, global]: &[Vectors; 2]) {
    let mut batch = Batch::default();
    for sequence in case.sequences.clone() {
        batch.push(sequence.len, sequence.global_tokens, sequence.masked);
    }
    let (first, sequence) = (case.sequences[0].len, &case.sequences[1]);
    let len = sequence.len;
    let globals = &batch.sequences()[1].global_tokens;
    let exactly = [local, global].map(|vectors| vectors.each_ref().map(|x| exact(x)));
    let weights_of = |query| {
        let [local, global] = &exactly;
        let place = (first, query);
        reference::attention_weights(case.heads, &case.pattern, sequence, place, local, global)
    };
    let weights: Vec<Vec<f64>> = (0..len).map(weights_of).collect(); // [len][num_heads * len]

    for (number, &band) in case.pattern.bands.iter().enumerate() {
        let weight = |query: usize, key: usize| weights[query][number * len + key];
        let head = Head {
            heads: case.heads,
            head: number,
            pattern: &case.pattern,
            sequence: &batch.sequences()[1],
        };
        let is_global = |position: &usize| globals.contains(position);

        let mut expected = Vec::new();
        for &query in queries {
            let ordinary = !is_global(&query);
            expected
                .extend(globals.iter().map(|&key| if ordinary { weight(query, key) } else { 0.0 }));
            for column in 0..=2 * band.left {
                let key = (query + column * band.dilation).checked_sub(band.left * band.dilation);
                let key = key.filter(|&key| ordinary && key < len && !is_global(&key));
                let key = key.filter(|&key| band_shows(band, query, key));
                expected.push(key.map_or(0.0, |key| weight(query, key)));
            }
        }
        let mut weights = AttentionWeights::default();
        whole(|work| attentions(work, head, queries, case.given(local), &mut weights));
        let actual = weights.values;
        assert_close((number, queries, case), &actual, &expected, TOLERANCE);
        // Not only close to 0: a key out of sight has no weight at all.
        assert!(actual.iter().zip(&expected).all(|(x, y)| *y != 0.0 || *x == 0.0), "{case:?}");

        let expected: Vec<f64> = (0..len)
            .flat_map(|key| globals.iter().map(move |&query| (query, key)))
            .map(|(query, key)| weight(query, key))
            .collect();
        let mut weights = AttentionWeights::default();
        whole(|work| global_attentions(work, head, case.given(global), &mut weights));
        let actual = weights.values;
        assert_close((number, "global", case), &actual, &expected, TOLERANCE);
        assert!(actual.iter().zip(&expected).all(|(x, y)| *y != 0.0 || *x == 0.0), "{case:?}");
    }
}
