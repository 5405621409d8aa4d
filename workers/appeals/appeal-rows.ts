/** Appeals as rows, with their statements. */
import type { AppealDetails, AppealInfo, AppealSummary } from '../../shared/admin/appeals.ts';
import type { AppealState, Rejection, SubmittedAppeal } from '../../shared/appeals/appeal.ts';
import {
  APPEAL_AGAIN_MS,
  APPEAL_KEPT_MS,
  APPEAL_STATEMENTS_MAX,
  APPEALS_PER_SUBJECT_MAX,
} from '../../shared/limits/appeals.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import type { AppealedBlock } from '../../shared/screening/appeal-reference.ts';
import { foldSenderId } from '../../shared/sources/sender-id.ts';
import type { Code, Subject } from '../../shared/verdict.ts';
import { type AppealFigures, DECIDED_STATES } from '../storage/appeals-port.ts';
import { Totals } from '../storage/totals.ts';

/** Times are in ms since 1970. */
export interface StoredAppeal {
  readonly id: number;
  readonly state: AppealState;
  readonly block: AppealedBlock;
  readonly receivedAt: number;
  readonly appellants: number;
  readonly claimedBy: string | null;
  readonly claimedUntil: number | null;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly rejection: Rejection | null;
  /** The change that lifted the block. */
  readonly seq: number | null;
}

/** The fields of an appeal that change after its receipt. */
export type AppealProgress = Omit<StoredAppeal, 'id' | 'block' | 'receivedAt' | 'appellants'>;

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  state: string;
  subject: string;
  number: number | null;
  source: string | null;
  list: string;
  entry_seq: number | null;
  code: string;
  authority: string;
  received_at: number;
  appellants: number;
  claimed_by: string | null;
  claimed_until: number | null;
  decided_by: string | null;
  decided_at: number | null;
  rejection: string | null;
  seq: number | null;
}

export interface AppealFilter {
  /** True for undecided appeals, false for decided appeals, null for both. */
  readonly isOpen: boolean | null;
  /** Only appeals against blocks of this authority; null for all. */
  readonly authority: string | null;
}

const OPEN = 'open';
const RECEIVED = 'received';
/** The name of the total that counts a decision. */
const decidedAs = (state: string): string => `decided ${state}`;
/** A new appeal is compared with at most this many of the newest appeals of the same number or sender ID. */
const COMPARED_MAX = 20;

