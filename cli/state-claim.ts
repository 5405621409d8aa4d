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
  mkdirSync(STATE, { recursive: true });
  while (!taken(port)) {
    const other = claimant();
    if (other !== null && other.pid !== process.pid && isRunning(other.pid)) {
      const who = `on port ${other.port} (process ${other.pid})`;
      throw new CommandFailure(
        `this installation is running already, ${who}: end that first; if that is no numgate, delete ${CLAIM}`,
      );
    }
    // Of one that was killed.
    rmSync(CLAIM, { force: true });
  }
  process.once('exit', () => {
    if (claimant()?.pid === process.pid) rmSync(CLAIM, { force: true });
  });
}

/** @returns whether nobody had it */
function taken(port: number): boolean {
  try {
    writeFileSync(CLAIM, JSON.stringify({ pid: process.pid, port } satisfies Claim), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
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
