/** Refused requests for evidence files. They store nothing. */
import { expect, test, vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import type { EvidenceLine } from '../../../shared/admin/evidence-files.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { EVIDENCE_NUMBERS_MAX, EVIDENCE_PERIOD_DAYS_MAX } from '../../../shared/limits/evidence-files.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { logged, putToken, send } from '../support/admin.ts';
import { freshAppeals } from '../support/appeals.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { busySender, filesOf, madeFile, makeFile, PERIOD, verified } from '../support/evidence-files.ts';
import { approved } from '../support/registrations.ts';
import { ANY, generationOf, NOON } from '../support/room.ts';

freshAppeals();

const DAY_MS = 86_400_000;
const at = (ms: number): string => new Date(NOON + ms).toISOString();

/** Records of the log about the making of a file. */
const made = async () =>
  (await coordinator().audit(0, 1_000)).filter(({ action }) => action === 'evidenceFiles.make');

const WRONG: readonly [string, object, string, string][] = [
  ['a number with two meanings', { sender: { number: '00700821030000001' } }, 'FIELD_VALUE', 'sender.number'],
  ['a short code', { sender: { number: '112' } }, 'FIELD_VALUE', 'sender.number'],
  ['a number as a sender ID', { sender: { source: '01030000001' } }, 'FIELD_VALUE', 'sender.source'],
  ['an operator', { sender: { source: 'operator:51502' } }, 'FIELD_VALUE', 'sender.source'],
  ['two senders', { sender: { number: '+821030000001', source: 'X' } }, 'FIELD_TYPE', 'sender'],
  ['no sender', { sender: undefined }, 'FIELD_MISSING', 'sender'],
  ['a period that ends before it begins', { from: at(0), to: at(-1) }, 'FIELD_VALUE', 'to'],
  ['a period that is not over', { to: at(1) }, 'FIELD_VALUE', 'to'],
  [
    'a period that is too long',
    { from: at(-(EVIDENCE_PERIOD_DAYS_MAX + 1) * DAY_MS), to: at(0) },
    ...(['FIELD_VALUE', 'from'] as const),
  ],
  ['a day that does not exist', { from: '2039-02-30T00:00:00Z' }, 'FIELD_VALUE', 'from'],
  ['no reason', { reason: ' ' }, 'FIELD_VALUE', 'reason'],
  ['a tree that is larger than the log', { size: 1_000_000 }, 'FIELD_VALUE', 'size'],
  ['an unknown field', { breakGlass: true }, 'FIELD_UNKNOWN', 'breakGlass'],
];

test.each(WRONG)('%s is refused', async (_, body, code, field) => {
  const { status, text } = await makeFile(body);
  expect([status, JSON.parse(text)]).toMatchObject([400, { code, field }]);
  expect(text).not.toMatch(/\d{7}/);
  expect(await made()).toEqual([]);
});

test('an organisation that does not exist, or has too many numbers, is refused', async () => {
  expect(await makeFile({ sender: { organisation: 'nobody' } })).toMatchObject({
    ...{ status: 404, code: 'ORGANISATION_UNKNOWN' },
  });
  unwrap(await coordinator().putOrganisation(asAdmin(), 'acme', bareOrganisation('acme'), ANY));
  const last = `+8222123${String(EVIDENCE_NUMBERS_MAX).padStart(4, '0')}`;
  await approved({ number: `+82221230000..${last}` });
  vi.setSystemTime(NOON + 2_000);
  const { status, code } = await makeFile({ sender: { organisation: 'acme' }, to: at(1_000) });
  expect([status, code]).toEqual([422, 'EVIDENCE_TOO_LARGE']);
  expect(await made()).toEqual([]);
});

test('it needs the scope', async () => {
  expect((await putToken('kisa', { scopes: ['read', 'entries'] })).status).toBe(200);
  const headers = { authorization: 'Bearer kisa.right' };
  expect(await makeFile({}, {}, headers)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  expect((await putToken('auditor', { role: 'auditor', scopes: undefined })).status).toBe(200);
  const done = await makeFile({}, {}, { authorization: 'Bearer auditor.right' });
  expect(done.status).toBe(200);
  expect(JSON.parse(done.made.manifest)).toMatchObject({ by: 'token:auditor', reason: 'case 117' });
});

test('without one of the keys it says how to set it', async () => {
  for (const name of ['CREDENTIAL_KEY', 'PUBLIC_URL']) {
    const { status, text } = await makeFile({}, { [name]: undefined });
    expect([status, text]).toEqual([503, expect.stringContaining(`${name} is not set`)]);
  }
  const COORDINATOR = {
    getByName: () =>
      new Proxy(coordinator(), {
        get: (target, call) =>
          call === 'evidenceTree' ? async () => ({ ok: true, value: null }) : Reflect.get(target, call),
      }),
  };
  const { status, text } = await makeFile({}, { COORDINATOR });
  expect([status, text]).toEqual([503, expect.stringContaining('CHECKPOINT_KEY is not set')]);
  expect(await made()).toEqual([]);
});

test('without SHARING_KEY, and so without a feed, files are made', async () => {
  const { status, made: file } = await makeFile({}, { SHARING_KEY: undefined });
  expect(status).toBe(200);
  expect((await verified(filesOf(file))).ok).toBe(true);
});

test.each(['RESPONSE', 'APPEALS', 'SUBJECTS', 'REGISTRY'] as const)(
  'while %s does not respond, no file is made that lacks something',
  async (name) => {
    await busySender();
    const broken = new Proxy({}, { get: () => async () => Promise.reject(new Error('down')) });
    const { status, code } = await makeFile({}, { [name]: { getByName: () => broken } });
    expect([status, code]).toEqual([503, 'UNAVAILABLE']);
    expect(logged).toContainEqual({ event: 'evidenceNotRead', name: 'Error' });
    expect(await made()).toEqual([]);
  },
);

test('a registry that reads its index back is waited for', async () => {
  const registry = { organisationsOf: async () => null };
  const { status, text } = await makeFile({}, { REGISTRY: { getByName: () => registry } });
  expect([status, JSON.parse(text)]).toMatchObject([503, { code: 'UNAVAILABLE' }]);
});

test('in lines, the progress comes first, and the file or the failure last', async () => {
  await busySender();
  const headers = { accept: 'application/x-ndjson' };
  const lines = async (bindings: object = {}) => {
    const { status, text } = await makeFile({}, bindings, headers);
    expect(status).toBe(200);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EvidenceLine);
  };
  const all = await lines();
  const steps = all.flatMap((line) => ('progress' in line ? [line.progress.step] : []));
  expect([...new Set(steps)]).toEqual(['stores', 'log', 'proofs']);
  const last = all.at(-1)!;
  expect('evidenceFile' in last && (await verified(filesOf(last.evidenceFile))).ok).toBe(true);
  const failed = await lines({ CREDENTIAL_KEY: undefined });
  expect(failed).toEqual([
    { error: { status: 503, code: 'NOT_CONFIGURED', message: expect.any(String) as string } },
  ]);
});

test('a token can make a bounded number of files an hour', async () => {
  expect((await putToken('auditor', { role: 'auditor', scopes: undefined })).status).toBe(200);
  const headers = { authorization: 'Bearer auditor.right' };
  const generation = await generationOf('auditor');
  const member = { organisation: 'default', authority: null, generation };
  const actor: Actor = { name: 'token:auditor', scopes: ['evidence'], root: false, ...member };
  const request = { actor, reason: 'test', repeat: null } as const;
  for (let index = 0; index < 100; index++) unwrap(await coordinator().beginEvidence(request));
  expect(await makeFile({}, {}, headers)).toMatchObject({ status: 429, code: 'BUDGET_EXCEEDED' });
});

test('a repeat gives the recorded file or none, and costs as much', async () => {
  await busySender();
  expect((await putToken('auditor', { role: 'auditor', scopes: undefined })).status).toBe(200);
  const headers = { authorization: 'Bearer auditor.right', 'idempotency-key': 'case-117' };
  const first = await makeFile({}, {}, headers);
  const again = await makeFile({}, {}, headers);
  expect([first.status, again.status]).toEqual([200, 200]);
  expect([again.made.parts, again.made.record]).toEqual([first.made.parts, first.made.record]);
  const block = { op: 'block', items: [{ number: '+821030000001' }], code: 'NUMBER_SUSPENDED' };
  expect((await send('root', 'POST entries', block)).status).toBe(200);
  expect(await makeFile({}, {}, headers)).toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
  const [record, ...others] = await made();
  expect(others).toEqual([]);
  expect(record!.after).toMatchObject({
    partsSha256: await sha256Hex(JSON.stringify(JSON.parse(first.made.manifest).parts)),
  });
  const budget = 100 - 3;
  const statuses = new Set<number>();
  for (let index = 0; index < budget; index++) statuses.add((await makeFile({}, {}, headers)).status);
  expect([...statuses]).toEqual([409]);
  expect(await makeFile({}, {}, headers)).toMatchObject({ status: 429, code: 'BUDGET_EXCEEDED' });
});

test('a number for tests says so', async () => {
  const file = await madeFile({ sender: { number: '010-0000-1234' } });
  expect(JSON.parse(file.manifest)).toMatchObject({ mock: true, sender: { number: '+821000001234' } });
  expect((await send('root', 'GET me')).status).toBe(200);
  expect((await made())[0]!.after).toMatchObject({ mock: true, from: PERIOD.from });
});
