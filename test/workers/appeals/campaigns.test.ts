/** Appeals against blocks of campaigns. An accepted appeal revokes the campaign, whether a person or a rule made it. */
import { expect, test, vi } from 'vitest';
import { meaningOf } from '../../../shared/appeals/texts.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { putToken, send } from '../support/admin.ts';
import { appealed, freshAppeals, referenceOf, statusOf } from '../support/appeals.ts';
import { decide, decision, desk, putRule } from '../support/desk.ts';
import { DAY, NOON } from '../support/room.ts';
import { printOf, SPAM, textStore } from '../support/texts.ts';

freshAppeals();

const until = new Date(NOON + 30 * DAY).toISOString();

const act = (action: string, who = 'root', body: object = {}) => send(who, `POST appeals/1/${action}`, body);

async function enrolled(who = 'root'): Promise<void> {
  const done = await send(who, 'POST text/campaigns', { texts: [SPAM[0]], until });
  expect(done).toMatchObject({ status: 200, answer: { campaigns: [{ id: 'c-1', state: 'confirmed' }] } });
}

function reference(authority: string): string {
  return referenceOf({ list: 'c-1', seq: null, code: 'TEXT_CAMPAIGN', authority });
}

test('an accepted appeal revokes the campaign of a person, and no rule confirms it again', async () => {
  await enrolled();
  const token = await appealed(reference('root'));
  await act('claim');
  expect((await send('root', 'GET appeals/1')).answer).toMatchObject({
    ...{ list: 'c-1', code: 'TEXT_CAMPAIGN', ruleBlock: null },
    blocks: [{ list: 'c-1', seq: null, code: 'TEXT_CAMPAIGN', authority: 'root' }],
  });
  expect(await statusOf(token)).toMatchObject({ block: { meaning: meaningOf('TEXT_CAMPAIGN') } });
  expect(await act('accept')).toMatchObject({ status: 200, answer: { state: 'accepted', seq: null } });
  expect(await textStore().campaign(1)).toMatchObject({ state: 'revoked', until: null });
  expect(await statusOf(token)).toMatchObject({ state: 'accepted' });
  expect((await send('root', 'GET appeals/1')).answer).toMatchObject({ blocks: [] });
  // A repeated request gets the same answer.
  expect(await act('accept')).toMatchObject({ status: 200, answer: { state: 'accepted' } });
});

test('an accepted appeal lifts the rule block of a campaign, and the campaign with it', async () => {
  const { bytes, keyId } = await printOf(SPAM[0]!);
  const source = { intake: 'kt', partner: 'kt', n: 1 };
  await textStore().campaignsOf(source, [{ fingerprint: bytes, keyId, at: NOON }]);
  await putRule('texts', { target: 'campaign' });
  await decide(await decision({ kind: 'campaign', id: 1 }, { id: 'texts' }));
  await vi.waitFor(
    async () => expect(await textStore().campaign(1)).toMatchObject({ state: 'confirmed', rule: 'texts@1' }),
    HANG_MS,
  );
  await appealed(reference('numgate'));
  expect((await send('root', 'GET appeals/1')).answer).toMatchObject({
    ruleBlock: { id: '1', rule: 'texts@1', state: 'provisional' },
  });
  expect(await act('accept')).toMatchObject({ status: 200, answer: { state: 'accepted', seq: null } });
  expect(await desk().ruleBlock(1)).toMatchObject({ state: 'lifted', cause: 'appeal', campaign: 'c-1' });
  expect(await textStore().campaign(1)).toMatchObject({ state: 'revoked' });
  await decide(await decision({ kind: 'campaign', id: 1 }, { id: 'texts' }));
  expect(await desk().ruleBlock(2)).toMatchObject({ state: 'proposed', cause: 'unblocked' });
});

test('an appeal against a campaign that has ended is closed, and one of another authority is not seen', async () => {
  await enrolled();
  await appealed(reference('root'));
  const organisation = { id: 'other', displayName: 'other', roles: ['operator'], authority: 'other' };
  expect((await send('root', 'PUT organisations/other', { organisation })).status).toBe(200);
  await putToken('other', { organisation: 'other', role: 'operator', scopes: undefined });
  expect(await act('accept', 'other')).toMatchObject({ status: 404, code: 'APPEAL_UNKNOWN' });
  expect((await send('root', 'POST text/campaigns/c-1/revoke', {})).status).toBe(200);
  expect(await act('accept')).toMatchObject({ status: 200, answer: { state: 'noLongerBlocked' } });
});
