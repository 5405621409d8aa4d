/**
 * The signed manifest: the table of contents of a release. The public key verifies the manifest, and the
 * manifest verifies every other byte of the release.
 *
 * Readers ignore fields that they do not know: the services are deployed before a build writes them.
 */
import * as v from 'valibot';
import {
  LISTS_MAX,
  MANIFEST_CHARS_MAX,
  RANGES_PER_LIST_MAX,
  RELEASE_NUMBERS_MAX,
  SHARDS_MAX,
  SOURCES_PER_LIST_MAX,
} from '../limits/lists.ts';
import {
  REGISTERED_CLIENTS_MAX,
  REGISTERED_PAIRS_MAX,
  REGISTERED_RANGES_MAX,
} from '../limits/registrations.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { nameSchema, sha256Schema } from '../schemas.ts';
import { FORMAT_VERSION, REGISTERED_LAYOUT } from '../set/layout.ts';
import { BLOCK_STAGES, CODES, EFFECTS, SUBJECTS } from '../verdict.ts';
import { type ReleaseKey, type SignedText, signerOf, signText } from './signed.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Prefix of lists that a build makes from live entries. Live entries supersede these lists. */
export const FOLDED_LIST_PREFIX = 'live-';
const time = v.pipe(v.string(), v.isoTimestamp());

const listSchema = v.object({
  name: nameSchema,
  /** The code of verdicts that this list decides. */
  reason: v.picklist(CODES),
  effect: v.picklist(EFFECTS),
  subjects: v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(2)),
  authority: nameSchema,
  /** When the authority compiled the list. */
  asOf: time,
  /** For a list of rule blocks: ID and version of the rule, and the stage of the blocks. */
  rule: v.exactOptional(v.string()),
  stage: v.exactOptional(v.picklist(BLOCK_STAGES)),
  numbers: count,
  dated: count,
  ranges: v.pipe(count, v.maxValue(RANGES_PER_LIST_MAX)),
  sources: v.pipe(count, v.maxValue(SOURCES_PER_LIST_MAX)),
});
export type ListInfo = v.InferOutput<typeof listSchema>;

const blobSchema = v.object({
  /** KV key, derived from the digest. */
  key: v.string(),
  bytes: count,
  /** XXH64: checked first on load. */
  checksum: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  /** SHA-256: binds the value to the manifest. */
  sha256: sha256Schema,
});
/** One KV value of a release. */
export type Blob = v.InferOutput<typeof blobSchema>;

const shardsSchema = v.pipe(
  v.array(v.object({ ...blobSchema.entries, start: v.pipe(count, v.maxValue(NUMBER_LIMIT)) })),
  v.maxLength(SHARDS_MAX),
);

/** Registered senders: which client may send from which numbers. */
const registeredSchema = v.object({
  /** REGISTERED_LAYOUT; absent in older releases. */
  layout: v.exactOptional(count),
  /** Version of the registry. Later changes are not in the release. */
  version: count,
  /** Clients in the table. */
  clients: v.pipe(count, v.maxValue(REGISTERED_CLIENTS_MAX)),
  /** Pairs in the shards, and how many of them have a number that belongs to the client's own organisation. */
  pairs: v.pipe(count, v.maxValue(REGISTERED_PAIRS_MAX)),
  own: count,
  /** Rows of ranges in the table. */
  ranges: v.pipe(count, v.maxValue(REGISTERED_RANGES_MAX)),
  /**
   * Rows of at most REGISTERED_RANGE_EXPANDED_MAX numbers: single numbers of runs with few pairs. How many rows, how many
   * numbers in them, and how many own numbers. Absent in older releases.
   */
  short: v.exactOptional(v.object({ rows: count, numbers: count, own: count })),
  /** Names of the clients, and ranges. */
  table: blobSchema,
  /** Slices of the key space of pairs, in the form of the `shards` of numbers. */
  shards: shardsSchema,
});
export type RegisteredInfo = v.InferOutput<typeof registeredSchema>;

/** False for the registered senders of older releases. They are `unavailable`, and their values are not read. */
export function isReadable({ layout }: RegisteredInfo): boolean {
  return layout === REGISTERED_LAYOUT;
}

