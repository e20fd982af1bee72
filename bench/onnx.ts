// Dense attention, and a product by itself, as ONNX models, for the runtime that it is compared with. A model is a protobuf
// message: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields.

const FLOAT = 1; // TensorProto.DataType and AttributeProto.AttributeType
const INT8 = 3; // TensorProto.DataType
const INTS = 7; // AttributeProto.AttributeType
const OPSET = 17;

/** softmax(query keyᵀ / sqrt(headDim)) value, over `[1, numHeads, n, headDim]` each; `n` is free. */
export function denseAttention(numHeads: number, headDim: number): Uint8Array {
  const vectors = (name: string): number[] => tensorInfo(name, [1, numHeads, 'n', headDim]);
  const graph = [
    ...message(1, node('Transpose', ['key'], 'keyT', message(5, [...text(1, 'perm'), ...[0, 1, 3, 2].flatMap((axis) => int(8, axis)), ...int(20, INTS)]))),
    ...message(1, node('MatMul', ['query', 'keyT'], 'scores')),
    ...message(1, node('Mul', ['scores', 'scale'], 'scaled')),
    ...message(1, node('Softmax', ['scaled'], 'weights')), // over the last axis
    ...message(1, node('MatMul', ['weights', 'value'], 'context')),
    ...text(2, 'dense attention'),
    ...message(5, [...int(2, FLOAT), ...text(8, 'scale'), ...message(9, [...new Uint8Array(Float32Array.of(1 / Math.sqrt(headDim)).buffer)])]),
    ...['query', 'key', 'value'].flatMap((name) => message(11, vectors(name))),
    ...message(12, vectors('context')),
  ];
  return Uint8Array.from([...int(1, 8), ...message(7, graph), ...message(8, int(2, OPSET))]);
}

/** `x [rows, depth]` times a weight `[depth, cols]`, of floats or, for `q8`, of 8-bit numbers with one scale; `rows` is free. */
export function matMul(kind: 'f32' | 'q8', depth: number, cols: number, weight: Uint8Array): Uint8Array {
  const operator = kind === 'f32' ? node('MatMul', ['x', 'weight'], 'y')
    : [...node('DynamicQuantizeMatMul', ['x', 'weight', 'scale'], 'y'), ...text(7, 'com.microsoft')];
  const tensor = wrap(5, [...int(1, depth), ...int(1, cols), ...int(2, kind === 'f32' ? FLOAT : INT8), ...text(8, 'weight')], ...wrap(9, weight));
  const graph = [
    ...message(1, operator), ...text(2, 'product'),
    ...message(5, [...int(2, FLOAT), ...text(8, 'scale'), ...message(9, [...new Uint8Array(Float32Array.of(1 / 127).buffer)])]),
    ...message(11, tensorInfo('x', ['rows', depth])), ...message(12, tensorInfo('y', ['rows', cols])),
  ];
  const imports = [...message(8, int(2, OPSET)), ...message(8, [...text(1, 'com.microsoft'), ...int(2, 1)])];
  return joined([int(1, 8), ...wrap(7, graph, ...tensor), imports]);
}

/** A message whose parts are too long to be spread. */
function wrap(field: number, ...parts: ArrayLike<number>[]): ArrayLike<number>[] {
  return [[...varint(field * 8 + 2), ...varint(parts.reduce((sum, { length }) => sum + length, 0))], ...parts];
}

function joined(parts: ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function node(operator: string, inputs: string[], output: string, attribute: number[] = []): number[] {
  return [...inputs.flatMap((name) => text(1, name)), ...text(2, output), ...text(4, operator), ...attribute];
}

function tensorInfo(name: string, dims: (number | string)[]): number[] {
  const shape = dims.flatMap((dim) => message(1, typeof dim === 'number' ? int(1, dim) : text(2, dim)));
  return [...text(1, name), ...message(2, message(1, [...int(1, FLOAT), ...message(2, shape)]))];
}

const message = (field: number, bytes: number[]): number[] => [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
const text = (field: number, value: string): number[] => message(field, [...new TextEncoder().encode(value)]);
const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
