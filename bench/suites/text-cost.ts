/**
 * What a text costs: processor time to read, score and fingerprint texts of 100 characters, in workerd, against
 * `normalize('NFKC')` of the same texts. The loops take turns in one isolate; time to parse the texts is subtracted.
 */
import { startBenchWorker } from '../lib/bench-worker.ts';
import type { BenchOptions } from '../lib/options.ts';
import { runtimes, threadNs } from '../lib/process-usage.ts';
import { englishMessages, koreanComments } from '../lib/real-texts.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import type { TextLoop, TextTurn } from '../lib/worker-results.ts';

/** Of `normalize('NFKC')`. */
const TARGET = 25;
const CHARS = 100;
const TEXTS = 1_000;
const LOOPS = ['parse', 'normalize', 'read', 'score', 'scoreAndFingerprint'] as const;
/** Passes over all texts in a turn: some 10 ms and more, so that the call of the Worker adds nothing that shows. */
const PASSES: Readonly<Record<TextLoop, number>> = {
  ...{ parse: 100, normalize: 40, read: 10, score: 5, scoreAndFingerprint: 5 },
};
const ROUNDS = 21;
const ROUNDS_SMALL = 2;
/** Rounds before the first that counts: the engine compiles the loops. */
const WARM_ROUNDS = 6;

/** Processor time for each text, in ns, one value for each round. */
type Times = Readonly<Record<TextLoop, number[]>>;

export async function textCost({ small }: BenchOptions): Promise<Row[]> {
  const texts = {
    Korean: cut(koreanComments()),
    English: cut(englishMessages().map(({ text }) => text)),
  };
  const rows: Row[] = [];
  for (const [language, each] of Object.entries(texts))
    rows.push(...costRows(language, await timeLoops(each, small ? ROUNDS_SMALL : ROUNDS)));
  return rows;
}

/** Distinct texts of exactly so many characters: the beginnings of longer ones. */
function cut(texts: readonly string[]): string[] {
  const long = texts.filter((text) => text.length >= CHARS).map((text) => text.slice(0, CHARS));
  return [...new Set(long)].filter((text) => text.isWellFormed()).slice(0, TEXTS);
}

async function timeLoops(texts: readonly string[], rounds: number): Promise<Times> {
  const worker = await startBenchWorker('text');
  try {
    const pids = runtimes();
    await worker.call('/texts?name=texts', JSON.stringify(texts));
    const times = Object.fromEntries(LOOPS.map((loop) => [loop, [] as number[]])) as Record<TextLoop, number[]>;
    for (let round = -WARM_ROUNDS; round < rounds; round++) {
      // Neighbours take turns to be first.
      for (const loop of round % 2 === 0 ? LOOPS : LOOPS.toReversed()) {
        const before = threadNs(pids);
        const turn = await worker.call<TextTurn>(`/turn?name=texts&loop=${loop}&passes=${PASSES[loop]}`);
        if (round >= 0) times[loop].push((threadNs(pids) - before) / turn.texts);
      }
    }
    return times;
  } finally {
    await worker.stop();
  }
}

function costRows(language: string, times: Times): Row[] {
  const parse = median(times.parse);
  const us = (loop: TextLoop): number => (median(times[loop]) - parse) / 1_000;
  const normalized = us('normalize');
  const words = `NFKC of the same texts: ${short(normalized)} µs`;
  const name = `${language} text of ${CHARS} characters`;
  return [
    row(
      `${name}: read, scored and fingerprinted`,
      us('scoreAndFingerprint'),
      'µs CPU',
      `${words}; read alone: ${short(us('read'))} µs`,
      us('scoreAndFingerprint') / normalized,
      TARGET,
    ),
  ];
}
