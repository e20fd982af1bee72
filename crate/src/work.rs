//! Work that can be interrupted: asked for between its units, and taken up again where it stopped.
//!
//! ```text
//! operation      e.g. the attention of a layer
//!   loop         its forks over the threads, and what stands between them, one after another
//!     chunk      what one thread takes
//!       unit     a millisecond or a few; before each, `ask` says whether the work is to stop
//! ```
//!
//! An operation that is called again with the same [`Place`] walks through its loops once more and
//! leaves out the units that are done. So whatever a unit makes must be kept by the caller, or be
//! made again outside of the loops: that is the whole rule. The same units run in the same order
//! either way, and results are the same bits.
//!
//! With several threads units end in any order. There is no place to take such work up from: an
//! interruption ends it, and what it has written means nothing.

use crate::memory::{OutOfMemory, try_reserve};
use crate::parallel::try_for_each_chunk;

/// Why an operation ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was interrupted between two units.
    Interrupted,
    #[allow(missing_docs, reason = "said at the type")]
    OutOfMemory(OutOfMemory),
}

impl From<OutOfMemory> for Stop {
    fn from(lack: OutOfMemory) -> Self {
        Self::OutOfMemory(lack)
    }
}

/// How far an operation has come. The default is its beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    loops: usize,
    chunks: usize, // of the loop behind those
    units: usize,  // of the chunk behind those
    lost: bool,
}

/// One call of an operation.
pub struct Work<'a> {
    ask: &'a (dyn Fn() -> bool + Sync),
    place: &'a mut Place,
    loops: usize,
}

/// Elements that are made at a time.
const PIECE: usize = 1 << 20;

impl<'a> Work<'a> {
    /// Goes on from `place`, and notes there how far it comes. `ask` is called by all threads, and
    /// interrupts by saying true. Where it says false at least once in each call, the work ends.
    ///
    /// # Panics
    ///
    /// If the place is that of an interruption with several threads.
    pub fn new(ask: &'a (dyn Fn() -> bool + Sync), place: &'a mut Place) -> Self {
        assert!(!place.lost, "work of several threads cannot be taken up again");
        Self { ask, place, loops: 0 }
    }

    /// Calls `f(index, chunk)` for every chunk of `chunk_len` elements of `data`, each a unit; the
    /// last may be shorter.
    pub fn for_each_chunk<T: Send>(
        &mut self,
        data: &mut [T],
        chunk_len: usize,
        f: impl Fn(usize, &mut [T]) + Sync,
    ) -> Result<(), Stop> {
        self.for_each_part(data, chunk_len, |index, chunk, units| {
            if units.due()? {
                f(index, chunk);
            }
            Ok(())
        })
    }

    /// Calls `f(index, chunk, units)` for every chunk, whose units `f` counts.
    pub fn for_each_part<T: Send>(
        &mut self,
        data: &mut [T],
        chunk_len: usize,
        f: impl Fn(usize, &mut [T], &mut Units) -> Result<(), Stop> + Sync,
    ) -> Result<(), Stop> {
        let Some(Place { chunks: first, units: done, .. }) = self.next_loop() else {
            return Ok(());
        };
        let ask = self.ask;
        let ended = try_for_each_chunk(data, chunk_len, first, |index, chunk| {
            let done = if index == first { done } else { 0 };
            let mut units = Units { ask, met: 0, done };
            f(index, chunk, &mut units).map_err(|stop| (index, units.done, stop))
        });
        self.end_loop(ended, cfg!(feature = "threads"))
    }

    /// Calls `f(0), f(1), ... f(count - 1)`, each a unit, in this thread.
    pub fn in_turn(
        &mut self,
        count: usize,
        mut f: impl FnMut(usize) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Some(Place { chunks: first, .. }) = self.next_loop() else {
            return Ok(());
        };
        let mut units = (first..count).map(|unit| match (self.ask)() {
            true => Err((unit, 0, Stop::Interrupted)),
            false => f(unit).map_err(|stop| (unit, 0, stop)),
        });
        let ended = units.find(Result::is_err).unwrap_or(Ok(()));
        self.end_loop(ended, false)
    }

    /// One unit: what must not happen again when the work is taken up.
    pub fn once(&mut self, mut f: impl FnMut() -> Result<(), Stop>) -> Result<(), Stop> {
        self.in_turn(1, |_| f())
    }

    /// Makes `buffer` hold `len` elements at least, a piece at a time: what was in it stays, what
    /// is new is 0.
    pub fn grow<T: Clone + Default>(
        &mut self,
        buffer: &mut Vec<T>,
        len: usize,
    ) -> Result<(), Stop> {
        try_reserve(buffer, len.saturating_sub(buffer.len()))?;
        while buffer.len() < len {
            if (self.ask)() {
                return Err(Stop::Interrupted);
            }
            buffer.resize(len.min(buffer.len() + PIECE), T::default());
        }
        Ok(())
    }

    /// Where the next loop begins; `None` if it is through.
    fn next_loop(&mut self) -> Option<Place> {
        self.loops += 1;
        (self.loops > self.place.loops).then_some(*self.place)
    }

    /// Notes where a loop has ended: if early, in front of which chunk and unit.
    fn end_loop(
        &mut self,
        ended: Result<(), (usize, usize, Stop)>,
        lost: bool,
    ) -> Result<(), Stop> {
        match ended {
            Ok(()) => {
                *self.place = Place { loops: self.loops, ..Place::default() };
                Ok(())
            }
            Err((chunks, units, stop)) => {
                *self.place = Place { loops: self.loops - 1, chunks, units, lost };
                Err(stop)
            }
        }
    }
}

/// The units of one chunk, counted as they are met.
pub struct Units<'a> {
    ask: &'a (dyn Fn() -> bool + Sync),
    met: usize,
    done: usize,
}

impl Units<'_> {
    /// Whether the unit that begins here is to be done now: not if it is done already.
    pub fn due(&mut self) -> Result<bool, Stop> {
        self.met += 1;
        if self.met <= self.done {
            return Ok(false);
        }
        if (self.ask)() {
            return Err(Stop::Interrupted);
        }
        self.done = self.met;
        Ok(true)
    }
}

/// Does work that nobody interrupts.
///
/// # Panics
///
/// If it fails.
pub fn whole(work: impl FnOnce(&mut Work) -> Result<(), Stop>) {
    work(&mut Work::new(&|| false, &mut Place::default())).expect("work that nobody interrupts")
}
