/** Allows one service at a time per state folder. Two would lock each other out of its databases. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from '../failure.ts';
import { STATE } from '../paths.ts';
import { privateTree } from '../private-files.ts';
import { isRunning } from '../temporary.ts';

const CLAIM = join(STATE, 'running.json');
/** The coordinator of numgate 0.1.0, under its class name at that time. */
const OLD_COORDINATOR = join(STATE, 'v3', 'do', 'numgate-Authority');

export interface Claim {
  readonly pid: number;
  /** Port of the service. */
  readonly port: number;
  /** How the process proves that it runs the service (identity.ts). It is set once the service runs. */
  readonly proof?: { readonly port: number; readonly key: string };
}

/**
 * Holds the claim until the process ends. @throws CommandFailure if another process holds it, or if an older
 * version made the state
 */
export function claimState(port: number): void {
  if (existsSync(OLD_COORDINATOR)) {
    throw new CommandFailure(
      `${STATE} was created by numgate 0.1.0, which this version cannot read: delete that folder and start again. ` +
        'Its clients, tokens, live entries and audit log are lost.',
    );
  }
  privateTree(STATE);
  while (!taken(port)) {
    const other = claimant();
    if (other !== null && other.pid !== process.pid && isRunning(other.pid)) {
      throw new CommandFailure(
        `this installation is already running on port ${other.port} (process ${other.pid}): stop it first. ` +
          `If that process is not numgate, delete ${CLAIM}.`,
      );
    }
    // The claim was left by a process that was killed.
    rmSync(CLAIM, { force: true });
  }
  process.once('exit', () => {
    if (claimant()?.pid === process.pid) rmSync(CLAIM, { force: true });
  });
}

/** @returns whether the claim was free */
function taken(port: number): boolean {
  try {
    writeFileSync(CLAIM, JSON.stringify({ pid: process.pid, port } satisfies Claim), {
      flag: 'wx',
      mode: 0o600,
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The claim as written, even if its process has ended. Null if there is none. */
export function claimant(): Claim | null {
  try {
    return JSON.parse(readFileSync(CLAIM, 'utf8')) as Claim;
  } catch {
    return null;
  }
}

/** Replaces the claim of this process. */
export function recordClaim(claim: Claim): void {
  writeFileSync(`${CLAIM}.new`, JSON.stringify(claim), { mode: 0o600 });
  renameSync(`${CLAIM}.new`, CLAIM);
}
