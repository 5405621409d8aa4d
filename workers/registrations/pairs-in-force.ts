/**
 * The numbers that each client may send from now: one row for each registration in force and client. Registrations may
 * overlap, so the effect of a change is computed number by number.
 */
import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';
import { cover, overlaps, type Span, without } from '../../shared/numbers/spans.ts';
import {
  type PairChange,
  type PairSpan,
  type PairsUsage,
  pairChanges,
  pairsUsage,
} from '../../shared/senders/pairs.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import type { PublishedChange, PublishedPair } from '../storage/registry-port.ts';
import type { StoredRegistration } from './registration-rows.ts';

interface Row extends Record<string, SqlStorageValue> {
  client: string;
  number_from: number;
  number_to: number;
  own: number;
}

export class PairsInForce {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Stores the current pairs of a registration. @returns the new state of its numbers; empty if nothing changed */
  put(registration: StoredRegistration, organisation: string): PublishedChange[] {
    const { id, approved, isMock } = registration;
    const version = isInForce(registration) && !isMock ? approved : null;
    const old = this.#sql.exec<Row>('SELECT * FROM pairs WHERE registration = ?', id).toArray();
    const clients = version?.content.clients ?? [];
    const own = version?.content.basis === 'own';
    const isSame =
      old.length === clients.length &&
      old.every(
        (row) =>
          clients.includes(row.client) &&
          row.number_from === version!.numbers.from &&
          row.number_to === version!.numbers.to &&
          row.own === (own ? 1 : 0),
      );
    if (isSame) return [];
    const affected = [...new Set([...old.map(({ client }) => client), ...clients])].sort();
    const touched = affected.map((client) => {
      const spans = old.filter((row) => row.client === client).map(spanOf);
      if (clients.includes(client)) spans.push(version!.numbers);
      return { client, spans };
    });
    const { pairs, ranges } = this.usageWith(id, version === null ? null : { ...version, clients });
    this.#sql.exec('UPDATE pairs_used SET pairs = ?, ranges = ?', pairs, ranges);
    this.#sql.exec('DELETE FROM pairs WHERE registration = ?', id);
    for (const client of clients) {
      const { from, to } = version!.numbers;
      this.#sql.exec('INSERT INTO pairs VALUES (?, ?, ?, ?, ?)', client, from, to, id, own ? 1 : 0);
    }
    return touched.flatMap(({ client, spans }) => {
      const owned = old.filter((row) => row.client === client && row.own === 1).map(spanOf);
      return this.changes(client, spans)
        .flatMap((change) => disowned(change, owned))
        .map((change) => ({ client: `${organisation}/${client}`, ...change }));
    });
  }

  /** The room that all pairs take in a release. Each of several overlapping registrations counts. */
  get usage(): PairsUsage {
    return this.#sql.exec<PairsUsage & Record<string, number>>('SELECT * FROM pairs_used').one();
  }

  /** `usage` once a registration has these numbers. @param id null for a new one @param next null for no numbers */
  usageWith(
    id: number | null,
    next: { readonly numbers: Span; readonly clients: readonly string[] } | null,
  ): PairsUsage {
    let { pairs, ranges } = this.usage;
    const old = this.#sql.exec<Row>('SELECT * FROM pairs WHERE registration = ?', id).toArray();
    for (const row of old) {
      const used = pairsUsage(spanOf(row), 1);
      pairs -= used.pairs;
      ranges -= used.ranges;
    }
    if (next === null) return { pairs, ranges };
    const added = pairsUsage(next.numbers, next.clients.length);
    return { pairs: pairs + added.pairs, ranges: ranges + added.ranges };
  }

