/** `numgate audit verify` on raw bytes: only the exact bytes that the service writes count as a record. */
import '../support/workspace.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { linesIn } from '../../../cli/commands/audit-lines.ts';
import {
  type Verification,
  verifyAudit,
  verifyFile,
  verifyService,
} from '../../../cli/commands/audit-verify.ts';
import { CommandFailure } from '../../../cli/failure.ts';
import { visible } from '../../../cli/terminal/visible.ts';
import { type AuditRecord, auditHash, auditLine, CHAIN_START } from '../../../shared/audit.ts';
import { fakeService } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

/** Characters that decoders, line readers or JSON treat specially. */
const REASON = 'a "test" \\ \u2028\u2029\u202e\ufeff\ufffd\u007f\u0085 대표 👍\u{e0041}\t';

function logOf(...bodies: readonly Partial<AuditRecord>[]): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const body of bodies) {
    const record = {
      ...{
        n: records.length + 1,
        seq: 7,
        actor: 'token:root',
        action: 'entries.block',
        subject: '8210-00000001',
      },
      ...{ reason: REASON, at: '2026-11-24T03:12:09.000Z', before: null, after: [{ op: 'block', seq: 7 }] },
      ...body,
      previous: records.at(-1)?.hash ?? CHAIN_START,
    };
    records.push({ ...record, hash: auditHash(record) });
  }
  return records;
}

const LOG = logOf({}, { before: { op: 'clear', 10: 1.5 }, after: null, reason: 'x\ufffd' }, { reason: '' });
const LINES = LOG.map(auditLine);
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

async function verify(bytes: Uint8Array): Promise<Verification['broken'] | 'not a log'> {
  async function* stream(): AsyncGenerator<Buffer> {
    // In parts, as file reads return them.
    for (let from = 0; from < bytes.length; from += 100) yield Buffer.from(bytes.subarray(from, from + 100));
  }
  try {
    return (await verifyAudit(linesIn(stream()), { from: 'the file' })).broken;
  } catch (error) {
    if (error instanceof CommandFailure) return 'not a log';
    throw error;
  }
}

/** A log that counts as intact must have the same lines. */
async function expectFound(bytes: Uint8Array, what: string): Promise<void> {
  expect([what, await verify(bytes)]).not.toEqual([what, null]);
}

describe('an export', () => {
  const exported = Buffer.from(visible(textOf(LINES)).replaceAll('\\u000a', '\n'));
  const older = Buffer.from(textOf(LINES));

  it('is intact as written by this version, and by those that did not escape invisible characters', async () => {
    expect(exported.equals(older)).toBe(false);
    for (const bytes of [exported, older]) expect(await verify(bytes)).toBeNull();
    for (const bytes of [exported, older])
      expect(await verifyFile(write('audit.ndjson', bytes), {})).toMatchObject({ records: 3, broken: null });
  });

  it('is altered by any change of one byte of a line', async () => {
    for (const bytes of [exported, older]) {
      for (let at = 0; at < bytes.length - 1; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << (at % 8);
        await expectFound(flipped, `bit ${at % 8} of byte ${at}`);
        const spaced = Buffer.from(bytes);
        spaced[at] = spaced[at] === 0x20 ? 0x09 : 0x20;
        await expectFound(spaced, `space at byte ${at}`);
        await expectFound(
          Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
          `without byte ${at}`,
        );
      }
    }
  });

  it('is altered by any inserted bytes', async () => {
    const pieces = ['\n', '\r', ' ', '\t', '0', ',', '"', '\\', '\u0000', '\ufeff', '"x":1,', '"n":1,'];
    const inserted = fc.oneof(
      fc.constantFrom(...pieces.map((text) => Buffer.from(text))),
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(exported.length - 1), inserted, async (at, piece) => {
        await expectFound(
          Buffer.concat([exported.subarray(0, at), piece, exported.subarray(at)]),
          `${JSON.stringify(Buffer.from(piece).toString())} before byte ${at}`,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, (line: string) => string]>([
    ['an unknown member', (line) => line.replace('{', '{"note":"approved",')],
    [
      'a second reason, before the first',
      (line) => line.replace('"reason":', '"reason":"approved","reason":'),
    ],
    [
      'a second actor, which has the right hash',
      (line) => line.replace('"actor":', '"actor":"token:x","actor":'),
    ],
    ['a member twice with the same value', (line) => line.replace('"seq":7', '"seq":7,"seq":7')],
    ['a member within a state', (line) => line.replace('"op":', '"op":"unblock","op":')],
    ['another order', (line) => line.replace('"n":2,"seq":7', '"seq":7,"n":2')],
    ['another spelling of a character', (line) => line.replace('token:root', '\\u0074oken:root')],
    ['another spelling of a number', (line) => line.replace('"n":2', '"n":2.0')],
    ['a missing member', (line) => line.replace(',"after":null', '')],
    ['a space at its end', (line) => `${line} `],
    ['a CR at its end', (line) => `${line}\r`],
    ['a mark at its beginning', (line) => `\ufeff${line}`],
    ['a blank line before it', (line) => `\n${line}`],
    ['no JSON', () => 'x'],
  ])('with %s is altered, in a file and from the service', async (_what, change) => {
    const lines = LINES.with(1, change(LINES[1]!));
    expect(lines[1]).not.toBe(LINES[1]);
    const broken = { n: 2, problem: 'ALTERED', message: expect.stringMatching(/^record 2 was altered/) };
    expect((await verifyFile(write('audit.ndjson', textOf(lines)), {})).broken).toMatchObject(broken);
    const { url } = await fakeService(({ path }) =>
      path.endsWith('/status')
        ? { body: { audit: LOG[2] } }
        : { body: path.includes('after=0') ? textOf(lines) : '' },
    );
    expect((await verifyService(new Admin({ url, token: 't' }), {})).broken).toMatchObject(broken);
  });
});
