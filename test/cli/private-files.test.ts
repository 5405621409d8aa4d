/** Files with secrets and numbers are private: the files that commands write, and the files of older versions. */
import './support/workspace.ts';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { privateTree } from '../../cli/private-files.ts';
import { inputsOf, pathOf } from './support/builds.ts';
import { spawnNumgate } from './support/command.ts';
import { FOLDER, write } from './support/workspace.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The folder, and files and folders below it, that group or others may access. */
function sharedIn(folder: string): string[] {
  const names = ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  return names.filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0);
}

it('a build is private', async () => {
  const path = inputsOf('private', ['010-2345-6789', 'x'], ['KR-GOV']);
  const out = pathOf('private-builds');
  const { code } = await spawnNumgate('build', '--offline', path, '--out', out, '--max-rejects', '0.5');
  expect([code, readdirSync(out).length]).toEqual([0, 1]);
  expect(sharedIn(out)).toEqual([]);
});

it('the local state becomes private, without following links', () => {
  const outside = write('outside', '');
  const file = write('state/v3/kv/blobs/x', '');
  symlinkSync(outside, join(FOLDER, 'state', 'link'));
  for (const path of [outside, file]) chmodSync(path, 0o644);
  const { status } = spawnSync(process.execPath, [join(PROJECT, 'cli/local/check-state.ts')]);
  expect([status, statSync(outside).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0, 0o644, 0o600]);
  expect(sharedIn(join(FOLDER, 'state'))).toEqual(['link']);
});

it('a folder that is a link becomes private itself', () => {
  const real = join(FOLDER, 'real');
  mkdirSync(real, { mode: 0o755 });
  symlinkSync(real, join(FOLDER, 'alias'));
  privateTree(join(FOLDER, 'alias'));
  expect(statSync(real).mode & 0o777).toBe(0o700);
});

it('npm records no command line in this project', () => {
  const cache = join(FOLDER, 'npm');
  const env = { ...process.env, npm_config_cache: cache };
  const words = ['numgate', 'block', '010-2000-5036', '--help'];
  const { status, stderr } = spawnSync('npx', words, { cwd: PROJECT, env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(readdirSync(cache).includes('_logs')).toBe(false);
});
