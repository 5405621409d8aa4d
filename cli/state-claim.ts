/**
 * One service at a time over one state: two would lock each other out of its databases.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from './failure.ts';
import { STATE } from './paths.ts';

const CLAIM = join(STATE, 'running.json');

interface Claim {
  readonly pid: number;
  readonly port: number;
}

/** Until the process ends. @throws CommandFailure where another one has it */
export function claimState(port: number): void {
  const other = claimant();
  if (other !== null && other.pid !== process.pid && isRunning(other.pid)) {
    const who = `on port ${other.port} (process ${other.pid})`;
    throw new CommandFailure(
      `this installation is running already, ${who}: end that first; if that is no numgate, delete ${CLAIM}`,
    );
  }
  mkdirSync(STATE, { recursive: true });
  writeFileSync(CLAIM, JSON.stringify({ pid: process.pid, port } satisfies Claim));
  process.once('exit', () => rmSync(CLAIM, { force: true }));
}

function claimant(): Claim | null {
  try {
    return JSON.parse(readFileSync(CLAIM, 'utf8')) as Claim;
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
