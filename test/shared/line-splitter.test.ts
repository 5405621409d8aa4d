/** Splits a stream into lines for any division into chunks, compared with a plain split, and with bytes that are not UTF-8. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../shared/bytes.ts';
import { LineSplitter } from '../../shared/line-splitter.ts';

const CHARS_MAX = 12;

function splitOf(bytes: Uint8Array, sizes: readonly number[]) {
  const splitter = new LineSplitter(CHARS_MAX);
  const lines: (string | null)[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + sizes[turn % sizes.length]!;
    lines.push(...splitter.push(bytes.subarray(at, end)));
    at = end;
  }
  return { lines: [...lines, ...splitter.end()], hasMalformed: splitter.hasMalformed };
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const line = fc.string({ unit: fc.constantFrom('a', 'é', '가', '😀', '\ufffd', '\r'), maxLength: 16 });

test('lines are those of a plain split, and UTF-8 is never malformed, also with U+FFFD in it', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), sizes, (texts, chunks) => {
      const text = texts.join('\n');
      const plain = text.split('\n').map((each) => each.replace(/\r$/, ''));
      if (text.split('\n').at(-1) === '') plain.pop();
      const { lines, hasMalformed } = splitOf(utf8(text), chunks);
      expect(lines).toEqual(plain.map((each) => (each.length > CHARS_MAX ? null : each)));
      expect(hasMalformed).toBe(false);
    }),
  );
});

test('any bytes are malformed exactly if a strict decoder refuses them', () => {
  const piece = fc.oneof(line.map(utf8), fc.uint8Array({ maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), sizes, (pieces, chunks) => {
      const bytes = Uint8Array.from(pieces.flatMap((each) => [...each]));
      expect(splitOf(bytes, chunks).hasMalformed).toBe(!isUtf8(bytes));
    }),
  );
});

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
