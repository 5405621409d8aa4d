/**
 * The credential table: the fields of each certificate and delegation that the edge needs to verify message tokens, by
 * digest. Each shard is one table. Rows are read in place, and a lookup is one binary search.
 */
import { fromBase64Url, toBase64Url, utf8 } from '../bytes.ts';
import { CREDENTIAL_NUMBERS_MAX } from '../limits/credentials.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import type { Span } from '../numbers/spans.ts';
import { CHANNELS, type Channel } from '../request.ts';
import {
  CREDENTIAL_ALGORITHM_SHIFT,
  CREDENTIAL_DIGEST_BYTES,
  CREDENTIAL_KEY_BYTES,
  CREDENTIAL_ROW_WORDS,
  CREDENTIAL_SCOPE_SHIFT,
  CREDENTIAL_SPAN_BYTES,
  CREDENTIAL_SPANS_SHIFT,
  CREDENTIALS_HEADER_WORDS,
  CREDENTIALS_MAGIC,
  FORMAT_VERSION,
} from '../set/layout.ts';
import { readNames } from '../set/names.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import { type CredentialKey, KEY_ALGORITHMS } from './keys.ts';

/** Rows store the index, so never reorder them. */
export const CREDENTIAL_KINDS = ['certificate', 'delegation'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

export interface CredentialRow {
  /** SHA-256 of the compact JWS, in base64url. */
  readonly digest: string;
  readonly kind: CredentialKind;
  /** The holder of a certificate, or the agent of a delegation. */
  readonly organisation: string;
  /** Seconds since 1970. The credential is valid from `nbf` (inclusive) to `exp` (exclusive). */
  readonly nbf: number;
  readonly exp: number;
  /** The key that signs the delegations and message tokens that rest on this credential. */
  readonly key: CredentialKey;
  /** Digest of the link that a delegation rests on; null for a certificate. */
  readonly principal: string | null;
  /** 1 to CREDENTIAL_NUMBERS_MAX, ascending. */
  readonly spans: readonly Span[];
  /** Channels that the credential permits. A certificate permits all channels. */
  readonly scope: readonly Channel[];
  /** Status list and index in it. */
  readonly statusUri: string;
  readonly statusIndex: number;
}

const NAME = 'credential table';
const U32_MAX = 0xffffffff;

/** @throws RangeError if two rows have the same digest, or a row has no binary form */
export function encodeCredentials(rows: readonly CredentialRow[]): Uint8Array<ArrayBuffer> {
  const sorted = rows
    .map((row) => ({ row, digest: digestBytes(row.digest) }))
    .sort((a, b) => compare(a.digest, b.digest));
  const names = [...new Set(rows.flatMap(({ organisation, statusUri }) => [organisation, statusUri]))].sort();
  if (names.some((name) => name === '' || name.includes('\n')))
    throw new RangeError(`${NAME}: a name is empty or has two lines`);
  const nameIndexes = new Map(names.map((name, index) => [name, index]));
  const principals = [
    ...new Set(rows.flatMap(({ principal }) => (principal === null ? [] : [principal]))),
  ].sort();
  const principalIndexes = new Map(principals.map((principal, index) => [principal, index]));
  const text = utf8(names.map((name) => `${name}\n`).join(''));
  const spanCount = rows.reduce((sum, { spans }) => sum + spans.length, 0);
  const at = offsets(rows.length, spanCount, principals.length, text.length);
  const bytes = new Uint8Array(at.end);
  new Uint32Array(bytes.buffer, 0, CREDENTIALS_HEADER_WORDS).set([
    ...[CREDENTIALS_MAGIC, FORMAT_VERSION, rows.length, spanCount, principals.length, text.length],
  ]);
  const words = new Uint32Array(bytes.buffer, at.rows, rows.length * CREDENTIAL_ROW_WORDS);
  const numbers = new Float64Array(bytes.buffer, at.spans, spanCount * 2);
  let span = 0;
  sorted.forEach(({ row, digest }, index) => {
    if (index > 0 && compare(sorted[index - 1]!.digest, digest) === 0)
      throw new RangeError(`${NAME}: two rows with one digest`);
    checkRow(row);
    bytes.set(digest, at.digests + index * CREDENTIAL_DIGEST_BYTES);
    bytes.set(row.key.bytes, at.keys + index * CREDENTIAL_KEY_BYTES);
    words.set(
      [
        ...[row.nbf, row.exp, row.statusIndex, span, flagsOf(row)],
        nameIndexes.get(row.organisation)!,
        nameIndexes.get(row.statusUri)!,
        row.principal === null ? 0 : principalIndexes.get(row.principal)! + 1,
      ],
      index * CREDENTIAL_ROW_WORDS,
    );
    for (const { from, to } of row.spans) {
      numbers.set([from, to], span * 2);
      span++;
    }
  });
  principals.forEach((principal, index) => {
    bytes.set(digestBytes(principal), at.principals + index * CREDENTIAL_DIGEST_BYTES);
  });
  bytes.set(text, at.names);
  return bytes;
}

function checkRow({ nbf, exp, key, kind, principal, spans, statusIndex }: CredentialRow): void {
  const isWord = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= U32_MAX;
  const keyBytes = key.alg === 'ES256' ? CREDENTIAL_KEY_BYTES : CREDENTIAL_KEY_BYTES / 2;
  const isGood =
    [nbf, exp, statusIndex].every(isWord) &&
    key.bytes.length === keyBytes &&
    (kind === 'certificate') === (principal === null) &&
    spans.length >= 1 &&
    spans.length <= CREDENTIAL_NUMBERS_MAX &&
    areAscending(spans);
  if (!isGood) throw new RangeError(`${NAME}: a row has no binary form`);
}

function areAscending(spans: readonly Span[]): boolean {
  return spans.every(
    ({ from, to }, index) =>
      Number.isInteger(from) &&
      Number.isInteger(to) &&
      from > (spans[index - 1]?.to ?? 0) &&
      from <= to &&
      to < NUMBER_LIMIT,
  );
}

function flagsOf({ kind, key, scope, spans }: CredentialRow): number {
  const scopes = CHANNELS.reduce((sum, each, bit) => sum | ((scope.includes(each) ? 1 : 0) << bit), 0);
  return (
    CREDENTIAL_KINDS.indexOf(kind) |
    (KEY_ALGORITHMS.indexOf(key.alg) << CREDENTIAL_ALGORITHM_SHIFT) |
    (scopes << CREDENTIAL_SCOPE_SHIFT) |
    (spans.length << CREDENTIAL_SPANS_SHIFT)
  );
}

export class CredentialTable {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #at: ReturnType<typeof offsets>;
  readonly #words: Uint32Array;
  readonly #numbers: Float64Array;
  readonly #names: readonly string[];
  readonly count: number;
  readonly #principals: number;

  /** @param bytes the decrypted table, aligned to 8 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const header = openWords(bytes, CREDENTIALS_MAGIC, NAME, 8);
    const [, , count, spans, principals, names] = header as unknown as Readonly<number[]>;
    if (header.length < CREDENTIALS_HEADER_WORDS) throw new LayoutError(`${NAME}: truncated`);
    this.#at = offsets(count!, spans!, principals!, names!);
    if (this.#at.end !== bytes.length) throw new LayoutError(`${NAME}: wrong size`);
    this.#bytes = bytes;
    this.count = count!;
    this.#principals = principals!;
    this.#words = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset + this.#at.rows,
      count! * CREDENTIAL_ROW_WORDS,
    );
    this.#numbers = new Float64Array(bytes.buffer, bytes.byteOffset + this.#at.spans, spans! * 2);
    this.#names = readNames(bytes.subarray(this.#at.names, this.#at.names + names!), NAME);
    for (let row = 1; row < this.count; row++) {
      if (compare(this.#digest(row - 1), this.#digest(row)) >= 0)
        throw new LayoutError(`${NAME}: rows out of order`);
    }
  }

  /** Size in bytes. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** Returns the credential with this digest, or null. @throws LayoutError if its row is damaged */
  find(digest: string): CredentialRow | null {
    const wanted = fromBase64Url(digest);
    if (wanted?.length !== CREDENTIAL_DIGEST_BYTES) return null;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#digest(middle), wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.count && compare(this.#digest(low), wanted) === 0 ? this.#row(low) : null;
  }

  /** Returns every row, in the order of the digests. @throws LayoutError */
  *rows(): Generator<CredentialRow> {
    for (let row = 0; row < this.count; row++) yield this.#row(row);
  }

  #digest(row: number): Uint8Array {
    const at = this.#at.digests + row * CREDENTIAL_DIGEST_BYTES;
    return this.#bytes.subarray(at, at + CREDENTIAL_DIGEST_BYTES);
  }

  #row(row: number): CredentialRow {
    const words = this.#words.subarray(row * CREDENTIAL_ROW_WORDS, (row + 1) * CREDENTIAL_ROW_WORDS);
    const [nbf, exp, statusIndex, firstSpan, flags, organisation, statusUri, principal] =
      words as unknown as number[];
    const spanCount = flags! >>> CREDENTIAL_SPANS_SHIFT;
    const known =
      organisation! < this.#names.length && statusUri! < this.#names.length && principal! <= this.#principals;
    if (!known || (firstSpan! + spanCount) * 2 > this.#numbers.length)
      throw new LayoutError(`${NAME}: a row is damaged`);
    const alg = KEY_ALGORITHMS[(flags! >>> CREDENTIAL_ALGORITHM_SHIFT) & 1]!;
    const keyAt = this.#at.keys + row * CREDENTIAL_KEY_BYTES;
    const keyBytes = alg === 'ES256' ? CREDENTIAL_KEY_BYTES : CREDENTIAL_KEY_BYTES / 2;
    const spans = Array.from({ length: spanCount }, (_, index) => ({
      from: this.#numbers[(firstSpan! + index) * 2]!,
      to: this.#numbers[(firstSpan! + index) * 2 + 1]!,
    }));
    if (!areAscending(spans)) throw new LayoutError(`${NAME}: numbers out of order`);
    return {
      digest: toBase64Url(this.#digest(row)),
      kind: CREDENTIAL_KINDS[flags! & 1]!,
      organisation: this.#names[organisation!]!,
      ...{ nbf: nbf!, exp: exp!, statusIndex: statusIndex!, spans },
      key: { alg, bytes: this.#bytes.slice(keyAt, keyAt + keyBytes) },
      principal: principal === 0 ? null : toBase64Url(this.#principal(principal! - 1)),
      scope: CHANNELS.filter((_, bit) => (flags! >>> (CREDENTIAL_SCOPE_SHIFT + bit)) & 1),
      statusUri: this.#names[statusUri!]!,
    };
  }

  #principal(index: number): Uint8Array {
    const at = this.#at.principals + index * CREDENTIAL_DIGEST_BYTES;
    return this.#bytes.subarray(at, at + CREDENTIAL_DIGEST_BYTES);
  }
}

/** Returns where each part begins, in bytes. The size of every part but the names is a multiple of 8 bytes. */
function offsets(rows: number, spans: number, principals: number, nameBytes: number) {
  const digests = CREDENTIALS_HEADER_WORDS * 4;
  const keys = digests + rows * CREDENTIAL_DIGEST_BYTES;
  const words = keys + rows * CREDENTIAL_KEY_BYTES;
  const principalsAt = words + rows * CREDENTIAL_ROW_WORDS * 4;
  const spansAt = principalsAt + principals * CREDENTIAL_DIGEST_BYTES;
  const names = spansAt + spans * CREDENTIAL_SPAN_BYTES;
  const end = Math.ceil((names + nameBytes) / 8) * 8;
  return { digests, keys, rows: words, principals: principalsAt, spans: spansAt, names, end };
}

function digestBytes(digest: string): Uint8Array {
  const bytes = fromBase64Url(digest);
  if (bytes?.length !== CREDENTIAL_DIGEST_BYTES) throw new RangeError(`${NAME}: a digest is no SHA-256`);
  return bytes;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
