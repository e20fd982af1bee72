//! What attention over bands and global tokens means.

use longformer::Band;
use longformer::attention::Heads;
use longformer::band::Pattern;

/// One sequence of a batch, positions counted from its beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequence {
    pub(crate) len: usize,
    pub(crate) global_tokens: Vec<usize>,
    pub(crate) masked: Vec<usize>,
}

impl Sequence {
    /// A flag on a masked token counts for nothing.
    fn is_global(&self, position: usize) -> bool {
        self.global_tokens.contains(&position) && !self.is_masked(position)
    }

    fn is_masked(&self, position: usize) -> bool {
        self.masked.contains(&position)
    }
}

/// Whether the band of the query at `i` holds the key at `j`: `j = i + m * dilation` with
/// `-left <= m <= right`.
pub(crate) fn band_shows(band: Band, i: usize, j: usize) -> bool {
    let distance = i.abs_diff(j);
    let most = if j < i { band.left } else { band.right };
    distance.is_multiple_of(band.dilation) && distance / band.dilation <= most
}

/// Which keys the query at `i` sees. For a global query that is every one, for others the band
/// and the global keys; never a masked key, and under `causal` none after the query. A masked query
/// sees none.
pub(crate) fn visible_keys(sequence: &Sequence, band: Band, causal: bool, i: usize) -> Vec<usize> {
    if sequence.is_masked(i) {
        return Vec::new();
    }
    let is_visible = |&j: &usize| {
        let seen = sequence.is_global(i) || sequence.is_global(j) || band_shows(band, i, j);
        seen && !sequence.is_masked(j) && !(causal && j > i)
    };
    (0..sequence.len).filter(is_visible).collect()
}

/// The weight that each head of the query at `i` gives to each key, `[num_heads, len]`; `first`
/// is the sequence's first token. Queries and keys: `[tokens, num_heads, head_dim]`, `local` for
/// ordinary queries, `global` for the rows of global tokens.
pub(crate) fn attention_weights(
    heads: Heads,
    pattern: &Pattern,
    sequence: &Sequence,
    (first, i): (usize, usize),
    local: &[Vec<f64>; 3],
    global: &[Vec<f64>; 3],
) -> Vec<f64> {
    let [query, key, _] = if sequence.is_global(i) { global } else { local };
    let mut result = vec![0.0; heads.num_heads * sequence.len];
    for (head, row) in result.chunks_exact_mut(sequence.len).enumerate() {
        let keys = visible_keys(sequence, pattern.bands[head], pattern.causal, i);
        let query = vector_of(heads, query, first + i, head);
        let score = |&j: &usize| {
            dot(query, vector_of(heads, key, first + j, head)) / (heads.head_dim as f64).sqrt()
        };
        let scores: Vec<f64> = keys.iter().map(score).collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - max).exp()).sum();
        for (&j, score) in keys.iter().zip(&scores) {
            row[j] = (score - max).exp() / total;
        }
    }
    result
}

/// The context of every token, `[tokens, num_heads, head_dim]`, of queries, keys and values of
/// the same shape: `local` for ordinary queries, `global` for the rows of global tokens.
pub(crate) fn attention(
    heads: Heads,
    pattern: &Pattern,
    sequences: &[Sequence],
    local: &[Vec<f64>; 3],
    global: &[Vec<f64>; 3],
) -> Vec<f64> {
    let mut context = Vec::new();
    let mut first = 0;
    for sequence in sequences {
        for i in 0..sequence.len {
            let [_, _, value] = if sequence.is_global(i) { global } else { local };
            let weights = attention_weights(heads, pattern, sequence, (first, i), local, global);
            for (head, weights) in weights.chunks_exact(sequence.len).enumerate() {
                let mut row = vec![0.0; heads.head_dim];
                for (j, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                    for (x, value) in row.iter_mut().zip(vector_of(heads, value, first + j, head)) {
                        *x += weight * value;
                    }
                }
                context.extend(row);
            }
        }
        first += sequence.len;
    }
    context
}

fn vector_of(heads: Heads, tensor: &[f64], token: usize, head: usize) -> &[f64] {
    &tensor[(token * heads.num_heads + head) * heads.head_dim..][..heads.head_dim]
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
