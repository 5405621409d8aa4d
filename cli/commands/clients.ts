/**
 * `numgate clients`: who may send requests. A key is created here and shown once. The service stores only its
 * digest.
 */
import type * as v from 'valibot';
import type { ChangeDone } from '../../shared/admin.ts';
import { type Client, clientSchema } from '../../shared/clients.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem } from '../admin-problem.ts';
import { checked } from '../checked.ts';
import { CommandFailure } from '../failure.ts';
import { newKey } from '../secrets.ts';

export async function listClients(admin: Admin): Promise<Client[]> {
  return (await admin.get<{ clients: Client[] }>('clients')).clients;
}

/** Settings of a client, validated against the directory's own schema. */
export type ClientOptions = Partial<Omit<Client, 'id' | 'secretSha256'>>;

export interface NewClientKey extends ChangeDone {
  readonly id: string;
  readonly key: string;
}

/** Creates a client with a new key. */
export async function addClient(
  admin: Admin,
  id: string,
  settings: ClientOptions,
  reason: string,
): Promise<NewClientKey> {
  const { key, secretSha256 } = await newKey(id);
  const client = clientOf({ id, secretSha256: [secretSha256], rights: ['check'], ...settings });
  const { seq } = await putClient(admin, client, reason, { 'if-none-match': '*' }).catch((error: unknown) => {
    if (!(error instanceof AdminProblem) || error.code !== 'PRECONDITION_FAILED') throw error;
    throw new CommandFailure(`there is a client ${id} already: clients rotate gives it another key`, 4);
  });
  return { id, key, seq };
}

/** Stores a client under its id. */
export function putClient(
  admin: Admin,
  given: v.InferInput<typeof clientSchema>,
  reason: string,
  conditions: Readonly<Record<string, string>> = {},
): Promise<ChangeDone> {
  const client = clientOf(given);
  return admin.change('PUT', pathOf(client.id), { client, reason }, conditions);
}

function pathOf(id: string): string {
  return `clients/${encodeURIComponent(id)}`;
}

function clientOf(given: v.InferInput<typeof clientSchema>): Client {
  return checked(given, { schema: clientSchema, whole: 'the client' });
}

/** Gives a client a second key beside its present one. If it has two, the older one is dropped. */
export async function rotateClient(admin: Admin, id: string, reason: string): Promise<NewClientKey> {
  const { value: client, etag } = await admin.tagged<Client>(pathOf(id));
  const { key, secretSha256 } = await newKey(id);
  const rotated = { ...client, secretSha256: [...client.secretSha256.slice(-1), secretSha256] };
  const { seq } = await putClient(admin, rotated, reason, etag === null ? {} : { 'if-match': etag });
  return { id, key, seq };
}

/** Changes only the given settings of a client. */
export async function setClient(
  admin: Admin,
  id: string,
  settings: ClientOptions,
  reason: string,
): Promise<ChangeDone> {
  if (Object.values(settings).every((value) => value === undefined)) {
    throw new CommandFailure('name a setting to change, as in --mode enforce: see --help', 2);
  }
  const { value: client, etag } = await admin.tagged<Client>(pathOf(id));
  return putClient(admin, { ...client, ...settings }, reason, etag === null ? {} : { 'if-match': etag });
}

export function removeClient(admin: Admin, id: string, reason: string): Promise<ChangeDone> {
  return admin.change('DELETE', pathOf(id), { reason });
}
