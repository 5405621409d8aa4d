/**
 * The processor time to read, score and fingerprint texts of 100 characters in workerd, against `normalize('NFKC')` of the same
 * texts. The loops take turns in one isolate; the time to parse the texts is subtracted. Also shows how the time of crafted
 * expensive texts grows with their length.
 */
import { TEXT_CHARS_MAX } from '../../shared/limits/text.ts';
import { type BenchWorker, startBenchWorker } from '../lib/bench-worker.ts';
import { CRAFTED_TEXTS } from '../lib/crafted-texts.ts';
import type { BenchOptions } from '../lib/options.ts';
import { threadNs } from '../lib/process-usage.ts';
import { englishMessages, koreanComments } from '../lib/real-texts.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import type { TextLoop } from '../lib/worker-results.ts';

/** Target, relative to `normalize('NFKC')`. */
const TARGET = 25;
const CHARS = 100;
const TEXTS = 1_000;
const LOOPS = ['normalize', 'read', 'score', 'scoreAndFingerprint'] as const;
/** Passes over all texts in a turn. A turn takes 5 ms or more, so that the noise of calling the Worker matters little. */
const PASSES: Readonly<Record<TextLoop, number>> = {
  ...{ parse: 0, normalize: 40, read: 10, score: 5, scoreAndFingerprint: 5 },
};
const ROUNDS = 21;
const ROUNDS_SMALL = 1;
/** Warm-up rounds, which do not count, because the engine compiles the loops. A small run measures nothing and has none. */
const WARM_ROUNDS = 6;
/** Copies of a crafted text in a turn. */
const CRAFTED = 60;
const CRAFTED_ROUNDS = 9;
/** Like WARM_ROUNDS, but each kind of text takes different paths through the code. */
const CRAFTED_WARM_ROUNDS = 3;
/** Maximum growth of the time if the length doubles. Linear growth is 2; garbage collection and caches add to it. */
const GROWTH_TARGET = 3;

/** Processor time for each text, in ns, one value for each round. */
type Times = Readonly<Record<(typeof LOOPS)[number], number[]>>;

export async function textCost({ small }: BenchOptions): Promise<Row[]> {
  const texts = {
    Korean: cut(koreanComments()),
    English: cut(englishMessages().map(({ text }) => text)),
  };
  const rows: Row[] = [];
  for (const [language, each] of Object.entries(texts))
    rows.push(
      ...costRows(
        language,
        await (small ? timeLoops(each, ROUNDS_SMALL, 0) : timeLoops(each, ROUNDS, WARM_ROUNDS)),
      ),
    );
  return [...rows, ...(await (small ? craftedRows(1, 0) : craftedRows(CRAFTED_ROUNDS, CRAFTED_WARM_ROUNDS)))];
}

/** Distinct texts of exactly CHARS characters: the beginnings of longer texts. */
function cut(texts: readonly string[]): string[] {
  const long = texts.filter((text) => text.length >= CHARS).map((text) => text.slice(0, CHARS));
  return [...new Set(long)].filter((text) => text.isWellFormed()).slice(0, TEXTS);
}

/** Runs one turn of a loop. @returns its processor time in ns */
async function turn(worker: BenchWorker, name: string, loop: TextLoop, passes: number): Promise<number> {
  const before = threadNs(worker.pids);
  await worker.call(`/turn?name=${encodeURIComponent(name)}&loop=${loop}&passes=${passes}`);
  return threadNs(worker.pids) - before;
}

async function timeLoops(texts: readonly string[], rounds: number, warmRounds: number): Promise<Times> {
  const worker = await startBenchWorker('text');
  try {
    await worker.call('/texts?name=texts', JSON.stringify(texts));
    const times: Record<keyof Times, number[]> = {
      normalize: [],
      read: [],
      score: [],
      scoreAndFingerprint: [],
    };
    for (let round = -warmRounds; round < rounds; round++) {
      // The order alternates, so that neighbouring loops take turns to be first.
      for (const loop of round % 2 === 0 ? LOOPS : LOOPS.toReversed()) {
        // The time of the call itself and of parsing the texts.
        const call = await turn(worker, 'texts', 'parse', 0);
        const ns = await turn(worker, 'texts', loop, PASSES[loop]);
        if (round >= 0) times[loop].push((ns - call) / texts.length / PASSES[loop]);
      }
    }
    return times;
  } finally {
    await worker.stop();
  }
}

function costRows(language: string, times: Times): Row[] {
  const us = (loop: keyof Times): number => median(times[loop]) / 1_000;
  const parts = `NFKC of the same texts: ${short(us('normalize'))} µs; read: ${short(us('read'))} µs, and scored: ${short(us('score'))} µs`;
  return [
    row(
      `${language} text of ${CHARS} characters: read, scored and fingerprinted`,
      us('scoreAndFingerprint'),
      'µs CPU',
      parts,
      medianRatio(times.scoreAndFingerprint, times.normalize),
      TARGET,
    ),
  ];
}

/** Crafted texts of the maximum length, against texts of half that length. */
async function craftedRows(rounds: number, warmRounds: number): Promise<Row[]> {
  const worker = await startBenchWorker('text');
  try {
    const found: { readonly name: string; readonly whole: number; readonly half: number }[] = [];
    for (const [name, craft] of Object.entries(CRAFTED_TEXTS)) {
      const times = { whole: [] as number[], half: [] as number[] };
      for (const [part, chars] of [
        ['whole', TEXT_CHARS_MAX],
        ['half', TEXT_CHARS_MAX / 2],
      ] as const)
        await worker.call(
          `/texts?name=${encodeURIComponent(part + name)}`,
          JSON.stringify(Array<string>(CRAFTED).fill(craft(chars))),
        );
      for (let round = -warmRounds; round < rounds; round++) {
        for (const part of ['half', 'whole'] as const) {
          const call = await turn(worker, part + name, 'parse', 0);
          const ns = await turn(worker, part + name, 'scoreAndFingerprint', 1);
          if (round >= 0) times[part].push((ns - call) / CRAFTED / 1_000);
        }
      }
      found.push({ name, whole: median(times.whole), half: median(times.half) });
    }
    const [slowest] = found.toSorted((a, b) => b.whole - a.whole) as [(typeof found)[number]];
    const [steepest] = found.toSorted((a, b) => b.whole / b.half - a.whole / a.half) as [
      (typeof found)[number],
    ];
    const all = `${found.length} kinds of crafted texts of ${TEXT_CHARS_MAX} characters`;
    return [
      row(`the slowest of ${all}`, slowest.whole, 'µs CPU', slowest.name),
      row(
        `the steepest of ${all}`,
        steepest.whole,
        'µs CPU',
        `${steepest.name}, half of the characters: ${short(steepest.half)} µs`,
        steepest.whole / steepest.half,
        GROWTH_TARGET,
      ),
    ];
  } finally {
    await worker.stop();
  }
}
