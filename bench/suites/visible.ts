/**
 * How long a block and an unblock take to become visible to a reader. Control and edge run as two Workers in
 * two processes (`wrangler dev`), connected as in a separate deployment. Numbers are blocked at random times
 * and checked continuously. The measured time runs from before the change is sent to the first response that
 * shows it, which is what an admin experiences.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';
import { startPlanes } from '../simulation/planes.ts';
import { CHECK_EVERY_MS, VisibleReader } from '../simulation/visible-reader.ts';

/** Target at p99, wherever there is traffic. */
const TARGET_MS = 15_000;

type Op = 'block' | 'unblock';

export async function visibleBench({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 100;
  const spreadMs = small ? 2_000 : 60_000;
  const random = randomFrom(seed + 5);
  const planes = await startPlanes();
  const reader = new VisibleReader(planes, { to: '+821099999999' });
  const timesMs: Record<Op, number[]> = { block: [], unblock: [] };
  const changes = Array.from({ length: count }, async (_, index) => {
    const number = `+8210${50_000_000 + index * 1_009}`;
    await sleep(random() % spreadMs);
    const item = { to: number };
    const change = (op: Op) => () => planes.change('POST', 'entries', { op, items: [{ number }] });
    timesMs.block.push(await reader.time(item, 'block', change('block')));
    await sleep(random() % (spreadMs / 4));
    timesMs.unblock.push(await reader.time(item, 'allow', change('unblock')));
  });
  await Promise.all(changes);
  reader.stop();
  planes.stop();
  const baseline = `${count} changes, two processes, checked every ${CHECK_EVERY_MS} ms`;
  return (['block', 'unblock'] as const).flatMap((op) => [
    row(`${op} to visible, p50`, quantile(timesMs[op], 0.5), 'ms', baseline),
    row(`${op} to visible, p99`, quantile(timesMs[op], 0.99), 'ms', baseline, null, TARGET_MS),
    row(`${op} to visible, max`, quantile(timesMs[op], 1), 'ms', baseline),
  ]);
}
