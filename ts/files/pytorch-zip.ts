// What `torch.save` writes since PyTorch 1.6: a zip of one folder of any name.
//
//     folder/data.pkl | folder/byteorder | folder/data/0, 1, 2, ... | folder/version | ...
//
// `data.pkl` is the object; each storage is an entry of `data`, named by its key.

import { quoted } from '../quoted.ts';
import { MAX_PICKLE_BYTES, type SavedObject } from './saved-object.ts';
import { badFile, type OpenFile } from './source.ts';
import { unpickleTorch } from './torch-objects.ts';
import { Zip } from './zip.ts';

export async function readPytorchZip(file: OpenFile): Promise<SavedObject> {
  const zip = await Zip.open(file);
  const pickles = [...zip.names].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw badFile(file, `must have one data.pkl in one folder, has ${pickles.length}`);
  const folder = pickles[0]!.slice(0, -'data.pkl'.length);

  const byteOrder = await zip.read(`${folder}byteorder`, 16);
  if (byteOrder !== null && new TextDecoder().decode(byteOrder) !== 'little') {
    throw badFile(file, `must be little-endian, has the byte order ${quoted(new TextDecoder().decode(byteOrder))}`);
  }
  const object = unpickleTorch((await zip.read(pickles[0]!, MAX_PICKLE_BYTES))!, file.name);
  if (object === null) throw badFile(file, 'must have a whole pickle as data.pkl');

  const starts = new Map<string, number>();
  for (const { key, bytes } of object.storages.values()) {
    const place = await zip.place(`${folder}data/${key}`);
    if (place === null) throw badFile(file, `must have every storage of its tensors, has no data/${quoted(key)}`);
    if (place.end - place.start !== bytes) {
      throw badFile(file, `must have ${bytes} bytes in data/${quoted(key)}, has ${place.end - place.start}`);
    }
    starts.set(key, place.start);
  }
  return { value: object.value, starts };
}
