/**
 * How things that are known of one call go together: the party, the operator, the trunk, the SMSC, and the
 * policy; and sender ids that look like others.
 */
import { describe, expect, it } from 'vitest';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import { byLiveKey, fingerprintKey } from '../../../shared/live/entry.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { ask, EMPTY, listing } from '../support/gateway-ask.ts';
import { gatewaySnapshot, SENDERS_BY_KIND } from '../support/gateway-world.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { NOW, number, releases, snapshot, source } from '../support/screen-world.ts';
import { testKeys } from '../support/test-keys.ts';

const { krFixed, krMobile, foreign } = SENDERS_BY_KIND;

describe('what is known of a call', () => {
  it.each([
    ['operator:515-02', { operator: '51502' }, 'operator'],
    ['trunk:mnl 2', { trunk: 'MNL2' }, 'trunk'],
    ['smsc:+63917*', { smsc: 639_170_000_130 }, 'smsc'],
    ['smsc:+639170000130', { smsc: 639_170_000_130 }, 'smsc'],
  ])('is found on a list: %s', async (written, way, match) => {
    for (const effect of ['block', 'label', 'shadow', 'allow'] as const) {
      const answer = ask(foreign, way, await listing([effect, written]));
      const code = effect === 'allow' ? 'ALLOW_OVERRIDE' : 'OVERSEAS_SOURCE_LISTED';
      expect(answer.reasons).toContainEqual(
        expect.objectContaining({ code, match, effect, subject: 'from' }),
      );
      expect(answer.verdict).toBe(effect === 'shadow' ? 'label' : effect);
    }
    expect(ask(foreign, {}, await listing(['block', written])).verdict).toBe('label');
  });

  it('is not found by half a name', async () => {
    const at = await listing(['block', 'operator:51502', 'smsc:+639171*', 'trunk:MNL-2', 'smsc:+63917']);
    for (const way of [{ operator: '51503' }, { smsc: 639_170_000_130 }, { trunk: 'MNL-22' }]) {
      expect(ask(foreign, way, at).verdict).toBe('label');
    }
  });

  it('opens a lane by a trusted operator, and takes back nothing that is said of the number or the trunk', async () => {
    const at = await listing(['allow', 'operator:51502'], ['block', 'trunk:BAD', 'SPAM']);
    expect(ask(krFixed, { operator: '51502' }, at)).toMatchObject({ verdict: 'allow', subject: 'from' });
    expect(ask(krFixed, { operator: '51502', trunk: 'BAD' }, at).verdict).toBe('block');
    expect(ask(source('SPAM'), { operator: '51502' }, at).verdict).toBe('block');
    const invalid = gatewaySnapshot('blocked', foreign);
    const lane = liveEntry(
      fingerprintKey(fingerprintsOf({ kind: 'operator', name: '51502' }, testKeys.sourceSeed).spelling),
      {
        op: 'unblock',
      },
    );
    const answer = ask(foreign, { operator: '51502', attestation: 'A' }, { ...invalid, live: layerOf(lane) });
    expect(answer).toMatchObject({ verdict: 'block', reasons: [{ code: 'NUMBER_TERMINATED' }, {}, {}] });
  });

  it('opens no lane where the data may be old or is not there', async () => {
    const at = await listing(['allow', 'operator:51502']);
    const old = { ...at, asOf: NOW - 4_000_000 };
    expect(ask(krFixed, { operator: '51502' }, old).verdict).toBe('indeterminate');
    expect(ask(krFixed, { operator: '51503' }, old).verdict).toBe('block');
    expect(ask(foreign, { operator: '51502' }, old).verdict).toBe('indeterminate');
    const missing = { ...EMPTY, release: releases.withoutSources };
    expect(ask(krMobile, { operator: '51502', roaming: 'verified' }, missing).verdict).toBe('indeterminate');
  });

  it('is never let through by one thing where the data of another is not there', async () => {
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
    const way = { operator: '51502', roaming: 'verified' } as const;
    expect(ask(listed, way, { ...withoutShards, live: layerOf(lane) }).verdict).toBe('indeterminate');
    expect(ask(listed, way, { ...EMPTY, release: null, live: layerOf(lane) }).verdict).toBe('indeterminate');
    const unblocked = liveEntry({ kind: 'number', high: 6391, low: 71_234_567 }, { op: 'unblock', seq: 200 });
    const missing = { ...EMPTY, release: releases.withoutSources, live: layerOf(unblocked) };
    expect(ask(foreign, { trunk: 'BAD' }, missing)).toMatchObject({ verdict: 'indeterminate' });
    expect(ask(foreign, {}, missing).verdict).toBe('allow');
    expect(ask(foreign, { trunk: 'BAD' }, at).verdict).toBe('block');
  });

  it('says once that data is not there, of however many things', () => {
    const { reasons } = ask(
      foreign,
      { operator: '51502', trunk: 'A', smsc: 639_170_000_130 },
      snapshot('none'),
    );
    expect(reasons.filter(({ code }) => code === 'LIST_UNAVAILABLE')).toHaveLength(1);
  });

  it('of an SMSC is what was said last, of it or of a prefix of it', () => {
    const key = (name: string) =>
      fingerprintKey(fingerprintsOf({ kind: 'smsc', name }, testKeys.sourceSeed).spelling);
    const live = (...entries: LiveEntry[]): Snapshot => ({
      ...EMPTY,
      live: layerOf(...entries.toSorted(byLiveKey)),
    });
    const way = { smsc: 639_170_000_130 };
    const unblock = liveEntry(key('63917*'), { op: 'unblock', seq: 20 });
    const block = (seq: number) => liveEntry(key('639170000130'), { seq });
    expect(ask(foreign, way, live(unblock, block(21))).verdict).toBe('block');
    expect(ask(foreign, way, live(unblock, block(19))).verdict).toBe('allow');
  });

  it('is blocked now, and let through again, like a number', () => {
    const key = fingerprintKey(
      fingerprintsOf({ kind: 'trunk', name: 'MNL-2' }, testKeys.sourceSeed).skeleton,
    );
    const live = (...entries: Partial<LiveEntry>[]): Snapshot => ({
      ...EMPTY,
      live: layerOf(...entries.map((some) => liveEntry(key, some))),
    });
    const way = { trunk: 'mnl-2' };
    expect(ask(foreign, way, live({ seq: 20 }))).toMatchObject({
      ...{ verdict: 'block', reasons: [{ list: 'live', match: 'trunk' }, { match: 'rule' }] },
    });
    expect(ask(foreign, way, live({ seq: 20 }, { seq: 21, op: 'unblock' })).verdict).toBe('allow');
    expect(ask(foreign, way, live({ seq: 20 }, { seq: 21, op: 'clear' })).verdict).toBe('label');
  });
});

