/**
 * Live entries in the admin API. Numbers appear only in bodies, never in a path or a query.
 */
import * as v from 'valibot';
import { BULK_ENTRIES_MAX } from '../limits/control.ts';
import { CHANGE_OPS, type LiveOp } from '../live/entry.ts';
import { type GuardHit, LIVE_GUARDS } from '../release/guard-settings.ts';
import { breakGlassSchema, reasonSchema, timeSchema } from '../schemas.ts';
import { AGAINST_CODES, type RuleMark, SUBJECTS } from '../verdict.ts';
import { type ChangeDone, overrideAuthorities } from './change.ts';

/** A number as people write it, or a source: a sender ID, or `operator:51502` (sources/source.ts). */
const itemSchema = v.union([v.strictObject({ number: v.string() }), v.strictObject({ source: v.string() })]);

export type EntryItem = v.InferOutput<typeof itemSchema>;

/** `POST /v1/admin/entries`: applies one operation to one or more items, atomically. */
export const entryChangeSchema = v.strictObject({
  op: v.picklist(CHANGE_OPS),
  items: v.pipe(v.array(itemSchema), v.minLength(1), v.maxLength(BULK_ENTRIES_MAX)),
  /** For a block: the code of the verdicts that the block causes. */
  code: v.optional(v.picklist(AGAINST_CODES), 'SENDER_REPORTED'),
  subjects: v.optional(v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(SUBJECTS.length)), [
    ...SUBJECTS,
  ]),
  /** When the entry expires. Without it, the entry stays until it is undone or folded into a release. */
  until: v.optional(v.nullable(timeSchema), null),
  /** Guards that you override. */
  overrides: v.optional(v.pipe(v.array(v.picklist(LIVE_GUARDS)), v.maxLength(LIVE_GUARDS.length))),
  /** Return what would change and which guards it would hit, without changing anything. */
  dryRun: v.optional(v.boolean()),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});

export type EntryChange = v.InferOutput<typeof entryChangeSchema>;

/** `POST /v1/admin/operations/{operation}/undo`: reverses one operation on live entries. */
export const undoSchema = v.strictObject({
  /** Skip entries that other operations changed since. Without it, one such entry refuses the whole undo. */
  skipChanged: v.optional(v.boolean()),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});

export type UndoOptions = Omit<v.InferOutput<typeof undoSchema>, 'reason'>;

/** `POST /v1/admin/entries/find` */
export const findSchema = itemSchema;

/** A live entry in a response, with `rule` and `stage` if a rule made it. */
export interface EntryInfo extends Partial<RuleMark> {
  readonly number: string | null;
  /** For display only. After a restore, it may differ from the text that was blocked. */
  readonly source: string | null;
  /** For a source: its keyed fingerprint, 16 hex digits. Identifies the source even if its text was lost. */
  readonly fingerprint: string | null;
  readonly op: LiveOp;
  readonly code: string | null;
  readonly subjects: readonly string[];
  readonly authority: string;
  readonly until: string | null;
  readonly seq: number;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The operation that made the entry, for `undo`. Older services omit it. */
  readonly operation?: number;
}

/** `GET /v1/admin/entries?after=<cursor>&upTo=<seq>&limit=`: in ascending order of `seq`. */
export interface EntryPage {
  /** The pages cover all entries up to this change. Pass it as `upTo` for the next page. */
  readonly upTo: number;
  readonly entries: readonly EntryInfo[];
  /** Pass as `after` for the next page; null on the last page. */
  readonly next: string | null;
}

export interface EntriesDone extends ChangeDone {
  /** Items of the request. */
  readonly changed: number;
  /** Number of the operation, for `undo`; null for a dry run. Older services omit it. */
  readonly operation?: number | null;
  /** Present only for a dry run, which does not change `seq`. */
  readonly dryRun?: EntriesDryRun;
}

export interface EntriesDryRun {
  /** Entries it would make, and entries in force it would replace. A number with two subjects counts as two. */
  readonly entries: number;
  readonly replaced: number;
  /** All guards that the request would hit, including those that it overrides. */
  readonly guards: readonly GuardHit[];
}

export interface UndoDone extends ChangeDone {
  /** Number of the undo, which can be undone too. */
  readonly operation: number;
  readonly undone: number;
  /** `entries`: reversed. `skipped`: left, because they were changed since. A number with two subjects counts as two. */
  readonly entries: number;
  readonly skipped: number;
}
