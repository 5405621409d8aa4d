/**
 * Time until the edge shows a block after the deciding report, and until it shows that an accepted appeal has lifted the block.
 * Control and edge run in two processes. Three partners report over HTTP; the rule is a standard one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAppeals } from '../../examples/node/client.ts';
import type { AppealPage } from '../../shared/admin/appeals.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { addPartner, type BenchPartner, reportedNumber, reportOf } from '../lib/report-partners.ts';
import { median, medianRatio, quantile } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import { type Planes, startPlanes } from '../simulation/planes.ts';
import { CHECK_EVERY_MS, VisibleReader } from '../simulation/visible-reader.ts';

/** Target at p99, the same as for live changes. */
const TARGET_S = 15;
/** The rule `burst-10m` needs 30 distinct reporters within 10 minutes, at most 10 of them from one partner. */
const DISTINCT = 30;
const PARTNERS = 3;
const TO = '+821099999999';

export async function reportsVisible({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 60;
  const spreadMs = small ? 2_000 : 90_000;
  const random = randomFrom(seed + 21);
  const planes = await startPlanes();
  try {
    const partners = await partnersOf(planes);
    // None of the numbers is protected, registered or on a list, so the rule alone decides.
    const items = Array.from({ length: count }, (_, index) => ({ from: reportedNumber(index), to: TO }));
    await reportAll(partners, items);
    const reader = new VisibleReader(planes, { to: TO });
    const times = { blocked: [] as number[], allowed: [] as number[] };
    const last = partners.at(-1)!.reporter;
    await Promise.all(
      items.map(async (item, index) => {
        await sleep(random() % spreadMs);
        const decide = () => last.report(reportOf(deciding(index), item.from, deciding(index)));
        times.blocked.push((await reader.time(item, 'block', decide)) / 1_000);
      }),
    );
    const { appealed, ...took } = await appealAll(planes, items);
    await Promise.all(
      appealed.map(async ([item, id]) => {
        await sleep(random() % spreadMs);
        const accept = () => planes.change('POST', `appeals/${id}/accept`, {});
        times.allowed.push((await reader.time(item, 'allow', accept)) / 1_000);
      }),
    );
    reader.stop();
    const baseline = (what: string) => `${count} ${what}; two processes, checked every ${CHECK_EVERY_MS} ms`;
    return [
      ...rowsOf('deciding report to block', times.blocked, baseline('numbers')),
      ...rowsOf('accepted appeal to allow', times.allowed, baseline('appeals')),
      row(
        'answer to an appeal with an unknown reference, median',
        median(took.unknownMs),
        'ms',
        `a known one: ${short(median(took.knownMs))} ms, in turns`,
        medianRatio(took.unknownMs, took.knownMs),
      ),
    ];
  } finally {
    planes.stop();
  }
}

function rowsOf(name: string, times: readonly number[], baseline: string): Row[] {
  return [
    row(`${name}, p50`, quantile(times, 0.5), 's', baseline),
    row(`${name}, p99`, quantile(times, 0.99), 's', baseline, null, TARGET_S),
  ];
}

function partnersOf(planes: Planes): Promise<BenchPartner[]> {
  const put = (path: string, body: object) => planes.change('PUT', path, body);
  return Promise.all(
    Array.from({ length: PARTNERS }, (_, index) =>
      addPartner(put, planes.controlUrl, `bench-${index}`, { kind: 'subscriber' }),
    ),
  );
}

/** Index of the last report on a number, which makes the rule fire. */
function deciding(index: number): number {
  return index * DISTINCT + DISTINCT - 1;
}

/** Sends all reports except the deciding ones, so no rule fires yet. */
async function reportAll(
  partners: readonly BenchPartner[],
  items: readonly { from: string }[],
): Promise<void> {
  await Promise.all(
    partners.map(async ({ reporter }, partner) => {
      const own = items.flatMap(({ from }, index) =>
        Array.from({ length: DISTINCT - 1 }, (_, report) => index * DISTINCT + report)
          .filter((report) => report % PARTNERS === partner)
          .map((report) => reportOf(report, from, report)),
      );
      for (const answer of await reporter.reportBatch(own))
        if (!('status' in answer)) throw new Error(`a report was refused: ${answer.error.message}`);
    }),
  );
}

interface Appealed<Item> {
  /** Each item with the ID of its appeal. */
  readonly appealed: [Item, number][];
  /** Time of each appeal in ms: with the reference of a block, and right afterwards with an invented reference. */
  readonly knownMs: number[];
  readonly unknownMs: number[];
}

/** Appeals against every block, as a person who received the verdict would. */
async function appealAll<Item extends { from: string }>(
  planes: Planes,
  items: readonly Item[],
): Promise<Appealed<Item>> {
  const appeals = makeAppeals({ url: planes.controlUrl, deadlineMs: 120_000, retries: 100 });
  const timeOf = async (reference: string): Promise<number> => {
    const began = performance.now();
    await appeals.appeal({ reference, statement: 'It is my own number.' });
    return performance.now() - began;
  };
  const [knownMs, unknownMs]: [number[], number[]] = [[], []];
  for (const [index, { reasons }] of (await planes.results(items)).entries()) {
    const reference = reasons.find(({ rule }) => rule !== undefined)?.appeal;
    if (reference === undefined) throw new Error(`the block of item ${index} has no reference`);
    knownMs.push(await timeOf(reference));
    unknownMs.push(await timeOf([...reference].toReversed().join('')));
  }
  const { appeals: open } = await planes.read<AppealPage>('appeals');
  const appealed = items.map((item): [Item, number] => [
    item,
    open.find(({ number }) => number === item.from)!.id,
  ]);
  return { appealed, knownMs, unknownMs };
}
