/**
 * The rotation of LIST_KEY in the admin API.
 */
import * as v from 'valibot';
import { reasonSchema } from '../schemas.ts';
import type { ChangeDone } from './change.ts';

/** `POST /v1/admin/list-key`: re-keys everything that the coordinator stores, with the first key of LIST_KEY. */
export const rotateKeySchema = v.strictObject({
  /** ID of the first key of LIST_KEY. All edges must have this key already. */
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'must be a key ID: 16 hex digits')),
  /** Drop live sources whose names were lost in a restore. Without it, such sources refuse the rotation. */
  dropUnknownSources: v.optional(v.boolean(), false),
  reason: reasonSchema,
});

export type RotateKey = v.InferOutput<typeof rotateKeySchema>;

export interface KeyRotated extends ChangeDone {
  /** Key IDs before and after the rotation. They are equal if nothing was left to do. */
  readonly from: string;
  readonly to: string;
  /** `sources`: live sources that got new fingerprints. `dropped`: live sources that were dropped. */
  readonly sources: number;
  readonly dropped: number;
}

/** The keys of LIST_KEY in the control plane, by ID. IDs do not reveal the keys. */
export interface ListKeyInfo {
  /** IDs of the keys in LIST_KEY. The first key is the one that writes. */
  readonly ids: readonly string[];
  /** ID of the key that everything in the coordinator is stored with. */
  readonly current: string;
  /** Keys of the registered senders in the head. The registry re-seals these within a minute. Older services omit it. */
  readonly registrations?: readonly string[];
  /** Keys of the credentials in the head, likewise. */
  readonly credentials?: readonly string[];
  /** Keys of text risk, likewise. The values of a text release keep their key until another text release is promoted. */
  readonly text?: readonly string[];
  /** The last rotation; null if there was none. */
  readonly rotated: { readonly from: string; readonly to: string; readonly at: string } | null;
  /**
   * When the oldest block records were written, in UTC; null if there are none. Present only after step 3 of an
   * unfinished rotation, and only if KV could be read. Older services omit it.
   */
  readonly oldestRecords?: string | null;
}
