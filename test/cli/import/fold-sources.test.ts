/**
 * Folded sender IDs that look alike. After any sequence of changes, a release gives the same verdicts as the
 * live layer, even on top of a release with earlier folded entries.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FoldedList, fold } from '../../../cli/import/fold.ts';
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import { ListEntries } from '../../../shared/build/list-entries.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { byLiveKey, fingerprintKey, fingerprintText, type LiveEntry } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import type { Release } from '../../../shared/release/release.ts';
import { screen } from '../../../shared/screening/screen.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { install } from '../../shared/support/built-release.ts';
import { layerOf, liveEntry } from '../../shared/support/live.ts';
import { holdsAsync } from '../../shared/support/properties.ts';
import { clientSettings, NOW, snapshot, source } from '../../shared/support/screen-world.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

/** Latin, Cyrillic, and a mix of both. All three have the skeleton of the first one. */
const TEXTS = ['TACC', 'ТАСС', 'TАCC', 'OTHER'];

interface Change {
  readonly op: 'block' | 'unblock' | 'clear';
  readonly text: string;
}

/** The rows that the coordinator stores: the newest change of each key. */
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

/** The verdict for each text as a sender. */
function verdictsOf(release: Release, live: LiveLayer): string {
  const at = { ...snapshot('none'), release, live };
  const request = { to: null, channel: 'sms', ingress: null, otherReadings: [] } as const;
  return TEXTS.map((text) => screen({ from: source(text), ...request }, at, clientSettings()))
    .map(({ verdict, reasons }) =>
      verdict === 'allow' && reasons.length > 0 ? 'allowed by a list' : verdict,
    )
    .join(', ');
}

describe('sender IDs that look like each other', () => {
  const change = fc.record({
    op: fc.constantFrom('block', 'unblock', 'clear'),
    text: fc.constantFrom(...TEXTS),
  });
  const changes = fc.array(change, { maxLength: 6 });

  it('have the same verdict in a release as in the live layer that it has folded in', async () => {
    await holdsAsync(
      fc.asyncProperty(changes, changes, async (before, after) => {
        const now = NOW / 1000;
        const empty = await releaseOf([], 0);
        const first = rowsOf(before, 1);
        const folded = fold(first.map(infoOf), [], now);
        const base = await releaseOf(folded, 50);
        expect(verdictsOf(base, LiveLayer.EMPTY)).toBe(verdictsOf(empty, layerOf(...first)));
        // Later entries override that release and are folded into the next one.
        const second = rowsOf(after, 51);
        const next = await releaseOf(fold(second.map(infoOf), folded, now), 100);
        expect(verdictsOf(next, LiveLayer.EMPTY)).toBe(verdictsOf(base, layerOf(...second)));
      }),
      { numRuns: 200 },
    );
  });
});
