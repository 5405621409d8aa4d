/** The terminal after an interrupted or failed command: cursor and line wrap are on again. */
import '../support/workspace.ts';

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildOf } from '../support/builds.ts';
import { hasPty, isRestored, startOnTerminal } from '../support/pty.ts';
import { BUILDS, catalogue, write } from '../support/workspace.ts';

const CTRL_C = '\u0003';

/** A catalogue that takes minutes to read, because it names one file many times. */
function longCatalogue(): string {
  const numbers = Array.from({ length: 50_000 }, (_, index) => `010${30_000_000 + index * 7}`);
  const file = write('long.txt', numbers.join('\n'));
  return catalogue('long.json', {
    inputs: Array.from({ length: 9_000 }, () => ({ file, list: 'suspended' })),
  });
}

describe.skipIf(!hasPty)('a terminal', () => {
  it.each([
    ['Ctrl-C', 'build'],
    ['SIGTERM', 'build'],
    ['Ctrl-C', 'prove'],
    ['SIGTERM', 'prove'],
  ])('has its cursor and line wrap back after %s in %s', async (signal, command) => {
    const builds = join(BUILDS, `interrupted-${signal}`);
    const args =
      command === 'build'
        ? ['build', longCatalogue(), '--offline', '--out', builds]
        : ['prove', (await buildOf(`proven-${signal}`)).folder.path];
    const run = await startOnTerminal(command === 'build' ? 'reading' : 'proving', ...args);
    expect(isRestored(run.screen())).toBe(false);
    if (signal === 'SIGTERM') process.kill(run.pid(), 'SIGTERM');
    else run.child.stdin!.write(CTRL_C);
    expect(await run.end, run.screen()).toBe(130);
    expect(isRestored(run.screen())).toBe(true);
    if (command === 'build') expect(readdirSync(builds)).toEqual(['rejects.csv']);
    else expect(existsSync(join(args[1]!, 'proof.json'))).toBe(false);
  });

  it('has its cursor and line wrap back after an error', async () => {
    const inputs = [
      { file: write('good.txt', '010-2000-5036'), list: 'suspended' },
      { file: 'missing.txt', list: 'suspended' },
    ];
    const path = catalogue('missing.json', { inputs });
    const run = await startOnTerminal('reading', 'build', path, '--offline', '--out', join(BUILDS, 'failed'));
    expect(await run.end).toBe(1);
    expect(run.screen()).toContain('does not exist');
    expect(isRestored(run.screen())).toBe(true);
  });
});
