//! The register tile: up to 6 rows of `A` times one panel of `B`, sums in registers.
//!
//! Per step of `depth`: two vectors of the panel, one element of each row spread over a vector,
//! two multiply-adds per row. With fused multiply-add, 6 rows take 12 sums + 2 + 1 = 15 vectors,
//! all that V8 has on x64. Without it the product needs a register of its own and 6 rows spill
//! (on Zen 4 to half speed): 4 rows are the most then.
//!
//! The order of the lines below is the order of the instructions: the build passes
//! `-pre-RA-sched=source` to LLVM, whose own order would need more registers than there are, and
//! V8 does not reorder. Unrolling the loop by hand makes it slower. Out of line, so that V8
//! compiles the loop well after a few calls instead of running a whole first pass unoptimised.

use super::{PANEL, Rows, Start};
use crate::simd::{F32x4, LANES, load_pair};

/// Rows of the largest tile that does not spill.
pub(crate) const TILE_ROWS: usize =
    if cfg!(all(target_feature = "simd128", not(target_feature = "relaxed-simd"))) { 4 } else { 6 };

/// `C[0..ROWS][0..8] = start + A[0..ROWS] · B`, rows of `C` at a distance of `c_stride`.
#[inline(never)]
pub(super) fn tile<const ROWS: usize>(
    depth: usize,
    a: Rows,
    b: &[f32],
    start: Start,
    c: &mut [f32],
    c_stride: usize,
) {
    let mut sums = [[F32x4::splat(0.0); 2]; ROWS];
    match start {
        Start::Zero => {}
        Start::Bias(bias) => sums = [load_pair(bias); ROWS],
        Start::Accumulate => {
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = load_pair(&c[row * c_stride..]);
            }
        }
    }

    let a: [&[f32]; ROWS] = std::array::from_fn(|row| &a.data[row * a.stride..][..depth]);
    let (b, _) = b.as_chunks::<PANEL>();
    let b = &b[..depth];
    for k in 0..depth {
        let [b0, b1] = load_pair(&b[k]);
        for row in 0..ROWS {
            let x = F32x4::splat(a[row][k]);
            sums[row][0] = x.mul_add(b0, sums[row][0]);
            sums[row][1] = x.mul_add(b1, sums[row][1]);
        }
    }

    for (row, sum) in sums.iter().enumerate() {
        let (halves, _) = c[row * c_stride..][..PANEL].as_chunks_mut::<LANES>();
        sum[0].store(&mut halves[0]);
        sum[1].store(&mut halves[1]);
    }
}
