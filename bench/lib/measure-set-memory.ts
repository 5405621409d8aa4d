/**
 * Runs as a separate process, with `--expose-gc`. Reads 32-bit numbers from standard input, puts them into a
 * `Set<number>`, and prints the heap growth in bytes after garbage collection.
 */
import { readFileSync } from 'node:fs';

function heapUsed(): number {
  if (gc === undefined) throw new Error('run this with --expose-gc');
  // Twice: the second collection removes garbage that the first one creates.
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const input = readFileSync(0);
const numbers = new Uint32Array(input.buffer, input.byteOffset, input.length / 4);
const before = heapUsed();
const set = new Set<number>();
for (const number of numbers) set.add(number);
const grown = heapUsed() - before;
if (set.size !== numbers.length) throw new Error(`${set.size} of ${numbers.length} numbers are in the set`);
process.stdout.write(String(grown));
