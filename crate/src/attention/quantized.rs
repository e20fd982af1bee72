//! Hidden states for projections with 8-bit weights: quantised once, not by every head anew.

use super::{Projections, Source};
use crate::columns::{LayerInput, Quantized, quantize};
use crate::work::{Stop, Work};

/// The same projections, those that take such rows of the hidden states quantised into `buffer`.
pub(super) fn once<'a>(
    work: &mut Work,
    projections: [Projections<'a>; 2],
    buffer: &'a mut Quantized,
) -> Result<[Projections<'a>; 2], Stop> {
    let Source::Projected { hidden_states, weights } = projections[0].query else {
        return Ok(projections);
    };
    if !weights.takes_quantized() {
        return Ok(projections);
    }

    let cols = weights.in_features();
    let quantized =
        quantize(work, LayerInput::Rows(hidden_states), hidden_states.len() / cols, cols, buffer)?;
    let of_quantized = |source| match source {
        Source::Projected { hidden_states: same, weights }
            if std::ptr::eq(same, hidden_states) && weights.takes_quantized() =>
        {
            Source::Quantized { hidden_states, quantized, weights }
        }
        other => other,
    };
    Ok(projections.map(|Projections { query, key, value }| Projections {
        query: of_quantized(query),
        key: of_quantized(key),
        value: of_quantized(value),
    }))
}
