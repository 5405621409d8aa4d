/**
 * Finds JSON objects with the same member twice. Parsers differ in which of the two they keep (RFC 8259, 4), so that two
 * readers of one signed object could read different claims.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @param json valid JSON */
export function repeatsMember(json: string): boolean {
  /** The members so far of each open object or list, innermost last. A list has none. */
  const open: Set<string>[] = [];
  let written = '';
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '"': {
        const end = endOfString(json, at);
        written = json.slice(at, end);
        at = end - 1;
        break;
      }
      case ':': {
        const members = open.at(-1)!;
        // Two spellings can be one name: "a" and "\u0061".
        const name: string = JSON.parse(written);
        if (members.has(name)) return true;
        members.add(name);
        break;
      }
      case '{':
      case '[':
        open.push(new Set());
        break;
      case '}':
      case ']':
        open.pop();
        break;
    }
  }
  return false;
}

/** @param at of its opening quote @returns the index after its closing quote */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json.charCodeAt(end) !== QUOTE) end += json.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end + 1;
}
