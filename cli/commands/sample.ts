/**
 * `numgate sample`: a seeded list of suspended and terminated Korean numbers, because operators hold the real
 * lists. The numbers are distinct, from 010-2000-0000 to 010-9999-9999. Some suspensions expire.
 */
import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { print } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { examples, wholeNumber } from './options.ts';

export function addSample(program: Command): void {
  program
    .command('sample')
    .description('write a seeded sample list of suspended and terminated Korean numbers')
    .option('--size <numbers>', 'number of entries, up to 40,000,000', wholeNumber, 1_000_000)
    .option('--seed <number>', 'the same seed gives the same list', wholeNumber, 1)
    .option('--out <file>', 'gzipped CSV to write', 'build/demo/kr-sample.csv.gz')
    .addHelpText('after', examples('sample --size 5000000'))
    .action(async (options: SampleSettings) => {
      await sample(options);
      print(`${count(options.size)} numbers in ${options.out}\n`, options);
    });
}

/** Numbers that exist: 010-2000-0000 to 010-9999-9999. */
const FIRST = 20_000_000;
const UNIVERSE = 80_000_000;
export const SAMPLE_SIZE_MAX = 40_000_000;
export const SEED_MAX = 2 ** 32 - 1;
/** Per thousand entries: how many are suspended (the others are terminated), and how many of those expire. */
const SUSPENDED = 700;
const DATED = 2;
const LINES_PER_WRITE = 10_000;

export interface SampleSettings {
  readonly size: number;
  readonly seed: number;
  readonly out: string;
}

/** Replaces seed 0, because xorshift32 stays at 0 forever. */
const SEED_OF_ZERO = 0x9e3779b9;

/** xorshift32: small, seeded, and random enough for a sample. */
function randomFrom(seed: number): () => number {
  let state = seed || SEED_OF_ZERO;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export async function sample({ size, seed, out }: SampleSettings): Promise<void> {
  if (!Number.isSafeInteger(size) || size < 1 || size > SAMPLE_SIZE_MAX) {
    throw new CommandFailure(`--size must be a whole number from 1 to ${SAMPLE_SIZE_MAX}`, 2);
  }
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > SEED_MAX) {
    throw new CommandFailure(`--seed must be a whole number from 0 to ${SEED_MAX}`, 2);
  }
  mkdirSync(dirname(out), { recursive: true });
  const unfinished = `${out}.unfinished`;
  const progress = startProgress('sampling');
  try {
    const text = Readable.from(linesOf(size, randomFrom(seed), progress.update));
    await pipeline(text, createGzip({ level: 1 }), createWriteStream(unfinished));
    renameSync(unfinished, out);
  } finally {
    progress.stop();
    rmSync(unfinished, { force: true });
  }
}

/** The file's text, many lines at a time. */
function* linesOf(
  size: number,
  random: () => number,
  onProgress: (share: number) => void,
): Generator<string> {
  const taken = new Uint8Array(UNIVERSE / 8);
  let text = 'number,reason,since,until,authority\n';
  for (let created = 0; created < size; ) {
    const index = Math.floor(random() * UNIVERSE);
    if ((taken[index >>> 3]! & (1 << (index & 7))) !== 0) continue;
    taken[index >>> 3]! |= 1 << (index & 7);
    text += lineOf(index, random);
    if (++created % LINES_PER_WRITE === 0 || created === size) {
      onProgress(created / size);
      yield text;
      text = '';
    }
  }
}

function lineOf(index: number, random: () => number): string {
  const digits = String(FIRST + index);
  const dice = Math.floor(random() * 1000);
  const suspended = dice < SUSPENDED;
  const since = `20${20 + (dice % 6)}-${String(1 + (dice % 12)).padStart(2, '0')}-15`;
  const until = dice < DATED ? '2036-01-01' : '';
  return `010${digits},${suspended ? 'NUMBER_SUSPENDED' : 'NUMBER_TERMINATED'},${since},${until},sample\n`;
}
