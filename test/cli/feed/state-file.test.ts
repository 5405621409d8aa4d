/** The state of a pull: a written state is read back, and a damaged file is never read in part. */

import '../support/workspace.ts';
import type fs from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FeedEntries } from '../../../cli/feed/entries.ts';
import { type FeedPlace, readState, writeState } from '../../../cli/feed/state-file.ts';
import type { PartyEntry } from '../../../shared/feed/entry.ts';
import { PULLED_KINDS_MAX } from '../../../shared/limits/feed-pull.ts';
import { failureOf } from '../support/failing.ts';
import { BLOCK } from '../support/fake-feed.ts';
import { FOLDER } from '../support/workspace.ts';

const PLACE: FeedPlace = {
  ...{
    url: 'https://control.example',
    feed: '0123456789abcdef',
    epoch: 2,
    position: 7,
    digest: 'd'.repeat(43),
  },
  ...{ checkpoint: 'a note\n\n— x y\n', at: '2026-11-27T01:02:03.004Z' },
};
const path = join(FOLDER, 'state.ndjson');

function entriesOf(count: number): FeedEntries {
  const entries = new FeedEntries();
  for (let index = 0; index < count; index++) {
    entries.set(`reference-${index}`, {
      ...BLOCK,
      ...(index % 5 === 0
        ? { number: null, source: `SHOP "${index}" 가게\u2028` }
        : { number: `+8210${20_000_000 + index}` }),
      ...(index % 3 === 0 ? { subject: 'to' } : {}),
      ...(index % 7 === 0 ? { until: '2027-01-01T00:00:00Z', rule: 'kr-50@3', stage: 'confirmed' } : {}),
    });
  }
  return entries;
}

/** A disk that accepts only a part of each write. */
vi.mock('node:fs', async (importActual) => {
  const actual = await importActual<typeof fs>();
  const writeSync = (file: number, text: string): number => actual.writeSync(file, text.slice(0, -1));
  return { ...actual, writeSync };
});

describe('the state of a pull', () => {
  it('is read as it was written', async () => {
    const entries = entriesOf(3_000);
    for (let index = 0; index < 3_000; index += 4) entries.delete(`reference-${index}`);
    writeState(path, { place: PLACE, entries });
    const read = await readState(path);
    expect(read.place).toEqual(PLACE);
    expect(new Map(read.entries)).toEqual(new Map(entries));
  });

  it('is refused whole if a byte is missing or another one', async () => {
    writeState(path, { place: PLACE, entries: entriesOf(2) });
    const whole = readFileSync(path);
    const refused = async (bytes: Uint8Array): Promise<boolean> => {
      writeFileSync(path, bytes);
      return (await failureOf(() => readState(path))).message.includes('is damaged: remove it');
    };
    // The line end of the last line carries no data.
    for (let length = 0; length < whole.length - 1; length++)
      expect(await refused(whole.subarray(0, length)), `the first ${length} bytes`).toBe(true);
    for (let at = 0; at < whole.length - 1; at++) {
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 1;
      expect(await refused(flipped), `byte ${at}`).toBe(true);
    }
  }, 60_000);

  it('keeps the old file if the new one cannot be written', async () => {
    const entries = entriesOf(5);
    writeState(path, { place: PLACE, entries });
    const before = readFileSync(path);
    const broken = new Error('the disk is full');
    const failing = Object.create(entries, {
      [Symbol.iterator]: {
        value: function* () {
          yield* [...entries].slice(0, 2);
          throw broken;
        },
      },
    }) as FeedEntries;
    expect(() => writeState(path, { place: PLACE, entries: failing })).toThrow(broken);
    expect(readFileSync(path)).toEqual(before);
  });
});

describe('entries', () => {
  it('take the place of deleted ones, and none of another', () => {
    const entries = new FeedEntries();
    const model = new Map<string, string>();
    for (let index = 0; index < 20_000; index++) {
      const reference = `r${(index * 7_919) % 4_001}`;
      if (index % 3 === 0) {
        entries.delete(reference);
        model.delete(reference);
      } else {
        const number = `+8210${10_000_000 + index}`;
        entries.set(reference, { ...BLOCK, number });
        model.set(reference, number);
      }
    }
    expect(new Map([...entries].map(([reference, { number }]) => [reference, number]))).toEqual(model);
  });

  it.each<[string, string, Partial<PartyEntry>]>([
    ['a reference with other characters', 'a b', {}],
    ['a reference that is too long', 'a'.repeat(65), {}],
    ['a number and a source', 'a', { source: 'SHOP' }],
    ['neither of them', 'a', { number: null }],
    ['a number that is none', 'a', { number: '010-2000-0001' }],
    ['a source that is too long', 'a', { number: null, source: 'A'.repeat(129) }],
    ['an end that is none', 'a', { until: 'tomorrow' }],
    ['an authority that leads elsewhere', 'a', { authority: '../../etc' }],
    ['a code in words', 'a', { code: 'a/b' }],
    ['no code', 'a', { code: null }],
    ['a rule without a version', 'a', { rule: 'kr-50', stage: 'confirmed' }],
  ])('with %s are refused', async (_, reference, entry) => {
    const entries = new FeedEntries();
    const failure = await failureOf(async () => entries.set(reference, { ...BLOCK, ...entry }));
    expect(failure.details.code).toBe('FEED_FORM');
    expect(entries.size).toBe(0);
  });

  it('of too many kinds are refused', () => {
    const entries = new FeedEntries();
    const add = (index: number): void => entries.set(`r${index}`, { ...BLOCK, authority: `a-${index}` });
    for (let index = 0; index < PULLED_KINDS_MAX; index++) add(index);
    expect(() => add(PULLED_KINDS_MAX)).toThrow(
      'more than 4096 combinations of effect, code, authority and rule',
    );
  });
});
