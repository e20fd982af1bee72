//! Half precision: what every half is worth, and which half every single becomes.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use longformer::half::{TooLarge, from_half, to_half, try_to_half, widen};

const INFINITY: u16 = 0x7c00;
const SIGN: u16 = 0x8000;

/// `from_half` has its own test, in `dtype.rs`, against the format's definition.
#[test]
fn widening_gives_the_same_bits_as_one_by_one_wherever_a_half_stands() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    let expected: Vec<u32> = halves.iter().map(|&half| from_half(half).to_bits()).collect();
    for (start, len) in [(0, 1 << 16), (1, 65_535), (3, 65_531), (40_000, 2), (5, 1), (9, 0)] {
        let mut singles = vec![0.5; len];
        widen(&halves[start..start + len], &mut singles);
        let bits: Vec<u32> = singles.iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, expected[start..start + len], "{len} halves from {start:#06x} on");
    }
}

#[test]
fn a_half_becomes_itself() {
    for bits in 0..=u16::MAX {
        let single = from_half(bits);
        if single.is_nan() {
            assert!(from_half(to_half(single)).is_nan(), "{bits:#06x}");
            assert_eq!(to_half(single) & SIGN, bits & SIGN, "{bits:#06x}");
        } else {
            assert_eq!(to_half(single), bits, "{single}");
        }
    }
}

/// What lies halfway between two neighbours, with either sign, and the singles next to it. Halfway
/// to infinity is half a step behind the largest half, as if there were a next one.
#[test]
fn a_single_becomes_the_nearest_half_and_the_even_one_of_two() {
    for lower in 0..INFINITY {
        let below = from_half(lower);
        let above = if lower + 1 == INFINITY { 65_536.0 } else { from_half(lower + 1) };
        let halfway = (below + above) / 2.0; // exact: it takes one bit more than a half has
        let even = lower + (lower & 1);
        for sign in [0, SIGN] {
            let signed = |x: f32| if sign == 0 { x } else { -x };
            assert_eq!(to_half(signed(halfway)), sign | even, "{halfway}");
            assert_eq!(to_half(signed(halfway.next_down())), sign | lower, "below {halfway}");
            assert_eq!(to_half(signed(halfway.next_up())), sign | (lower + 1), "above {halfway}");
        }
    }
}

#[test]
fn what_no_half_is_near_to() {
    for x in [65_520.0, 1e6, f32::MAX, f32::INFINITY] {
        assert_eq!([to_half(x), to_half(-x)], [INFINITY, SIGN | INFINITY], "{x}");
        for (x, half) in [(x, INFINITY), (-x, SIGN | INFINITY)] {
            assert_eq!(try_to_half(x), if x.is_finite() { Err(TooLarge(x)) } else { Ok(half) });
        }
    }
    for x in [0.0, f32::from_bits(1), f32::MIN_POSITIVE, 2.9e-8] {
        assert_eq!([to_half(x), to_half(-x)], [0, SIGN], "{x}");
    }
    // A NaN whose mantissa is in the bits that a half has not.
    assert!(from_half(to_half(f32::from_bits(0x7f80_0001))).is_nan());
}
