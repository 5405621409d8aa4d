/**
 * What the check of registered senders adds to a stream. One comparison is for a client that does not require registration, the
 * other for a client that does.
 */
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import type { BenchOptions } from '../lib/options.ts';
import { PREFIX, randomFrom } from '../lib/random-lists.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import type { SimulatedEdge } from '../simulation/edge.ts';

/** Target, relative to the same stream over a release without registered senders. */
const OFF_TARGET = 1.05;
/** Target, relative to a stream of the same senders from a client that does not require registration. */
const CHECKED_TARGET = 1.5;
/** A text has a sender and a recipient, as bulk senders stream them. For a sender alone, the check is most of the work. */
const STREAMS: readonly Stream[] = [
  {
    item: 'a text',
    path: '/v1/check/stream',
    type: 'application/x-ndjson',
    line: (from, to) => JSON.stringify({ from, to }),
  },
  { item: 'a sender alone', path: '/v1/check/stream?subject=from', type: 'text/plain', line: (from) => from },
];

interface Stream {
  readonly item: string;
  readonly path: string;
  readonly type: string;
  readonly line: (sender: string, recipient: string) => string;
}

const ROUNDS = 30;

/** The edges that check the same senders: one release has registered senders, and the other has none. */
export interface StreamedEdges {
  readonly edge: SimulatedEdge;
  readonly without: SimulatedEdge;
}

/** IDs of a client that requires registration, and of one that does not. */
export interface StreamClients {
  readonly checked: string;
  readonly off: string;
}

export async function streamRows(
  name: string,
  edges: StreamedEdges,
  clients: StreamClients,
  senders: readonly string[],
  options: BenchOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const stream of STREAMS) rows.push(...(await rowsOf(stream, name, edges, clients, senders, options)));
  return rows;
}

async function rowsOf(
  { item, path, type, line }: Stream,
  name: string,
  { edge, without }: StreamedEdges,
  { checked: checkedClient, off: offClient }: StreamClients,
  senders: readonly string[],
  { small, seed }: BenchOptions,
): Promise<Row[]> {
  const random = randomFrom(seed + 4);
  const recipient = (): string => `+${PREFIX * SUFFIX_COUNT + (random() % SUFFIX_COUNT)}`;
  const body = senders.map((sender) => `${line(sender, recipient())}\n`).join('');
  const rounds = small ? 2 : ROUNDS;
  const own: Record<string, number[]> = { checked: [], off: [], without: [] };
  const run = async (each: SimulatedEdge, clients: Readonly<Record<string, string>>): Promise<void> => {
    const bodies = Object.fromEntries(Object.keys(clients).map((id) => [id, body]));
    const timings = await each.timeBodies(path, bodies, 1, { type, clients });
    for (const [id, { status, ms }] of Object.entries(timings)) {
      if (status !== 200) throw new Error(`the stream of ${id} returned ${status}`);
      own[id]!.push(...ms);
    }
  };
  // In turns, so that other load on the machine affects all of them.
  for (let round = 0; round < rounds; round++) {
    await run(edge, { checked: checkedClient, off: offClient });
    await run(without, { without: offClient });
  }
  const nsOf = (ms: readonly number[]): number => (median(ms) / senders.length) * 1e6;
  const { checked, off, without: plain } = own as Record<'checked' | 'off' | 'without', number[]>;
  const of = (label: string): string => `${name}: ${item} in a stream, ${label}`;
  return [
    row(
      of('registration required'),
      nsOf(checked),
      'ns',
      `not required: ${short(nsOf(off))} ns`,
      medianRatio(checked, off),
      CHECKED_TARGET,
    ),
    row(
      of('not required'),
      nsOf(off),
      'ns',
      `no registered senders: ${short(nsOf(plain))} ns`,
      medianRatio(off, plain),
      OFF_TARGET,
    ),
  ];
}
