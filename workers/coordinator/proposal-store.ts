/**
 * The proposals in SQLite, and the decision whether a change waits. ledger.ts calls it in the transaction of every
 * change. The request of a proposal is stored in full, numbers included, in the same database as the live entries, but
 * only while it waits. docs/decisions/0017-let-a-second-person-confirm.md lists the races and their results.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import {
  BREAK_GLASS_MS,
  PROPOSAL_PART_CHARS,
  PROPOSAL_SHOWN_MAX,
  PROPOSALS_CHARS_MAX,
  PROPOSALS_KEPT_MS,
  PROPOSALS_PENDING_MAX,
  PROPOSALS_PER_PROPOSER_MAX,
} from '../../shared/limits/control.ts';
import {
  type Approvals,
  NO_APPROVALS,
  OPEN_STATES,
  type Proposal,
  type ProposalInfo,
  type ProposalState,
} from '../../shared/proposals.ts';
import { ok } from '../../shared/result.ts';
import type { Scope } from '../../shared/roles.ts';
import { type Approvable, type ChangeRequest, type CheckResult, refuse } from './change-request.ts';
import type { Command } from './command.ts';
import type { Meta } from './meta.ts';
import type { People } from './people.ts';
import { IMPOSSIBLE, proposalRecord, VERBS } from './proposal-records.ts';

/** A change that was tried, with its effects. */
export interface Draft {
  readonly approvable: Approvable;
  readonly audit: readonly AuditEntry[];
  readonly sha256: string;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  state: string;
  kinds: string;
  proposer: string;
  actor: string;
  needs: string;
  reason: string;
  createdAt: number;
  endsAt: number;
  sha256: string;
  changes: number;
  shown: string;
  audited: number;
  decidedAt: number | null;
  decidedBy: string | null;
  note: string | null;
  seq: number | null;
}
const COLUMNS = `id, state, kinds, proposer, actor, needs, reason, created_at AS createdAt, ends_at AS endsAt,
  sha256, changes, shown, audited, decided_at AS decidedAt, decided_by AS decidedBy, note, seq`;

const OPEN = OPEN_STATES.map((state) => `'${state}'`).join(', ');

/** A proposal as stored. */
export interface StoredProposal {
  readonly info: Proposal;
  /** The actor at the time of the proposal. */
  readonly actor: Actor;
  readonly needs: readonly (Scope | 'root')[];
  /** Number of the last audit record before it. */
  readonly audited: number;
}

export class ProposalStore {
  readonly people: People;
  readonly #sql: SqlStorage;
  readonly #meta: Meta;

  constructor(sql: SqlStorage, meta: Meta, people: People) {
    this.#sql = sql;
    this.#meta = meta;
    this.people = people;
  }

  get rules(): Approvals {
    return this.#meta.json<Approvals>('approvals') ?? NO_APPROVALS;
  }

  /** Whether a change waits under these rules. */
  waits({ kinds }: Approvable, rules: Approvals): boolean {
    return kinds.some((kind) => (kind === 'approvals' ? rules.kinds.length > 0 : rules.kinds.includes(kind)));
  }

  /**
   * Stores a change that waits. If the same change is already pending, returns that proposal.
   * @param now ms since 1970 @param audited number of the last audit record
   */
  open(
    request: ChangeRequest,
    { approvable, audit, sha256: digest }: Draft,
    now: number,
    audited: number,
  ): CheckResult<{ readonly proposal: Proposal; readonly audit: AuditEntry[] }> {
    const { name } = request.actor;
    const [same] = this.#select("WHERE state = 'pending' AND ends_at > ? AND sha256 = ?", now, digest);
    if (same !== undefined) return ok({ proposal: same.info, audit: [] });
    if (!this.people.approvers.some((approver) => approver !== name)) return refuse(...IMPOSSIBLE);
    const text = asciiOf(approvable.command);
    const room = this.#checkRoom(name, text.length, now);
    if (!room.ok) return room;
    const endsAt = now + this.rules.waitSeconds * 1_000;
    const draft = { approvable, audit, sha256: digest };
    const proposal = this.#insert('pending', request, draft, { text, now, endsAt, audited, seq: null });
    return ok({ proposal, audit: [proposalRecord('open', proposal, null)] });
  }

