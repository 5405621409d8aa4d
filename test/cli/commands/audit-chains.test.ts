/** `audit verify --registrations` and `--text`: chains beside the audit log, and their anchors in it. */
import '../support/workspace.ts';
import { beforeAll, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { verifyRegistrations } from '../../../cli/commands/audit-chains.ts';
import { listKeys } from '../../../cli/secrets.ts';
import { type AuditRecord, auditHash, auditLine, CHAIN_START } from '../../../shared/audit.ts';
import { buildText } from '../../shared/support/text-releases.ts';
import { numgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';
import { addSenders, as, type Senders } from '../support/senders.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { SIGNING_KEY } from '../support/workspace.ts';

let tokens: Senders;
let service: TestService;

beforeAll(async () => {
  service = await startTestService();
  tokens = await addSenders(service);
});

const CONTENT = [
  '--organisation',
  'acme',
  '--basis',
  'own',
  '--holder',
  'Acme Inc.',
  '--clients',
  'acme-main',
];
const verify = (...args: string[]) => numgate('audit', 'verify', '--registrations', 'acme', ...args);

it('verifies the chain of the service, and the auditor sees how far the audit log vouches for it', async () => {
  const add = (number: string) => numgate('registrations', 'add', number, ...CONTENT);
  expect((await as(tokens.sender, () => add('1588-1234'))).code).toBe(0);
  let found = await verify('--json');
  // The first anchor is written soon after.
  while ((JSON.parse(found.out) as { anchoredTo: number }).anchoredTo === 0) found = await verify('--json');
  expect(JSON.parse(found.out)).toMatchObject({ records: 1, broken: null, anchoredTo: 1 });
  expect((await as(tokens.sender, () => add('1588-1235'))).code).toBe(0);
  const { code, out } = await verify();
  expect([code, out]).toEqual([0, expect.stringContaining('2 records verified')]);
  expect(out).toContain('up to record 1; the newest 1 record will be anchored within a minute');
  const own = await as(tokens.sender, () => verify());
  expect([own.code, own.out]).toEqual([
    0,
    expect.stringContaining('were not compared: that needs the scope "read"'),
  ]);
});

it('verifies the chain of text risk', async () => {
  const { put } = await buildText({}, await listKeys(), SIGNING_KEY);
  await service.admin.change('POST', 'text/releases', put);
  const found = await numgate('audit', 'verify', '--text', '--json');
  expect(JSON.parse(found.out)).toMatchObject({ records: 1, broken: null });
  expect(await numgate('audit', 'verify', '--text', 'audit.ndjson')).toMatchObject({
    ...{ code: 2, errors: expect.stringContaining('--text verifies the service: do not name files') },
  });
  expect((await numgate('audit', 'verify', '--text', '--registrations', 'acme')).code).toBe(2);
});

it('rejects files and checkpoints, which belong to the audit log', async () => {
  expect(await verify('audit.ndjson')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('do not name files'),
  });
  expect((await verify('--checkpoint', 'x')).code).toBe(2);
});

/** A chain of this many records, each with this reason. */
function chainOf(count: number, reason: string): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 1; n <= count; n++) {
    const previous = records.at(-1)?.hash ?? CHAIN_START;
    const body = {
      ...{ n, at: '2026-11-24T03:12:09.000Z', seq: 0, actor: 'token:acme', action: 'registrations.create' },
      ...{ subject: `acme/${n}`, reason, before: null, after: {}, previous },
    };
    records.push({ ...body, hash: auditHash(body) });
  }
  return records;
}

it('finds a chain that was rewritten with all its hashes, or cut, by the anchors', async () => {
  const [kept, rewritten] = [chainOf(3, 'a test'), chainOf(3, 'another')];
  const anchor = {
    ...{ n: 1, at: '2026-11-24T03:13:00.000Z', seq: 0, actor: 'numgate', action: 'registrations.anchor' },
    ...{ subject: 'acme', reason: 'the end', before: null, previous: CHAIN_START },
    after: { n: 2, hash: kept[1]!.hash },
  };
  const log = [{ ...anchor, hash: auditHash(anchor) }];
  const verified = async (chain: readonly AuditRecord[]) => {
    const { url } = await fakeService(({ path }) => {
      const records = path.includes('registrations') ? chain : log;
      const after = Number(new URL(path, 'http://x').searchParams.get('after'));
      const lines = records.filter(({ n }) => n > after).map((record) => `${auditLine(record)}\n`);
      return { status: 200, body: lines.join('') };
    });
    return verifyRegistrations(new Admin({ url, token: 'x' }), 'acme', { after: 0, known: [] });
  };
  expect(await verified(kept)).toMatchObject({ broken: null, anchoredTo: 2 });
  expect((await verified(rewritten)).broken).toMatchObject({ n: 2, problem: 'ALTERED' });
  expect((await verified(kept.slice(0, 1))).broken).toMatchObject({ n: 2, problem: 'MISSING' });
});
