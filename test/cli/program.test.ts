/** The command line itself: help, exit codes, JSON, and what an interrupted command leaves behind. */
import './support/workspace.ts';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { describe, expect, it, test } from 'vitest';
import { FAMILIES } from '../../cli/families.ts';
import { programFor } from '../../cli/program.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { buildOf, inputsOf, pathOf } from './support/builds.ts';
import { numgate, spawnNumgate, start } from './support/command.ts';
import { HELP } from './support/help-table.ts';
import { tamper } from './support/tamper.ts';
import { BUILDS, write } from './support/workspace.ts';

describe('help', () => {
  it('has --version, which prints the version of package.json', async () => {
    expect(await numgate('--version')).toEqual({ code: 0, out: `${packageJson.version}\n`, errors: '' });
  });

  it.each(HELP)('of "%s" names its arguments and options, and --json', async (command, words) => {
    const { code, out, errors } = await numgate(...command.split(' ').filter(Boolean), '--help');
    expect([code, errors]).toEqual([0, '']);
    expect(out).toContain('show the help of this command');
    for (const word of [...words, '--json', '--help']) expect(out).toContain(word);
    if (out.includes('--reason') && ['block', 'rollback', 'guards set'].includes(command))
      expect(out).toContain('reason for the audit log (required)');
    if (command !== '') expect(out).toMatch(new RegExp(`Examples?:\\n  npx numgate ${command}`));
  });
});

test.each([
  ['option', ['promote', 'x', '--share', '2', '--reason', 'a test']],
  ['argument', ['undo', 'xyz', '--reason', 'a test']],
])('a wrong %s is refused in one sentence, with the rule', async (kind, args) => {
  const { code, errors } = await numgate(...args);
  expect([code, errors]).toEqual([
    2,
    expect.stringMatching(new RegExp(`^error: ${kind} .* is invalid: it must `)),
  ]);
});

describe('the families of commands', () => {
  const families = Object.values(FAMILIES).flat();

  it.each(families)('with $commands add these commands, and no others', async ({ commands, load }) => {
    const program = new Command();
    (await load())(program);
    expect(program.commands.map((command) => command.name()).sort()).toEqual([...commands].sort());
  });

  it('are loaded only if the command line names one of their commands', async () => {
    const namesFor = async (...args: string[]) =>
      (await programFor(args)).commands.map((command) => command.name());
    expect(await namesFor('--json', 'unblock', '--help')).toEqual(['block', 'unblock', 'clear']);
    const all = families.flatMap(({ commands }) => commands).length;
    for (const args of [[], ['--help'], ['help', 'block'], ['bloc']])
      expect(await namesFor(...args)).toHaveLength(all);
  });
});

describe('a command that fails', () => {
  const secrets = { ...process.env };
  it.each([
    ['LIST_KEY', 'AAAA', 'LIST_KEY must be 32 bytes in base64'],
    ['LIST_KEY', '!', 'LIST_KEY must be 32 bytes in base64'],
    ['RELEASE_SIGNING_KEY', 'AAAA', 'RELEASE_SIGNING_KEY must be an Ed25519 key (PKCS #8 in base64)'],
    ['RELEASE_SIGNING_KEY', '!', 'RELEASE_SIGNING_KEY must be base64'],
  ])('with %s=%s exits with 1 and never shows the secret', async (name, value, message) => {
    process.env[name] = value;
    const result = await spawnNumgate('build', '--offline', inputsOf('secrets', [], []), '--out', BUILDS);
    process.env[name] = secrets[name];
    expect(result).toEqual({ code: 1, out: '', errors: `error: ${message}\n` });
  });

  it('with invalid public keys exits with 1', async () => {
    const { folder } = await buildOf('keys');
    process.env.RELEASE_PUBLIC_KEYS = 'AAAA,AAAA';
    const { code, errors } = await numgate('prove', '--quick', folder.path);
    process.env.RELEASE_PUBLIC_KEYS = secrets.RELEASE_PUBLIC_KEYS;
    expect(code).toBe(1);
    expect(errors).toMatch(/^error: RELEASE_PUBLIC_KEYS must be Ed25519 keys of 32 bytes/);
  });

  it('because of a file without entries exits with 1, except with --allow-empty', async () => {
    const args = ['build', '--offline', inputsOf('void', [], ['KR-GOV']), '--out', pathOf('void-builds')];
    expect(await numgate(...args)).toEqual({
      code: 1,
      out: '',
      errors: `error: ${pathOf('void', 'home.txt')} has no entries. To accept it, pass --allow-empty\n`,
    });
    expect(await numgate(...args, '--allow-empty')).toMatchObject({ code: 0, errors: '' });
  });

  it('because of the output folder exits with 1, without a stack trace', async () => {
    const out = write('a-file', '');
    const { code, errors } = await numgate('build', '--offline', inputsOf('nowhere', [], []), '--out', out);
    expect([code, errors]).toEqual([1, `error: ${out}: is a file; a folder is needed\n`]);
    mkdirSync(pathOf('taken', 'rejects.csv'), { recursive: true });
    const taken = await numgate('build', '--offline', inputsOf('nowhere', [], []), '--out', pathOf('taken'));
    const path = pathOf('taken', 'rejects.csv');
    expect([taken.code, taken.errors]).toEqual([1, `error: ${path}: is a folder; a file is needed\n`]);
  });
});

