/**
 * The rotation of LIST_KEY in the admin API.
 */
import * as v from 'valibot';
import { reasonSchema } from '../schemas.ts';
import type { ChangeDone } from './change.ts';

/** `POST /v1/admin/list-key`: re-key what the coordinator stores, with the first key of LIST_KEY. */
export const rotateKeySchema = v.strictObject({
  /** The ID of that key: the edges must know it. */
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'must be a key ID: 16 hex digits')),
  /** Drop live sources whose names a restore has lost. Otherwise they refuse the rotation. */
  dropUnknownSources: v.optional(v.boolean(), false),
  reason: reasonSchema,
});

export type RotateKey = v.InferOutput<typeof rotateKeySchema>;

export interface KeyRotated extends ChangeDone {
  /** Key IDs before and after; equal if nothing was left to do. */
  readonly from: string;
  readonly to: string;
  /** Live sources that have new fingerprints, and those that were dropped. */
  readonly sources: number;
  readonly dropped: number;
}

/** LIST_KEY as control has it. IDs do not reveal the keys. */
export interface ListKeyInfo {
  /** IDs of the keys in LIST_KEY, that of the writer first. */
  readonly ids: readonly string[];
  /** The key of everything that the coordinator stores. */
  readonly current: string;
  /** Keys of the registered senders in the head: the registry seals them again within a minute. Older services omit it. */
  readonly registrations?: readonly string[];
  /** Likewise those of the credentials. */
  readonly credentials?: readonly string[];
  /** Likewise those of texts. The values of a text release keep their key until another one is promoted. */
  readonly text?: readonly string[];
  /** The last rotation; null if there was none. */
  readonly rotated: { readonly from: string; readonly to: string; readonly at: string } | null;
  /**
   * When the oldest block records were written, UTC; null if there are none. Only after step 3 of a rotation that is
   * not finished, and if KV could be read. Older services omit it.
   */
  readonly oldestRecords?: string | null;
}
