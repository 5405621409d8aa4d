/**
 * The polling policy, as properties of every history of calls. `seq` never goes back, polls keep their
 * distance, an isolate that lost a claim polls again soon, requests wait only if the data is too old, and the
 * breaker opens, stays within its bounds, and closes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BREAKER_FAILURES,
  BREAKER_MAX_MS,
  BREAKER_MIN_MS,
  CLAIM_RETRY_MS,
  HEAD_FRESH_MS,
  HEAD_WAIT_MS,
  JITTER_SHARE,
} from '../../shared/limits/edge.ts';
import { afterCache, Breaker, HeadPoll, inShare, isNewer } from '../../shared/propagation.ts';
import { holds } from './support/properties.ts';

/** Any time after 1970. */
const NOW = 1_800_000_000_000;
const SOONEST_MS = HEAD_FRESH_MS * (1 - JITTER_SHARE);
const LATEST_MS = HEAD_FRESH_MS * (1 + JITTER_SHARE);

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const ageMs = fc.integer({ min: 0, max: 4 * HEAD_WAIT_MS });

describe('a poll', () => {
  it('begins one period after the last one, plus or minus the jitter', () => {
    holds(
      fc.property(chance, (drawn) => {
        const poll = new HeadPoll(() => drawn);
        poll.confirmed(NOW);
        poll.began(NOW);
        expect(poll.due(NOW + SOONEST_MS - 1)).toBe('nothing');
        expect(poll.due(NOW + LATEST_MS)).toBe('background');
      }),
    );
  });

  it('spreads over the whole of the jitter', () => {
    const dueAfterMs = (drawn: number): number => {
      const poll = new HeadPoll(() => drawn);
      poll.confirmed(NOW);
      poll.began(NOW);
      let ms = 0;
      while (poll.due(NOW + ms) === 'nothing') ms++;
      return ms;
    };
    expect(dueAfterMs(0)).toBe(SOONEST_MS);
    expect(dueAfterMs(0.5)).toBe(HEAD_FRESH_MS);
    expect(dueAfterMs(1 - 2 ** -30)).toBe(LATEST_MS);
  });

  it('is due again soon after a lost claim', () => {
    holds(
      fc.property(chance, (drawn) => {
        const poll = new HeadPoll(() => drawn);
        poll.confirmed(NOW);
        poll.began(NOW);
        poll.retrySoon(NOW);
        expect(poll.due(NOW + CLAIM_RETRY_MS - 1)).toBe('nothing');
        expect(poll.due(NOW + CLAIM_RETRY_MS)).toBe('background');
      }),
    );
    expect(CLAIM_RETRY_MS).toBeLessThan(SOONEST_MS);
  });

  it('never makes the head older or the last check earlier', () => {
    const time = fc.integer({ min: 0, max: NOW });
    holds(
      fc.property(fc.array(fc.tuple(time, time)), (looks) => {
        const poll = new HeadPoll(() => 0);
        for (const [asOf, seenAt] of looks) {
          const before = [poll.asOf, poll.seenAt] as const;
          poll.confirmed(asOf, seenAt);
          expect([poll.asOf, poll.seenAt]).toEqual([Math.max(before[0], asOf), Math.max(before[1], seenAt)]);
        }
      }),
    );
  });
});

describe('a request', () => {
  it('waits exactly when there is no head, or when the last check is too long ago', () => {
    holds(
      fc.property(ageMs, ageMs, ageMs, (ago, olderMs, waitMs) => {
        const poll = new HeadPoll(() => 0);
        expect(poll.due(NOW, waitMs)).toBe('wait');
        // The age of the head itself does not matter.
        poll.confirmed(NOW - ago - olderMs, NOW - ago);
        expect(poll.due(NOW, waitMs) === 'wait').toBe(ago > waitMs);
        expect(poll.due(NOW, ago)).not.toBe('wait');
      }),
    );
  });

  it.each([
    ['the last look is too long ago', NOW - HEAD_WAIT_MS - 1, HEAD_WAIT_MS],
    ['there is none', 0, HEAD_FRESH_MS],
  ])('does not wait again immediately after an unsuccessful wait, where %s', (_case, asOf, pauseMs) => {
    const poll = new HeadPoll(() => 0);
    poll.confirmed(asOf);
    expect(poll.due(NOW)).toBe('wait');
    poll.pollFailed(NOW);
    expect(poll.due(NOW + pauseMs - 1)).not.toBe('wait');
    expect(poll.due(NOW + pauseMs)).toBe('wait');
  });

  it('waits once, and never again, while there is traffic and no current head', () => {
    const gap = fc.integer({ min: 0, max: HEAD_FRESH_MS });
    holds(
      fc.property(fc.array(gap, { minLength: 1, maxLength: 200 }), chance, (gaps, drawn) => {
        const poll = new HeadPoll(() => drawn);
        poll.confirmed(NOW - HEAD_WAIT_MS - 1);
        let now = NOW;
        let waits = 0;
        for (const ms of gaps) {
          const due = poll.due(now);
          if (due === 'wait') waits++;
          if (due !== 'nothing') {
            poll.began(now);
            poll.pollFailed(now);
          }
          now += ms;
        }
        expect(waits).toBe(1);
      }),
    );
  });
});

