/**
 * Verifies a release before it becomes current: every value matches the manifest, and the counts add up.
 * Holds one value at a time. Costs some 20 ns per number.
 */
import { RELEASE_NUMBERS_MAX } from '../limits.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { RangeTable } from '../set/range-table.ts';
import type { Part, Shard } from '../set/shard.ts';
import type { SourceTable } from '../set/source-table.ts';
import { type Blob, blobsOf, type Manifest } from './manifest.ts';
import { openValue } from './opened-value.ts';
import type { BlobProblem } from './release.ts';

/**
 * `LISTS_WRONG`: a value has more or fewer lists. `SLICE_WRONG`: a shard covers other keys.
 * `ORDER_WRONG`: entries are not ascending, or no look-up can find them. `COUNT_WRONG`: the counts of the
 * manifest differ from the values. `LIMIT_EXCEEDED`: more numbers than a release may have.
 */
export type CheckProblem =
  | BlobProblem
  | 'LISTS_WRONG'
  | 'SLICE_WRONG'
  | 'ORDER_WRONG'
  | 'COUNT_WRONG'
  | 'VALUE_MISSING'
  | 'LIMIT_EXCEEDED';
type Checked = Result<null, Failure<CheckProblem>>;

const KINDS = ['numbers', 'dated', 'ranges', 'sources'] as const;
/** Entry counts of a list. */
type Tally = Record<(typeof KINDS)[number], number>;

export class ReleaseCheck {
  readonly #manifest: Manifest;
  readonly #keys: ListKeys;
  readonly #tallies: readonly Tally[];
  readonly #added = new Set<string>();

  constructor(manifest: Manifest, keys: ListKeys) {
    this.#manifest = manifest;
    this.#keys = keys;
    this.#tallies = manifest.lists.map(() => ({ numbers: 0, dated: 0, ranges: 0, sources: 0 }));
  }

  /** Checks one value. Any order; a repeated value is ignored. @param bytes aligned to 8 bytes */
  async add(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Checked> {
    const { lists, shards } = this.#manifest;
    const said = lists.reduce((sum, list) => sum + list.numbers, 0);
    if (said > RELEASE_NUMBERS_MAX) {
      return fail('LIMIT_EXCEEDED', `the manifest counts ${said} numbers, at most ${RELEASE_NUMBERS_MAX}`);
    }
    if (this.#added.has(blob.key)) return ok(null);
    const opened = await openValue(this.#manifest, blob, bytes, this.#keys);
    if (!opened.ok) return opened;
    const { ranges, sources } = opened.value;
    const at = shards.flatMap(({ key }, index) => (key === blob.key ? [index] : []));
    let checked: Checked;
    if (ranges !== null) checked = this.#addRanges(ranges);
    else if (sources !== null) checked = this.#addSources(sources);
    else if (at.length > 1) checked = fail('SLICE_WRONG', `${blob.key} stands for several slices`);
    else checked = this.#addShard(at[0]!, opened.value.shard(at[0]!)!);
    if (!checked.ok) return checked;
    this.#added.add(blob.key);
    return ok(null);
  }

  /** Checks that every value was added and that their contents match the counts of the manifest. */
  finish(): Checked {
    const missing = blobsOf(this.#manifest).filter(({ key }) => !this.#added.has(key)).length;
    if (missing > 0) return fail('VALUE_MISSING', `${missing} values were not checked`);
    for (const [list, info] of this.#manifest.lists.entries()) {
      for (const kind of KINDS) {
        const found = this.#tallies[list]![kind];
        if (found !== info[kind]) return countWrong(info.name, kind, info[kind], found);
      }
    }
    return ok(null);
  }

  #addShard(index: number, shard: Shard): Checked {
    const { lists, shards } = this.#manifest;
    const { key, start } = shards[index]!;
    if (shard.lists !== lists.length) return listsWrong(key, shard.lists, lists.length);
    const end = shards[index + 1]?.start ?? NUMBER_LIMIT;
    if (shard.start !== start || shard.end !== end) return fail('SLICE_WRONG', `${key} is for another slice`);
    for (const part of shard.parts) {
      for (const list of lists.keys()) {
        const checked = this.#addPart(key, part, list);
        if (!checked.ok) return checked;
      }
    }
    return ok(null);
  }

  #addPart(key: string, part: Part, list: number): Checked {
    const { name, numbers } = this.#manifest.lists[list]!;
    const tally = this.#tallies[list]!;
    let last = part.start - 1;
    for (const batch of part.keys(list)) {
      for (const each of batch) {
        if (each <= last || each >= part.end) return misorderedEntries(key, name);
        last = each;
      }
      tally.numbers += batch.length;
      // A few bytes can list a whole prefix, so reading stops at the count of the manifest.
      if (tally.numbers > numbers) return countWrong(name, 'numbers', numbers, `${tally.numbers} or more`);
    }
    last = part.start;
    for (const row of part.dated(list)) {
      if (row.key < last || row.key >= part.end) return misorderedEntries(key, name);
      last = row.key;
      tally.dated++;
    }
    return ok(null);
  }

  #addRanges(table: RangeTable): Checked {
    const { lists, ranges } = this.#manifest;
    if (table.lists !== lists.length) return listsWrong(ranges!.key, table.lists, lists.length);
    for (const [list, { name }] of lists.entries()) {
      let last = { from: -1, to: -1 };
      for (const { from, to } of table.rows(list)) {
        const isEqual = from === last.from && to === last.to;
        const isSound = Number.isInteger(from) && Number.isInteger(to) && from <= to && to < NUMBER_LIMIT;
        if (!isSound || (from <= last.to && !isEqual)) return misorderedEntries(ranges!.key, name);
        last = { from, to };
        this.#tallies[list]!.ranges++;
      }
    }
    return ok(null);
  }

  #addSources(table: SourceTable): Checked {
    const { lists, sources } = this.#manifest;
    if (table.lists !== lists.length) return listsWrong(sources!.key, table.lists, lists.length);
    for (const [list, { name }] of lists.entries()) {
      let last = 0n;
      for (const { fingerprint } of table.rows(list)) {
        if (fingerprint < last) return misorderedEntries(sources!.key, name);
        last = fingerprint;
        this.#tallies[list]!.sources++;
      }
    }
    return ok(null);
  }
}

function listsWrong(key: string, found: number, said: number): Checked {
  return fail('LISTS_WRONG', `${key} has ${found} lists, the manifest ${said}`);
}

function misorderedEntries(key: string, list: string): Checked {
  return fail('ORDER_WRONG', `${key}: entries of ${list} do not rise, or lie where no query finds them`);
}

function countWrong(list: string, kind: string, said: number, found: number | string): Checked {
  return fail('COUNT_WRONG', `${list}: the manifest counts ${said} ${kind}, and there are ${found}`);
}
