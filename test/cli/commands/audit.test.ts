/** `numgate audit`: paging through the log, and finding its first wrong record. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { trimAudit } from '../../../cli/commands/audit.ts';
import { auditLines, linesOfFile } from '../../../cli/commands/audit-lines.ts';
import { verifyAudit, verifyFile, verifyService } from '../../../cli/commands/audit-verify.ts';
import { type AuditRecord, auditHash, auditLine, CHAIN_START } from '../../../shared/audit.ts';
import { AUDIT_KEPT_MS, PAGE_MAX } from '../../../shared/limits/control.ts';
import { numgate, spawnNumgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

/** An intact log with this many records. */
function logOf(count: number, reason = 'a test', at = '2026-11-24T03:12:09.000Z'): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 1; n <= count; n++) {
    const previous = records.at(-1)?.hash ?? CHAIN_START;
    const body = {
      ...{ n, at, seq: n, actor: 'token:root', action: 'entries.block' },
      ...{ subject: '8210-00000001', reason, before: null, after: { op: 'block' }, previous },
    };
    records.push({ ...body, hash: auditHash(body) });
  }
  return records;
}

async function* linesOf(records: readonly AuditRecord[]): AsyncGenerator<string> {
  for (const record of records) yield auditLine(record);
}

const LOG = logOf(5);
const verify = (records: readonly AuditRecord[], more: Partial<Parameters<typeof verifyAudit>[1]> = {}) =>
  verifyAudit(linesOf(records), { from: 'the log', ...more });

describe('a chain', () => {
  it('that is intact is verified up to its last record', async () => {
    const { n, hash } = LOG.at(-1)!;
    expect(await verify(LOG)).toEqual({ records: 5, last: { n, hash }, broken: null });
    expect(await verify(LOG, { known: [LOG[2]!] })).toMatchObject({ broken: null });
    expect(await verify([])).toEqual({ records: 0, last: { n: 0, hash: CHAIN_START }, broken: null });
  });

  it.each<[string, readonly AuditRecord[], number, string]>([
    ['an altered reason', LOG.with(2, { ...LOG[2]!, reason: 'another' }), 3, 'ALTERED'],
    ['a removed record', LOG.toSpliced(2, 1), 3, 'MISSING'],
    ['the first record removed', LOG.slice(1), 1, 'MISSING'],
    ['a duplicated record', [...LOG.slice(0, 3), ...LOG.slice(2)], 4, 'REORDERED'],
    ['two swapped records', LOG.with(1, LOG[2]!).with(2, LOG[1]!), 2, 'MISSING'],
  ])('is broken at %s', async (_, records, n, problem) => {
    expect((await verify(records)).broken).toMatchObject({ n, problem });
  });

  it('that was cut or rewritten is broken at the known record', async () => {
    const kept = { known: [LOG[4]!] };
    expect((await verify(LOG.slice(0, 3), kept)).broken).toMatchObject({ n: 4, problem: 'MISSING' });
    expect((await verify([], kept)).broken).toMatchObject({ n: 1, problem: 'MISSING' });
    expect((await verify(logOf(5, 'another'), kept)).broken).toMatchObject({ n: 5, problem: 'ALTERED' });
  });

  it('can be verified from a given record on', async () => {
    const after = { after: 2 };
    for (const log of [LOG.slice(2), LOG])
      expect(await verify(log, after)).toMatchObject({ records: 3, last: { n: 5 }, broken: null });
    expect(await verify(LOG.slice(1), after)).toMatchObject({ records: 3, broken: null });
    expect((await verify(LOG.slice(0, 1), after)).broken).toMatchObject({ n: 2, problem: 'MISSING' });
    const altered = LOG.with(1, { ...LOG[1]!, reason: 'another' });
    expect((await verify(altered, after)).broken).toMatchObject({ n: 2, problem: 'ALTERED' });
    expect((await verify(LOG.slice(3), after)).broken).toMatchObject({ n: 3, problem: 'MISSING' });
    expect(await verify([], { after: 5 })).toMatchObject({ broken: null });
  });

  it('must continue from the known hash of that record', async () => {
    const kept = { after: 2, known: [LOG[1]!] };
    const other = { ...kept, known: [{ ...LOG[1]!, hash: '0'.repeat(64) }] };
    const wrong = { n: 2, problem: 'ALTERED', message: expect.stringContaining('the log was rewritten') };
    for (const log of [LOG.slice(2), LOG.slice(1), LOG]) {
      expect(await verify(log, kept)).toMatchObject({ records: 3, broken: null });
      expect((await verify(log, other)).broken).toMatchObject(wrong);
    }
    expect((await verify(logOf(5, 'another').slice(2), kept)).broken).toMatchObject(wrong);
    expect((await verify(LOG.slice(3), kept)).broken).toMatchObject({ n: 3, problem: 'MISSING' });
    const { n, hash } = LOG[1]!;
    expect(await verify([], kept)).toEqual({ records: 0, last: { n, hash }, broken: null });
    const both = { ...kept, known: [...kept.known, ...other.known] };
    expect((await verify([], both)).broken).toMatchObject(wrong);
  });

  it('rejects a known record before the start of the verification', async () => {
    const failure = await failureOf(() => verify(LOG.slice(3), { after: 3, known: [LOG[1]!] }));
    expect([failure.exitCode, failure.message]).toEqual([
      2,
      'record 2 is before record 3, so it would not be verified: start earlier',
    ]);
  });

  it('of a file that is not a log fails with a clear message', async () => {
    for (const content of ['{"n":1}', 'null', 'log', '', Uint8Array.of(0x1f, 0x8b)]) {
      const path = write('audit.ndjson', typeof content === 'string' ? `${content}\n` : content);
      const failure = await failureOf(() => verifyAudit(linesOfFile(path), { from: path }));
      expect(failure.message).toMatch(
        `${path}, line 1 is not a record of the audit log: check that the export is complete`,
      );
    }
    const empty = write('empty.ndjson', '');
    const nothing = await failureOf(() => verifyFile(empty, {}));
    expect(nothing.message).toBe(`${empty} has no record of the audit log`);
    expect(await verifyFile(empty, { after: 7 })).toMatchObject({ records: 0, broken: null });
    const none = await failureOf(() => verifyAudit(linesOfFile('/nowhere'), { from: 'x' }));
    expect(none.message).toMatch(/^\/nowhere: does not exist$/);
  });
});

