//! Linear layers over all rows, shared out over the threads by columns of what comes out.
//!
//! Rows go through a layer in blocks, one after another, and a task is some output features of some
//! rows of a block. Tasks of the same features are neighbours: a weight is read from far away once for
//! a block, and sixteen rows keep as many threads busy as a thousand. What comes out lies block of
//! columns behind block of columns, until its rows are gone over anyway. No result depends on any of
//! this by a bit.

use crate::gemm::{Output, PANEL, QuantizedRows, Rows, TILE_ROWS, quantize_row, quantized_row_len};
use crate::layer_norm::LayerNorm;
use crate::linear::{Input, Linear};
use crate::memory::try_len;
use crate::parallel::rows_per_block;
use crate::simd::add_assign;
use crate::spare::Spare;
use crate::work::{Stop, Work};
use std::ops::Range;

/// Rows of a block at most: few forks for a long text, and little memory for what comes out.
const MOST_ROWS: usize = 576;

/// Rows of a task at most: of these, and of its columns, the second-level cache holds enough.
const MOST_TASK_ROWS: usize = 144;

/// Blocks of columns at most, for as many threads.
const BLOCKS: usize = 16;

/// Chosen rows that go by columns. Of more, columns would take as much memory again as the result,
/// which may be as wide as a vocabulary.
const FEW_ROWS: usize = 12;

/// Rows of a task that goes over rows: so little work that a short text is one task.
const ROWS: usize = 24;

/// Blocks of rows.
pub(crate) fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let block = evenly(rows, MOST_ROWS);
    (0..rows).step_by(block).map(move |first| first..rows.min(first + block))
}

/// Rows of parts of about the same size, whole tiles.
fn evenly(rows: usize, most: usize) -> usize {
    rows.div_ceil(rows.div_ceil(most).max(1)).next_multiple_of(TILE_ROWS).max(TILE_ROWS)
}

/// `hidden_states = norm(hidden_states + linear(x))` for all rows, or without the norm.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn add_linear(
    work: &mut Work,
    hidden_states: &mut [f32],
    x: &[f32],
    linear: &Linear,
    norm: Option<&LayerNorm>,
    scratch: &mut Scratch,
) -> Result<(), Stop> {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    let rows = hidden_states.len() / out_cols;
    assert_eq!(x.len(), rows * in_cols, "x must have as many rows as the hidden states");
    for Range { start, end } in blocks(rows) {
        let hidden_states = &mut hidden_states[start * out_cols..end * out_cols];
        let x = LayerInput::Rows(&x[start * in_cols..end * in_cols]);
        add(work, x, linear, norm, hidden_states, scratch)?;
    }
    Ok(())
}

/// `output = linear(x)` for all rows.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn apply_linear(
    work: &mut Work,
    x: &[f32],
    linear: &Linear,
    output: &mut [f32],
    scratch: &mut Scratch,
) -> Result<(), Stop> {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    let rows = x.len() / in_cols;
    assert_eq!(output.len(), rows * out_cols, "there must be a row of output for each");
    for Range { start, end } in blocks(rows) {
        let output = &mut output[start * out_cols..end * out_cols];
        apply(work, &x[start * in_cols..end * in_cols], linear, output, scratch)?;
    }
    Ok(())
}

/// `linear` of the rows of `x` at `rows`, `[rows, out_features]`.
///
/// # Panics
///
/// If the shapes do not fit or a row is not in `x`.
pub fn linear_of_rows(
    work: &mut Work,
    x: &[f32],
    rows: &[u32],
    linear: &Linear,
    output: &mut [f32],
    scratch: &mut Scratch,
) -> Result<(), Stop> {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    assert_eq!(output.len(), rows.len() * out_cols, "there must be a row of output for each");
    let wanted = |rows: &[u32]| -> Vec<f32> {
        rows.iter().flat_map(|&row| &x[row as usize * in_cols..][..in_cols]).copied().collect()
    };
    if (1..=FEW_ROWS).contains(&rows.len()) {
        return apply(work, &wanted(rows), linear, output, scratch);
    }
    let block = rows_per_block(rows.len());
    work.for_each_chunk(output, block * out_cols, |index, output| {
        let rows = &rows[index * block..][..output.len() / out_cols];
        linear.apply(&wanted(rows), output);
    })
}

/// What products make on the way; kept from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    columns: Vec<f32>,
    rows: Prepared,
}

/// Rows as a layer takes them: plain ones, or quantised.
#[derive(Debug, Default)]
struct Prepared {
    plain: Vec<f32>,
    quantized: Quantized,
}

/// Quantised rows, and where those of a product are put together before.
#[derive(Debug, Default)]
pub(crate) struct Quantized {
    rows: Vec<i32>,
    plain: Spare<Vec<f32>>,
}

/// `output = x · weightᵀ + bias`.
fn apply(
    work: &mut Work,
    x: &[f32],
    linear: &Linear,
    output: &mut [f32],
    Scratch { columns, rows }: &mut Scratch,
) -> Result<(), Stop> {
    let cols = linear.out_features();
    let product = Product::new(work, LayerInput::Rows(x), linear, |_| {}, rows, columns)?;
    work.for_each_chunk(output, ROWS * cols, |index, output| {
        for (row, output) in (index * ROWS..).zip(output.chunks_exact_mut(cols)) {
            product.copy_row(row, output);
        }
    })
}

/// `residual = norm(residual + x · weightᵀ + bias)`, or without the norm.
pub(crate) fn add(
    work: &mut Work,
    x: LayerInput,
    linear: &Linear,
    norm: Option<&LayerNorm>,
    residual: &mut [f32],
    Scratch { columns, rows }: &mut Scratch,
) -> Result<(), Stop> {
    let cols = linear.out_features();
    let product = Product::new(work, x, linear, |_| {}, rows, columns)?;
    work.for_each_chunk(residual, ROWS * cols, |index, residual| {
        for (row, residual) in (index * ROWS..).zip(residual.chunks_exact_mut(cols)) {
            product.add_row(row, residual);
            if let Some(norm) = norm {
                norm.apply(residual);
            }
        }
    })
}

