/** Campaigns in the text store: observation by reports, decisions of people and rules, limits and ends. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  CAMPAIGN_PERSON_MS_MAX,
  CAMPAIGNS_BEGUN_PER_DAY_MAX,
  CAMPAIGNS_DECIDED_KEPT_MS,
  TEXT_OBSERVED_KEPT_MS,
  TEXT_OBSERVED_MAX,
} from '../../../shared/limits/campaigns.ts';
import { CampaignTable, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import { DAY_MS } from '../../../shared/time.ts';
import type { ReportedFingerprint } from '../../../workers/storage/campaign-port.ts';
import { bytesOf } from '../../../workers/text/stored-campaign.ts';
import { TextTables } from '../../../workers/text/tables.ts';
import { asAuthority, byRule, decide, observe, reported, SOURCE, shared } from '../support/campaigns.ts';
import { NOON } from '../support/room.ts';
import { LEGITIMATE, SPAM, taken, textKey, textStore, textStub, valuesOf } from '../support/texts.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** The content that the store publishes now. */
async function published() {
  const { id } = await textKey();
  return runInDurableObject(textStub(), (_, { storage }) => {
    const { campaigns } = new TextTables(storage);
    campaigns.open(id);
    return campaigns.published(Date.now());
  });
}

/** 16 bits that look like those of a fingerprint. */
function mixed(n: number): number {
  const hash = Math.imul(n ^ (n >>> 15), 0x85ebca6b);
  return Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 16;
}

test('texts that are alike are one campaign, and others are not', async () => {
  const [first = '', second = ''] = SPAM;
  const again = first.replace('Reply', 'Answer').replace('25p', '99p');
  const ids = await observe(first, second, again);
  expect(ids).toEqual([1, 2, 1]);
  vi.setSystemTime(NOON + DAY_MS);
  expect(await observe(again, ...LEGITIMATE.slice(0, 2))).toEqual([1, 3, 4]);
  await evictDurableObject(textStub());
  expect(await observe(first)).toEqual([1]);
  expect(await textStore().campaign(1)).toMatchObject({
    ...{ id: 'c-1', state: 'observed', reports: 4, reporters: null, until: null, changed: null },
    ...{ firstSeen: new Date(NOON).toISOString(), lastSeen: new Date(NOON + DAY_MS).toISOString() },
  });
});

test('a flush that comes again changes nothing, and a store that was set back says so', async () => {
  const texts = await reported(SPAM[0]!, SPAM[1]!);
  const first = await textStore().campaignsOf({ ...SOURCE, n: 101 }, texts);
  expect(await textStore().campaignsOf({ ...SOURCE, n: 101 }, texts)).toEqual(first);
  await evictDurableObject(textStub());
  expect(await textStore().campaignsOf({ ...SOURCE, n: 101 }, texts)).toEqual({ last: 101, ids: [1, 2] });
  expect(await textStore().campaign(1)).toMatchObject({ reports: 1 });
  expect(await textStore().campaignsOf({ ...SOURCE, n: 100 }, texts)).toEqual({ last: 101, ids: null });
  // The same flush number with other texts shows that the intake was set back.
  const others = await reported(SPAM[2]!);
  expect(await textStore().campaignsOf({ ...SOURCE, n: 101 }, others)).toEqual({ last: 101, ids: null });
});

