/** Processor time and memory of processes (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** Unit of `/proc/<pid>/stat`, the same on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
/** Indices of `utime` and `stime`, counted from the field after the name (proc_pid_stat(5)). */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Processor time of these processes so far, in s. Other processes do not affect it. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The process name is in parentheses and may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  }
  return ticks / TICKS_PER_SECOND;
}

/**
 * Processor time of the living threads of these processes so far, in ns. Exact for waiting threads; the kernel updates the time
 * of a running thread only now and then.
 */
export function threadNs(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
  }
  return ns;
}

/** Resident memory, in MiB. */
export function residentMib(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    kib += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  }
  return kib / 1024;
}

/** Ids of the workerd children of a process, by default of this one (Linux). */
export function runtimes(of: number = process.pid): number[] {
  const ids = readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0);
  return ids.filter((id) => {
    try {
      const parent = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]);
      return parent === of && readFileSync(`/proc/${id}/comm`, 'utf8').startsWith('workerd');
    } catch {
      return false;
    }
  });
}
