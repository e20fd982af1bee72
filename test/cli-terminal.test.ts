import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProgressBar } from '../dist/cli/progress-bar.js';
import { dedent, plural, printable, stylesFor, wrap } from '../dist/cli/terminal.js';

const test = suite('terminal');

test('lines are wrapped at spaces, under their own indentation', () => {
  assert.equal(wrap('one two three four', 9), ['one two', 'three', 'four']);
  assert.equal(wrap('one two  three', 80), ['one two  three']);
  assert.equal(wrap('  one two three', 9), ['  one two', '  three']);
  assert.equal(wrap('', 9), ['']);
  assert.equal(wrap('one two ', 7), ['one two']);
});

test('words wider than the line are divided', () => {
  assert.equal(wrap('abcdefghij k', 4), ['abcd', 'efgh', 'ij k']);
  assert.equal(wrap('x abcdefgh', 4), ['x', 'abcd', 'efgh']);
  assert.equal(wrap(' '.repeat(20) + 'ab', 8), ['    ab']);
});

test('wide characters count two columns, marks none', () => {
  assert.equal(wrap('北京東京', 4), ['北京', '東京']);
  assert.equal(wrap('🙂🙂🙂', 4), ['🙂🙂', '🙂']);
  assert.equal(wrap('e\u0301e\u0301e\u0301', 3), ['e\u0301e\u0301e\u0301']);
});

test('a common indentation is taken away, blank lines do not count', () => {
  assert.equal(dedent(['    a', '', '      b  ', '    c']), ['a', '', '  b', 'c']);
  assert.equal(dedent(['a', '  b']), ['a', '  b']);
  assert.equal(dedent(['']), ['']);
});

test('control characters are not printed', () => {
  assert.is(printable('a\x1b[2Jb\x07\r\nc\td\x9b1m\u202ee'), 'a[2Jb\nc    d1me');
});

test('styles are for terminals whose user wants them', () => {
  const terminal = { isTTY: true, write() {} };
  const before = process.env['NO_COLOR'];
  delete process.env['NO_COLOR'];
  const term = process.env['TERM'];
  process.env['TERM'] = 'xterm';
  try {
    assert.is(stylesFor(terminal).bold('a'), '\x1b[1ma\x1b[0m');
    assert.is(stylesFor({ write() {} }).bold('a'), 'a');
    process.env['NO_COLOR'] = '1';
    assert.is(stylesFor(terminal).dim('a'), 'a');
  } finally {
    delete process.env['NO_COLOR'];
    if (before !== undefined) process.env['NO_COLOR'] = before;
    if (term === undefined) delete process.env['TERM'];
    else process.env['TERM'] = term;
  }
});

test('numbers have their nouns', () => {
  assert.equal([plural(1, 'document'), plural(0, 'document'), plural(1234, 'document')], ['1 document', '0 documents', '1,234 documents']);
});

test('a progress bar fits its line and is gone in the end', () => {
  const written: string[] = [];
  const terminal = { isTTY: true, columns: 70, write: (text: string) => written.push(text) };
  const bar = new ProgressBar(terminal);
  bar.clear();
  assert.equal(written, []);
  bar.show({ stage: 'forward', name: 'a\x1b[2J name that is far too long for the line', done: 500, total: 2000, unit: 'tokens' });
  bar.show({ stage: 'forward', done: 501, total: 2000, unit: 'tokens' }); // too soon to be seen
  bar.show({ stage: 'forward', done: 2000, total: 2000, unit: 'tokens' });
  bar.clear();
  bar.clear();
  assert.is(written.length, 3);
  assert.match(written[0]!, /^\rreading █{6}░{18}  25%  500 of 2,000 tokens/);
  assert.match(written[1]!, /100%  2,000 of 2,000 tokens/);
  assert.is(written[2], '\r\x1b[K');
  for (const text of written) assert.ok(text.replace(/\r|\x1b\[K/g, '').length < 70);
  assert.not.match(written[0]!, /\x1b\[2J/);
});

test('a progress bar shows nothing where there is no terminal', () => {
  const written: string[] = [];
  new ProgressBar({ write: (text) => written.push(text) }).show({ stage: 'load', done: 1, total: 1, unit: 'bytes' });
  assert.equal(written, []);
});

test.run();
