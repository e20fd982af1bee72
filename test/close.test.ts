import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertClose } from './close.ts';

const test = suite('close');

test('accepts what is within the tolerance', () => {
  assertClose(new Float32Array([1, 2]), new Float32Array([1.001, 2]), 0.01, 'values');
});

test('names the worst element and both values', () => {
  assert.throws(() => assertClose([1, 2, 3], [1, 5, 4], 0.5, 'values'), /values: \[1\] is 2, not 5 \(off by 3, allowed 0.5\)/);
});

test('catches NaN anywhere, and keeps it as the worst', () => {
  assert.throws(() => assertClose([NaN, 2], [1, 2], 9, 'first'), /first: \[0\] is NaN/);
  assert.throws(() => assertClose([NaN, 2], [1, 20], 1, 'kept'), /kept: \[0\] is NaN/);
  assert.throws(() => assertClose([1, 2], [1, NaN], 9, 'expected'), /\[1\] is 2, not NaN/);
});

test('catches another length', () => {
  assert.throws(() => assertClose([1], [1, 2], 9, 'values'), /values: 1 elements, not 2/);
});

test.run();