describe('a sender id with letters that look like Latin ones', () => {
  const { spelling, skeleton } = fingerprintsOf({ kind: 'senderId', name: 'ТАСС' }, testKeys.sourceSeed);
  /** As the coordinator makes them: a block and a clear of the name are of both, an unblock of its spelling. */
  const own = (op: LiveEntry['op'], seq: number): LiveEntry[] =>
    (op === 'unblock' ? [spelling] : [spelling, skeleton]).map((fingerprint) =>
      liveEntry(fingerprintKey(fingerprint), { op, seq }),
    );
  const latin = (op: LiveEntry['op'], seq: number): LiveEntry[] => [
    liveEntry(fingerprintKey(skeleton), { op, seq }),
  ];
  /** What is told of the name, of its small letters, and of the Latin one that it looks like. */
  const told = (...entries: LiveEntry[][]): string => {
    const at = { ...EMPTY, live: layerOf(...entries.flat().toSorted(byLiveKey)) };
    return ['ТАСС', 'тасс', 'TACC'].map((text) => ask(source(text), {}, at).verdict).join(' ');
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
  ])('gets what was said of it, and nothing good of what it looks like: %s', (_what, entries, want) => {
    // Of one key, a layer as the coordinator keeps it has only the newest that ends no earlier.
    const newest = new Map(entries.flat().map((entry) => [`${entry.high} ${entry.low}`, entry]));
    expect(told([...newest.values()])).toBe(want);
  });
});
