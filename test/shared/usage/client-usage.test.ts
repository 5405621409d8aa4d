/**
 * The counts of a client in an isolate, compared with a plain model: any sequence of requests, failed and lost flushes, and
 * hours. Also the limits.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RECORD_BYTES_PER_DAY_MAX,
  USAGE_NAMES_MAX,
  USAGE_RETRIED_MS,
  USAGE_WAITING_MAX,
} from '../../../shared/limits/edge.ts';
import type { Ingress, ScreenRequest } from '../../../shared/request.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { ClientUsage } from '../../../shared/usage/client-usage.ts';
import { OTHER, sumCounts, type UsageCounts } from '../../../shared/usage/counts.ts';
import type { UsageFlush } from '../../../shared/usage/flush.ts';
import { CODES, VERDICTS, type Verdict } from '../../../shared/verdict.ts';

const NOW = Date.UTC(2026, 10, 24, 3, 30);
const TO = { kind: 'number', n: 821012345678, carrierPrefix: null } as const;
const ANSWER = { shards: 1, recordsFull: false };

interface Check {
  readonly verdict: Verdict;
  readonly channel: 'sms' | 'voice';
  /** Digits of the sender; null for none. */
  readonly from: number | null;
  readonly code: (typeof CODES)[number] | null;
  readonly list: string | null;
  readonly operator: string | null;
  readonly country: string | null;
}

const check: fc.Arbitrary<Check> = fc.record({
  verdict: fc.constantFrom(...VERDICTS),
  channel: fc.constantFrom('sms', 'voice'),
  from: fc.constantFrom(null, 821512345678, 12125550123, 447911123456, 881612345678),
  code: fc.constantFrom(null, ...CODES.slice(0, 4)),
  list: fc.constantFrom(null, 'kr-suspended', 'live'),
  operator: fc.constantFrom(null, '45005', '310410'),
  country: fc.constantFrom(null, 'US', 'VN'),
});

function requestOf({ channel, from, operator, country }: Check): ScreenRequest {
  const ingress: Ingress = {
    ...{ type: 'international', country, operator, trunk: null, smsc: null, carrierPrefix: null },
    ...{ roaming: 'unknown', attestation: null, identity: [] },
  };
  const isGateway = operator !== null || country !== null;
  return {
    from: from === null ? null : { kind: 'number', n: from, carrierPrefix: null },
    ...{ to: TO, channel, ingress: isGateway ? ingress : null, otherReadings: [] },
  };
}

function decisionOf({ verdict, code, list }: Check): Decision {
  const reason = {
    subject: 'to',
    list,
    match: 'exact',
    effect: 'block',
    authority: null,
    until: null,
  } as const;
  return { verdict, subject: null, reasons: code === null ? [] : [{ code, ...reason }] };
}

/** The model: one line for each cell that a check adds to. */
function cellsOf({ verdict, channel, from, code, list, operator, country }: Check): string[] {
  const countries: Record<number, string> = {
    ...{ 821512345678: 'KR', 12125550123: 'US', 447911123456: 'GB', 881612345678: '001' },
  };
  const named = {
    ...{ channel, code, list: code === null ? null : list, operator },
    country: country ?? (from === null ? null : countries[from]!),
  };
  return Object.entries(named).flatMap(([dimension, name]) =>
    name === null ? [] : [`${dimension} ${name} ${verdict}`],
  );
}

function tally(lines: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(lines, (line) => line)].map(([line, all]) => [line, all.length]));
}

/** Every nonzero cell. */
function flatten({ by }: UsageCounts): Record<string, number> {
  const cells = Object.entries(by).flatMap(([dimension, names]) =>
    names.flatMap(([name, ...counts]) =>
      counts.map((count, index) => [`${dimension} ${name} ${VERDICTS[index]}`, count] as const),
    ),
  );
  return Object.fromEntries(cells.filter(([, count]) => count > 0));
}

