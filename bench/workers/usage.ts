/**
 * Runs loops over the same requests, one turn of one loop per call: without counting, with counting, and with counting and the
 * sketch. The caller measures the processor time of each turn. Two loops screen the requests. The other loops read prepared
 * decisions, because screening takes much longer than counting, and its noise would hide the difference.
 */
import { env } from 'cloudflare:workers';
import { PublishedCredentials } from '../../shared/credentials/published.ts';
import { CanaryNumbers } from '../../shared/enumeration/canary-numbers.ts';
import { scanKeyOf } from '../../shared/enumeration/scan-key.ts';
import { LiveLayer } from '../../shared/live/live-layer.ts';
import { STANDARD_POLICY } from '../../shared/policy/policy.ts';
import type { Ingress, ScreenRequest } from '../../shared/request.ts';
import type { Decision } from '../../shared/screening/decision.ts';
import { screen } from '../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../shared/screening/snapshot.ts';
import { RegistrationOverlay } from '../../shared/senders/registration-overlay.ts';
import { NO_TEXT } from '../../shared/text/published.ts';
import { ClientUsage, type ScanSource } from '../../shared/usage/client-usage.ts';
import { UsageMeter } from '../../workers/edge/usage.ts';
import { benchKeys, randomFrom, randomSuffixes, releaseOf } from '../lib/random-lists.ts';
import type { CountingKind, CountingLoop, CountingTurn } from '../lib/worker-results.ts';
import { serve } from './serve.ts';

const REQUESTS = 10_000;
/** A flush begins a new sketch after this many passes, as in a busy isolate, or with a batch every few seconds. */
const PASSES_OF_FLUSH = 10;
const NOW = Date.UTC(2026, 10, 24, 3, 30);
const SETTINGS: ClientSettings = {
  ...{ failPolicy: 'open', maxStaleSeconds: 3600, mode: 'enforce', senderRules: 'none', shortCodes: [] },
  ...{
    id: 'bench',
    organisation: 'default',
    requireRegistration: 'off',
    requireToken: 'off',
    requireIdentity: 'off',
    requireQualification: 'off',
    onSuspiciousText: 'shadow',
  },
};

const keys = await benchKeys();
const { release } = await releaseOf(
  randomSuffixes(Number((env as { LISTED?: string }).LISTED), 20_261_126),
  keys,
);
const snapshot: Snapshot = {
  release,
  live: LiveLayer.EMPTY,
  registrations: RegistrationOverlay.EMPTY,
  organisations: new Map(),
  credentials: PublishedCredentials.NONE,
  tokens: new Map(),
  passports: new Map(),
  ...{ text: NO_TEXT, texts: new Map() },
  policy: STANDARD_POLICY,
  keys,
  ...{ seq: 1, asOf: NOW, now: NOW },
};

const number = (n: number) => ({ kind: 'number', n, carrierPrefix: null }) as const;
const COUNTRIES = [821_512_345_678, 12_125_550_123, 447_911_123_456, 84_912_345_678];
const OPERATORS = ['45005', '45204', '310410', '23410'];

function ingressOf(index: number): Ingress {
  return {
    ...{ type: 'international', country: null, operator: OPERATORS[index % OPERATORS.length]!, trunk: null },
    ...{ smsc: null, carrierPrefix: null, roaming: 'unknown', attestation: null, identity: [] },
  };
}

const random = randomFrom(20_261_126);
/** Recipients of a campaign, from `010-2000-0000` on. They use nearly all blocks of a sketch. */
const RECIPIENTS = Array.from({ length: REQUESTS }, () => 821_020_000_000 + (random() % 80_000_000));
/** Numbers that no subscriber can have: 010-0000 to 010-1999. */
const UNUSED = Array.from({ length: REQUESTS }, () => 821_000_000_000 + (random() % 20_000_000));

const KINDS: Readonly<
  Record<CountingKind, (index: number) => Pick<ScreenRequest, 'from' | 'to' | 'ingress'>>
