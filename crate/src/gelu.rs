//! GELU with the exact error function, `x * (1 + erf(x / sqrt 2)) / 2`, not the tanh form.
//!
//! `erf` is a quotient of two polynomials, odd of degree 13 over even of degree 8: the coefficients
//! of Eigen's `perf` (`MathFunctionsImpl.h`), off by at most 4e-7 on `-4..4`. At 4.1 the quotient
//! has passed 1 by 7e-7, more than it can be off by rounding. Cut off at 1 there, it is exactly 1
//! beyond, so that GELU of a large negative number is 0 and not a fraction of that number.

use crate::simd::{F32x4, map_in_place};
use std::hint::black_box;

/// Applies GELU to every element.
pub fn gelu(row: &mut [f32]) {
    // Through `black_box` for the reason given in `softmax.rs`.
    let alpha = black_box([
        -2.726_142e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2_f32,
    ])
    .map(F32x4::splat);
    let beta = black_box([
        -1.456_607_2e-5,
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329_2e-3,
        -1.426_473_9e-2_f32,
    ])
    .map(F32x4::splat);
    let [half, sqrt_half, limit, minus_limit, one, minus_one] =
        black_box([0.5, std::f32::consts::FRAC_1_SQRT_2, 4.1, -4.1, 1.0, -1.0_f32])
            .map(F32x4::splat);

    map_in_place(row, |x| {
        let z = (x * sqrt_half).min(limit).max(minus_limit);
        let square = z * z;
        let p = alpha[1..].iter().fold(alpha[0], |p, &c| p.mul_add(square, c)) * z;
        let q = beta[1..].iter().fold(beta[0], |q, &c| q.mul_add(square, c));
        let erf = (p / q).min(one).max(minus_one);
        let half_x = x * half;
        half_x.mul_add(erf, half_x)
    });
}
