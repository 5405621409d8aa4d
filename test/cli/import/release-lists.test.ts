/** The folded entries of a release, read back from its values. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { carryLists } from '../../../cli/import/carried-lists.ts';
import type { FoldedList } from '../../../cli/import/fold.ts';
import { foldedIn } from '../../../cli/import/release-lists.ts';
import { listKeys } from '../../../cli/secrets.ts';
import { buildWithLive, HOME } from '../support/builds.ts';

const sorted = (lists: readonly FoldedList[]): FoldedList[] =>
  lists.map((list) => ({
    ...list,
    entries: list.entries.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  }));

describe('folded entries', () => {
  it('are read back completely: numbers with any prefix, dates and sources', async () => {
    const { folder, manifest } = await buildWithLive([
      ...HOME.slice(0, 500).map((number) => ({ number })),
      { number: '+14155550199' },
      { number: '+14155550199', op: 'unblock', until: '2040-01-01T00:00:00.000Z' },
      { number: '+639171234567', code: 'OVERSEAS_NUMBER_LISTED', subjects: ['from'] },
      { number: null, source: 'KR-POST', until: '2041-01-01T00:00:00.000Z' },
      { number: null, source: 'KR-BANK' },
      {
        ...{ number: '+14155550198', subjects: ['from'], authority: 'numgate' },
        ...{ rule: 'kr-50@3', stage: 'provisional', until: '2040-01-01T00:00:00.000Z' },
      },
    ]);
    const read = await foldedIn({ manifest, load: async ({ key }) => folder.value(key) }, await listKeys());
    expect(read.map(({ name, entries }) => [name, entries.length])).toEqual([
      ['live-allow-kisa', 1],
      ['live-from-overseas-number-listed-kisa', 1],
      ['live-from-sender-reported-numgate-kr-50-3-provisional', 1],
      ['live-sender-reported-kisa', 503],
    ]);
    expect(sorted(read)).toEqual(sorted(folder.folded));
    const list = manifest.lists.findIndex(({ rule }) => rule !== undefined);
    const base = { manifest, load: async ({ key }: { key: string }) => folder.value(key) };
    const carried = await carryLists(base, [{ from: 'base', index: list }], await listKeys());
    expect(manifest.lists[list]).toMatchObject({ ...carried.get(list)!.info, stage: 'provisional' });
  });

  it('are empty without live entries, and then no value is loaded', async () => {
    const { manifest } = await buildWithLive([]);
    const never = (): never => {
      throw new Error('a value was loaded');
    };
    expect(await foldedIn({ manifest, load: never }, await listKeys())).toEqual([]);
  });
});
