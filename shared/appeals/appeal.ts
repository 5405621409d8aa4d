/**
 * The requests and responses with which an appellant appeals against a block and follows the appeal. Appellants need no
 * key: the reference of the block grants the right to appeal, and the token of the appeal grants the right to follow it.
 */
import * as v from 'valibot';
import { withoutHidden } from '../hidden-characters.ts';
import {
  APPEAL_CONTACT_CHARS_MAX,
  APPEAL_PROOF_CHARS_MAX,
  APPEAL_REFERENCE_CHARS_MAX,
  APPEAL_STATEMENT_CHARS_MAX,
} from '../limits/appeals.ts';
import type { Code } from '../verdict.ts';

/** A text for people, by language. */
export interface People {
  readonly ko: string;
  readonly en: string;
}

/** `inReview`: an admin has claimed the appeal. The last three states are decisions. */
export const APPEAL_STATES = ['received', 'inReview', 'accepted', 'rejected', 'noLongerBlocked'] as const;
export type AppealState = (typeof APPEAL_STATES)[number];
export const OPEN_APPEALS: readonly AppealState[] = ['received', 'inReview'];

/** Why an appeal was rejected. The appellant reads the text of the code: see REJECTION_TEXTS. */
export const REJECTIONS = [
  'REPORTS_CONFIRMED',
  'NUMBER_NOT_IN_SERVICE',
  'NUMBER_MISUSED',
  'HOLDER_UNPROVEN',
  'AUTHORITY_ORDER',
  'INFORMATION_MISSING',
] as const;
export type Rejection = (typeof REJECTIONS)[number];

/** How an appellant proves to be human: not at all, by a proof of work, or with Cloudflare Turnstile. */
export const APPEAL_PROOFS = ['off', 'work', 'turnstile'] as const;
export type AppealProof = (typeof APPEAL_PROOFS)[number];

/** A single line. Replaces each hidden character with a space, because a reviewer would not see it. */
const lineSchema = (charsMax: number) =>
  v.pipe(
    v.string(),
    v.maxLength(charsMax),
    v.transform((text) => withoutHidden(text).trim()),
  );

/** Several lines, each cleaned as in `lineSchema`. */
const textSchema = (charsMax: number) =>
  v.pipe(
    v.string(),
    v.maxLength(charsMax),
    v.transform((text) => text.split(/\r?\n/).map(withoutHidden).join('\n').trim()),
  );

/** `POST /v1/appeals` */
export const submitAppealSchema = v.strictObject({
  /** The reference of the block: `appeal` of a reason. */
  reference: v.pipe(
    v.string(),
    v.regex(/^[\w-]+$/, 'must be the "appeal" of a reason, as it was sent'),
    v.maxLength(APPEAL_REFERENCE_CHARS_MAX),
  ),
  statement: v.pipe(
    textSchema(APPEAL_STATEMENT_CHARS_MAX),
    v.minLength(1, 'must say why the block is wrong'),
  ),
  contact: v.optional(lineSchema(APPEAL_CONTACT_CHARS_MAX)),
  /** A solved challenge or a Turnstile token, if the service requires one. */
  proof: v.optional(v.pipe(v.string(), v.maxLength(APPEAL_PROOF_CHARS_MAX))),
});
export type SubmittedAppeal = v.InferOutput<typeof submitAppealSchema>;

/** The response 202. An unknown reference gets the same response. */
export interface AppealReceived {
  /** Bearer token for `/v1/appeals/status`. */
  readonly appeal: string;
  readonly message: People;
}

/** `GET /v1/appeals/status` */
export interface AppealStatus {
  /** `unmatched`: no block has this reference. The service reveals this only after APPEAL_UNMATCHED_MS. */
  readonly state: AppealState | 'unmatched';
  readonly receivedAt: string;
  /** When the appeal was decided; null before the decision. */
  readonly decidedAt: string | null;
  /** The change that lifted the block; null unless the appeal was accepted. */
  readonly seq: number | null;
  readonly message: People;
  /** What the block means for the blocked person; null before the review. */
  readonly block: { readonly code: Code; readonly meaning: People } | null;
  /** Why the appeal was rejected; null in all other states. */
  readonly rejection: { readonly code: Rejection; readonly message: People } | null;
}
