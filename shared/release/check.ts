/**
 * Verifies a release before it becomes current: every value matches the manifest, and the counts add up.
 * Holds one value at a time. Costs some 20 ns per number.
 */
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import type { RangeRow } from '../set/range-table.ts';
import type { Part, Shard } from '../set/shard.ts';
import type { SourceRow } from '../set/source-table.ts';
import { type Blob, blobsOf, countNumbers, type Manifest } from './manifest.ts';
import { RegisteredCheck } from './registered-check.ts';
import { type BlobProblem, openValue } from './release.ts';

/**
 * `FORMAT_UNSUPPORTED`: an older version built the registered senders. `LISTS_WRONG`: a value has more or fewer
 * lists than the manifest. `SLICE_WRONG`: a shard covers other keys. `ORDER_WRONG`: entries are not ascending, or
 * no look-up can find them. `COUNT_WRONG`: the counts of the manifest differ from the values. `LIMIT_EXCEEDED`:
 * more numbers than a release may have.
 */
type CheckProblem =
  | BlobProblem
  | 'FORMAT_UNSUPPORTED'
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
  readonly #registered: RegisteredCheck;
  readonly #added = new Set<string>();

  constructor(manifest: Manifest, keys: ListKeys) {
    this.#manifest = manifest;
    this.#keys = keys;
    this.#registered = new RegisteredCheck(manifest);
    this.#tallies = manifest.lists.map(() => ({ numbers: 0, dated: 0, ranges: 0, sources: 0 }));
  }

  /** Checks one value. Values may come in any order; a repeated one is ignored. @param bytes aligned to 8 bytes */
  async add(blob: Blob, bytes: Uint8Array<ArrayBuffer>): Promise<Checked> {
    const { lists, shards } = this.#manifest;
    const counted = countNumbers(this.#manifest);
    if (!counted.ok) return counted;
    if (this.#added.has(blob.key)) return ok(null);
    const opened = await openValue(this.#manifest, blob, bytes, this.#keys);
    if (!opened.ok) return opened;
    const { registrations } = opened.value;
    if (registrations !== null && blob.key === registrations.info.table.key)
      return this.#done(blob, this.#registered.addTable(registrations.table!));
    const pairs = this.#manifest.registrations?.shards.findIndex(({ key }) => key === blob.key) ?? -1;
    if (pairs >= 0)
      return this.#done(blob, this.#registered.addShard(pairs, registrations!.slices.shard(pairs)!));
    const { ranges, sources } = opened.value;
    const [index, second] = shards.flatMap(({ key }, at) => (key === blob.key ? [at] : []));
    if (second !== undefined && ranges === null && sources === null)
      return fail('SLICE_WRONG', `${blob.key} is used for several slices`);
    const value = ranges ?? sources ?? opened.value.shard(index!)!;
    if (value.lists !== lists.length) {
      const message = `${blob.key} has ${value.lists} lists, but the manifest has ${lists.length}`;
      return fail('LISTS_WRONG', message);
    }
    let checked: Checked = ok(null);
    if (ranges !== null) checked = this.#addRows(blob.key, 'ranges', ranges, areRangesInOrder);
    else if (sources !== null) checked = this.#addRows(blob.key, 'sources', sources, areSourcesInOrder);
    else checked = this.#addShard(index!, opened.value.shard(index!)!);
    return this.#done(blob, checked);
  }

  #done(blob: Blob, checked: Checked): Checked {
    if (checked.ok) this.#added.add(blob.key);
    return checked;
  }

  /** Checks that every value was added and that their contents match the counts of the manifest. */
  finish(): Checked {
    const missing = blobsOf(this.#manifest).filter(({ key }) => !this.#added.has(key)).length;
    if (missing > 0) return fail('VALUE_MISSING', `${missing} values were not checked`);
    for (const [list, info] of this.#manifest.lists.entries()) {
      for (const kind of KINDS) {
        const found = this.#tallies[list]![kind];
        if (found !== info[kind]) return wrongCount(info.name, kind, info[kind], found);
      }
    }
    return this.#registered.finish();
  }

  #addShard(index: number, shard: Shard): Checked {
    const { lists, shards } = this.#manifest;
    const { key, start } = shards[index]!;
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
      if (tally.numbers > numbers) return wrongCount(name, 'numbers', numbers, `${tally.numbers} or more`);
    }
    last = part.start;
    for (const row of part.dated(list)) {
      if (row.key < last || row.key >= part.end) return misorderedEntries(key, name);
      last = row.key;
      tally.dated++;
    }
    return ok(null);
  }

  #addRows<Row>(
    key: string,
    kind: 'ranges' | 'sources',
    table: { rows(list: number): Iterable<Row> },
    areInOrder: (before: Row | null, row: Row) => boolean,
  ): Checked {
    for (const [list, { name }] of this.#manifest.lists.entries()) {
      let before: Row | null = null;
      for (const row of table.rows(list)) {
        if (!areInOrder(before, row)) return misorderedEntries(key, name);
        before = row;
        this.#tallies[list]![kind]++;
      }
    }
    return ok(null);
  }
}

function areRangesInOrder(before: RangeRow | null, { from, to }: RangeRow): boolean {
  const isSound =
    Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to < NUMBER_LIMIT;
  const isEqual = before?.from === from && before.to === to;
  return isSound && (before === null || before.to < from || isEqual);
}

function areSourcesInOrder(before: SourceRow | null, { fingerprint }: SourceRow): boolean {
  return before === null || before.fingerprint <= fingerprint;
}

function misorderedEntries(key: string, list: string): Checked {
  const message = `${key}: entries of "${list}" are out of order, or in a place where no lookup finds them`;
  return fail('ORDER_WRONG', message);
}

function wrongCount(list: string, kind: string, counted: number, found: number | string): Checked {
  return fail('COUNT_WRONG', `${list}: the manifest counts ${counted} ${kind}, but there are ${found}`);
}
