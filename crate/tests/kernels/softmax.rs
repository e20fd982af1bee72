//! The powers of two and the sums of softmax.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{Random, assert_same_bits, exact};
use longformer::softmax::{BOUND, Scores, exp2_and_sum, exp2_and_sum_of_columns, largest};

/// Relative: the polynomial is good for 2e-7, its last product and sum round by 6e-8 each; a sum
/// of up to 100 such terms adds a few roundings.
const TOLERANCE: f64 = 5e-7;

/// Where the power is a normal float. Below, to -126.5, it loses digits, and then all.
const LOWEST_NORMAL: f32 = -126.0;

fn assert_relatively_close(case: impl std::fmt::Debug, actual: f32, expected: f64) {
    let error = (f64::from(actual) / expected - 1.0).abs();
    let close = error <= TOLERANCE;
    assert!(close, "{case:?} gives {actual:e}, expected {expected:e}: relative {error:e}");
}

#[test]
fn powers_match_reference() {
    let scores: Vec<f32> = (0..=200_000).map(|i| i as f32 / 200_000.0 * LOWEST_NORMAL).collect();
    let mut weights = scores.clone();
    exp2_and_sum(&mut weights, 0.0);
    for (&score, &weight) in scores.iter().zip(&weights) {
        assert_relatively_close(score, weight, f64::from(score).exp2());
    }
}

#[test]
fn the_power_of_zero_is_one() {
    let mut row = [3.25; 7];
    assert_eq!(exp2_and_sum(&mut row, 3.25), 7.0);
    assert_eq!(row, [1.0; 7]);
}

#[test]
fn the_power_of_little_is_nearly_nothing_and_of_less_exactly_nothing() {
    let mut small: Vec<f32> = (0..=1000).map(|i| LOWEST_NORMAL - i as f32 * 0.001).collect();
    exp2_and_sum(&mut small, 0.0);
    for weight in small {
        assert!((0.0..1.3e-38).contains(&weight), "{weight:e}");
    }
    let mut none = [-126.6, -127.0, -127.5, -1e10, f32::MIN, f32::NEG_INFINITY, -1000.25];
    assert_eq!(exp2_and_sum(&mut none, 0.0), 0.0);
    assert_eq!(none, [0.0; 7]);
}

#[test]
fn sums_match_reference() {
    let mut random = Random::new(1);
    for len in 0..100 {
        let row = random.floats(len, 10.0);
        let max = largest(&row);
        let mut weights = row.clone();
        let sum = exp2_and_sum(&mut weights, max);
        if len == 0 {
            assert_eq!(sum, 0.0);
            continue;
        }
        let expected = exact(&row).into_iter().map(|x| (x - f64::from(max)).exp2());
        assert_relatively_close(len, sum, expected.sum());
        let total: f64 = exact(&weights).iter().sum();
        assert_relatively_close(len, sum, total);
    }
}

#[test]
fn minus_infinity_among_scores_counts_for_nothing() {
    for place in 0..11 {
        let mut row = [0.5; 11];
        row[place] = f32::NEG_INFINITY;
        assert_eq!(largest(&row), 0.5);
        assert_eq!(exp2_and_sum(&mut row, 0.5), 10.0, "-inf at {place}");
        assert_eq!(row[place], 0.0);
    }
}

#[test]
fn a_result_does_not_depend_on_its_place_in_the_row() {
    let row = Random::new(2).floats(19, 10.0);
    let mut alone = row.clone();
    for x in &mut alone {
        exp2_and_sum(std::slice::from_mut(x), 10.0);
    }
    for start in 0..row.len() {
        for end in start..=row.len() {
            let mut part = row[start..end].to_vec();
            exp2_and_sum(&mut part, 10.0);
            assert_same_bits((start, end), &part, &alone[start..end]);
        }
    }
}

#[test]
fn the_largest_is_found_wherever_it_stands() {
    assert_eq!(largest(&[]), f32::NEG_INFINITY);
    assert_eq!(largest(&[f32::NEG_INFINITY; 9]), f32::NEG_INFINITY);
    for len in 1..20 {
        for place in 0..len {
            let mut row = vec![-1e9; len];
            row[place] = -7.0;
            assert_eq!(largest(&row), -7.0, "at {place} of {len}");
        }
    }
}

