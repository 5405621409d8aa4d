/**
 * The continuous export of the audit log: each record once, in pieces that are never overwritten, to R2 and by POST. Also
 * failures, pauses, overlapping attempts, and trimming.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { auditLine } from '../../../shared/audit.ts';
import type { Sink } from '../../../shared/evidence.ts';
import { AUDIT_KEPT_MS } from '../../../shared/limits/control.ts';
import { exportAudit } from '../../../workers/admin/audit-export.ts';
import { asAdmin, coordinator, unwrap, WRANGLER } from '../support/coordinator.ts';

const START = Date.UTC(2040, 0, 1);
const MINUTE = 60_000;
const bucket = (env as unknown as { TEST_BUCKET: R2Bucket }).TEST_BUCKET;
const R2 = { AUDIT_EXPORT: bucket };
const HTTPS = { AUDIT_SINK_URL: 'https://sink.example/log?secret=s3cr3t', AUDIT_SINK_TOKEN: 't0k3n' };
const FIRST = 'audit/000000000000001-000000000000003.ndjson';

let next = 0;
beforeEach(() => {
  next = 821_030_000_000;
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});

async function block(count: number): Promise<void> {
  const items = Array.from({ length: count }, () => ({ number: `+${next++}` }));
  const change = {
    op: 'block' as const,
    items,
    code: 'SENDER_REPORTED' as const,
    until: null,
    reason: 'test',
  };
  unwrap(await coordinator().changeEntries(asAdmin('first'), { ...change, subjects: ['from'] }));
}

const run = (sinks: Parameters<typeof exportAudit>[0]) => exportAudit(sinks, coordinator());
const keys = async () => (await bucket.list()).objects.map(({ key }) => key);
const textOf = async (key: string) => (await bucket.get(key))!.text();
const sinkOf = async (sink: Sink) =>
  (await coordinator().status()).audit.exports!.find((each) => each.sink === sink);
const lines = async (after: number, limit: number) =>
  (await coordinator().audit(after, limit)).map((record) => `${auditLine(record)}\n`).join('');

/** Answers requests to the sink with these statuses, in order. */
function answer(...statuses: readonly number[]) {
  const left = [...statuses];
  return vi
    .spyOn(globalThis, 'fetch')
    .mockImplementation(async () => new Response(null, { status: left.shift() ?? 200 }));
}

