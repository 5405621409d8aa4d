/**
 * Sender credentials: bytes of 100,000 certificates, memory of an isolate, verifications, what an unused configuration adds to
 * checks, a flood of garbage tokens, and the time from a pushed status list to the refusal.
 */
import { credentialShardOf, openCredentialIndex } from '../../shared/credentials/credential-index.ts';
import { type CredentialRow, CredentialTable } from '../../shared/credentials/credential-table.ts';
import { inflate, type Status } from '../../shared/credentials/status-list.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { unseal } from '../../shared/set/seal.ts';
import type { BenchOptions } from '../lib/options.ts';
import {
  type PublishedCredentials,
  publishCredentials,
  randomCertificates,
  randomRevoked,
} from '../lib/random-credentials.ts';
import { benchKeys } from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { edgeRows } from './credentials-edge.ts';
import { verifyRows } from './credentials-verify.ts';
import { revokedRows } from './credentials-visible.ts';

const CERTIFICATES = 100_000;
const CERTIFICATES_SMALL = 500;
const REVOKED = 0.01;
const KB = 1e3;

export async function credentialsBench(options: BenchOptions): Promise<Row[]> {
  const count = options.small ? CERTIFICATES_SMALL : CERTIFICATES;
  const keys = await benchKeys();
  const certificates = randomCertificates(count, options.seed);
  const statuses = randomRevoked(count, REVOKED, options.seed + 1);
  const published = await publishCredentials(certificates, statuses, keys);
  await checkPublished(published, certificates, statuses, keys);
  return [
    ...sizeRows(published, count, statuses),
    ...(await verifyRows(options)),
    ...(await edgeRows(certificates, statuses, options)),
    ...(await revokedRows(options)),
  ];
}

/** Checks that every certificate is found with its status, and that no other one is found. */
async function checkPublished(
  { head, values }: PublishedCredentials,
  certificates: readonly CredentialRow[],
  statuses: ReadonlyMap<number, Status>,
  keys: ListKeys,
): Promise<void> {
  const open = async (key: string) => (await unseal(values.get(key)!, keys))!;
  const index = (await openCredentialIndex(values.get(head.index.key)!, keys))!;
  const tables = await Promise.all(index.shards.map(async ({ key }) => new CredentialTable(await open(key))));
  const [named] = index.statusLists;
  const list = (await inflate(await open(named!.value.key), named!.bits))!;
  const found = (digest: string) => tables[credentialShardOf(digest, tables.length)]!.find(digest);
  for (const { digest, statusIndex } of certificates) {
    const row = found(digest);
    const expected = statuses.get(statusIndex) ?? 'valid';
    if (row?.statusIndex !== statusIndex || list.at(row.statusIndex) !== expected)
      throw new Error(`certificate ${statusIndex} is not found with its status`);
  }
  for (const { digest } of randomCertificates(1_000, 1))
    if (found(digest) !== null) throw new Error('a certificate is found that nobody issued');
}

function sizeRows(
  { bytes, index }: PublishedCredentials,
  count: number,
  statuses: ReadonlyMap<number, Status>,
): Row[] {
  const name = `${withCommas(count)} certificates, ${withCommas(statuses.size)} revoked`;
  const share = statuses.size / count;
  // Each entry says whether its certificate is revoked, so its entropy is H(share).
  const bound = (count * -(share * Math.log2(share) + (1 - share) * Math.log2(1 - share))) / 8;
  return [
    row(
      `${name}: status list`,
      bytes.statusList,
      'byte',
      `entropy: ${withCommas(Math.ceil(bound))} bytes`,
      bytes.statusList / bound,
    ),
    row(`${name}: index`, bytes.index / KB, 'kB', `${index.shards.length} shards, loaded with the head`),
    row(
      `${name}: shards`,
      bytes.shards / KB,
      'kB',
      `digest, key and number of each: ${((32 + 64 + 16) * count) / KB} kB`,
    ),
    row(`${name}: one shard`, bytes.shards / index.shards.length / KB, 'kB', 'rewritten by a change'),
  ];
}
