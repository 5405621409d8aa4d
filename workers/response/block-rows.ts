/** Rule blocks as rows: the keyed and sealed subject, the stage, the grounds, and the entry that the live layer must have. */
import type { CounterEvidence, RuleBlockCause, RuleBlockDone } from '../../shared/admin/rule-blocks.ts';
import type { PartnerKind } from '../../shared/reports/partner.ts';
import type { Rule } from '../../shared/reports/rule.ts';
import { type BlockStage, type BlockState, IN_FORCE } from '../../shared/reports/stages.ts';
import type { Channel } from '../../shared/request.ts';
import type { CampaignChange } from '../storage/campaign-port.ts';
import type { RuleEntryChange } from '../storage/rule-entries-port.ts';
import { Totals } from '../storage/totals.ts';

/** A rule that decided, as it was at that time, and the reports that it counted. */
export interface Ground {
  readonly rule: Rule;
  readonly channel: Channel;
  readonly distinct: number;
  readonly kinds: readonly PartnerKind[];
  /** Reporters that count, by partner. */
  readonly byPartner: Readonly<Record<string, number>>;
  /** ms since 1970. */
  readonly firedAt: number;
  /** Whether an independent kind of partner confirms the decision. */
  readonly isConfirmed: boolean;
}

/** The entry that the live layer, or the text store, must have. A lift has the fields of the lifted block. */
export type WantedEntry = Omit<RuleEntryChange, 'id' | 'subject'> &
  Partial<Pick<CampaignChange, 'reporters'>>;

/** Times are in ms since 1970. */
export interface StoredBlock {
  readonly id: number;
  /** Keyed. */
  readonly subject: string;
  readonly seal: string;
  /** The keyed range of the number; null for a sender ID or a campaign. */
  readonly hundred: string | null;
  /** ID of the blocked campaign of texts; null for a number or sender ID. */
  readonly campaign: number | null;
  readonly isMock: boolean;
  /** Whether the block only records what a rule in shadow would have blocked. */
  readonly isShadow: boolean;
  readonly stage: BlockStage;
  readonly cause: RuleBlockCause | null;
  /** Name of the person who confirmed the block. */
  readonly confirmedBy: string | null;
  /** Actions of people on the block, oldest first. */
  readonly actions: readonly RuleBlockDone[];
  /** End of the provisional stage. It is kept in later stages. */
  readonly provisionalUntil: number;
  /** Never empty. The first ground names the block. */
  readonly grounds: readonly Ground[];
  readonly evidence: CounterEvidence | null;
  /** ID of the proposal of which this block is a member; null if it is not a member. */
  readonly leader: number | null;
  readonly entry: WantedEntry | null;
  /** Number of `entry`, which rises with each change, and the last number that the live layer took or refused. */
  readonly entryN: number;
  readonly sentN: number;
  /** The `seq` of the head from which on the last applied entry is visible. */
  readonly seq: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  subject: string;
  seal: string;
  hundred: string | null;
  mock: number;
  shadow: number;
  state: string;
  cause: string | null;
  until: number | null;
  by_person: string | null;
  provisional_until: number;
  grounds: string;
  evidence: string | null;
  leader: number | null;
  entry: string | null;
  entry_n: number;
  sent_n: number;
  seq: number | null;
  created_at: number;
  updated_at: number;
  actions: string;
  campaign: number | null;
}

export interface BlockFilter {
  /** `open`: blocks that wait for a person, or are in force. */
  readonly state?: BlockState | 'open' | undefined;
  readonly cause?: RuleBlockCause | undefined;
  /** ID of a rule. */
  readonly rule?: string | undefined;
  readonly order?: 'oldest' | 'newest' | undefined;
}

/** States of a block that has not ended. */
const OPEN_STATES: readonly BlockState[] = ['proposed', 'shadow', ...IN_FORCE];

export function isOpen({ state }: BlockStage): boolean {
  return OPEN_STATES.includes(state);
}

