/**
 * For tests of the room in the coordinator: actors, their changes, and a coordinator or a budget that is used
 * up. SQLite reports a fake size; everything else is real.
 */
import { runInDurableObject } from 'cloudflare:test';
import { type Actor, holderOf } from '../../../shared/admin/actor.ts';
import { STORAGE_BYTES_MAX } from '../../../shared/limits/control.ts';
import type { ChangeRequest, ChangeResult } from '../../../workers/coordinator/change-request.ts';
import { ADMIN, ALL_LIVE_GUARDS, asAdmin, coordinator, stub } from './coordinator.ts';

export const NOON = Date.UTC(2040, 0, 1, 12);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const ANY = { match: null, absent: false };
export const ROOT: Actor = { ...ADMIN, name: 'token:root', root: true };
export const TOKEN = {
  id: 'kisa',
  secretSha256: ['0'.repeat(64)],
  role: null,
  scopes: ['entries' as const],
  organisation: 'default',
};

export const by = (actor: Actor): ChangeRequest => ({ ...asAdmin(), actor });

export function change(op: 'block' | 'unblock' | 'clear', number = '+821030000001') {
  return {
    ...{ op, items: [{ number }], code: 'SENDER_REPORTED' as const, until: null, reason: 'test' },
    subjects: ['from' as const, 'to' as const],
    overrides: ALL_LIVE_GUARDS,
  };
}

export function refusalOf(result: ChangeResult<unknown>) {
  if (result.ok) throw new Error('it was not refused');
  return result;
}

/** The generation of the token with this ID. */
export async function generationOf(id: string): Promise<number> {
  const found = await coordinator().token(id);
  return found.ok ? (found.value?.holder.generation ?? 0) : 0;
}

/** Records that a token has used this much of a budget, in a window that began now. */
export async function spend(actor: Actor, budget: 'entries' | 'bytes', used: number): Promise<void> {
  const ends = Date.now() + (budget === 'entries' ? HOUR : DAY);
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec(
      'INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?)',
      holderOf(actor),
      budget,
      used,
      ends,
    );
  });
}

export async function budgets(): Promise<Record<string, SqlStorageValue>[]> {
  return runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT * FROM budgets ORDER BY actor, budget').toArray(),
  );
}

/** Makes SQLite report that this share of its limit is used. */
export async function fill(share: number): Promise<void> {
  await coordinator().status();
  await runInDurableObject(stub(), (_, { storage }) => {
    const get = (): number => Math.ceil(share * STORAGE_BYTES_MAX);
    Object.defineProperty(storage.sql, 'databaseSize', { get, configurable: true });
  });
}

export const block = (actor: Actor, number?: string) =>
  coordinator().changeEntries(by(actor), change('block', number));
export const unblock = (actor: Actor) => coordinator().changeEntries(by(actor), change('unblock'));
