/**
 * What processes take of the machine (Linux), and the middle of several measurements.
 */
import { readFileSync } from 'node:fs';

/** Of `/proc/<pid>/stat`, in every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Fields `utime` and `stime`, counted from the one after the name (proc_pid_stat(5)). */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Time on processors that these have taken so far, in s: what others run meanwhile is not in it. */
export function processorSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the process stands in brackets, and may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
  }
  return ticks / TICKS_PER_SECOND;
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

/** The middle one; of an even count, the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >>> 1]!;
}

/** The median of the ratios, each of two measurements made one after the other. */
export function medianRatio(ours: readonly number[], peers: readonly number[]): number {
  return median(ours.map((value, round) => value / peers[round]!));
}
