/**
 * The address of a request. One of plain characters, as nearly all are, is read by one regular expression
 * that says what `URL` would; every other by `URL` itself. Each `URL`, and each walk over its parameters, is
 * an object of the runtime, which costs a check more than its verdict.
 */

/** A path without dots and escapes, and a query that needs no more than decodeURIComponent. */
const PLAIN = /^https?:\/\/[\w.:-]+(\/[\w/-]*)(?:\?([\w.~=&%-]*))?$/;

export type Parameters = Iterable<readonly [name: string, value: string]>;

export class Address {
  readonly pathname: string;
  readonly #href: string;
  /** Behind the question mark; null where it is not plain. */
  readonly #query: string | null = null;

  constructor(href: string) {
    const plain = PLAIN.exec(href);
    this.#href = href;
    this.pathname = plain?.[1] ?? new URL(href).pathname;
    if (plain !== null) this.#query = plain[2] ?? '';
  }

  /** In their order, as `URLSearchParams` has them. */
  get parameters(): Parameters {
    return (this.#query === null ? null : decoded(this.#query)) ?? new URL(this.#href).searchParams;
  }
}

/** Null where an escape is none, or no UTF-8. */
function decoded(query: string): [name: string, value: string][] | null {
  const pairs: [name: string, value: string][] = [];
  try {
    for (const pair of query.split('&')) {
      if (pair === '') continue;
      const at = pair.indexOf('=');
      const equals = at < 0 ? pair.length : at;
      pairs.push([unescaped(pair.slice(0, equals)), unescaped(pair.slice(equals + 1))]);
    }
  } catch {
    return null;
  }
  return pairs;
}

/** @throws URIError where an escape is none, or no UTF-8 */
function unescaped(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text;
}
