/**
 * Attacks with reports on an innocent sender, and on the blocks themselves. Each test shows what an attack achieves against the
 * rules of a new installation. Budgets of reporters, test numbers and the withdrawal of a whole partner are tested where the
 * reports are kept.
 */
import { describe, expect, it } from 'vitest';
import { causesOf, type SubjectFacts } from '../../../shared/reports/counter-evidence.ts';
import type { CountedReport } from '../../../shared/reports/evaluate.ts';
import { effectiveWeight, RECORD_AT_FIRST, recordAfter } from '../../../shared/reports/partner.ts';
import { parseReport } from '../../../shared/reports/report.ts';
import { DEFAULT_RULES } from '../../../shared/reports/rule.ts';
import { firstStage, nextStage } from '../../../shared/reports/stages.ts';
import { defaultRule, firing, HOUR, MINUTE, NOW, report, reports } from './rule-world.ts';

const DAY = 24 * HOUR;
const NOTHING: string[] = [];
const RULE = defaultRule('kr-50');

/** No evidence is in favour of the sender. */
const UNKNOWN: SubjectFacts = {
  ...{ isProtected: false, isRegistered: false, sent: null, reporters: 50 },
  ...{ isUnblocked: false, neighbours: 0 },
};
const stageWith = (facts: Partial<SubjectFacts>) =>
  firstStage(RULE, causesOf(RULE, { ...UNKNOWN, ...facts }), NOW).state;

describe('an honest burst', () => {
  const burst = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 10, { at: NOW - 5 * MINUTE }));

  it('of 30 subscribers of three partners in minutes blocks', () => {
    expect(firing(burst)).toEqual(['burst-10m']);
    expect(stageWith({})).toBe('provisional');
  });

  it('does not with one report less', () => {
    expect(firing(burst.slice(1))).toEqual(NOTHING);
  });

  it('of 50 over a day blocks, and of 20 if the sender is abroad', () => {
    const day = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 17));
    expect(firing(day)).toEqual(['kr-50']);
    const abroad = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 7, { origin: 'overseas' }));
    expect(firing(abroad)).toEqual(['overseas-20']);
  });
});

