// What `torch.save` wrote before PyTorch 1.6: pickles one after another, then the data.
//
//     magic number | protocol | about the system | the object | keys of its storages | (u64 count, data)...
//
// No pickle says how long it is, so each is read from a window that grows until it holds it.

import { quoted } from '../quoted.ts';
import { Dict, List } from './pickle.ts';
import { MAX_PICKLE_BYTES, type SavedObject } from './saved-object.ts';
import { badFile, type OpenFile } from './source.ts';
import { unpickleTorch, type TorchObject } from './torch-objects.ts';

const MAGIC_NUMBER = 0x1950_a86a_20f9_469c_fc6cn;
const PROTOCOL = 1001;

/** The first look; every pickle of a base model is shorter. */
const WINDOW_BYTES = 64 * 2 ** 10;

export async function readPytorchStream(file: OpenFile): Promise<SavedObject> {
  let at = 0;
  const next = async (): Promise<TorchObject> => {
    const object = await pickleAt(file, at);
    at += object.end;
    return object;
  };
  if ((await next()).value !== MAGIC_NUMBER) throw badFile(file, "must begin with PyTorch's magic number");
  const protocol = (await next()).value;
  if (protocol !== PROTOCOL) throw badFile(file, `must be of PyTorch's protocol ${PROTOCOL}`);
  const system = (await next()).value;
  if (!(system instanceof Dict) || system.entries.get('little_endian') !== true) throw badFile(file, 'must be little-endian');

  const { value, storages } = await next();
  const keys = (await next()).value;
  if (!(keys instanceof List)) throw badFile(file, 'must list its storages');

  const starts = new Map<string, number>();
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || starts.has(storage.key)) throw badFile(file, 'must list the storages of its tensors, each once');
    if (at + 8 > file.size) throw badFile(file, `must have all storages of its tensors, ends before ${quoted(storage.key)}`);
    const count = new DataView((await file.read(at, at + 8)).buffer).getBigUint64(0, true);
    if (count !== BigInt(storage.count)) {
      throw badFile(file, `must have ${storage.count} elements in storage ${quoted(storage.key)}, has ${count}`);
    }
    starts.set(storage.key, at + 8);
    at += 8 + storage.bytes;
  }
  if (starts.size !== storages.size) throw badFile(file, `must have all ${storages.size} storages of its tensors, lists ${starts.size}`);
  if (at !== file.size) throw badFile(file, `must end with its last storage after ${at} bytes, has ${file.size}: is it truncated?`);
  return { value, starts };
}

async function pickleAt(file: OpenFile, at: number): Promise<TorchObject> {
  const available = Math.min(file.size - at, MAX_PICKLE_BYTES);
  for (let window = WINDOW_BYTES; ; window *= 4) {
    const object = unpickleTorch(await file.read(at, at + Math.min(window, available)), file.name);
    if (object !== null) return object;
    if (window < available) continue;
    throw badFile(file, available < MAX_PICKLE_BYTES ? 'must have whole pickles: is the file truncated?'
      : `must have pickles of at most ${MAX_PICKLE_BYTES} bytes`);
  }
}
