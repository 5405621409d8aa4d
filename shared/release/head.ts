/**
 * The head: the current state, as the coordinator decided it. A small document that names, by their content,
 * the release (and a canary for a share of the data centres), the sealed segments of the live layer and the
 * client directory. It contains the newest live entries. It is sealed with a key derived from LIST_KEY, so
 * that write access to KV is not enough to read or forge it.
 *
 * Readers ignore fields that they do not know: the edge is deployed before the services that write them.
 */
import * as v from 'valibot';
import { utf8 } from '../bytes.ts';
import { canaryNumbersSchema } from '../enumeration/canary-numbers.ts';
import { HEAD_BYTES_MAX } from '../limits/lists.ts';
import { policySchema } from '../policy/policy.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { sha256Schema } from '../schemas.ts';
import type { KeyRing, OpenedWith } from '../set/key-ring.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';
import { type SignedText, signedTextSchema } from './signed.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());

/** A release by its name and the signature of its manifest, which identify it uniquely. */
const namedReleaseSchema = v.object({ release: v.string(), signature: v.string() });
export type NamedRelease = v.InferOutput<typeof namedReleaseSchema>;

/** A sealed value in KV, named by its content. The coordinator also has it. */
export const namedValueSchema = v.object({
  key: v.string(),
  /** SHA-256 of the stored value, hex. */
  sha256: sha256Schema,
});
export type NamedValue = v.InferOutput<typeof namedValueSchema>;

const registrationsSchema = v.object({
  /** Version of the registry: its last change. Rises with every change, and never goes back. */
  version: count,
  /** Changes up to this version were removed: a release with an earlier version lacks them. */
  droppedVersion: count,
  /** Sealed segments of changes (senders/registration-segment.ts), oldest first. */
  segments: v.array(namedValueSchema),
  /** The newest changes: a segment of the same form, in base64. */
  unsealed: v.string(),
});
export type HeadRegistrations = v.InferOutput<typeof registrationsSchema>;

const credentialsSchema = v.object({
  /** Version of the credential store. Rises with every change, and never goes back. */
  version: count,
  /** Names all other values of the store (credentials/credential-index.ts). */
  index: namedValueSchema,
});
export type HeadCredentials = v.InferOutput<typeof credentialsSchema>;

const textSchema = v.object({
  /** Version of the text store. Rises with every change, and never goes back. */
  version: count,
  /** Names all other values of the store (text/text-index.ts). */
  index: namedValueSchema,
});
export type HeadText = v.InferOutput<typeof textSchema>;

const headSchema = v.object({
  kind: v.literal('numgate-head'),
  format: v.literal(2),
  /** Increases by one with every change. A reader never goes back. */
  seq: v.pipe(count, v.minValue(1)),
  /** Time of the change `seq`. */
  changedAt: time,
  /** Null until a release is promoted. */
  current: v.nullable(namedReleaseSchema),
  /** A canary in a share (0 to 1) of the data centres. */
  candidate: v.nullable(
    v.object({
      ...namedReleaseSchema.entries,
      share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    }),
  ),
  /**
   * Live entries with a `seq` up to this were removed. Do not combine this live layer with a release that has
   * not folded them in.
   */
  droppedSeq: count,
  /** Sealed segments of the live layer, oldest first. */
  segments: v.array(namedValueSchema),
  /** The newest live entries: a segment in base64. */
  tail: v.string(),
  /** The client directory; null until there is a client. */
  clients: v.nullable(namedValueSchema),
  /** The gateway policy, if it was ever changed. */
  policy: v.optional(v.object({ version: v.pipe(count, v.minValue(1)), policy: policySchema })),
  /** Canary numbers, if there are any: see enumeration/canary-numbers.ts. */
  canaries: v.optional(canaryNumbersSchema),
  /** Changes of registered senders since the releases, if there are any. */
  registrations: v.optional(registrationsSchema),
  /** Certificates and delegations of senders, if there are any. */
  credentials: v.optional(credentialsSchema),
  /** Text releases and campaigns, if there are any. */
  text: v.optional(textSchema),
});
export type Head = v.InferOutput<typeof headSchema>;

/**
 * The head. The copy in KV adds the manifests it names, so that a cold reader needs one read, and the time at
 * which the coordinator wrote it.
 */
const documentSchema = v.object({
  head: headSchema,
  manifests: v.array(signedTextSchema),
  writtenAt: v.optional(time),
});
export interface HeadDocument {
  readonly head: Head;
  /** Empty if the reader must read them by name. */
  readonly manifests: readonly SignedText[];
  /** When the head was current. Absent if it was current at the time of the reader's request. */
  readonly writtenAt?: string | undefined;
}

/** A sealed head document, and the `seq` of its head. */
export interface SealedHead {
  readonly seq: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

export type HeadProblem = 'HEAD_INVALID' | 'HEAD_FOREIGN';

/** Seals the document for storage. Equal documents give equal bytes. */
export async function sealHead(document: HeadDocument, keys: ListKeys): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(JSON.stringify(document)), keys);
}

export async function openHead(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Result<HeadDocument, Failure<HeadProblem>>> {
  if (bytes.length > HEAD_BYTES_MAX)
    return fail('HEAD_INVALID', `the head has more than ${HEAD_BYTES_MAX} bytes`);
  const content = await unseal(bytes, keys);
  if (content === null) return fail('HEAD_FOREIGN', 'the head is damaged, or sealed with another LIST_KEY');
  const document = v.safeParse(documentSchema, parsed(new TextDecoder().decode(content)));
  if (!document.success) return fail('HEAD_INVALID', 'the head has a format that this service does not read');
  return ok(document.output);
}

/** Like `openHead`, with the keys of the ring that sealed the head. */
export async function openHeadWith(
  bytes: Uint8Array<ArrayBuffer>,
  ring: KeyRing,
): Promise<Result<OpenedWith<HeadDocument>, Failure<HeadProblem>>> {
  const found = await ring.open(async (keys) => {
    const opened = await openHead(bytes, keys);
    return !opened.ok && opened.code === 'HEAD_FOREIGN' ? null : opened;
  });
  if (found === null) return fail('HEAD_FOREIGN', 'the head is damaged, or sealed with another LIST_KEY');
  return found.value.ok ? ok({ value: found.value.value, keys: found.keys }) : found.value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
