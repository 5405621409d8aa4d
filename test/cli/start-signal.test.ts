/** `npm start` ends when the process that started it ends. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { HANG_MS } from '../shared/support/hang.ts';
import { FOLDER } from './support/workspace.ts';

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string };
};
/** Takes the place of the service. */
const CHILD = `
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => undefined, 1_000);
  console.log('pid ' + process.pid);
`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the script of npm start', () => {
  it('ends the service when npm gets SIGTERM: a shell between them would end alone', async () => {
    const folder = join(FOLDER, 'started');
    mkdirSync(join(folder, 'cli'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start: scripts.start } }));
    writeFileSync(join(folder, 'cli/start.ts'), CHILD);
    const npm = spawn('npm', ['start'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let pid = 0;
    for await (const line of createInterface({ input: npm.stdout })) {
      pid = Number(/^pid (\d+)$/.exec(line)?.[1] ?? 0);
      if (pid > 0) break;
    }
    expect(isAlive(pid)).toBe(true);
    npm.kill('SIGTERM');
    try {
      await vi.waitFor(() => expect(isAlive(pid)).toBe(false), HANG_MS);
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});
