/**
 * Wire types of the admin API, shared by the control Worker and the CLI.
 * Numbers appear only in bodies, never in a path or a query.
 */
import * as v from 'valibot';
import { clientSchema } from './clients.ts';
import { BULK_ENTRIES_MAX, RELEASE_CHARS_MAX } from './limits.ts';
import { LIVE_OPS } from './live/entry.ts';
import { policySchema } from './policy/policy.ts';
import { GUARDS, type GuardHit, guardSettingsSchema } from './release/guards.ts';
import type { ListInfo } from './release/manifest.ts';
import { signedTextSchema } from './release/signed.ts';
import { keySecretsSchema, nameSchema, reasonSchema, sha256Schema } from './schemas.ts';
import type { StorageInfo } from './storage-level.ts';
import { AGAINST_CODES, SUBJECTS } from './verdict.ts';

/** What a token may do. `read` covers everything except secrets. */
export const SCOPES = ['read', 'entries', 'releases', 'clients'] as const;
export type Scope = (typeof SCOPES)[number];

/** The authenticated caller: a token or a Cloudflare Access identity. */
export interface Actor {
  /**
   * `token:<id>`, `access:<email or service>`, or `numgate` for changes that the coordinator makes itself.
   */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Appears in the reasons of entries that the actor creates. */
  readonly authority: string;
  /** Whether the actor may create and revoke tokens. */
  readonly root: boolean;
}

const time = v.pipe(
  v.string(),
  v.isoTimestamp('must be a time such as 2026-11-24T03:12:09Z'),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'must be a time such as 2026-11-24T03:12:09Z'),
);

export const tokenSchema = v.strictObject({
  id: nameSchema,
  secretSha256: keySecretsSchema,
  scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length)),
  /** The authority that the token's holder acts for. */
  authority: nameSchema,
});
export type Token = v.InferOutput<typeof tokenSchema>;

/** A number as people write it, or a source: a sender ID, or `operator:51502` (sources/source.ts). */
const itemSchema = v.union([v.strictObject({ number: v.string() }), v.strictObject({ source: v.string() })]);
export type EntryItem = v.InferOutput<typeof itemSchema>;

/** `POST /v1/admin/entries`: one operation on one or more items, applied atomically. */
export const entryChangeSchema = v.strictObject({
  op: v.picklist(LIVE_OPS),
  items: v.pipe(v.array(itemSchema), v.minLength(1), v.maxLength(BULK_ENTRIES_MAX)),
  /** For a block: the code of its verdicts. */
  code: v.optional(v.picklist(AGAINST_CODES), 'SENDER_REPORTED'),
  subjects: v.optional(v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(SUBJECTS.length)), [
    ...SUBJECTS,
  ]),
  /** When the entry expires. Without it, the entry stays until it is undone or folded into a release. */
  until: v.optional(v.nullable(time), null),
  reason: reasonSchema,
});
export type EntryChange = v.InferOutput<typeof entryChangeSchema>;

/** `POST /v1/admin/entries/find` */
export const findSchema = itemSchema;

/** A live entry in a response. */
export interface EntryInfo {
  readonly number: string | null;
  /** For display only: after a restore, this may not be the text that was blocked. */
  readonly source: string | null;
  /** For a source: its keyed fingerprint, 16 hex digits. Identifies the source even if its text was lost. */
  readonly fingerprint: string | null;
  readonly op: (typeof LIVE_OPS)[number];
  readonly code: string | null;
  readonly subjects: readonly string[];
  readonly authority: string;
  readonly until: string | null;
  readonly seq: number;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
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
  readonly changed: number;
}

/** `POST /v1/admin/releases`: the signed manifest. Its values may arrive in KV later, up to the promotion. */
export const stageSchema = v.strictObject({
  ...signedTextSchema.entries,
  reason: v.optional(reasonSchema, 'staged'),
});

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
  overrides: v.optional(v.pipe(v.array(v.picklist(GUARDS)), v.maxLength(GUARDS.length)), []),
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
  readonly numbers: number;
  readonly bytes: number;
}

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
export const putTokenSchema = v.strictObject({ token: tokenSchema, reason: reasonSchema });
export const putPolicySchema = v.strictObject({ policy: policySchema, reason: reasonSchema });
export const putGuardsSchema = v.strictObject({ guards: guardSettingsSchema, reason: reasonSchema });

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
  };
  /** Data centres that polled since the coordinator started, with the `seq` each received. */
  readonly propagation: readonly {
    readonly dataCentre: string;
    readonly seq: number;
    readonly askedAt: string;
  }[];
}

export interface ListsInfo {
  readonly release: string | null;
  readonly lists: readonly ListInfo[];
}

/** Extra members of problems that carry more than a message. */
export interface ProblemExtras {
  /** UNAVAILABLE and DEGRADED, in `/healthz`: the `seq` of the head in use. */
  readonly seq?: number;
  /** GUARD_HIT */
  readonly guards?: readonly GuardHit[];
  /** BASE_MOVED: the base you sent, and the current release. */
  readonly base?: string | null;
  readonly current?: string | null;
  /** Releases that became current after your base and were not withdrawn, oldest first. */
  readonly since?: readonly { readonly release: string; readonly by: string; readonly promotedAt: string }[];
  /** PLAN_MOVED */
  readonly plan?: string;
  /** RELEASE_REFUSED: the reason, such as SIGNATURE_INVALID. */
  readonly refusal?: string;
  /** RELEASE_INCOMPLETE and DEGRADED: KV keys of missing values, at most MISSING_NAMED_MAX. */
  readonly missing?: readonly string[];
  /** BUDGET_EXCEEDED: which budget, and when it is full again. */
  readonly budget?: { readonly name: string; readonly resetsAt: string };
  /** ENTRY_…: the affected items, at most 100. */
  readonly items?: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** Problem codes of the control plane, with status and title. They never change. */
export const ADMIN_PROBLEMS = {
  ENTRY_INVALID: [422, 'Entry is invalid'],
  ENTRY_PROTECTED: [422, 'Number is protected'],
  ENTRY_TOO_WIDE: [422, 'Entry covers more than one number'],
  LIVE_FULL: [409, 'Live layer is full'],
  RELEASE_UNKNOWN: [404, 'Release not found'],
  RELEASE_REFUSED: [422, 'Release refused'],
  RELEASE_INCOMPLETE: [503, 'Release is incomplete'],
  RELEASE_STATE: [409, 'Release state does not allow this'],
  GUARD_HIT: [422, 'Change hits a guard'],
  BASE_MOVED: [409, 'Current release has changed'],
  PLAN_MOVED: [409, 'Plan has changed'],
  ROLLBACK_IMPOSSIBLE: [409, 'Rollback is not possible'],
  CLIENT_UNKNOWN: [404, 'Client not found'],
  CLIENTS_TOO_MANY: [409, 'Too many clients'],
  TOKEN_UNKNOWN: [404, 'Token not found'],
  IDEMPOTENCY_CONFLICT: [409, 'Idempotency-Key was used for another request'],
  BUDGET_EXCEEDED: [429, 'Budget exceeded'],
  STORAGE_FULL: [507, 'Coordinator storage is full'],
  PRECONDITION_FAILED: [412, 'Precondition failed'],
} as const satisfies Record<string, readonly [number, string]>;
export type AdminProblemCode = keyof typeof ADMIN_PROBLEMS;
