/** Expected registrations, from plain objects: a map of pairs. The builder gets the same pairs. */
import { PairEntries, type RegisteredPair } from '../../../shared/build/pairs.ts';
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import type { Registration } from '../../../shared/release/registered-senders.ts';
import { OPTIONS } from './built-release.ts';
import { testKeys } from './test-keys.ts';

export async function buildRegistered(pairs: Iterable<RegisteredPair>, version = 1): Promise<BuiltRelease> {
  const entries = new PairEntries();
  for (const pair of pairs) entries.add(pair);
  const built = await buildRelease([], testKeys, {
    ...OPTIONS,
    registrations: { version, content: entries.finish(testKeys) },
  });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** The answers that a release with these pairs must give, by linear search in the pairs of the client. */
export class PlainRegistrations {
  readonly #pairs: ReadonlyMap<string, readonly RegisteredPair[]>;

  constructor(pairs: readonly RegisteredPair[]) {
    this.#pairs = Map.groupBy(pairs, ({ client }) => client);
  }

  find(n: number, client: string): Registration {
    const found = (this.#pairs.get(client) ?? []).filter(({ from, to }) => from <= n && n <= to);
    if (found.length === 0) return 'none';
    return found.some(({ own }) => own) ? 'own' : 'registered';
  }
}