test('a person confirms a campaign until an end, and only then it is published', async () => {
  const [id = 0] = await observe(SPAM[0]!);
  expect(await published()).toEqual([]);
  const until = NOON + 30 * DAY_MS;
  expect(await textStore().confirmCampaign(asAuthority(null), id, until)).toMatchObject({
    code: 'AUTHORITY_MISSING',
  });
  expect(await textStore().confirmCampaign(asAuthority(), id, until)).toMatchObject({
    value: {
      ...{ state: 'confirmed', authority: 'ktoa', rule: null, until: new Date(until).toISOString() },
      changed: { by: 'token:ktoa', at: new Date(NOON).toISOString(), reason: 'test' },
    },
  });
  expect(await published()).toMatchObject([{ id, until: until / 1000, authority: 'ktoa' }]);
  for (const wrong of [NOON, NOON + CAMPAIGN_PERSON_MS_MAX + 1])
    expect(await textStore().confirmCampaign(asAuthority(), id, wrong)).toMatchObject({
      ...{ ok: false, code: 'FIELD_VALUE', field: 'until' },
    });
  // Another authority may not revoke it, unless it names this authority.
  expect(await textStore().revokeCampaign(asAuthority('kisa'), id)).toMatchObject({
    code: 'AUTHORITY_FOREIGN',
  });
  const named = { ...asAuthority('kisa'), overrideAuthorities: ['ktoa'] };
  expect(await textStore().revokeCampaign(named, id)).toMatchObject({ value: { state: 'revoked' } });
  expect(await published()).toEqual([]);
  expect(await textStore().revokeCampaign(asAuthority('kisa'), id)).toMatchObject({
    ...{ ok: false, code: 'CAMPAIGN_STATE', extras: { possible: ['confirm', 'reject'] } },
  });
  expect(await textStore().revokeCampaign(asAuthority(), 99)).toMatchObject({ code: 'CAMPAIGN_UNKNOWN' });
  const audit = await textStore().audit(0, 10);
  expect(audit.map(({ action, subject, actor }) => [action, subject, actor])).toEqual([
    ['campaign.confirm', 'c-1', 'token:ktoa'],
    ['campaign.revoke', 'c-1', 'token:kisa'],
  ]);
  // Nothing of the fingerprint is in the audit chain.
  const { fingerprint } = (await textStore().campaign(id))!;
  expect(JSON.stringify(audit)).not.toContain(fingerprint.slice(0, 20));
});

test('texts that are enrolled together become one campaign if they are alike, and join what was observed', async () => {
  await observe(SPAM[1]!);
  const given = await shared(SPAM[0]!, SPAM[0]!.replace('Reply', 'Answer'), SPAM[1]!);
  const request = asAuthority('ktoa', 'once');
  const done = taken(await textStore().enrolCampaigns(request, given, NOON + DAY_MS));
  expect(done.map(({ id }) => id)).toEqual(['c-2', 'c-2', 'c-1']);
  expect(await textStore().enrolCampaigns(request, given, NOON + DAY_MS)).toEqual({ ok: true, value: done });
  expect(await textStore().matchCampaigns(await shared(SPAM[0]!, LEGITIMATE[0]!))).toEqual([
    { campaign: 'c-2', blocks: true, hasFingerprint: true },
    { campaign: null, blocks: false, hasFingerprint: true },
  ]);
  const foreign = given.map((each) => ({ ...each, textKeyId: '0'.repeat(16) }));
  expect(await textStore().enrolCampaigns(asAuthority(), foreign, NOON + DAY_MS)).toMatchObject({
    ...{ code: 'FIELD_VALUE', field: 'fingerprints.0.textKeyId' },
  });
  // The refused campaigns left nothing behind, not even in memory.
  const wrong = [...(await shared(SPAM[5]!)), { fingerprint: 'AAAA', textKeyId: (await textKey()).id }];
  expect(await textStore().enrolCampaigns(asAuthority(), wrong, NOON + DAY_MS)).toMatchObject({ ok: false });
  expect(await textStore().enrolCampaigns(asAuthority(), await shared(SPAM[5]!), NOON)).toMatchObject({
    ok: false,
  });
  expect(await textStore().matchCampaigns(await shared(SPAM[5]!))).toMatchObject([{ campaign: null }]);
});

