/**
 * Sender credentials at the edge: what they add to checks of clients that use none, the memory of an isolate that has loaded
 * the permitted maximum, and how a client that floods it with garbage tokens affects other clients.
 */
import type { BuiltRelease } from '../../shared/build/release.ts';
import { credentialShardOf } from '../../shared/credentials/credential-index.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import type { Status } from '../../shared/credentials/status-list.ts';
import { ISOLATE_CREDENTIAL_BYTES_MAX } from '../../shared/limits/credentials.ts';
import { PASSPORT_CERTIFICATES_MAX } from '../../shared/limits/passport.ts';
import { compareChecks } from '../lib/compare-checks.ts';
import { garbageOf, type HolderKey, withHolderKey, withPassportKey } from '../lib/holder-tokens.ts';
import type { BenchOptions } from '../lib/options.ts';
import {
  type PublishedCredentials,
  publishCredentials,
  randomDelegations,
  randomPassportRows,
} from '../lib/random-credentials.ts';
import { benchKeys, randomSuffixes, releaseOf } from '../lib/random-lists.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';
import { type SimulatedEdge, startEdge } from '../simulation/edge.ts';
import { floodRows } from './credentials-flood.ts';

const UNUSED_TARGET = 1.05;
const LISTED = 1_000_000;
const LISTED_SMALL = 10_000;
/** Organisations with a qualification, in the client directory. */
const QUALIFIED = 1_000;
/** Number of delegations, and of certificates of PASSporTs. The latter is the maximum. */
const DELEGATIONS = 1_000;
const PASSPORT_ROWS = PASSPORT_CERTIFICATES_MAX;
/** The client that floods the edge, and the client of a gateway. */
const FLOODER = 'flooder';
const GATEWAY = 'gateway';
const GATEWAY_CLIENT: Parameters<typeof startEdge>[0] = { [GATEWAY]: { rights: ['gateway'] } };
const CLIENTS: typeof GATEWAY_CLIENT = { ...GATEWAY_CLIENT, [FLOODER]: { rights: ['check', 'gateway'] } };
const MB = 1e6;

/** @param certificates of the status list `statuses` */
export async function edgeRows(
  certificates: readonly CredentialRow[],
  statuses: ReadonlyMap<number, Status>,
  options: BenchOptions,
): Promise<Row[]> {
  const keys = await benchKeys();
  const holder = await withHolderKey(certificates[validIndex(statuses)]!, 'ES256', 'default');
  const revoked = await withHolderKey(certificates[[...statuses.keys()][0]!]!, 'ES256', 'default');
  const own = new Map([holder, revoked].map(({ row: each }) => [each.digest, each]));
  const rows = certificates.map((each) => own.get(each.digest) ?? each);
  const passportRows = randomPassportRows(PASSPORT_ROWS, options.seed + 4);
  const signer = await withPassportKey(passportRows[0]!);
  const published = await publishCredentials(rows, statuses, keys, {
    delegations: randomDelegations(rows, DELEGATIONS, options.seed + 3),
    passports: [signer.row, ...passportRows.slice(1)],
  });
  const { built } = await releaseOf(
    randomSuffixes(options.small ? LISTED_SMALL : LISTED, options.seed + 2),
    keys,
  );
  const start = async (): Promise<SimulatedEdge> => {
    const edge = await startEdge(CLIENTS, qualified());
    await edge.publish(built, 1, published);
    await checkEdge(edge, holder, revoked);
    return edge;
  };
  const edge = await start();
  try {
    const name = `${withCommas(rows.length)} certificates`;
    const all = `${name}, ${withCommas(DELEGATIONS)} delegations, ${withCommas(PASSPORT_ROWS)} certificates of PASSporTs`;
    return [
      ...(await unusedRows(all, start, built, options)),
      ...(await memoryRows(name, edge, rows, published, holder)),
      ...(await floodRows(edge, FLOODER, { holder, signer }, options)),
    ];
  } finally {
    await edge.worker.stop();
  }
}

