/**
 * The reports and withdrawals that an intake still has to send: those after the last flush. When a flush begins, its end
 * is stored, so its number always means the same rows. First the texts get their campaigns, then the budgets of the
 * reporters are charged, then the rows are fixed.
 */
import { REPORTS_PER_FLUSH_MAX } from '../../shared/limits/intake.ts';
import type { ReportedFingerprint } from '../storage/campaign-port.ts';
import type { CountRow, Seals } from '../storage/reports-port.ts';
import { SingleValues } from '../storage/single-values.ts';
import { CAMPAIGN_OVER_BUDGET, type IntakeStore, OVER_BUDGET } from './intake-store.ts';
import type { KeyedSubject } from './keying.ts';
import { unpackTraits } from './traits.ts';

type Key = 'source' | 'flushed' | 'begun' | 'admitted' | 'withdrawal' | 'announced';

/** Single values of an intake. docs/storage.md describes each key. */
export class IntakeMeta extends SingleValues<Key> {}

/** Where a flush ends: its number, and the number of its last report or withdrawal. */
export interface FlushEnd {
  readonly n: number;
  readonly to: number;
}

/** A report that is not yet checked against the budget of its reporter. */
export interface Unadmitted {
  readonly seq: number;
  readonly reporter: string;
  readonly subject: string;
  /** ID of the campaign of the report's text; null if there is none. */
  readonly campaign: number | null;
  /** When the report arrived, in ms since 1970. */
  readonly received: number;
}

type ReportRow = {
  seq: number;
  subject: string;
  reporter: string;
  traits: number;
  at: number;
  received: number;
  state: number;
  campaign: number | null;
};

/** Keyed and sealed campaigns, by ID. */
export type KeyedCampaigns = ReadonlyMap<number, KeyedSubject>;

/** The numbers of the reports of a flush that are over the budgets of their reporters. */
export interface OverBudget {
  readonly senders: readonly number[];
  readonly campaigns: readonly number[];
}

export class IntakeOutbox {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: IntakeMeta;

