// Dense attention as an ONNX model, for the runtime that it is compared with. A model is a protobuf
// message: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields.

const FLOAT = 1; // TensorProto.DataType and AttributeProto.AttributeType
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
