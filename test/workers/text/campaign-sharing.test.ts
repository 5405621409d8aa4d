/** Campaigns between installations: what an import accepts, and what the feed reads. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { CAMPAIGN_PERSON_MS_MAX } from '../../../shared/limits/campaigns.ts';
import { DAY_MS } from '../../../shared/time.ts';
import { asAuthority, byRule, decide, observe, shared } from '../support/campaigns.ts';
import { NOON } from '../support/room.ts';
import { SPAM, taken, textStore, textStub } from '../support/texts.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('an import confirms what nobody here has decided, and is not shared on', async () => {
  const [observed = 0, rejected = 0, own = 0] = await observe(SPAM[0]!, SPAM[1]!, SPAM[2]!);
  await textStore().rejectCampaign(asAuthority(), rejected);
  await textStore().confirmCampaign(asAuthority(), own, NOON + DAY_MS);
  const line = async (
    text: string,
    state: 'confirmed' | 'revoked' = 'confirmed',
    until = NOON + 365 * DAY_MS,
  ) => ({
    ...{
      ...(await shared(text))[0]!,
      state,
      until: state === 'revoked' ? null : new Date(until).toISOString(),
    },
  });
  const given = [
    ...[await line(SPAM[0]!), await line(SPAM[1]!), await line(SPAM[2]!), await line(SPAM[3]!)],
    ...[await line(SPAM[4]!, 'confirmed', NOON - 1), await line(SPAM[5]!, 'revoked')],
    { ...(await line(SPAM[6]!)), textKeyId: '0'.repeat(16) },
  ];
  const done = taken(await textStore().importCampaigns(asAuthority(), given));
  expect(done.results.map(({ result }) => result)).toEqual([
    ...['confirmed', 'kept', 'kept', 'confirmed', 'ended', 'unknown', 'foreignKey'],
  ]);
  expect(await textStore().campaign(observed)).toMatchObject({
    ...{ state: 'confirmed', until: new Date(NOON + CAMPAIGN_PERSON_MS_MAX).toISOString() },
  });
  const changes = await textStore().textChanges(null, 10);
  expect(changes.campaigns.map(({ id }) => id)).toEqual([own]);
  // An imported revocation ends only a campaign that an import has confirmed.
  const ended = taken(
    await textStore().importCampaigns(asAuthority(), [
      await line(SPAM[3]!, 'revoked'),
      await line(SPAM[2]!, 'revoked'),
    ]),
  );
  expect(ended.results.map(({ result }) => result)).toEqual(['revoked', 'kept']);
  // An import does not confirm a campaign again that a person here has revoked.
  await textStore().revokeCampaign(asAuthority(), observed);
  const again = taken(await textStore().importCampaigns(asAuthority(), [await line(SPAM[0]!)]));
  expect(again.results).toEqual([{ campaign: `c-${observed}`, result: 'kept' }]);
});

test('the feed reads each change once, in order, and goes on from where it was', async () => {
  const [one = 0, two = 0] = await observe(SPAM[0]!, SPAM[1]!);
  expect(await textStore().textChanges(null, 10)).toMatchObject({ campaigns: [], next: null, more: false });
  await textStore().confirmCampaign(asAuthority(), two, NOON + DAY_MS);
  await decide(byRule(one));
  const first = await textStore().textChanges(null, 1);
  expect(first).toMatchObject({ campaigns: [{ id: two, state: 'confirmed', rule: null }], more: true });
  const second = await textStore().textChanges(first.next, 10);
  expect(second).toMatchObject({
    ...{ campaigns: [{ id: one, rule: 'campaign-30@1', stage: 'provisional', reporters: 34 }], more: false },
  });
  expect(await textStore().textChanges(second.next, 10)).toMatchObject({ campaigns: [], next: second.next });
  vi.setSystemTime(NOON + DAY_MS);
  await runDurableObjectAlarm(textStub());
  expect(await textStore().textChanges(second.next, 10)).toMatchObject({
    campaigns: [{ id: two, state: 'ended', until: null }],
  });
  const lost = { ...second.next!, generation: 'other' };
  expect((await textStore().textChanges(lost, 10)).campaigns).toHaveLength(2);
});

test('an import changes nothing of another authority, and needs an authority of its own', async () => {
  const until = new Date(NOON + DAY_MS).toISOString();
  const [given] = await shared(SPAM[0]!);
  const confirmed = { ...given!, state: 'confirmed' as const, until };
  const revoked = { ...given!, state: 'revoked' as const, until: null };
  taken(await textStore().importCampaigns(asAuthority('ktoa'), [confirmed]));
  const foreign = taken(await textStore().importCampaigns(asAuthority('kisa'), [confirmed, revoked]));
  expect(foreign.results.map(({ result }) => result)).toEqual(['kept', 'kept']);
  const { campaigns } = await textStore().campaignPage({}, 0, 10);
  expect(campaigns).toMatchObject([{ state: 'confirmed', authority: 'ktoa' }]);
  const [observed = 0] = await observe(SPAM[1]!);
  for (const refused of [
    await textStore().importCampaigns(asAuthority(null), [confirmed]),
    await textStore().rejectCampaign(asAuthority(null), observed),
  ])
    expect(refused).toMatchObject({ ok: false, code: 'AUTHORITY_MISSING' });
});

test('an import keeps its own fingerprint, so that its revocation finds it', async () => {
  const until = new Date(NOON + DAY_MS).toISOString();
  const [local] = await observe(`${SPAM[0]!} Hurry up!`);
  const [given] = await shared(SPAM[0]!);
  const confirmed = { ...given!, state: 'confirmed' as const, until };
  expect((await textStore().matchCampaigns([given!]))[0]).toMatchObject({ campaign: `c-${local}` });
  taken(await textStore().importCampaigns(asAuthority(), [confirmed]));
  expect(await textStore().campaign(local!)).toMatchObject({ state: 'observed' });
  expect((await textStore().matchCampaigns([given!]))[0]).toMatchObject({ blocks: true });
  const revoked = { ...given!, state: 'revoked' as const, until: null };
  const done = taken(await textStore().importCampaigns(asAuthority(), [revoked]));
  expect(done.results.map(({ result }) => result)).toEqual(['revoked']);
  expect((await textStore().matchCampaigns([given!]))[0]).toMatchObject({ blocks: false });
});
