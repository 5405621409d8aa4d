/**
 * Random credentials in the form that the control plane publishes: sealed shards of the credential table, status lists with
 * some revoked credentials, the certificates of PASSporTs, and the index that the head names.
 */
import { sha256Hex, toBase64Url } from '../../shared/bytes.ts';
import {
  type CredentialIndex,
  credentialShardCount,
  credentialShardOf,
  sealCredentialIndex,
} from '../../shared/credentials/credential-index.ts';
import { type CredentialRow, encodeCredentials } from '../../shared/credentials/credential-table.ts';
import { encodePassportTable, type PassportRow } from '../../shared/credentials/passport-table.ts';
import { deflate, packStatuses, type Status } from '../../shared/credentials/status-list.ts';
import type { HeadCredentials, NamedValue } from '../../shared/release/head.ts';
import { credentialsKey } from '../../shared/release/kv-keys.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { seal } from '../../shared/set/seal.ts';
import { randomFrom } from './random-lists.ts';

export const STATUS_URI = 'https://issuer.example/status-lists/1';
/** Organisations that hold the certificates. */
const HOLDERS = 1_000;
/** The first number, in Seoul. Each certificate has one number. */
const FIRST_NUMBER = 82_220_000_000;
const DAY_S = 86_400;
/** The status list of the service's own delegations. */
const OWN_URI = 'https://numgate.example/v1/status-lists/delegations';
/** Ranges in each certificate of PASSporTs. A thousand such certificates fill the table. */
const PASSPORT_RANGES = 20;
const RANGE_NUMBERS = 10_000;

export interface PublishedCredentials {
  readonly head: HeadCredentials;
  /** Values by their KV keys. */
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly index: CredentialIndex;
  /** Sizes of the sealed values, in bytes. */
  readonly bytes: { readonly index: number; readonly shards: number; readonly statusList: number };
}

/** Unsigned certificates. The edge reads the digest and the key of a row, and verifies neither. */
export function randomCertificates(count: number, seed: number): CredentialRow[] {
  const bytes = randomBytes(seed);
  const nowS = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => ({
    ...{ digest: toBase64Url(bytes(32)), kind: 'certificate', organisation: `holder-${index % HOLDERS}` },
    ...{
      nbf: nowS - DAY_S,
      exp: nowS + 365 * DAY_S,
      key: { alg: 'ES256', bytes: bytes(64) },
      principal: null,
    },
    spans: [{ from: FIRST_NUMBER + index, to: FIRST_NUMBER + index }],
    ...{ scope: [], statusUri: STATUS_URI, statusIndex: index },
  }));
}

function randomBytes(seed: number): (length: number) => Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed);
  return (length) => new Uint8Array(Uint32Array.from({ length: length / 4 }, random).buffer);
}

/** Unsigned delegations. Each rests on one of these certificates. */
export function randomDelegations(
  certificates: readonly CredentialRow[],
  count: number,
  seed: number,
): CredentialRow[] {
  const bytes = randomBytes(seed);
  return certificates.slice(0, count).map((principal, index) => ({
    ...principal,
    ...{ digest: toBase64Url(bytes(32)), kind: 'delegation', organisation: `agent-${index % HOLDERS}` },
    ...{ key: { alg: 'ES256', bytes: bytes(64) }, principal: principal.digest, scope: ['sms'] },
    ...{ statusUri: OWN_URI, statusIndex: index + 1 },
  }));
}

/** Certificates of PASSporTs, with the maximum number of ranges. */
export function randomPassportRows(count: number, seed: number): PassportRow[] {
  const bytes = randomBytes(seed);
  const nowS = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => ({
    ...{ x5u: toBase64Url(bytes(32)), key: { alg: 'ES256', bytes: bytes(64) } },
    ...{ notBefore: nowS - DAY_S, notAfter: nowS + 365 * DAY_S },
    spans: Array.from({ length: PASSPORT_RANGES }, (_span, place) => {
      const from = FIRST_NUMBER + (place * count + index) * 2 * RANGE_NUMBERS;
      return { from, to: from + RANGE_NUMBERS - 1 };
    }),
  }));
}

/** Distinct random indices below `count`. */
export function randomRevoked(count: number, share: number, seed: number): Map<number, Status> {
  const random = randomFrom(seed);
  const revoked = new Map<number, Status>();
  while (revoked.size < count * share) revoked.set(random() % count, 'revoked');
  return revoked;
}

/** What is published in addition to the certificates. */
export interface OtherCredentials {
  readonly delegations: readonly CredentialRow[];
  readonly passports: readonly PassportRow[];
}

/** @param statuses of the certificates, by status index */
export async function publishCredentials(
  certificates: readonly CredentialRow[],
  statuses: ReadonlyMap<number, Status>,
  keys: ListKeys,
  { delegations, passports }: OtherCredentials = { delegations: [], passports: [] },
): Promise<PublishedCredentials> {
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = async (sealed: Uint8Array<ArrayBuffer>): Promise<NamedValue> => {
    const sha256 = await sha256Hex(sealed);
    const key = credentialsKey(sha256);
    values.set(key, sealed);
    return { key, sha256 };
  };
  const rows = [...certificates, ...delegations];
  const shardCount = credentialShardCount(rows.length);
  const shardRows: CredentialRow[][] = Array.from({ length: shardCount }, () => []);
  for (const row of rows) shardRows[credentialShardOf(row.digest, shardCount)]!.push(row);
  const shards: NamedValue[] = [];
  for (const each of shardRows) shards.push(await store(await seal(encodeCredentials(each), keys)));
  const iat = Math.floor(Date.now() / 1000);
  const listOf = async (uri: string, entries: ReadonlyMap<number, Status>, size: number) => {
    const list = packStatuses(entries, size);
    const value = await store(await seal(await deflate(list), keys));
    return { uri, iat, exp: iat + DAY_S, size: list.size, bits: list.bits, value };
  };
  const statusLists = [await listOf(STATUS_URI, statuses, certificates.length)];
  if (delegations.length > 0) statusLists.push(await listOf(OWN_URI, new Map(), delegations.length + 1));
  const passport =
    passports.length === 0 ? null : await store(await seal(encodePassportTable(passports), keys));
  const index: CredentialIndex = {
    ...{ kind: 'numgate-credentials', format: 1, version: 1, shards, statusLists, passport },
  };
  const sizeOf = (named: readonly NamedValue[]): number =>
    named.reduce((sum, { key }) => sum + values.get(key)!.length, 0);
  const named = await store(await sealCredentialIndex(index, keys));
  const bytes = {
    ...{ index: sizeOf([named]), shards: sizeOf(shards), statusList: sizeOf([statusLists[0]!.value]) },
  };
  return { head: { version: 1, index: named }, values, index, bytes };
}
