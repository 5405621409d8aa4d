/**
 * What a gateway gets beside the verdict, and how things that are known of one call go together: the address,
 * the operator, the trunk, the SMSC, and the policy.
 */
import { describe, expect, it } from 'vitest';
import { type GatewayAnswer, gatewayAnswer } from '../../../shared/gateway/answer.ts';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import { byLiveKey, fingerprintKey } from '../../../shared/live/entry.ts';
import type { Policy } from '../../../shared/policy/policy.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import type { Ingress, Question, Sender } from '../../../shared/question.ts';
import { screen } from '../../../shared/screen.ts';
import type { Snapshot, Wishes } from '../../../shared/snapshot.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { TEST_ANSWERS } from '../../../shared/test-numbers.ts';
import type { Effect } from '../../../shared/verdict.ts';
import { build, install } from '../support/built-release.ts';
import { gatewaySnapshot, ingress, SENDERS_BY_KIND } from '../support/gateway-world.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { EVER, plainList } from '../support/plain-model.ts';
import { NOW, number, releases, snapshot, source, wishes } from '../support/screen-world.ts';
import { testKeys } from '../support/test-keys.ts';

const { krFixed, krMobile, foreign } = SENDERS_BY_KIND;
const EMPTY = gatewaySnapshot('none', foreign);

function ask(
  from: Sender,
  way: Partial<Ingress> = {},
  at: Snapshot = EMPTY,
  wish: Partial<Wishes> = {},
  some: Partial<Question> = {},
): GatewayAnswer {
  const question: Question = { from, to: null, channel: 'voice', ingress: ingress(way), ...some };
  return gatewayAnswer(question, screen(question, at, wishes(wish)), at);
}

async function listing(...lists: [effect: Effect, ...sources: string[]][]): Promise<Snapshot> {
  const plain = lists.map(([effect, ...sources], index) => {
    const list = plainList(`list-${index}`, { sources: sources.map((text) => ({ text, ...EVER })) });
    return {
      ...list,
      info: { ...list.info, effect, subjects: ['from'], reason: 'OVERSEAS_SOURCE_LISTED' },
    } as const;
  });
  return { ...EMPTY, release: await install(await build(plain as never)) };
}

function withPolicy(some: Partial<Policy>): Snapshot {
  return { ...EMPTY, policy: { version: 3, policy: { ...STANDARD_POLICY.policy, ...some } } };
}

