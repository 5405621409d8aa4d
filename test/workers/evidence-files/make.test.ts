/** Evidence files of the real stores: their content, what they leave out, and that they verify. */
import { expect, test, vi } from 'vitest';
import { type AuditRecord, keyedNumber } from '../../../shared/audit.ts';
import type {
  AppealsPart,
  BlocksPart,
  ProofsPart,
  RegistrationsPart,
  ReportsPart,
  RuleBlocksPart,
  RulesPart,
  SubjectsPart,
} from '../../../shared/evidence-file/parts.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { freshAppeals } from '../support/appeals.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import {
  busySender,
  filesOf,
  linesOf,
  madeFile,
  makeFile,
  N,
  NUMBER,
  PERIOD,
  partOf,
  verified,
} from '../support/evidence-files.ts';
import { NOON } from '../support/room.ts';

freshAppeals();

/** The end of the period must not be in the future, and everything happens at noon. */
const LATER = { ...PERIOD, to: new Date(NOON + 1_000).toISOString() };
const after = () => vi.setSystemTime(NOON + 2_000);

test('a file has everything about a number, and verifies', async () => {
  await busySender();
  after();
  const made = await madeFile(LATER);
  const { steps, ok } = await verified(filesOf(made));
  expect(steps.map(({ step, ok: isOk, message }) => [step, isOk, isOk ? '' : message])).toEqual(
    steps.map(({ step }) => [step, true, '']),
  );
  expect(ok).toBe(true);
  const { numbers } = partOf<SubjectsPart>(made, 'subjects.json');
  const name = keyedNumber(N, testKeys);
  expect(numbers).toEqual([{ number: NUMBER, keyed: [{ keyId: testKeys.keyId, name }] }]);
  const blocks = partOf<BlocksPart>(made, 'blocks.json').numbers[0]!;
  expect(blocks.entries[0]).toMatchObject({ op: 'block', by: 'token:root', reason: 'test' });
  const { ruleBlocks } = partOf<RuleBlocksPart>(made, 'rule-blocks.json');
  expect(ruleBlocks).toMatchObject([{ number: NUMBER, rule: 'kr-50@2', state: 'lifted', cause: 'appeal' }]);
  expect(partOf<RulesPart>(made, 'rules.json').rules).toMatchObject([
    {
      id: 'kr-50',
      version: 2,
      by: 'token:admin',
      rule: { distinct: 40 },
      record: expect.any(Number) as number,
    },
  ]);
  const [reports] = partOf<ReportsPart>(made, 'reports.json').numbers;
  expect(reports).toMatchObject({ totals: { received: 4, counted: 2, overBudget: 1, withdrawn: 1 } });
  const day = new Date(NOON + 9 * 3_600_000).toISOString().slice(0, 10);
  const common = { day, channel: 'sms', origin: 'overseas' };
  expect(reports!.days).toEqual([
    { ...common, kind: 'gambling', received: 1, overBudget: 0, withdrawn: 0 },
    { ...common, kind: 'loan', received: 3, overBudget: 1, withdrawn: 1 },
  ]);
  expect(partOf<AppealsPart>(made, 'appeals.json').appeals).toMatchObject([
    { id: 1, state: 'accepted', number: NUMBER, decidedBy: 'token:root' },
  ]);
  const { registrations, qualifications } = partOf<RegistrationsPart>(made, 'registrations.json');
  expect(registrations).toMatchObject([{ organisation: 'acme', number: NUMBER, state: 'approved' }]);
  expect(qualifications).toMatchObject([{ organisation: 'acme', state: 'certified' }]);
  const log = linesOf<AuditRecord>(made, 'log.ndjson');
  const actions = log.map(({ action }) => action);
  for (const action of [
    'entries.block',
    'ruleEntries.block',
    'ruleEntries.lift',
    'qualifications.put',
    'rules.put',
  ])
    expect(actions).toContain(action);
  expect(actions.filter((action) => action.endsWith('.anchor')).sort()).toEqual([
    ...['appeals.anchor', 'registrations.anchor', 'response.anchor'],
  ]);
  const chains = Object.keys(made.parts).filter((part) => part.startsWith('chain-'));
  expect(chains).toEqual([
    'chain-response.ndjson',
    'chain-appeals.ndjson',
    'chain-registrations-acme.ndjson',
  ]);
  expect(linesOf<AuditRecord>(made, 'chain-appeals.ndjson').map(({ action }) => action)).toEqual([
    ...['appeals.claim', 'appeals.accept'],
  ]);
});

test('no reporter, no partner, no appellant and no other sender is in a file', async () => {
  await busySender();
  after();
  const made = await madeFile(LATER);
  const all = JSON.stringify(made);
  for (const secret of ['reporter-', 'SECRET STATEMENT', 'secret@example.com'])
    expect(all).not.toContain(secret);
  expect(all).not.toContain('9999');
  // Only records of the desk may name the partners, because they are copied unchanged.
  for (const [name, text] of Object.entries(made.parts))
    if (!name.endsWith('.ndjson')) expect(text).not.toMatch(/"(?:skt|lgu)"/);
  const [own] = (await coordinator().audit(0, 1_000)).slice(-1);
  expect(own).toMatchObject({ action: 'evidenceFiles.make', n: made.record, reason: 'case 117' });
  expect(own!.subject).toBe(keyedNumber(N, testKeys));
  expect(JSON.stringify(own)).not.toContain('30000001');
});

