/** Reads and classifies single UTF-16 units of a text. */

/** A unit of the text, or 0 outside it, because reading outside a text takes engines much longer. */
export function unitAt(text: string, at: number): number {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : 0;
}

export function isNumeral(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether a unit is an ASCII letter. */
export function isLatin(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}

export function isSlash(code: number): boolean {
  return code === 0x2f || code === 0x5c;
}
