//! The powers of two and the sums of softmax.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{Random, assert_same_bits, exact};
use longformer::softmax::{exp2_and_sum, largest};

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
