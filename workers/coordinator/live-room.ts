/**
 * Counts the entries of the live layer by authority and decides whether there is room for more. The counts
 * have their own table, because counting the entries would read all of them. No authority can fill the live
 * layer alone. Its last entries are reserved for `root`, so `root` can still unblock when others have filled
 * the rest. Entries of rules have the authority of the service itself, and separate room.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import {
  LIVE_ENTRIES_MAX,
  LIVE_ENTRIES_PER_AUTHORITY_MAX,
  LIVE_ROOT_RESERVE,
  RELEASES_BACK,
  RULE_ENTRIES_MAX,
  UNBLOCK_RESERVE,
} from '../../shared/limits/control.ts';
import type { LiveOp } from '../../shared/live/entry.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { ok } from '../../shared/result.ts';
import { type ChangeResult, type Refusal, refuse } from './change-request.ts';

/** Who creates entries, and the authority under which they are recorded. */
export type EntryAuthor = Pick<Actor, 'root'> & { readonly authority: string };

/** How many entries a change adds (or removes, if negative), by authority. */
export type Growth = Map<string, number>;

export function grow(growth: Growth, authority: string, entries: number): void {
  growth.set(authority, (growth.get(authority) ?? 0) + entries);
}

export class LiveRoom {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Entries of all authorities. Each number and subject counts as one. */
  get entries(): number {
    const query = 'SELECT COALESCE(SUM(entries), 0) AS entries FROM live_held';
    return this.#sql.exec<{ entries: number }>(query).one().entries;
  }

  #heldBy(authority: string): number {
    const query = 'SELECT entries FROM live_held WHERE authority = ?';
    return this.#sql.exec<{ entries: number }>(query, authority).toArray()[0]?.entries ?? 0;
  }

  /** Whether there is room for a change. A change that does not grow the live layer is never refused. */
  check(op: LiveOp, { authority, root }: EntryAuthor, growth: Growth): ChangeResult<void> {
    const grown = [...growth].filter(([name]) => name !== SYSTEM_AUTHORITY);
    const total = grown.reduce((sum, [, entries]) => sum + entries, 0);
    if (total <= 0) return ok(undefined);
    const reserve = op === 'block' ? UNBLOCK_RESERVE : 0;
    const share = LIVE_ENTRIES_PER_AUTHORITY_MAX - reserve;
    const held = this.#heldBy(authority) + (growth.get(authority) ?? 0);
    if (!root && held > share) return full(`the authority "${authority}" may have at most ${share}`, op);
    const most = LIVE_ENTRIES_MAX - reserve - (root && op !== 'block' ? 0 : LIVE_ROOT_RESERVE);
    if (this.entries - this.#heldBy(SYSTEM_AUTHORITY) + total > most)
      return full(`the live layer may have at most ${most}`, op);
    return ok(undefined);
  }

  /** The number of entries that rules have, and how many more their blocks and their lifts may add. */
  get ofRules(): { readonly entries: number; readonly room: number; readonly roomOfLifts: number } {
    const entries = this.#heldBy(SYSTEM_AUTHORITY);
    const room = RULE_ENTRIES_MAX - entries;
    return { entries, room, roomOfLifts: room + UNBLOCK_RESERVE };
  }

  /** Counts a change that was made. */
  add(growth: Growth): void {
    for (const [authority, entries] of growth) {
      this.#sql.exec(
        `INSERT INTO live_held VALUES (?, ?)
         ON CONFLICT (authority) DO UPDATE SET entries = entries + excluded.entries`,
        ...[authority, entries],
      );
    }
    this.#sql.exec('DELETE FROM live_held WHERE entries = 0');
  }
}

function full(limit: string, op: LiveOp): Refusal {
  const reserve = op === 'block' ? `, and ${UNBLOCK_RESERVE} more for unblock and clear` : '';
  const removed = `once the current release and the ${RELEASES_BACK} before it contain them`;
  return refuse('LIVE_FULL', `${limit} live entries${reserve}; they are removed ${removed}: build and push`);
}
