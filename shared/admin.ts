/**
 * The admin API on the wire: what control takes and gives, in one place for the Worker and the CLI.
 * Numbers stand in bodies only, never in a path or a query.
 */
import * as v from 'valibot';
import { clientSchema } from './clients.ts';
import { BULK_ENTRIES_MAX, REASON_CHARS_MAX, RELEASE_CHARS_MAX } from './limits.ts';
import { LIVE_OPS } from './live/entry.ts';
import { policySchema } from './policy/policy.ts';
import { GUARDS, type GuardHit, guardSettingsSchema } from './release/guards.ts';
import type { ListInfo } from './release/manifest.ts';
import { signedTextSchema } from './release/signed.ts';
import { keySecretsSchema, nameSchema } from './schemas.ts';
import type { StorageInfo } from './storage-level.ts';
import { AGAINST_CODES, SUBJECTS } from './verdict.ts';

/** What a token may do. `read` sees everything but secrets. */
export const SCOPES = ['read', 'entries', 'releases', 'clients'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who acts: from a token or a Cloudflare Access identity. */
export interface Actor {
  /** `token:<id>`, `access:<email or service>`, or `numgate` for what the authority does by itself. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Named in the reasons of the entries that the actor makes. */
  readonly authority: string;
  /** Whether it may make and end tokens. */
  readonly root: boolean;
}

const time = v.pipe(
  v.string(),
  v.isoTimestamp('a time as in 2026-11-24T03:12:09Z'),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'a time as in 2026-11-24T03:12:09Z'),
);

/** Why: kept in the audit log with the change. */
export const reasonSchema = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'say why'),
  v.maxLength(REASON_CHARS_MAX),
);

export const tokenSchema = v.strictObject({
  id: nameSchema,
  secretSha256: keySecretsSchema,
  scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length)),
  /** The authority that the token's holder acts for. */
  authority: nameSchema,
});
export type Token = v.InferOutput<typeof tokenSchema>;

/** A number as people write it, or a source: a sender id, or `operator:51502` (sources/source.ts). */
const itemSchema = v.union([v.strictObject({ number: v.string() }), v.strictObject({ source: v.string() })]);
export type EntryItem = v.InferOutput<typeof itemSchema>;

/** `POST /v1/admin/entries`: one operation on one or many; all of it or nothing. */
export const entryChangeSchema = v.strictObject({
  op: v.picklist(LIVE_OPS),
  items: v.pipe(v.array(itemSchema), v.minLength(1), v.maxLength(BULK_ENTRIES_MAX)),
  /** Of a block: the code of its verdicts. */
  code: v.optional(v.picklist(AGAINST_CODES), 'SENDER_REPORTED'),
  subjects: v.optional(v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(SUBJECTS.length)), [
    ...SUBJECTS,
  ]),
  /** When it ends by itself; without it, it stays until it is taken back or folded into a release. */
  until: v.optional(v.nullable(time), null),
  reason: reasonSchema,
});
export type EntryChange = v.InferOutput<typeof entryChangeSchema>;

/** `POST /v1/admin/entries/find` */
export const findSchema = itemSchema;