test('the same request at the same size of the log gives the same bytes, but for time and signature', async () => {
  await busySender();
  after();
  const first = await madeFile(LATER);
  const { log } = JSON.parse(first.manifest) as { log: { size: number } };
  vi.setSystemTime(NOON + 60_000);
  const again = await madeFile({ ...LATER, size: log.size });
  expect(again.parts).toEqual(first.parts);
  const withoutTime = (text: string) => ({ ...(JSON.parse(text) as object), madeAt: null });
  expect(withoutTime(again.manifest)).toEqual(withoutTime(first.manifest));
  expect(again.signature).not.toBe(first.signature);
  expect((await verified(filesOf(again))).ok).toBe(true);
});

test('a repeated request is recorded once, and gives the file of the first', async () => {
  await busySender();
  after();
  const headers = { 'idempotency-key': 'once' };
  const first = await makeFile(LATER, {}, headers);
  unwrap(
    await coordinator().changeEntries(asAdmin(), {
      ...{ op: 'block', items: [{ number: '+821030000777' }], subjects: ['from'], code: 'SENDER_REPORTED' },
      ...{ until: null, reason: 'test' },
    }),
  );
  const again = await makeFile(LATER, {}, headers);
  expect(again.made.record).toBe(first.made.record);
  expect(again.made.parts).toEqual(first.made.parts);
  const made = (await coordinator().audit(0, 1_000)).filter(({ action }) => action === 'evidenceFiles.make');
  expect(made).toHaveLength(1);
});

test('a file names earlier checkpoints, and proves that the log goes on from them', async () => {
  await busySender();
  after();
  const first = await madeFile(LATER);
  const second = await madeFile(LATER);
  const { size } = (JSON.parse(first.manifest) as { log: { size: number } }).log;
  const { checkpoints } = partOf<ProofsPart>(second, 'proofs.json');
  expect(checkpoints.map((each) => each.size)).toContain(size);
  expect((await verified(filesOf(second))).ok).toBe(true);
});

test('a file about an organisation has its registered numbers', async () => {
  await busySender();
  after();
  const made = await madeFile({ ...LATER, sender: { organisation: 'acme' } });
  expect((await verified(filesOf(made))).steps.filter(({ ok }) => ok !== true)).toEqual([]);
  expect(partOf<SubjectsPart>(made, 'subjects.json')).toMatchObject({
    ...{ numbers: [{ number: NUMBER }], organisations: ['acme'] },
  });
  const actions = linesOf<AuditRecord>(made, 'log.ndjson').map(({ action }) => action);
  expect(actions).toContain('organisations.put');
  expect(actions).toContain('entries.block');
});

test('a file about a sender ID has it in every spelling', async () => {
  const block = async (source: string) =>
    unwrap(
      await coordinator().changeEntries(asAdmin(), {
        ...{ op: 'block', items: [{ source }], subjects: ['from'], code: 'SENDER_REPORTED' },
        ...{ until: null, reason: 'test' },
      }),
    );
  for (const source of ['ACME Bank', 'acme bank', 'Other']) await block(source);
  after();
  const made = await madeFile({ ...LATER, sender: { source: 'Acme Bank' } });
  expect((await verified(filesOf(made))).steps.filter(({ ok }) => ok !== true)).toEqual([]);
  const subjects = linesOf<AuditRecord>(made, 'log.ndjson').map(({ subject }) => subject);
  expect(new Set(subjects)).toEqual(new Set(['source ACME Bank', 'source acme bank']));
});

test('a file has the lists of the release with the number, and the record of its promotion', async () => {
  const list = plainList('kr-suspended', { numbers: [{ n: N, ...EVER }] });
  const release = await stage({ lists: [list] });
  const options = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), release, options));
  after();
  const made = await madeFile(LATER);
  expect((await verified(filesOf(made))).steps.filter(({ ok }) => ok !== true)).toEqual([]);
  const blocks = partOf<BlocksPart>(made, 'blocks.json');
  expect(blocks).toMatchObject({
    release,
    numbers: [{ lists: [{ list: 'kr-suspended', code: 'NUMBER_SUSPENDED' }, {}] }],
  });
  const log = linesOf<AuditRecord>(made, 'log.ndjson');
  expect(log.map(({ action, subject }) => [action, subject])).toEqual([['release.promote', release]]);
});

test('a file about a number that nobody knows is empty, and verifies', async () => {
  after();
  const made = await madeFile({ ...LATER, sender: { number: '010-3000-4321' } });
  expect((await verified(filesOf(made))).ok).toBe(true);
  expect(made.parts['log.ndjson']).toBe('');
});
