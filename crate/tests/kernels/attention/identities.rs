//! What attention must keep to whatever the numbers are.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::case::Case;
use crate::panels::with_two_panels;
use crate::reference::{Random, Sequence, assert_close, assert_same_bits, exact};
use longformer::attention::{Heads, Layout, Projections, Source, Workspace, attention};
use longformer::band::Pattern;
use longformer::work::whole;
use longformer::{Band, Batch};

/// Two orders of the same sum of weights, up to 200 terms in 0..1: a few roundings of 6e-8 each.
const TOLERANCE: f64 = 2e-6;

/// A weight times a value in -1..1, the inverse of the weight, and their product: three roundings of
/// 6e-8.
const ALONE: f64 = 2e-7;

const HEADS: Heads = Heads { num_heads: 2, head_dim: 12 };

#[test]
fn window_0_returns_the_values() {
    let mut random = Random::new(1);
    for head_dim in [1, 3, 8, 12, 64] {
        for dilation in [1, 2, 50] {
            let case = Case::new(Heads { num_heads: 3, head_dim }, 0, dilation, 70);
            let vectors = case.vectors(&mut random);
            assert_close(&case, &case.context(&vectors), &exact(&vectors[2]), ALONE);
        }
    }
}

/// Panels of queries in pairs, alone, and both.
#[test]
fn two_panels_at_a_time_change_no_bit() {
    let mut random = Random::new(12);
    for (head_dim, dilation, globals) in [(24, 1, 0), (24, 3, 2), (64, 1, 20), (20, 2, 1)] {
        let heads = Heads { num_heads: 2, head_dim };
        let case = Case::new(heads, 21, dilation, 150).with_globals((0..globals).collect());
        let vectors = case.vectors(&mut random);
        let [one, two] = [false, true].map(|two| with_two_panels(two, || case.context(&vectors)));
        assert_same_bits(&case, &two, &one);
    }
}

#[test]
fn a_dilation_as_long_as_the_sequence_returns_the_values() {
    let mut random = Random::new(2);
    for dilation in [40, 41, 5000, usize::MAX] {
        let case = Case::new(HEADS, 200, dilation, 40);
        let vectors = case.vectors(&mut random);
        assert_close(&case, &case.context(&vectors), &exact(&vectors[2]), ALONE);
    }
}

#[test]
fn a_window_over_everything_is_dense_attention() {
    let mut random = Random::new(3);
    for len in [1, 5, 24, 60, 192] {
        let by_band = Case::new(HEADS, len - 1, 1, len);
        let vectors = by_band.vectors(&mut random);
        let dense = by_band.context(&vectors);
        for wider in [len, 1000, usize::MAX] {
            let context = Case::new(HEADS, wider, 1, len).context(&vectors);
            assert_same_bits(("window", wider, len), &context, &dense);
        }
        let by_globals = Case::new(HEADS, 0, 1, len).with_globals((0..len).collect());
        // Sums of weights in another order.
        let expected = exact(&dense);
        assert_close(("all global", len), &by_globals.context(&vectors), &expected, TOLERANCE);
    }
}

#[test]
fn a_dilation_makes_interleaved_sequences() {
    let mut random = Random::new(4);
    for (len, dilation) in [(60, 2), (61, 3), (200, 7), (90, 50)] {
        let case = Case::new(HEADS, 5, dilation, len);
        let vectors = case.vectors(&mut random);
        let context = case.context(&vectors);
        for strand in 0..dilation {
            let tokens: Vec<usize> = (strand..len).step_by(dilation).collect();
            let alone = Case::new(HEADS, 5, 1, tokens.len());
            let vectors = vectors.each_ref().map(|x| rows(x, &tokens));
            assert_same_bits(
                (len, dilation, strand),
                &rows(&context, &tokens),
                &alone.context(&vectors),
            );
        }
    }
}

/// The rows of `tokens`, all heads of them.
fn rows(x: &[f32], tokens: &[usize]) -> Vec<f32> {
    let cols = HEADS.hidden_size();
    tokens.iter().flat_map(|token| x[token * cols..][..cols].iter().copied()).collect()
}

