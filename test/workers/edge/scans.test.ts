/** What the edge collects about the numbers of a client, and how it treats a restricted client. */
import { expect, test } from 'vitest';
import { CanaryNumbers } from '../../../shared/enumeration/canary-numbers.ts';
import { scanKeyOf } from '../../../shared/enumeration/scan-key.ts';
import type { Party } from '../../../shared/numbers/party.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import { ClientUsage } from '../../../shared/usage/client-usage.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

const NOW = Date.UTC(2040, 0, 1, 12);
const MOBILE = 82_10_2000_0000;
const source = { organisation: 'relays', keyId: testKeys.keyId, key: scanKeyOf(testKeys.scanSeed) };
const ANSWER = { shards: 1, recordsFull: false };

const partyOf = (n: number): Party => ({ kind: 'number', n, carrierPrefix: null }) as unknown as Party;

function requestOf(to: number, from = 82_2_1234_5678): ScreenRequest {
  return {
    ...{ from: partyOf(from), to: partyOf(to), channel: 'sms', ingress: null },
    otherReadings: [],
  };
}

const ALLOWED = { verdict: 'allow', reasons: [], findings: [] } as unknown as Decision;

function usageOf(canaries: readonly number[] = []): ClientUsage {
  const usage = new ClientUsage('shop', 'isolate', 1, NOW);
  usage.watch(source, new CanaryNumbers(canaries));
  return usage;
}

test('a flush takes the sketch along, and the next one begins a new sketch', () => {
  const usage = usageOf([MOBILE + 1]);
  for (const to of [MOBILE, MOBILE + 1, MOBILE + 10_000]) usage.count(requestOf(to), ALLOWED, NOW);
  const flush = usage.nextFlush(NOW)!;
  const { scan } = flush;
  expect(scan).toMatchObject({ organisation: 'relays', keyId: testKeys.keyId });
  // Three recipients, and a sender that stays the same.
  expect(scan!.sketch.numbers).toBe(4);
  expect(scan!.sketch.canaries).toHaveLength(1);
  expect(usage.nextFlush(NOW)!.scan).toBe(scan);
  usage.delivered(flush, ANSWER, NOW);
  usage.count(requestOf(MOBILE), ALLOWED, NOW);
  expect(usage.nextFlush(NOW)!.scan!.sketch.numbers).toBe(2);
});

test('a flush holds no number of the requests', () => {
  const usage = usageOf([MOBILE + 77]);
  for (let at = 0; at < 300; at++) usage.count(requestOf(MOBILE + at), ALLOWED, NOW);
  const { scan } = usage.nextFlush(NOW)!;
  const text = JSON.stringify(scan, (_, value) =>
    ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value,
  );
  expect(text).not.toMatch(/\d{11}/);
});

test('while flushes wait, one sketch waits with the first, and one grows', () => {
  const usage = usageOf();
  const hour = 3_600_000;
  for (let at = 0; at < 6; at++) usage.count(requestOf(MOBILE + at), ALLOWED, NOW + at * hour);
  const scans: (number | undefined)[] = [];
  for (let flush = usage.nextFlush(NOW + 6 * hour); flush !== null; ) {
    scans.push(flush.scan?.sketch.numbers);
    flush = usage.delivered(flush, ANSWER, NOW + 6 * hour);
  }
  const known = scans.filter((numbers) => numbers !== undefined);
  expect(known.length).toBeLessThanOrEqual(2);
  expect(known[0]).toBe(2);
});
