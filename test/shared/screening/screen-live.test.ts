/**
 * The effect of the live layer on the verdict, as tables: which entry overrides which list, the effect of
 * missing or old data, and how lists of folded entries give way.
 */
import { describe, expect, it } from 'vitest';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import type { Party } from '../../../shared/numbers/party.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { openReference } from '../../../shared/screening/appeal-reference.ts';
import { type CheckResponse, formatDecision } from '../../../shared/screening/check-response.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { TEST_NUMBER_BASE } from '../../../shared/test-numbers.ts';
import { liveEntry } from '../support/live.ts';
import { LIVE, LIVE_MISSING, LIVE_OLD } from '../support/screen-tables.ts';
import {
  clientSettings,
  FOLDED_SEQ,
  keyOf,
  NOW,
  number,
  on,
  shortCode,
  snapshot,
  source,
  UNTIL,
  withLive,
} from '../support/screen-world.ts';

const FRESH = snapshot();

function check(fields: { from?: Party; to?: Party; channel?: 'sms' | 'voice' }, at: Snapshot): CheckResponse {
  const senderRules = fields.from?.kind === 'source' ? 'none' : 'kr';
  const request: ScreenRequest = {
    ...{ from: null, to: null, ingress: null, otherReadings: [], channel: 'sms' },
    ...fields,
  };
  return formatDecision(request, screen(request, at, clientSettings({ senderRules })), at);
}
const summarize = ({ verdict, reasons }: CheckResponse): string =>
  [verdict, ...reasons.map(({ code }) => code)].join(' ');

/** A live entry for a party. */
const entry = (party: Party, some: Partial<LiveEntry> = {}): LiveEntry => liveEntry(keyOf(party), some);
const block = entry;
const unblock = (party: Party, some: Partial<LiveEntry> = {}): LiveEntry =>
  entry(party, { op: 'unblock', ...some });

describe('a live entry', () => {
  it.each(LIVE)('%s over %j: %s', (op, places, want) => {
    for (const subject of ['from', 'to'] as const) {
      const party = on(...places);
      const answer = check({ [subject]: party }, withLive(FRESH, entry(party, { op })));
      expect(summarize(answer)).toBe(want);
    }
  });

  it.each(LIVE_MISSING)('(%s) %s over %j: %s', (release, op, places, want) => {
    const party = on(...places);
    const answer = check({ to: party }, withLive(snapshot(release), entry(party, { op })));
    const [verdict, first, ...rest] = want.split(' ');
    const [deciding, ...others] = answer.reasons.map(({ code }) => code);
    expect([answer.verdict, deciding]).toEqual([verdict, first]);
    expect(others.sort()).toEqual(rest.sort());
  });

  it.each(LIVE_OLD)('(%s, old) %s over %j: %s', (release, op, places, want) => {
    const party = on(...places);
    const answer = check({ to: party }, withLive(snapshot(release, NOW, 3_601), entry(party, { op })));
    expect(summarize(answer)).toBe(want);
  });

  it('never makes data stale when there is no release', () => {
    expect(summarize(check({ to: on() }, snapshot('none', NOW, 3_601)))).toBe(
      'indeterminate LIST_UNAVAILABLE',
    );
  });

  it('has its authority and its end in the reason', () => {
    const party = on('blockExact');
    const blocked = check({ to: party }, withLive(FRESH, block(party, { until: UNTIL })));
    expect(blocked.reasons[0]).toEqual({
      subject: 'to',
      code: 'SENDER_UNQUALIFIED',
      list: 'live',
      match: 'exact',
      effect: 'block',
      authority: 'kisa',
      until: '2027-01-15T08:00:00.000Z',
      appeal: expect.any(String),
    });
    const { appeal } = blocked.reasons[0]!;
    expect(openReference(appeal!, FRESH.keys.appealKey)).toEqual({
      ...{
        subject: 'to',
        party: party.kind === 'number' ? party.n : 0,
        seq: expect.any(Number),
        list: 'live',
      },
      ...{ code: 'SENDER_UNQUALIFIED', authority: 'kisa' },
    });
    const allowed = check({ to: party }, withLive(FRESH, unblock(party)));
    expect(allowed.reasons[0]).toEqual({
      subject: 'to',
      code: 'ALLOW_OVERRIDE',
      list: 'live',
      match: 'exact',
      effect: 'allow',
      authority: 'kisa',
      until: null,
    });
  });

  it('ends on its second, and then the lists decide', () => {
    const party = on('blockExact', 'foldedAllow');
    const live = [unblock(party, { until: UNTIL })];
    for (const now of [NOW, UNTIL * 1000 - 1]) {
      expect(summarize(check({ to: party }, withLive(snapshot('whole', now), ...live)))).toBe(
        'allow ALLOW_OVERRIDE NUMBER_SUSPENDED',
      );
    }
    const after = check({ to: party }, withLive(snapshot('whole', UNTIL * 1000), ...live));
    expect(after.reasons.map(({ list }) => list)).toEqual(['live-allow-kisa', 'suspended']);
  });

  it('applies to its own subjects only, also against folded lists', () => {
    const party = on('foldedBlock');
    for (const op of ['unblock', 'clear'] as const) {
      const at = withLive(FRESH, entry(party, { op, subjects: 1 }));
      expect(check({ from: party }, at).verdict).toBe('allow');
      expect(summarize(check({ to: party }, at))).toBe('block CERTIFICATE_REVOKED');
    }
  });

  it('does not affect other numbers', () => {
    const at = withLive(FRESH, block(on('labelExact')), unblock(on('blockRange')));
    expect(summarize(check({ from: on('blockExact'), to: on() }, at))).toBe('block NUMBER_SUSPENDED');
    expect(summarize(check({ from: on('foldedBlock') }, at))).toBe('block CERTIFICATE_REVOKED');
  });

  it('decides for one subject, and the stronger subject wins', () => {
    const [from, to] = [on('blockExact'), on('blockRange')];
    expect(summarize(check({ from, to }, withLive(FRESH, unblock(from))))).toBe(
      'block NUMBER_UNALLOCATED NUMBER_SUSPENDED ALLOW_OVERRIDE',
    );
    expect(check({ from, to }, withLive(FRESH, unblock(from), unblock(to))).verdict).toBe('allow');
  });
});

