/**
 * Every command in a document works. It runs against a real service, in a copy of the project, unless it needs something that a
 * test does not have. Only placeholders of the documented commands are replaced.
 */
import './support/workspace.ts';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addClient } from '../../cli/commands/clients.ts';
import { ensureDemoFeed, ensureDemoPartner } from '../../cli/local/demo-clients.ts';
import { DEMO_ISSUER_FOLDER, startDemoIssuer } from '../../cli/local/demo-issuer.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import { HOME } from './support/builds.ts';
import { documentedBlocks, PROJECT } from './support/documented.ts';
import { NOT_RUN, reasonNotToRun } from './support/not-run.ts';
import { filledIn } from './support/placeholders.ts';
import { startTestService } from './support/service.ts';
import { FOLDER, SECRETS } from './support/workspace.ts';

const CLONE = join(FOLDER, 'numgate');
let service: Awaited<ReturnType<typeof startTestService>>;
let key: string;
/** The key of a mock partner, as `npm start` makes it. */
const PARTNER_KEY = `demo-partner.${'p'.repeat(43)}`;
/** The key of a consumer of the feed, as `npm start` makes it. */
const FEED_KEY = `demo-feed.${'f'.repeat(43)}`;

/** Commands that run first, because a command of a document assumes their result. */
const BEFORE: Readonly<Record<string, string>> = {
  // Another document has made the newest build current.
  'npx numgate undo <operation> --reason "wrong file"':
    'echo 010-2000-5037 | npx numgate block --file - --reason "a test"',
  'npx numgate push --share 0.1': 'npx numgate rollback --reason "a test"',
  // Another document adds one later.
  'npx numgate webhooks list --organisation acme': [
    'npx numgate webhooks hosts hooks.acme.example --organisation acme --reason "a test" > hosts.txt',
    'npx numgate webhooks add https://hooks.acme.example/docs --organisation acme > added.txt || true',
  ].join('\n'),
};