describe('the breaker', () => {
  /** How long the breaker stays open, in ms. */
  const pauseOf = (breaker: Breaker): number => {
    let ms = 0;
    while (!breaker.allows(NOW + ms)) ms += 50;
    return ms;
  };

  it('opens after consecutive failures, and immediately when the coordinator is overloaded', () => {
    const breaker = new Breaker(() => 0);
    for (let failure = 1; failure < BREAKER_FAILURES; failure++) breaker.failed(NOW, false);
    expect(breaker.allows(NOW)).toBe(true);
    breaker.succeeded();
    for (let failure = 1; failure < BREAKER_FAILURES; failure++) breaker.failed(NOW, false);
    expect(breaker.allows(NOW)).toBe(true);
    breaker.failed(NOW, false);
    expect(breaker.allows(NOW)).toBe(false);
    const overloaded = new Breaker(() => 0);
    overloaded.failed(NOW, true);
    expect(overloaded.allows(NOW)).toBe(false);
  });

  it('doubles its pause with each failure, up to the maximum', () => {
    const breaker = new Breaker(() => 0);
    for (let failure = 1; failure < BREAKER_FAILURES; failure++) breaker.failed(NOW, false);
    const pauses = Array.from({ length: 4 }, () => {
      breaker.failed(NOW, false);
      return pauseOf(breaker);
    });
    expect(pauses).toEqual([1, 2, 4, 8].map((times) => Math.min(times * BREAKER_MIN_MS, BREAKER_MAX_MS)));
  });

  it('stays within its bounds for any sequence of failures', () => {
    holds(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }), chance, (overloads, drawn) => {
        const breaker = new Breaker(() => drawn);
        let failures = 0;
        let earlier = 0;
        for (const overloaded of overloads) {
          breaker.failed(NOW, overloaded);
          const pause = pauseOf(breaker);
          if (++failures < BREAKER_FAILURES && !overloaded) expect(pause).toBe(earlier);
          else expect(pause).toBeGreaterThanOrEqual(BREAKER_MIN_MS);
          expect(pause).toBeGreaterThanOrEqual(earlier);
          expect(pause).toBeLessThanOrEqual(BREAKER_MAX_MS * (1 + JITTER_SHARE) + 50);
          earlier = pause;
        }
      }),
    );
  });

  it('closes after one success, and resets its pause', () => {
    holds(
      fc.property(fc.integer({ min: BREAKER_FAILURES, max: 20 }), chance, (failures, drawn) => {
        const breaker = new Breaker(() => drawn);
        for (let failure = 0; failure < failures; failure++) breaker.failed(NOW, false);
        breaker.succeeded();
        expect(breaker.allows(NOW)).toBe(true);
        for (let failure = 0; failure < BREAKER_FAILURES; failure++) breaker.failed(NOW, false);
        expect(pauseOf(breaker)).toBeLessThanOrEqual(BREAKER_MIN_MS * (1 + JITTER_SHARE) + 50);
      }),
    );
  });
});

describe('the copy of the data centre', () => {
  it('is used while it is fresh; after that the coordinator is queried, or KV when the breaker is open', () => {
    holds(
      fc.property(ageMs, ageMs, fc.boolean(), (age, freshMs, allows) => {
        const copy = { seq: 1, fetchedAt: NOW - age, asOf: 0 };
        const old = allows ? 'claim' : 'kv';
        expect(afterCache(copy, allows, NOW, freshMs)).toBe(age < freshMs ? 'use' : old);
        expect(afterCache(null, allows, NOW, freshMs)).toBe(old);
      }),
    );
  });

  it('never gives a reader an older head', () => {
    holds(
      fc.property(fc.array(fc.nat()), (offered) => {
        let held = 0;
        for (const seq of offered) {
          const before = held;
          if (isNewer(seq, held)) held = seq;
          expect(held).toBe(Math.max(before, seq));
          expect(isNewer(held, held)).toBe(false);
        }
      }),
    );
  });
});

describe('a share of the data centres', () => {
  const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });

  it('is empty at 0, complete at 1, and never smaller for a larger share', () => {
    holds(
      fc.property(hash, chance, chance, (drawn, one, other) => {
        expect(inShare(drawn, 0)).toBe(false);
        expect(inShare(drawn, 1)).toBe(true);
        const [least, most] = [Math.min(one, other), Math.max(one, other)];
        if (inShare(drawn, least)) expect(inShare(drawn, most)).toBe(true);
      }),
    );
  });

  it('contains the stated share of them', () => {
    expect(inShare(0, 0)).toBe(false);
    const hashes = Array.from({ length: 10_000 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 0);
    const share = hashes.filter((drawn) => inShare(drawn, 0.1)).length / hashes.length;
    expect(share).toBeCloseTo(0.1, 2);
  });
});