function validIndex(statuses: ReadonlyMap<number, Status>): number {
  for (let index = 0; ; index++) if (!statuses.has(index)) return index;
}

/** Qualified organisations. None of them has a client of the benchmark. */
function qualified(): Parameters<typeof startEdge>[1] {
  const since = new Date().toISOString();
  const none = { factor: null, inspectedAt: null, nextInspectionBy: null, validUntil: null };
  return Array.from({ length: QUALIFIED }, (_, index) => ({
    ...{ id: `relay-${index}`, senderCode: String(1_000_000_000 + index) },
    qualification: { state: 'certified' as const, ...none, since, index },
  }));
}

interface Answer {
  readonly verdict: string;
  readonly reasons: readonly { readonly code: string }[];
}

/** Checks that the token of a valid certificate passes, and that of a revoked certificate and garbage do not. */
async function checkEdge(edge: SimulatedEdge, holder: HolderKey, revoked: HolderKey): Promise<void> {
  const answer = async ({ row: { spans } }: HolderKey, senderToken: string): Promise<string> => {
    const { verdict, reasons } = await edge.post<Answer>('/v1/check', {
      from: `+${spans[0]!.from}`,
      senderToken,
    });
    return `${verdict} ${reasons[0]?.code ?? ''}`.trim();
  };
  const token = await holder.token('first');
  const found = [
    await answer(holder, token),
    await answer(revoked, await revoked.token('first')),
    await answer(holder, garbageOf(token, 0)),
  ];
  const expected = ['allow', 'block CERTIFICATE_REVOKED', 'block TOKEN_INVALID'];
  if (found.join() !== expected.join()) throw new Error(`the edge answers ${found}, not ${expected}`);
}

/** Compares checks without a token with those of an edge that has no credentials and no qualifications. */
async function unusedRows(
  name: string,
  own: () => Promise<SimulatedEdge>,
  built: BuiltRelease,
  { small }: BenchOptions,
): Promise<Row[]> {
  const plain = async (): Promise<SimulatedEdge> => {
    const edge = await startEdge(GATEWAY_CLIENT);
    await edge.publish(built, 1);
    return edge;
  };
  const textOf = (index: number) => ({ from: '15889999', to: `010${20_000_000 + index * 7}` });
  const edges = { own, plain, words: 'nothing configured' };
  const options = { small, target: UNUSED_TARGET, gateway: GATEWAY };
  return compareChecks(`${name}, unused`, edges, textOf, options);
}

/** Loads every shard, one after the other. The isolate keeps as many as its limit permits. */
async function memoryRows(
  name: string,
  edge: SimulatedEdge,
  rows: readonly CredentialRow[],
  { bytes, index }: PublishedCredentials,
  holder: HolderKey,
): Promise<Row[]> {
  const inspector = await edge.worker.inspector();
  const megabytes = async (): Promise<number> => {
    const { usedSize, backingStorageSize, embedderHeapUsedSize } = await inspector.heap();
    return (usedSize + backingStorageSize + embedderHeapUsedSize) / MB;
  };
  const before = await megabytes();
  const count = index.shards.length;
  const oneOf = new Map(rows.map(({ digest }) => [credentialShardOf(digest, count), digest]));
  for (const digest of oneOf.values()) {
    // The token is signed with the key of another certificate, so the edge looks up its certificate and refuses it.
    const senderToken = await holder.token(digest, [digest]);
    await edge.post('/v1/check', { from: '15889999', senderToken });
  }
  const after = await megabytes();
  inspector.close();
  const all = `all shards: ${short(bytes.shards / MB)} MB, at most ${short(ISOLATE_CREDENTIAL_BYTES_MAX / MB)} MB stay`;
  // Twice the limit, because a dropped shard takes memory until the garbage collector runs.
  const target = (2 * ISOLATE_CREDENTIAL_BYTES_MAX) / MB;
  return [
    row(`${name}: memory of an isolate that used ${count} shards`, after - before, 'MB', all, null, target),
  ];
}
