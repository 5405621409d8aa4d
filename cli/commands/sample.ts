/**
 * `lists sample`: a seeded list of suspended and terminated Korean numbers, since the real ones are
 * held by operators. Distinct numbers of 010-2000-0000 to 010-9999-9999; some suspensions end.
 */

import { once } from 'node:events';
import { createWriteStream, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { createGzip } from 'node:zlib';
import { CommandFailure } from '../failure.ts';
import { startProgress } from '../progress.ts';

/** Numbers that exist: 010-2000-0000 to 010-9999-9999. */
const FIRST = 20_000_000;
const UNIVERSE = 80_000_000;
export const SAMPLE_SIZE_MAX = 40_000_000;
/** Of a thousand entries: suspended (the others are terminated), and of those, how many with an end. */
const SUSPENDED = 700;
const DATED = 2;
const LINES_PER_WRITE = 10_000;

export interface SampleSettings {
  readonly size: number;
  readonly seed: number;
  readonly out: string;
}

/** xorshift32: small, seeded, good enough to scatter a sample. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export async function sample({ size, seed, out }: SampleSettings): Promise<void> {
  if (!Number.isSafeInteger(size) || size < 1 || size > SAMPLE_SIZE_MAX) {
    throw new CommandFailure(`--size is a whole number from 1 to ${SAMPLE_SIZE_MAX}`, 2);
  }
  const random = randomFrom(seed);
  const taken = new Uint8Array(UNIVERSE / 8);
  mkdirSync(dirname(out), { recursive: true });
  const unfinished = `${out}.unfinished`;
  const file = createWriteStream(unfinished);
  const gzip = createGzip({ level: 1 });
  gzip.pipe(file);
  const progress = startProgress('sampling');
  let text = 'number,reason,since,until,authority\n';
  for (let made = 0; made < size; ) {
    const index = Math.floor(random() * UNIVERSE);
    if ((taken[index >>> 3]! & (1 << (index & 7))) !== 0) continue;
    taken[index >>> 3]! |= 1 << (index & 7);
    text += lineOf(index, random);
    if (++made % LINES_PER_WRITE === 0 || made === size) {
      progress.update(made / size);
      if (!gzip.write(text)) await once(gzip, 'drain');
      text = '';
    }
  }
  gzip.end();
  await once(file, 'close');
  progress.stop();
  renameSync(unfinished, out);
}

function lineOf(index: number, random: () => number): string {
  const digits = String(FIRST + index);
  const dice = Math.floor(random() * 1000);
  const suspended = dice < SUSPENDED;
  const since = `20${20 + (dice % 6)}-${String(1 + (dice % 12)).padStart(2, '0')}-15`;
  const until = dice < DATED ? '2036-01-01' : '';
  return `010${digits},${suspended ? 'NUMBER_SUSPENDED' : 'NUMBER_TERMINATED'},${since},${until},sample\n`;
}