#[test]
fn constant_value_rows_come_back() {
    let mut random = Random::new(5);
    for len in [1, 30, 300] {
        for dilation in [1, 3] {
            let case = Case::new(HEADS, 9, dilation, len).with_globals(vec![0]);
            let [query, key, _] = case.vectors(&mut random);
            let row = random.floats(HEADS.hidden_size(), 1.0);
            let value = row.repeat(len);
            let expected = exact(&value);
            assert_close(&case, &case.context(&[query, key, value]), &expected, TOLERANCE);
        }
    }
}

#[test]
fn heads_do_not_touch_each_other() {
    let mut random = Random::new(6);
    let heads = Heads { num_heads: 4, head_dim: 5 };
    let sequence = Sequence { len: 80, global_tokens: vec![0, 33], masked: vec![7, 79] };
    let band = |left, right, dilation| Band { left, right, dilation };
    let bands = vec![band(3, 3, 1), band(8, 8, 2), band(0, 5, 1), band(2, 0, 7)];
    let pattern = Pattern { bands: bands.clone(), causal: false };
    let case = Case { heads, pattern, sequences: vec![sequence] };
    let vectors = case.vectors(&mut random);

    let order = [2, 0, 3, 1];
    let permute = |x: &[f32]| -> Vec<f32> {
        x.chunks_exact(heads.hidden_size())
            .flat_map(|row| order.iter().flat_map(|head| &row[head * 5..][..5]))
            .copied()
            .collect()
    };
    let pattern = Pattern { bands: order.map(|head| bands[head]).to_vec(), causal: false };
    let permuted = Case { pattern, ..case.clone() };
    let context = permuted.context(&vectors.each_ref().map(|x| permute(x)));
    assert_same_bits("heads in another order", &context, &permute(&case.context(&vectors)));
}

#[test]
fn a_ragged_batch_gives_what_its_sequences_give_alone() {
    let mut random = Random::new(7);
    let sequence = |len, global_tokens: &[usize], masked: &[usize]| Sequence {
        len,
        global_tokens: global_tokens.to_vec(),
        masked: masked.to_vec(),
    };
    for (window, dilations) in [(6, [1, 1]), (6, [2, 5]), (500, [1, 50])] {
        let case = Case {
            heads: HEADS,
            pattern: Pattern::new(window, &dilations, false),
            sequences: vec![
                sequence(1, &[0], &[]),
                sequence(40, &[0, 3, 39], &[5]),
                sequence(13, &[], &[12]),
                sequence(1, &[], &[]),
                sequence(250, &[0], &[100, 101]),
                sequence(2, &[1], &[]),
            ],
        };
        let vectors = case.vectors(&mut random);
        let mut alone = Vec::new();
        let mut start = 0;
        for sequence in &case.sequences {
            let tokens: Vec<usize> = (start..start + sequence.len).collect();
            let case = Case { sequences: vec![sequence.clone()], ..case.clone() };
            alone.extend(case.context(&vectors.each_ref().map(|x| rows(x, &tokens))));
            start += sequence.len;
        }
        assert_same_bits((window, dilations), &case.context(&vectors), &alone);
    }
}

/// Widening the window from 4 to 5 shows query `i` one more key on the left, at `i - 5`. If that
/// key is global the query has seen it all along.
#[test]
fn a_global_key_inside_the_band_counts_once() {
    let mut random = Random::new(8);
    for dilation in [1, 3] {
        for global in [0, 7, 20, 31, 55] {
            let contexts = [4, 5].map(|left| {
                let bands = vec![Band { left, right: 2, dilation }; 2];
                let pattern = Pattern { bands, causal: false };
                let mut random = Random::new(global as u64);
                let case = Case::new(HEADS, 0, 1, 80).with_globals(vec![global]);
                let case = Case { pattern, ..case };
                case.context(&case.vectors(&mut random))
            });
            let query = global + 5 * dilation;
            let [narrow, wide] = contexts.each_ref().map(|context| rows(context, &[query]));
            assert_close((dilation, global), &wide, &exact(&narrow), TOLERANCE);
            // Its neighbour does see another key.
            let other = random.pick(&[query + 1, query + 2]);
            let [narrow, wide] = contexts.each_ref().map(|context| rows(context, &[other]));
            assert_ne!(narrow, wide, "query {other}, global key {global}");
        }
    }
}

