/**
 * `numgate completion`: its scripts in real shells, and that a completion contacts nothing.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { numgate, spawnNumgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';
import { completions, isInstalled, type Shell } from '../support/shells.ts';
import { write } from '../support/workspace.ts';

const COMPLETE = fileURLToPath(new URL('../../../cli/complete.ts', import.meta.url));

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
      ['block', '010-2000-5036', '--code', 'SENDER_R'],
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
    const commands = [...out.matchAll(/^ {2}([a-z]+) .*? {2,}\S/gm)].map(([, name]) => name!);
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
];

describe.each<Shell>(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  it.skipIf(!isInstalled(shell))('completes commands, options, values and file names', async () => {
    const { code, out, errors } = await spawnNumgate('completion', shell);
    expect([code, errors]).toEqual([0, '']);
    write('my.lists.json', '{}');
    const script = write(`completion.${shell}`, out);
    for (const [line, wanted] of CASES)
      expect([line, completions(shell, script, line)]).toEqual([line, [wanted]]);
  });
});

describe('completion for another shell', () => {
  it('is refused, and the choices are named', async () => {
    const { code, errors } = await numgate('completion', 'tcsh');
    expect([code, errors]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish.')]);
  });
});
