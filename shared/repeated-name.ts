/**
 * Finds a name that a JSON object has twice. `JSON.parse` silently takes the last value (RFC 8259, 4), so a reader
 * with another parser, such as a reviewer's, sees another change.
 *
 * This reads the text again, and takes several times as long as `JSON.parse`. That is negligible for a change of
 * the lists, but too slow for a check or a batch.
 */

/** Matches brackets, and strings with the colon that makes them a name. Everything else is skipped. */
const TOKEN = /[{}[\]]|"(?:[^"\\]+|\\.)*"(\s*:)?/g;

/** Returns the first repeated name, or null. Expects text that `JSON.parse` accepts. O(length). */
export function repeatedName(text: string): string | null {
  /** Names of the open objects; null for an open list. */
  const open: (Set<string> | null)[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      // Resolves escapes: "\u0061" is "a".
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open.at(-1)!;
      if (names!.has(name)) return name;
      names!.add(name);
    }
  }
  return null;
}
