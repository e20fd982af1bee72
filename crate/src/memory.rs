//! Memory that may not be there: large buffers are asked for, not demanded.

/// The engine's memory cannot hold this much more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// What was asked for. `usize::MAX` where even the number does not fit.
    pub bytes: usize,
}

/// `len` zeros.
pub(crate) fn try_zeros(len: usize) -> Result<Vec<f32>, OutOfMemory> {
    let mut zeros = Vec::new();
    try_resize(&mut zeros, len)?;
    Ok(zeros)
}

/// Makes `buffer` hold `len` floats; what was in it stays, what is new is 0.
pub(crate) fn try_resize(buffer: &mut Vec<f32>, len: usize) -> Result<(), OutOfMemory> {
    let more = len.saturating_sub(buffer.len());
    buffer
        .try_reserve_exact(more)
        .map_err(|_| OutOfMemory { bytes: more.saturating_mul(size_of::<f32>()) })?;
    buffer.resize(len, 0.0);
    Ok(())
}

/// `rows * cols`, or the error that no memory holds as many floats.
pub(crate) fn try_len(rows: usize, cols: usize) -> Result<usize, OutOfMemory> {
    rows.checked_mul(cols).ok_or(OutOfMemory { bytes: usize::MAX })
}