#[test]
fn nothing_of_the_future_shows_under_a_causal_pattern() {
    let mut random = Random::new(9);
    let case = Case::new(HEADS, 7, 1, 90).with_globals(vec![0, 30, 60, 89]);
    let case = Case { pattern: Pattern::new(7, &[1, 3], true), ..case };
    let [local, global] = [(); 2].map(|()| case.vectors(&mut random));
    let context = case.context_of([case.given(&local), case.given(&global)]);
    for now in [1, 30, 31, 59, 89] {
        let mut changed = [local.clone(), global.clone()];
        for x in changed.iter_mut().flatten() {
            let future = random.floats((90 - now) * HEADS.hidden_size(), 4.0);
            x[now * HEADS.hidden_size()..].copy_from_slice(&future);
        }
        let [local, global] = &changed;
        let changed = case.context_of([case.given(local), case.given(global)]);
        let past: Vec<usize> = (0..now).collect();
        assert_same_bits(now, &rows(&changed, &past), &rows(&context, &past));
        assert_ne!(rows(&changed, &[now]), rows(&context, &[now]), "{now} itself");
    }
}

#[test]
fn a_masked_token_gives_0_and_changes_no_other() {
    let mut random = Random::new(10);
    let masked = vec![0, 5, 6, 41, 42, 59];
    let mut case = Case::new(HEADS, 4, 1, 60).with_globals(vec![0, 5, 20]);
    case.sequences[0].masked = masked.clone();
    let vectors = case.vectors(&mut random);
    let context = case.context(&vectors);
    assert!(rows(&context, &masked).iter().all(|&x| x == 0.0));

    let mut changed = vectors.clone();
    for x in &mut changed {
        for token in &masked {
            let other = random.floats(HEADS.hidden_size(), 9.0);
            x[token * HEADS.hidden_size()..][..HEADS.hidden_size()].copy_from_slice(&other);
        }
    }
    assert_same_bits("changed", &case.context(&changed), &context);

    // The flags of masked tokens are no flags.
    case.sequences[0].global_tokens = vec![20];
    assert_same_bits("no flags", &case.context(&vectors), &context);
}

#[test]
fn a_wholly_masked_sequence_gives_0() {
    let mut case = Case::new(HEADS, 4, 2, 30).with_globals(vec![0, 3]);
    case.sequences[0].masked = (0..30).collect();
    let vectors = case.vectors(&mut Random::new(11));
    assert!(case.context(&vectors).iter().all(|&x| x == 0.0));
}

/// Scores in steps of 1000, far outside what `exp` can take: the largest has all the weight,
/// whether it comes in the first, a middle or the last block of keys.
#[test]
fn the_largest_score_takes_all_however_large() {
    let heads = Heads { num_heads: 1, head_dim: 4 };
    let len = 600;
    for sign in [1.0, -1.0] {
        for best in [0_usize, 191, 192, 400, 599] {
            let case = Case::new(heads, len, 1, len).with_globals(vec![0, 300]);
            let mut random = Random::new(12);
            let [mut query, mut key, value] = case.vectors(&mut random);
            query.fill(0.0);
            key.fill(0.0);
            for (i, (query, key)) in
                query.chunks_exact_mut(4).zip(key.chunks_exact_mut(4)).enumerate()
            {
                query[0] = 2.0 * sign;
                key[0] = sign * -1000.0 * best.abs_diff(i) as f32;
            }
            let context = case.context(&[query, key, value.clone()]);
            let expected = value[best * 4..][..4].repeat(len);
            assert_same_bits((sign, best), &context, &expected);
        }
    }
}

