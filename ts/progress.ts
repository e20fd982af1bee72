// What every long call takes and tells.

/** One step of a long call. `done` never decreases within a stage, of downloads within a file, and ends equal to `total`. */
export interface Progress {
  stage: 'download' | 'load' | 'tokenize' | 'forward' | 'save';
  /** What is being worked on: a file, a document. */
  name?: string;
  done: number;
  total: number;
  unit: 'bytes' | 'layers' | 'tokens';
}

/** Options of every call that takes long. An abort rejects the call with `signal.reason`. */
export interface LongCallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A listener that throws must not take the call with it: its error goes where uncaught ones go. */
export function tell(onProgress: LongCallOptions['onProgress'], progress: Progress): void {
  try {
    onProgress?.(progress);
  } catch (error) {
    queueMicrotask(() => { throw error; });
  }
}

/** `tell` for one file: what begins again is heard of when it gets further than before. */
export function onlyForward(onProgress: LongCallOptions['onProgress']): (progress: Progress) => void {
  let [most, lastTotal] = [-1, -1];
  return (progress) => {
    const { done, total } = progress;
    if (done < most || (done === most && total === lastTotal)) return; // a total may turn out to be another at the end
    [most, lastTotal] = [done, total];
    tell(onProgress, progress);
  };
}
