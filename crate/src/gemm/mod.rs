//! The matrix product `C = start + A · B`, from which attention and the linear layers are made, and that
//! of a transposed `A`.
//!
//! `A` lies in rows as the activations do. `B` is packed into *panels* of 8 columns, each
//! `[depth][8]`, in the order in which the register tile reads it. `C` is written row by row, or
//! panel by panel where it is the `B` of a later product.
//!
//! The loops: one panel of `B` after another, or one pair of them (`wide`), and under it tile after
//! tile of rows of `A`. The panel stays in the first-level cache, the rows in the second; callers
//! bring blocks of rows small enough for that (`columns`).

mod half;
mod int8;
mod tile;
mod transposed;
pub mod wide;

use crate::simd::{F32x4, LANES, copy, load_pair};
use std::array::from_fn;
use tile::tile;

pub use half::{multiply_half, pack_half_column};
pub use int8::{
    Int8Matrix, Int8Panels, QuantizedRows, Sums, multiply_int8, multiply_quantized, quantize_row,
    quantize_symmetric, quantized_row_len,
};
pub(crate) use tile::TILE_ROWS;
pub use transposed::multiply_transposed;
pub use wide::panels_at_a_time;

/// Columns of a panel.
pub const PANEL: usize = 8;

/// `cols` rounded up to whole panels.
pub fn padded(cols: usize) -> usize {
    cols.next_multiple_of(PANEL)
}

/// The left matrix: rows of floats whose beginnings are `stride` apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// From the first element of the first row on.
    pub data: &'a [f32],
    /// Distance of neighbouring rows.
    pub stride: usize,
}

/// The right matrix, or the left one of [`multiply_transposed`]: panels `[depth][8]` whose beginnings are
/// `stride` apart.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    /// From the first element of the first panel on.
    pub data: &'a [f32],
    /// Distance of neighbouring panels.
    pub stride: usize,
}

/// The result: element `(row, col)` at `row * row_stride + (col / 8) * panel_stride + col % 8`.
/// With a panel stride of 8 that is a plain row-major matrix.
pub struct Output<'a> {
    /// From element (0, 0) on.
    pub data: &'a mut [f32],
    /// Distance of neighbouring rows.
    pub row_stride: usize,
    /// Distance of neighbouring panels of columns.
    pub panel_stride: usize,
}

/// What the sums start from.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Nothing.
    Zero,
    /// One value per column; at least `padded(cols)` long.
    Bias(&'a [f32]),
    /// What `C` holds.
    Accumulate,
}

impl Start<'_> {
    /// What the sums of column `first` and those behind it start from.
    fn at_column(self, first: usize) -> Self {
        match self {
            Start::Bias(bias) => Start::Bias(&bias[first..]),
            other => other,
        }
    }
}

/// Rows of `A` and `C`, columns of `A` = rows of `B`, columns of `B` and `C`.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    #[allow(missing_docs, reason = "said above")]
    pub rows: usize,
    #[allow(missing_docs, reason = "said above")]
    pub depth: usize,
    #[allow(missing_docs, reason = "said above")]
    pub cols: usize,
}

/// `C = start + A · B`.
///
/// Every element of `C` is one sum over `depth` in ascending order: it does not depend on how
/// the rows are split into calls.
///
/// # Panics
///
/// If a matrix is too short for `shape`.
pub fn multiply(shape: Shape, a: Rows, b: Panels, start: Start, c: Output) {
    match panels_at_a_time() {
        1 => multiply_by::<1>(shape, a, b, start, c),
        _ => multiply_by::<2>(shape, a, b, start, c),
    }
}

/// The same over `AT_A_TIME` panels at a time.
///
/// Out of line, as the tile is: V8 optimises what is called often. And apart, since it puts tiles into
/// it that nobody has called, too: an engine whose vectors are fused needs those compiled anew.
#[inline(never)]
fn multiply_by<const AT_A_TIME: usize>(shape: Shape, a: Rows, b: Panels, start: Start, c: Output) {
    let Shape { rows, depth, cols } = shape;
    if rows == 0 || cols == 0 {
        return;
    }
    assert!(a.data.len() >= (rows - 1) * a.stride + depth, "A is too short for {shape:?}");
    let mut first_col = 0;
    while first_col < cols {
        let panels = ((cols - first_col) / PANEL).clamp(1, AT_A_TIME);
        let width = (cols - first_col).min(panels * PANEL);
        let panel = first_col / PANEL;
        let b_panel = &b.data[panel * b.stride..][..(panels - 1) * b.stride + depth * PANEL];
        let start = start.at_column(first_col);
        let c_panel = &mut c.data[panel * c.panel_stride..];
        let b = Panels { data: b_panel, stride: b.stride };
        for first_row in (0..rows).step_by(TILE_ROWS) {
            let count = (rows - first_row).min(TILE_ROWS);
            let a = Rows { data: &a.data[first_row * a.stride..], stride: a.stride };
            let c_tile = &mut c_panel[first_row * c.row_stride..];
            let strides = [c.row_stride, c.panel_stride];
            if AT_A_TIME == 2 && width == 2 * PANEL {
                tile_of::<2>(count, depth, a, b, start, c_tile, strides);
            } else if width == PANEL {
                tile_of::<1>(count, depth, a, b, start, c_tile, strides);
            } else {
                // The tile writes whole panels; the columns past the last one go no further.
                let mut whole = [0.0; TILE_ROWS * PANEL];
                let (whole_rows, _) = whole.as_chunks_mut::<PANEL>();
                for (row, whole_row) in whole_rows[..count].iter_mut().enumerate() {
                    whole_row[..width].copy_from_slice(&c_tile[row * c.row_stride..][..width]);
                }
                tile_of::<1>(count, depth, a, b, start, &mut whole, [PANEL; 2]);
                let (whole_rows, _) = whole.as_chunks::<PANEL>();
                for (row, whole_row) in whole_rows[..count].iter().enumerate() {
                    c_tile[row * c.row_stride..][..width].copy_from_slice(&whole_row[..width]);
                }
            }
        }
        first_col += width;
    }
}