describe('the release', () => {
  it('decides for the changes that it has folded in', () => {
    const party = on('foldedBlock');
    for (const op of ['unblock', 'clear'] as const) {
      const at = (seq: number): string =>
        summarize(check({ to: party }, withLive(FRESH, entry(party, { op, seq }))));
      expect(at(FOLDED_SEQ)).toBe('block CERTIFICATE_REVOKED');
      expect(at(FOLDED_SEQ + 1)).toMatch(/^allow/);
    }
  });

  it('gives them back to the live layer when it is rolled back', () => {
    const party = on('blockExact');
    const live = [unblock(party, { seq: FOLDED_SEQ - 1 })];
    expect(check({ to: party }, withLive(snapshot('whole'), ...live)).verdict).toBe('block');
    expect(check({ to: party }, withLive(snapshot('earlier'), ...live)).verdict).toBe('allow');
    expect(check({ to: party }, withLive(snapshot('none'), ...live)).verdict).toBe('allow');
  });
});

describe('a live entry of a source', () => {
  it('is found by its folded text', () => {
    const at = withLive(FRESH, block(source('Free Money')));
    const answer = check({ from: source('ＦＲＥＥ money') }, at);
    expect(summarize(answer)).toBe('block SENDER_UNQUALIFIED');
    expect(answer.reasons[0]).toMatchObject({ list: 'live', match: 'source', subject: 'from' });
    expect(summarize(check({ to: source('free money') }, at))).toBe('block SENDER_UNQUALIFIED');
    expect(summarize(check({ from: source('free money 2') }, at))).toBe('allow');
  });

  it('overrides the lists of sources, and hides the folded lists', () => {
    const listed = source('kb-bank');
    const folded = source('folded');
    expect(summarize(check({ from: folded }, FRESH))).toBe('block CERTIFICATE_REVOKED');
    const at = withLive(FRESH, unblock(listed), entry(folded, { op: 'clear' }));
    expect(summarize(check({ from: listed }, at))).toBe('allow ALLOW_OVERRIDE OVERSEAS_SOURCE_LISTED');
    expect(summarize(check({ from: folded }, at))).toBe('allow');
  });

  it('is found when nothing else is loaded', () => {
    const party = source('kb-bank');
    for (const release of ['none', 'withoutSources'] as const) {
      const at = snapshot(release);
      expect(summarize(check({ from: party }, withLive(at, unblock(party))))).toBe(
        'allow ALLOW_OVERRIDE LIST_UNAVAILABLE',
      );
      // No list of sources allows anything, so the block is certain.
      expect(summarize(check({ from: party }, withLive(at, block(party))))).toBe(
        'block SENDER_UNQUALIFIED LIST_UNAVAILABLE',
      );
    }
  });
});

describe('a live entry has no effect on', () => {
  it('an emergency number that is called', () => {
    for (const to of [shortCode('112'), number(82_119), number(822_119)]) {
      const at = withLive(FRESH, block(to), block(on()));
      const answer = check({ from: on(), to, channel: 'voice' }, at);
      expect([answer.verdict, answer.reasons[0]!.code]).toEqual(['allow', 'EMERGENCY_NEVER_BLOCKED']);
    }
  });

  it('a test number', () => {
    const suspended = number(TEST_NUMBER_BASE + 3);
    expect(check({ to: suspended }, FRESH).reasons[0]!.match).toBe('test');
    for (const live of [block(suspended), unblock(suspended)]) {
      expect(check({ to: suspended }, withLive(FRESH, live))).toEqual(check({ to: suspended }, FRESH));
    }
  });

  it('a short code, which is on no list', () => {
    expect(summarize(check({ to: shortCode('1335') }, withLive(FRESH, block(shortCode('1335')))))).toBe(
      'allow',
    );
  });
});

describe('a rule', () => {
  const unused = number(829_900_000_000);
  const personal = number(825_012_345_678);

  it('is overridden by a live entry', () => {
    expect(summarize(check({ to: unused }, withLive(FRESH, unblock(unused))))).toBe(
      'allow ALLOW_OVERRIDE NUMBER_FORMAT_INVALID',
    );
    expect(summarize(check({ to: unused }, withLive(FRESH, block(unused))))).toBe(
      'block SENDER_UNQUALIFIED NUMBER_FORMAT_INVALID',
    );
    expect(summarize(check({ from: personal }, withLive(FRESH, unblock(personal))))).toBe(
      'allow ALLOW_OVERRIDE SENDER_FORMAT_RULE',
    );
  });

  it('applies again when the entry is cleared', () => {
    expect(summarize(check({ to: unused }, withLive(FRESH, entry(unused, { op: 'clear' }))))).toBe(
      'block NUMBER_FORMAT_INVALID',
    );
  });
});
