//! The product with a right matrix in half precision: each panel, or pair of them, is widened once,
//! into a buffer that the first-level cache holds, and the rows of a block go over it as over any other.
//!
//! So the result is that of the single precision product of the same numbers, bit for bit.

use super::{Output, PANEL, Panels, Rows, Shape, Start, multiply, padded, wide};
use crate::half::{TooLarge, try_to_half, widen};
use crate::spare::Spare;

/// Widened panels, one or two for each thread.
static WIDENED: Spare<Vec<f32>> = Spare::new();

/// `C = start + A · B`, with `B` in halves: panels `[depth][8]` without gaps.
///
/// # Panics
///
/// If a matrix is too short for `shape`.
pub fn multiply_half(shape: Shape, a: Rows, b: &[u16], start: Start, c: Output) {
    let Shape { rows, depth, cols } = shape;
    let together = PANEL * wide::panels_at_a_time();
    WIDENED.lend(|widened| {
        widened.resize(widened.len().max(depth * together), 0.0);
        for first_col in (0..cols).step_by(together) {
            let panel = first_col / PANEL;
            let width = (cols - first_col).min(together);
            let panels = &b[first_col * depth..][..padded(width) * depth];
            widen(panels, &mut widened[..panels.len()]);
            multiply(
                Shape { rows, depth, cols: width },
                a,
                Panels { data: widened, stride: depth * PANEL },
                start.at_column(first_col),
                Output { data: &mut c.data[panel * c.panel_stride..], ..c },
            );
        }
    });
}

/// Writes one column of `B`, rounded to halves, into its panel.
pub fn pack_half_column(
    panels: &mut [u16],
    depth: usize,
    col: usize,
    column: &[f32],
) -> Result<(), TooLarge> {
    let panel = &mut panels[col / PANEL * depth * PANEL..][..depth * PANEL];
    let (rows, _) = panel.as_chunks_mut::<PANEL>();
    for (row, &x) in rows.iter_mut().zip(column) {
        row[col % PANEL] = try_to_half(x)?;
    }
    Ok(())
}
