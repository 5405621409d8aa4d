/**
 * Finds near-duplicates among texts exactly, by the join of Bayardo, Ma and Srikant 2007 ("Scaling up all pairs similarity
 * search") over sets of 6-grams. It shares no code with the fingerprints that it checks.
 */

const GRAM = 6;

/** The 6-grams of a text's letters: fully decomposed (Hangul into jamo), in lower case, with each digit as 0. */
export function gramsOf(text: string): Set<string> {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/\p{N}/gu, '0');
  const grams = new Set<string>();
  for (let at = 0; at + GRAM <= letters.length; at++) grams.add(letters.slice(at, at + GRAM));
  return grams;
}

/**
 * Finds the texts that resemble one of `others`.
 * @param least share of the union of both sets of grams that must be common (Jaccard) @returns indices of `texts`
 */
export function nearDuplicates(
  others: readonly ReadonlySet<string>[],
  texts: readonly ReadonlySet<string>[],
  least: number,
): Set<number> {
  const counts = new Map<string, number>();
  for (const grams of [...others, ...texts])
    for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  // Rarest grams first. Two similar sets then share one of their first grams.
  const order = new Map([...counts].sort((a, b) => a[1] - b[1]).map(([gram], rank) => [gram, rank]));
  const ranked = (grams: ReadonlySet<string>): Uint32Array =>
    Uint32Array.from(grams, (gram) => order.get(gram)!).sort();
  const prefixOf = (ranks: Uint32Array): Uint32Array =>
    ranks.subarray(0, ranks.length - Math.ceil(least * ranks.length) + 1);
  const sets = others.map(ranked);
  const index = new Map<number, number[]>();
  for (const [at, ranks] of sets.entries()) {
    for (const rank of prefixOf(ranks)) {
      const found = index.get(rank);
      if (found === undefined) index.set(rank, [at]);
      else found.push(at);
    }
  }
  const duplicates = new Set<number>();
  for (const [at, grams] of texts.entries()) {
    const ranks = ranked(grams);
    const candidates = new Set<number>();
    for (const rank of prefixOf(ranks)) for (const other of index.get(rank) ?? []) candidates.add(other);
    for (const other of candidates) {
      if (jaccard(ranks, sets[other]!) < least) continue;
      duplicates.add(at);
      break;
    }
  }
  return duplicates;
}

/** @param a ascending @param b ascending */
function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  for (let at = 0, other = 0; at < a.length && other < b.length; ) {
    const [left, right] = [a[at]!, b[other]!];
    if (left === right) common++;
    if (left <= right) at++;
    if (right <= left) other++;
  }
  return common / (a.length + b.length - common);
}
