/**
 * `lists clients`: who may ask. A key is shown once, when it is made; only its digest is stored.
 */
import * as v from 'valibot';
import {
  type Client,
  clientSchema,
  type Directory,
  openDirectory,
  signDirectory,
} from '../../shared/clients.ts';
import { CLIENTS_MAX } from '../../shared/limits.ts';
import { CLIENTS_KEY } from '../../shared/release/kv-keys.ts';
import { CommandFailure } from '../failure.ts';
import { newClientKey, publicKeys, signingKey } from '../secrets.ts';
import { kvGet, kvPut, type Target } from '../wrangler.ts';

async function readDirectory(target: Target): Promise<Map<string, Client>> {
  const text = await kvGet(CLIENTS_KEY, target);
  if (text === null) return new Map();
  const clients = await openDirectory(text, await publicKeys());
  if (clients === null)
    throw new CommandFailure('the client directory in KV is damaged, or signed by another key');
  return clients;
}

async function writeDirectory(clients: ReadonlyMap<string, Client>, target: Target): Promise<void> {
  if (clients.size > CLIENTS_MAX) throw new CommandFailure(`at most ${CLIENTS_MAX} clients`);
  const directory: Directory = { format: 1, clients: [...clients.values()] };
  const signed = await signDirectory(directory, await signingKey());
  await kvPut(CLIENTS_KEY, JSON.stringify(signed), target);
}

export async function listClients(target: Target): Promise<Client[]> {
  return [...(await readDirectory(target)).values()];
}

/** What a client may be given; checked against the directory's own schema. */
export type ClientWishes = Partial<Omit<Client, 'id' | 'secretSha256'>>;

/** Make a client with a new key. @returns the key */
export async function addClient(id: string, wishes: ClientWishes, target: Target): Promise<string> {
  const { key, secretSha256 } = await newClientKey(id);
  const client = checked({ id, secretSha256: [secretSha256], rights: ['check'], ...wishes });
  const clients = await readDirectory(target);
  if (clients.has(id))
    throw new CommandFailure(`there is a client ${id} already: clients rotate gives it another key`);
  await writeDirectory(clients.set(id, client), target);
  return key;
}

/** Store a client under its id. A client that is there already keeps its place, with the new content. */
export async function putClient(given: v.InferInput<typeof clientSchema>, target: Target): Promise<void> {
  const client = checked(given);
  const clients = await readDirectory(target);
  await writeDirectory(clients.set(client.id, client), target);
}

function checked(given: v.InferInput<typeof clientSchema>): Client {
  const parsed = v.safeParse(clientSchema, given);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CommandFailure(`${v.getDotPath(issue) ?? 'client'}: ${issue.message}`, 2);
}

/** Give a client a second key beside its present one; the older of two ends. @returns the new key */
export async function rotateClient(id: string, target: Target): Promise<string> {
  const clients = await readDirectory(target);
  const client = known(clients, id);
  const { key, secretSha256 } = await newClientKey(id);
  const secrets = [...client.secretSha256.slice(-1), secretSha256];
  await writeDirectory(clients.set(id, { ...client, secretSha256: secrets }), target);
  return key;
}

export async function removeClient(id: string, target: Target): Promise<void> {
  const clients = await readDirectory(target);
  known(clients, id);
  clients.delete(id);
  await writeDirectory(clients, target);
}

function known(clients: ReadonlyMap<string, Client>, id: string): Client {
  const client = clients.get(id);
  if (client === undefined)
    throw new CommandFailure(`there is no client ${id}: see npm run lists -- clients list`);
  return client;
}
