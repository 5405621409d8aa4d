/**
 * Counts the entries of the live layer by authority and decides whether there is room for more. The counts
 * have their own table, because counting the entries would read all of them. No authority can fill the live
 * layer alone. Its last entries are reserved for `root`, so `root` can still unblock when others have filled
 * the rest.
 */
import type { Actor } from '../../shared/admin.ts';
import {
  LIVE_ENTRIES_MAX,
  LIVE_ENTRIES_PER_AUTHORITY_MAX,
  LIVE_ROOT_RESERVE,
  RELEASES_BACK,
  UNBLOCK_RESERVE,
} from '../../shared/limits.ts';
import type { LiveOp } from '../../shared/live/entry.ts';
import { type Refusal, refuse } from './change-request.ts';

/** How many entries a change adds or removes, by authority. */
export class Growth {
  readonly byAuthority = new Map<string, number>();

  add(authority: string, entries: number): void {
    this.byAuthority.set(authority, (this.byAuthority.get(authority) ?? 0) + entries);
  }

  get total(): number {
    return [...this.byAuthority.values()].reduce((sum, entries) => sum + entries, 0);
  }
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

  /**
   * Why there is no room for a change, or null. A change that does not grow the live layer is never refused.
   */
  refusal(op: LiveOp, { authority, root }: Actor, growth: Growth): Refusal | null {
    if (growth.total <= 0) return null;
    const reserve = op === 'block' ? UNBLOCK_RESERVE : 0;
    const share = LIVE_ENTRIES_PER_AUTHORITY_MAX - reserve;
    const held = this.#heldBy(authority) + (growth.byAuthority.get(authority) ?? 0);
    if (!root && held > share) return full(`the authority "${authority}" may hold ${share}`, op);
    const most = LIVE_ENTRIES_MAX - reserve - (root && op !== 'block' ? 0 : LIVE_ROOT_RESERVE);
    if (this.entries + growth.total > most) return full(`the live layer has room for ${most}`, op);
    return null;
  }

  /** Counts a change that was made. */
  add({ byAuthority }: Growth): void {
    for (const [authority, entries] of byAuthority) {
      this.#sql.exec(
        `INSERT INTO live_held VALUES (?, ?)
         ON CONFLICT (authority) DO UPDATE SET entries = entries + excluded.entries`,
        ...[authority, entries],
      );
    }
    this.#sql.exec('DELETE FROM live_held WHERE entries = 0');
  }
}

function full(room: string, op: LiveOp): Refusal {
  const reserve = op === 'block' ? `, and ${UNBLOCK_RESERVE} more for unblock and clear` : '';
  const dropped = `the current release and the ${RELEASES_BACK} before it have all folded them in`;
  return refuse(
    'LIVE_FULL',
    `${room} live entries${reserve}: they are dropped once ${dropped}. Build and push`,
  );
}
