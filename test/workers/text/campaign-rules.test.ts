/** From reported texts to confirmed campaigns, through all objects: an honest burst, with attacks beside it. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import type { CampaignInfo } from '../../../shared/admin/text.ts';
import type { PartnerKind } from '../../../shared/reports/partner.ts';
import { receive } from '../../../workers/reports/receive.ts';
import type { Partner } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asPerson, desk, putPartner, putRule, settled } from '../support/desk.ts';
import { bindings, intake, intakeStub } from '../support/reports.ts';
import { LEGITIMATE, SPAM, taken, textStore } from '../support/texts.ts';

/** Nine reporters, at most three of them from one partner. */
const RULE = { target: 'campaign', channel: 'sms', distinct: 9, maxShare: 0.34, weightMin: 1 } as const;
const PARTNERS: Readonly<Record<string, PartnerKind>> = {
  ...{ kt: 'subscriber', skt: 'subscriber', lgu: 'operator', police: 'police' },
};

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  for (const [id, kind] of Object.entries(PARTNERS))
    await putPartner(id, { kind, weight: 2, reportsPerDay: 5_000 });
  await putRule('texts', RULE);
});

let numbers = 0;

/** Reports of a partner. By default, each one has a different reporter and a different sender. */
async function give(id: string, texts: readonly string[], rest: object = {}): Promise<void> {
  const kind = PARTNERS[id]!;
  const partner: Partner = {
    ...{ id, kind, weight: 2, slices: 1, reportsPerDay: 5_000, mock: false, isSuspended: false },
  };
  const items = texts.map((text) => {
    numbers++;
    return {
      ...{ reportId: `r-${numbers}`, channel: 'sms', kind: 'phishing', origin: 'domestic' },
      from: `010-3${String(numbers % 1_000).padStart(3, '0')}-${String(1_000 + (numbers % 9_000))}`,
      ...{ at: new Date().toISOString(), reporter: `person ${numbers}`, text, ...rest },
    };
  });
  const received = await receive(items, partner, bindings);
  expect(received.every(({ result }) => result.ok)).toBe(true);
  await vi.waitFor(async () => {
    if ((await intake(id).status()).waiting > 0) await runDurableObjectAlarm(intakeStub(id));
    expect((await intake(id).status()).waiting).toBe(0);
  }, HANG_MS);
  await settled();
}

const times = (count: number, text: string): string[] => Array.from({ length: count }, () => text);

/** Waits until a campaign is in a state. */
async function untilState(id: number, state: CampaignInfo['state'], some: object = {}): Promise<void> {
  await vi.waitFor(
    async () => expect(await textStore().campaign(id)).toMatchObject({ state, ...some }),
    HANG_MS,
  );
}

test('an honest burst confirms a campaign, police confirm it, and withdrawals take it back', async () => {
  const [text = ''] = SPAM;
  await give('kt', times(5, text));
  await give('skt', times(5, text));
  // Two partners count for at most six of nine reporters.
  expect(await textStore().campaign(1)).toMatchObject({ state: 'observed', reports: 10 });
  await give('lgu', times(3, text));
  await untilState(1, 'confirmed', {
    rule: 'texts@1',
    stage: 'provisional',
    authority: 'numgate',
    reporters: 9,
  });
  const { until } = (await textStore().campaign(1))!;
  expect(Date.parse(until!)).toBeLessThanOrEqual(Date.now() + 72 * 3_600_000);
  const [block] = (await desk().ruleBlocks({}, 0, 10)).ruleBlocks;
  expect(block).toMatchObject({
    ...{ campaign: 'c-1', number: null, source: null, seq: null, state: 'provisional', rule: 'texts@1' },
  });
  // No sender is blocked.
  expect((await desk().ruleBlocks({}, 0, 10)).ruleBlocks).toHaveLength(1);
  await give('police', [text]);
  await untilState(1, 'confirmed', { stage: 'confirmed' });
  // A key has leaked. Without its reports, the rest are not enough.
  for (const id of ['lgu', 'police']) {
    taken(await desk().withdrawReports(asPerson('ktoa'), id, 0));
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(intakeStub(id));
      expect((await intake(id).status()).withdrawal).toMatchObject({ isDone: true });
      expect((await intake(id).status()).waiting).toBe(0);
    }, HANG_MS);
  }
  await settled();
  await untilState(1, 'revoked', { until: null });
});

test('attacks observe campaigns, and confirm none', async () => {
  // One reporter with many texts through all partners, one partner with many reporters, and two partners that collude.
  const texts = SPAM.slice(3);
  for (const id of ['kt', 'skt', 'lgu'])
    await give(id, [...texts, ...texts, ...texts], { reporter: '010-9999-0000' });
  await give('kt', times(300, SPAM[0]!));
  await give('skt', times(50, SPAM[1]!));
  await give('kt', times(50, SPAM[1]!));
  // A bank's text that one source reports, and a text that as many people call wanted.
  await give('lgu', times(100, LEGITIMATE[0]!));
  for (const id of ['kt', 'skt', 'lgu']) {
    await give(id, times(3, LEGITIMATE[1]!), { kind: 'notSpam' });
    await give(id, times(3, LEGITIMATE[1]!));
  }
  expect(Object.keys((await textStore().status()).campaigns)).toEqual(['observed']);
  expect((await desk().ruleBlocks({}, 0, 10)).ruleBlocks).toEqual([]);
});

test('a rule in shadow, and one for numbers, confirm no campaign', async () => {
  await putRule('texts', { ...RULE, state: 'shadow' });
  await putRule('numbers', { ...RULE, target: 'number', distinct: 12 });
  for (const id of ['kt', 'skt', 'lgu']) await give(id, times(3, SPAM[0]!));
  expect(await textStore().campaign(1)).toMatchObject({ state: 'observed' });
  expect((await desk().ruleBlocks({}, 0, 10)).ruleBlocks).toMatchObject([
    { state: 'shadow', campaign: 'c-1' },
  ]);
});

test('what a person rejected or revoked, no rule confirms: it is proposed to a person', async () => {
  await give('kt', times(3, SPAM[0]!));
  const admin = { ...asPerson('ktoa'), actor: { ...asPerson('ktoa').actor, authority: 'ktoa' } };
  taken(await textStore().rejectCampaign(admin, 1));
  for (const id of ['skt', 'lgu']) await give(id, times(3, SPAM[0]!));
  const [block] = (await desk().ruleBlocks({}, 0, 10)).ruleBlocks;
  expect(block).toMatchObject({ state: 'proposed', cause: 'unblocked', campaign: 'c-1' });
  expect(await textStore().campaign(1)).toMatchObject({ state: 'rejected' });
  expect(await desk().act(asPerson('kisa'), Number(block!.id), 'approve')).toMatchObject({
    ...{ ok: false, code: 'RULE_BLOCK_REFUSED' },
    message: expect.stringContaining('numgate text campaigns confirm'),
  });
});