describe('--json', () => {
  it('of build and prove prints one object with all figures', async () => {
    const path = inputsOf('json', ['010-2345-6789', '112'], ['KR-GOV']);
    const args = [
      'build',
      '--offline',
      path,
      '--out',
      pathOf('json-builds'),
      '--max-rejects',
      '0.5',
      '--json',
    ];
    const built = await spawnNumgate(...args);
    expect([built.code, built.errors]).toEqual([0, '']);
    const result = JSON.parse(built.out) as { folder: string; release: string };
    expect(result).toEqual({
      release: expect.stringMatching(/^\d{8}T\d{4}Z-[0-9a-f]{8}$/),
      folder: pathOf('json-builds', result.release),
      bytes: expect.any(Number),
      values: 2,
      bitsPerNumber: expect.any(Number),
      lists: [expect.objectContaining({ numbers: 1 }), expect.objectContaining({ sources: 1 })],
      inputs: [
        expect.objectContaining({ rows: 2, accepted: 1, expired: 0, rejected: 1 }),
        expect.objectContaining({ rows: 1, accepted: 1, expired: 0, rejected: 0 }),
      ],
      rejectsNotWritten: 0,
    });
    const proven = await spawnNumgate('--json', 'prove', '--quick', result.folder);
    expect(proven.code).toBe(0);
    expect(JSON.parse(proven.out)).toMatchObject({
      release: result.release,
      wrong: 0,
      complete: false,
      lists: 2,
    });
  });
});

describe('--json of a failure', () => {
  it.concurrent.each([
    [['block', '--reason', 'x'], 2, 'USAGE', 'give a number or a source, or a file with --file'],
    [['build', '--colour'], 2, 'USAGE', "unknown option '--colour'"],
    [[], 2, 'USAGE', 'no command given'],
    [['block', '--file', 'no.txt', '--reason', 'x'], 1, 'FAILED', 'no.txt: does not exist'],
    [['block', '--file', 'package.json', '--reason', 'x'], 1, 'FAILED', 'the name does not show the format'],
  ])('%j prints one object with "error"', async (args, exitCode, code, words) => {
    const result = await spawnNumgate(...args, '--json');
    const { error } = JSON.parse(result.out) as { error: object };
    expect([result.code, error]).toEqual([
      exitCode,
      { code, message: expect.stringContaining(words), exitCode },
    ]);
  });
});

describe('a URL or token in the environment', () => {
  const before = { ...process.env };
  it('is named if it is invalid, and counts as absent if it is empty', async () => {
    for (const url of ['localhost:8787', 'control.example.com']) {
      process.env.NUMGATE_URL = url;
      const { code, errors } = await numgate('status');
      expect([code, errors]).toEqual([
        2,
        `error: NUMGATE_URL must be a URL such as https://control.example.com, not ${url}\n`,
      ]);
    }
    process.env.NUMGATE_URL = '';
    process.env.PORT = 'abc';
    expect(await numgate('status')).toMatchObject({
      code: 2,
      errors: 'error: PORT must be a number from 0 to 65535\n',
    });
    delete process.env.PORT;
    process.env.NUMGATE_URL = before.NUMGATE_URL;
    process.env.NUMGATE_TOKEN = '';
    for (const url of [
      ...['https://control.example.com', 'http://127.0.0.1.example.com', 'http://localhost.example'],
      ...['http://[::1]:2', 'http://127.0.0.2:1', 'https://localhost'],
    ]) {
      process.env.NUMGATE_URL = url;
      expect(await numgate('status')).toMatchObject({
        code: 1,
        errors: `error: NUMGATE_TOKEN is not set: ${url} requires an admin token\n`,
      });
    }
    process.env.NUMGATE_URL = before.NUMGATE_URL;
    process.env.NUMGATE_TOKEN = before.NUMGATE_TOKEN;
  });
});

describe('a wrong release', () => {
  it('fails prove with 1 and is not pushed, even with --unproven', async () => {
    const { folder } = await buildOf('wrong');
    await tamper(folder);
    const { code, out, errors } = await numgate('prove', '--quick', folder.path);
    expect(code).toBe(1);
    expect(out).toMatch(/: [\d,]+ WRONG ANSWERS\n/);
    expect(errors).toBe('error: the release gives wrong answers: do not publish it\n');
    const pushed = await numgate('push', folder.path, '--unproven');
    expect([pushed.code, pushed.out]).toEqual([1, '']);
    expect(pushed.errors).toMatch(/gave \d+ wrong answers when it was proven/);
  });
});

describe('an interrupted build', () => {
  it('leaves no folder with the name of a release', async () => {
    const many = Array.from({ length: 600_000 }, (_, index) => `+8210${20_000_000 + index * 97}`);
    const path = inputsOf('interrupted', many, []);
    const builds = pathOf('interrupted-builds');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      rmSync(builds, { recursive: true, force: true });
      const { child, result } = start(['build', '--offline', path, '--out', builds]);
      // The file of rejects is opened before the first line is read.
      await untilThere(builds, 'rejects.csv', child);
      child.kill(signal);
      expect(await result).toEqual({ code: 130, out: '', errors: '' });
      expect(readdirSync(builds)).toEqual(['rejects.csv']);
    }
  });
});

async function untilThere(
  folder: string,
  name: string,
  child: ReturnType<typeof start>['child'],
): Promise<void> {
  const ended = once(child, 'exit').then(() => true);
  for (;;) {
    try {
      if (readdirSync(folder).includes(name)) return;
    } catch {
      // The command itself makes the folder.
    }
    if (await Promise.race([ended, pause(5, false)])) throw new Error('it ended before it was interrupted');
  }
}
