// Why a run ended, in the words that readers are shown: by what it said, not by what it was given.

export function reasonOf(message: string, timedOut: boolean): 'took too long' | 'too large' | 'out of memory' | 'failed' {
  if (timedOut) return 'took too long';
  if (/integer overflow/i.test(message)) return 'too large'; // a size that the library cannot count in 32 bits
  return /bad_alloc|out of memory|allocat/i.test(message) ? 'out of memory' : 'failed';
}