fn nothing() -> Projections<'static> {
    let source = Source::Given { data: &[], layout: Layout::ByToken };
    Projections { query: source, key: source, value: source }
}

/// As they are read, so that without a dilation nothing is copied, and otherwise.
#[test]
fn the_layout_of_vectors_does_not_matter() {
    let mut random = Random::new(18);
    for (head_dim, dilations, len, globals) in [
        (12, [2, 2], 50, vec![0, 31]),
        (12, [1, 1], 50, vec![0, 31]),
        (12, [1, 3], 300, vec![5]),
        (64, [1, 1], 70, vec![]),
        (8, [1, 2], 33, vec![32]),
        (4, [1, 1], 1, vec![0]),
        (12, [1, 1], 1, vec![]),
    ] {
        let heads = Heads { num_heads: 2, head_dim };
        let pattern = Pattern::new(4, &dilations, false);
        let case = Case { pattern, ..Case::new(heads, 0, 1, len).with_globals(globals) };
        let vectors = case.vectors(&mut random);
        let expected = case.context(&vectors);
        let by_head = vectors.each_ref().map(|data| by_head(data, heads));
        let places = random.pick(&[len, len | 1]);
        let by_panel = by_head.each_ref().map(|data| by_panel(data, heads, len, places));
        let [query, key, value] =
            by_head.each_ref().map(|data| Source::Given { data, layout: Layout::ByHead });
        let projections = Projections { query, key, value };
        assert_same_bits(("by head", &case), &case.context_of([projections; 2]), &expected);
        let [query, _, value] =
            by_panel.each_ref().map(|data| Source::Given { data, layout: Layout::ByPanel });
        let projections = Projections { query, key, value };
        assert_same_bits(("by panel", &case), &case.context_of([projections; 2]), &expected);
    }
}

/// `[tokens, num_heads, head_dim]` as `[num_heads, tokens, head_dim]`.
fn by_head(data: &[f32], Heads { num_heads, head_dim }: Heads) -> Vec<f32> {
    let of_head = |head| data.chunks(head_dim).skip(head).step_by(num_heads).flatten().copied();
    (0..num_heads).flat_map(of_head).collect()
}

/// `[num_heads, tokens, head_dim]` as `[num_heads, padded(head_dim) / 8, places, 8]`, NaN where there is
/// nothing.
fn by_panel(
    data: &[f32],
    Heads { num_heads, head_dim }: Heads,
    tokens: usize,
    places: usize,
) -> Vec<f32> {
    let panels = head_dim.div_ceil(8);
    let element = |at: usize| {
        let (feature, token) = (at / 8 / places % panels * 8 + at % 8, at / 8 % places);
        let head = at / 8 / places / panels;
        let is_there = token < tokens && feature < head_dim;
        if is_there { data[(head * tokens + token) * head_dim + feature] } else { f32::NAN }
    };
    (0..num_heads * panels * places * 8).map(element).collect()
}

/// As large and as small as floats are beside weights of 2^30 and 2^-30: the bound of scores that are
/// taken as they are.
#[test]
fn large_and_small_values_come_through() {
    let mut random = Random::new(20);
    for scale in [1e20_f32, 1e-20] {
        for length in [0.1, 0.5, 1.0, 10.0] {
            let case = Case::new(HEADS, 5, 1, 60).with_globals(vec![0]);
            let [mut query, key, mut value] = case.vectors(&mut random);
            query.iter_mut().for_each(|x| *x *= length);
            let context = case.context(&[query.clone(), key.clone(), value.clone()]);
            value.iter_mut().for_each(|x| *x *= scale);
            let scaled = case.context(&[query, key, value]);
            let expected: Vec<f64> = exact(&context);
            let scaled: Vec<f32> = scaled.iter().map(|x| x / scale).collect();
            assert_close((scale, length), &scaled, &expected, TOLERANCE);
        }
    }
}