  /** The current state of each of these numbers of a client. */
  changes(client: string, spans: readonly Span[]): PairChange[] {
    return pairChanges(spans, this.#overlapping(client, spans));
  }

  /**
   * The numbers in force of all clients, in the order in which their spans begin. No span is cut.
   * @param after `last` of the previous page: the begin of its last span @param limit ends a page with this many numbers
   */
  numbers(
    after: number,
    limit: number,
  ): { readonly numbers: readonly number[]; readonly last: number | null } {
    const numbers = new Set<number>();
    let last: number | null = null;
    const rows = this.#sql.exec<{ from: number; to: number }>(
      `SELECT number_from AS "from", MAX(number_to) AS "to" FROM pairs WHERE number_from > ?
       GROUP BY number_from ORDER BY number_from`,
      after,
    );
    for (const { from, to } of rows) {
      for (let n = from; n <= to; n++) numbers.add(n);
      last = from;
      if (numbers.size >= limit) break;
    }
    return { numbers: [...numbers], last };
  }

  /** IDs of the registrations that have the number in force. Other registrations of the number do not count. */
  registrationsOf(n: number): number[] {
    return this.#sql
      .exec<{ registration: number }>(
        `SELECT DISTINCT registration FROM pairs WHERE number_from BETWEEN ? AND ? AND number_to >= ?
         ORDER BY registration`,
        ...[n - (n % BLOCK_NUMBERS), n, n],
      )
      .toArray()
      .map(({ registration }) => registration);
  }

  /** A page of pairs in the order of client and number. @param after `<client> <from> <to>`, or null */
  page(
    organisation: string,
    after: string | null,
    limit: number,
  ): { readonly pairs: readonly PublishedPair[]; readonly next: string | null } {
    const [client = '', from = '-1', to = '-1'] = after?.split(' ') ?? [];
    const rows = this.#sql
      .exec<Row>(
        `SELECT client, number_from, number_to, MAX(own) AS own FROM pairs
         WHERE (client, number_from, number_to) > (?, ?, ?)
         GROUP BY client, number_from, number_to ORDER BY client, number_from, number_to LIMIT ?`,
        ...[client, Number(from), Number(to), limit],
      )
      .toArray();
    const last = rows.at(-1);
    return {
      pairs: rows.map((row) => ({
        ...{ client: `${organisation}/${row.client}`, ...spanOf(row) },
        op: row.own === 1 ? ('addOwn' as const) : ('add' as const),
      })),
      next:
        last === undefined || rows.length < limit
          ? null
          : `${last.client} ${last.number_from} ${last.number_to}`,
    };
  }

  /** The pairs of the client that overlap any of the spans, each once, from all registrations. */
  #overlapping(client: string, spans: readonly Span[]): PairSpan[] {
    const found = new Map<string, PairSpan>();
    for (const { from, to } of spans) {
      const rows = this.#sql.exec<Row>(
        `SELECT client, number_from, number_to, MAX(own) AS own FROM pairs
         WHERE client = ? AND number_from BETWEEN ? AND ? AND number_to >= ? GROUP BY number_from, number_to`,
        ...[client, from - (from % BLOCK_NUMBERS), to, from],
      );
      for (const row of rows)
        found.set(`${row.number_from} ${row.number_to}`, { ...spanOf(row), own: row.own === 1 });
    }
    return [...found.values()];
  }
}

/**
 * Splits the addition of a number that is no longer the holder's own into a removal and an addition. The registry counts
 * the two as a removal, so they do not wait for room, and the lists of opt-outs apply to the number again at once.
 */
function disowned(change: PairChange, owned: readonly Span[]): PairChange[] {
  if (change.op !== 'add') return [change];
  const lost = cover([...overlaps(owned, change)].map(([, common]) => common));
  const rest = without([change], lost).map((span) => ({ ...span, op: 'add' as const }));
  return [
    ...lost.flatMap((span) => [
      { ...span, op: 'remove' as const },
      { ...span, op: 'add' as const },
    ]),
    ...rest,
  ];
}

function spanOf({ number_from: from, number_to: to }: Row): Span {
  return { from, to };
}
