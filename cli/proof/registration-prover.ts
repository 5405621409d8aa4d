/**
 * Compares the registered senders of a reopened release with those that it was built with, and counts the differences.
 *
 * Every registered number is looked up, and must be found. For a long range, the rows of the table must contain all of
 * it. Every stored pair and row is decoded, and must have been registered. Together, these checks decide every pair. As
 * many other pairs are looked up at random, to show that lookups find nothing else.
 */
import type { RegisteredPair } from '../../shared/build/pairs.ts';
import { prefixOf, SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { RegisteredCheck } from '../../shared/release/registered-check.ts';
import type { RegisteredSenders, Registration } from '../../shared/release/registered-senders.ts';
import type { Release } from '../../shared/release/release.ts';
import { LIST_OWN, LIST_REGISTERED, REGISTERED_LISTS } from '../../shared/set/layout.ts';
import { pairOf, runOf, unrotated } from '../../shared/set/pair-place.ts';
import type { RegisteredRange } from '../../shared/set/registered-table.ts';
import { readRegistrations } from '../import/registrations.ts';
import type { BuildFolder } from '../publish/build-folder.ts';

/** Ranges up to this length are looked up number by number. */
const LOOKED_UP_MAX = 64;

/** Intervals, joined once all are added. */
class Intervals {
  #all: { from: number; to: number }[] = [];

  add(from: number, to: number): void {
    this.#all.push({ from, to });
  }

  join(): void {
    const joined: { from: number; to: number }[] = [];
    for (const each of this.#all.sort((a, b) => a.from - b.from)) {
      const last = joined.at(-1);
      if (last === undefined || each.from > last.to + 1) joined.push({ ...each });
      else last.to = Math.max(last.to, each.to);
    }
    this.#all = joined;
  }

  /** Whether one interval has all numbers from `from` to `to`. */
  contain(from: number, to: number): boolean {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all[middle]!.from <= from) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.#all[low - 1]!.to >= to;
  }
}

const NONE = new Intervals();

export class RegistrationProver {
  lookups = 0;
  wrong = 0;
  readonly #release: Release;
  readonly #senders: RegisteredSenders;
  /** Intervals by list and client. */
  readonly #model = Array.from({ length: REGISTERED_LISTS }, () => new Map<string, Intervals>());

  /** @param release with registered senders */
  constructor(release: Release) {
    this.#release = release;
    this.#senders = release.registrations!;
  }

  /** @param read reads the pairs again from the start */
  async prove(read: () => Promise<AsyncIterable<RegisteredPair>>): Promise<void> {
    for await (const { client, from, to, own } of await read()) {
      const clients = this.#model[own ? LIST_OWN : LIST_REGISTERED]!;
      const intervals = clients.get(client) ?? new Intervals();
      clients.set(client, intervals);
      intervals.add(from, to);
    }
    for (const clients of this.#model) for (const intervals of clients.values()) intervals.join();
    this.#checkStored();
    let before = '';
    const rows = this.#rowsByClient();
    for await (const pair of await read()) {
      this.#checkPair(pair, rows);
      const n = prefixOf(pair.from) * SUFFIX_COUNT + Math.floor(Math.random() * SUFFIX_COUNT);
      this.#lookUp(n, pair.client);
      this.#lookUp(pair.from, before);
      before = pair.client;
    }
  }

  #count(right: boolean): void {
    if (!right) this.wrong++;
  }

  #expected(n: number, client: string): Registration {
    if (this.#isIn(LIST_OWN, client, n, n)) return 'own';
    return this.#isIn(LIST_REGISTERED, client, n, n) ? 'registered' : 'none';
  }

  #isIn(list: number, client: string, from: number, to: number): boolean {
    return (this.#model[list]!.get(client) ?? NONE).contain(from, to);
  }

  #lookUp(n: number, client: string): void {
    this.lookups++;
    this.#count(this.#senders.find(n, client) === this.#expected(n, client));
  }

  #checkPair(
    { client, from, to, own }: RegisteredPair,
    rows: readonly ReadonlyMap<string, Intervals>[],
  ): void {
    if (to - from < LOOKED_UP_MAX) {
      for (let n = from; n <= to; n++) this.#lookUp(n, client);
      return;
    }
    for (const n of [from, to]) this.#lookUp(n, client);
    const inTable = rows[own ? LIST_OWN : LIST_REGISTERED]!.get(client) ?? NONE;
    this.#count(inTable.contain(from, to));
  }

  #rowsByClient(): Map<string, Intervals>[] {
    const table = this.#senders.table!;
    return this.#model.map((_, list) => {
      const rows = new Map<string, Intervals>();
      for (const { place, from, to } of table.rows(list)) {
        const client = table.clients[place]!;
        const intervals = rows.get(client) ?? new Intervals();
        rows.set(client, intervals);
        intervals.add(from, to);
      }
      for (const intervals of rows.values()) intervals.join();
      return rows;
    });
  }

  /** Decodes everything that is stored, and compares it with the model. */
  #checkStored(): void {
    const { info, slices } = this.#senders;
    const table = this.#senders.table!;
    const check = new RegisteredCheck(this.#release.manifest);
    this.#count(check.addTable(table).ok);
    for (const index of info.shards.keys()) this.#count(check.addShard(index, slices.shard(index)!).ok);
    this.#count(check.finish().ok);
    for (let list = 0; list < REGISTERED_LISTS; list++) {
      for (const row of table.rows(list)) this.#checkRow(list, row);
    }
    for (const index of info.shards.keys()) this.#checkPairs(index);
  }

  #checkRow(list: number, { place, from, to }: RegisteredRange): void {
    this.#count(this.#isIn(list, this.#senders.table!.clients[place]!, from, to));
  }

  #checkPairs(index: number): void {
    const { keys } = this.#release;
    const table = this.#senders.table!;
    const { groups } = table;
    for (const part of this.#senders.slices.shard(index)!.parts) {
      const { group, prefix } = runOf(part.start);
      const clients = groups[group]!;
      for (const batch of part.pairs()) {
        for (const key of batch) {
          const { rank, rotatedImage, own } = pairOf(key, part.start, part.room);
          const client = clients[rank];
          if (client === undefined) {
            this.#count(false);
            continue;
          }
          const image = unrotated(rotatedImage, table.client(client)!.rotation);
          const n = prefix * SUFFIX_COUNT + keys.permutation.invert(image);
          this.#count(this.#isIn(own ? LIST_OWN : LIST_REGISTERED, client, n, n));
        }
      }
    }
  }
}

/** Proves the registered senders of a build, if it has any. @throws CommandFailure if its folder lacks them */
export async function proveRegistrations(
  release: Release,
  folder: BuildFolder,
): Promise<{ readonly lookups: number; readonly wrong: number }> {
  const { manifest, keys } = release;
  if (manifest.registrations === undefined) return { lookups: 0, wrong: 0 };
  const path = folder.registrations;
  if (path === null) {
    // `build --authority` and `--no-registrations` take the values of the base as they are.
    const { registrations } = await folder.openBase(keys);
    const isSame = JSON.stringify(registrations) === JSON.stringify(manifest.registrations);
    return { lookups: 0, wrong: isSame ? 0 : 1 };
  }
  const prover = new RegistrationProver(release);
  await prover.prove(async () => (await readRegistrations(path)).pairs);
  return prover;
}
