/**
 * Finds names above public suffixes: `amazonaws.com` is not a suffix, but its subdomains such as `s3.amazonaws.com` are. A
 * list with such a host would decide for the sites of many owners.
 *
 * The library answers only whether a name is a suffix, so this file reads the trie that the library ships. The version of
 * the library is pinned, and a test checks names that must be found.
 */
import { createRequire } from 'node:module';

/** A node has the edges from `edgeStart[node]` to `edgeStart[node + 1]`. An edge has a label, and leads to a node. */
interface Trie {
  readonly edgeStart: Uint16Array;
  readonly edgeLength: Uint8Array;
  readonly edgeChild: Uint16Array;
  /** Labels of all edges, one after another. */
  readonly labelText: string;
  readonly rulesRoot: number;
}

const load = createRequire(import.meta.url);
let parents: ReadonlySet<string> | null = null;

/** @param host in canonical form */
export function isAboveSuffixes(host: string): boolean {
  parents ??= readParents(load('tldts/dist/cjs/src/data/trie.js') as Trie);
  return parents.has(host);
}

function readParents({ edgeStart, edgeLength, edgeChild, labelText, rulesRoot }: Trie): ReadonlySet<string> {
  const labels: string[] = [];
  let offset = 0;
  for (const length of edgeLength) {
    labels.push(labelText.slice(offset, offset + length));
    offset += length;
  }
  const found = new Set<string>();
  const visit = (node: number, name: string): void => {
    const [from, to] = [edgeStart[node]!, edgeStart[node + 1]!];
    if (from < to && name !== '') found.add(name);
    for (let edge = from; edge < to; edge++)
      visit(edgeChild[edge]!, name === '' ? labels[edge]! : `${labels[edge]}.${name}`);
  };
  visit(rulesRoot, '');
  return found;
}
