//! What every operation but attention means.

/// `a · b` of `a [rows, depth]` and `b [depth, cols]`.
pub(crate) fn matrix_product(a: &[f64], b: &[f64], [rows, depth, cols]: [usize; 3]) -> Vec<f64> {
    let element = |row, col| (0..depth).map(|k| a[row * depth + k] * b[k * cols + col]).sum();
    (0..rows * cols).map(|i| element(i / cols, i % cols)).collect()
}

/// `x · weightᵀ + bias` of `x [rows, in]`, `weight [out, in]`, `bias [out]`.
pub(crate) fn linear(x: &[f64], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let in_features = weight.len() / bias.len();
    let mut result = Vec::new();
    for row in x.chunks_exact(in_features) {
        for (features, &bias) in weight.chunks_exact(in_features).zip(bias) {
            let dot: f64 = row.iter().zip(features).map(|(x, &w)| x * f64::from(w)).sum();
            result.push(dot + f64::from(bias));
        }
    }
    result
}

/// `x + y`.
pub(crate) fn add(x: &[f64], y: &[f64]) -> Vec<f64> {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| x + y).collect()
}

/// `(x - mean) / sqrt(variance + eps) * weight + bias` of each row of `x [rows, cols]`.
pub(crate) fn layer_norm(x: &[f64], weight: &[f32], bias: &[f32], eps: f32) -> Vec<f64> {
    let cols = weight.len();
    let mut result = Vec::new();
    for row in x.chunks_exact(cols) {
        let mean = row.iter().sum::<f64>() / cols as f64;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / cols as f64;
        let deviation = (variance + f64::from(eps)).sqrt();
        for ((x, &weight), &bias) in row.iter().zip(weight).zip(bias) {
            result.push((x - mean) / deviation * f64::from(weight) + f64::from(bias));
        }
    }
    result
}

/// The error function, `2/√π exp(-x²) Σ 2^n x^(2n+1) / (1 · 3 · .. · (2n+1))`: a series whose terms
/// have one sign, so that nothing cancels. From 6 on it is 1 in `f64`.
pub(crate) fn erf(x: f64) -> f64 {
    if x.abs() >= 6.0 {
        return x.signum();
    }
    let mut term = x;
    let mut sum = 0.0;
    for n in 0..300 {
        sum += term;
        term *= 2.0 * x * x / (2 * n + 3) as f64;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `x * (1 + erf(x / √2)) / 2`.
pub(crate) fn gelu(x: f64) -> f64 {
    x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)) / 2.0
}

/// The sum of the rows that each token takes from each table; a table is its data and its ids.
pub(crate) fn embed(lookups: &[(&[f32], &[u32])], cols: usize) -> Vec<f64> {
    let tokens = lookups[0].1.len();
    let mut result = vec![0.0; tokens * cols];
    for (table, ids) in lookups {
        for (token, &id) in ids.iter().enumerate() {
            for col in 0..cols {
                result[token * cols + col] += f64::from(table[id as usize * cols + col]);
            }
        }
    }
    result
}

/// The mean of the rows `rows` of `x [tokens, cols]`.
pub(crate) fn mean_of_rows(x: &[f32], cols: usize, rows: std::ops::Range<usize>) -> Vec<f64> {
    let count = rows.len() as f64;
    let mean = |col| rows.clone().map(|row| f64::from(x[row * cols + col])).sum::<f64>() / count;
    (0..cols).map(mean).collect()
}
