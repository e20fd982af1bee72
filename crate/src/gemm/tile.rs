//! The register tile: up to 6 rows of `A` times one panel of `B`, or two, sums in registers.
//!
//! Per step of `depth`: two vectors of the panel, one element of each row spread over a vector,
//! two multiply-adds per row. With fused multiply-add, 6 rows take 12 sums + 2 + 1 = 15 vectors,
//! all that V8 has on x64. Without it the product needs a register of its own and 6 rows spill
//! (on Zen 4 to half speed): 4 rows are the most then.
//!
//! Two panels are for an engine that fuses pairs of vectors into one of 256 bits (`wide.rs`): the
//! same 15 registers, twice as wide. Where it does not, they spill.
//!
//! The order of the lines below is the order of the instructions: the build passes
//! `-pre-RA-sched=source` to LLVM, whose own order would need more registers than there are, and
//! V8 does not reorder. Unrolling the loop by hand makes it slower. Out of line, so that V8
//! compiles the loop well after a few calls instead of running a whole first pass unoptimised.

use super::{PANEL, Panels, Rows, Start};
use crate::simd::{F32x4, LANES, load_pair};
use std::array::from_fn;

/// Rows of the largest tile that does not spill.
pub(crate) const TILE_ROWS: usize =
    if cfg!(all(target_feature = "simd128", not(target_feature = "relaxed-simd"))) { 4 } else { 6 };

/// `C[0..ROWS][0..8 * PANELS] = start + A[0..ROWS] · B`, rows of `C` at a distance of `c_stride`,
/// panels of columns at one of `c_panel_stride`.
#[inline(never)]
pub(super) fn tile<const ROWS: usize, const PANELS: usize>(
    depth: usize,
    a: Rows,
    b: Panels,
    start: Start,
    c: &mut [f32],
    [c_stride, c_panel_stride]: [usize; 2],
) {
    let place = |row: usize, panel: usize| row * c_stride + panel * c_panel_stride;
    let mut sums = [[[F32x4::splat(0.0); 2]; PANELS]; ROWS];
    for (row, sums) in sums.iter_mut().enumerate() {
        for (panel, sum) in sums.iter_mut().enumerate() {
            match start {
                Start::Zero => {}
                Start::Bias(bias) => *sum = load_pair(&bias[panel * PANEL..]),
                Start::Accumulate => *sum = load_pair(&c[place(row, panel)..]),
            }
        }
    }

    let a: [&[f32]; ROWS] = from_fn(|row| &a.data[row * a.stride..][..depth]);
    let b: [&[[f32; PANEL]]; PANELS] =
        from_fn(|panel| &b.data[panel * b.stride..].as_chunks::<PANEL>().0[..depth]);
    for k in 0..depth {
        let columns: [[F32x4; 2]; PANELS] = from_fn(|panel| load_pair(&b[panel][k]));
        for row in 0..ROWS {
            let x = F32x4::splat(a[row][k]);
            for panel in 0..PANELS {
                for half in 0..2 {
                    sums[row][panel][half] =
                        x.mul_add(columns[panel][half], sums[row][panel][half]);
                }
            }
        }
    }

    for (row, sums) in sums.iter().enumerate() {
        for (panel, sum) in sums.iter().enumerate() {
            let (halves, _) = c[place(row, panel)..][..PANEL].as_chunks_mut::<LANES>();
            sum[0].store(&mut halves[0]);
            sum[1].store(&mut halves[1]);
        }
    }
}
