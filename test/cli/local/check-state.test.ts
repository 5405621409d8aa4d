/** `npm run dev` with an unusable local state. wrangler must not start. */
import '../support/workspace.ts';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FOLDER, write } from '../support/workspace.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const STATE = join(FOLDER, 'state');

it('refuses the state of 0.1.0, which wrangler would open', () => {
  const old = join(STATE, 'v3', 'do', 'numgate-Authority');
  mkdirSync(old, { recursive: true });
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'dev', '--', '--help'], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  rmSync(old, { recursive: true });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`${STATE} was created by numgate 0.1.0, which this version cannot read`);
});

it('refuses a state that another process serves', () => {
  const claim = write('state/running.json', JSON.stringify({ pid: process.pid, port: 18_900 }));
  const { status, stderr } = check();
  rmSync(claim);
  expect([status, stderr]).toEqual([1, expect.stringContaining('is already running on port 18900')]);
});

it('accepts any other state, and leaves no claim on it', () => {
  expect(check()).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(existsSync(join(STATE, 'running.json'))).toBe(false);
});

function check() {
  return spawnSync(process.execPath, [join(PROJECT, 'cli/local/check-state.ts')], { encoding: 'utf8' });
}
