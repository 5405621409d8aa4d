/**
 * Texts at the edge, over HTTP, with the largest release: a model of 256 KiB, 55,000 hosts and 10,000 campaigns. Measures a
 * check with a text, a batch of 10,000 different texts and how long concurrent checks wait, the first check of an isolate, and
 * memory. The weights are random, because the time to score does not depend on them.
 */
import { buildTextRelease, encodeHostLists } from '../../shared/build/text-release.ts';
import { CAMPAIGNS_MAX, MODEL_BITS_MAX } from '../../shared/limits/text.ts';
import type { Campaign } from '../../shared/text/campaign-table.ts';
import { deriveFingerprintKey, fingerprintOf } from '../../shared/text/fingerprint.ts';
import { encodeModel } from '../../shared/text/model.ts';
import { readText } from '../../shared/text/text.ts';
import { HttpClient } from '../lib/http-client.ts';
import type { BenchOptions } from '../lib/options.ts';
import { benchKeys, randomFrom, randomSuffixes, releaseOf } from '../lib/random-lists.ts';
import { koreanComments, koreanReviews } from '../lib/real-texts.ts';
import { median, quantile } from '../lib/statistics.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { type SimulatedEdge, startEdge, TEXT_SECRET, type TextContent } from '../simulation/edge.ts';

/** Targets. */
const P50_TARGET_MS = 1;
/** Share of the batch's time. Without pauses, a check would wait for all of it. The body is read at once. */
const WAIT_TARGET = 0.5;
const MEMORY_TARGET_MB = 16;
const CHARS = 100;
const HOSTS = 55_000;
const LISTED = 100_000;
const MB = 1e6;
const TO = '01023456789';