describe('the export of the audit log', () => {
  test('writes each record once to R2, in pieces of exact lines, and checkpoints after their records', async () => {
    await block(3);
    await run(R2);
    expect(await keys()).toEqual([FIRST]);
    expect(await textOf(FIRST)).toBe(await lines(0, 3));
    await run(R2);
    await coordinator().sweep(WRANGLER);
    await block(1_500);
    await run(R2);
    const checkpoint = 'audit/checkpoints/000000000000003.txt';
    expect(await keys()).toEqual([
      FIRST,
      'audit/000000000000004-000000000001003.ndjson',
      'audit/000000000001004-000000000001503.ndjson',
      checkpoint,
    ]);
    expect(await textOf(checkpoint)).toBe((await coordinator().checkpoints(0, 1))[0]!.checkpoint);
    expect(await sinkOf('r2')).toEqual({
      sink: 'r2',
      n: 1_503,
      failures: 0,
      error: null,
      at: new Date(START).toISOString(),
    });
  });

  test('continues with the same piece after an attempt whose end was not recorded', async () => {
    await block(3);
    await coordinator().setExportSinks(['r2']);
    const piece = (await coordinator().nextExport('r2'))!;
    await block(2);
    expect(await coordinator().nextExport('r2')).toEqual(piece);
    await bucket.put(piece.name, piece.text, {
      sha256: await crypto.subtle.digest('SHA-256', new TextEncoder().encode(piece.text)),
    });
    await run(R2);
    expect(await keys()).toEqual([FIRST, 'audit/000000000000004-000000000000005.ndjson']);
    // A late end of an earlier run does not move the export back.
    await coordinator().endExport('r2', piece, null);
    expect(await sinkOf('r2')).toMatchObject({ n: 5 });
  });

  test('never overwrites an object', async () => {
    await block(3);
    await bucket.put(FIRST, 'something else');
    await run(R2);
    expect(await textOf(FIRST)).toBe('something else');
    expect(await sinkOf('r2')).toMatchObject({
      n: 0,
      failures: 1,
      error: expect.stringContaining('use a new bucket'),
    });
  });

  test('sends pieces with a key and the token, and follows no redirect', async () => {
    await block(3);
    const sent = answer(200);
    await run(HTTPS);
    const [url, init] = sent.mock.calls[0]!;
    expect(String(url)).toBe(HTTPS.AUDIT_SINK_URL);
    expect(init).toMatchObject({
      ...{ method: 'POST', redirect: 'manual', body: await lines(0, 3) },
      headers: {
        'content-type': 'application/x-ndjson',
        'idempotency-key': FIRST,
        authorization: 'Bearer t0k3n',
      },
    });
    sent.mockRestore();
    answer(302);
    await block(1);
    await run(HTTPS);
    expect(await sinkOf('https')).toMatchObject({ n: 3, failures: 1, error: 'the server returned 302' });
  });

  test('pauses after failures, longer each time, and then sends everything', async () => {
    await block(3);
    const sent = answer(503, 503, 503);
    const attempts = [];
    for (let minute = 0; minute < 10; minute++) {
      vi.setSystemTime(START + minute * MINUTE);
      const before = sent.mock.calls.length;
      await run(HTTPS);
      if (sent.mock.calls.length > before) attempts.push(minute);
    }
    expect(attempts).toEqual([0, 1, 3, 7]);
    expect(await sinkOf('https')).toMatchObject({ n: 3, failures: 0, error: null });
  });

  test('shows no URL and no token in status and log, whatever fails', async () => {
    await block(1);
    const log = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error(`cannot reach ${HTTPS.AUDIT_SINK_URL}`));
    await run(HTTPS);
    expect(await sinkOf('https')).toMatchObject({ error: 'not reachable' });
    const shown = JSON.stringify([log.mock.calls, await coordinator().status()]);
    expect(shown).toContain('auditExportFailed');
    expect(shown).not.toMatch(/sink\.example|s3cr3t|t0k3n/);
  });

  test.each(['http://sink.example/', 'https://user:pass@sink.example/', 'ftp://sink.example/', 'sink'])(
    'refuses the URL %s',
    async (AUDIT_SINK_URL) => {
      await block(1);
      const sent = answer();
      await run({ AUDIT_SINK_URL });
      expect(sent).not.toHaveBeenCalled();
      expect(await sinkOf('https')).toMatchObject({
        n: 0,
        error: expect.stringContaining('must be an https: URL'),
      });
    },
  );

  test('comes before a trim: nothing goes that a sink lacks', async () => {
    await block(3);
    await run(R2);
    await block(2);
    vi.setSystemTime(START + AUDIT_KEPT_MS + 1);
    const hashAt = async (n: number) => (await coordinator().audit(n - 1, 1))[0]!.hash;
    const trim = async (n: number) => coordinator().trimAudit(asAdmin('archived'), n, await hashAt(n));
    expect(await trim(4)).toMatchObject({
      ok: false,
      field: 'n',
      message:
        '"n" must be at most 3: the sink r2 lacks later records; wait for the export, or remove the sink',
    });
    unwrap(await trim(3));
    expect((await trim(5)).ok).toBe(false);
    // Without a sink, the admin who trims is responsible.
    await run({});
    unwrap(await trim(5));
    // A new sink begins with the kept records.
    await run(R2);
    expect((await keys()).at(-1)).toMatch(/^audit\/000000000000006-/);
  });
});
