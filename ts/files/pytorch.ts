// A state dict in a file of PyTorch, `pytorch_model.bin`: opened without running what it says.
//
// Only the pickle is read at first, never the data. What it may say stands in torch-objects.ts.

import { quoted } from '../quoted.ts';
import { readPytorchStream } from './pytorch-stream.ts';
import { readPytorchZip } from './pytorch-zip.ts';
import type { SavedObject } from './saved-object.ts';
import { badFile, type OpenFile } from './source.ts';
import { byteLength, tensorsOf, type StoredTensors } from './tensors.ts';
import { stateDict } from './torch-objects.ts';

/**
 * Reads and checks everything but the data. The file belongs to the result from then on, and is
 * closed if it is refused.
 *
 * Rejects with `BAD_FILE`, naming the file and the rule, and what the pickle names beyond tensors.
 */
export async function openPytorch(file: OpenFile): Promise<StoredTensors> {
  try {
    const { value, starts } = await readObject(file);
    const tensors = [...stateDict(value, file.name)].map(([name, { storage: { key, dtype }, offset, shape }]) => {
      const start = starts.get(key)! + byteLength(dtype, [offset]);
      return { name, dtype, shape, start, end: start + byteLength(dtype, shape) };
    });
    tensors.sort((a, b) => a.start - b.start || a.end - b.end);
    return tensorsOf(file, tensors);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readObject(file: OpenFile): Promise<SavedObject> {
  const head = await file.read(0, Math.min(file.size, 512));
  const text = String.fromCharCode(...head);
  if (text.startsWith('PK\x03\x04')) return readPytorchZip(file);
  if (text.startsWith('\x80')) return readPytorchStream(file);
  const kind = text.startsWith('\x1f\x8b') ? 'is compressed with gzip'
    : text.slice(257, 262) === 'ustar' ? 'is a tar, as PyTorch wrote before 2017'
      : `begins with ${quoted(text.slice(0, 16))}`;
  throw badFile(file, `must be a file that torch.save wrote, ${kind}`);
}
