/**
 * How the parts of a call combine: number, operator, trunk, SMSC and policy. Also sender IDs that look alike.
 */
import { describe, expect, it } from 'vitest';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import { byLiveKey, fingerprintKey } from '../../../shared/live/entry.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { check, EMPTY, listing } from '../support/gateway-check.ts';
import { gatewaySnapshot, SENDERS_BY_KIND } from '../support/gateway-world.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { NOW, number, releases, snapshot, source } from '../support/screen-world.ts';
import { testKeys } from '../support/test-keys.ts';

const { krFixed, krMobile, foreign } = SENDERS_BY_KIND;

describe('the ingress of a call', () => {
  it.each([
    ['operator:515-02', { operator: '51502' }, 'operator'],
    ['trunk:mnl 2', { trunk: 'MNL2' }, 'trunk'],
    ['smsc:+63917*', { smsc: 639_170_000_130 }, 'smsc'],
    ['smsc:+639170000130', { smsc: 639_170_000_130 }, 'smsc'],
  ])('is found on a list: %s', async (written, via, match) => {
    for (const effect of ['block', 'label', 'shadow', 'allow'] as const) {
      const answer = check(foreign, via, await listing([effect, written]));
      const code = effect === 'allow' ? 'ALLOW_OVERRIDE' : 'OVERSEAS_SOURCE_LISTED';
      expect(answer.reasons).toContainEqual(
        expect.objectContaining({ code, match, effect, subject: 'from' }),
      );
      expect(answer.verdict).toBe(effect === 'shadow' ? 'label' : effect);
    }
    expect(check(foreign, {}, await listing(['block', written])).verdict).toBe('label');
  });

  it('is not found by a partial name', async () => {
    const at = await listing(['block', 'operator:51502', 'smsc:+639171*', 'trunk:MNL-2', 'smsc:+63917']);
    for (const via of [{ operator: '51503' }, { smsc: 639_170_000_130 }, { trunk: 'MNL-22' }]) {
      expect(check(foreign, via, at).verdict).toBe('label');
    }
  });

  it('bypasses the policy for a trusted operator, but not a block of the number or the trunk', async () => {
    const at = await listing(['allow', 'operator:51502'], ['block', 'trunk:BAD', 'SPAM']);
    expect(check(krFixed, { operator: '51502' }, at)).toMatchObject({ verdict: 'allow', subject: 'from' });
    expect(check(krFixed, { operator: '51502', trunk: 'BAD' }, at).verdict).toBe('block');
    expect(check(source('SPAM'), { operator: '51502' }, at).verdict).toBe('block');
    const invalid = gatewaySnapshot('blocked', foreign);
    const lane = liveEntry(
      fingerprintKey(fingerprintsOf({ kind: 'operator', name: '51502' }, testKeys.sourceSeed).spelling),
      {
        op: 'unblock',
      },
    );
    const answer = check(
      foreign,
      { operator: '51502', attestation: 'A' },
      { ...invalid, live: layerOf(lane) },
    );
    expect(answer).toMatchObject({ verdict: 'block', reasons: [{ code: 'NUMBER_TERMINATED' }, {}, {}] });
  });

  it('bypasses nothing when data is old or missing', async () => {
    const at = await listing(['allow', 'operator:51502']);
    const old = { ...at, asOf: NOW - 4_000_000 };
    expect(check(krFixed, { operator: '51502' }, old).verdict).toBe('indeterminate');
    expect(check(krFixed, { operator: '51503' }, old).verdict).toBe('block');
    expect(check(foreign, { operator: '51502' }, old).verdict).toBe('indeterminate');
    const missing = { ...EMPTY, release: releases.withoutSources };
    expect(check(krMobile, { operator: '51502', roaming: 'verified' }, missing).verdict).toBe(
      'indeterminate',
    );
  });

  it('never passes by one allow entry while the data of another part is missing', async () => {
    const at = await listing(['allow', 'operator:51502'], ['block', 'trunk:BAD']);
    const withoutShards = { ...EMPTY, release: releases.withoutShards };
    const lane = liveEntry(
      fingerprintKey(fingerprintsOf({ kind: 'operator', name: '51502' }, testKeys.sourceSeed).spelling),
      {
        op: 'unblock',
        seq: 200,
      },
    );
    const listed = number(821_022_220_000);
    const via = { operator: '51502', roaming: 'verified' } as const;
    expect(check(listed, via, { ...withoutShards, live: layerOf(lane) }).verdict).toBe('indeterminate');
    expect(check(listed, via, { ...EMPTY, release: null, live: layerOf(lane) }).verdict).toBe(
      'indeterminate',
    );
    const unblocked = liveEntry({ kind: 'number', high: 6391, low: 71_234_567 }, { op: 'unblock', seq: 200 });
    const missing = { ...EMPTY, release: releases.withoutSources, live: layerOf(unblocked) };
    expect(check(foreign, { trunk: 'BAD' }, missing)).toMatchObject({ verdict: 'indeterminate' });
    expect(check(foreign, {}, missing).verdict).toBe('allow');
    expect(check(foreign, { trunk: 'BAD' }, at).verdict).toBe('block');
  });

  it('reports missing data once, for any number of parts', () => {
    const { reasons } = check(
      foreign,
      { operator: '51502', trunk: 'A', smsc: 639_170_000_130 },
      snapshot('none'),
    );
    expect(reasons.filter(({ code }) => code === 'LIST_UNAVAILABLE')).toHaveLength(1);
  });

  it('follows the latest entry of an SMSC or of its prefix', () => {
    const key = (name: string) =>
      fingerprintKey(fingerprintsOf({ kind: 'smsc', name }, testKeys.sourceSeed).spelling);
    const live = (...entries: LiveEntry[]): Snapshot => ({
      ...EMPTY,
      live: layerOf(...entries.toSorted(byLiveKey)),
    });
    const via = { smsc: 639_170_000_130 };
    const unblock = liveEntry(key('63917*'), { op: 'unblock', seq: 20 });
    const block = (seq: number) => liveEntry(key('639170000130'), { seq });
    expect(check(foreign, via, live(unblock, block(21))).verdict).toBe('block');
    expect(check(foreign, via, live(unblock, block(19))).verdict).toBe('allow');
  });

  it('is blocked and unblocked live, like a number', () => {
    const key = fingerprintKey(
      fingerprintsOf({ kind: 'trunk', name: 'MNL-2' }, testKeys.sourceSeed).skeleton,
    );
    const live = (...entries: Partial<LiveEntry>[]): Snapshot => ({
      ...EMPTY,
      live: layerOf(...entries.map((some) => liveEntry(key, some))),
    });
    const via = { trunk: 'mnl-2' };
    expect(check(foreign, via, live({ seq: 20 }))).toMatchObject({
      ...{ verdict: 'block', reasons: [{ list: 'live', match: 'trunk' }, { match: 'rule' }] },
    });
    expect(check(foreign, via, live({ seq: 20 }, { seq: 21, op: 'unblock' })).verdict).toBe('allow');
    expect(check(foreign, via, live({ seq: 20 }, { seq: 21, op: 'clear' })).verdict).toBe('label');
  });
});