/// What goes into a layer: rows, or what came out of another.
#[derive(Clone, Copy)]
pub(crate) enum LayerInput<'a> {
    Rows(&'a [f32]),
    Product(Product<'a>),
}

impl LayerInput<'_> {
    /// A row of `len`, where it lies or put together in `buffer`.
    fn row<'b>(&'b self, row: usize, len: usize, buffer: &'b mut Vec<f32>) -> &'b [f32] {
        match self {
            LayerInput::Rows(x) => &x[row * len..][..len],
            LayerInput::Product(product) => {
                buffer.resize(len, 0.0);
                product.copy_row(row, buffer);
                buffer
            }
        }
    }
}

/// A product in blocks of columns, `[blocks][height][width]`.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    data: &'a [f32],
    rows: usize,
    /// The rows, and what fills the last task up.
    height: usize,
    width: usize,
}

impl<'a> Product<'a> {
    /// `f(x · weightᵀ + bias)`, number by number. `f` gets what fills the last block up, too.
    pub(crate) fn of(
        work: &mut Work,
        x: &[f32],
        linear: &Linear,
        f: impl Fn(&mut [f32]) + Sync,
        Scratch { columns, rows }: &'a mut Scratch,
    ) -> Result<Self, Stop> {
        Self::new(work, LayerInput::Rows(x), linear, f, rows, columns)
    }

    fn new(
        work: &mut Work,
        x: LayerInput,
        linear: &Linear,
        f: impl Fn(&mut [f32]) + Sync,
        prepared: &mut Prepared,
        columns: &'a mut Vec<f32>,
    ) -> Result<Self, Stop> {
        let (depth, cols) = (linear.in_features(), linear.out_features());
        let rows = match x {
            LayerInput::Rows(x) => x.len() / depth,
            LayerInput::Product(Product { rows, .. }) => rows,
        };
        let x = prepared.take(work, x, rows, linear)?;
        // Whole pairs of panels (`gemm::wide`).
        let width = cols.div_ceil(BLOCKS).next_multiple_of(2 * PANEL);
        let of_task = evenly(rows, MOST_TASK_ROWS);
        let tasks = rows.div_ceil(of_task);
        let height = tasks * of_task;
        let len = try_len(cols.div_ceil(width), try_len(height, width)?)?;
        work.grow(columns, len)?;
        let columns = &mut columns[..len];
        work.for_each_chunk(columns, of_task * width, |index, data| {
            let (first_col, first_row) = (index / tasks * width, index % tasks * of_task);
            let part = first_col..cols.min(first_col + width);
            let count = of_task.min(rows - first_row);
            let output = Output { data, row_stride: width, panel_stride: PANEL };
            linear.apply_columns(part, count, x.rows_from(first_row), output);
            f(&mut data[..count * width]);
        })?;
        Ok(Self { data: columns, rows, height, width })
    }

    fn copy_row(self, row: usize, to: &mut [f32]) {
        for (to, part) in to.chunks_mut(self.width).zip(self.parts(row)) {
            to.copy_from_slice(&part[..to.len()]);
        }
    }

    fn add_row(self, row: usize, to: &mut [f32]) {
        for (to, part) in to.chunks_mut(self.width).zip(self.parts(row)) {
            add_assign(to, &part[..to.len()]);
        }
    }

    /// A row, block by block of columns.
    fn parts(self, row: usize) -> impl Iterator<Item = &'a [f32]> {
        let blocks = self.data.chunks_exact(self.height * self.width);
        blocks.map(move |block| &block[row * self.width..][..self.width])
    }
}

impl Prepared {
    /// The rows of `x` as `linear` takes them.
    fn take<'a>(
        &'a mut self,
        work: &mut Work,
        x: LayerInput<'a>,
        rows: usize,
        linear: &Linear,
    ) -> Result<Input<'a>, Stop> {
        let depth = linear.in_features();
        if linear.takes_quantized() {
            return Ok(Input::Quantized(quantize(work, x, rows, depth, &mut self.quantized)?));
        }
        let data = match x {
            LayerInput::Rows(x) => x,
            LayerInput::Product(product) => {
                let len = try_len(rows, depth)?;
                work.grow(&mut self.plain, len)?;
                let plain = &mut self.plain[..len];
                work.for_each_chunk(plain, ROWS * depth, |index, plain| {
                    for (row, plain) in (index * ROWS..).zip(plain.chunks_exact_mut(depth)) {
                        product.copy_row(row, plain);
                    }
                })?;
                plain
            }
        };
        Ok(Input::Rows(Rows { data, stride: depth }))
    }
}

/// The rows of `x`, `[rows, cols]`, quantised.
pub(crate) fn quantize<'a>(
    work: &mut Work,
    x: LayerInput,
    rows: usize,
    cols: usize,
    Quantized { rows: data, plain }: &'a mut Quantized,
) -> Result<QuantizedRows<'a>, Stop> {
    let stride = quantized_row_len(cols);
    let len = try_len(rows, stride)?;
    work.grow(data, len)?;
    let data = &mut data[..len];
    work.for_each_chunk(data, ROWS * stride, |index, quantized| {
        plain.lend(|plain| {
            for (row, quantized) in (index * ROWS..).zip(quantized.chunks_exact_mut(stride)) {
                quantize_row(x.row(row, cols, plain), quantized);
            }
        });
    })?;
    Ok(QuantizedRows { data, stride })
}