  #checkRoom(proposer: string, chars: number, now: number): CheckResult {
    const count = (where: string, ...values: SqlStorageValue[]): number =>
      this.#sql
        .exec<{ count: number }>(`SELECT COUNT(*) AS count FROM proposals WHERE ${where}`, ...values)
        .one().count;
    const pending = "state = 'pending' AND ends_at > ?";
    const own = count(`${pending} AND proposer = ?`, now, proposer);
    if (own >= PROPOSALS_PER_PROPOSER_MAX) return refuseMany(`you have ${own} pending proposals`);
    const all = count(pending, now);
    if (all >= PROPOSALS_PENDING_MAX) return refuseMany(`there are ${all} pending proposals`);
    const { stored } = this.#sql
      .exec<{ stored: number }>('SELECT COALESCE(SUM(LENGTH(text)), 0) AS stored FROM proposal_parts')
      .one();
    if (stored + chars <= PROPOSALS_CHARS_MAX) return ok(undefined);
    return refuseMany(`the pending proposals have ${stored.toLocaleString('en')} characters`);
  }

  /** Records a change that was applied at once. Must run in the transaction of the change. */
  breakGlass(
    request: ChangeRequest,
    draft: Draft,
    now: number,
    position: { readonly audited: number; readonly seq: number },
  ): { readonly proposal: Proposal; readonly audit: AuditEntry[] } {
    const text = asciiOf(draft.approvable.revert);
    const endsAt = now + BREAK_GLASS_MS;
    const proposal = this.#insert('unreviewed', request, draft, { text, now, endsAt, ...position });
    return { proposal, audit: [proposalRecord('apply', proposal, null)] };
  }

  #insert(
    state: ProposalState,
    { actor, needs = [], reason }: ChangeRequest,
    { approvable, audit, sha256: digest }: Draft,
    place: { text: string; now: number; endsAt: number; audited: number; seq: number | null },
  ): Proposal {
    const { text, now, endsAt, audited, seq } = place;
    const { id } = this.#sql
      .exec<{ id: number }>(
        `INSERT INTO proposals (state, kinds, proposer, actor, needs, reason, created_at, ends_at, sha256, changes,
         shown, audited, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
        ...[state, JSON.stringify(approvable.kinds), actor.name, JSON.stringify(actor)],
        ...[JSON.stringify(needs), reason.toWellFormed(), now, endsAt, digest, audit.length],
        ...[JSON.stringify(overridesFirst(audit).slice(0, PROPOSAL_SHOWN_MAX)), audited, seq],
      )
      .one();
    for (let part = 0; part * PROPOSAL_PART_CHARS < text.length; part++) {
      const piece = text.slice(part * PROPOSAL_PART_CHARS, (part + 1) * PROPOSAL_PART_CHARS);
      this.#sql.exec('INSERT INTO proposal_parts VALUES (?, ?, ?)', id, part, piece);
    }
    return this.get(id)!.info;
  }

  get(id: number): StoredProposal | null {
    return this.#select('WHERE id = ?', id)[0] ?? null;
  }

  /** Open proposals first, then all others, each newest first. */
  list(limit: number): ProposalInfo[] {
    return this.#select(`ORDER BY state IN (${OPEN}) DESC, id DESC LIMIT ?`, limit).map(
      ({ info: { shown: _, ...info } }) => info,
    );
  }

  /** Proposals in this state whose time has ended. */
  ended(state: ProposalState, now: number): StoredProposal[] {
    return this.#select('WHERE state = ? AND ends_at <= ? ORDER BY id', state, now);
  }

  /** The number of proposals in each open state. */
  get openCounts(): Readonly<Record<string, number>> {
    const counts = this.#sql.exec<{ state: string; count: number }>(
      'SELECT state, COUNT(*) AS count FROM proposals GROUP BY state',
    );
    const all = new Map([...counts].map(({ state, count }) => [state, count]));
    return Object.fromEntries(OPEN_STATES.map((state) => [state, all.get(state) ?? 0]));
  }

  /** The command that an approval or a revert runs; null once the proposal is decided. */
  command(id: number): Command | null {
    const parts = this.#sql.exec<{ text: string }>(
      'SELECT text FROM proposal_parts WHERE proposal = ? ORDER BY part',
      id,
    );
    const text = [...parts].map((part) => part.text).join('');
    return text === '' ? null : (JSON.parse(text) as Command);
  }

  /** Ends a proposal, and deletes its request. */
  close(
    { id, state: before }: ProposalInfo,
    state: ProposalState,
    by: string,
    { note = null, seq = null }: { readonly note?: string | null; readonly seq?: number | null } = {},
  ): AuditEntry {
    this.#sql.exec(
      'UPDATE proposals SET state = ?, decided_at = ?, decided_by = ?, note = ?, seq = COALESCE(?, seq) WHERE id = ?',
      ...[state, Date.now(), by, note?.toWellFormed() ?? null, seq, id],
    );
    this.#sql.exec('DELETE FROM proposal_parts WHERE proposal = ?', id);
    return proposalRecord(VERBS[state], this.get(id)!.info, before);
  }

  /** Deletes proposals that were decided long ago. */
  forget(now: number): void {
    this.#sql.exec(
      `DELETE FROM proposals WHERE state NOT IN (${OPEN}) AND decided_at <= ?`,
      now - PROPOSALS_KEPT_MS,
    );
  }

  #select(where: string, ...values: SqlStorageValue[]): StoredProposal[] {
    return this.#sql
      .exec<Row>(`SELECT ${COLUMNS} FROM proposals ${where}`, ...values)
      .toArray()
      .map(({ actor: json, needs, audited, ...row }) => {
        const actor = JSON.parse(json) as Actor;
        const { id, proposer, reason, sha256: digest, changes, decidedBy, note, seq } = row;
        const info: Proposal = {
          id,
          state: row.state as ProposalState,
          kinds: JSON.parse(row.kinds) as ProposalInfo['kinds'],
          ...{ proposer, organisation: actor.organisation, reason },
          createdAt: new Date(row.createdAt).toISOString(),
          endsAt: new Date(row.endsAt).toISOString(),
          ...{ sha256: digest, changes },
          decidedAt: row.decidedAt === null ? null : new Date(row.decidedAt).toISOString(),
          ...{ decidedBy, note, seq },
          shown: JSON.parse(row.shown) as AuditEntry[],
        };
        return { info, actor, needs: JSON.parse(needs) as StoredProposal['needs'], audited };
      });
  }
}

/** Sorts overrides first, so that many numbers cannot hide which guards a change overrides. */
function overridesFirst(audit: readonly AuditEntry[]): readonly AuditEntry[] {
  const rank = ({ action }: AuditEntry): number => (action === 'entries.override' ? 0 : 1);
  return audit.toSorted((a, b) => rank(a) - rank(b));
}

/** Encodes a command as JSON in ASCII, because a part of the text must not end within a character. */
function asciiOf(command: Command | null): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(command).replace(/[\u0080-\uffff]/g, escaped);
}

function refuseMany(what: string) {
  return refuse('PROPOSALS_TOO_MANY', `${what}: decide on some or withdraw some first`);
}
