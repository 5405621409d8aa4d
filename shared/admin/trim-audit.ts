/**
 * Trimming the audit log, on the wire.
 */
import * as v from 'valibot';
import { reasonSchema, sha256Schema } from '../schemas.ts';

/** `POST /v1/admin/audit/trim`: remove the records up to this one, after they were exported. */
export const trimAuditSchema = v.strictObject({
  n: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Hash of record `n`: proves that the caller has read the log up to it. */
  hash: sha256Schema,
  reason: reasonSchema,
});
export interface AuditTrimmed {
  readonly trimmedTo: number;
}
