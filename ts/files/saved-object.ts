// What the readers of PyTorch's two file formats give.

/** An object as `torch.save` wrote it. */
export interface SavedObject {
  /** Of dicts, lists and the classes of torch-objects.ts. */
  readonly value: unknown;
  /** Where the data of each storage begins in the file, checked to be whole; by the storage's key. */
  readonly starts: ReadonlyMap<string, number>;
}

/** A thousand tensors take 150 kB. */
export const MAX_PICKLE_BYTES = 16 * 2 ** 20;
