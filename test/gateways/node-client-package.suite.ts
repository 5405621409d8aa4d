/**
 * The package of the client, packed and installed as users do it. Its types compile, and it runs against the
 * real service in Node 20 and newer, and in a Worker without Node's API.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { importJWK, type JWK, jwtVerify } from 'jose';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';
import { gatewayService } from './support/service.ts';

const run = promisify(execFile);

const PACKAGE = join(PROJECT, 'examples/node');
/** Longer than any test, so that a slow machine does not cause a timeout. */
const UNHURRIED = 'timeoutMs: 3_600_000, deadlineMs: 3_600_000';

/** Signs a message token with a new key of each kind. Returns each token with its public key. */
const SIGN = `
import { openHolderKey, signSenderToken } from '@numgate/client';

async function signed(algorithm) {
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const key = await openHolderKey(await crypto.subtle.exportKey('jwk', privateKey));
  const claims = { audience: 'acme', from: '+8215881234', chain: ['eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmVk'] };
  return { publicKey: key.publicKey, token: await signSenderToken(key, claims) };
}
const tokens = () => Promise.all([{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'Ed25519' }].map(signed));
`;

/** Throws unless both tokens are valid. */
async function verifyTokens(tokens: unknown): Promise<void> {
  const [es256, edDsa] = tokens as { readonly publicKey: JWK; readonly token: string }[];
  for (const [alg, { publicKey, token }] of Object.entries({ ES256: es256!, EdDSA: edDsa! }))
    await jwtVerify(token, await importJWK(publicKey, alg), { algorithms: [alg], audience: 'acme' });
}

/** The Worker, with one check of each kind. Its runtime has no Node API. */
const WORKER = `
import { linesOf, makeClient } from '@numgate/client';
${SIGN}

export default {
  async fetch(_, env) {
    const numgate = makeClient({ url: env.NUMGATE_URL, key: env.NUMGATE_KEY, ${UNHURRIED} });
    const lines = linesOf(new Response('{"id":"a","to":"010-0000-0003"}\\n{"id":"b","to":"JOHN"}').body);
    const streamed = [];
    for await (const result of numgate.checkStream(lines)) streamed.push(result);
    return Response.json({
      globals: [typeof process, typeof Buffer, typeof setImmediate],
      check: await numgate.check({ to: '010-0000-0003' }),
      batch: await numgate.checkBatch([{ to: '010-0000-0003' }, { to: 'JOHN' }]),
      streamed,
      gateway: await numgate.checkGateway({ from: '+82212345678' }),
      gatewayBatch: await numgate.checkGatewayBatch([{ from: '+82212345678' }]),
      tokens: await tokens(),
    });
  },
};
`;

/** The path of Node 20, the oldest supported version; null if it is not installed. */
function oldestNode(): string | null {
  const names = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const versionOf = (path: string) => execFileSync(path, ['--version'], { encoding: 'utf8' });
  return names.find((path) => existsSync(path) && versionOf(path).startsWith('v20.')) ?? null;
}