/// Scores that cannot be large are taken without a look at the largest. What decides it, the longest
/// key, may stand anywhere.
#[test]
fn a_long_key_out_of_sight_changes_no_bit() {
    let mut random = Random::new(19);
    for dilations in [[1, 1], [1, 3]] {
        let case = Case::new(HEADS, 0, 1, 120).with_globals(vec![3]);
        let case = Case { pattern: Pattern::new(6, &dilations, false), ..case };
        let vectors = case.vectors(&mut random);
        let context = case.context(&vectors);
        let mut changed = vectors.clone();
        changed[1][100 * HEADS.hidden_size()..][..HEADS.hidden_size()].fill(1e5);
        let before: Vec<usize> = (0..80).filter(|&token| token != 3).collect();
        let changed = case.context(&changed);
        assert_same_bits(dilations, &rows(&changed, &before), &rows(&context, &before));
        assert_ne!(rows(&changed, &[100]), rows(&context, &[100]), "who sees it");
    }
}

#[test]
fn without_global_tokens_nothing_global_is_read() {
    let case = Case::new(HEADS, 4, 1, 30);
    let vectors = case.vectors(&mut Random::new(13));
    let context = case.context_of([case.given(&vectors), nothing()]);
    assert_same_bits("no globals", &context, &case.context(&vectors));
}

/// Local queries look at global keys through the local projections; only the rows of global
/// tokens change with the others.
#[test]
fn global_projections_serve_the_rows_of_global_tokens_only() {
    let mut random = Random::new(14);
    let globals = [0, 17, 44];
    let case = Case::new(HEADS, 3, 1, 60).with_globals(globals.to_vec());
    let [local, global, other] = [(); 3].map(|()| case.vectors(&mut random));
    let context = case.context_of([case.given(&local), case.given(&global)]);
    let changed = case.context_of([case.given(&local), case.given(&other)]);
    let others: Vec<usize> = (0..60).filter(|token| !globals.contains(token)).collect();
    assert_same_bits("ordinary rows", &rows(&context, &others), &rows(&changed, &others));
    for token in globals {
        assert_ne!(rows(&context, &[token]), rows(&changed, &[token]), "global token {token}");
    }
    let changed = case.context_of([case.given(&other), case.given(&global)]);
    assert_same_bits("global rows", &rows(&context, &globals), &rows(&changed, &globals));
}

#[test]
fn an_empty_batch_is_nothing() {
    let pattern = Pattern::new(3, &[1, 2], false);
    let (batch, mut workspace) = (Batch::default(), Workspace::default());
    whole(|work| attention(work, HEADS, &pattern, &batch, [nothing(); 2], &mut workspace, &mut []));
}

#[cfg(not(target_arch = "wasm32"))]
mod refused {
    use super::*;
    use longformer::Linear;

    #[test]
    #[should_panic(expected = "one band per head")]
    fn bands_for_another_number_of_heads() {
        let case = Case::new(HEADS, 1, 1, 5);
        let vectors = case.vectors(&mut Random::new(15));
        Case { pattern: Pattern::new(1, &[1], false), ..case }.context(&vectors);
    }

    #[test]
    #[should_panic(expected = "one vector a token and head")]
    fn global_vectors_of_other_tokens() {
        let case = Case::new(HEADS, 1, 1, 5).with_globals(vec![2]);
        let vectors = case.vectors(&mut Random::new(16));
        let fewer = vectors.each_ref().map(|x| x[HEADS.hidden_size()..].to_vec());
        case.context_of([case.given(&vectors), case.given(&fewer)]);
    }

    #[test]
    #[should_panic(expected = "one group of features per head")]
    fn global_layers_without_groups() {
        let case = Case::new(HEADS, 1, 1, 5).with_globals(vec![2]);
        let vectors = case.vectors(&mut Random::new(17));
        let weights = &Linear::try_new(3, HEADS.hidden_size(), 1).expect("memory");
        let source = Source::Projected { hidden_states: &[0.0; 15], weights };
        let global = Projections { query: source, key: source, value: source };
        case.context_of([case.given(&vectors), global]);
    }
}
