/** The real credential store, called over RPC, with an issuer and holders of the tests. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as v from 'valibot';
import type { Actor } from '../../../shared/admin/actor.ts';
import type { AddCertificate, Issuer } from '../../../shared/admin/credentials.ts';
import { clientSchema } from '../../../shared/clients.ts';
import { PROOF_TYPE, STATUS_LIST_TYPE } from '../../../shared/credentials/claims.ts';
import { type CredentialIndex, openCredentialIndex } from '../../../shared/credentials/credential-index.ts';
import { type CredentialRow, CredentialTable } from '../../../shared/credentials/credential-table.ts';
import { digestOf, type PublicJwk } from '../../../shared/credentials/keys.ts';
import {
  inflate,
  packStatuses,
  type Status,
  statusListClaim,
} from '../../../shared/credentials/status-list.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import { openHead } from '../../../shared/release/head.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { CREDENTIALS_NAME } from '../../../workers/storage/credentials-port.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { certificate, newSigner, type Signer, sign } from '../../shared/support/credential-world.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { asAdmin, coordinator, unwrap } from './coordinator.ts';
import { accepted, facts } from './registrations.ts';
import { ANY } from './room.ts';

type Stub = {
  [Name in keyof CredentialStore]: CredentialStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function credentialsStub(): DurableObjectStub {
  const { CREDENTIALS } = env as unknown as ControlEnv;
  return CREDENTIALS.getByName(CREDENTIALS_NAME) as unknown as DurableObjectStub;
}

export function credentials(): Stub {
  return credentialsStub() as unknown as Stub;
}

/** A request of the association, or of the named organisation. */
export function asToken(name = 'association', key: string | null = null): StoreRequest {
  const actor: Actor = {
    ...{ name: `token:${name}`, organisation: name, authority: null, scopes: ['registrations'], root: false },
  };
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256: 'same' } };
}

export const HOST = 'status.carrier.example';
export const LIST_URI = `https://${HOST}/lists/1`;
export const ISS = 'https://carrier.example';
export const nowS = (): number => Math.floor(Date.now() / 1000);

export function issuerOf(signer: Signer, rest: Partial<Issuer> = {}): Issuer {
  return {
    ...{ id: 'carrier', organisation: 'default', iss: ISS, operators: [], statusHosts: [HOST] },
    keys: { keys: [{ ...(signer.jwk as PublicJwk), kid: 'k1' }] },
    ...{ numbers: ['+8215880000..+8215889999', '+82212340000..+82212349999'], state: 'active' },
    ...rest,
  };
}

/** A list, as the issuer signs it. @param statuses by index */
export async function statusList(
  issuer: Signer,
  statuses: Readonly<Record<number, Status>> = {},
  some: object = {},
  size = 1_000,
): Promise<string> {
  const packed = new Map(Object.entries(statuses).map(([index, status]) => [Number(index), status]));
  const claims = {
    ...{ sub: LIST_URI, iat: nowS(), exp: nowS() + 3_600, ttl: 600 },
    status_list: await statusListClaim(packStatuses(packed, size)),
    ...some,
  };
  return sign(issuer, STATUS_LIST_TYPE, claims, { kid: 'k1' });
}

/** A certificate for 1588-0000 + `index`, and the request that uploads it. */
export async function upload(
  issuer: Signer,
  holder: Signer,
  index: number,
  some: object = {},
  organisation = 'acme',
): Promise<AddCertificate & { readonly digest: string }> {
  const jws = await certificate(issuer, holder, {
    ...{ nums: [`+8215880${String(index).padStart(3, '0')}`], jti: `c-${index}` },
    ...{ iat: nowS() - 60, nbf: nowS() - 60, exp: nowS() + 86_400 },
    status: { status_list: { idx: index, uri: LIST_URI } },
    ...some,
  });
  const digest = await digestOf(jws);
  const proof = await sign(holder, PROOF_TYPE, { aud: organisation, iat: nowS(), crt: digest });
  const key = holder.jwk as PublicJwk;
  return { certificate: jws, key, proof, clients: ['acme-main'], reference: null, digest };
}

export interface CredentialWorld {
  readonly issuer: Signer;
  readonly holder: Signer;
}

/** Sets up the organisation acme with its client, an issuer, and a list without revocations. */
export async function credentialWorld(acme: Partial<Organisation> = {}): Promise<CredentialWorld> {
  unwrap(
    await coordinator().putOrganisation(
      asAdmin(),
      'acme',
      { ...bareOrganisation('acme'), certificateApproval: 'approve', ...acme },
      ANY,
    ),
  );
  for (const id of ['acme-main', 'acme-other']) {
    const client = v.parse(clientSchema, {
      id,
      organisation: 'acme',
      secretSha256: ['0'.repeat(64)],
      rights: ['check'],
    });
    unwrap(await coordinator().putClient(asAdmin(), id, client, ANY));
  }
  const [issuer, holder] = await Promise.all([newSigner(), newSigner()]);
  accepted(await credentials().putIssuer(asToken(), issuerOf(issuer), ANY));
  accepted(
    await credentials().pushStatusList(asToken(), await statusList(issuer, {}, { iat: nowS() - 100 })),
  );
  return { issuer, holder };
}

export async function uploaded({ issuer, holder }: CredentialWorld, index: number, some: object = {}) {
  const body = await upload(issuer, holder, index, some);
  return accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
}

/** What a reader finds in the head. @param given another head than that of the tests' coordinator */
export async function readCredentials(
  keys: ListKeys = testKeys,
  given: Uint8Array<ArrayBuffer> | null = null,
): Promise<{
  readonly index: CredentialIndex;
  readonly rows: readonly CredentialRow[];
  /** The status of a row, as the edge reads it; null if it is unknown. */
  readonly statusOf: (digest: string) => Promise<Status | null>;
}> {
  const sealed = given ?? (await coordinator().head({ seq: 0, dataCentre: 'TST' })).sealed;
  const head = sealed === null ? null : accepted(await openHead(sealed, keys));
  const named = head?.head.credentials;
  if (named === undefined) throw new Error('the head has no credentials');
  const read = async (key: string): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await credentials().value(key);
    if (bytes === null) throw new Error(`no value ${key}`);
    return new Uint8Array(bytes);
  };
  const index = (await openCredentialIndex(await read(named.index.key), keys))!;
  const rows: CredentialRow[] = [];
  for (const { key } of index.shards)
    rows.push(...new CredentialTable((await unseal(await read(key), keys))!).rows());
  const statusOf = async (digest: string): Promise<Status | null> => {
    const row = rows.find((each) => each.digest === digest);
    const list = index.statusLists.find(({ uri }) => uri === row?.statusUri);
    if (row === undefined || list === undefined) return null;
    const inflated = await inflate((await unseal(await read(list.value.key), keys))!, list.bits);
    return inflated!.at(row.statusIndex);
  };
  return { index, rows, statusOf };
}

/** The number of rows in a table of the store. */
export function rowsOf(table: string): Promise<number> {
  return runInDurableObject(
    credentialsStub(),
    (_, { storage }) =>
      storage.sql.exec<{ many: number }>(`SELECT COUNT(*) AS many FROM ${table}`).one().many,
  );
}
