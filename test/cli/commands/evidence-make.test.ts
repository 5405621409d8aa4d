/** `evidence make`: its request, and how it handles the answer. docs/statistics.md runs it against a real service. */
import '../support/workspace.ts';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readArchive } from '../../../cli/evidence-archive.ts';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../../shared/evidence-file/manifest.ts';
import { numgate } from '../support/command.ts';
import { CASE, goldenTexts } from '../support/evidence.ts';
import { fakeService, problem, type ReceivedRequest, type Reply } from '../support/fake-service.ts';
import { FOLDER, write } from '../support/workspace.ts';

const PERIOD = ['--from', '2026-10-01', '--to', '2026-10-31', '--reason', 'case 117'];

/** The answer that the golden file was made from. */
function golden(): object {
  const files = readArchive(CASE);
  const text = (name: string): string => new TextDecoder().decode(files.get(name));
  const { texts } = goldenTexts();
  return { manifest: text(MANIFEST_FILE), signature: text(SIGNATURE_FILE), parts: texts, record: 1_234 };
}

const lines = (...values: object[]): Reply => ({
  body: values.map((value) => `${JSON.stringify(value)}\n`).join(''),
});
const PROGRESS = { progress: { step: 'log', share: 0.5 } };

async function run(reply: (request: ReceivedRequest) => Reply | null, ...args: string[]) {
  const { url, requests } = await fakeService(reply);
  process.env.NUMGATE_URL = url;
  const { code, out, errors } = await numgate('evidence', 'make', ...args);
  return { code, out, errors, requests };
}

it('writes the archive of the answer, for its owner alone, and names the record', async () => {
  const out = join(FOLDER, 'made.zip');
  const made = await run(
    () => lines(PROGRESS, { evidenceFile: golden() }),
    '+821030000001',
    ...PERIOD,
    '--out',
    out,
  );
  expect([made.code, made.out]).toEqual([
    0,
    expect.stringContaining('recorded in the audit log as record 1,234'),
  ]);
  expect(readFileSync(out).equals(readFileSync(CASE))).toBe(true);
  expect(statSync(out).mode & 0o077).toBe(0);
  const [request] = made.requests;
  expect(request).toMatchObject({
    ...{ method: 'POST', path: '/v1/admin/evidence-files' },
    headers: { accept: 'application/x-ndjson', 'idempotency-key': expect.any(String) as string },
    body: {
      ...{ sender: { number: '+821030000001' }, reason: 'case 117' },
      // Days in Korea, including the last one.
      ...{ from: '2026-09-30T15:00:00.000Z', to: '2026-10-31T15:00:00.000Z' },
    },
  });
});

it.each([
  ['a sender ID', ['ACME Bank'], { source: 'ACME Bank' }],
  ['a number with decoration', ['010-2000-5036'], { number: '010-2000-5036' }],
  ['an organisation', ['--organisation', 'acme'], { organisation: 'acme' }],
])('asks for %s', async (_, words, sender) => {
  const { requests } = await run(() => problem(503, 'NOT_CONFIGURED'), ...words, ...PERIOD, '--out', 'x.zip');
  expect(requests[0]!.body).toMatchObject({ sender });
});

it.each([
  ['neither sender nor organisation', PERIOD],
  ['both', ['ACME', '--organisation', 'acme', ...PERIOD]],
  ['a day that does not exist', ['ACME', '--from', '2026-02-30', '--to', '2026-10-31', '--reason', 'x']],
  ['no reason', ['ACME', '--from', '2026-10-01', '--to', '2026-10-31']],
])('%s is invalid usage, and nothing is sent', async (_, words) => {
  const { code, requests } = await run(() => ({}), ...words, '--out', 'x.zip');
  expect([code, requests]).toEqual([2, []]);
});

it.each<[string, Reply, string]>([
  ['a problem', problem(422, 'EVIDENCE_TOO_LARGE'), 'the message of EVIDENCE_TOO_LARGE'],
  [
    'a failure in the last line',
    lines(PROGRESS, { error: { status: 503, code: 'UNAVAILABLE', message: 'a store does not respond' } }),
    'a store does not respond',
  ],
  ['an answer that ends early', lines(PROGRESS), 'was cut off'],
  ['another server', { body: '<html></html>' }, 'check that NUMGATE_URL points to numgate'],
])('after %s the file that was there stays', async (_, reply, message) => {
  const out = write('kept.zip', 'kept');
  const { code, errors } = await run(() => reply, 'ACME', ...PERIOD, '--out', out);
  expect([code, errors]).toEqual([1, expect.stringContaining(message)]);
  expect(readFileSync(out, 'utf8')).toBe('kept');
  expect(existsSync(`${out}.part`)).toBe(false);
});
