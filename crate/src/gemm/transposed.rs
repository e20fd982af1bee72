//! The product `C = start + Aᵀ · B` of two matrices in panels, `[depth][8]` each: a context out of
//! values, and of weights that lie key by key, as products of keys and queries leave them.
//!
//! The register tile is that of `tile.rs`: up to 6 columns of `A` times one panel of `B`, or two.
//! Columns of `A` that are neighbours are neighbours in memory, too: a step reads 16 or 24 bytes from
//! one panel of it or from two, at places that are known when the crate is compiled.

use super::{Output, PANEL, Panels, Shape, Start, TILE_ROWS, panels_at_a_time};
use crate::simd::{F32x4, LANES, load_pair};
use std::array::from_fn;
use std::ops::Range;

/// `C = start + Aᵀ · B`, where `A` is `[depth, rows]` and `B` `[depth, cols]`.
///
/// As for [`multiply`](super::multiply), every element is one sum over `depth` in ascending order.
///
/// Out of line as that is.
///
/// # Panics
///
/// If `rows` or `cols` is not a multiple of 8, if a matrix is too short for `shape`, or if sums are
/// to start from a bias.
#[inline(never)]
pub fn multiply_transposed(shape: Shape, a: Panels, b: Panels, start: Start, c: Output) {
    let Shape { rows, depth, cols } = shape;
    assert!(rows.is_multiple_of(PANEL) && cols.is_multiple_of(PANEL), "whole panels: {shape:?}");
    assert!(!matches!(start, Start::Bias(_)), "there is no bias per row");
    let Output { data, row_stride, panel_stride } = c;
    let mut panel = 0;
    while panel < cols / PANEL {
        let panels = (cols / PANEL - panel).min(panels_at_a_time());
        let b = Panels { data: &b.data[panel * b.stride..], ..b };
        let mut row = 0;
        while row < rows {
            // What two tiles of 4 do better than one of 6 and one of 2.
            let count = if matches!(rows - row, 4 | PANEL) { 4 } else { TILE_ROWS };
            let data = &mut data[panel * panel_stride + row * row_stride..];
            let c = Output { data, row_stride, panel_stride };
            match panels {
                1 => tile_of::<1>(row..row + count, depth, a, b, start, c),
                _ => tile_of::<2>(row..row + count, depth, a, b, start, c),
            }
            row += count;
        }
        panel += panels;
    }
}

/// The tile of some columns of `A`.
#[inline(always)]
fn tile_of<const PANELS: usize>(
    columns: Range<usize>,
    depth: usize,
    a: Panels,
    b: Panels,
    start: Start,
    c: Output,
) {
    let a = Panels { data: &a.data[columns.start / PANEL * a.stride..], ..a };
    match (columns.start % PANEL, columns.len()) {
        (0, 6) => tile::<0, 6, PANELS>(depth, a, b, start, c),
        (2, 6) => tile::<2, 6, PANELS>(depth, a, b, start, c),
        (4, 6) => tile::<4, 6, PANELS>(depth, a, b, start, c),
        (6, 6) => tile::<6, 6, PANELS>(depth, a, b, start, c),
        (0, 4) => tile::<0, 4, PANELS>(depth, a, b, start, c),
        (4, 4) => tile::<4, 4, PANELS>(depth, a, b, start, c),
        _ => unreachable!("tiles of {columns:?}"),
    }
}

/// `C[0..ROWS][0..8 * PANELS] = start + A[..][FIRST..FIRST + ROWS]ᵀ · B`.
#[inline(never)]
fn tile<const FIRST: usize, const ROWS: usize, const PANELS: usize>(
    depth: usize,
    a: Panels,
    b: Panels,
    start: Start,
    c: Output,
) {
    let Output { data: c, row_stride, panel_stride } = c;
    let place = |row: usize, panel: usize| row * row_stride + panel * panel_stride;
    let mut sums = [[[F32x4::splat(0.0); 2]; PANELS]; ROWS];
    if let Start::Accumulate = start {
        for (row, sums) in sums.iter_mut().enumerate() {
            for (panel, sum) in sums.iter_mut().enumerate() {
                *sum = load_pair(&c[place(row, panel)..]);
            }
        }
    }

    let [first, last] = [FIRST, FIRST + ROWS - 1].map(|col| steps(a, col / PANEL, depth));
    let b: [&[[f32; PANEL]]; PANELS] = from_fn(|panel| steps(b, panel, depth));
    for (k, (first, last)) in first.iter().zip(last).enumerate() {
        let columns: [[F32x4; 2]; PANELS] = from_fn(|panel| load_pair(&b[panel][k]));
        for (row, sums) in sums.iter_mut().enumerate() {
            let col = FIRST + row;
            let x = F32x4::splat(if col < PANEL { first[col] } else { last[col - PANEL] });
            for (sum, columns) in sums.iter_mut().zip(columns) {
                for (sum, half) in sum.iter_mut().zip(columns) {
                    *sum = x.mul_add(half, *sum);
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

/// The rows of one panel.
#[inline(always)]
fn steps(panels: Panels<'_>, panel: usize, depth: usize) -> &[[f32; PANEL]] {
    &panels.data[panel * panels.stride..].as_chunks::<PANEL>().0[..depth]
}
