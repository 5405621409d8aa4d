/** Scores of texts in an isolate, compared with a plain model: any texts and hours, and flushes that fail or are lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USAGE_WAITING_MAX } from '../../../shared/limits/edge.ts';
import { COUNTED_MODELS_MAX, SCORE_BINS } from '../../../shared/limits/text.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import type { ScreenedText } from '../../../shared/screening/screened-text.ts';
import { TEXT_BANDS } from '../../../shared/text/analyse-text.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { ClientUsage } from '../../../shared/usage/client-usage.ts';
import type { UsageFlush } from '../../../shared/usage/flush.ts';
import {
  BANDS,
  binsOf,
  labelledOf,
  suspiciousOf,
  TEXT_COUNTS_SIZE,
  textsOf,
} from '../../../shared/usage/text-counts.ts';

const NOW = Date.UTC(2026, 10, 24, 3, 30);
const ANSWER = { shards: 1, recordsFull: false };
const REQUEST: ScreenRequest = {
  from: { kind: 'number', n: 821512345678, carrierPrefix: null },
  to: { kind: 'number', n: 821012345678, carrierPrefix: null },
  ...{ channel: 'sms', ingress: null, otherReadings: [] },
};
const FOUND: ScreenedText = {
  ...{ score: 0.5, band: 'review', reasons: ['wording'], hosts: [], onlyAllowedHosts: false },
  ...{ campaign: null, model: 'kr-1', release: 'text-1', isTest: false },
};

interface Text {
  readonly model: string;
  readonly release: string;
  readonly score: number;
  readonly band: (typeof TEXT_BANDS)[number];
  readonly isLabelled: boolean;
}

const text: fc.Arbitrary<Text> = fc.record({
  model: fc.constantFrom('kr-1', 'kr-2'),
  release: fc.constantFrom('text-1', 'text-2'),
  score: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.05, 0.95, 0.999, 1)),
  band: fc.constantFrom(...TEXT_BANDS),
  isLabelled: fc.boolean(),
});

function decisionOf(found: ScreenedText, isLabelled: boolean): Decision {
  const code = 'TEXT_SUSPICIOUS' as const;
  const reason = {
    ...({ code, subject: 'from', list: found.model, match: 'model', authority: null, until: null } as const),
    effect: isLabelled ? ('label' as const) : ('shadow' as const),
  };
  const verdict = isLabelled ? 'label' : 'allow';
  return { verdict, subject: null, reasons: found.band === 'suspicious' ? [reason] : [], text: found };
}

function count(usage: ClientUsage, { isLabelled, ...found }: Text, now: number): void {
  usage.count(REQUEST, decisionOf({ ...FOUND, ...found }, isLabelled), now);
}

/** The model's cells for one text, one line each. */
function cellsOf({ release, model, score, band, isLabelled }: Text, hour: number): string[] {
  const bin = Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS));
  const key = `${hour} ${release} ${model}`;
  return [
    `${key} band ${TEXT_BANDS.indexOf(band)}`,
    `${key} bin ${bin}`,
    ...(isLabelled && band === 'suspicious' ? [`${key} labelled`] : []),
  ];
}

function flatten(flushes: Iterable<UsageFlush>): Record<string, number> {
  const cells: Record<string, number> = {};
  for (const { hour, scores = [] } of flushes)
    for (const [release, model, labelled, ...counts] of scores) {
      expect(counts).toHaveLength(TEXT_COUNTS_SIZE - 1);
      const key = `${hour} ${release} ${model}`;
      const add = (cell: string, amount: number): void => {
        if (amount > 0) cells[`${key} ${cell}`] = (cells[`${key} ${cell}`] ?? 0) + amount;
      };
      add('labelled', labelled!);
      counts.forEach((amount, at) => {
        add(at < BANDS.length ? `band ${at}` : `bin ${at - BANDS.length}`, amount);
      });
    }
  return cells;
}

describe('the scores of a client', () => {
  it('equal a plain model, each hour for itself, whatever flushes arrive, fail or are sent twice', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: text },
      fc.constantFrom('arrives', 'is lost', 'is answered to nobody', 'minutes pass'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const usage = new ClientUsage('kt', 'isolate', 5, NOW);
        const object = new Map<number, UsageFlush>();
        const hours = new Set<number>();
        const expected: string[] = [];
        let now = NOW;
        for (const each of steps) {
          if (typeof each === 'object') {
            count(usage, each, now);
            const hour = Math.floor(now / HOUR_MS);
            hours.add(hour);
            expected.push(...cellsOf(each, hour));
          } else if (each === 'minutes pass') now += HOUR_MS / 7;
          else {
            const flush = usage.nextFlush(NOW);
            if (flush === null) continue;
            if (each !== 'is lost') object.set(flush.flush, flush);
            if (each === 'arrives') usage.delivered(flush, ANSWER, NOW);
          }
          if (hours.size > USAGE_WAITING_MAX) break;
        }
        for (let flush = usage.nextFlush(NOW); flush !== null; flush = usage.delivered(flush, ANSWER, NOW))
          object.set(flush.flush, flush);
        const tally = Object.fromEntries(
          [...Map.groupBy(expected, (line) => line)].map(([line, all]) => [line, all.length]),
        );
        expect(flatten(object.values())).toEqual(tally);
        expect(usage.isDelivered).toBe(true);
      }),
    );
  });

  it('have no test texts, no texts without a model, and none of clients that only test', () => {
    const usage = new ClientUsage('kt', 'isolate', 5, NOW);
    const ordinary = decisionOf(FOUND, false);
    usage.count(REQUEST, decisionOf({ ...FOUND, isTest: true, release: null }, false), NOW);
    usage.count(REQUEST, decisionOf({ ...FOUND, model: null, score: null, band: null }, false), NOW);
    usage.count(REQUEST, { ...ordinary, text: undefined! }, NOW);
    usage.count(REQUEST, ordinary, NOW, true, false);
    expect(usage.nextFlush(NOW)).not.toHaveProperty('scores');
  });

  it('are those of at most COUNTED_MODELS_MAX models in an hour', () => {
    const usage = new ClientUsage('kt', 'isolate', 5, NOW);
    const models = Array.from({ length: COUNTED_MODELS_MAX + 2 }, (_, index) => `kr-${index}`);
    const one = { release: 'text-1', score: 0.999, band: 'suspicious', isLabelled: true } as const;
    for (const model of [...models, ...models]) count(usage, { ...one, model }, NOW);
    const { scores = [] } = usage.nextFlush(NOW)!;
    expect(scores.map(([, model]) => model)).toEqual(models.slice(0, COUNTED_MODELS_MAX));
    for (const [, , ...counts] of scores)
      expect([textsOf(counts), suspiciousOf(counts), labelledOf(counts), binsOf(counts)[19]]).toEqual([
        ...[2, 2, 2, 2],
      ]);
  });

  it('hold nothing of a text but its counts', () => {
    const usage = new ClientUsage('kt', 'isolate', 5, NOW);
    count(usage, { release: 'text-1', model: 'kr-1', score: 0.2, band: 'ordinary', isLabelled: false }, NOW);
    const [row] = usage.nextFlush(NOW)!.scores!;
    expect(row).toEqual([
      'text-1',
      'kr-1',
      ...Array.from({ length: TEXT_COUNTS_SIZE }, (_, at) =>
        at === 1 || at === 1 + BANDS.length + 4 ? 1 : 0,
      ),
    ]);
  });
});
