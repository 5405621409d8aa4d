/**
 * Wire types of the admin API, shared by the control Worker and the CLI.
 * Numbers appear only in bodies, never in a path or a query.
 */
import * as v from 'valibot';
import { clientSchema } from './clients.ts';
import { canaryNumbersSchema } from './enumeration/canary-numbers.ts';
import type { Detection } from './enumeration/detect.ts';
import type { CheckpointInfo, ExportInfo } from './evidence.ts';
import { BULK_ENTRIES_MAX, OVERRIDE_AUTHORITIES_MAX, RELEASE_CHARS_MAX } from './limits/control.ts';
import { CHANGE_OPS, type LiveOp } from './live/entry.ts';
import { organisationSchema } from './organisations.ts';
import { type GuardHit, LIVE_GUARDS, PUSH_GUARDS } from './release/guard-settings.ts';
import type { ListInfo } from './release/manifest.ts';
import { signedTextSchema } from './release/signed.ts';
import type { Scope } from './roles.ts';
import { breakGlassSchema, nameSchema, reasonSchema, timeSchema } from './schemas.ts';
import type { StorageInfo } from './storage-level.ts';
import { tokenSchema } from './tokens.ts';
import { AGAINST_CODES, SUBJECTS } from './verdict.ts';

/** The authenticated caller: a token or a Cloudflare Access identity. */
export interface Actor {
  /**
   * `token:<id>`, `access:<email or service>`, or `numgate` for changes that the coordinator makes itself.
   */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The organisation of a token or of Access identities; null for `root` and for the service itself. */
  readonly organisation: string | null;
  /**
   * The authority of that organisation. It appears in the reasons of entries that the actor creates. Null if the
   * organisation vouches for no lists: its tokens create no entries.
   */
  readonly authority: string | null;
  /** Whether the actor may create and revoke tokens. */
  readonly root: boolean;
  /** Of a token: see `StoredToken`. Absent for all other actors. */
  readonly generation?: number;
}

/** `GET /v1/admin/me`: who sent the request, and what they may change. */
export type MeInfo = Actor;

/**
 * What belongs to the actor alone is stored under this: budgets, answers to repeated requests. A token that was
 * removed and created again has the same name, and is another holder.
 */
export function holderOf({ name, generation = 0 }: Actor): string {
  return generation === 0 ? name : `${name}#${generation}`;
}

/**
 * Other authorities that the change acts for: it may change their lists and entries too. Required by name, so that
 * it cannot happen by accident.
 */
const overrideAuthorities = v.optional(v.pipe(v.array(nameSchema), v.maxLength(OVERRIDE_AUTHORITIES_MAX)));

/** A number as people write it, or a source: a sender ID, or `operator:51502` (sources/source.ts). */
const itemSchema = v.union([v.strictObject({ number: v.string() }), v.strictObject({ source: v.string() })]);
export type EntryItem = v.InferOutput<typeof itemSchema>;

/** `POST /v1/admin/entries`: one operation on one or more items, applied atomically. */
export const entryChangeSchema = v.strictObject({
  op: v.picklist(CHANGE_OPS),
  items: v.pipe(v.array(itemSchema), v.minLength(1), v.maxLength(BULK_ENTRIES_MAX)),
  /** For a block: the code of its verdicts. */
  code: v.optional(v.picklist(AGAINST_CODES), 'SENDER_REPORTED'),
  subjects: v.optional(v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(SUBJECTS.length)), [
    ...SUBJECTS,
  ]),
  /** When the entry expires. Without it, the entry stays until it is undone or folded into a release. */
  until: v.optional(v.nullable(timeSchema), null),
  /** Guards that you override. */
  overrides: v.optional(v.pipe(v.array(v.picklist(LIVE_GUARDS)), v.maxLength(LIVE_GUARDS.length))),
  /** Whether to answer what would change and which guards are hit, and to change nothing. */
  dryRun: v.optional(v.boolean()),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});
export type EntryChange = v.InferOutput<typeof entryChangeSchema>;

/** `POST /v1/admin/operations/{operation}/undo`: reverses one operation on live entries. */
export const undoSchema = v.strictObject({
  /** Whether to leave out entries that other operations have changed since; otherwise they refuse the whole undo. */
  skipChanged: v.optional(v.boolean()),
  overrideAuthorities,
  breakGlass: breakGlassSchema,
  reason: reasonSchema,
});
export type UndoOptions = Omit<v.InferOutput<typeof undoSchema>, 'reason'>;

/** `POST /v1/admin/entries/find` */
export const findSchema = itemSchema;