/** The object that receives flushes. It counts each flush once. */
class PlainObject {
  readonly flushes = new Map<number, UsageFlush>();

  apply(flush: UsageFlush): void {
    const before = this.flushes.get(flush.flush);
    if (before !== undefined) expect(flush).toEqual(before);
    this.flushes.set(flush.flush, flush);
  }

  counts(hour?: number): UsageCounts {
    const all = [...this.flushes.values()].filter((flush) => hour === undefined || flush.hour === hour);
    return sumCounts(
      all.map(({ counts }) => counts),
      1000,
    );
  }
}

function usageOf(now = NOW): ClientUsage {
  return new ClientUsage('kt', 'isolate', 5, now);
}

function deliverAll(usage: ClientUsage, object: PlainObject, now: number): void {
  for (let flush = usage.nextFlush(now); flush !== null; flush = usage.delivered(flush, ANSWER, now))
    object.apply(flush);
}

describe('the counts of a client', () => {
  it('equal a plain model, each hour for itself, whatever flushes arrive, fail or are sent twice', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: check },
      fc.constantFrom('arrives', 'is lost', 'is answered to nobody', 'minutes pass'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const [usage, object] = [usageOf(), new PlainObject()];
        const expected = new Map<number, string[]>();
        let now = NOW;
        for (const each of steps) {
          if (typeof each === 'object') {
            usage.count(requestOf(each), decisionOf(each), now);
            const hour = Math.floor(now / HOUR_MS);
            expected.set(hour, [...(expected.get(hour) ?? []), ...cellsOf(each)]);
          } else if (each === 'minutes pass') now += HOUR_MS / 7;
          else {
            // Within USAGE_RETRIED_MS, because the clock of the pauses stands still.
            const flush = usage.nextFlush(NOW);
            if (flush === null) continue;
            if (each !== 'is lost') object.apply(flush);
            if (each === 'arrives') usage.delivered(flush, ANSWER, NOW);
          }
          if (expected.size > USAGE_WAITING_MAX) break;
        }
        deliverAll(usage, object, NOW);
        for (const [hour, lines] of expected) expect(flatten(object.counts(hour))).toEqual(tally(lines));
        expect(usage.isDelivered).toBe(true);
      }),
    );
  });

  it('numbers are those of both subjects, and totals are summed', () => {
    const [usage, object] = [usageOf(), new PlainObject()];
    const allow = { verdict: 'allow', channel: 'sms', code: null, list: null, operator: null } as const;
    usage.count(
      requestOf({ ...allow, from: 12125550123, country: null }),
      decisionOf({ ...allow, from: null, country: null }),
      NOW,
    );
    usage.count(
      requestOf({ ...allow, from: null, country: null }),
      decisionOf({ ...allow, from: null, country: null }),
      NOW,
    );
    usage.add('requests', 2, NOW);
    usage.add('errors', 1, NOW);
    deliverAll(usage, object, NOW);
    expect(object.counts().totals).toEqual({ requests: 2, errors: 1, numbers: 3 });
  });

  it('names beyond the bound are counted together', () => {
    const [usage, object] = [usageOf(), new PlainObject()];
    const names = Array.from({ length: USAGE_NAMES_MAX + 10 }, (_, index) => `list-${index}`);
    const block = { verdict: 'block', channel: 'sms', code: 'NUMBER_SUSPENDED', from: null } as const;
    for (const list of [...names, ...names]) {
      const each: Check = { ...block, list, operator: null, country: null };
      usage.count(requestOf(each), decisionOf(each), NOW);
    }
    deliverAll(usage, object, NOW);
    const { list } = object.counts().by;
    expect(list).toHaveLength(USAGE_NAMES_MAX + 1);
    expect(list!.find(([name]) => name === OTHER)).toEqual([OTHER, 0, 0, 0, 20]);
    expect(list!.find(([name]) => name === 'list-0')).toEqual(['list-0', 0, 0, 0, 2]);
  });

  it('hours beyond the bound are dropped, and their numbers counted as lost', () => {
    const [usage, object] = [usageOf(), new PlainObject()];
    const allow: Check = {
      verdict: 'allow',
      channel: 'sms',
      from: null,
      code: null,
      list: null,
      operator: null,
      country: null,
    };
    const hours = USAGE_WAITING_MAX + 5;
    for (let hour = 0; hour < hours; hour++)
      usage.count(requestOf(allow), decisionOf(allow), NOW + hour * HOUR_MS);
    // Counts that were lost while sealing come with the next flush.
    while (!usage.isDelivered) deliverAll(usage, object, NOW);
    const { numbers = 0, lostNumbers = 0 } = object.counts().totals;
    expect(lostNumbers).toBeGreaterThan(0);
    expect(numbers + lostNumbers).toBe(hours);
    expect(object.flushes.size).toBeLessThanOrEqual(USAGE_WAITING_MAX + 2);
  });

  it('a flush is given up before the object forgets it', () => {
    const [usage, object] = [usageOf(), new PlainObject()];
    usage.add('numbers', 7, NOW);
    expect(usage.nextFlush(NOW)!.flush).toBe(1);
    expect(usage.nextFlush(NOW + USAGE_RETRIED_MS)!.flush).toBe(1);
    expect(usage.nextFlush(NOW + USAGE_RETRIED_MS + 1)!.flush).toBe(2);
    deliverAll(usage, object, NOW + USAGE_RETRIED_MS + 1);
    expect(object.counts().totals).toEqual({ lostNumbers: 7 });
  });

  it('of a flush that two senders delivered are removed alone, and the next flush stays until it arrives', () => {
    const [usage, object] = [usageOf(), new PlainObject()];
    usage.add('requests', 1, NOW);
    usage.add('requests', 2, NOW + HOUR_MS);
    const [late, again] = [usage.nextFlush(NOW)!, usage.nextFlush(NOW)!];
    expect(again).toBe(late);
    object.apply(late);
    const second = usage.delivered(late, ANSWER, NOW);
    expect(usage.delivered(again, ANSWER, NOW)).toBe(second);
    // Both senders end before the second flush arrives.
    deliverAll(usage, object, NOW);
    expect(object.counts().totals).toEqual({ requests: 3 });
  });

  it('later flushes go to the object of this isolate, the same flush always to the same object', () => {
    const usage = usageOf();
    usage.add('requests', 1, NOW);
    const first = usage.nextFlush(NOW)!;
    expect(first).toMatchObject({ shard: 0, shards: 1 });
    usage.delivered(first, { shards: 4, recordsFull: false }, NOW);
    usage.add('requests', 1, NOW);
    expect(usage.nextFlush(NOW)).toMatchObject({ shard: 1, shards: 4 });
  });
});

describe('block records', () => {
  it('are kept up to the bound of a UTC day, or until the object has its share of the day', () => {
    const usage = usageOf();
    expect(usage.addRecord(RECORD_BYTES_PER_DAY_MAX - 1, NOW)).toBe(true);
    expect(usage.addRecord(2, NOW)).toBe(false);
    expect(usage.addRecord(1, NOW)).toBe(true);
    const tomorrow = NOW + 24 * HOUR_MS;
    expect(usage.addRecord(2, tomorrow)).toBe(true);
    const object = new PlainObject();
    deliverAll(usage, object, tomorrow);
    expect(object.counts().totals).toEqual({ recordBytes: RECORD_BYTES_PER_DAY_MAX + 2, recordsDropped: 1 });
    usage.add('requests', 1, tomorrow);
    usage.delivered(usage.nextFlush(tomorrow)!, { shards: 1, recordsFull: true }, tomorrow);
    expect(usage.addRecord(2, tomorrow)).toBe(false);
    expect(usage.addRecord(2, tomorrow + 24 * HOUR_MS)).toBe(true);
  });
});
