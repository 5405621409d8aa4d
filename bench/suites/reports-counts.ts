/**
 * Checks that every acknowledged report is counted exactly once, while reports arrive at a fixed rate and the service is killed
 * repeatedly. The counts are read from the tables of the objects, after the last report is processed.
 *
 * All objects share one process here. In a deployment each has its own, so the rows also show the load of one object.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from '../../cli/local/bundle.ts';
import { newSecrets, workerSecrets } from '../../cli/local/secrets.ts';
import type { SpamReport } from '../../examples/node/client.ts';
import type { PartnerInfo } from '../../shared/admin/rule-blocks.ts';
import { REPORTS_PER_REQUEST_MAX } from '../../shared/limits/intake.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { KillableService } from '../lib/killable-service.ts';
import type { BenchOptions } from '../lib/options.ts';
import { processorSeconds } from '../lib/process-usage.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { addPartner, type BenchPartner, reportedNumber, reportOf } from '../lib/report-partners.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

interface Load {
  readonly perMinute: number;
  readonly minutes: number;
  readonly kills: number;
  /** Reports in each request. */
  readonly batch: number;
}

const FULL: Load = { perMinute: 100_000, minutes: 5, kills: 3, batch: REPORTS_PER_REQUEST_MAX };
const SMALL: Load = { perMinute: 30_000, minutes: 0.05, kills: 1, batch: 100 };
/** Every request with this interval is sent twice, as after a lost response. */
const REPEAT_EVERY = 20;
const PARTNERS = ['subscriber', 'operator', 'model', 'honeypot'] as const;
const SLICES = 2;
/** How many numbers are reported, and how many people report. */
const SUBJECTS = 20_000;
const REPORTERS = 200_000;
const CHECK_EVERY_MS = 200;
/** Requests in flight. A service that cannot keep up gets no more, and the run takes longer. */
const IN_FLIGHT_MAX = 24;
/** Errors after which a report is sent again, and the delay in ms. */
const LATER: readonly string[] = ['UNAVAILABLE', 'QUOTA_EXCEEDED'];
const AGAIN_MS = 1_000;
/** Maximum requests per second that the platform recommends for one object. */
const OBJECT_REQUESTS_MAX = 1_000;
const TARGET_S = 60;

export async function reportsCounts({ small, seed }: BenchOptions): Promise<Row[]> {
  const load = small ? SMALL : FULL;
  const service = await startService();
  try {
    const partners = await Promise.all(
      PARTNERS.map((kind) =>
        addPartner(service.put, service.url(), `bench-${kind}`, {
          ...{ kind, slices: SLICES, reportsPerDay: SLICES * 250_000 },
        }),
      ),
    );
    const sent = await send(partners, load, service.restart, seed);
    const drainedFrom = performance.now();
    await service.untilCounted(partners);
    const drainS = (performance.now() - drainedFrom) / 1_000;
    const processorS = service.processorS();
    await service.stop();
    return rowsOf(load, sent, { drainS, processorS }, service.counts());
  } finally {
    await service.stop();
  }
}

interface Sent {
  /** Number of distinct IDs that were acknowledged. */
  readonly acknowledged: number;
  /** Time of each request in ms, restarts included. */
  readonly timesMs: readonly number[];
  readonly requests: number;
  readonly seconds: number;
}

/** Sends reports at the rate of the load, or slower if the service cannot keep up. */
async function send(
  partners: readonly BenchPartner[],
  { perMinute, minutes, kills, batch }: Load,
  restart: () => Promise<void>,
  seed: number,
): Promise<Sent> {
  const total = Math.round(perMinute * minutes);
  const everyMs = (batch / perMinute) * 60_000;
  const random = randomFrom(seed + 22);
  const acknowledged = new Set<string>();
  const timesMs: number[] = [];
  let requests = 0;
  const sendOne = async ({ reporter }: BenchPartner, reports: readonly SpamReport[]): Promise<void> => {
    const start = performance.now();
    let open = reports;
    while (open.length > 0) {
      const answers = await reporter.reportBatch(open);
      requests++;
      for (const answer of answers)
        if ('status' in answer) acknowledged.add(answer.reportId);
        else if (!LATER.includes(answer.error.code)) throw new Error(answer.error.message);
      open = open.filter(({ reportId }) => !acknowledged.has(reportId));
      if (open.length > 0) await sleep(AGAIN_MS);
    }
    timesMs.push(performance.now() - start);
  };
  const start = performance.now();
  const sending = new Set<Promise<void>>();
  const begin = async (partner: BenchPartner, reports: readonly SpamReport[]): Promise<void> => {
    while (sending.size >= IN_FLIGHT_MAX) await Promise.race(sending);
    const one = sendOne(partner, reports).finally(() => sending.delete(one));
    sending.add(one);
  };
  let killing: Promise<void> = Promise.resolve();
  for (let index = 0, kill = 1; index * batch < total; index++) {
    await sleep(Math.max(0, start + index * everyMs - performance.now()));
    if (kill <= kills && index * batch >= (total * kill) / (kills + 1)) {
      kill++;
      killing = killing.then(restart);
    }
    const reports = Array.from({ length: Math.min(batch, total - index * batch) }, (_, offset) => {
      // The square makes a few numbers much more frequent than the others.
      const subject = Math.floor(SUBJECTS * (random() / 2 ** 32) ** 2);
      return reportOf(index * batch + offset, reportedNumber(subject), random() % REPORTERS);
    });
    const partner = partners[index % partners.length]!;
    await begin(partner, reports);
    if (index % REPEAT_EVERY === 0) await begin(partner, reports);
  }
  await killing;
  await Promise.all(sending);
  return { acknowledged: acknowledged.size, timesMs, requests, seconds: (performance.now() - start) / 1_000 };
}

