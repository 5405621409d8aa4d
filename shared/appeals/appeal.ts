/**
 * An appeal against a block, as the appellant sends it and follows it. Nobody needs a key: the reference of the block is the
 * right to appeal, and the token of the appeal the right to see what became of it.
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

/** `inReview`: an admin has claimed it. The last three are decisions. */
export const APPEAL_STATES = ['received', 'inReview', 'accepted', 'rejected', 'noLongerBlocked'] as const;
export type AppealState = (typeof APPEAL_STATES)[number];
export const OPEN_APPEALS: readonly AppealState[] = ['received', 'inReview'];

/** Why an appeal is rejected. People see the texts of these codes. */
export const REJECTIONS = [
  'REPORTS_CONFIRMED',
  'NUMBER_NOT_IN_SERVICE',
  'NUMBER_MISUSED',
  'HOLDER_UNPROVEN',
  'AUTHORITY_ORDER',
  'INFORMATION_MISSING',
] as const;
export type Rejection = (typeof REJECTIONS)[number];

/** How an appellant proves to be no robot: not at all, by a proof of work, or with Cloudflare Turnstile. */
export const APPEAL_PROOFS = ['off', 'work', 'turnstile'] as const;
export type AppealProof = (typeof APPEAL_PROOFS)[number];

/** People paste anything: what a reviewer would not see becomes a space. Lines stay. */
const textSchema = (charsMax: number) =>
  v.pipe(
    v.string(),
    v.maxLength(charsMax),
    v.transform((text) => text.split(/\r?\n/).map(withoutHidden).join('\n').trim()),
  );

/** `POST /v1/appeals` */
export const submitAppealSchema = v.strictObject({
  /** `appeal` of a reason. */
  reference: v.pipe(
    v.string(),
    v.regex(/^[\w-]+$/, 'must be the "appeal" of a reason, as it was sent'),
    v.maxLength(APPEAL_REFERENCE_CHARS_MAX),
  ),
  statement: v.pipe(
    textSchema(APPEAL_STATEMENT_CHARS_MAX),
    v.minLength(1, 'must say why the block is wrong'),
  ),
  contact: v.optional(textSchema(APPEAL_CONTACT_CHARS_MAX)),
  /** A solved challenge, or the token of Turnstile, if the service requires one. */
  proof: v.optional(v.pipe(v.string(), v.maxLength(APPEAL_PROOF_CHARS_MAX))),
});
export type SubmittedAppeal = v.InferOutput<typeof submitAppealSchema>;

/** The response 202. It is the same for a reference that the service does not know. */
export interface AppealReceived {
  /** Bearer token for `/v1/appeals/status`. */
  readonly appeal: string;
  readonly message: People;
}

/** `GET /v1/appeals/status` */
export interface AppealStatus {
  /** `unmatched`: the reference is of no block. The service only reveals it after APPEAL_UNMATCHED_MS. */
  readonly state: AppealState | 'unmatched';
  readonly receivedAt: string;
  /** When it was decided; null before. */
  readonly decidedAt: string | null;
  /** Of an accepted appeal: the change that lifted the block. */
  readonly seq: number | null;
  readonly message: People;
  /** From the review on: what the block means for the person who is blocked. */
  readonly block: { readonly code: Code; readonly meaning: People } | null;
  /** Of a rejected appeal. */
  readonly rejection: { readonly code: Rejection; readonly message: People } | null;
}
