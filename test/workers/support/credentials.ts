/**
 * Sender credentials for the tests of the edge: their sealed values in KV, as the credential store writes them, and their part
 * of the head.
 */
import { env } from 'cloudflare:workers';
import { sha256Hex } from '../../../shared/bytes.ts';
import { DELEGATION_TYPE } from '../../../shared/credentials/claims.ts';
import {
  type CredentialIndex,
  credentialShardOf,
  sealCredentialIndex,
} from '../../../shared/credentials/credential-index.ts';
import { type CredentialRow, encodeCredentials } from '../../../shared/credentials/credential-table.ts';
import { digestOf } from '../../../shared/credentials/keys.ts';
import { encodePassportTable, type PassportRow } from '../../../shared/credentials/passport-table.ts';
import { deflate, packStatuses, type Status } from '../../../shared/credentials/status-list.ts';
import type { Head, NamedValue } from '../../../shared/release/head.ts';
import { credentialsKey } from '../../../shared/release/kv-keys.ts';
import { seal } from '../../../shared/set/seal.ts';
import {
  certificate,
  delegation,
  NOW_S,
  newSigner,
  rowOf,
  STATUS_URI,
  sign,
} from '../../shared/support/credential-world.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const issuer = await newSigner();
export const holder = await newSigner();
export const agent = await newSigner('EdDSA');
export const relay = await newSigner();

/** A real certificate. The first link has its digest. */
export const certified = await certificate(issuer, holder);
export const CERTIFICATE = await rowOf(holder, { digest: await digestOf(certified), statusIndex: 1 });
const delegated = await delegation(holder, agent, CERTIFICATE.digest);
const DELEGATION = await rowOf(agent, {
  ...{ digest: await digestOf(delegated), principal: CERTIFICATE.digest },
  ...{ organisation: 'reseller', statusIndex: 2 },
});
const passed = await sign(agent, DELEGATION_TYPE, { iss: 'reseller', sub: 'relay', prn: DELEGATION.digest });
const RELAY = await rowOf(relay, {
  ...{ digest: await digestOf(passed), principal: DELEGATION.digest },
  ...{ organisation: 'relay', statusIndex: 3 },
});
/** Owner, reseller and relay, which all send from NUMBER. */
export const ROWS = [CERTIFICATE, DELEGATION, RELAY];
export const CHAIN = ROWS.map(({ digest }) => digest);
/** The published content. */
export interface CredentialContent {
  readonly rows?: readonly CredentialRow[];
  readonly passports?: readonly PassportRow[];
  /** Statuses of the list STATUS_URI by index; null for no list. */
  readonly statuses?: ReadonlyMap<number, Status> | null;
  /** The end of that list, in seconds since 1970. */
  readonly exp?: number;
  readonly shards?: number;
  readonly version?: number;
}

/** Number of entries in the list. */
export const STATUS_SIZE = 16;

/** Puts the values into KV. @returns the index, and the part of the head */
export async function publishCredentials({
  rows = [],
  passports = [],
  statuses = new Map(),
  exp = NOW_S + 3_600,
  shards: count = 4,
  version = 1,
}: CredentialContent): Promise<{ index: CredentialIndex; head: Pick<Head, 'credentials'> }> {
  const shards: NamedValue[] = [];
  for (let shard = 0; shard < count; shard++) {
    const own = rows.filter(({ digest }) => credentialShardOf(digest, count) === shard);
    shards.push(await put(await seal(encodeCredentials(own), testKeys)));
  }
  const list = statuses === null ? null : packStatuses(statuses, STATUS_SIZE);
  const statusLists =
    list === null
      ? []
      : [
          {
            ...{ uri: STATUS_URI, iat: NOW_S - 5, exp, size: STATUS_SIZE, bits: 2 as const },
            value: await put(await seal(await deflate(list), testKeys)),
          },
        ];
  const passport =
    passports.length === 0 ? null : await put(await seal(encodePassportTable(passports), testKeys));
  const index: CredentialIndex = {
    ...{ kind: 'numgate-credentials', format: 1, version },
    ...{ shards, statusLists, passport },
  };
  return { index, head: await publishIndex(index) };
}

/** Puts another index into KV. @returns the part of the head */
export async function publishIndex(index: CredentialIndex): Promise<Pick<Head, 'credentials'>> {
  const named = await put(await sealCredentialIndex(index, testKeys));
  return { credentials: { version: index.version, index: named } };
}

async function put(bytes: Bytes): Promise<NamedValue> {
  const sha256 = await sha256Hex(bytes);
  await env.LISTS.put(credentialsKey(sha256), bytes);
  return { key: credentialsKey(sha256), sha256 };
}