describe('a gateway', () => {
  it('gets 603 and ESME_RINVSRCADR where the sender is blocked, and the code in the Reason header', () => {
    expect(ask(krFixed)).toMatchObject({
      verdict: 'block',
      policy: { version: 0, rule: 'kr-number-from-abroad' },
      sip: {
        status: 603,
        reason: 'Network Blocked',
        reasonHeader: 'Q.850;cause=21;text="DOMESTIC_CLI_FROM_ABROAD";location=TN',
      },
      smpp: { commandStatus: 10 },
      label: null,
      withholdCli: false,
    });
  });

  it('gets the redress contact of the policy in the Reason header', () => {
    const at = withPolicy({ redress: { url: 'https://numgate.example/redress', tel: '+8221234567' } });
    const { sip, policy } = ask(krFixed, {}, at);
    expect(sip?.reasonHeader).toBe(
      'Q.850;cause=21;text="v=analytics1;url=https://numgate.example/redress;tel=+8221234567";location=TN',
    );
    expect(policy.version).toBe(3);
  });

  it('gets ESME_RINVDSTADR where the recipient is blocked', () => {
    const to = number(TEST_ANSWERS.find(({ code }) => code === 'NUMBER_SUSPENDED')!.n);
    expect(ask(foreign, {}, EMPTY, {}, { to })).toMatchObject({ subject: 'to', smpp: { commandStatus: 11 } });
  });

  it('gets the label where it is to be labelled, and what to withhold', () => {
    expect(ask(foreign)).toMatchObject({ sip: null, smpp: null, label: '[국제발신]', withholdCli: false });
    const [rule] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
    const at = withPolicy({ rules: [{ ...rule!, withholdCli: true }], label: '[해외]' });
    expect(ask(foreign, {}, at)).toMatchObject({ label: '[해외]', withholdCli: true });
    expect(ask(foreign, {}, at, { mode: 'shadow' })).toMatchObject({
      ...{ verdict: 'allow', unenforced: 'label', label: null, withholdCli: false },
    });
  });

  it('gets 503 and ESME_RTHROTTLED where nobody knows and its own policy is closed, and nothing where it is open', () => {
    const none = { ...snapshot('none') };
    const closed = ask(foreign, {}, none, { failPolicy: 'closed' });
    expect(closed).toMatchObject({
      ...{ verdict: 'indeterminate', action: 'closed', sip: { status: 503 }, smpp: { commandStatus: 88 } },
    });
    expect(ask(foreign, {}, none)).toMatchObject({ action: 'open', sip: null, smpp: null });
  });

  it('may keep an answer for 5 s, not beyond the end of an entry, and not where data is old or missing', () => {
    const at = (ms: number): string => new Date(ms).toISOString();
    expect(ask(foreign).cacheUntil).toBe(at(NOW + 5_000));
    const soon = Math.floor(NOW / 1000) + 2;
    const ends = liveEntry({ kind: 'number', high: 6391, low: 71_234_567 }, { until: soon });
    expect(ask(foreign, {}, { ...EMPTY, live: layerOf(ends) }).cacheUntil).toBe(at(soon * 1000));
    expect(ask(foreign, {}, { ...EMPTY, asOf: NOW - 60_001 }).cacheUntil).toBe(at(NOW));
    expect(ask(foreign, {}, snapshot('none')).cacheUntil).toBe(at(NOW));
  });

  it('is told the evidence, which decides nothing', () => {
    expect(ask(foreign, { country: 'US' }).evidence).toEqual({
      origin: 'abroad',
      carrierPrefix: null,
      sender: 'foreign',
      country: 'PH',
      countryMismatch: true,
    });
    expect(ask(foreign, { country: 'PH' }).evidence.countryMismatch).toBe(false);
    expect(ask(number(12_025_550_123), { country: 'CA' }).evidence).toMatchObject({
      ...{ country: 'US', countryMismatch: false },
    });
    expect(ask(number(88_216_123_456), { country: 'CH' }).evidence.countryMismatch).toBeNull();
    expect(ask({ kind: 'withheld' }, { country: 'PH' }).evidence).toMatchObject({
      ...{ sender: 'withheld', country: null, countryMismatch: null },
    });
  });

  it.each(TEST_ANSWERS)(
    'gets the fixed answer of test number $code, whatever is listed',
    async ({ n, code, verdict }) => {
      const at = await listing(['block', 'operator:51502', 'trunk:A', 'smsc:+63917*']);
      const answer = ask(number(n), { operator: '51502', trunk: 'A', smsc: 639_170_000_130 }, at);
      expect([answer.verdict, answer.reasons[0]?.code, answer.reasons.length]).toEqual([verdict, code, 1]);
    },
  );

  it('does not withhold a number by a rule that was let go, nor that of a test', async () => {
    const [rule] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
    const policy = { rules: [{ ...rule!, withholdCli: true }], label: '[해외]', redress: null };
    const at = {
      ...(await listing(['allow', 'operator:51502'], ['label', 'trunk:T'])),
      policy: { version: 1, policy },
    };
    expect(ask(foreign, { trunk: 'T' }, at)).toMatchObject({ verdict: 'label', withholdCli: true });
    expect(ask(foreign, { trunk: 'T', operator: '51502' }, at)).toMatchObject({
      verdict: 'label',
      withholdCli: false,
    });
    const test = number(TEST_ANSWERS.find(({ verdict }) => verdict === 'label')!.n);
    expect(ask(test, {}, at)).toMatchObject({ verdict: 'label', withholdCli: false });
  });

  it('is told that its data is old, also without a number', () => {
    const old = { ...EMPTY, asOf: NOW - 4_000_000 };
    expect(ask({ kind: 'withheld' }, {}, old)).toMatchObject({ verdict: 'indeterminate' });
    expect(ask({ kind: 'shortCode', code: '1335' }, {}, old).reasons[1]?.code).toBe('LIST_STALE');
  });

  it('never has an emergency call blocked', async () => {
    const at = await listing(['block', 'operator:51502']);
    const to = { kind: 'shortCode', code: '119' } as const;
    expect(ask(krFixed, { operator: '51502' }, at, {}, { to })).toMatchObject({
      verdict: 'allow',
      sip: null,
    });
  });
});

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
  /** As the authority makes them: a block and a clear of the name are of both, an unblock of its spelling. */
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
    // Of one key, a layer as the authority keeps it has only the newest that ends no earlier.
    const newest = new Map(entries.flat().map((entry) => [`${entry.high} ${entry.low}`, entry]));
    expect(told([...newest.values()])).toBe(want);
  });
});
