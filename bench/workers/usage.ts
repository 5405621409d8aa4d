/**
 * Times counting: the same loops over the same requests without counting and with it, in one isolate, in turns. One
 * pair screens the requests. The other one reads decisions that were made before, so that the noise of screening,
 * which takes much longer than counting, does not hide the difference.
 */
import { LiveLayer } from '../../shared/live/live-layer.ts';
import { STANDARD_POLICY } from '../../shared/policy/policy.ts';
import type { Ingress, ScreenRequest } from '../../shared/request.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { screen } from '../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../shared/screening/snapshot.ts';
import { ClientUsage } from '../../shared/usage/client-usage.ts';
import { UsageMeter } from '../../workers/edge/usage.ts';
import { benchKeys } from '../lib/random-lists.ts';
import type { CountingTimes } from '../lib/worker-results.ts';
import { serve } from './serve.ts';

const REQUESTS = 10_000;
/** Passes in one measurement: the clock of the runtime counts whole milliseconds. */
const PASSES = 60;
const PASSES_SCREENED = 6;
const WARM_ROUNDS = 2;
const NOW = Date.UTC(2026, 10, 24, 3, 30);
const SETTINGS: ClientSettings = {
  ...{ failPolicy: 'open', maxStaleSeconds: 3600, mode: 'enforce', senderRules: 'none', shortCodes: [] },
};

const snapshot: Snapshot = {
  release: null,
  live: LiveLayer.EMPTY,
  policy: STANDARD_POLICY,
  keys: await benchKeys(),
  ...{ seq: 1, asOf: NOW, now: NOW },
};

const number = (n: number) => ({ kind: 'number', n, carrierPrefix: null }) as const;
const COUNTRIES = [821_512_345_678, 12_125_550_123, 447_911_123_456, 84_912_345_678];
const OPERATORS = ['45005', '45204', '310410', '23410'];

function ingressOf(index: number): Ingress {
  return {
    ...{ type: 'international', country: null, operator: OPERATORS[index % OPERATORS.length]!, trunk: null },
    ...{ smsc: null, carrierPrefix: null, roaming: 'unknown', attestation: null },
  };
}

/** The worst order for counters that remember the last name: no two neighbours have the same. */
const KINDS: Readonly<Record<string, (index: number) => Pick<ScreenRequest, 'from' | 'to' | 'ingress'>>> = {
  'recipients only': (index) => ({ from: null, to: number(821_020_000_000 + index), ingress: null }),
  'one sender, every recipient blocked': (index) => ({
    // A subscriber cannot have it: 010-0….
    ...{ from: number(COUNTRIES[0]!), to: number(821_000_000_000 + index), ingress: null },
  }),
  'gateway, senders and operators in turns': (index) => ({
    from: number(COUNTRIES[index % COUNTRIES.length]!),
    ...{ to: number(821_020_000_000 + index), ingress: ingressOf(index) },
  }),
};

/** The result must be used, or the engine could leave out the work. */
let blocked = 0;

const CONTEXT = { env: {}, ctx: { waitUntil: () => undefined } };

function note({ verdict }: Decision): void {
  if (verdict === 'block') blocked++;
}

/** The same loops without counting and with it, over one pass of all requests. */
function loopsOf(
  requests: readonly ScreenRequest[],
  decisions: readonly Decision[],
  meter: UsageMeter,
): Record<keyof CountingTimes, () => void> {
  const count = (request: ScreenRequest, decision: Decision): void =>
    meter.count(request, decision, snapshot.now, CONTEXT);
  return {
    screened: () => {
      for (const request of requests) note(screen(request, snapshot, SETTINGS));
    },
    screenedAndCounted: () => {
      for (const request of requests) {
        const decision = screen(request, snapshot, SETTINGS);
        count(request, decision);
        note(decision);
      }
    },
    read: () => {
      for (let at = 0; at < requests.length; at++) if (requests[at]!.to !== null) note(decisions[at]!);
    },
    readAndCounted: () => {
      for (let at = 0; at < requests.length; at++) {
        count(requests[at]!, decisions[at]!);
        if (requests[at]!.to !== null) note(decisions[at]!);
      }
    },
  };
}

function timeKind(kind: string, rounds: number): CountingTimes {
  const requests = Array.from({ length: REQUESTS }, (_, index) => ({
    ...KINDS[kind]!(index),
    ...{ channel: 'sms', otherReadings: [] },
  })) as ScreenRequest[];
  const decisions = requests.map((request) => screen(request, snapshot, SETTINGS));
  const numbers = requests.reduce(
    (sum, { from, to }) => sum + Number(from !== null) + Number(to !== null),
    0,
  );
  const loops = loopsOf(requests, decisions, new UsageMeter(new ClientUsage('bench', 'isolate', 0, NOW)));
  const names = Object.keys(loops) as (keyof CountingTimes)[];
  const times: Record<keyof CountingTimes, number[]> = {
    ...{ screened: [], screenedAndCounted: [], read: [], readAndCounted: [] },
  };
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    // Neighbours take turns to be first.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const passes = name.startsWith('read') ? PASSES : PASSES_SCREENED;
      const from = performance.now();
      for (let pass = 0; pass < passes; pass++) loops[name]();
      if (round >= 0) times[name].push(((performance.now() - from) * 1e6) / (numbers * passes));
    }
  }
  if (blocked < 0) throw new Error('nothing was screened');
  return times;
}

export default serve<object>({
  '/time': (query) =>
    Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, timeKind(kind, Number(query.get('rounds')))])),
});
