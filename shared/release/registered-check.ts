/**
 * Verifies the registered senders of a release before it becomes current: every pair and every range occurs once, where
 * look-ups find it, and the counts match the manifest.
 */
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { REGISTERED_LISTS, SLOTS_PER_CLIENT } from '../set/layout.ts';
import { runOf, slotsOf } from '../set/pair-place.ts';
import { countShort, type RegisteredTable } from '../set/registered-table.ts';
import type { Shard } from '../set/shard.ts';
import { isReadable, type Manifest, type RegisteredInfo } from './manifest.ts';

type RegisteredProblem = 'FORMAT_UNSUPPORTED' | 'SLICE_WRONG' | 'ORDER_WRONG' | 'COUNT_WRONG';
type Checked = Result<null, Failure<RegisteredProblem>>;

export class RegisteredCheck {
  readonly #info: RegisteredInfo | null;
  /** For each group: the room of its parts with pairs, and below, its count of clients in the table. */
  readonly #rooms = new Map<number, number>();
  #clients: readonly number[] = [];
  #pairs = 0;
  #own = 0;

  constructor({ registrations }: Manifest) {
    this.#info = registrations ?? null;
  }

  addShard(index: number, shard: Shard): Checked {
    const { shards, pairs } = this.#info!;
    const { key, start } = shards[index]!;
    if (shards.some((other, at) => other.key === key && at !== index))
      return fail('SLICE_WRONG', `${key} is used for several slices`);
    if (shard.start !== start || shard.end !== (shards[index + 1]?.start ?? NUMBER_LIMIT))
      return fail('SLICE_WRONG', `${key} is for another slice`);
    for (const part of shard.parts) {
      const limit = (part.end - part.start) * slotsOf(part.room);
      const { group } = runOf(part.start);
      let last = -1;
      for (const batch of part.pairs()) {
        for (const each of batch) {
          const isOwn = each % SLOTS_PER_CLIENT === 1;
          // A pair is own or not, never both.
          if (each <= last || each >= limit || (isOwn && each === last + 1))
            return fail(
              'ORDER_WRONG',
              `${key}: pairs are out of order, or in a place where no lookup finds them`,
            );
          last = each;
          if (isOwn) this.#own++;
        }
        if ((this.#rooms.get(group) ?? part.room) !== part.room)
          return fail('SLICE_WRONG', `${key} is for other clients`);
        this.#rooms.set(group, part.room);
        this.#pairs += batch.length;
        // A few bytes can stand for many pairs, so reading stops at the count of the manifest.
        if (this.#pairs > pairs) return wrongCount('pairs', pairs, `${this.#pairs} or more`);
      }
    }
    return ok(null);
  }

  addTable(table: RegisteredTable): Checked {
    const { clients, ranges, short } = this.#info!;
    if (table.clients.length !== clients) return wrongCount('clients', clients, table.clients.length);
    if (!table.isGrouped)
      return fail('ORDER_WRONG', `${this.#info!.table.key}: a client is in another group`);
    this.#clients = table.groups.map(({ length }) => length);
    let rows = 0;
    for (let list = 0; list < REGISTERED_LISTS; list++) {
      let before = { place: -1, to: -1 };
      for (const { place, from, to } of table.rows(list)) {
        const isSound =
          Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to < NUMBER_LIMIT;
        if (!isSound || (place === before.place && from <= before.to))
          return fail('ORDER_WRONG', `${this.#info!.table.key}: ranges are out of order, or overlap`);
        before = { place, to };
        rows++;
      }
    }
    if (rows !== ranges) return wrongCount('ranges', ranges, rows);
    if (short === undefined) return ok(null);
    const [counted, found] = [short, countShort(table.ranges)].map((each) =>
      [each.rows, each.numbers, each.own].join(', '),
    );
    return counted === found ? ok(null) : wrongCount('short ranges, numbers and own', counted!, found!);
  }

  finish(): Checked {
    if (this.#info === null) return ok(null);
    const { pairs, own } = this.#info;
    if (!isReadable(this.#info))
      return fail('FORMAT_UNSUPPORTED', 'an older version built the registered senders: build again');
    for (const [group, room] of this.#rooms)
      if (room !== this.#clients[group])
        return wrongCount(`clients of group ${group}`, this.#clients[group]!, room);
    if (this.#pairs !== pairs) return wrongCount('pairs', pairs, this.#pairs);
    return this.#own === own ? ok(null) : wrongCount('own pairs', own, this.#own);
  }
}

function wrongCount(kind: string, counted: number | string, found: number | string): Checked {
  return fail(
    'COUNT_WRONG',
    `registered senders: the manifest counts ${counted} ${kind}, but there are ${found}`,
  );
}
