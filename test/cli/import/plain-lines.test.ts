/** Plain text with numbers, read from its bytes, gives the same entries, rejects and counts as reading it line by line. */
import '../support/workspace.ts';
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import { collect, type InputReport, type Reject } from '../../../cli/import/collect.ts';
import { ALWAYS } from '../../../shared/build/list-entries.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { catalogue, write } from '../support/workspace.ts';

interface Collected {
  readonly entries: readonly string[];
  readonly rejects: readonly Reject[];
  readonly reports: readonly InputReport[];
  /** How many numbers were read from bytes. */
  readonly taken: number;
}

let files = 0;

async function collected(content: Uint8Array, list: string | null, fromBytes: boolean): Promise<Collected> {
  const file = write(`plain-${files++}.txt`, content);
  const inputs = [list === null ? { file } : { file, list }];
  const entries: string[] = [];
  const rejects: Reject[] = [];
  let taken = 0;
  const record = (list: number, what: object, dates: object): void => {
    entries.push(JSON.stringify({ list, what, dates }));
  };
  const reports = await collect(readCatalogue(catalogue(`plain-${files}.json`, { inputs })), {
    now: 0,
    onEntry: ({ list, what, dates }) => record(list, what, dates),
    ...(fromBytes && {
      onNumber: (list: number, n: number) => {
        taken++;
        record(list, { kind: 'number', n }, ALWAYS);
      },
    }),
    onReject: (reject) => rejects.push({ ...reject, file: '' }),
    onProgress: () => undefined,
  });
  return {
    entries: entries.sort(),
    rejects,
    reports: reports.map((report) => ({ ...report, file: '' })),
    taken,
  };
}

/** @returns how many numbers were read from bytes */
async function expectSame(content: Uint8Array, list: string | null = 'overseas'): Promise<number> {
  const { taken, ...fast } = await collected(content, list, true);
  const { taken: _, ...slow } = await collected(content, list, false);
  expect(fast).toEqual(slow);
  return taken;
}

const digits = fc.stringMatching(/^[0-9]{1,16}$/);
const common = fc
  .tuple(
    fc.constantFrom(
      '010',
      '+8210',
      '8210',
      '010-',
      '02',
      '031-',
      '+1 202',
      '0063',
      '001',
      '0082',
      '10',
      '15',
    ),
    digits,
  )
  .map((parts) => parts.join(''));
const written = fc.constantFrom(
  ...['+821012345678', '010-1234-5678', ' 010 1234 5678 ', '(02)1234-5678', '010.1234.5678', '01012345678\t'],
  ...[
    '０１０１２３４５６７８',
    '010‑1234‑5678',
    '\ufeff01012345678',
    '+82',
    '0',
    '000',
    '112',
    '02-112',
    '+82112',
  ],
  ...[
    '010-0000-0001',
    '0-012345678',
    '0-8112345678',
    '0-10-1234-5678',
    '08112345678',
    '0821012345678',
    '01012345678-',
    '01000000060',
    '',
    ' ',
    '#01012345678',
    '  # people',
    '01012345678 # people',
    '+63917*',
  ],
  ...[
    '+821000000000..+821019999999',
    '01012345678..01012345679',
    '..',
    '.',
    '+',
    '-',
    'PARCEL-KR',
    'smsc:+63917*',
  ],
  ...[
    'callingCode:+237',
    '010-1234-567A',
    '010123456\r78',
    '\r',
    '010-1234-\u00005678',
    '010\u000b1234\u000c5678',
    '+0821012345678',
  ],
  ...['++821012345678', '821012345678+', '8+21012345678', '1'.repeat(64), '0'.repeat(65), '7'.repeat(5_000)],
  ...[
    `${' '.repeat(53)}01012345678`,
    `${' '.repeat(54)}01012345678`,
    '\ud800',
    '😀',
    '+44 (0)20 7946 0000',
    '+390612345678',
  ],
);
/** Not CP949, which has no byte 0xff, and not UTF-16, which has many NUL bytes. Either would end the whole file. */
const garbage = fc
  .uint8Array({ min: 1, maxLength: 24 })
  .map((bytes) => Buffer.from(isUtf8(bytes) ? bytes : bytes.map((byte) => (byte < 0x80 ? byte : 0xff))));
const line = fc.oneof(
  { weight: 6, arbitrary: common.map((text) => Buffer.from(text)) },
  { weight: 3, arbitrary: written.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: garbage },
);
const end = fc.constantFrom('\n', '\n', '\r\n', '\n\n', '\r').map((text) => Buffer.from(text));
const content = fc
  .array(fc.tuple(line, end), { minLength: 1, maxLength: 60 })
  .chain((lines) =>
    fc.record({
      mark: fc.boolean(),
      bytes: fc.constant(Buffer.concat(lines.flat())),
      cut: fc.integer({ min: 0, max: 3 }),
    }),
  )
  .map(({ mark, bytes, cut }) =>
    Buffer.concat([Buffer.from(mark ? '\ufeff' : ''), bytes.subarray(0, bytes.length - cut)]),
  );

describe('plain text', () => {
  it('has the same entries from its bytes as line by line, for any content', async () => {
    await holdsAsync(
      fc.asyncProperty(content, async (bytes) => void (await expectSame(bytes))),
      { numRuns: 150 },
    );
  });

  it('does so for lines across the chunks of a file', async () => {
    const lines = fc.array(fc.tuple(line, end), { minLength: 400, maxLength: 900 });
    let taken = 0;
    await holdsAsync(
      fc.asyncProperty(lines, async (all) => {
        taken += await expectSame(gzipSync(Buffer.concat([...all, ...all, ...all].flat())));
      }),
      { numRuns: 12 },
    );
    expect(taken).toBeGreaterThan(1_000);
  });

  it('does so in a chunk of more than a megabyte', async () => {
    const lines = Array.from(
      { length: 100_000 },
      (_, n) => `010${String(20_000_000 + n * 701).padStart(8, '0')}`,
    );
    lines[87_381] = '０１０１２３４５６７８';
    expect(await expectSame(Buffer.from(lines.join('\n')))).toBe(99_997);
  });

  it('reads nothing from bytes if its list is unknown', async () => {
    expect(await expectSame(Buffer.from('01012345678\n01012345679\n01012345670\n'), null)).toBe(0);
  });

  it('reads nothing from the bytes of other formats', async () => {
    let taken = 0;
    const file = write('columns.csv', 'number\n01012345678\n01012345679\n');
    const path = catalogue('columns.json', { inputs: [{ file, list: 'suspended' }] });
    const [report] = await collect(readCatalogue(path), {
      now: 0,
      onEntry: () => undefined,
      onNumber: () => taken++,
      onReject: () => undefined,
      onProgress: () => undefined,
    });
    expect([taken, report?.accepted, basename(file)]).toEqual([0, 2, 'columns.csv']);
  });
});