export class AppealRows {
  readonly #sql: SqlStorage;
  readonly #totals: Totals;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#totals = new Totals(sql);
  }

  /** Appeals that wait for a decision. */
  get openCount(): number {
    return this.#totals.get(OPEN);
  }

  get(id: number): StoredAppeal | null {
    const [row] = this.#sql.exec<Row>('SELECT * FROM appeals WHERE id = ?', id).toArray();
    return row === undefined ? null : appealOf(row);
  }

  /** In the order of IDs, which is the order of receipt. */
  page({ isOpen, authority }: AppealFilter, after: number, limit: number): StoredAppeal[] {
    const open = isOpen === null ? '' : `AND decided_at IS ${isOpen ? '' : 'NOT '}NULL`;
    const own = authority === null ? '' : 'AND authority = ?';
    return this.#sql
      .exec<Row>(
        `SELECT * FROM appeals WHERE id > ? ${open} ${own} ORDER BY id LIMIT ?`,
        ...[after, ...(authority === null ? [] : [authority]), limit],
      )
      .toArray()
      .map(appealOf);
  }

  /** The newest appeals of a number, or of a sender ID in any spelling. */
  ofParty(party: Pick<AppealedBlock, 'subject' | 'party'>, limit: number): StoredAppeal[] {
    return this.#sql
      .exec<Row>(
        'SELECT * FROM appeals WHERE party_key = ? ORDER BY id DESC LIMIT ?',
        ...[partyKeyOf(party), limit],
      )
      .toArray()
      .map(appealOf);
  }

  statements(id: number): AppealDetails['statements'] {
    return this.#sql
      .exec<{ at: number; statement: string; contact: string | null }>(
        'SELECT at, statement, contact FROM statements WHERE appeal = ? ORDER BY rowid',
        id,
      )
      .toArray()
      .map(({ at, ...written }) => ({ at: new Date(at).toISOString(), ...written }));
  }

  /**
   * Adds an appeal, or joins an earlier one of the same party: see shared/limits/appeals.ts. Must run in a transaction.
   * @returns the ID of the new or joined appeal
   */
  add(block: AppealedBlock, given: SubmittedAppeal, now: number): number {
    const key = partyKeyOf(block);
    const earlier = this.#sql
      .exec<Row>('SELECT * FROM appeals WHERE party_key = ? ORDER BY id DESC LIMIT ?', key, COMPARED_MAX)
      .toArray();
    const isSame = ({ list, entry_seq: seq }: Row): boolean => list === block.list && seq === block.seq;
    const open = earlier.filter(({ decided_at: at }) => at === null);
    const joined =
      open.find(isSame) ??
      (open.length >= APPEALS_PER_SUBJECT_MAX ? open[0] : undefined) ??
      earlier.find(
        (row) => isSame(row) && row.state === 'rejected' && row.decided_at! > now - APPEAL_AGAIN_MS,
      );
    const id = joined?.id ?? this.#insert(block, key, now);
    if (joined !== undefined)
      this.#sql.exec('UPDATE appeals SET appellants = appellants + 1 WHERE id = ?', id);
    // Nobody would read a statement that is added to a decided appeal.
    const isRead = joined === undefined || joined.decided_at === null;
    if (isRead && (joined?.appellants ?? 0) < APPEAL_STATEMENTS_MAX)
      this.#sql.exec(
        'INSERT INTO statements VALUES (?, ?, ?, ?)',
        ...[id, now, given.statement, given.contact ?? null],
      );
    return id;
  }

  #insert({ subject, party, list, seq, code, authority }: AppealedBlock, key: string, now: number): number {
    const [number, source] = typeof party === 'number' ? [party, null] : [null, party];
    this.#totals.add(OPEN, 1);
    this.#totals.add(RECEIVED, 1);
    return this.#sql
      .exec<{ id: number }>(
        `INSERT INTO appeals (state, subject, number, source, party_key, list, entry_seq, code, authority, received_at, appellants)
         VALUES ('received', ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING id`,
        ...[subject, number, source, key, list, seq, code, authority, now],
      )
      .one().id;
  }

  /** Must run in the transaction of the change. */
  put(before: StoredAppeal, changed: Partial<AppealProgress>): StoredAppeal {
    const after = { ...before, ...changed };
    if (before.decidedAt === null && after.decidedAt !== null) {
      this.#totals.add(OPEN, -1);
      this.#totals.add(decidedAs(after.state), 1);
    }
    this.#sql.exec(
      `UPDATE appeals SET state = ?, claimed_by = ?, claimed_until = ?, decided_by = ?, decided_at = ?, rejection = ?, seq = ?
       WHERE id = ?`,
      ...[after.state, after.claimedBy, after.claimedUntil, after.decidedBy, after.decidedAt],
      ...[after.rejection, after.seq, after.id],
    );
    return after;
  }

  /** Removes at most `limit` appeals that were decided at least APPEAL_KEPT_MS ago. */
  forget(now: number, limit: number): void {
    const ids = this.#sql
      .exec<{ id: number }>(
        'SELECT id FROM appeals WHERE decided_at <= ? ORDER BY decided_at LIMIT ?',
        ...[now - APPEAL_KEPT_MS, limit],
      )
      .toArray();
    for (const { id } of ids) {
      this.#sql.exec('DELETE FROM statements WHERE appeal = ?', id);
      this.#sql.exec('DELETE FROM appeals WHERE id = ?', id);
    }
  }

  /** Cheap to read: the oldest open appeal is one step in an index, and the counts are stored. */
  get figures(): AppealFigures {
    const [oldest] = this.page({ isOpen: true, authority: null }, 0, 1);
    const decided = DECIDED_STATES.map((state) => [state, this.#totals.get(decidedAs(state))]);
    return {
      open: this.openCount,
      oldestAt: oldest === undefined ? null : new Date(oldest.receivedAt).toISOString(),
      received: this.#totals.get(RECEIVED),
      decided: Object.fromEntries(decided) as AppealFigures['decided'],
    };
  }

  /** @param since ms since 1970: decisions after it are measured @param authority as in AppealFilter */
  summary(since: number, authority: string | null): AppealSummary {
    const own = authority === null ? '' : 'AND authority = ?';
    const values = authority === null ? [] : [authority];
    const [oldest] = this.page({ isOpen: true, authority }, 0, 1);
    const { open } = this.#sql
      .exec<{ open: number }>(
        `SELECT COUNT(*) AS open FROM appeals WHERE decided_at IS NULL ${own}`,
        ...values,
      )
      .one();
    const decided = { accepted: 0, rejected: 0, noLongerBlocked: 0 };
    const times = this.#sql
      .exec<{ state: keyof typeof decided; ms: number }>(
        `SELECT state, decided_at - received_at AS ms FROM appeals WHERE decided_at > ? ${own} ORDER BY ms`,
        ...[since, ...values],
      )
      .toArray();
    for (const { state } of times) decided[state]++;
    const quantile = (share: number): number | null =>
      times.length === 0 ? null : times[Math.ceil(share * times.length) - 1]!.ms / 1000;
    return {
      open,
      oldestAt: oldest === undefined ? null : new Date(oldest.receivedAt).toISOString(),
      decided,
      medianSeconds: quantile(0.5),
      p90Seconds: quantile(0.9),
    };
  }
}

/** All spellings of one sender ID are one party. */
function partyKeyOf({ subject, party }: Pick<AppealedBlock, 'subject' | 'party'>): string {
  return `${subject} ${typeof party === 'number' ? toE164(party) : foldSenderId(party)}`;
}

function appealOf(row: Row): StoredAppeal {
  const block: AppealedBlock = {
    ...{ subject: row.subject as Subject, party: row.number ?? row.source ?? '' },
    ...{ list: row.list, seq: row.entry_seq, code: row.code as Code, authority: row.authority },
  };
  return {
    ...{ id: row.id, state: row.state as AppealState, block },
    ...{ receivedAt: row.received_at, appellants: row.appellants },
    ...{ claimedBy: row.claimed_by, claimedUntil: row.claimed_until },
    ...{ decidedBy: row.decided_by, decidedAt: row.decided_at },
    ...{ rejection: row.rejection as Rejection | null, seq: row.seq },
  };
}

/** An appeal as admins see it. A claim that has ended is not shown. */
export function infoOf(
  { block, id, state, appellants, decidedBy, rejection, seq, ...appeal }: StoredAppeal,
  now: number,
): AppealInfo {
  const { subject, party, list, code, authority } = block;
  const isClaimed = state === 'inReview' && (appeal.claimedUntil ?? 0) > now;
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    ...{ id, state: state === 'inReview' && !isClaimed ? 'received' : state, subject },
    ...{ number: typeof party === 'number' ? toE164(party) : null },
    ...{ source: typeof party === 'number' ? null : party, list, entrySeq: block.seq, code, authority },
    ...{ receivedAt: new Date(appeal.receivedAt).toISOString(), appellants },
    ...{
      claimedBy: isClaimed ? appeal.claimedBy : null,
      claimedUntil: isClaimed ? time(appeal.claimedUntil) : null,
    },
    ...{ decidedBy, decidedAt: time(appeal.decidedAt), rejection, seq },
  };
}