/// 8 columns of scores, and what is made of them: weights, and sums.
fn of_columns(scores: &[f32], split: usize, first: usize, known: Scores) -> (Vec<f32>, [f32; 8]) {
    let mut weights = scores.to_vec();
    let (before, rest) = weights.split_at_mut(split * 8);
    let sums = exp2_and_sum_of_columns(before, rest, first, known);
    (weights, sums)
}

#[test]
fn columns_match_reference() {
    let mut random = Random::new(3);
    for rows in [1, 2, 3, 7, 63, 64, 65, 100, 200] {
        for split in [0, 1, 5].into_iter().filter(|&split| split <= rows) {
            for (limit, known) in [
                (BOUND, Scores::Bounded),
                (BOUND, Scores::Any),
                (3000.0, Scores::Any),
                (1e9, Scores::Any),
            ] {
                let scores = random.floats(rows * 8, limit);
                let (weights, sums) = of_columns(&scores, split, 3, known);
                for (col, &sum) in sums.iter().enumerate() {
                    let column = |x: &[f32]| -> Vec<f32> {
                        x.iter().skip(col).step_by(8).copied().collect()
                    };
                    let (scores, weights) = (column(&scores), column(&weights));
                    let max = f64::from(largest(&scores));
                    let powers: Vec<f64> =
                        exact(&scores).iter().map(|score| (score - max).exp2()).collect();
                    let total: f64 = powers.iter().sum();
                    for (row, (power, weight)) in powers.iter().zip(exact(&weights)).enumerate() {
                        let error = (weight / f64::from(sum) - power / total).abs();
                        let case = (rows, split, limit, known, row, col);
                        assert!(
                            error <= TOLERANCE,
                            "{case:?}: {weight:e} of {sum:e}, off by {error:e}"
                        );
                    }
                }
            }
        }
    }
}

/// Digits of weights, and so of what is made of them, do not tell whether the largest was sought.
#[test]
fn bounded_scores_give_the_same_digits() {
    for split in [0, 2] {
        let scores = Random::new(4).floats(150 * 8, BOUND);
        let [bounded, any] =
            [Scores::Bounded, Scores::Any].map(|known| of_columns(&scores, split, 0, known));
        for col in 0..8 {
            let factor = bounded.1[col] / any.1[col];
            assert_eq!(factor.log2().fract(), 0.0, "column {col}: a power of two, not {factor:e}");
            for row in 0..150 {
                let [x, y] = [&bounded, &any].map(|(weights, _)| weights[row * 8 + col]);
                assert_eq!(x, y * factor, "row {row} of column {col}");
                assert!(y <= 1.0, "row {row} of column {col}: {y}");
            }
        }
    }
}

#[test]
fn what_is_hidden_weighs_nothing_and_changes_no_sum() {
    let scores = Random::new(5).floats(90 * 8, 20.0);
    for known in [Scores::Bounded, Scores::Any] {
        let expected = of_columns(&scores, 0, 30, known);
        for more in [1, 5, 30] {
            let mut longer = vec![known.hidden(); more * 8];
            longer.extend(&scores);
            longer.extend(vec![known.hidden(); 8]);
            let (weights, sums) = of_columns(&longer, 0, 30 - more, known);
            assert_same_bits((known, more), &sums, &expected.1);
            assert_same_bits((known, more), &weights[more * 8..][..90 * 8], &expected.0);
            assert!(weights[..more * 8].iter().all(|&weight| weight == 0.0));
        }
    }
}

#[test]
fn a_column_with_nan_or_nothing_but_infinities_is_nan_and_the_others_are_not() {
    for (known, bad) in [
        (Scores::Any, f32::NAN),
        (Scores::Any, f32::NEG_INFINITY),
        (Scores::Any, f32::INFINITY),
        (Scores::Bounded, f32::NAN),
    ] {
        for lane in [0, 2, 7] {
            let mut scores = Random::new(6).floats(20 * 8, 5.0);
            let rows = if bad.is_infinite() { 0..20 } else { 7..8 };
            rows.for_each(|row| scores[row * 8 + lane] = bad);
            let expected = of_columns(&Random::new(6).floats(20 * 8, 5.0), 3, 0, known);
            let (_, sums) = of_columns(&scores, 3, 0, known);
            for (col, (sum, expected)) in sums.iter().zip(expected.1).enumerate() {
                if col == lane {
                    assert!(sum.is_nan(), "{known:?}, {bad} in column {lane}");
                } else {
                    assert_eq!(*sum, expected, "{known:?}, {bad} in column {lane}");
                }
            }
        }
    }
}
