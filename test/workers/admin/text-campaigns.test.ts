/** `/v1/admin/text/campaigns` over HTTP: accepted requests, refusals by field, and that no text is echoed or kept. */
import { env, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../shared/text/fingerprint.ts';
import { readText } from '../../../shared/text/text.ts';
import { freshControl, logged, putToken, send } from '../support/admin.ts';
import { DAY, NOON } from '../support/room.ts';
import { LEGITIMATE, SPAM, textKey, textStore, textStub } from '../support/texts.ts';

freshControl();

const PATH = 'text/campaigns';
const until = new Date(NOON + 30 * DAY).toISOString();

test('campaigns are enrolled, listed in pages, confirmed, rejected, revoked and matched', async () => {
  const texts = SPAM.slice(0, 4);
  const done = await send('root', `POST ${PATH}`, { texts, until });
  expect(done.answer.campaigns).toHaveLength(4);
  const first = await send('root', `GET ${PATH}?state=confirmed&limit=3`);
  expect(first.answer).toMatchObject({ campaigns: [{ id: 'c-1' }, { id: 'c-2' }, { id: 'c-3' }], next: 3 });
  const second = await send('root', `GET ${PATH}?state=confirmed&limit=3&after=3`);
  expect(second.answer).toMatchObject({ campaigns: [{ id: 'c-4', authority: 'root', until }], next: null });
  expect(await send('root', `POST ${PATH}/c-2/revoke`, {})).toMatchObject({
    ...{ status: 200, answer: { id: 'c-2', state: 'revoked', until: null } },
  });
  expect(await send('root', `POST ${PATH}/c-2/reject`, {})).toMatchObject({ answer: { state: 'rejected' } });
  const later = new Date(NOON + 60 * DAY).toISOString();
  expect(await send('root', `POST ${PATH}/c-1/confirm`, { until: later })).toMatchObject({
    answer: { state: 'confirmed', until: later },
  });
  const matched = await send(
    'root',
    `POST ${PATH}/match`,
    { texts: [SPAM[0], SPAM[1], LEGITIMATE[0], 'hi'] },
    {
      isLookUp: true,
    },
  );
  expect(matched.answer.matches).toEqual([
    { campaign: 'c-1', blocks: true, hasFingerprint: true },
    { campaign: 'c-2', blocks: false, hasFingerprint: true },
    { campaign: null, blocks: false, hasFingerprint: true },
    { campaign: null, blocks: false, hasFingerprint: false },
  ]);
  const { fingerprint } = (await textStore().campaign(3))!;
  const shared = { fingerprint, textKeyId: (await textKey()).id };
  const again = await send('root', `POST ${PATH}`, { fingerprints: [shared], until });
  expect(again.answer).toMatchObject({ campaigns: [{ id: 'c-3' }] });
  const imported = { campaigns: [{ ...shared, state: 'confirmed', until }] };
  expect((await send('root', `POST ${PATH}/import`, imported)).answer).toEqual({
    results: [{ campaign: 'c-3', result: 'kept' }],
  });
});

test('a text that is too short to enrol, and long enough to be recognised, is matched', async () => {
  const key = await textKey();
  const isEnrolled = (text: string): boolean => fingerprintOf(readText(text), key) !== null;
  const ends = Array.from(SPAM[0]!, (_, at) => at + 1);
  const whole = SPAM[0]!.slice(
    0,
    ends.find((end) => isEnrolled(SPAM[0]!.slice(0, end))),
  );
  const shorter = whole.slice(0, -1);
  expect(isEnrolled(shorter)).toBe(false);
  await send('root', `POST ${PATH}`, { texts: [whole], until });
  const matched = await send('root', `POST ${PATH}/match`, { texts: [shorter] }, { isLookUp: true });
  expect(matched.answer.matches).toEqual([{ campaign: 'c-1', blocks: true, hasFingerprint: true }]);
});

test('bad input is refused by field, and nothing of it is kept or echoed', async () => {
  const marker = 'Zanzibar';
  for (const [body, code, field] of [
    [{ texts: [], until }, 'FIELD_VALUE', 'texts'],
    [{ texts: [`${marker}${'x'.repeat(2_000)}`], until }, 'FIELD_VALUE', 'texts.0'],
    [{ texts: [SPAM[0], `${marker} \ud800 ${SPAM[1]}`], until }, 'FIELD_VALUE', 'texts.1'],
    [{ texts: [SPAM[0], marker], until }, 'FIELD_VALUE', 'texts.1'],
    [{ texts: [SPAM[0]] }, 'FIELD_MISSING', 'until'],
    [{ texts: [SPAM[0]], until: new Date(NOON + 91 * DAY).toISOString() }, 'FIELD_VALUE', 'until'],
    [{ texts: [SPAM[0]], until: new Date(NOON - DAY).toISOString() }, 'FIELD_VALUE', 'until'],
    [{ until }, 'FIELD_VALUE', 'texts'],
    [
      { fingerprints: [{ fingerprint: 'AAAA', textKeyId: '0'.repeat(16) }], until },
      'FIELD_VALUE',
      'fingerprints.0.fingerprint',
    ],
    [{ texts: [SPAM[0]], until, text: marker }, 'FIELD_UNKNOWN', 'text'],
  ] as const) {
    const { status, answer } = await send('root', `POST ${PATH}`, body);
    expect([status, answer.code, answer.field]).toEqual([400, code, field]);
    expect(JSON.stringify(answer)).not.toContain(marker);
  }
  expect(await send('root', `GET ${PATH}?state=gone`)).toMatchObject({
    status: 400,
    answer: { field: 'state' },
  });
  for (const id of ['c-1', 'c-0', '1', 'c-99999999999'])
    expect(await send('root', `GET ${PATH}/${id}`)).toMatchObject({ status: 404, code: 'CAMPAIGN_UNKNOWN' });
  expect(await send('root', `POST ${PATH}/c-9/revoke`, {})).toMatchObject({ code: 'CAMPAIGN_UNKNOWN' });
  expect((await send('root', `GET ${PATH}`)).answer).toEqual({ campaigns: [], next: null });
  expect(JSON.stringify(logged)).not.toContain(marker);
  const rows = await runInDurableObject(textStub(), (_, { storage }) =>
    JSON.stringify(storage.sql.exec('SELECT * FROM audit').toArray()),
  );
  expect(rows).toBe('[]');
});

test('it needs the scope text, and TEXT_KEY for texts', async () => {
  await putToken('reader', { scopes: ['read', 'reports'] });
  expect(await send('reader', `GET ${PATH}`)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  const organisation = { id: 'police', displayName: 'police', roles: ['regulator'], authority: 'police' };
  expect((await send('root', 'PUT organisations/police', { organisation })).status).toBe(200);
  await putToken('police', { organisation: 'police', role: 'regulator', scopes: undefined });
  await send('root', `POST ${PATH}`, { texts: [SPAM[0]], until });
  expect(await send('police', `POST ${PATH}/c-1/revoke`, {})).toMatchObject({
    ...{ status: 403, code: 'AUTHORITY_FOREIGN', answer: { authorities: ['root'] } },
  });
  const named = { overrideAuthorities: ['root'] };
  expect(await send('police', `POST ${PATH}/c-1/revoke`, named)).toMatchObject({ status: 200 });
  const bindings = env as unknown as { TEXT_KEY?: string };
  const key = bindings.TEXT_KEY!;
  try {
    bindings.TEXT_KEY = '';
    expect(await send('root', `POST ${PATH}/match`, { texts: [SPAM[0]] }, { isLookUp: true })).toMatchObject({
      ...{ status: 503, code: 'NOT_CONFIGURED', answer: { message: expect.stringContaining('TEXT_KEY') } },
    });
  } finally {
    bindings.TEXT_KEY = key;
  }
});