test('a rule confirms, extends and loses a campaign, and never changes what a person decided', async () => {
  const [one = 0, two = 0, three = 0] = await observe(SPAM[0]!, SPAM[1]!, SPAM[2]!);
  const first = await decide(byRule(one), byRule(two));
  expect(first.results).toEqual([{ applied: 1 }, { applied: 2 }]);
  expect(await textStore().applyCampaignChanges(first.last, [byRule(one)])).toEqual(first);
  expect(await textStore().applyCampaignChanges(first.last - 1, [byRule(one)])).toMatchObject({
    results: null,
  });
  expect(await textStore().campaign(one)).toMatchObject({
    ...{
      state: 'confirmed',
      authority: 'numgate',
      rule: 'campaign-30@1',
      stage: 'provisional',
      reporters: 34,
    },
  });
  await decide(byRule(one, { stage: 'confirmed', until: NOON + 90 * DAY_MS }));
  expect(await textStore().campaign(one)).toMatchObject({
    ...{ stage: 'confirmed', until: new Date(NOON + 90 * DAY_MS).toISOString() },
  });
  await decide(byRule(one, { op: 'lift' }));
  expect(await textStore().campaign(one)).toMatchObject({ state: 'revoked' });
  // No person has decided, so the rule may fire again until a person does.
  expect((await decide(byRule(one))).results).toMatchObject([{ applied: expect.any(Number) }]);
  await decide(byRule(one, { op: 'lift' }));
  await textStore().revokeCampaign(asAuthority(), one);
  expect((await decide(byRule(one))).results).toEqual([{ refused: 'unblocked' }]);
  await textStore().rejectCampaign(asAuthority(), three);
  expect((await decide(byRule(three))).results).toEqual([{ refused: 'unblocked' }]);
  await textStore().confirmCampaign(asAuthority(), two, NOON + DAY_MS);
  expect((await decide(byRule(two), byRule(two, { op: 'lift' }))).results).toMatchObject([
    { refused: 'blocked' },
    { applied: expect.any(Number) },
  ]);
  expect(await textStore().campaign(two)).toMatchObject({ state: 'confirmed', rule: null });
  expect((await decide(byRule(77), byRule(two, { until: NOON }))).results).toEqual([
    { refused: 'invalid' },
    { refused: 'invalid' },
  ]);
});

test('campaigns end at their time, and are forgotten later', async () => {
  const [one = 0, two = 0, three = 0] = await observe(SPAM[0]!, SPAM[1]!, SPAM[2]!);
  await textStore().confirmCampaign(asAuthority(), one, NOON + DAY_MS);
  await textStore().rejectCampaign(asAuthority(), two);
  vi.setSystemTime(NOON + DAY_MS);
  await runDurableObjectAlarm(textStub());
  expect(await textStore().campaign(one)).toMatchObject({
    ...{ state: 'ended', until: null },
    changed: { by: 'numgate', reason: 'its time is over' },
  });
  // New reports still belong to the ended campaign, and also to the rejected one.
  expect(await observe(SPAM[0]!, SPAM[1]!)).toEqual([one, two]);
  vi.setSystemTime(NOON + TEXT_OBSERVED_KEPT_MS);
  await runDurableObjectAlarm(textStub());
  expect(await textStore().campaign(three)).toBeNull();
  expect(await textStore().campaign(two)).toMatchObject({ state: 'rejected' });
  vi.setSystemTime(NOON + DAY_MS + CAMPAIGNS_DECIDED_KEPT_MS);
  await runDurableObjectAlarm(textStub());
  const page = await textStore().campaignPage({}, 0, 10);
  expect(page).toEqual({ campaigns: [], next: null });
  expect((await textStore().status()).campaigns).toEqual({});
  // A new campaign gets a number that no campaign has had.
  expect(await observe(SPAM[0]!)).toEqual([4]);
});