export async function textEdge({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 1_000 : 10_000;
  const { built } = await releaseOf(randomSuffixes(LISTED, seed), await benchKeys());
  const edge = await startEdge();
  try {
    await edge.publish(built, 1, null, [], await content(small ? 500 : CAMPAIGNS_MAX, seed));
    const texts = [...new Set(koreanComments().map((text) => text.slice(0, CHARS)))].slice(0, count);
    const memory = await memoryRow(edge, texts[0]!);
    return [
      ...(await checkRows(edge, texts, small ? 200 : 2_000)),
      ...(await batchRows(edge, texts)),
      ...memory,
    ];
  } finally {
    await edge.worker.stop();
  }
}

async function content(campaigns: number, seed: number): Promise<TextContent> {
  const random = randomFrom(seed);
  const weights = Int8Array.from({ length: 2 ** MODEL_BITS_MAX }, () => Math.floor(random() * 255) - 127);
  const bytes = encodeModel({ bits: MODEL_BITS_MAX, bias: -4, scale: 0.005 }, weights);
  const facts = {
    ...{ name: 'bench', bits: MODEL_BITS_MAX, thresholds: { review: 0.9, suspicious: 0.99 } },
    trained: { spam: 0, legitimate: 0, from: null, to: null },
    ...{ domains: [], spam: { texts: 0, review: 0, suspicious: 0 } },
  };
  const hosts = Array.from({ length: HOSTS }, (_, index) => `site-${index * 7_919}.example`);
  const info = {
    name: 'bench-hosts',
    effect: 'block',
    authority: 'bench',
    asOf: '2026-11-24T00:00:00Z',
  } as const;
  const encoded = encodeHostLists([{ info, hosts }]);
  if (!encoded.ok) throw new Error(encoded.message);
  const parts = { model: { facts, bytes }, hosts: encoded.value, canaryTexts: null };
  const createdAt = new Date('2026-11-24T00:00:00Z');
  const release = await buildTextRelease(parts, await benchKeys(), { base: null, createdAt });
  if (!release.ok) throw new Error(release.message);
  return { ...release.value, campaigns: await campaignsOf(campaigns) };
}

/** Film reviews as campaigns. They are real texts, and no check contains them. */
async function campaignsOf(count: number): Promise<Campaign[]> {
  const key = await deriveFingerprintKey(TEXT_SECRET);
  const until = Math.floor(Date.now() / 1000) + 86_400;
  const campaigns: Campaign[] = [];
  for (const text of koreanReviews()) {
    const fingerprint = fingerprintOf(readText(text), key);
    if (fingerprint !== null)
      campaigns.push({ id: campaigns.length + 1, until, authority: 'bench', fingerprint });
    if (campaigns.length === count) break;
  }
  return campaigns;
}

function clientOf(edge: SimulatedEdge): HttpClient {
  return new HttpClient({ authorization: `Bearer ${edge.keyOf()}`, 'content-type': 'application/json' });
}

async function timed(client: HttpClient, url: string, body: object): Promise<number> {
  const bytes = Buffer.from(JSON.stringify(body));
  const from = performance.now();
  await client.send('POST', url, bytes);
  return performance.now() - from;
}

/** Sends one request after the other, alternately with and without a text. */
async function checkRows(edge: SimulatedEdge, texts: readonly string[], count: number): Promise<Row[]> {
  const client = clientOf(edge);
  const url = `${edge.worker.url}/v1/check`;
  const times = { with: [] as number[], without: [] as number[] };
  for (let index = 0; index < 2 * count; index++) {
    const text = texts[index % texts.length];
    const isWarm = index >= count;
    const without = await timed(client, url, { to: TO });
    const having = await timed(client, url, { to: TO, text });
    if (!isWarm) continue;
    times.without.push(without);
    times.with.push(having);
  }
  client.close();
  const [figure, baseline] = [median(times.with), median(times.without)];
  const words = `without a text: ${short(baseline)} ms`;
  return [row(`check with a text of ${CHARS} characters, p50`, figure, 'ms', words, null, P50_TARGET_MS)];
}

/** Sends a batch of different texts. Meanwhile it sends single checks, each as soon as the previous one is answered. */
async function batchRows(edge: SimulatedEdge, texts: readonly string[]): Promise<Row[]> {
  const items = (having: boolean): object[] => texts.map((text) => (having ? { to: TO, text } : { to: TO }));
  await besideBatch(edge, items(true));
  const without = await besideBatch(edge, items(false));
  const found = await besideBatch(edge, items(true));
  const name = `batch of ${withCommas(texts.length)} different texts`;
  return [
    row(name, found.ms, 'ms', `without texts: ${short(without.ms)} ms`),
    row(
      `${name}: longest wait of a check beside it`,
      found.longestMs,
      'ms',
      `the batch: ${short(found.ms)} ms; of ${found.checks} checks; without texts: ${short(without.longestMs)} ms`,
      found.longestMs / found.ms,
      WAIT_TARGET,
    ),
  ];
}

async function besideBatch(edge: SimulatedEdge, items: readonly object[]) {
  const [client, other] = [clientOf(edge), clientOf(edge)];
  let isDone = false;
  const batch = timed(client, `${edge.worker.url}/v1/check/batch`, { items }).finally(() => {
    isDone = true;
  });
  const waits: number[] = [];
  while (!isDone) waits.push(await timed(other, `${edge.worker.url}/v1/check`, { to: TO }));
  const ms = await batch;
  client.close();
  other.close();
  return { ms, longestMs: quantile(waits, 1), checks: waits.length };
}

async function memoryRow(edge: SimulatedEdge, text: string): Promise<Row[]> {
  const client = clientOf(edge);
  const url = `${edge.worker.url}/v1/check`;
  const inspector = await edge.worker.inspector();
  const megabytes = async (): Promise<number> => {
    const { usedSize, backingStorageSize, embedderHeapUsedSize } = await inspector.heap();
    return (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;
  };
  await edge.worker.call('/cold');
  await timed(client, url, { to: TO });
  const before = await megabytes();
  const first = await timed(client, url, { to: TO, text });
  const after = await megabytes();
  inspector.close();
  client.close();
  const words = `without a text: ${short(before)} MB`;
  return [
    row('text release in an isolate: memory', after - before, 'MB', words, null, MEMORY_TARGET_MB),
    row('first check of an isolate with a text', first, 'ms', 'loads everything from local KV'),
  ];
}
