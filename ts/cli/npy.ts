// NumPy's file of one array, format 1.0.

import type { Tensor } from '../tensor.ts';

/** Its bytes: a header of a multiple of 64, then little-endian float32, row by row. */
export function npyOf({ dims, data }: Tensor): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `\x93NUMPY\x01\x00__${fields.padEnd(64 * Math.ceil((fields.length + 11) / 64) - 11)}\n`;
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(Buffer.from(header, 'latin1'));
  new DataView(bytes.buffer).setUint16(8, header.length - 10, true);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}
