/** Texts by mobile number in an isolate, compared with a plain map: any requests, with takes between them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOBILE_SENDERS_MAX } from '../../../shared/limits/notice-sources.ts';
import type { Ingress, ScreenRequest } from '../../../shared/request.ts';
import type { Decision } from '../../../shared/screening/decision.ts';
import { MobileSenders } from '../../../shared/usage/mobile-senders.ts';

const TO = { kind: 'number', n: 821012345678, carrierPrefix: null } as const;
const ALLOWED: Decision = { verdict: 'allow', subject: null, reasons: [] };

function textFrom(n: number | null, rest: Partial<ScreenRequest> = {}): ScreenRequest {
  const from = n === null ? null : ({ kind: 'number', n, carrierPrefix: null } as const);
  return { from, to: TO, channel: 'sms', ingress: null, otherReadings: [], ...rest };
}

const sender = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map((index) => 82_10_2000_0000 + index),
  // Far apart, and at the limits of mobile numbers.
  fc.constantFrom(82_10_0001_0000, 82_10_9999_9999, 82_10_5555_0000, 82_10_5555_0000 + 2 ** 20),
  fc.constantFrom(82_10_0000_0017, 82_10_0000_9999, 82_11_0000_0000, 8215881234, 12125550123, null),
);
const step = fc.oneof(
  { weight: 20, arbitrary: sender },
  { weight: 1, arbitrary: fc.constant('take' as const) },
);

function isMobile(n: number): boolean {
  return String(n).startsWith('8210') && String(n).length === 12 && !String(n).startsWith('82100000');
}

describe('texts by mobile number', () => {
  it('are those of a plain map, whatever comes in which order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const counted = new MobileSenders();
        const model = new Map<number, number>();
        const check = (): void => {
          const expected = [...model].sort(([a], [b]) => a - b);
          expect(counted.take() ?? []).toEqual(expected);
          model.clear();
        };
        for (const each of steps) {
          if (each === 'take') check();
          else {
            counted.count(textFrom(each), ALLOWED);
            if (each !== null && isMobile(each)) model.set(each, (model.get(each) ?? 0) + 1);
          }
        }
        check();
        expect(counted.take()).toBeNull();
      }),
    );
  });

  it('are only those that the client sends: no calls, no checks of a sender alone, nothing from a gateway', () => {
    const counted = new MobileSenders();
    const ingress = { type: 'international' } as Ingress;
    const n = 82_10_2000_0001;
    counted.count(textFrom(n, { channel: 'voice' }), ALLOWED);
    counted.count(textFrom(n, { to: null }), ALLOWED);
    counted.count(textFrom(n, { ingress }), ALLOWED);
    counted.count(textFrom(n), { ...ALLOWED, verdict: 'block' });
    counted.count(textFrom(n), { ...ALLOWED, verdict: 'indeterminate', action: 'closed' });
    expect(counted.take()).toBeNull();
    counted.count(textFrom(n), { ...ALLOWED, verdict: 'label' });
    counted.count(textFrom(n), { ...ALLOWED, verdict: 'indeterminate', action: 'open' });
    expect(counted.take()).toEqual([[n, 2]]);
  });

  it('beyond the bound of numbers are uncounted, and those of known numbers are not', () => {
    const counted = new MobileSenders();
    for (let index = 0; index < MOBILE_SENDERS_MAX + 10; index++)
      counted.count(textFrom(82_10_3000_0000 + 7 * index), ALLOWED);
    counted.count(textFrom(82_10_3000_0000), ALLOWED);
    expect(counted.uncounted).toBe(10);
    const taken = counted.take()!;
    expect(taken).toHaveLength(MOBILE_SENDERS_MAX);
    expect(taken[0]).toEqual([82_10_3000_0000, 2]);
    expect(counted.uncounted).toBe(0);
  });
});
