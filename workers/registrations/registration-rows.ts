/**
 * Registrations as rows. Each row has the newest version, and the approved version as JSON if that is another one. The
 * history is in the audit chain.
 */
import { REGISTRATIONS_PAGE_CHARS_MAX } from '../../shared/limits/registrations.ts';
import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type {
  Basis,
  RegistrationContent,
  RegistrationReason,
  RegistrationState,
} from '../../shared/senders/registration.ts';
import type { ReviewState } from '../../shared/senders/registration-states.ts';

/** Times are in ms since 1970. */
export interface StoredVersion {
  readonly version: number;
  readonly content: RegistrationContent;
  readonly numbers: Span;
  readonly endsAt: number | null;
}

export interface StoredRegistration extends ReviewState {
  readonly id: number;
  readonly newest: StoredVersion;
  /** The approved version, even if it is the newest. */
  readonly approved: StoredVersion | null;
  readonly isMock: boolean;
  /** Digest of the certificate that the registration rests on, or null. */
  readonly certificate: string | null;
  readonly claimedBy: string | null;
  readonly claimedUntil: number | null;
  readonly reasons: readonly RegistrationReason[];
  /** The last reminder, in days before the approved version's end; null before the first. */
  readonly reminded: number | null;
  /** When the service must do something: a claim, a reminder or an end is due. */
  readonly dueAt: number | null;
  /** Number of the outbox batch that contains the last change of the pairs; null before the first. */
  readonly publishN: number | null;
  readonly publishedAt: number | null;
  readonly isWaiting: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly submittedAt: number | null;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  state: string;
  version: number;
  approved_version: number | null;
  suspended_from: string | null;
  number_from: number;
  number_to: number;
  mock: number;
  certificate: string | null;
  content: string;
  ends_at: number | null;
  approved: string | null;
  claimed_by: string | null;
  claimed_until: number | null;
  reasons: string;
  reminded: number | null;
  due_at: number | null;
  publish_n: number | null;
  published_at: number | null;
  waiting: number;
  created_at: number;
  updated_at: number;
  submitted_at: number | null;
}

const COLUMNS = [
  ...['id', 'state', 'version', 'approved_version', 'suspended_from', 'basis', 'number_from', 'number_to'],
  ...['mock', 'reference', 'content', 'ends_at', 'approved', 'claimed_by', 'claimed_until', 'reasons'],
  ...[
    'reminded',
    'due_at',
    'publish_n',
    'published_at',
    'waiting',
    'created_at',
    'updated_at',
    'submitted_at',
    'certificate',
  ],
];
const PUT = `INSERT INTO registrations (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`;

export interface RegistrationFilter {
  readonly state?: RegistrationState | undefined;
  readonly client?: string | undefined;
  readonly basis?: Basis | undefined;
  /** Only registrations that the live block of this operation suspended. */
  readonly operation?: number | undefined;
}

export interface RegistrationRowPage {
  readonly found: readonly StoredRegistration[];
  readonly isLast: boolean;
}

