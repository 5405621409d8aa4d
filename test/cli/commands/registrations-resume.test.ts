/** An interrupted import: what the next run of the same command sends, and what it reports. */
import '../support/workspace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { UPLOADS } from '../../../cli/paths.ts';
import { numgate } from '../support/command.ts';
import { fakeService, type ReceivedRequest, type Reply } from '../support/fake-service.ts';
import { HEADER, lineOf } from '../support/senders.ts';
import { FOLDER, write } from '../support/workspace.ts';

const REASON = { field: 'number', code: 'NUMBER_INVALID', detail: 'is wrong', help: 'correct it' };
const REPORT = join(FOLDER, 'report.csv');
let requests: ReceivedRequest[];
/** The service's answer to a request that stores lines. */
let store: (rows: object[]) => Reply;

/** Results of the lines of a piece. Lines of the holder "Wrong" are rejected. */
function rowsOf({ path, body }: ReceivedRequest): object[] {
  const first = Number(new URL(path, 'http://x').searchParams.get('line'));
  return String(body)
    .trimEnd()
    .split('\n')
    .slice(1)
    .flatMap((line, index) => {
      if (line === '') return [];
      const isWrong = line.includes('Wrong');
      const result = isWrong ? 'rejected' : 'created';
      const reasons = isWrong ? [REASON] : [];
      const reference = line.split(',')[0];
      return [{ line: first + index, reference, result, id: isWrong ? null : '1', state: null, reasons }];
    });
}

const isDry = ({ path }: ReceivedRequest): boolean => path.includes('dryRun=true');

beforeEach(async () => {
  requests = [];
  const { url } = await fakeService((request) => {
    requests.push(request);
    const rows = rowsOf(request);
    return isDry(request) ? { body: { rows } } : store(rows);
  });
  process.env.NUMGATE_URL = url;
});

const run = (path: string, ...options: string[]) =>
  numgate('registrations', 'import', path, '--organisation', 'acme', '--report', REPORT, ...options);

it('continues under its name, without the lines that were found invalid, and reports them', async () => {
  const lines = [
    lineOf(1),
    lineOf(2, 'Wrong'),
    ...Array.from({ length: 1_500 }, (_, index) => lineOf(index + 10)),
  ];
  const path = write('broken.csv', [HEADER, ...lines].join('\n'));
  let stored = 0;
  store = (rows) =>
    stored++ === 0 ? { body: { rows } } : { status: 500, body: { code: 'INTERNAL', message: 'x' } };
  const failed = await run(path, '--skip-invalid');
  expect([failed.code, failed.errors]).toEqual([1, expect.stringContaining('run the same command again')]);
  expect(readdirSync(UPLOADS)).toHaveLength(1);
  const first = requests.filter((request) => !isDry(request));
  expect(first.map(({ headers }) => headers['idempotency-key'])).toEqual([
    expect.stringMatching(/^[0-9a-f-]{36}:2$/),
    expect.stringMatching(/:1002$/),
  ]);

  requests = [];
  store = (rows) => ({ body: { rows } });
  const { code, out, errors } = await run(path, '--skip-invalid');
  expect([code, errors]).toEqual([0, 'continuing the interrupted upload\n']);
  expect(out).toContain('1,502 lines: 1,501 created, 0 updated, 0 unchanged, 1 rejected');
  expect(requests.map(({ path: sent, headers, body }) => [sent, headers['idempotency-key'], body])).toEqual(
    first.map(({ path: sent, headers, body }) => [sent, headers['idempotency-key'], body]),
  );
  expect(String(requests[0]!.body)).not.toContain('Wrong');
  expect(readFileSync(REPORT, 'utf8').split('\n').slice(1, 4)).toEqual([
    '2,line-1,created,1,,,,,',
    '3,line-2,rejected,,,number,NUMBER_INVALID,is wrong,correct it',
    '4,line-10,created,1,,,,,',
  ]);
  expect(readdirSync(UPLOADS)).toEqual([]);
});

it('begins anew if the file, the organisation or an option differs', async () => {
  store = () => ({ status: 500, body: { code: 'INTERNAL', message: 'x' } });
  const keys = new Set<unknown>();
  const path = write('a.csv', [HEADER, lineOf(1)].join('\n'));
  for (const options of [[], ['--submit'], ['--organisation', 'other']]) {
    expect((await run(path, ...options)).code).toBe(1);
    keys.add(requests.at(-1)!.headers['idempotency-key']);
  }
  write('a.csv', [HEADER, lineOf(2)].join('\n'));
  expect((await run(path)).errors).not.toContain('continuing');
  keys.add(requests.at(-1)!.headers['idempotency-key']);
  expect(keys.size).toBe(4);
  expect((await run(path)).errors).toContain('continuing');
});
