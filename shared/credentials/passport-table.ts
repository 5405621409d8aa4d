/**
 * The table of certificates that verify PASSporTs: a sealed value that the index of the credentials names. Control fetches
 * and verifies the certificates, and the edge fetches none. Readers ignore fields that they do not know.
 */
import * as v from 'valibot';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { PASSPORT_CERTIFICATES_MAX } from '../limits/passport.ts';
import type { Span } from '../numbers/spans.ts';
import type { ListKeys } from '../set/keys.ts';
import { CREDENTIAL_KEY_BYTES } from '../set/layout.ts';
import { unseal } from '../set/seal.ts';
import type { CredentialKey } from './keys.ts';

/** A certificate whose chain control verified. */
export interface PassportRow {
  /** SHA-256 of the certificate's URL, in base64url. */
  readonly x5u: string;
  readonly key: CredentialKey;
  /** Seconds since 1970. The chain is valid from `notBefore` (inclusive) to `notAfter` (exclusive). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Numbers that the certificate may sign for, ascending. */
  readonly spans: readonly Span[];
}

/** Certificates by SHA-256 of their URL. */
export type PassportTable = ReadonlyMap<string, PassportRow>;

const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const n = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const tableSchema = v.object({
  kind: v.literal('numgate-passport'),
  format: v.literal(1),
  certificates: v.pipe(
    v.array(
      v.object({
        x5u: v.string(),
        /** x and y of the P-256 key, base64. */
        key: v.string(),
        notBefore: time,
        notAfter: time,
        /** First and last number of each span. */
        numbers: v.array(v.tuple([n, n])),
      }),
    ),
    v.maxLength(PASSPORT_CERTIFICATES_MAX),
  ),
});

/** Encodes the table, which is then sealed. Equal rows give equal bytes. */
export function encodePassportTable(rows: readonly PassportRow[]): Uint8Array<ArrayBuffer> {
  const certificates = rows.map(({ x5u, key, notBefore, notAfter, spans }) => ({
    ...{ x5u, key: toBase64(key.bytes), notBefore, notAfter },
    numbers: spans.map(({ from, to }) => [from, to]),
  }));
  return utf8(JSON.stringify({ kind: 'numgate-passport', format: 1, certificates }));
}

/** Returns the table, or null if the bytes are not a table sealed with these keys. */
export async function openPassportTable(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<PassportTable | null> {
  const content = await unseal(bytes, keys);
  if (content === null) return null;
  try {
    const { certificates } = v.parse(tableSchema, JSON.parse(new TextDecoder().decode(content)));
    return new Map(certificates.map((each) => [each.x5u, rowOf(each)]));
  } catch {
    return null;
  }
}

type Written = v.InferOutput<typeof tableSchema>['certificates'][number];

/** @throws Error if the key has a wrong length */
function rowOf({ x5u, key, notBefore, notAfter, numbers }: Written): PassportRow {
  const bytes = fromBase64(key);
  if (bytes?.length !== CREDENTIAL_KEY_BYTES) throw new Error('not a P-256 key');
  const spans = numbers.map(([from, to]) => ({ from, to }));
  return { x5u, key: { alg: 'ES256', bytes }, notBefore, notAfter, spans };
}