/** A live entry as it is told. */
export interface EntryInfo {
  readonly number: string | null;
  /** For people: after a restore, it is not what was blocked. */
  readonly source: string | null;
  /** Of a source, keyed, in 16 hex digits: what it is known by, whatever became of its text. */
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

/** `GET /v1/admin/entries?after=<cursor>&upTo=<seq>&limit=`: by rising seq. */
export interface EntryPage {
  /** All entries up to this change are in the pages; give it as `upTo` for the next page. */
  readonly upTo: number;
  readonly entries: readonly EntryInfo[];
  /** Give as `after` for the next page; null at the end. */
  readonly next: string | null;
}

export interface ChangeDone {
  /** The `seq` that shows the change, in every verdict and in `/healthz`. */
  readonly seq: number;
}
export interface EntriesDone extends ChangeDone {
  readonly changed: number;
}

/** `POST /v1/admin/releases`: the signed manifest. Its values may come into KV later, until it is promoted. */
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
  /** The release that is current as far as you know; null for none. */
  base: v.nullable(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  /** Hash of the plan you saw; without it, a plan that hits no guard is taken as it is. */
  plan: v.optional(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  /** Share of the data centres, above 0; 1 is all. */
  share: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  /** Names of the guards that may be hit. */
  overrides: v.optional(v.pipe(v.array(v.picklist(GUARDS)), v.maxLength(GUARDS.length)), []),
  reason: reasonSchema,
});
export type Promote = v.InferOutput<typeof promoteSchema>;

export interface PromoteDone extends ChangeDone {
  readonly release: string;
  readonly state: ReleaseState;
  readonly share: number;
}

/** `POST /v1/admin/rollback`: undo the last step: the candidate if there is one, else the current release. */
export const rollbackSchema = v.strictObject({
  /** What is to be undone, as far as you know: nothing happens where it is something else. */
  release: v.optional(v.pipe(v.string(), v.maxLength(RELEASE_CHARS_MAX))),
  reason: reasonSchema,
});
export type Rollback = v.InferOutput<typeof rollbackSchema>;

export interface RollbackDone extends ChangeDone {
  /** What was taken back. */
  readonly withdrawn: string;
  /** What is current now. */
  readonly current: string;
}

export interface ReleaseInfo {
  readonly release: string;
  readonly state: ReleaseState;
  readonly base: string | null;
  readonly foldedSeq: number;
  readonly stagedAt: string;
  readonly by: string;
  /** Of a refused release: the code and the sentence. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly promotedAt: string | null;
  /** Whether rollback can still go there. */
  readonly readable: boolean;
  readonly numbers: number;
  readonly bytes: number;
}

/** `POST /v1/admin/audit/trim`: remove the records up to this one, which was exported. */
export const trimAuditSchema = v.strictObject({
  n: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Of record `n`: who knows it has read the log up to it. */
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex')),
  reason: reasonSchema,
});
export interface AuditTrimmed {
  readonly trimmedTo: number;
}

export const removeSchema = v.strictObject({ reason: reasonSchema });

/** Nobody's to send from. Others that must be reached, as hotlines, have owners that text. */
const NEVER_OWNED: readonly string[] = ['112', '119'];

/** `PUT /v1/admin/clients/{id}`: the whole client; its id stands in the path too. */
export const putClientSchema = v.strictObject({
  client: v.pipe(
    clientSchema,
    v.forward(
      v.check(
        ({ shortCodes }) => !shortCodes.some((code) => NEVER_OWNED.includes(code)),
        "112 and 119 are nobody's to send from",
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
  readonly clients: number;
  /** The `seq` of the copy in KV that is read while the authority does not answer. */
  readonly kvSeq: number;
  /** Place and hash of the newest audit record: kept elsewhere, it guards the end of the log. */
  readonly audit: {
    readonly n: number;
    readonly hash: string;
    /** Records up to this one were trimmed; 0 where none was. Older services do not say. */
    readonly trimmedTo?: number;
    /** Hash of that record, which the first one of the log follows; 64 zeros where none was trimmed. */
    readonly trimmedHash?: string;
  };
  /** The data centres that asked since the authority started, and the `seq` they were given. */
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

/** Problems that carry more than a sentence have these members besides. */
export interface ProblemExtras {
  /** UNAVAILABLE and DEGRADED, of `/healthz`: the change that is seen. */
  readonly seq?: number;
  /** GUARD_HIT */
  readonly guards?: readonly GuardHit[];
  /** BASE_MOVED: what you took for current, and what is. */
  readonly base?: string | null;
  readonly current?: string | null;
  /** What became current since your base and was not taken back, oldest first. */
  readonly since?: readonly { readonly release: string; readonly by: string; readonly promotedAt: string }[];
  /** PLAN_MOVED */
  readonly plan?: string;
  /** RELEASE_REFUSED: the reason, such as SIGNATURE_INVALID. */
  readonly refusal?: string;
  /** RELEASE_INCOMPLETE and DEGRADED: KV keys of values that are not there, at most MISSING_NAMED_MAX. */
  readonly missing?: readonly string[];
  /** BUDGET_EXCEEDED: which budget, and when it is full again. */
  readonly budget?: { readonly name: string; readonly resetsAt: string };
  /** ENTRY_…: which items, at most 100. */
  readonly items?: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** Codes of the problems that only the control plane has, with status and title. Stable for ever. */
export const ADMIN_PROBLEMS = {
  ENTRY_INVALID: [422, 'An entry is not a number that can be listed'],
  ENTRY_PROTECTED: [422, 'An entry is a protected number'],
  ENTRY_TOO_WIDE: [422, 'An entry is wider than one number'],
  LIVE_FULL: [409, 'The live layer is full'],
  RELEASE_UNKNOWN: [404, 'There is no such release'],
  RELEASE_REFUSED: [422, 'The release is refused'],
  RELEASE_INCOMPLETE: [503, 'Values of the release are not in KV yet'],
  RELEASE_STATE: [409, 'The release is not in a state for this'],
  GUARD_HIT: [422, 'A guard is hit'],
  BASE_MOVED: [409, 'Another release has become current'],
  PLAN_MOVED: [409, 'The plan is another one'],
  ROLLBACK_IMPOSSIBLE: [409, 'There is nothing to go back to'],
  CLIENT_UNKNOWN: [404, 'There is no such client'],
  CLIENTS_TOO_MANY: [409, 'There are too many clients'],
  TOKEN_UNKNOWN: [404, 'There is no such token'],
  IDEMPOTENCY_CONFLICT: [409, 'The Idempotency-Key was used for another request'],
  BUDGET_EXCEEDED: [429, 'The budget of the token is used up'],
  STORAGE_FULL: [507, 'The coordinator has no room for this'],
  PRECONDITION_FAILED: [412, 'What you want to change has changed'],
} as const satisfies Record<string, readonly [number, string]>;
export type AdminProblemCode = keyof typeof ADMIN_PROBLEMS;