describe('the log of the service', () => {
  /** A service with this log. */
  async function serviceOf(log: readonly AuditRecord[], trimmedTo = 0, trimmedHash?: string) {
    const { url, requests } = await fakeService(({ path }) => {
      const query = new URL(path, 'http://x').searchParams;
      const after = Number(query.get('after'));
      const page = log.slice(Math.max(after, trimmedTo)).slice(0, Number(query.get('limit')));
      const body = page.map((record) => `${auditLine(record)}\n`).join('');
      return { body: path.endsWith('/status') ? { audit: { ...log.at(-1), trimmedTo, trimmedHash } } : body };
    });
    return { admin: new Admin({ url, token: 'root.x' }), requests };
  }

  it('is read page by page to its end', async () => {
    const long = logOf(PAGE_MAX + 3);
    const { admin, requests } = await serviceOf(long);
    expect(await verifyAudit(auditLines(admin, 0), { from: admin.url })).toMatchObject({
      records: long.length,
      broken: null,
    });
    expect(requests.map(({ path }) => path)).toEqual([
      `/v1/admin/audit?after=0&limit=${PAGE_MAX}`,
      `/v1/admin/audit?after=${PAGE_MAX}&limit=${PAGE_MAX}`,
      `/v1/admin/audit?after=${PAGE_MAX + 3}&limit=${PAGE_MAX}`,
    ]);
    const rest: string[] = [];
    for await (const line of auditLines(admin, long.length - 1)) rest.push(line);
    expect(rest).toEqual([auditLine(long.at(-1)!)]);
  });

  it('that breaks off reports the error on standard error only, after the lines already written', async () => {
    const long = logOf(PAGE_MAX);
    const { url } = await fakeService((_, count) =>
      count === 1
        ? { body: long.map((record) => `${auditLine(record)}\n`).join('') }
        : problem(403, 'PERMISSION_DENIED'),
    );
    process.env.NUMGATE_URL = url;
    const { code, out, errors } = await spawnNumgate('audit', 'export', '--json');
    expect([
      code,
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ]).toEqual([1, long]);
    expect(errors).toBe('error: PERMISSION_DENIED: the message of PERMISSION_DENIED\n');
  });

  it('is verified up to the end that the service reports', async () => {
    const { admin } = await serviceOf(LOG);
    expect(await verifyService(admin, { known: [LOG[1]!] })).toMatchObject({ records: 5, broken: null });
    expect(await verifyService(admin, { after: 5 })).toMatchObject({ records: 0, broken: null });
    const cut = await serviceOf([...LOG.slice(0, 3), { ...LOG[4]!, n: 9 }]);
    expect((await verifyService(cut.admin, {})).broken).toMatchObject({ n: 4, problem: 'MISSING' });
  });

  it('that was trimmed is verified from there on, and the report says so', async () => {
    const trimmedHash = LOG[1]!.hash;
    const { admin } = await serviceOf(LOG, 2, trimmedHash);
    const { n, hash } = LOG.at(-1)!;
    const whole = { records: 3, last: { n, hash }, broken: null };
    expect(await verifyService(admin, {})).toEqual({ ...whole, trimmedTo: 2, trimmedHash });
    expect(await verifyService((await serviceOf(LOG, 2)).admin, {})).toEqual({ ...whole, trimmedTo: 2 });
    for (const known of [LOG[1]!, LOG[3]!])
      expect(await verifyService(admin, { known: [known] })).toMatchObject(whole);
    expect(await verifyService(admin, { after: 3 })).toEqual({ ...whole, records: 2 });
    const { message } = await failureOf(() => verifyService(admin, { known: [LOG[0]!] }));
    expect(message).toBe('record 1 was trimmed, like all records up to 2: verify their export');
    process.env.NUMGATE_URL = admin.url;
    const { code, out } = await numgate('audit', 'verify');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(
        `records up to 2 were trimmed: verify their export with --known 2:${trimmedHash}\n`,
      ),
    ]);
  });

  it('that was rewritten after the trimmed record is broken there', async () => {
    const wrong = { n: 2, problem: 'ALTERED', message: expect.stringContaining('the log was rewritten') };
    const rewritten = logOf(5, 'another');
    const honest = await serviceOf(rewritten, 2, LOG[1]!.hash);
    expect((await verifyService(honest.admin, {})).broken).toMatchObject(wrong);
    const lying = await serviceOf(rewritten, 2, rewritten[1]!.hash);
    expect((await verifyService(lying.admin, { known: [LOG[1]!] })).broken).toMatchObject(wrong);
  });

  it('that ends where the verification starts must have the known hash', async () => {
    const { admin } = await serviceOf(LOG);
    const [n, hash] = [5, LOG[4]!.hash];
    const from = { after: 5, known: [{ n, hash }] };
    expect(await verifyService(admin, from)).toEqual({ records: 0, last: { n, hash }, broken: null });
    const other = { ...from, known: [{ n, hash: '0'.repeat(64) }] };
    expect((await verifyService(admin, other)).broken).toMatchObject({ n: 5, problem: 'ALTERED' });
  });

  it('that ends before the verification starts is an error', async () => {
    const { admin } = await serviceOf(LOG);
    const { exitCode, message } = await failureOf(() => verifyService(admin, { after: 6 }));
    expect([exitCode, message]).toEqual([1, `the log of ${admin.url} ends with record 5, before record 6`]);
  });
});

