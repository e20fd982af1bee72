//! Hidden states for projections with 8-bit weights: quantised once, not by every head anew.

use super::{Projections, Source};
use crate::gemm::{QuantizedRows, quantize_row, quantized_row_len};
use crate::memory::{OutOfMemory, try_len, try_resize};
use crate::parallel::{for_each_chunk, rows_per_block};

/// The same projections, of hidden states quantised into `buffer` if all three take such rows.
pub(super) fn once<'a>(
    projections: Projections<'a>,
    buffer: &'a mut Vec<i32>,
) -> Result<Projections<'a>, OutOfMemory> {
    let Projections { query, key, value } = projections;
    let Source::Projected { hidden_states, weights } = query else { return Ok(projections) };
    let takes_them = |source| {
        matches!(source, Source::Projected { hidden_states: same, weights }
            if std::ptr::eq(same, hidden_states) && weights.takes_quantized())
    };
    if ![query, key, value].into_iter().all(takes_them) {
        return Ok(projections);
    }

    let cols = weights.in_features();
    let (rows, stride) = (hidden_states.len() / cols, quantized_row_len(cols));
    buffer.clear();
    try_resize(buffer, try_len(rows, stride)?)?;
    let block = rows_per_block(rows);
    for_each_chunk(buffer, block * stride, |index, quantized| {
        let rows = hidden_states[index * block * cols..].chunks_exact(cols);
        for (row, quantized) in rows.zip(quantized.chunks_exact_mut(stride)) {
            quantize_row(row, quantized);
        }
    });
    let hidden_states = QuantizedRows { data: buffer, stride };
    let of_quantized = |source| match source {
        Source::Projected { weights, .. } => Source::Quantized { hidden_states, weights },
        other => other,
    };
    Ok(Projections {
        query: of_quantized(query),
        key: of_quantized(key),
        value: of_quantized(value),
    })
}
