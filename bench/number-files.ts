/** Files of plain numbers for the benchmarks: distinct, random, over a given number of prefixes. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { SUFFIX_COUNT } from '../shared/numbers/number.ts';
import { hasTail, randomFrom } from './sets.ts';

/** `drawn`: in random order. `ascending`: the easiest order for sort. */
export type Order = 'ascending' | 'drawn';

/** Characters per write. */
const PIECE = 1 << 20;
/** Prefixes: 010, and +86 with three digits that do not begin with 0. */
const HEADS_MAX = 901;

/** How numbers of a prefix begin, in their usual notation. */
function beginningOf(head: number): string {
  return head === 0 ? '010' : `+${86_100 + head - 1}`;
}

/** Distinct numbers, spread randomly over the prefixes. @param heads number of prefixes; 1 is 010 alone */
export async function writeRandomNumbers(
  path: string,
  { count, heads, seed, order }: { count: number; heads: number; seed: number; order: Order },
): Promise<void> {
  if (heads > HEADS_MAX) throw new Error(`numbers can be written over at most ${HEADS_MAX} heads`);
  const random = randomFrom(seed);
  const sets = Array.from({ length: heads }, () => new Uint8Array(SUFFIX_COUNT / 8));
  const file = numberFile(path);
  for (let made = 0; made < count; ) {
    const head = heads === 1 ? 0 : random() % heads;
    const tail = random() % SUFFIX_COUNT;
    const set = sets[head]!;
    if (hasTail(set, tail)) continue;
    set[tail >>> 3]! |= 1 << (tail & 7);
    made++;
    if (order === 'drawn' && file.add(beginningOf(head), tail)) await file.drained();
  }
  if (order === 'ascending')
    for (const [head, set] of sets.entries()) await addAll(file, beginningOf(head), set);
  await file.close();
}

/** Writes these suffixes of 010, ascending. */
export async function writeTails(path: string, set: Uint8Array): Promise<void> {
  const file = numberFile(path);
  await addAll(file, beginningOf(0), set);
  await file.close();
}

async function addAll(file: NumberFile, beginning: string, set: Uint8Array): Promise<void> {
  for (let tail = 0; tail < SUFFIX_COUNT; tail++)
    if (hasTail(set, tail) && file.add(beginning, tail)) await file.drained();
}

interface NumberFile {
  /** @returns whether to wait for `drained` before the next one */
  add(beginning: string, tail: number): boolean;
  drained(): Promise<unknown>;
  close(): Promise<void>;
}

function numberFile(path: string): NumberFile {
  const file = createWriteStream(path);
  let text = '';
  return {
    add: (beginning, tail) => {
      text += `${beginning}${String(tail).padStart(8, '0')}\n`;
      if (text.length < PIECE) return false;
      const isFull = !file.write(text);
      text = '';
      return isFull;
    },
    drained: () => once(file, 'drain'),
    close: async () => {
      file.end(text);
      await once(file, 'close');
    },
  };
}
