/**
 * The head: what is current, as the authority decided it. One small document: it names the release (and
 * a candidate for a share of the data centres), the sealed segments of the live layer and the client
 * directory by content, and holds the newest live entries itself. It is sealed with a key made of
 * LIST_KEY, so that whoever can write KV can neither read it nor make another one.
 */
import * as v from 'valibot';
import { utf8 } from '../bytes.ts';
import { HEAD_BYTES_MAX } from '../limits.ts';
import { policySchema } from '../policy/policy.ts';
import { fail, ok, type Result } from '../result.ts';
import { sha256Schema } from '../schemas.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';
import { type SignedText, signedTextSchema } from './signed.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());

/** A release by its name and the signature of its manifest: it names no other. */
const namedReleaseSchema = v.strictObject({ release: v.string(), signature: v.string() });
export type NamedRelease = v.InferOutput<typeof namedReleaseSchema>;

/** A sealed value in KV, named for its content; the authority has it too. */
const namedValueSchema = v.strictObject({
  key: v.string(),
  /** SHA-256 of the value as it is stored, hex. */
  sha256: sha256Schema,
});
export type NamedValue = v.InferOutput<typeof namedValueSchema>;

const headSchema = v.strictObject({
  kind: v.literal('numgate-head'),
  format: v.literal(2),
  /** Rises by one with every change; a reader never goes back. */
  seq: v.pipe(count, v.minValue(1)),
  /** When the change `seq` was made. */
  changedAt: time,
  /** Null until a release was promoted. */
  current: v.nullable(namedReleaseSchema),
  /** A release on trial in a share (0 to 1) of the data centres. */
  candidate: v.nullable(
    v.strictObject({
      ...namedReleaseSchema.entries,
      share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    }),
  ),
  /**
   * Live entries with a `seq` up to this are gone: a release that has not folded them in must not be
   * asked with this live layer.
   */
  droppedSeq: count,
  /** Sealed segments of the live layer, oldest first. */
  segments: v.array(namedValueSchema),
  /** The newest live entries: a segment in base64. */
  tail: v.string(),
  /** The client directory; null until there is a client. */
  clients: v.nullable(namedValueSchema),
  /** The gateway policy, where it was ever changed. */
  policy: v.optional(v.strictObject({ version: v.pipe(count, v.minValue(1)), policy: policySchema })),
});
export type Head = v.InferOutput<typeof headSchema>;

/**
 * The head; and in the copy in KV the manifests it names, so that a reader without anything needs one read, and
 * when the authority wrote it.
 */
const documentSchema = v.strictObject({
  head: headSchema,
  manifests: v.array(signedTextSchema),
  writtenAt: v.optional(time),
});
export interface HeadDocument {
  readonly head: Head;
  /** Empty where the reader is to read them by name. */
  readonly manifests: readonly SignedText[];
  /** When the head was the current one; nothing where that is when the reader asked. */
  readonly writtenAt?: string | undefined;
}

export type HeadProblem = 'HEAD_INVALID' | 'HEAD_FOREIGN';

/** The document as it is stored: equal documents give equal bytes. */
export async function sealHead(document: HeadDocument, keys: ListKeys): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(JSON.stringify(document)), keys);
}

export async function openHead(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Result<HeadDocument, HeadProblem>> {
  if (bytes.length > HEAD_BYTES_MAX) return fail('HEAD_INVALID', `more than ${HEAD_BYTES_MAX} bytes`);
  const content = await unseal(bytes, keys);
  if (content === null) return fail('HEAD_FOREIGN', 'the head is damaged, or sealed with another LIST_KEY');
  const document = v.safeParse(documentSchema, parsed(new TextDecoder().decode(content)));
  if (!document.success) return fail('HEAD_INVALID', 'the head is not one that this service reads');
  return ok(document.output);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
