/**
 * The parts of a gateway response besides the verdict: codes, label, evidence, and how long the gateway may
 * cache the response.
 */
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../shared/policy/policy.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { TEST_NUMBERS } from '../../../shared/test-numbers.ts';
import { check, EMPTY, listing, unloaded } from '../support/gateway-check.ts';
import { SENDERS_BY_KIND } from '../support/gateway-world.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { NOW, number, snapshot } from '../support/screen-world.ts';

const { krFixed, krMobile, foreign } = SENDERS_BY_KIND;

function withPolicy(some: Partial<Policy>): Snapshot {
  return { ...EMPTY, policy: { version: 3, policy: { ...STANDARD_POLICY.policy, ...some } } };
}

describe('a gateway', () => {
  it('gets 603 and ESME_RINVSRCADR when the sender is blocked, with the code in the Reason header', () => {
    expect(check(krFixed)).toMatchObject({
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

  it("gets the policy's redress contact in the Reason header", () => {
    const at = withPolicy({ redress: { url: 'https://numgate.example/redress', tel: '+8221234567' } });
    const { sip, policy } = check(krFixed, {}, at);
    expect(sip?.reasonHeader).toBe(
      'Q.850;cause=21;text="v=analytics1;url=https://numgate.example/redress;tel=+8221234567";location=TN',
    );
    expect(policy.version).toBe(3);
  });

  it('gets ESME_RINVDSTADR when the recipient is blocked', () => {
    const to = number(TEST_NUMBERS.find(({ code }) => code === 'NUMBER_SUSPENDED')!.n);
    expect(check(foreign, {}, EMPTY, {}, { to })).toMatchObject({
      subject: 'to',
      smpp: { commandStatus: 11 },
    });
  });

  it('gets the label when the verdict is label, and whether to withhold the number', () => {
    expect(check(foreign)).toMatchObject({ sip: null, smpp: null, label: '[국제발신]', withholdCli: false });
    const [rule] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
    const at = withPolicy({ rules: [{ ...rule!, withholdCli: true }], label: '[해외]' });
    expect(check(foreign, {}, at)).toMatchObject({ label: '[해외]', withholdCli: true });
    expect(check(foreign, {}, at, { mode: 'shadow' })).toMatchObject({
      ...{ verdict: 'allow', unenforced: 'label', label: null, withholdCli: false },
    });
  });

  it('gets no label for domestic traffic', async () => {
    const home = { type: 'domestic' } as const;
    const mobile = number(821012345678);
    for (const at of [await listing(['label', 'trunk:T']), await listing(['block', 'trunk:T'])]) {
      expect(check(mobile, { ...home, trunk: 'T' }, at, { mode: 'label' })).toMatchObject({
        ...{ verdict: 'label', label: null, withholdCli: false, evidence: { origin: 'domestic' } },
      });
      expect(check(foreign, { trunk: 'T' }, at, { mode: 'label' }).label).toBe('[국제발신]');
    }
  });

  it('gets 503 and ESME_RTHROTTLED on indeterminate when it fails closed, and neither when it fails open', () => {
    const none = { ...snapshot('none') };
    const closed = check(foreign, {}, none, { failPolicy: 'closed' });
    expect(closed).toMatchObject({
      ...{ verdict: 'indeterminate', action: 'closed', sip: { status: 503 }, smpp: { commandStatus: 88 } },
    });
    expect(closed.label).toBeNull();
    expect(check(foreign, {}, none)).toMatchObject({ action: 'open', sip: null, smpp: null });
  });

  it('gets the label on indeterminate when it fails open and the policy labels', async () => {
    const old = { ...EMPTY, asOf: NOW - 4_000_000 };
    for (const at of [{ ...snapshot('none') }, old]) {
      expect(check(foreign, {}, at)).toMatchObject({ verdict: 'indeterminate', label: '[국제발신]' });
      const quiet = [
        check(foreign, {}, at, { mode: 'shadow' }),
        check(foreign, {}, at, { failPolicy: 'closed' }),
        check(krMobile, { roaming: 'verified' }, at),
        check(number(821012345678), { type: 'domestic' }, at),
        check(
          foreign,
          {},
          { ...at, policy: { version: 1, policy: { ...STANDARD_POLICY.policy, rules: [] } } },
        ),
      ];
      for (const { verdict, label } of quiet) expect([verdict, label]).toEqual(['indeterminate', null]);
    }
    // The missing data could override a block of the policy, so the call passes, but with a label.
    const missing = await unloaded(['allow', 'operator:51502']);
    expect(check(krFixed, { operator: '51502' }, missing)).toMatchObject({
      ...{ verdict: 'indeterminate', label: '[국제발신]' },
    });
    const unknown = number(TEST_NUMBERS.find(({ code }) => code === 'LIST_UNAVAILABLE')!.n);
    expect(check(unknown)).toMatchObject({
      verdict: 'indeterminate',
      label: '[국제발신]',
      withholdCli: false,
    });
  });

  it('gets withholdCli on indeterminate when it fails open', () => {
    const [rule] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
    const at = {
      ...withPolicy({ rules: [{ ...rule!, withholdCli: true }] }),
      asOf: NOW - 4_000_000,
    };
    expect(check(foreign, {}, at)).toMatchObject({ verdict: 'indeterminate', withholdCli: true });
    expect(check(foreign, {}, at, { mode: 'shadow' }).withholdCli).toBe(false);
  });

  it('may cache a response for 5 s, not past the end of an entry, and not when data is old or missing', () => {
    const at = (ms: number): string => new Date(ms).toISOString();
    expect(check(foreign).cacheUntil).toBe(at(NOW + 5_000));
    const soon = Math.floor(NOW / 1000) + 2;
    const ends = liveEntry({ kind: 'number', high: 6391, low: 71_234_567 }, { until: soon });
    expect(check(foreign, {}, { ...EMPTY, live: layerOf(ends) }).cacheUntil).toBe(at(soon * 1000));
    expect(check(foreign, {}, { ...EMPTY, asOf: NOW - 60_001 }).cacheUntil).toBe(at(NOW));
    expect(check(foreign, {}, snapshot('none')).cacheUntil).toBe(at(NOW));
  });

  it('gets the evidence, which decides nothing', () => {
    expect(check(foreign, { country: 'US' }).evidence).toEqual({
      origin: 'abroad',
      carrierPrefix: null,
      sender: 'foreign',
      country: 'PH',
      countryMismatch: true,
    });
    expect(check(foreign, { country: 'PH' }).evidence.countryMismatch).toBe(false);
    expect(check(number(12_025_550_123), { country: 'CA' }).evidence).toMatchObject({
      ...{ country: 'US', countryMismatch: false },
    });
    expect(check(number(88_216_123_456), { country: 'CH' }).evidence.countryMismatch).toBeNull();
    expect(check({ kind: 'withheld' }, { country: 'PH' }).evidence).toMatchObject({
      ...{ sender: 'withheld', country: null, countryMismatch: null },
    });
  });

  it.each(TEST_NUMBERS)(
    'gets the fixed response of test number $code, whatever is listed',
    async ({ n, code, verdict }) => {
      const at = await listing(['block', 'operator:51502', 'trunk:A', 'smsc:+63917*']);
      const answer = check(number(n), { operator: '51502', trunk: 'A', smsc: 639_170_000_130 }, at);
      expect([answer.verdict, answer.reasons[0]?.code, answer.reasons.length]).toEqual([verdict, code, 1]);
    },
  );

  it('does not withhold a number for an overridden rule or for a test number', async () => {
    const [rule] = STANDARD_POLICY.policy.rules.filter(({ id }) => id === 'from-abroad');
    const policy = { rules: [{ ...rule!, withholdCli: true }], label: '[해외]', redress: null };
    const at = {
      ...(await listing(['allow', 'operator:51502'], ['label', 'trunk:T'])),
      policy: { version: 1, policy },
    };
    expect(check(foreign, { trunk: 'T' }, at)).toMatchObject({ verdict: 'label', withholdCli: true });
    expect(check(foreign, { trunk: 'T', operator: '51502' }, at)).toMatchObject({
      verdict: 'label',
      withholdCli: false,
    });
    const test = number(TEST_NUMBERS.find(({ verdict }) => verdict === 'label')!.n);
    expect(check(test, {}, at)).toMatchObject({ verdict: 'label', withholdCli: false });
  });

  it('gets LIST_STALE for old data, even when the sender has no number', () => {
    const old = { ...EMPTY, asOf: NOW - 4_000_000 };
    expect(check({ kind: 'withheld' }, {}, old)).toMatchObject({ verdict: 'indeterminate' });
    expect(check({ kind: 'shortCode', code: '1335' }, {}, old).reasons[1]?.code).toBe('LIST_STALE');
  });

  it('never has an emergency call blocked', async () => {
    const at = await listing(['block', 'operator:51502']);
    const to = { kind: 'shortCode', code: '119' } as const;
    expect(check(krFixed, { operator: '51502' }, at, {}, { to })).toMatchObject({
      verdict: 'allow',
      sip: null,
    });
  });
});