/** Counts from the tables of the objects. */
interface Counts {
  readonly acknowledged: number;
  readonly kept: number;
  readonly received: number;
  /** Sum of `counted` and `overBudget`. */
  readonly split: number;
  /** Flushes of all intakes. Each flush calls at most one object of the budgets and one of the counts. */
  readonly flushes: number;
  readonly receivedMax: number;
  readonly subjectObjects: number;
}

async function startService() {
  const folder = temporaryFolder('reports');
  const state = join(folder, 'state');
  const bundleFolder = join(folder, 'bundle');
  await bundle('', bundleFolder);
  const secrets = await newSecrets();
  const ofWorker = await workerSecrets(secrets);
  const service = new KillableService(state, bundleFolder);
  await service.start(ofWorker);
  let killedS = 0;
  const headers = { authorization: `Bearer ${secrets.ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const admin = async <Value>(path: string, init: RequestInit = {}): Promise<Value> => {
    const response = await fetch(`${service.url}/v1/admin/${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`);
    return (await response.json()) as Value;
  };
  /** Runs a query in each object of a class, and returns the sums of each object. */
  const rowsOf = <Sums extends Record<string, number>>(className: string, query: string): Sums[] =>
    globSync(join(state, 'v3', 'do', `*${className}`, '*.sqlite'))
      .filter((path) => !path.endsWith('metadata.sqlite'))
      .map((path) => {
        const database = new DatabaseSync(path);
        const found = database.prepare(query).get() as Sums;
        database.close();
        return found;
      });
  return {
    url: () => service.url,
    put: (path: string, body: object) => admin(path, { method: 'PUT', body: JSON.stringify(body) }),
    /** Processor time of the runtime over all its starts, in s. */
    processorS: () => killedS + processorSeconds(service.runtimePids),
    restart: async () => {
      killedS += processorSeconds(service.runtimePids);
      await service.kill();
      await service.start(ofWorker);
    },
    stop: () => service.kill(),
    untilCounted: async (partners: readonly BenchPartner[]): Promise<void> => {
      for (const { id } of partners) {
        for (;;) {
          const { reports } = await admin<PartnerInfo>(`partners/${id}`);
          if (reports?.waiting === 0) break;
          await sleep(CHECK_EVERY_MS);
        }
      }
    },
    counts: (): Counts => {
      const intakes = rowsOf<{ acknowledged: number; kept: number; flushed: number }>(
        'ReportIntake',
        `SELECT acknowledged, (SELECT COUNT(DISTINCT id) FROM reports) AS kept,
           (SELECT json_extract(value, '$.n') FROM meta WHERE key = 'flushed') AS flushed FROM totals`,
      );
      const subjects = rowsOf<{ received: number; split: number }>(
        'SubjectCounts',
        'SELECT received, counted + over_budget AS split FROM totals',
      );
      const sum = <Name extends string>(rows: readonly Record<Name, number>[], name: Name): number =>
        rows.reduce((total, one) => total + one[name], 0);
      return {
        ...{ acknowledged: sum(intakes, 'acknowledged'), kept: sum(intakes, 'kept') },
        ...{ received: sum(subjects, 'received'), split: sum(subjects, 'split') },
        flushes: sum(intakes, 'flushed'),
        receivedMax: Math.max(...subjects.map(({ received }) => received)),
        subjectObjects: subjects.length,
      };
    },
  };
}

interface Times {
  readonly drainS: number;
  readonly processorS: number;
}

function rowsOf(load: Load, sent: Sent, { drainS, processorS }: Times, counts: Counts): Row[] {
  const { perMinute, minutes, kills } = load;
  const total = Math.round(perMinute * minutes);
  const intakes = PARTNERS.length * SLICES;
  const name = `${withCommas(perMinute)} reports a minute, ${withCommas(total)} in all`;
  const wrong = [counts.acknowledged, counts.kept, counts.received, counts.split].reduce(
    (sum, counted) => sum + Math.abs(counted - sent.acknowledged),
    Math.abs(total - sent.acknowledged),
  );
  const one = `the platform recommends at most ${withCommas(OBJECT_REQUESTS_MAX)}; all share one process here`;
  const perSecond = (requests: number): number => requests / sent.seconds;
  return [
    row(
      ...([`${name}: reports lost or counted twice`, wrong, 'reports'] as const),
      ...([`${kills} kills, every ${REPEAT_EVERY}th request sent twice`, null, 0] as const),
    ),
    row(
      `${name}: a request acknowledged, p50`,
      quantile(sent.timesMs, 0.5),
      'ms',
      `${load.batch} reports each`,
    ),
    row(`${name}: a request acknowledged, p99`, quantile(sent.timesMs, 0.99), 'ms', 'restarts included'),
    row(`${name}: sent, kills included`, sent.seconds, 's', `${minutes * 60} s at this rate`),
    row(
      ...([`${name}: processor time of a report`, (processorS / total) * 1_000, 'ms'] as const),
      `two cores have ${((2 * 60) / perMinute) * 1_000} ms at this rate; rules and blocks included`,
    ),
    row(`${name}: last report to last count`, drainS, 's', '', null, TARGET_S),
    row(
      'requests a second to one intake',
      perSecond(sent.requests / intakes),
      '',
      `${intakes} intakes; ${one}`,
    ),
    row(
      ...(['requests a second to one object of the counts, at most', perSecond(counts.flushes), ''] as const),
      `${counts.subjectObjects} objects; ${one}`,
    ),
    row(
      ...([
        'reports a second in the busiest object of the counts',
        perSecond(counts.receivedMax),
        '',
      ] as const),
      `${(perSecond(counts.received) / counts.subjectObjects).toFixed(1)} on average`,
    ),
  ];
}
