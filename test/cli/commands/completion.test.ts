/** `numgate completion`: its scripts in real shells. A completion contacts nothing. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { numgate, spawnNumgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';
import {
  completions,
  completionsInPlainBash,
  isInstalled,
  type Shell,
  sourcedTwice,
} from '../support/shells.ts';
import { FOLDER, write } from '../support/workspace.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const COMPLETE = join(PROJECT, 'cli', 'complete.ts');

/** The completions of the last word, without a shell. `:0` leaves file names to the shell. */
function completed(...words: string[]): string[] {
  const child = spawnSync(process.execPath, [COMPLETE, 'complete', '--', ...words], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  return child.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0]!);
}

describe('a completion', () => {
  it.each([
    [['pu'], ['push', ':4']],
    [
      ['clients', 'ro'],
      ['rotate', ':4'],
    ],
    [
      ['--json', 'pla'],
      ['plan', ':4'],
    ],
    [['--ver'], ['--version', ':4']],
    [
      ['push', '--un'],
      ['--unproven', ':4'],
    ],
    [
      ['push', '--js'],
      ['--json', ':4'],
    ],
    [
      ['block', '--subject', ''],
      ['from', 'to', ':4'],
    ],
    [
      ['block', '010-2000-5036', '--code', 'SENDER_REP'],
      ['SENDER_REPORTED', ':4'],
    ],
    [
      ['push', '--override', 'sh'],
      ['shrunken-list', 'short-prefix', ':4'],
    ],
    [
      ['clients', 'set', 'relay-07', '--international-prefix', 'un'],
      ['unknown', ':4'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', ':4'],
    ],
    [
      ['text', 'pu'],
      ['push', ':4'],
    ],
    [['text', 'build', 'my'], [':0']],
    [['text', 'build', '--model', 'mo'], [':0']],
    [['build', 'my'], [':0']],
    [['prove', ''], [':0']],
    [['policy', 'set', 'pol'], [':0']],
    [['block', '--file', 'num'], [':0']],
    [['rollback', '--reason', ''], [':4']],
    [['xyz'], [':4']],
  ])('of %j has %j', (words, wanted) => {
    const found = completed(...words);
    expect([...found].sort()).toEqual([...wanted].sort());
  });

  it('offers every command, and none of its own', async () => {
    const found = completed('');
    const { out } = await numgate('--help');
    const commands = [...out.matchAll(/^ {2}([a-z][a-z-]*) .*? {2,}\S/gm)].map(([, name]) => name!);
    expect(found.filter((name) => name !== ':4').sort()).toEqual([...new Set(commands)].sort());
    expect(found).not.toContain('complete');
  });

  it('contacts neither the service nor another address', async () => {
    const { url, requests } = await fakeService(() => ({}));
    process.env.NUMGATE_URL = url;
    for (const words of [
      ['status', ''],
      ['entries', '010'],
      ['clients', 'remove', ''],
    ])
      completed(...words);
    expect(requests).toEqual([]);
  });
});

const CASES: readonly [line: string, wanted: string][] = [
  ['numgate pu', 'push'],
  ['numgate push --unp', '--unproven'],
  ['numgate block --code SENDER_REP', 'SENDER_REPORTED'],
  ['numgate build my.l', 'my.lists.json'],
  ['numgate clients remove "a b" --re', '--reason'],
  ['numgate --json completion z', 'zsh'],
  // Tab must not run the typed command.
  ['numgate audit export > kept.ndjson --af', '--after'],
  ['numgate audit export 2>kept.ndjson --af', '--after'],
  ['numgate audit export < kept.ndjson --af', '--after'],
  ['numgate audit verify > kept.nd', 'kept.ndjson'],
  ['numgate block "$(touch ran)" --cod', '--code'],
  ['numgate block "x;touch ran" --cod', '--code'],
];

/** zsh and fish also complete a value after `=`. */
const SIGN_CASES: typeof CASES = [
  ['numgate block --code=SENDER_REP', '--code=SENDER_REPORTED'],
  ['numgate block --code=$(:>ran)=', '--code=$(:>ran)='],
];

describe.each<Shell>(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  const skipped = it.skipIf(!isInstalled(shell));

  skipped('completes commands, options, values and file names, and runs nothing that is typed', async () => {
    const { code, out, errors } = await spawnNumgate('completion', shell);
    expect([code, errors]).toEqual([0, '']);
    write('my.lists.json', '{}');
    const kept = write('kept.ndjson', 'the only copy');
    const script = write(`completion.${shell}`, out);
    for (const [line, wanted] of shell === 'zsh' ? [...CASES, ...SIGN_CASES] : CASES)
      expect([line, completions(shell, script, line)]).toEqual([line, [wanted]]);
    expect(readFileSync(kept, 'utf8')).toBe('the only copy');
    expect(existsSync(join(FOLDER, 'ran'))).toBe(false);
  });

  skipped('prints nothing when it is sourced twice', async () => {
    const { out } = await spawnNumgate('completion', shell);
    expect(sourcedTwice(shell, write(`completion.${shell}`, out))).toBe('');
  });

  skipped('works in a project folder of any name', () => {
    const project = join(FOLDER, `a 'b' "c" $HOME $(touch ran) \`touch ran\` !`);
    rmSync(project, { force: true });
    symlinkSync(PROJECT, project);
    const kept = ['--preserve-symlinks', '--preserve-symlinks-main'];
    const args = [...kept, join(project, 'cli', 'numgate.ts'), 'completion', shell];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([stderr, stdout]).toEqual(['', expect.stringContaining('a ')]);
    expect(completions(shell, write(`completion.${shell}`, stdout), 'numgate pu')).toEqual(['push']);
    expect(existsSync(join(FOLDER, 'ran'))).toBe(false);
  });
});

describe('the script for bash without the package bash-completion', () => {
  it.skipIf(!isInstalled('bash'))('does the same', async () => {
    const { out } = await spawnNumgate('completion', 'bash');
    write('my.lists.json', '{}');
    const kept = write('kept.ndjson', 'the only copy');
    const script = write('completion.bash', out);
    for (const [line, wanted] of CASES)
      expect([line, completionsInPlainBash(script, line)]).toEqual([line, [wanted]]);
    expect(readFileSync(kept, 'utf8')).toBe('the only copy');
    expect(existsSync(join(FOLDER, 'ran'))).toBe(false);
  });
});

describe('completion for another shell', () => {
  it('is refused, and the choices are named', async () => {
    const { code, errors } = await numgate('completion', 'tcsh');
    expect([code, errors]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish.')]);
  });
});
