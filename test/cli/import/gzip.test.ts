/** Gzipped inputs give the same rows as the plain file, and never only a part of them. */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../../cli/import/rows.ts';
import { GZIP_FREE_BYTES, GZIP_RATIO_MAX } from '../../../shared/limits/lists.ts';
import { failureOf } from '../support/failing.ts';
import { rowsOf } from '../support/rows.ts';
import { write } from '../support/workspace.ts';

const numbers = Array.from({ length: 5_000 }, (_, index) => `+8210${20_000_000 + index * 7919}`);
const FILES = {
  'a.csv': `number\r\n${numbers.join('\r\n')}`,
  'a.ndjson': numbers.map((number) => JSON.stringify({ number })).join('\n'),
  'a.txt': `# numbers\n${numbers.join('\n')}\n`,
};

describe.each(Object.entries(FILES))('%s, gzipped', (name, text) => {
  it('has the rows of the plain file, whatever its name is', async () => {
    const plain = await rowsOf(name, text);
    expect(plain.map(({ number }) => number)).toEqual(numbers);
    expect(await rowsOf(`${name}.gz`, gzipSync(text))).toEqual(plain);
    expect(await rowsOf(name, gzipSync(text))).toEqual(plain);
  });

  it('is rejected if it is truncated', async () => {
    const whole = gzipSync(text);
    for (const length of [0, 1, 2, 9, 10, 100, whole.length >> 1, whole.length - 8, whole.length - 1]) {
      const failure = await failureOf(() => rowsOf(`${name}.gz`, whole.subarray(0, length)));
      expect(failure.message).toMatch(/a\.(csv|ndjson|txt)\.gz: (unexpected end of file|is named \.gz)/);
    }
  });

  it('is rejected if it is damaged', async () => {
    const damaged = Uint8Array.from(gzipSync(text));
    damaged[damaged.length >> 1]! ^= 0xff;
    expect((await failureOf(() => rowsOf(`${name}.gz`, damaged))).message).toMatch(/a\..*\.gz: /);
  });
});

describe('a file with an extreme compression ratio', () => {
  const bomb = (bytes: number): Buffer => gzipSync('1\n'.repeat(bytes / 2));

  it('is rejected with its ratio and the way out, before it is read completely', async () => {
    let rows = 0;
    const path = write('bomb.txt.gz', bomb(16 * GZIP_FREE_BYTES));
    const { message } = await failureOf(() => readRows({ path }, () => rows++));
    expect(message).toMatch(
      new RegExp(
        `^${path}: unpacks to more than ${GZIP_RATIO_MAX} times its size \\(\\d+ MiB out of its first [\\d,]+ bytes\\).*gunzip -k ${path}`,
      ),
    );
    expect(rows).toBeLessThan(GZIP_FREE_BYTES);
  });

  it('is accepted while it is small', async () => {
    expect(await rowsOf('small.txt.gz', bomb(GZIP_FREE_BYTES))).toHaveLength(GZIP_FREE_BYTES / 2);
  });

  it.each([
    ['numbers in order', (index: number) => `+8210${20_000_000 + index}`],
    [
      'rows that differ only in the number',
      (index: number) => `+8210${20_000_000 + index},${'a'.repeat(60)}`,
    ],
  ])('does not include real lists: %s', async (_, line) => {
    const lines = Array.from({ length: 200_000 }, (_each, index) => line(index));
    expect(await rowsOf('list.txt.gz', gzipSync(lines.join('\n')))).toHaveLength(lines.length);
  });
});

describe('several gzip members in one file', () => {
  it('are read one after another', async () => {
    const joined = Buffer.concat([gzipSync('1\n2\n'), gzipSync('3\n')]);
    expect((await rowsOf('a.txt.gz', joined)).map(({ number }) => number)).toEqual(['1', '2', '3']);
  });
});

describe('the digest of a file', () => {
  it.each([
    ['plain text', 'digest.txt', Buffer.from('1\n2\n')],
    ['an empty file', 'digest.txt', Buffer.alloc(0)],
    ['gzip', 'digest.txt.gz', gzipSync('1\n2\n')],
    // gunzip stops at the padding, long before the end of the file.
    ['gzip with padding', 'digest.txt.gz', Buffer.concat([gzipSync('1\n2\n'), Buffer.alloc(3_000_000)])],
  ])('covers every byte of %s', async (_, name, bytes) => {
    const sha256 = await readRows({ path: write(name, bytes) }, () => undefined);
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});
