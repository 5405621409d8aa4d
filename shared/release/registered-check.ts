/**
 * Verifies the registered senders of a release before it becomes current: every pair and every range is where look-ups
 * find it, once, and they are as many as the manifest counts.
 */
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { PAIR_LISTS, PAIRS_OWN } from '../set/layout.ts';
import type { RegisteredTable } from '../set/registered-table.ts';
import type { Shard } from '../set/shard.ts';
import type { Manifest, RegisteredInfo } from './manifest.ts';

type RegisteredProblem = 'SLICE_WRONG' | 'ORDER_WRONG' | 'COUNT_WRONG';
type Checked = Result<null, Failure<RegisteredProblem>>;

export class RegisteredCheck {
  readonly #info: RegisteredInfo | null;
  /** Pairs by list. */
  readonly #pairs: number[] = Array.from({ length: PAIR_LISTS }, () => 0);

  constructor({ registrations }: Manifest) {
    this.#info = registrations ?? null;
  }

  addShard(index: number, shard: Shard): Checked {
    const { shards, pairs } = this.#info!;
    const { key, start } = shards[index]!;
    if (shards.some((other, at) => other.key === key && at !== index))
      return fail('SLICE_WRONG', `${key} stands for several slices`);
    if (shard.start !== start || shard.end !== (shards[index + 1]?.start ?? NUMBER_LIMIT))
      return fail('SLICE_WRONG', `${key} is for another slice`);
    for (const part of shard.parts) {
      const limit = (part.end - part.start) * shard.slots;
      for (let list = 0; list < PAIR_LISTS; list++) {
        let last = -1;
        for (const batch of part.pairs(list)) {
          for (const each of batch) {
            if (each <= last || each >= limit)
              return fail('ORDER_WRONG', `${key}: pairs are out of order, or where no look-up finds them`);
            last = each;
          }
          this.#pairs[list]! += batch.length;
          // A few bytes can stand for many pairs, so reading stops at the count of the manifest.
          if (this.#pairs[list]! > pairs) return wrongCount('pairs', pairs, `${this.#pairs[list]} or more`);
        }
      }
    }
    return ok(null);
  }

  addTable(table: RegisteredTable): Checked {
    const { clients, ranges } = this.#info!;
    if (table.clients.length !== clients) return wrongCount('clients', clients, table.clients.length);
    let rows = 0;
    for (let list = 0; list < PAIR_LISTS; list++) {
      let before = { slot: -1, to: -1 };
      for (const { slot, from, to } of table.rows(list)) {
        const isSound =
          Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to < NUMBER_LIMIT;
        if (!isSound || (slot === before.slot && from <= before.to))
          return fail('ORDER_WRONG', `${this.#info!.table.key}: ranges are out of order, or overlap`);
        before = { slot, to };
        rows++;
      }
    }
    return rows === ranges ? ok(null) : wrongCount('ranges', ranges, rows);
  }

  finish(): Checked {
    if (this.#info === null) return ok(null);
    const { pairs, own } = this.#info;
    const found = this.#pairs.reduce((sum, count) => sum + count, 0);
    if (found !== pairs) return wrongCount('pairs', pairs, found);
    return this.#pairs[PAIRS_OWN] === own ? ok(null) : wrongCount('own pairs', own, this.#pairs[PAIRS_OWN]!);
  }
}

function wrongCount(kind: string, counted: number, found: number | string): Checked {
  return fail(
    'COUNT_WRONG',
    `registered senders: the manifest counts ${counted} ${kind}, and there are ${found}`,
  );
}