/** A live entry in a response. */
export interface EntryInfo {
  readonly number: string | null;
  /** For display only: after a restore, this may not be the text that was blocked. */
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
  /** The operation that made it, for `undo`. Older services omit it. */
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

export interface ChangeDone {
  /** The `seq` at which the change is visible, in every verdict and in `/healthz`. */
  readonly seq: number;
}
export interface EntriesDone extends ChangeDone {
  /** Items of the request. */
  readonly changed: number;
  /** Its number, for `undo`; null for a dry run. Older services omit it. */
  readonly operation?: number | null;
  /** Of a dry run, which leaves `seq` as it is. */
  readonly dryRun?: EntriesDryRun;
}
export interface EntriesDryRun {
  /** Entries that it would make, and those in force that it would replace. Each number and subject counts as one. */
  readonly entries: number;
  readonly replaced: number;
  /** All guards that it would hit, also those that the request overrides. */
  readonly guards: readonly GuardHit[];
}

export interface UndoDone extends ChangeDone {
  /** The undo itself, which can be undone. */
  readonly operation: number;
  readonly undone: number;
  /** Reversed entries, and those that it left because they were changed since. Each number and subject is one. */
  readonly entries: number;
  readonly skipped: number;
}

/** `POST /v1/admin/releases`: the signed manifest. Its values may arrive in KV later, up to the promotion. */
export const stageSchema = v.pipe(
  v.strictObject({
    ...signedTextSchema.entries,
    /** For a manifest that is signed with the key of another organisation. */
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

/** `POST /v1/admin/rollback`: undo the last step: the canary if there is one, else the current release. */
export const rollbackSchema = v.strictObject({
  /** The release that you expect to undo. If it is another one, nothing happens. */
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
  /** For a refused release: the code and the message. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly promotedAt: string | null;
  /** Whether a rollback can still return to this release. */
  readonly readable: boolean;
  /** The LIST_KEY that it was made with. Older services omit it. */
  readonly keyId?: string;
  readonly numbers: number;
  readonly bytes: number;
}

export const removeSchema = v.strictObject({ reason: reasonSchema });

/**
 * Nobody may send from these. Other codes that must be reachable, such as hotlines, have owners that send
 * texts.
 */
const NEVER_OWNED: readonly string[] = ['112', '119'];

/** `PUT /v1/admin/clients/{id}`: the whole client. Its ID is also in the path. */
export const putClientSchema = v.strictObject({
  client: v.pipe(
    clientSchema,
    v.forward(
      v.check(
        ({ shortCodes }) => !shortCodes.some((code) => NEVER_OWNED.includes(code)),
        'must not include 112 or 119: nobody may send from them',
      ),
      ['shortCodes'],
    ),
  ),
  reason: reasonSchema,
});
/** `PUT /v1/admin/organisations/{id}`: the whole organisation. Its ID is also in the path. */
export const putOrganisationSchema = v.strictObject({
  organisation: organisationSchema,
  reason: reasonSchema,
});
export const putTokenSchema = v.strictObject({ token: tokenSchema, reason: reasonSchema });

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
  /** The last rotation; null if there was none. */
  readonly rotated: { readonly from: string; readonly to: string; readonly at: string } | null;
}

export interface ExpiringKey {
  readonly kind: 'client' | 'token';
  readonly id: string;
  readonly expires: string;
}

/** `PUT /v1/admin/canaries`: all canary numbers. */
export const putCanariesSchema = v.strictObject({ numbers: canaryNumbersSchema, reason: reasonSchema });

/** Enumeration that was detected: one for each organisation and UTC day. */
export interface DetectionInfo {
  readonly organisation: string;
  /** UTC, as in 2026-11-24. */
  readonly day: string;
  readonly at: string;
  readonly found: readonly Detection[];
}

/** `GET /v1/admin/status` */
export interface StatusInfo extends StorageInfo {
  readonly seq: number;
  readonly changedAt: string | null;
  readonly current: ReleaseInfo | null;
  readonly candidate: (ReleaseInfo & { readonly share: number }) | null;
  readonly live: { readonly entries: number; readonly segments: number; readonly tail: number };
  /** The live layer no longer has the changes up to this one: releases contain them. Older services omit it. */
  readonly droppedSeq?: number;
  readonly clients: number;
  /** Older services omit it. */
  readonly listKeys?: ListKeyInfo;
  /** Keys that end within 30 days, or ended in the last 30 days: the first 100. Older services omit it. */
  readonly expiring?: readonly ExpiringKey[];
  /** Proposals in which a person still has to act, by state. Older services omit it. */
  readonly proposals?: Readonly<Record<string, number>>;
  /** The `seq` of the KV copy, which is read while the coordinator does not respond. */
  readonly kvSeq: number;
  /** Position and hash of the newest audit record. Store a copy elsewhere: it protects the end of the log. */
  readonly audit: {
    readonly n: number;
    readonly hash: string;
    /** The last trimmed record; 0 if none was trimmed. Older services omit it. */
    readonly trimmedTo?: number;
    /** Hash of that record, which the first record of the log follows; 64 zeros if none was trimmed. */
    readonly trimmedHash?: string;
    /** The newest checkpoint, and the key that verifies it. Null without CHECKPOINT_KEY. Older services omit both. */
    readonly checkpoint?: Omit<CheckpointInfo, 'checkpoint'> | null;
    readonly checkpointKey?: string | null;
    /** How far the log was exported. Older services omit it. */
    readonly exports?: readonly ExportInfo[];
  };
  /** Data centres that polled since the coordinator started, with the `seq` each received. */
  readonly propagation: readonly {
    readonly dataCentre: string;
    readonly seq: number;
    readonly askedAt: string;
    /** IDs of the keys that its edge has. Older edges do not report them. */
    readonly keyIds?: readonly string[];
  }[];
}

export interface ListsInfo {
  readonly release: string | null;
  readonly lists: readonly ListInfo[];
}
