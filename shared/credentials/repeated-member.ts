/**
 * Finds JSON objects with the same member twice. Parsers differ in which of the two they keep (RFC 8259, 4), so two
 * readers of one signed object could read different claims. Anybody can present an object, so the time of the search must
 * not depend much on the object's form.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** @param json valid JSON */
export function repeatsMember(json: string): boolean {
  /** Members found so far in each open object or list, innermost last; null before the first member. */
  const open: (Set<string> | null)[] = [];
  let written = '';
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(json, at);
        written = json.slice(at, end);
        at = end - 1;
        break;
      }
      case COLON: {
        // One name can have two spellings: "a" and "\u0061".
        const name: string = written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
        const members = open[open.length - 1] ?? new Set();
        if (members.has(name)) return true;
        members.add(name);
        open[open.length - 1] = members;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        open.push(null);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        break;
    }
  }
  return false;
}

/** @param at index of the opening quote @returns the index after the closing quote */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json.charCodeAt(end) !== QUOTE) end += json.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end + 1;
}
