/** The real registry, called over RPC, and what a reader finds in the head that it fills. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { fromBase64 } from '../../../shared/bytes.ts';
import type { HeadRegistrations } from '../../../shared/release/head.ts';
import { type RegistrationRow, RegistrationSegment } from '../../../shared/senders/registration-segment.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import {
  type PublishedChange,
  type QueueChange,
  REGISTRY_NAME,
  type RegistryObject,
} from '../../../workers/storage/registry-port.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { coordinator, readHead } from './coordinator.ts';

const { REGISTRY } = env as unknown as ControlEnv;

export function registryStub(): DurableObjectStub {
  return registry() as unknown as DurableObjectStub;
}

export function registry(): RegistryObject {
  return REGISTRY.getByName(REGISTRY_NAME);
}

/** Publishes a batch that must be accepted. @returns the version */
export async function published(
  organisation: string,
  n: number,
  changes: readonly PublishedChange[],
  queue: readonly QueueChange[] = [],
): Promise<number> {
  const done = await registry().publish(organisation, n, changes, queue);
  if (!done.ok) throw new Error(`${done.code}: ${done.message}`);
  return done.value.version;
}

/** A change of one number of a client. */
export function change(client: string, n: number, op: PublishedChange['op'] = 'add'): PublishedChange {
  return { client, from: n, to: n, op };
}

/** Changes of consecutive numbers of one client. */
export function changes(client: string, from: number, count: number, op: PublishedChange['op'] = 'add') {
  return Array.from({ length: count }, (_, index) => change(client, from + index, op));
}

/** The registry's part of the current head. Throws if it is empty. */
export async function headRegistrations(): Promise<HeadRegistrations> {
  const registrations = (await readHead())?.head.registrations;
  if (registrations === undefined) throw new Error('the head has no registrations');
  return registrations;
}

/**
 * All changes that a reader gets from the coordinator: the newest of each client and numbers, as `pair op`.
 * @param of limits the result to this client, because a full registry has too many changes to read often
 */
export async function readChanges(
  keys: readonly (typeof testKeys)[] = [testKeys],
  of: string | null = null,
): Promise<Map<string, string>> {
  const { segments, unsealed } = await headRegistrations();
  const rows: RegistrationRow[] = [...new RegistrationSegment(fromBase64(unsealed)!).rows];
  for (const { key } of segments) {
    const bytes = (await coordinator().value(key))!;
    const opened = await Promise.all(keys.map((each) => unseal(new Uint8Array(bytes), each)));
    rows.push(...new RegistrationSegment(opened.find((each) => each !== null)!).rows);
  }
  const newest = new Map<string, string>();
  const wanted = of === null ? rows : rows.filter(({ client }) => client === of);
  for (const { client, from, to, op } of wanted.sort((a, b) => a.version - b.version)) {
    newest.set(`${client} ${from}-${to}`, op);
  }
  return newest;
}

/** Removes all rows of the registry, as if its storage were lost. */
export async function loseRegistry(): Promise<void> {
  await runInDurableObject(registryStub(), async (_, { storage }) => {
    const tables = [
      'meta',
      'organisations',
      'changes',
      'segments',
      'queue',
      'numbers',
      'pairs_used',
      'refused',
    ];
    for (const table of tables) {
      storage.sql.exec(`DELETE FROM ${table}`);
    }
    await storage.deleteAlarm();
  });
}
