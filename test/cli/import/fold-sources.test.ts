/**
 * Sender ids that look like each other, folded: a release says of each what the live layer said, whatever
 * was done to them and in which order, also over a release that had folded in what came before.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FoldedList, fold } from '../../../cli/import/fold.ts';
import type { EntryInfo } from '../../../shared/admin.ts';
import { ListEntries } from '../../../shared/build/list-entries.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { byLiveKey, fingerprintKey, fingerprintText, type LiveEntry } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import type { Release } from '../../../shared/release/release.ts';
import { screenAndFormat } from '../../../shared/screening/screen.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { install } from '../../shared/support/built-release.ts';
import { layerOf, liveEntry } from '../../shared/support/live.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { NOW, snapshot, source, wishes } from '../../shared/support/screen-world.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

/** Latin, Cyrillic, and one of each: all with the skeleton of the first. */
const TEXTS = ['TACC', 'ТАСС', 'TАCC', 'OTHER'];

interface Change {
  readonly op: 'block' | 'unblock' | 'clear';
  readonly text: string;
}

/** As the coordinator keeps them: of one key, the newest. */
function rowsOf(changes: readonly Change[], firstSeq: number): LiveEntry[] {
  const rows = new Map<string, LiveEntry>();
  changes.forEach(({ op, text }, index) => {
    const { spelling, skeleton } = fingerprintsOf({ kind: 'senderId', name: text }, testKeys.sourceSeed);
    for (const fingerprint of op === 'unblock' ? [spelling] : new Set([spelling, skeleton])) {
      const entry = liveEntry(fingerprintKey(fingerprint), { op, seq: firstSeq + index });
      rows.set(fingerprintText(entry)!, entry);
    }
  });
  return [...rows.values()].sort(byLiveKey);
}

function infoOf(entry: LiveEntry): EntryInfo {
  const { op, code, seq, authority } = entry;
  return {
    ...{ number: null, source: 'x', fingerprint: fingerprintText(entry), op, code, authority, seq },
    ...{ subjects: ['from', 'to'], until: null, at: '', by: '', reason: '' },
  };
}

async function releaseOf(lists: readonly FoldedList[], foldedSeq: number): Promise<Release> {
  const built = await buildRelease(
    lists.map(({ entries, ...info }) => {
      const content = new ListEntries(testKeys.permutation);
      for (const { what, since, until } of entries) {
        if (what.kind === 'fingerprint')
          content.sources.push({ fingerprint: BigInt(`0x${what.hex}`), since, until });
      }
      return { info: { ...info, asOf: '2026-11-24T00:00:00.000Z' }, content: content.finish() };
    }),
    testKeys,
    { base: null, createdAt: new Date(NOW), foldedSeq },
  );
  if (!built.ok) throw new Error(built.message);
  return install(built.value);
}

/** What is told of each of them, as a sender. */
function told(release: Release, live: LiveLayer): string {
  const at = { ...snapshot('none'), release, live };
  const question = { to: null, channel: 'sms', ingress: null, otherReadings: [] } as const;
  return TEXTS.map((text) => screenAndFormat({ from: source(text), ...question }, at, wishes()))
    .map(({ verdict, reasons }) => (verdict === 'allow' && reasons.length > 0 ? 'let through' : verdict))
    .join(', ');
}

describe('sender ids that look like each other', () => {
  const change = fc.record({
    op: fc.constantFrom('block', 'unblock', 'clear'),
    text: fc.constantFrom(...TEXTS),
  });
  const changes = fc.array(change, { maxLength: 6 });

  it('are told the same by a release as by the live layer that it has folded in', async () => {
    await holdsAsync(
      fc.asyncProperty(changes, changes, async (before, after) => {
        const now = NOW / 1000;
        const empty = await releaseOf([], 0);
        const first = rowsOf(before, 1);
        const folded = fold(first.map(infoOf), [], now);
        const base = await releaseOf(folded, 50);
        expect(told(base, LiveLayer.EMPTY)).toBe(told(empty, layerOf(...first)));
        // What comes after lies over that release, and is folded upon it.
        const second = rowsOf(after, 51);
        const next = await releaseOf(fold(second.map(infoOf), folded, now), 100);
        expect(told(next, LiveLayer.EMPTY)).toBe(told(base, layerOf(...second)));
      }),
      { numRuns: 200 },
    );
  });
});