describe('an attack on an innocent sender', () => {
  it('by one reporter, 10,000 times: nothing', () => {
    const flood = Array.from({ length: 10_000 }, (_, i) => report('skt', 'r', { at: NOW - i }));
    const everywhere = flood.flatMap((each) => [
      each,
      { ...each, partner: 'kt' },
      { ...each, partner: 'lgu' },
    ]);
    expect(firing(everywhere)).toEqual(NOTHING);
  });

  it('by 10,000 reporters of one source: nothing', () => {
    expect(firing(reports('skt', 10_000, { at: NOW - MINUTE }))).toEqual(NOTHING);
    expect(firing(reports('skt', 10_000, { origin: 'overseas' }))).toEqual(NOTHING);
  });

  it('by two colluding sources: nothing', () => {
    const both = ['skt', 'kt'].flatMap((partner) => reports(partner, 10_000, { at: NOW - MINUTE }));
    expect(firing(both)).toEqual(NOTHING);
    expect(firing(both.map((each) => ({ ...each, origin: 'overseas' })))).toEqual(NOTHING);
  });

  it('by three colluding sources with poor records: nothing', () => {
    const three = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 100, { at: NOW - MINUTE }));
    const poor = new Map(['skt', 'kt', 'lgu'].map((partner) => [partner, 0.25]));
    expect(firing(three, NOW, poor)).toEqual(NOTHING);
  });

  it('by a slow drip below the window: nothing at any time', () => {
    // 49 reports a day for a month, from three sources.
    const drip = Array.from({ length: 49 * 30 }, (_, i) =>
      report(['skt', 'kt', 'lgu'][i % 3]!, `r-${i}`, { at: NOW + (i * DAY) / 49 }),
    );
    for (let now = NOW; now <= NOW + 31 * DAY; now += 6 * HOUR) {
      expect(
        firing(
          drip.filter(({ at }) => at <= now),
          now,
        ),
      ).toEqual(NOTHING);
    }
  });

  it('by deleting and repeating: nothing', () => {
    // The same 9 reporters of each source report, withdraw and report again. Only their last reports remain.
    const left = ['skt', 'kt', 'lgu'].flatMap((partner) =>
      Array.from({ length: 3 }, (_, round) => reports(partner, 9, { at: NOW - round * MINUTE })).flat(),
    );
    expect(firing(left)).toEqual(NOTHING);
  });

  it("by replay of a day's batch: nothing", () => {
    const batch = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 16));
    expect(firing([...batch, ...batch, ...batch, ...batch])).toEqual(NOTHING);
    // A replay a day later, with new times.
    expect(firing([...batch, ...reports('mvno', 16, { at: NOW + DAY })], NOW + DAY)).toEqual(NOTHING);
  });

  it("on a bank's representative number: a proposal to a person", () => {
    expect(stageWith({ isProtected: true })).toBe('proposed');
    expect(stageWith({ isRegistered: true })).toBe('proposed');
    expect(causesOf(RULE, { ...UNKNOWN, isRegistered: true, sent: 2_000_000 })).toEqual([
      'registered',
      'lowRate',
    ]);
    // Fewer than one reporter per thousand texts.
    expect(stageWith({ sent: 50_001 })).toBe('proposed');
    expect(stageWith({ sent: 50_000 })).toBe('provisional');
  });

  it('on a number that a person has unblocked: a proposal', () => {
    expect(stageWith({ isUnblocked: true })).toBe('proposed');
  });

  it('on a block, number by number: seven numbers, then proposals', () => {
    const stages = Array.from({ length: 100 }, (_, neighbours) => stageWith({ neighbours }));
    expect(stages.filter((stage) => stage === 'provisional')).toHaveLength(7);
  });

  it('with forged times: nothing that is stored', () => {
    const at = (ms: number) => new Date(NOW + ms).toISOString();
    const request = {
      ...{ reportId: 'a', from: '+8215881234', channel: 'sms', kind: 'loan' },
      ...{ origin: 'overseas', reporter: '+821012345678' },
    };
    const code = (ms: number) => {
      const parsed = parseReport({ ...request, at: at(ms) }, NOW, {
        id: 'skt',
        kind: 'subscriber',
        mock: false,
      });
      return parsed.ok ? null : [parsed.code, parsed.field];
    };
    expect(code(-7 * DAY - 1)).toEqual(['REPORT_TOO_OLD', 'at']);
    expect(code(60_001)).toEqual(['REPORT_IN_FUTURE', 'at']);
    expect([code(-7 * DAY), code(60_000)]).toEqual([null, null]);
  });

  it('with the reports of a leaked partner: nothing once they are withdrawn', () => {
    const burst = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 10, { at: NOW - MINUTE }));
    expect(firing(burst)).toEqual(['burst-10m']);
    expect(firing(burst.filter(({ partner }) => partner !== 'kt'))).toEqual(NOTHING);
    const block = firstStage(RULE, [], NOW);
    expect(nextStage(block, 'unsupported', RULE, NOW)?.state).toBe('lifted');
  });

  it('that succeeds: 72 hours at most without an independent kind, and each appeal costs its sources', () => {
    const block = firstStage(RULE, [], NOW);
    expect(block.until).toBe(NOW + 72 * HOUR);
    expect(nextStage(block, 'timeUp', RULE, NOW + 72 * HOUR)?.state).toBe('ended');
    // After two accepted appeals against a partner with the record of a new one, its sources no longer suffice.
    const record = recordAfter(recordAfter(RECORD_AT_FIRST, 'appealed'), 'appealed');
    const weight = effectiveWeight(1, record);
    const weights = new Map(['skt', 'kt', 'lgu'].map((partner) => [partner, weight]));
    const again = ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, 30, { at: NOW - MINUTE }));
    expect(firing(again, NOW, weights)).toEqual(NOTHING);
  });
});

describe('an attack on a block', () => {
  const spam = (count: number): CountedReport[] =>
    ['skt', 'kt', 'lgu'].flatMap((partner) => reports(partner, count, { at: NOW - MINUTE }));

  it('by a source that reports in the name of others first, to use up its share: nothing', () => {
    const stolen = spam(17).map((each) => ({ ...each, partner: 'mvno', at: each.at - MINUTE }));
    expect(firing([...stolen, ...spam(17)])).toContain('kr-50');
  });

  it('by a source that calls it "not spam" in the name of all: it takes off its share, and no more', () => {
    const notSpam = spam(40).map((each) => ({ ...each, partner: 'mvno', spam: 'notSpam' as const, at: NOW }));
    // The three sources count for 60 reporters, of which 40 remain. With one more source, the rule blocks.
    expect(firing([...notSpam, ...spam(40)])).toEqual(NOTHING);
    const more = [...spam(40), ...reports('police', 10, { kind: 'police' })];
    expect(firing([...notSpam, ...more])).toContain('kr-50');
  });
});

describe('a rule of a new installation', () => {
  it('still fires for three new partners after one accepted appeal', () => {
    const weight = effectiveWeight(1, recordAfter(RECORD_AT_FIRST, 'appealed'));
    const partners = ['skt', 'kt', 'lgu'];
    const weights = new Map(partners.map((partner) => [partner, weight]));
    const abroad = { at: NOW - MINUTE, origin: 'overseas' } as const;
    const given = partners.flatMap((partner) => reports(partner, 20, abroad));
    const fires = [...firing(given, NOW, weights), ...firing(given, NOW, weights, 'campaign')];
    expect(fires).toEqual(DEFAULT_RULES.map(({ id }) => id));
  });

  it('needs at least three sources, each at its share', () => {
    for (const { distinct, maxShare } of DEFAULT_RULES) {
      expect(Math.ceil(distinct / Math.floor(distinct * maxShare + 1e-6))).toBe(3);
    }
  });
});
