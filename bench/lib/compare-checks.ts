/**
 * The processor time of a check at one edge and at another, in turns: by `/v1/check`, in a batch and in a stream. All of
 * the runtime counts, whatever else the machine does.
 */
import type { SimulatedEdge } from '../simulation/edge.ts';
import { threadNs } from './process-usage.ts';
import { median, medianRatio } from './statistics.ts';
import { type Row, row, short } from './table.ts';

const ROUNDS = 15;
/** A single check is filled up with spaces, so that a turn has some hundred of them. */
const CHECK_CHARS = 1_024;
const BATCH_ITEMS = 1_000;
const STREAM_LINES = 20_000;

export interface CheckedText {
  readonly from?: string;
  readonly to?: string;
}

/** @param words what the baseline is @param target of the ratio; null for none */
export async function compareChecks(
  name: string,
  edge: SimulatedEdge,
  baseline: { readonly edge: SimulatedEdge; readonly words: string },
  textOf: (index: number) => CheckedText,
  { small, target }: { readonly small: boolean; readonly target: number | null },
): Promise<Row[]> {
  const items = Array.from({ length: STREAM_LINES }, (_, index) => textOf(index));
  const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('');
  const batch = JSON.stringify({ items: items.slice(0, BATCH_ITEMS) });
  const kinds = [
    ['/v1/check', 'application/json', JSON.stringify(textOf(1)).padEnd(CHECK_CHARS), 1],
    ['/v1/check/batch', 'application/json', batch, BATCH_ITEMS],
    ['/v1/check/stream', 'application/x-ndjson', lines, STREAM_LINES],
  ] as const;
  const rows: Row[] = [];
  for (const [path, type, body, count] of small ? kinds.slice(1, 2) : kinds) {
    const us: Record<'own' | 'plain', number[]> = { own: [], plain: [] };
    const turn = async (each: SimulatedEdge, times: number[]): Promise<void> => {
      const began = threadNs(each.worker.pids);
      const { body: timing } = await each.timeBodies(path, { body }, 1, { type, clients: {} });
      if (timing!.status !== 200) throw new Error(`${path} returned ${timing!.status}`);
      times.push((threadNs(each.worker.pids) - began) / 1_000 / timing!.requests / count);
    };
    // In turns, and each first in half of them, so that caches and clock rates are alike.
    for (let round = 0; round < (small ? 1 : ROUNDS); round++) {
      const turns = [() => turn(edge, us.own), () => turn(baseline.edge, us.plain)];
      for (const run of round % 2 === 0 ? turns : turns.toReversed()) await run();
    }
    const words = `${baseline.words}: ${short(median(us.plain))} µs`;
    const ratio = medianRatio(us.own, us.plain);
    rows.push(row(`${name}: ${path}, each`, median(us.own), 'µs CPU', words, ratio, target));
  }
  return rows;
}
