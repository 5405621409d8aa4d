/**
 * Folders that exist as long as their process. A process that is killed cannot remove its own, so the names of the folders
 * identify the process, and the next process of the same user on the same machine removes them.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A tag: machine, PID namespace, process ID, start of the process. Namespace and start are 0 where there is no /proc. The
 * machine is part of it, because machines can share a folder, and the first namespace has the same number on each.
 */
const TAG = /(?<space>[0-9a-f]{8}-\d+)-(?<pid>\d+)-(?<start>\d+)/;
const TEMPORARY = new RegExp(`^numgate-[a-z-]+-${TAG.source}-\\w{6}$`);
const UNFINISHED = new RegExp(`^\\.unfinished-${TAG.source}$`);

export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folder before the process ends. */
  remove(): void;
}

/** A new folder in the system's temporary folder. @param purpose lower case, for its name */
export function temporaryFolder(purpose: string): TemporaryFolder {
  removeAbandoned(tmpdir(), TEMPORARY);
  const path = mkdtempSync(join(tmpdir(), `numgate-${purpose}-${ownTag()}-`));
  const remove = (): void => {
    process.off('exit', remove);
    // A program that has just been stopped may still be writing its last file.
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** An empty folder inside `folder`, to be filled and renamed. */
export function unfinishedFolder(folder: string): string {
  removeAbandoned(folder, UNFINISHED);
  const path = join(folder, `.unfinished-${ownTag()}`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** Removes folders of processes that have ended, if they belong to this user. */
function removeAbandoned(parent: string, names: RegExp): void {
  for (const name of readdirSync(parent)) {
    const { space, pid, start } = names.exec(name)?.groups ?? {};
    if (pid === undefined || space !== ownSpace() || isRunning(Number(pid), start!)) continue;
    const path = join(parent, name);
    try {
      const { uid } = lstatSync(path);
      if (uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process has just removed it.
    }
  }
}

function ownTag(): string {
  return `${ownSpace()}-${process.pid}-${startOf(process.pid)}`;
}

/** Process IDs of another machine or container mean nothing here, although it may share the folder. */
function ownSpace(): string {
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return `${machine}-${ownNamespace()}`;
}

function ownNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** When a process started, in clock ticks since the system started (proc(5), field 22). '0' if unknown. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses, which may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

/**
 * Whether the process with this ID and start still runs. A later process may have the same ID.
 * @param start '0' for any process with the ID
 */
export function isRunning(pid: number, start = '0'): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return start === '0' || now === '0' || now === start;
}
