/** Evidence files in the admin API. Numbers appear only in bodies, never in a path or a query. */
import * as v from 'valibot';
import { PARTY_CHARS_MAX } from '../limits/requests.ts';
import { nameSchema, reasonSchema, timeSchema } from '../schemas.ts';

const partySchema = v.pipe(v.string(), v.minLength(1), v.maxLength(PARTY_CHARS_MAX));

/** `POST /v1/admin/evidence-files` */
export const makeEvidenceSchema = v.strictObject({
  /** A number as people write it, a sender ID, or the ID of an organisation with its registered numbers. */
  sender: v.union([
    v.strictObject({ number: partySchema }),
    v.strictObject({ source: partySchema }),
    v.strictObject({ organisation: nameSchema }),
  ]),
  /** The period: `from` is inclusive, `to` is exclusive. */
  from: timeSchema,
  to: timeSchema,
  /** Size of the audit log's tree that proves the records. Defaults to the current size. */
  size: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  reason: reasonSchema,
});
export type MakeEvidence = v.InferOutput<typeof makeEvidenceSchema>;

/** The current step, and the share of that step that is done, 0 to 1. */
export interface EvidenceProgress {
  readonly step: 'stores' | 'log' | 'proofs';
  readonly share: number;
}

export interface EvidenceMade {
  /** The exact text of the manifest, and its signature: a compact JWS over it. */
  readonly manifest: string;
  readonly signature: string;
  /** The exact text of each part, by name. */
  readonly parts: Readonly<Record<string, string>>;
  /** Number of the audit record about the making of this file. */
  readonly record: number;
}

/** A line of the NDJSON response. Progress lines come first; the last line is the file or an error. */
export type EvidenceLine =
  | { readonly progress: EvidenceProgress }
  | { readonly evidenceFile: EvidenceMade }
  | { readonly error: { readonly status: number; readonly code: string; readonly message: string } };
