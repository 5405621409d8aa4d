/**
 * The signed manifest of a text release: a model with its thresholds, and host lists. The keys of releases sign it. Its
 * values are sealed and named by their content. Campaigns are not in it, because rules and people confirm them within
 * seconds: the index (text-index.ts) names their table.
 *
 * Readers ignore fields that they do not know: the services are deployed before a build writes them.
 */
import * as v from 'valibot';
import {
  HOST_LISTS_MAX,
  HOSTS_MAX,
  MODEL_BITS_MAX,
  MODEL_BITS_MIN,
  TEXT_MANIFEST_CHARS_MAX,
} from '../limits/text.ts';
import { type NamedValue, namedValueSchema } from '../release/head.ts';
import { ANY_OWNER, type ReleaseKey, type SignedText, signerOf, signText } from '../release/signed.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { nameSchema } from '../schemas.ts';
import { EFFECTS } from '../verdict.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const time = v.pipe(v.string(), v.isoTimestamp());

/** False positives in one domain of legitimate text, such as `delivery` or `reviews`. */
const domainSchema = v.object({ domain: nameSchema, texts: count, review: count, suspicious: count });
export type DomainFalsePositives = v.InferOutput<typeof domainSchema>;

/** The facts about a model that are known before its value has a key. */
export const modelFactsSchema = v.object({
  /** Name of the model in responses. */
  name: nameSchema,
  bits: v.pipe(count, v.minValue(MODEL_BITS_MIN), v.maxValue(MODEL_BITS_MAX)),
  /** Lowest scores in the bands `review` and `suspicious`. */
  thresholds: v.object({ review: share, suspicious: share }),
  /** Texts that the model was trained on. */
  trained: v.object({ spam: count, legitimate: count, from: v.nullable(time), to: v.nullable(time) }),
  /** Results for texts that it was not trained on: texts of each domain, and how many are above each threshold. */
  domains: v.array(domainSchema),
  /** Spam among the evaluated texts, and how many of these texts are above each threshold. */
  spam: v.object({ texts: count, review: count, suspicious: count }),
});
export type ModelFacts = v.InferOutput<typeof modelFactsSchema>;
const modelSchema = v.object({ value: namedValueSchema, ...modelFactsSchema.entries });
export type ModelInfo = v.InferOutput<typeof modelSchema>;

const hostListSchema = v.object({
  name: nameSchema,
  effect: v.picklist(EFFECTS),
  authority: nameSchema,
  asOf: time,
  hosts: count,
  /** Whether the list came from the feed of another installation. If so, the feed of this one does not share it. */
  fromFeed: v.optional(v.boolean()),
});
export type HostListInfo = v.InferOutput<typeof hostListSchema>;

const manifestSchema = v.object({
  kind: v.literal('numgate-text'),
  format: v.literal(1),
  /** `text-`, then a name in the form of list releases. */
  release: v.pipe(v.string(), v.regex(/^text-\d{8}T\d{4}Z-[0-9a-f]{8}$/)),
  /** The text release this one was built from; null for the first. */
  base: v.nullable(v.string()),
  createdAt: time,
  model: v.nullable(modelSchema),
  hosts: v.nullable(
    v.object({
      value: namedValueSchema,
      count: v.pipe(count, v.maxValue(HOSTS_MAX)),
      lists: v.pipe(v.array(hostListSchema), v.maxLength(HOST_LISTS_MAX)),
    }),
  ),
  /** Legitimate texts of the operator that the build was tried on, and how many it would block or call suspicious. */
  canaryTexts: v.nullable(v.object({ texts: count, blocked: count, suspicious: count })),
});
export type TextManifest = v.InferOutput<typeof manifestSchema>;

export type TextManifestProblem = 'SIGNATURE_INVALID' | 'MANIFEST_INVALID';

/** Precedes the signed manifest, so that a signature of one kind of document is not valid for another. */
const PURPOSE = 'numgate-text\n';

export function signTextManifest(manifest: TextManifest, privateKey: CryptoKey): Promise<SignedText> {
  return signText(PURPOSE + JSON.stringify(manifest), privateKey);
}

/** The manifest, if one of the keys of the installation itself signed it, and it has a supported format. */
export async function openTextManifest(
  envelope: SignedText,
  publicKeys: readonly ReleaseKey[],
): Promise<Result<TextManifest, Failure<TextManifestProblem>>> {
  const { signed } = envelope;
  if (signed.length > TEXT_MANIFEST_CHARS_MAX)
    return fail('MANIFEST_INVALID', `the manifest has more than ${TEXT_MANIFEST_CHARS_MAX} characters`);
  const own = publicKeys.filter(({ owner }) => owner === ANY_OWNER);
  if (!signed.startsWith(PURPOSE) || (await signerOf(envelope, own)) === null)
    return fail('SIGNATURE_INVALID', 'the manifest is not signed by a key that this service trusts');
  const parsed = v.safeParse(manifestSchema, parsedJson(signed.slice(PURPOSE.length)));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return fail('MANIFEST_INVALID', `${v.getDotPath(issue) ?? 'manifest'}: ${issue.message}`);
  }
  const { model } = parsed.output;
  if (model !== null && model.thresholds.review > model.thresholds.suspicious)
    return fail('MANIFEST_INVALID', 'model.thresholds: "review" must not be above "suspicious"');
  return ok(parsed.output);
}

/** The manifest in a signed text that `openTextManifest` has opened before. @throws if it has not */
export function readTextManifest(signed: string): TextManifest {
  return v.parse(manifestSchema, JSON.parse(signed.slice(PURPOSE.length)));
}

/** The sealed values of a text release. */
export function textValuesOf({ model, hosts }: TextManifest): NamedValue[] {
  return [model, hosts].flatMap((each) => (each === null ? [] : [each.value]));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
