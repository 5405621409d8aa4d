/**
 * The manifest of an evidence file: the request, the log that proves the records, and the digest of each part. Its JSON
 * is the payload of a JWS that the service signs.
 */
import * as v from 'valibot';
import { EVIDENCE_BYTES_MAX, EVIDENCE_PARTS_MAX } from '../limits/evidence-files.ts';
import { nameSchema, sha256Schema, timeSchema } from '../schemas.ts';

export const EVIDENCE_FORMAT = 'numgate-evidence/1';
/** `typ` of the signature. No other document of the service has it. */
export const EVIDENCE_TYPE = 'numgate-evidence+jws';

/** Files that are not parts. */
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.jws';

/** A name that is safe on every file system: it has no folder, and does not begin with a dot. */
export const PART_NAME = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){0,98}[a-z0-9]$/;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The sender that the file is about, as the request named it: E.164, `sender:…`, or the ID of an organisation. */
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
  /** The admin who made the file, and why. */
  by: v.string(),
  reason: v.string(),
  sender: senderSchema,
  /** The period: `from` is inclusive, `to` is exclusive. */
  from: timeSchema,
  to: timeSchema,
  /** Whether the sender exists for tests only. */
  mock: v.boolean(),
  /** The tree of the audit log that proves all records. */
  log: v.strictObject({
    origin: v.string(),
    size: v.pipe(count, v.minValue(1)),
    /** Base64. */
    root: v.string(),
    /** `start`: the last record before the tree. `trimmedTo`: the last record that was trimmed. */
    start: v.strictObject({ n: count, hash: sha256Schema }),
    trimmedTo: count,
  }),
  /** Parts that are incomplete, because a file may not hold all of them. */
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

/** Formats a manifest in its only valid form. */
export function formatManifest(manifest: EvidenceManifest): string {
  return JSON.stringify(manifest);
}
