/**
 * The head: what is current. One small document, so that a reader that has it needs only shards.
 */
import * as v from 'valibot';
import { fail, ok, type Result } from '../result.ts';
import { isSigned, type SignedText, signedTextSchema, signText } from './signed.ts';

const statementSchema = v.strictObject({
  format: v.literal(1),
  /** Rises with every change; a reader never goes back. */
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** When this head became current. */
  promotedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** The signature of the manifest that is current: it names no other. */
  manifest: v.string(),
});
type Statement = v.InferOutput<typeof statementSchema>;

/** The head as it is stored: the manifest, and a signed statement that it is current. */
const headSchema = v.strictObject({ statement: signedTextSchema, manifest: signedTextSchema });
export type HeadDocument = v.InferOutput<typeof headSchema>;

/** A head that was opened. */
export interface Head extends Pick<Statement, 'seq' | 'promotedAt'> {
  readonly manifest: SignedText;
}

export type HeadProblem = 'HEAD_INVALID' | 'HEAD_UNSIGNED';

export async function signHead(
  { seq, promotedAt, manifest }: Head,
  privateKey: CryptoKey,
): Promise<HeadDocument> {
  const statement: Statement = { format: 1, seq, promotedAt, manifest: manifest.signature };
  return { statement: await signText('head', JSON.stringify(statement), privateKey), manifest };
}

/** The head in a KV value. The manifest in it is still to be opened. */
export async function openHead(
  text: string,
  publicKeys: readonly CryptoKey[],
): Promise<Result<Head, HeadProblem>> {
  const document = v.safeParse(headSchema, parsed(text));
  if (!document.success) return fail('HEAD_INVALID', 'the head in KV is not one');
  const { statement, manifest } = document.output;
  if (!(await isSigned('head', statement, publicKeys))) {
    return fail('HEAD_UNSIGNED', 'the head is not signed by a key this service trusts');
  }
  const stated = v.safeParse(statementSchema, parsed(statement.signed));
  if (!stated.success || stated.output.manifest !== manifest.signature) {
    return fail('HEAD_INVALID', 'the head states another manifest than it holds');
  }
  return ok({ seq: stated.output.seq, promotedAt: stated.output.promotedAt, manifest });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