  constructor(storage: DurableObjectStorage, meta: IntakeMeta) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#meta = meta;
  }

  /** The end of the last flush that all objects have. */
  get flushed(): FlushEnd {
    return this.#meta.json<FlushEnd>('flushed') ?? { n: 0, to: 0 };
  }

  /** The end of the current flush, once its rows are fixed; null before. */
  get admitted(): FlushEnd | null {
    const end = this.#meta.json<FlushEnd>('admitted');
    return end !== null && end.n > this.flushed.n ? end : null;
  }

  get isEmpty(): boolean {
    return this.#sql.exec('SELECT 1 FROM requests LIMIT 1').toArray().length === 0;
  }

  /** Begins the next flush: as many whole requests as fit. Its end stays the same until the flush is finished. */
  begin(): FlushEnd | null {
    const { n, to } = this.flushed;
    const begun = this.#meta.json<FlushEnd>('begun');
    if (begun !== null && begun.n > n) return begun;
    const { last } = this.#sql
      .exec<{ last: number | null }>(
        `SELECT COALESCE((SELECT MAX(last) FROM requests WHERE last <= ?), (SELECT MIN(last) FROM requests)) AS last`,
        to + REPORTS_PER_FLUSH_MAX,
      )
      .one();
    if (last === null) return null;
    const end = { n: n + 1, to: last };
    this.#meta.set('begun', end);
    return end;
  }

  /** Texts of the flush whose campaigns are not known yet, in order. */
  unrecognised({ to }: FlushEnd): readonly (ReportedFingerprint & { readonly seq: number })[] {
    return this.#sql
      .exec<{ seq: number; key_id: string; fingerprint: ArrayBuffer; at: number; received: number }>(
        `SELECT fingerprints.seq, key_id, fingerprint, at, received
         FROM fingerprints JOIN reports ON reports.seq = fingerprints.seq WHERE fingerprints.seq <= ? ORDER BY 1`,
        to,
      )
      .toArray()
      .map(({ seq, key_id: keyId, fingerprint, at, received }) => ({
        ...{ seq, keyId, fingerprint: new Uint8Array(fingerprint), at: Math.min(at, received) },
      }));
  }

  /** Stores the campaigns of these reports, and drops their fingerprints. @param ids in the order of `seqs`; 0 for none */
  recognise(seqs: readonly number[], ids: readonly number[]): void {
    this.#storage.transactionSync(() => {
      seqs.forEach((seq, index) => {
        const id = ids[index] ?? 0;
        if (id > 0) this.#sql.exec('UPDATE reports SET text_campaign = ? WHERE seq = ?', id, seq);
        this.#sql.exec('DELETE FROM fingerprints WHERE seq = ?', seq);
      });
    });
  }

  /** The campaigns in the rows of the flush. */
  campaignsIn({ to }: FlushEnd): readonly number[] {
    const from = this.flushed.to;
    return this.#sql
      .exec<{ campaign: number }>(
        `SELECT text_campaign AS campaign FROM reports WHERE seq > ? AND seq <= ? AND text_campaign IS NOT NULL
         UNION SELECT text_campaign FROM withdrawals JOIN reports ON reports.seq = report
         WHERE withdrawals.seq > ? AND withdrawals.seq <= ? AND text_campaign IS NOT NULL`,
        ...[from, to, from, to],
      )
      .toArray()
      .map(({ campaign }) => campaign);
  }

  /** The reports of the next flush. */
  unadmitted({ to }: FlushEnd): readonly Unadmitted[] {
    return this.#sql
      .exec<Unadmitted & Record<string, SqlStorageValue>>(
        `SELECT seq, reporter, subject, text_campaign AS campaign, received FROM reports
         WHERE seq > ? AND seq <= ? ORDER BY seq`,
        ...[this.flushed.to, to],
      )
      .toArray();
  }

  /** Fixes the rows of the flush that has begun. */
  admit(end: FlushEnd, { senders, campaigns }: OverBudget, store: IntakeStore): void {
    this.#storage.transactionSync(() => {
      store.setOverBudget(senders, campaigns);
      this.#meta.set('admitted', end);
    });
  }

  /** The rows of a flush in their order, and the seals of its subjects. @param keyed the campaigns of the flush */
  content(
    { to }: FlushEnd,
    keyed: KeyedCampaigns,
  ): { readonly rows: readonly CountRow[]; readonly seals: Seals } {
    const from = this.flushed.to;
    const columns = 'subject, traits, at, received, state, text_campaign AS campaign';
    const reports = this.#sql
      .exec<ReportRow>(
        `SELECT seq, reporter, ${columns} FROM reports WHERE seq > ? AND seq <= ?`,
        ...[from, to],
      )
      .toArray()
      .map((report) => {
        const { seq, reporter } = report;
        return {
          order: seq,
          rows: rowsOf(report, keyed, (own) => ({ op: 'report', seq, reporter, ...own })),
        };
      });
    const withdrawals = this.#sql
      .exec<Omit<ReportRow, 'reporter'> & { report: number }>(
        `SELECT withdrawals.seq, report, ${columns} FROM withdrawals JOIN reports ON reports.seq = report
         WHERE withdrawals.seq > ? AND withdrawals.seq <= ?`,
        ...[from, to],
      )
      .toArray()
      .map(({ seq: order, report: seq, ...report }) => ({
        order,
        rows: rowsOf(report, keyed, (own) => ({ op: 'withdraw', seq, ...own })),
      }));
    const seals = this.#sql
      .exec<{ seals: string }>('SELECT seals FROM requests WHERE last > ? AND last <= ?', from, to)
      .toArray();
    const ordered = [...reports, ...withdrawals].sort((one, other) => one.order - other.order);
    return {
      rows: ordered.flatMap(({ rows }) => rows),
      seals: Object.assign(
        {},
        ...seals.map((each) => JSON.parse(each.seals) as Seals),
        Object.fromEntries([...keyed.values()].map(({ key, seal }) => [key, seal])),
      ),
    };
  }

  /** Ends a flush that all objects have. */
  finish(end: FlushEnd): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM requests WHERE last <= ?', end.to);
      this.#sql.exec('DELETE FROM withdrawals WHERE seq <= ?', end.to);
      this.#meta.set('flushed', end);
    });
  }

  /** Renumbers the flush to follow the last one that another object has, after this intake was set back to an earlier state. */
  renumber(end: FlushEnd, last: number): FlushEnd {
    const renumbered = { n: last + 1, to: end.to };
    this.#meta.set('begun', renumbered);
    if (this.admitted !== null) this.#meta.set('admitted', renumbered);
    return renumbered;
  }
}

type OwnFields = Pick<CountRow, 'subject' | 'target' | 'spam' | 'isCounted'> &
  Required<Pick<CountRow, 'at' | 'channel' | 'origin'>>;

/** A row for the sender, and one for the campaign of the text. */
function rowsOf(
  { subject, traits, at: sentAt, received, state, campaign }: Omit<ReportRow, 'seq' | 'reporter'>,
  keyed: KeyedCampaigns,
  rowOf: (own: OwnFields) => CountRow,
): CountRow[] {
  // A partner's clock that is ahead must not move a report past the reset of its subject.
  const at = Math.min(sentAt, received);
  const { channel, spam, origin } = unpackTraits(traits);
  const isCounted = (state & OVER_BUDGET) === 0;
  const ofSender = rowOf({ subject, at, channel, spam, origin, isCounted });
  const found = campaign === null ? undefined : keyed.get(campaign);
  if (found === undefined) return [ofSender];
  // A reporter who reports too many senders is not a credible witness of texts either.
  const counts = isCounted && (state & CAMPAIGN_OVER_BUDGET) === 0;
  const own = { subject: found.key, target: 'campaign', at, channel, spam, origin } as const;
  return [ofSender, rowOf({ ...own, isCounted: counts })];
}
