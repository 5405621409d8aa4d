/**
 * The manifest of an evidence file: what was asked for, the log that proves it, and the digest of each part. Its JSON is
 * the payload of a JWS that the service signs.
 */
import * as v from 'valibot';
import { EVIDENCE_BYTES_MAX, EVIDENCE_PARTS_MAX } from '../limits/evidence-files.ts';
import { nameSchema, sha256Schema, timeSchema } from '../schemas.ts';

export const EVIDENCE_FORMAT = 'numgate-evidence/1';
/** `typ` of the signature. No other document of the service has it. */
export const EVIDENCE_TYPE = 'numgate-evidence+jws';

/** Files that are no parts. */
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.jws';

/** A name that is safe on every file system: no folder, no dot at the beginning. */
export const PART_NAME = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){0,98}[a-z0-9]$/;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Whom the file is about, as the request named it: E.164, `sender:…`, or the ID of an organisation. */
const senderSchema = v.union([
  v.strictObject({ number: v.pipe(v.string(), v.regex(/^\+[1-9]\d{1,14}$/)) }),
  v.strictObject({ source: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) }),
  v.strictObject({ organisation: nameSchema }),
]);
export type EvidenceSender = v.InferOutput<typeof senderSchema>;

export const manifestSchema = v.strictObject({
  format: v.literal(EVIDENCE_FORMAT),
  /** PUBLIC_URL of the installation. Its keys are at `/.well-known/jwks.json`. */
  iss: v.pipe(v.string(), v.minLength(1), v.maxLength(2_000)),
  madeAt: timeSchema,
  /** The admin, and why. */
  by: v.string(),
  reason: v.string(),
  sender: senderSchema,
  /** The period: from `from`, and before `to`. */
  from: timeSchema,
  to: timeSchema,
  /** Whether the sender is there for tests only. */
  mock: v.boolean(),
  /** The tree of the audit log that all records are proven in. */
  log: v.strictObject({
    origin: v.string(),
    size: v.pipe(count, v.minValue(1)),
    /** Base64. */
    root: v.string(),
    /** The last record before the tree, and the last one that was trimmed. */
    start: v.strictObject({ n: count, hash: sha256Schema }),
    trimmedTo: count,
  }),
  /** Parts of which there is more than a file may have: some of it is missing. */
  cut: v.array(v.string()),
  parts: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(PART_NAME)),
        bytes: v.pipe(count, v.maxValue(EVIDENCE_BYTES_MAX)),
        sha256: sha256Schema,
      }),
    ),
    v.maxLength(EVIDENCE_PARTS_MAX),
  ),
});
export type EvidenceManifest = v.InferOutput<typeof manifestSchema>;

/** The bytes of the manifest are these alone. */
export function formatManifest(manifest: EvidenceManifest): string {
  return JSON.stringify(manifest);
}
