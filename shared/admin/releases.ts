/**
 * Releases in the admin API.
 */
import * as v from 'valibot';
import { RELEASE_CHARS_MAX } from '../limits/control.ts';
import { PUSH_GUARDS } from '../release/guard-settings.ts';
import type { ListInfo } from '../release/manifest.ts';
import { signedTextSchema } from '../release/signed.ts';
import { breakGlassSchema, reasonSchema } from '../schemas.ts';
import { type ChangeDone, overrideAuthorities } from './change.ts';

/** `POST /v1/admin/releases`: the signed manifest. Its values may arrive in KV at any time before the promotion. */
export const stageSchema = v.pipe(
  v.strictObject({
    ...signedTextSchema.entries,
    /** Needed for a manifest that is signed with the key of another organisation. */
    overrideAuthorities,
    reason: v.optional(reasonSchema),
  }),
  v.forward(
    v.check(
      ({ overrideAuthorities: names = [], reason }) => names.length === 0 || reason !== undefined,
      'must say why you act for another authority',
    ),
    ['reason'],
  ),
);

export type Stage = Omit<v.InferOutput<typeof stageSchema>, 'reason'>;

export const RELEASE_STATES = [
  'staged',
  'candidate',
  'promoted',
  'superseded',
  'withdrawn',
  'refused',
] as const;

export type ReleaseState = (typeof RELEASE_STATES)[number];

/** `POST /v1/admin/releases/{release}/promote` */
export const promoteSchema = v.strictObject({
  /** The release that you believe is current; null for none. */
  base: v.nullable(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  /** Hash of the plan you reviewed. Without it, the service accepts any plan that hits no guard. */
  plan: v.optional(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  /** Share of the data centres, above 0; 1 is all. */
  share: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  /** Guards that you override. */
  overrides: v.optional(v.pipe(v.array(v.picklist(PUSH_GUARDS)), v.maxLength(PUSH_GUARDS.length)), []),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});

export type Promote = v.InferOutput<typeof promoteSchema>;

export interface PromoteDone extends ChangeDone {
  readonly release: string;
  readonly state: ReleaseState;
  readonly share: number;
}

/** `POST /v1/admin/rollback`: undoes the last step, which is the canary if there is one, else the current release. */
export const rollbackSchema = v.strictObject({
  /** The release that you expect to undo. If the last step is another release, nothing happens. */
  release: v.optional(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});

export type Rollback = v.InferOutput<typeof rollbackSchema>;

export interface RollbackDone extends ChangeDone {
  /** The release that was withdrawn. */
  readonly withdrawn: string;
  /** The release that is current now. */
  readonly current: string;
}

export interface ReleaseInfo {
  readonly release: string;
  readonly state: ReleaseState;
  readonly base: string | null;
  readonly foldedSeq: number;
  readonly stagedAt: string;
  readonly by: string;
  /** Code and message of a refused release; null for all others. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly promotedAt: string | null;
  /** Whether a rollback can still return to this release. */
  readonly readable: boolean;
  /** ID of the key of LIST_KEY that the release was made with. Older services omit it. */
  readonly keyId?: string;
  readonly numbers: number;
  readonly bytes: number;
}

export interface ListsInfo {
  readonly release: string | null;
  readonly lists: readonly ListInfo[];
}