/** Runs the commands of a block in one shell, and stops at the first failure. */
function run(commands: readonly string[]): Promise<{ status: number | null; output: string }> {
  const script = [
    'set -eo pipefail',
    ...commands.map((command) => `${BEFORE[command] ?? ''}\n${filledIn(command, service.url, key)}`),
  ].join('\n');
  const path = `${join(CLONE, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`;
  const values = {
    ...{ KEY: key, PARTNER_KEY, FEED_KEY, URL: service.url, TOKEN: SECRETS.ADMIN_TOKEN, NO_COLOR: '1' },
    ISSUER_FOLDER: DEMO_ISSUER_FOLDER,
  };
  const child = spawn('bash', ['-c', script], { cwd: CLONE, env: { ...process.env, PATH: path, ...values } });
  child.stdin.end();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

const documents = documentedBlocks();
const all = [...documents.values()].flat();
/** Other documents use the organisation of this block. */
const SET_UP = documents.get('docs/senders.md')![0]!.commands;
/** The README's walk-through: a sender gets a certificate, passes, and is refused after its revocation. */
const WALK = documents
  .get('README.md')!
  .map(({ commands }) => commands)
  .find((commands) => commands.includes('check'))!;

beforeAll(async () => {
  for (const name of ['cli', 'shared', 'data', 'workers', 'package.json', 'wrangler.toml'])
    cpSync(join(PROJECT, name), join(CLONE, name), { recursive: true });
  for (const name of ['node', 'issuer', 'grafana'])
    cpSync(join(PROJECT, 'examples', name), join(CLONE, 'examples', name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(CLONE, 'node_modules'));
  const put = (name: string, text: string): void => {
    mkdirSync(dirname(join(CLONE, name)), { recursive: true });
    writeFileSync(join(CLONE, name), text);
  };
  // Starts the same programs as npx, without the second that npx takes.
  put(
    'bin/npx',
    '#!/bin/sh\nname=$1; shift\n[ "$name" = numgate ] && exec node cli/numgate.ts "$@"\n[ "$name" = node ] && exec node "$@"\nexit 127\n',
  );
  chmodSync(join(CLONE, 'bin/npx'), 0o755);
  put('.numgate/secrets.json', JSON.stringify(SECRETS));
  put('numbers.txt', '010-2000-5036\nPARCEL-KR\n');
  put('number.txt', '010-2000-5036\n');
  const suspended = { name: 'suspended', reason: 'NUMBER_SUSPENDED', authority: 'test' };
  put(
    'my.lists.json',
    JSON.stringify({ lists: [suspended], inputs: [{ file: 'home.txt', list: 'suspended' }] }),
  );
  put(
    'acme.lists.json',
    JSON.stringify({ lists: [{ ...suspended, name: 'acme', authority: 'acme' }], inputs: [] }),
  );
  put('home.txt', HOME.join('\n'));
  const phishing = { name: 'kisa-phishing', file: 'kisa.txt', authority: 'kisa' };
  put('my.text.json', JSON.stringify({ hostLists: [phishing], canaryTexts: 'our-texts.txt' }));
  put('kisa.txt', 'phish.example.com\n');
  put('our-texts.txt', '[acme] Your code is 123456.\n');
  put(
    'texts.txt',
    `Your parcel waits for the customs fee, ${'pay it within a day or it goes back '.repeat(2)}\n`,
  );
  put('text.txt', 'See https://phish.example.com/\n');
  put('certificate.pdf', 'a certificate');
  put(
    'senders.csv',
    /^```csv\n([\s\S]*?)^```$/m.exec(readFileSync(join(PROJECT, 'docs/senders.md'), 'utf8'))![1]!,
  );
  service = await startTestService();
  ({ key } = await addClient(service.admin, 'documented', { rights: ['check', 'gateway'] }, 'a test'));
  await ensureDemoPartner(service.admin, PARTNER_KEY, 'a test');
  await ensureDemoFeed(service.admin, FEED_KEY, 'a test');
  const issuer = await startDemoIssuer(service.admin, 'a test');
  afterAll(issuer.stop);
  mkdirSync(join(CLONE, '.wrangler'), { recursive: true });
  symlinkSync(DEMO_ISSUER_FOLDER, join(CLONE, '.wrangler/issuer'));
  // Canaries and plans are based on a release, so make one first.
  const { status, output } = await run([
    ...SET_UP,
    'npx numgate organisations set acme --authority acme --roles operator,relay',
    'npx numgate organisations add reseller --roles relay',
    'npx numgate clients add demo',
    'npx numgate build my.lists.json',
    'npx numgate push --unproven',
    `npx numgate watch --seq $(npx numgate status --json | node -p 'JSON.parse(fs.readFileSync(0)).seq')`,
  ]);
  expect([status, output]).toEqual([0, expect.any(String)]);
});

describe('the commands of documents', () => {
  // Each command runs only once, because a proof takes long.
  const seen = new Set<string>([...SET_UP, ...WALK]);
  const isNew = (command: string): boolean => seen.size < seen.add(command).size;
  const runnable = [...documents].flatMap(([path, blocks]) => {
    const parts = blocks.map(({ place, commands }) => ({
      place,
      commands: commands.filter((command) => reasonNotToRun(command) === undefined && isNew(command)),
    }));
    const some = parts.filter(({ commands }) => commands.length > 0);
    return some.length === 0 ? [] : [[path, some] as const];
  });

  it.each(runnable)('of %s work', async (_path, blocks) => {
    for (const { place, commands } of blocks) {
      const { status, output } = await run(commands);
      expect([place, status, status === 0 ? '' : output]).toEqual([place, 0, '']);
      expect([place, output]).not.toEqual([place, expect.stringContaining('"status":401')]);
    }
  });

  it('of the README let a sender pass, and refuse it once its certificate is revoked', async () => {
    // Each part runs in a new shell, so it repeats the variables and the function of the first part.
    const inEach = WALK.filter((command) => /^(?:export |check\(\))/.test(command));
    const parts: string[][] = [[]];
    for (const command of WALK) {
      if (command === 'check') parts.push([]);
      else if (!inEach.includes(command)) parts.at(-1)!.push(command);
    }
    expect(parts.map(({ length }) => length)).toEqual([4, 2, 0]);
    for (const [index, result] of ['"verdict":"allow"', '"code":"CERTIFICATE_REVOKED"'].entries()) {
      const { status, output } = await run([...inEach, ...parts[index]!]);
      expect([status, status === 0 ? '' : output]).toEqual([0, '']);
      await vi.waitFor(
        async () => expect((await run([...inEach, 'check'])).output).toContain(result),
        HANG_MS,
      );
    }
  });

  it('that do not run are still shown', () => {
    const commands = all.flatMap(({ commands: some }) => some);
    const used = new Set(commands.map(reasonNotToRun));
    expect(Object.keys(NOT_RUN).filter((pattern) => !used.has(pattern))).toEqual([]);
    expect(commands.length).toBeGreaterThan(60);
  });

  it('leave a backup of the audit log that is only its records', () => {
    const lines = readFileSync(join(CLONE, 'audit-2026.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      lines.map((_, index) => index + 1),
    );
  });

  it('start the command line with npx numgate, never through an npm script, which prints a banner', () => {
    const through = all.flatMap(({ place, commands }) =>
      commands
        .filter((command) => /npm run (--silent )?(lists|numgate)|cli\/numgate\.ts/.test(command))
        .map((command) => `${place}: ${command}`),
    );
    expect(through).toEqual([]);
  });
});
