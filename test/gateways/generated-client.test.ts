/**
 * A program with types that plain `openapi-typescript` generates from the document, and with `openapi-fetch`. It compiles,
 * needs no optional field, and handles codes and fields that a newer service has added.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';

const run = promisify(execFile);
/** The output of `openapi-typescript` for the document, which node-client.test.ts checks. */
const SCHEMA = join(PROJECT, 'examples/node/schema.d.ts');
const COMPILER = join(PROJECT, 'examples/node_modules/typescript/bin/tsc');

const PROGRAM = `
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.d.ts';

const baseUrl = process.argv[2] ?? '';
const api = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl });

/** Verdicts are closed: the compiler knows that this is complete. */
function actionOf(verdict: components['schemas']['Verdict']): string {
  switch (verdict) {
    case 'allow':
    case 'label':
      return 'send';
    case 'block':
    case 'indeterminate':
      return 'hold';
  }
}

const check = await api.POST('/v1/check', { body: { to: '112' } });
if (check.data === undefined) throw new Error(check.error.code);
const [reason] = check.data.reasons;
// A known code can be compared, and a new one is a string like any other.
const isNew = reason?.code !== 'NUMBER_SUSPENDED' && reason?.effect !== 'block' && reason?.match !== 'exact';

// Neither "report" nor "defaults" is required.
const batch = await createClient<paths>({ baseUrl }).POST('/v1/check/batch', { body: { items: [{ to: '112' }] } });
const refused: string | undefined = batch.error?.code;

console.log(JSON.stringify({ action: actionOf(check.data.verdict), code: reason?.code, isNew, refused }));
`;

/** Responses of a newer service, with a code, an effect, a match and a field that the document lacks. */
const REASON = { subject: 'to', code: 'FROM_THE_FUTURE', list: null, match: 'new', effect: 'delay' };
const ANSWER = {
  ...{ verdict: 'block', subject: 'to', from: null, to: '112', future: 1 },
  reasons: [{ ...REASON, authority: null, until: null, future: 1 }],
  ...{ release: null, seq: 1, asOf: null, stale: false },
};
const PROBLEM = { code: 'REFUSED_IN_FUTURE', status: 400, message: 'x' };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'numgate-generated-'));
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  copyFileSync(SCHEMA, join(folder, 'schema.d.ts'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('compiles, and handles codes and fields that are not in the document', async () => {
  const server = createServer((request, response) => {
    request.resume();
    const isBatch = request.url === '/v1/check/batch';
    response.writeHead(isBatch ? 400 : 200, {
      'content-type': isBatch ? 'application/problem+json' : 'application/json',
    });
    response.end(JSON.stringify(isBatch ? PROBLEM : ANSWER));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const inFolder = { cwd: folder };
    const node = ['--types', 'node', '--typeRoots', join(PROJECT, 'node_modules/@types')];
    const module = ['--module', 'nodenext', '--target', 'es2022', '--allowImportingTsExtensions'];
    await run(
      process.execPath,
      [COMPILER, '--noEmit', '--strict', ...module, ...node, 'program.ts'],
      inFolder,
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { stdout } = await run(process.execPath, ['program.ts', url], inFolder);
    const result = { action: 'hold', code: 'FROM_THE_FUTURE', isNew: true, refused: 'REFUSED_IN_FUTURE' };
    expect(JSON.parse(stdout)).toEqual(result);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