describe('trimming the log', () => {
  const OLD = logOf(4, 'a test', new Date(Date.now() - AUDIT_KEPT_MS - 1_000).toISOString());
  const young = logOf(6).map((record) => ({ ...record, at: new Date().toISOString() }));

  /** OLD, followed by two records of today. */
  function mixed(): AuditRecord[] {
    const log = [...OLD];
    for (const { n, hash: _, previous: _before, ...rest } of young.slice(4)) {
      const body = { ...rest, n, previous: log.at(-1)!.hash };
      log.push({ ...body, hash: auditHash(body) });
    }
    return log;
  }
  const file = (records: readonly AuditRecord[]): string =>
    write('audit.ndjson', records.map((record) => `${auditLine(record)}\n`).join(''));
  async function service(trimmedTo = 0) {
    const { url, requests } = await fakeService(({ method, body }) =>
      method === 'GET'
        ? { body: { audit: { n: 6, hash: 'x', trimmedTo } } }
        : { body: { trimmedTo: (body as { n: number }).n } },
    );
    return { url, admin: new Admin({ url, token: 'root.x' }), requests };
  }

  it('sends the newest record of the export that is older than a week', async () => {
    const { url, requests } = await service();
    process.env.NUMGATE_URL = url;
    const path = file(mixed());
    const { code, out } = await numgate('audit', 'trim', path, '--reason', 'archived');
    expect([code, out]).toEqual([0, `the log now begins after record 4: keep ${path}\n`]);
    expect(requests.at(-1)).toMatchObject({
      ...{ method: 'POST', path: '/v1/admin/audit/trim' },
      body: { n: 4, hash: OLD[3]!.hash, reason: 'archived' },
    });
  });

  it.each<[string, () => readonly AuditRecord[], number, RegExp]>([
    ['is altered', () => OLD.with(1, { ...OLD[1]!, reason: 'x' }), 0, /ALTERED: record 2 was altered/],
    ['starts after the log of the service', () => OLD.slice(2), 1, /MISSING: record 2 is missing/],
    [
      'has only records of this week',
      () => mixed().slice(4),
      4,
      /no record after record 4 is older than 7 days/,
    ],
    ['was already trimmed', () => OLD, 4, /no record after record 4 is older than 7 days/],
  ])('changes nothing if the export %s', async (_what, records, trimmedTo, message) => {
    const { admin, requests } = await service(trimmedTo);
    const failure = await failureOf(() => trimAudit(admin, file(records()), 'archived'));
    expect(failure.message).toMatch(message);
    expect(requests.map(({ method }) => method)).toEqual(['GET']);
  });
});
