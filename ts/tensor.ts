// Dims and data, as the public interface has them. No behaviour.

/** A row-major tensor, owned by the caller. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
