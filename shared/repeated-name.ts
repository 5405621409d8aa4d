/**
 * Finds a name that a JSON object has twice. `JSON.parse` takes the last value without notice (RFC 8259, 4),
 * so a reader with another parser, such as a reviewer's, sees another change.
 *
 * It reads the text once more, and takes several times as long as `JSON.parse`. That is nothing next to a
 * change of the lists, but too much for a check or a batch.
 */

/** Brackets, and strings with the colon that makes them a name. Everything else is skipped. */
const TOKEN = /[{}[\]]|"(?:[^"\\]+|\\.)*"(\s*:)?/g;

/** The first repeated name, or null. Expects text that `JSON.parse` accepts. O(length). */
export function repeatedName(text: string): string | null {
  /** Names of the open objects; null for an open list. */
  const open: (Set<string> | null)[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      // Escapes: "\u0061" is "a".
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open.at(-1)!;
      if (names!.has(name)) return name;
      names!.add(name);
    }
  }
  return null;
}
