/**
 * Request and response that trim the audit log.
 */
import * as v from 'valibot';
import { reasonSchema, sha256Schema } from '../schemas.ts';

/** `POST /v1/admin/audit/trim`: removes the records up to `n`, after they were exported. */
export const trimAuditSchema = v.strictObject({
  n: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Hash of record `n`: proves that the caller has read the log up to it. */
  hash: sha256Schema,
  reason: reasonSchema,
});
export interface AuditTrimmed {
  readonly trimmedTo: number;
}