const manifestSchema = v.object({
  format: v.literal(FORMAT_VERSION),
  release: v.pipe(v.string(), v.regex(/^\d{8}T\d{4}Z-[0-9a-f]{8}$/)),
  /** The release this one was built from; null for the first. */
  base: v.nullable(v.string()),
  createdAt: time,
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  /** The last live change that the release folds in. */
  foldedSeq: count,
  lists: v.pipe(v.array(listSchema), v.maxLength(LISTS_MAX)),
  /** Slices of the key space in order. Each begins at `start` and ends where the next one begins. */
  shards: shardsSchema,
  ranges: v.nullable(blobSchema),
  sources: v.nullable(blobSchema),
  /** Absent if no registrations were built in. */
  registrations: v.exactOptional(registeredSchema),
});
export type Manifest = v.InferOutput<typeof manifestSchema>;

export type ManifestProblem = 'SIGNATURE_INVALID' | 'FORMAT_UNSUPPORTED' | 'MANIFEST_INVALID' | 'KEY_FOREIGN';

export function signManifest(manifest: Manifest, privateKey: CryptoKey): Promise<SignedText> {
  return signText(JSON.stringify(manifest), privateKey);
}

/**
 * The manifest, if it is signed by one of the keys, has a supported format, and was made with a known LIST_KEY.
 * @param keyIds of the keys in LIST_KEY
 */
export async function openManifest(
  envelope: SignedText,
  publicKeys: readonly ReleaseKey[],
  keyIds: readonly string[],
): Promise<Result<Manifest, Failure<ManifestProblem>>> {
  if (envelope.signed.length > MANIFEST_CHARS_MAX) {
    return fail('MANIFEST_INVALID', `the manifest has more than ${MANIFEST_CHARS_MAX} characters`);
  }
  if ((await signerOf(envelope, publicKeys)) === null) {
    return fail('SIGNATURE_INVALID', 'the manifest is not signed by a key that this service trusts');
  }
  let document: unknown;
  try {
    document = JSON.parse(envelope.signed);
  } catch {
    return fail('MANIFEST_INVALID', 'the manifest is not JSON');
  }
  const format = v.safeParse(v.object({ format: v.number() }), document);
  if (format.success && format.output.format !== FORMAT_VERSION) {
    const message = `the manifest has format ${format.output.format}, but this service reads ${FORMAT_VERSION}`;
    return fail('FORMAT_UNSUPPORTED', message);
  }
  const parsed = v.safeParse(manifestSchema, document);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return fail('MANIFEST_INVALID', `${v.getDotPath(issue) ?? 'manifest'}: ${issue.message}`);
  }
  const manifest = parsed.output;
  if (!keyIds.includes(manifest.keyId)) {
    const message = `the release was made with LIST_KEY ${manifest.keyId}, not ${keyIds.join(' or ')}`;
    return fail('KEY_FOREIGN', message);
  }
  const names = manifest.lists.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return fail('MANIFEST_INVALID', `lists: two have the name ${twice}`);
  const pairs = manifest.registrations?.shards ?? [];
  if (!isOrdered(manifest.shards) || !isOrdered(pairs))
    return fail('MANIFEST_INVALID', 'shards: slices out of order');
  const shards = manifest.shards.length + pairs.length;
  if (shards > SHARDS_MAX) return fail('MANIFEST_INVALID', `shards: ${shards}, at most ${SHARDS_MAX}`);
  return ok(manifest);
}

function isOrdered(shards: Manifest['shards']): boolean {
  return shards.every(({ start }, index) => (index === 0 ? start === 0 : start > shards[index - 1]!.start));
}

/** Count of the numbers of all lists, or a failure if it exceeds the limit. */
export function countNumbers({ lists }: Manifest): Result<number, Failure<'LIMIT_EXCEEDED'>> {
  const count = lists.reduce((sum, { numbers }) => sum + numbers, 0);
  if (count <= RELEASE_NUMBERS_MAX) return ok(count);
  return fail('LIMIT_EXCEEDED', `the manifest counts ${count} numbers, at most ${RELEASE_NUMBERS_MAX}`);
}

/** All KV values of a release that are read. */
export function blobsOf({ shards, ranges, sources, registrations }: Manifest): Blob[] {
  const registered = registrations !== undefined && isReadable(registrations) ? registrations : null;
  const tables = [ranges, sources, registered?.table ?? null].filter((blob) => blob !== null);
  return [...shards, ...(registered?.shards ?? []), ...tables];
}