describe('a sender ID with letters that look like Latin ones', () => {
  const { spelling, skeleton } = fingerprintsOf({ kind: 'senderId', name: 'ТАСС' }, testKeys.sourceSeed);
  /**
   * Entries as the coordinator makes them. A block or clear covers the name and its look-alike, an unblock
   * only its spelling.
   */
  const own = (op: LiveEntry['op'], seq: number): LiveEntry[] =>
    (op === 'unblock' ? [spelling] : [spelling, skeleton]).map((fingerprint) =>
      liveEntry(fingerprintKey(fingerprint), { op, seq }),
    );
  const latin = (op: LiveEntry['op'], seq: number): LiveEntry[] => [
    liveEntry(fingerprintKey(skeleton), { op, seq }),
  ];
  /** The verdicts for the name, its lower case form, and the Latin look-alike. */
  const verdicts = (...entries: LiveEntry[][]): string => {
    const at = { ...EMPTY, live: layerOf(...entries.flat().toSorted(byLiveKey)) };
    return ['ТАСС', 'тасс', 'TACC'].map((text) => check(source(text), {}, at).verdict).join(' ');
  };

  it.each([
    ['a block', [own('block', 20)], 'block block block'],
    ['a block of the Latin name', [latin('block', 20)], 'block block block'],
    ['an unblock', [own('unblock', 20)], 'allow allow label'],
    ['an unblock of the Latin name', [latin('unblock', 20)], 'label label allow'],
    ['a block, then an unblock', [own('block', 20), own('unblock', 21)], 'allow allow block'],
    ['an unblock, then a block', [own('unblock', 20), own('block', 21)], 'block block block'],
    [
      'a block, then an unblock of the Latin name',
      [own('block', 20), latin('unblock', 21)],
      'block block allow',
    ],
    ['an unblock of both', [own('unblock', 20), latin('unblock', 20)], 'allow allow allow'],
    [
      'an unblock, then a block of the Latin name',
      [own('unblock', 20), latin('block', 21)],
      'allow allow block',
    ],
    ['a block, then a clear', [own('block', 20), own('clear', 21)], 'label label label'],
    ['a clear, then a block of the Latin name', [own('clear', 20), latin('block', 21)], 'block block block'],
  ])(
    'follows its own entries, and gains nothing from the name that it looks like: %s',
    (_what, entries, want) => {
      // The coordinator keeps only the newest entry of a key that ends no earlier.
      const newest = new Map(entries.flat().map((entry) => [`${entry.high} ${entry.low}`, entry]));
      expect(verdicts([...newest.values()])).toBe(want);
    },
  );
});
