/**
 * What a gateway gets beside the verdict, and how things that are known of one call go together: the address,
 * the operator, the trunk, the SMSC, and the policy.
 */
import { describe, expect, it } from 'vitest';
import { type GatewayAnswer, gatewayAnswer } from '../../../shared/gateway/answer.ts';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import { printKey } from '../../../shared/live/entry.ts';
import type { Policy } from '../../../shared/policy/policy.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import type { Ingress, Question, Sender } from '../../../shared/question.ts';
import { screen } from '../../../shared/screen.ts';
import type { Snapshot, Wishes } from '../../../shared/snapshot.ts';
import { printsOf } from '../../../shared/sources/source.ts';
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
      printKey(printsOf({ kind: 'operator', name: '51502' }, testKeys.sourceSeed).exact),
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

  it('is blocked now, and let through again, like a number', () => {
    const key = printKey(printsOf({ kind: 'trunk', name: 'MNL-2' }, testKeys.sourceSeed).alike);
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
  const { exact, alike } = printsOf({ kind: 'senderId', name: 'ТАСС' }, testKeys.sourceSeed);
  const live = (print: bigint, op: 'block' | 'unblock' | 'clear', seq: number): LiveEntry =>
    liveEntry(printKey(print), { op, seq });
  const told = (text: string, ...entries: LiveEntry[]): string =>
    ask(source(text), {}, { ...EMPTY, live: layerOf(...entries) }).verdict;

  it('is blocked with what it looks like, and let through by its own spelling alone', () => {
    expect([told('TACC', live(alike, 'block', 20)), told('ТАСС', live(alike, 'block', 20))]).toEqual([
      'block',
      'block',
    ]);
    const both = [live(alike, 'block', 20), live(exact, 'unblock', 21)];
    expect([told('ТАСС', ...both), told('TACC', ...both)]).toEqual(['allow', 'block']);
    expect(told('ТАСС', live(exact, 'unblock', 21), live(alike, 'block', 22))).toBe('block');
  });

  it('gets nothing out of an unblock of what it looks like', () => {
    expect([told('TACC', live(alike, 'unblock', 20)), told('ТАСС', live(alike, 'unblock', 20))]).toEqual([
      'allow',
      'label',
    ]);
  });
});