test('a flood of texts ends at the bound of its partner, and pushes out nothing that others report', async () => {
  const { id: keyId } = await textKey();
  const honest = await observe(SPAM[0]!, SPAM[1]!);
  await textStore().confirmCampaign(asAuthority(), honest[1]!, NOON + DAY_MS);
  let made = 0;
  const flood = (many: number): ReportedFingerprint[] =>
    Array.from({ length: many }, () => {
      const values = new Uint16Array(64);
      for (let at = 0; at < 64; at++) values[at] = mixed(++made);
      return { fingerprint: new Uint8Array(values.buffer), keyId, at: Date.now() };
    });
  const days = Math.ceil(TEXT_OBSERVED_MAX / CAMPAIGNS_BEGUN_PER_DAY_MAX) + 1;
  for (let day = 0; day < days; day++) {
    vi.setSystemTime(NOON + day * 3_600_000 + Math.floor(day) * DAY_MS);
    const source = { intake: 'evil', partner: 'evil', n: day + 1 };
    const { ids } = await textStore().campaignsOf(source, flood(CAMPAIGNS_BEGUN_PER_DAY_MAX + 100));
    expect(ids!.filter((id) => id > 0)).toHaveLength(CAMPAIGNS_BEGUN_PER_DAY_MAX);
  }
  const counts = (await textStore().status()).campaigns;
  expect(counts).toEqual({ observed: TEXT_OBSERVED_MAX, confirmed: 1 });
  // These have one report each and are older than the flood, but they still exist.
  expect(await observe(SPAM[0]!, SPAM[1]!, SPAM[2]!)).toEqual([...honest, expect.any(Number)]);
});

test('a text matches the campaign that blocks it, also if a rejected one is more similar', async () => {
  const [own] = await reported(SPAM[0]!);
  const values = await valuesOf(SPAM[0]!);
  const similar = (from: number, to: number): ReportedFingerprint => {
    const print = values.map((value, at) => (at >= from && at < to ? value : value ^ (from + 1)));
    return { ...own!, fingerprint: bytesOf(print) };
  };
  const source = { ...SOURCE, intake: 'similar', n: 1 };
  const { ids } = await textStore().campaignsOf(source, [similar(0, 45), similar(24, 64)]);
  const [rejected = 0, confirmed = 0] = ids!;
  const match = async () => (await textStore().matchCampaigns(await shared(SPAM[0]!)))[0];
  await textStore().rejectCampaign(asAuthority(), rejected);
  expect(await match()).toMatchObject({ campaign: `c-${rejected}`, blocks: false });
  await textStore().confirmCampaign(asAuthority(), confirmed, NOON + DAY_MS);
  const atEdge = new CampaignTable(encodeCampaigns(await published())).find(values, NOON);
  expect(atEdge).toMatchObject({ id: confirmed });
  expect(await match()).toMatchObject({ campaign: `c-${confirmed}`, blocks: true });
});

test('a text that is like a rejected one is not enrolled in its place', async () => {
  const notice = `${SPAM[0]!} Thank you!`;
  const [id = 0] = await observe(notice);
  await textStore().rejectCampaign(asAuthority(), id);
  expect((await textStore().matchCampaigns(await shared(SPAM[0]!)))[0]).toMatchObject({
    campaign: `c-${id}`,
  });
  const like = await textStore().enrolCampaigns(asAuthority(), await shared(SPAM[0]!), NOON + DAY_MS);
  expect(like).toMatchObject({ ok: false, code: 'CAMPAIGN_STATE' });
  expect(await textStore().campaign(id)).toMatchObject({ state: 'rejected' });
  taken(await textStore().enrolCampaigns(asAuthority(), await shared(notice), NOON + DAY_MS));
  expect(await textStore().campaign(id)).toMatchObject({ state: 'confirmed' });
});

test('campaigns of tables that did not keep reasons stay, without one', async () => {
  const [id = 0] = await observe(SPAM[0]!);
  taken(await textStore().confirmCampaign(asAuthority(), id, NOON + DAY_MS));
  await runInDurableObject(textStub(), (_, { storage: { sql } }) => {
    for (const column of ['changed_by', 'reason']) sql.exec(`ALTER TABLE campaigns DROP COLUMN ${column}`);
    sql.exec('DELETE FROM schema_steps WHERE step > 2');
  });
  await evictDurableObject(textStub());
  expect(await textStore().campaign(id)).toMatchObject({ state: 'confirmed', changed: null });
  taken(await textStore().revokeCampaign(asAuthority(), id));
  expect(await textStore().campaign(id)).toMatchObject({ changed: { by: 'token:ktoa', reason: 'test' } });
});
