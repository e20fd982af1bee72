//! Memory that may not be there: large buffers are asked for, not demanded.

/// The engine's memory cannot hold this much more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// What was asked for. `usize::MAX` where even the number does not fit.
    pub bytes: usize,
}

/// `len` zeros.
pub(crate) fn try_zeros(len: usize) -> Result<Vec<f32>, OutOfMemory> {
    try_filled(len, 0.0)
}

/// `len` times `value`.
pub(crate) fn try_filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut filled = try_with_capacity(len)?;
    filled.resize(len, value);
    Ok(filled)
}

/// Room for `len` elements.
pub(crate) fn try_with_capacity<T>(len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut empty = Vec::new();
    try_reserve(&mut empty, len)?;
    Ok(empty)
}

/// Makes `buffer` hold `len` numbers; what was in it stays, what is new is 0.
pub(crate) fn try_resize<T: Clone + Default>(
    buffer: &mut Vec<T>,
    len: usize,
) -> Result<(), OutOfMemory> {
    try_reserve(buffer, len.saturating_sub(buffer.len()))?;
    buffer.resize(len, T::default());
    Ok(())
}

/// Makes `buffer` hold at least `len` numbers, and gives as many: what was there, or 0.
pub(crate) fn try_room<T: Clone + Default>(
    buffer: &mut Vec<T>,
    len: usize,
) -> Result<&mut [T], OutOfMemory> {
    if buffer.len() < len {
        try_resize(buffer, len)?;
    }
    Ok(&mut buffer[..len])
}

/// The same from the beginning of a cache line on, where vectors of whole panels never lie across two.
pub(crate) fn try_lines(buffer: &mut Vec<f32>, len: usize) -> Result<&mut [f32], OutOfMemory> {
    const LINE: usize = 64;
    let room = try_room(buffer, len.saturating_add(LINE / size_of::<f32>()))?;
    let first = room.as_ptr().align_offset(LINE);
    Ok(&mut room[first..first + len])
}

/// Makes `buffer` hold `len` times `value`.
pub(crate) fn try_refill<T: Clone>(
    buffer: &mut Vec<T>,
    len: usize,
    value: T,
) -> Result<(), OutOfMemory> {
    buffer.clear();
    try_reserve(buffer, len)?;
    buffer.resize(len, value);
    Ok(())
}

pub(crate) fn try_reserve<T>(buffer: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    let bytes = more.saturating_mul(size_of::<T>());
    buffer.try_reserve_exact(more).map_err(|_| OutOfMemory { bytes })
}

/// `rows * cols`, or the error that no memory holds as many floats.
pub(crate) fn try_len(rows: usize, cols: usize) -> Result<usize, OutOfMemory> {
    rows.checked_mul(cols).ok_or(OutOfMemory { bytes: usize::MAX })
}