> = {
  'recipients only': (index) => ({ from: null, to: number(RECIPIENTS[index]!), ingress: null }),
  'one sender, every recipient blocked': (index) => ({
    ...{ from: number(COUNTRIES[0]!), to: number(UNUSED[index]!), ingress: null },
  }),
  'gateway, senders and operators in turns': (index) => ({
    from: number(COUNTRIES[index % COUNTRIES.length]!),
    ...{ to: number(RECIPIENTS[index]!), ingress: ingressOf(index) },
  }),
};

/** The result must be used, or the engine could skip the work. */
let blocked = 0;

const CONTEXT = { env: {}, ctx: { waitUntil: () => undefined } };

function note({ verdict }: Decision): void {
  if (verdict === 'block') blocked++;
}

/** Reads the fields that screening reads. In production they are in the processor's cache when a request is counted. */
function look({ from, to, ingress }: ScreenRequest, { reasons }: Decision): void {
  if (from?.kind === 'number' && from.n === 1) blocked++;
  if (to?.kind === 'number' && to.n === 1) blocked++;
  if (ingress?.trunk === '') blocked++;
  const [first] = reasons;
  if (first !== undefined && ((first.code as string) === '' || first.list === '')) blocked++;
}

const SCAN_SOURCE: ScanSource = { organisation: 'bench', keyId: 'bench', key: scanKeyOf(20_261_126) };

function meterOf(source: ScanSource | null): UsageMeter {
  const usage = new ClientUsage('bench', 'isolate', 0, NOW);
  if (source !== null) usage.watch(source, CanaryNumbers.NONE);
  return new UsageMeter(usage);
}

/** The loops. Each one makes one pass over all requests. */
function loopsOf(
  requests: readonly ScreenRequest[],
  decisions: readonly Decision[],
): Record<CountingLoop, () => void> {
  const [meter, watching] = [meterOf(null), meterOf(SCAN_SOURCE)];
  const countedBy = (by: UsageMeter) => (): void => {
    for (let at = 0; at < requests.length; at++) {
      const request = requests[at]!;
      const decision = decisions[at]!;
      look(request, decision);
      by.count(request, decision, NOW, CONTEXT);
      note(decision);
    }
  };
  const [counted, watched] = [countedBy(meter), countedBy(watching)];
  let passes = 0;
  return {
    screened: () => {
      for (const request of requests) note(screen(request, snapshot, SETTINGS));
    },
    screenedAndCounted: () => {
      for (const request of requests) {
        const decision = screen(request, snapshot, SETTINGS);
        meter.count(request, decision, NOW, CONTEXT);
        note(decision);
      }
    },
    read: () => {
      for (let at = 0; at < requests.length; at++) {
        const request = requests[at]!;
        const decision = decisions[at]!;
        look(request, decision);
        note(decision);
      }
    },
    counted,
    watched: () => {
      watched();
      if (++passes % PASSES_OF_FLUSH !== 0) return;
      // Makes and delivers the flush, as the edge does after a response.
      for (let flush = watching.usage.nextFlush(NOW); flush !== null; )
        flush = watching.usage.delivered(flush, { shards: 1, recordsFull: false }, NOW);
    },
  };
}

interface Traffic {
  readonly numbers: number;
  readonly loops: Record<CountingLoop, () => void>;
}

function trafficOf(kind: CountingKind): Traffic {
  const requests = Array.from({ length: REQUESTS }, (_, index) => ({
    ...KINDS[kind](index),
    ...{ channel: 'sms', otherReadings: [] },
  })) as ScreenRequest[];
  const decisions = requests.map((request) => screen(request, snapshot, SETTINGS));
  const numbers = requests.reduce(
    (sum, { from, to }) => sum + Number(from !== null) + Number(to !== null),
    0,
  );
  return { numbers, loops: loopsOf(requests, decisions) };
}

/** The traffic of the kind that was timed first. An isolate handles only one kind. */
let traffic: Traffic | null = null;

export default serve<object>({
  '/turn': (query): CountingTurn => {
    traffic ??= trafficOf(query.get('kind') as CountingKind);
    const { numbers, loops } = traffic;
    const [loop, passes] = [loops[query.get('loop') as CountingLoop], Number(query.get('passes'))];
    for (let pass = 0; pass < passes; pass++) loop();
    if (blocked < 0) throw new Error('nothing was screened');
    return { numbers: numbers * passes };
  },
});