export class BlockRows {
  readonly #sql: SqlStorage;
  readonly #totals: Totals;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#totals = new Totals(sql);
  }

  get(id: number): StoredBlock | null {
    return this.#select('id = ?', id)[0] ?? null;
  }

  /** The block of a subject that has not ended. */
  open(subject: string, isShadow: boolean): StoredBlock | null {
    const where = 'subject = ? AND shadow = ? AND closed_at IS NULL';
    return this.#select(where, subject, isShadow ? 1 : 0)[0] ?? null;
  }

  /**
   * When the last block of a subject ended so that its reports no longer count, ms since 1970; 0 if none did. Blocks of
   * shadow rules, and blocks whose reports were withdrawn, are left out.
   */
  endedAt(subject: string): number {
    return (
      this.#sql
        .exec<{ at: number | null }>(
          `SELECT MAX(closed_at) AS at FROM blocks WHERE subject = ? AND shadow = 0 AND cause IS NOT 'withdrawn'`,
          subject,
        )
        .one().at ?? 0
    );
  }

  /** Blocks of a subject, newest first. */
  ofSubject(subject: string, limit: number): StoredBlock[] {
    return this.#select('subject = ? ORDER BY id DESC LIMIT ?', subject, limit);
  }

  /** Blocks of a subject that have been in force, and began at the given time or later. */
  past(subject: string, since: number): StoredBlock[] {
    return this.#select('subject = ? AND created_at >= ? AND seq IS NOT NULL ORDER BY id', subject, since);
  }

  /** Blocks and proposals of a range that have not ended, in order. */
  ofRange(hundred: string): StoredBlock[] {
    return this.#select('hundred = ? AND closed_at IS NULL AND shadow = 0 ORDER BY id', hundred);
  }

  /** A proposal for a range stands for its members, which are left out. @param after an ID; 0 for the first page */
  page({ state, cause, rule, order }: BlockFilter, after: number, limit: number): StoredBlock[] {
    const isNewest = order === 'newest';
    const given = (
      [
        ['state', state === 'open' ? undefined : state],
        ['cause', cause],
        ['rule', rule],
      ] as const
    ).flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]));
    const where = [
      ...[isNewest ? 'id < ?' : 'id > ?', 'leader IS NULL', ...given.map(({ column }) => `${column} = ?`)],
      ...(state === 'open' ? ["state IN ('proposed', 'provisional', 'confirmed')"] : []),
    ].join(' AND ');
    const from = isNewest && after === 0 ? Number.MAX_SAFE_INTEGER : after;
    const values = given.map(({ value }) => value);
    return this.#select(`${where} ORDER BY id${isNewest ? ' DESC' : ''} LIMIT ?`, from, ...values, limit);
  }

  /** Blocks whose stage has ended, the earliest end first. */
  due(now: number, limit: number): StoredBlock[] {
    return this.#select('until <= ? ORDER BY until LIMIT ?', now, limit);
  }

  get nextDueAt(): number | null {
    return this.#sql
      .exec<{ at: number | null }>('SELECT MIN(until) AS at FROM blocks WHERE until IS NOT NULL')
      .one().at;
  }

  /**
   * Blocks whose entry the keeper does not have yet: ended blocks first, then the oldest change first; each subject once.
   * A block of a subject begins only after the previous one has ended, so changes of one subject stay in order.
   * @param ofCampaigns true for campaigns only; false for all other subjects
   */
  unsent(limit: number, ofCampaigns: boolean): StoredBlock[] {
    const some = (which: string, left: number): StoredBlock[] =>
      this.#select(
        `entry_n > sent_n AND (campaign IS NOT NULL) = ? AND closed_at ${which} ORDER BY entry_n LIMIT ?`,
        ...[ofCampaigns ? 1 : 0, left],
      );
    const lifted = some('IS NOT NULL', limit);
    const seen = new Set<string>();
    return [...lifted, ...some('IS NULL', limit - lifted.length)].filter(({ subject }) => {
      const isFirst = !seen.has(subject);
      seen.add(subject);
      return isFirst;
    });
  }

  hasUnsent(ofCampaigns: boolean): boolean {
    const where = 'entry_n > sent_n AND (campaign IS NOT NULL) = ?';
    const found = this.#sql.exec(`SELECT 1 FROM blocks WHERE ${where} LIMIT 1`, ofCampaigns ? 1 : 0);
    return found.toArray().length > 0;
  }

  get unsentCount(): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM blocks WHERE entry_n > sent_n').one().n;
  }

  /** The live layer took or refused this entry. @param seq of the head from which on it is visible; null if refused */
  setSent(id: number, entryN: number, seq: number | null): void {
    this.#sql.exec(
      'UPDATE blocks SET sent_n = ?, seq = COALESCE(?, seq) WHERE id = ? AND sent_n < ?',
      ...[entryN, seq, id, entryN],
    );
  }

  /** The number of blocks in a state, without blocks of mock partners. */
  count(state: BlockState): number {
    return this.#totals.get(state);
  }

  /** The number of all blocks that have not ended. */
  get openCount(): number {
    return this.#totals.get('open');
  }

  /** Must run in the transaction of the change. @param before null for a new block */
  put(before: StoredBlock | null, after: StoredBlock): void {
    const { id, subject, stage, grounds } = after;
    const { state, until } = stage;
    this.#sql.exec(
      `INSERT OR REPLACE INTO blocks VALUES (${Array(24).fill('?').join(', ')})`,
      ...[id, subject, after.seal, after.hundred, after.isMock ? 1 : 0, after.isShadow ? 1 : 0],
      ...[state, after.cause],
      ...[isOpen(stage) ? until : null, after.confirmedBy, after.provisionalUntil, grounds[0]!.rule.id],
      ...[JSON.stringify(grounds), after.evidence && JSON.stringify(after.evidence), after.leader],
      ...[after.entry && JSON.stringify(after.entry), after.entryN, after.sentN, after.seq],
      ...[after.createdAt, after.updatedAt, isOpen(stage) ? null : after.updatedAt],
      ...[JSON.stringify(after.actions), after.campaign],
    );
    if (before !== null) this.#count(before, -1);
    this.#count(after, 1);
  }

  /** Removes some of the blocks that ended before a time. @returns whether more may be left */
  forget(before: number, limit: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      `DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE closed_at < ? AND entry_n = sent_n LIMIT ?)`,
      ...[before, limit],
    );
    return rowsWritten >= limit;
  }

  #count({ stage, isMock }: StoredBlock, many: number): void {
    if (!isOpen(stage)) return;
    this.#totals.add('open', many);
    if (!isMock) this.#totals.add(stage.state, many);
  }

  #select(where: string, ...values: (string | number)[]): StoredBlock[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM blocks WHERE ${where}`, ...values)
      .toArray()
      .map(blockOf);
  }
}

function blockOf(row: Row): StoredBlock {
  const { id, subject, seal, hundred, until, leader, seq } = row;
  return {
    ...{ id, subject, seal, hundred, campaign: row.campaign },
    ...{ isMock: row.mock === 1, isShadow: row.shadow === 1 },
    stage: { state: row.state as BlockState, until, byPerson: row.by_person !== null },
    ...{ cause: row.cause as RuleBlockCause | null, confirmedBy: row.by_person },
    actions: JSON.parse(row.actions) as RuleBlockDone[],
    provisionalUntil: row.provisional_until,
    grounds: JSON.parse(row.grounds) as Ground[],
    evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as CounterEvidence),
    leader,
    entry: row.entry === null ? null : (JSON.parse(row.entry) as WantedEntry),
    ...{ entryN: row.entry_n, sentN: row.sent_n, seq },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at },
  };
}