/// The register tile for `count` rows.
#[inline(always)]
fn tile_of<const PANELS: usize>(
    count: usize,
    depth: usize,
    a: Rows,
    b: Panels,
    start: Start,
    c: &mut [f32],
    strides: [usize; 2],
) {
    match count {
        1 => tile::<1, PANELS>(depth, a, b, start, c, strides),
        2 => tile::<2, PANELS>(depth, a, b, start, c, strides),
        3 => tile::<3, PANELS>(depth, a, b, start, c, strides),
        4 => tile::<4, PANELS>(depth, a, b, start, c, strides),
        5 => tile::<5, PANELS>(depth, a, b, start, c, strides),
        _ => tile::<6, PANELS>(depth, a, b, start, c, strides),
    }
}

/// Writes one column of `B` into its panel. `panels` holds `[depth][8]` each.
pub fn pack_column(panels: &mut [f32], depth: usize, col: usize, column: &[f32]) {
    let panel = &mut panels[(col / PANEL) * depth * PANEL..][..depth * PANEL];
    let (rows, _) = panel.as_chunks_mut::<PANEL>();
    for (row, &x) in rows.iter_mut().zip(column) {
        row[col % PANEL] = x;
    }
}

/// Writes the columns `first..first + count` of `B`, which lie in `columns` as rows, into their
/// panels. `first` is the first column of a panel.
pub(crate) fn pack_columns(
    panels: &mut [f32],
    depth: usize,
    first: usize,
    count: usize,
    columns: Rows,
) {
    debug_assert_eq!(first % PANEL, 0);
    let column = |col: usize| &columns.data[col * columns.stride..][..depth];
    let whole = count / PANEL * PANEL;
    for col in (0..whole).step_by(PANEL) {
        let panel = &mut panels[(first + col) * depth..][..depth * PANEL];
        let [left, right] = [0, 4].map(|at| from_fn(|i| column(col + at + i)));
        pack_half(panel, 0, left);
        pack_half(panel, 1, right);
    }
    for col in whole..count {
        pack_column(panels, depth, first + col, column(col));
    }
}

/// Four columns into one half of a panel, four rows at a time.
fn pack_half(panel: &mut [f32], half: usize, columns: [&[f32]; LANES]) {
    let (rows, _) = panel.as_chunks_mut::<PANEL>();
    let (blocks, rest) = rows.as_chunks_mut::<LANES>();
    let parts = columns.map(|column| column.as_chunks::<LANES>());
    for (k, block) in blocks.iter_mut().enumerate() {
        let rows = F32x4::transpose(parts.map(|(vectors, _)| F32x4::load(&vectors[k])));
        for (row, x) in block.iter_mut().zip(rows) {
            x.store(&mut row.as_chunks_mut::<LANES>().0[half]);
        }
    }
    for (k, row) in rest.iter_mut().enumerate() {
        for (x, (_, tail)) in row[half * LANES..].iter_mut().zip(parts) {
            *x = tail[k];
        }
    }
}

/// Writes the first `count` of 8 columns `[width][8]`, each times a factor of its own, as rows of
/// `width` floats at a distance of `stride`.
pub(crate) fn write_columns(
    columns: &[f32],
    factors: [f32; PANEL],
    width: usize,
    count: usize,
    rows: &mut [f32],
    stride: usize,
) {
    let (columns, _) = columns.as_chunks::<PANEL>();
    let pairs = load_pair(&factors);
    for first in (0..width / LANES * LANES).step_by(LANES) {
        for (half, factors) in pairs.into_iter().enumerate() {
            let block = from_fn(|i| load_pair(&columns[first + i])[half] * factors);
            let lines = F32x4::transpose(block).into_iter().zip(half * LANES..count);
            for (line, row) in lines {
                let (to, _) = rows[row * stride + first..][..LANES].as_chunks_mut::<LANES>();
                line.store(&mut to[0]);
            }
        }
    }
    for col in width / LANES * LANES..width {
        for row in 0..count {
            rows[row * stride + col] = columns[col][row] * factors[row];
        }
    }
}

/// Copies `count` rows of `width` floats, of which each 8 stand `panel_stride` behind the 8 before, to
/// where `output` wants them.
pub(crate) fn copy_rows(
    count: usize,
    width: usize,
    rows: Rows,
    panel_stride: usize,
    output: Output,
) {
    let (panels, tail) = (width / PANEL, width % PANEL);
    for i in 0..count {
        let from = &rows.data[i * rows.stride..];
        let to = &mut output.data[i * output.row_stride..];
        for panel in 0..panels {
            let from = &from[panel * panel_stride..][..PANEL];
            copy(from, &mut to[panel * output.panel_stride..][..PANEL]);
        }
        if tail > 0 {
            let from = &from[panels * panel_stride..][..tail];
            copy(from, &mut to[panels * output.panel_stride..][..tail]);
        }
    }
}
