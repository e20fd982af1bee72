// How weights are kept in the engine's memory.

/**
 * - `f32`: as single precision. The reference.
 * - `f16`: rounded to half precision, widened on the way into products; half the memory. Checkpoints
 *   with finite weights of a magnitude from 65520 on, which no half is near, are a `BAD_FILE`.
 * - `int8`: linear layers in 8 bits with scales for each output feature, and what goes into them
 *   in 8 bits for each token; embedding tables in 8 bits with a scale for each row. The least memory and time, and the least exact.
 */
export type Dtype = (typeof DTYPES)[number];

export const DTYPES = ['f32', 'f16', 'int8'] as const;
