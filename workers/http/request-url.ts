/**
 * The URL of a request. A plain URL, as nearly all are, is parsed by one regular expression with the same
 * result as `URL`; all others are parsed by `URL`. Each `URL`, and each iteration over its parameters,
 * creates a runtime object, which costs more than screening.
 */

/** A path without dots and escapes, and a query that needs only decodeURIComponent. */
const PLAIN = /^https?:\/\/[\w.:-]+(\/[\w/-]*)(?:\?([\w.~=&%-]*))?$/;

export type RawQuery = Iterable<readonly [name: string, value: string]>;

export class RequestUrl {
  readonly pathname: string;
  readonly #href: string;
  /** The part after the question mark; null if the URL is not plain. */
  readonly #query: string | null = null;

  constructor(href: string) {
    const plain = PLAIN.exec(href);
    this.#href = href;
    this.pathname = plain?.[1] ?? new URL(href).pathname;
    if (plain !== null) this.#query = plain[2] ?? '';
  }

  /** In order, as in `URLSearchParams`. */
  get parameters(): RawQuery {
    return (this.#query === null ? null : decoded(this.#query)) ?? new URL(this.#href).searchParams;
  }
}

/** Null if an escape is invalid or is not UTF-8. */
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

/** @throws URIError if an escape is invalid or is not UTF-8 */
function unescaped(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text;
}