export class RegistrationRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Registrations that are not closed. */
  get openCount(): number {
    return this.#sql
      .exec<{ count: number }>("SELECT COUNT(*) AS count FROM registrations WHERE state <> 'closed'")
      .one().count;
  }

  get nextId(): number {
    return (
      (this.#sql.exec<{ id: number | null }>('SELECT MAX(id) AS id FROM registrations').one().id ?? 0) + 1
    );
  }

  get(id: number): StoredRegistration | null {
    return this.#select('WHERE id = ?', id)[0] ?? null;
  }

  /** The registration with this reference that is not closed. */
  byReference(reference: string): StoredRegistration | null {
    return this.#select("WHERE reference = ? AND state <> 'closed'", reference)[0] ?? null;
  }

  page(filter: RegistrationFilter, after: number, limit: number): RegistrationRowPage {
    const { client = null, basis = null, operation = null } = filter;
    // Only a suspension names an operation, and an index finds suspended registrations.
    const { state = operation === null ? null : 'suspended' } = filter;
    // Start with the table of clients, so that the registrations of other clients are not read.
    const source =
      client === null
        ? 'WHERE id > ?'
        : 'CROSS JOIN registrations ON id = registration WHERE client = ? AND registration > ?';
    const conditions = [source];
    const values: (string | number)[] = client === null ? [after] : [client, after];
    const add = (value: string | number | null, condition: string): void => {
      if (value === null) return;
      conditions.push(condition);
      values.push(value);
    };
    add(state, 'state = ?');
    add(basis, 'basis = ?');
    add(operation, "EXISTS (SELECT 1 FROM json_each(reasons) WHERE json_extract(value, '$.operation') = ?)");
    const [table, id] = client === null ? ['registrations', 'id'] : ['registration_clients', 'registration'];
    const from = `${table} ${conditions.join(' AND ')} ORDER BY ${id} LIMIT ?`;
    const { found, isCut } = this.#read(from, ...values, limit);
    return { found, isLast: !isCut && found.length < limit };
  }

  /** Registrations whose newest or approved version overlaps the numbers, by ID. Each stays within one block. */
  overlapping(numbers: Span, limit: number): StoredRegistration[] {
    return this.overlappingPage(numbers, limit).found;
  }

  /** Like `overlapping`. `isCut` is set if there are more registrations than fit into one answer. */
  overlappingPage(
    { from, to }: Span,
    limit: number,
  ): { readonly found: StoredRegistration[]; readonly isCut: boolean } {
    const start = from - (from % BLOCK_NUMBERS);
    const where = 'number_from BETWEEN ? AND ? AND number_to >= ?';
    return this.#read(
      `registrations WHERE id IN (SELECT id FROM registrations WHERE ${where} UNION SELECT registration FROM pairs WHERE ${where})
       ORDER BY id LIMIT ?`,
      ...[start, to, from, start, to, from, limit],
    );
  }

  /** Registrations with one of the numbers that are in force, suspended or waiting for a review. Omits mock ones. */
  competing({ from, to }: Span, limit: number): StoredRegistration[] {
    const start = from - (from % BLOCK_NUMBERS);
    const where = 'number_from BETWEEN ? AND ? AND number_to >= ?';
    return this.#select(
      `WHERE mock = 0 AND id IN (
         SELECT id FROM registrations WHERE ${where} AND state IN ('submitted', 'inReview', 'suspended')
         UNION SELECT registration FROM pairs WHERE ${where})
       ORDER BY id LIMIT ?`,
      ...[start, to, from, start, to, from, limit],
    );
  }

  /** Numbers of registrations that are not closed, by ID. Omits mock ones. @param after `last` of the previous page */
  numbers(after: number, limit: number): { readonly numbers: readonly Span[]; readonly last: number | null } {
    const end = after + limit;
    const numbers = this.#sql
      .exec<{ from: number; to: number }>(
        `SELECT number_from AS "from", number_to AS "to" FROM registrations
         WHERE id > ? AND id <= ? AND mock = 0 AND state <> 'closed'
         UNION SELECT number_from, number_to FROM pairs WHERE registration > ? AND registration <= ?`,
        ...[after, end, after, end],
      )
      .toArray();
    return { numbers, last: end >= this.nextId ? null : end };
  }

  /** Registrations that rest on a certificate, by ID. */
  certified(certificate: string): StoredRegistration[] {
    return this.#select('WHERE certificate = ? ORDER BY id', certificate);
  }

  due(now: number, limit: number): StoredRegistration[] {
    return this.#select('WHERE due_at <= ? ORDER BY due_at LIMIT ?', now, limit);
  }

  /** Registrations in the queue of reviewers, by ID. */
  queued(after: number, limit: number): StoredRegistration[] {
    const where = "state IN ('submitted', 'inReview') AND mock = 0 AND id > ? ORDER BY id LIMIT ?";
    return this.#select(`WHERE ${where}`, after, limit);
  }

  get nextDueAt(): number | null {
    return this.#sql
      .exec<{ due: number | null }>('SELECT MIN(due_at) AS due FROM registrations WHERE due_at IS NOT NULL')
      .one().due;
  }

  put(registration: StoredRegistration, before: StoredRegistration | null): void {
    const { id, newest, approved } = registration;
    const { content, numbers } = newest;
    const isNewestApproved = approved === null || approved.version === newest.version;
    this.#sql.exec(
      PUT,
      ...[id, registration.state, registration.version, registration.approvedVersion],
      ...[registration.suspendedFrom, content.basis, numbers.from, numbers.to, registration.isMock ? 1 : 0],
      ...[content.reference, JSON.stringify(content), newest.endsAt],
      ...[
        isNewestApproved ? null : JSON.stringify(approved),
        registration.claimedBy,
        registration.claimedUntil,
      ],
      ...[JSON.stringify(registration.reasons), registration.reminded, registration.dueAt],
      ...[registration.publishN, registration.publishedAt, registration.isWaiting ? 1 : 0],
      ...[registration.createdAt, registration.updatedAt, registration.submittedAt],
      registration.certificate,
    );
    if (before !== null && before.version === registration.version) return;
    if (before !== null) this.#sql.exec('DELETE FROM registration_clients WHERE registration = ?', id);
    for (const client of content.clients) {
      this.#sql.exec('INSERT INTO registration_clients VALUES (?, ?)', client, id);
    }
  }

  #select(where: string, ...values: (string | number)[]): StoredRegistration[] {
    return this.#read(`registrations ${where}`, ...values).found;
  }

  /** Reads as many rows as REGISTRATIONS_PAGE_CHARS_MAX allows. */
  #read(from: string, ...values: (string | number)[]): { found: StoredRegistration[]; isCut: boolean } {
    const rows = this.#sql.exec<Row>(`SELECT registrations.* FROM ${from}`, ...values);
    const found: StoredRegistration[] = [];
    let chars = 0;
    for (const row of rows) {
      chars += row.content.length + (row.approved?.length ?? 0) + row.reasons.length;
      if (chars > REGISTRATIONS_PAGE_CHARS_MAX && found.length > 0) return { found, isCut: true };
      found.push(registrationOf(row));
    }
    return { found, isCut: false };
  }
}

function registrationOf(row: Row): StoredRegistration {
  const newest: StoredVersion = {
    ...{ version: row.version, endsAt: row.ends_at },
    content: JSON.parse(row.content) as RegistrationContent,
    numbers: { from: row.number_from, to: row.number_to },
  };
  const other = row.approved === null ? null : (JSON.parse(row.approved) as StoredVersion);
  return {
    ...{ id: row.id, state: row.state as RegistrationState, version: row.version },
    ...{
      approvedVersion: row.approved_version,
      suspendedFrom: row.suspended_from as RegistrationState | null,
    },
    ...{ newest, approved: row.approved_version === row.version ? newest : other, isMock: row.mock === 1 },
    ...{ claimedBy: row.claimed_by, claimedUntil: row.claimed_until },
    reasons: JSON.parse(row.reasons) as RegistrationReason[],
    ...{ reminded: row.reminded, dueAt: row.due_at, publishN: row.publish_n, publishedAt: row.published_at },
    ...{ isWaiting: row.waiting === 1, createdAt: row.created_at, updatedAt: row.updated_at },
    ...{ submittedAt: row.submitted_at, certificate: row.certificate },
  };
}