describe('the package of the client', () => {
  let folder = '';

  /** Compiles the program. Rejects if there is an error. @param compiler path of tsc */
  async function compile(compiler: string, ...options: readonly string[]): Promise<void> {
    const node = ['--types', 'node', '--typeRoots', join(PROJECT, 'node_modules/@types')];
    const args = ['--strict', '--target', 'es2022', ...options, ...node, 'program.ts'];
    await run(process.execPath, [join(PROJECT, compiler), ...args], { cwd: folder });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'numgate-client-'));
    const npm = (cwd: string, ...args: string[]) =>
      run('npm', [...args, '--cache', join(folder, 'cache'), '--offline'], { cwd });
    await npm(PACKAGE, 'pack', '--pack-destination', folder);
    const [, program] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(PACKAGE, 'README.md'), 'utf8'))!;
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.ts'), program!.replace('{ url, key }', `{ url, key, ${UNHURRIED} }`));
    const packed = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    await npm(folder, 'install', '--no-audit', '--no-fund', `./${packed}`);
    await compile('node_modules/typescript/bin/tsc', '--module', 'nodenext');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('contains the compiled client, its licence and nothing else, and leaves nothing behind', () => {
    const installed = join(folder, 'node_modules/@numgate/client');
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    const compiled = readdirSync(join(installed, 'dist'));
    expect(compiled.filter((name) => !/\.(js|d\.ts)$/.test(name) || /check|schema/.test(name))).toEqual([]);
    expect(readdirSync(join(folder, 'node_modules')).sort()).toEqual(['.package-lock.json', '@numgate']);
    for (const made of ['dist', 'LICENSE']) expect(existsSync(join(PACKAGE, made))).toBe(false);
    const versions = [PACKAGE, PROJECT].map((path) => readFileSync(join(path, 'package.json'), 'utf8'));
    const [version, ofProject] = versions.map((text) => (JSON.parse(text) as { version: string }).version);
    expect(version).toBe(ofProject);
  });

  it.each([
    ['TypeScript 5 and nodenext', 'examples/node_modules/typescript', ['nodenext']],
    ['TypeScript 7 and nodenext', 'node_modules/typescript', ['nodenext']],
    ['TypeScript 7 and bundler', 'node_modules/typescript', ['esnext', '--moduleResolution', 'bundler']],
  ])('has types for %s', async (_what, compiler, options) => {
    const compiled = compile(`${compiler}/bin/tsc`, '--module', ...options, '--noEmit');
    await expect(compiled).resolves.toBeUndefined();
  });

  async function printed(node: string): Promise<string> {
    const { url: NUMGATE_URL, key: NUMGATE_KEY } = gatewayService();
    const env = { ...process.env, NUMGATE_URL, NUMGATE_KEY };
    const { stdout } = await run(node, ['program.js'], { cwd: folder, env });
    return stdout;
  }
  const PRINTED = 'block NUMBER_SUSPENDED\nallow\nSOURCE_AS_RECIPIENT\n';
  const oldest = oldestNode();

  it('runs in the Node of this project', async () => {
    expect(await printed(process.execPath)).toBe(PRINTED);
  });

  it.skipIf(oldest === null)('runs in Node 20', async () => {
    expect(await printed(oldest!)).toBe(PRINTED);
  });

  it.each([process.execPath, ...(oldest === null ? [] : [oldest])])(
    'signs message tokens in %s',
    async (node) => {
      writeFileSync(join(folder, 'sign.js'), `${SIGN}process.stdout.write(JSON.stringify(await tokens()));`);
      const { stdout } = await run(node, ['sign.js'], { cwd: folder });
      await expect(verifyTokens(JSON.parse(stdout))).resolves.toBeUndefined();
    },
  );

  it('runs in a Worker without any Node API', async () => {
    const stdin = { contents: WORKER, resolveDir: folder };
    // For browsers, esbuild resolves none of Node's built-in modules.
    const options = { bundle: true, write: false, format: 'esm', platform: 'browser' } as const;
    const script = (await build({ stdin, ...options })).outputFiles[0]!.text;
    const { url: NUMGATE_URL, key: NUMGATE_KEY } = gatewayService();
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        ...{ cf: false, modules: true, script, bindings: { NUMGATE_URL, NUMGATE_KEY } },
        // Before Node's API became part of the runtime.
        compatibilityDate: '2024-01-01',
      }),
    );
    try {
      const response = await miniflare.dispatchFetch('http://localhost/');
      const block = { verdict: 'block', reasons: [{ code: 'NUMBER_SUSPENDED' }] };
      const error = { error: { code: 'SOURCE_AS_RECIPIENT' } };
      const gateway = { verdict: 'block', sip: { status: 603 } };
      const result = (await response.json()) as { readonly tokens: unknown };
      expect(result).toMatchObject({
        globals: ['undefined', 'undefined', 'undefined'],
        ...{ check: block, batch: [block, error], gateway, gatewayBatch: [gateway] },
        streamed: [
          { id: 'a', ...block },
          { id: 'b', ...error },
        ],
      });
      await expect(verifyTokens(result.tokens)).resolves.toBeUndefined();
    } finally {
      await miniflare.dispose();
    }
  });
});
