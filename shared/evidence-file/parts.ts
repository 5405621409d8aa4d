/**
 * The parts of an evidence file, as JSON. No part contains data of a reporter, words of an appellant, or a secret.
 */
import * as v from 'valibot';
import type { AppealInfo, StandingBlock } from '../admin/appeals.ts';
import type { CertificateInfo, DelegationInfo } from '../admin/credentials.ts';
import type { EntryInfo } from '../admin/entries.ts';
import type { GroundInfo, RuleBlockInfo } from '../admin/rule-blocks.ts';
import type { NoticeRecord } from '../notices/notice.ts';
import type { ReportOrigin, SpamKind } from '../reports/report.ts';
import type { RuleSettings } from '../reports/rule.ts';
import type { Channel } from '../request.ts';
import type { QualificationInfo } from '../senders/qualification.ts';
import type { Registration } from '../senders/registration.ts';

export const README_PART = 'readme.txt';
export const KEYS_PART = 'keys.json';
export const CHECKPOINT_PART = 'checkpoint.txt';
export const SUBJECTS_PART = 'subjects.json';
export const BLOCKS_PART = 'blocks.json';
export const RULE_BLOCKS_PART = 'rule-blocks.json';
export const RULES_PART = 'rules.json';
export const REPORTS_PART = 'reports.json';
export const NOTICES_PART = 'notices.json';
export const APPEALS_PART = 'appeals.json';
export const REGISTRATIONS_PART = 'registrations.json';
export const CREDENTIALS_PART = 'credentials.json';
export const LOG_PART = 'log.ndjson';
export const PROOFS_PART = 'proofs.json';

/** Parts of every file. A file has one more part for each chain with records. */
export const FIXED_PARTS = [
  ...[README_PART, KEYS_PART, CHECKPOINT_PART, SUBJECTS_PART, BLOCKS_PART, RULE_BLOCKS_PART, RULES_PART],
  ...[REPORTS_PART, NOTICES_PART, APPEALS_PART, REGISTRATIONS_PART, CREDENTIALS_PART, LOG_PART, PROOFS_PART],
] as const;

/** The chains of other objects, and the subject of their anchors. For `registrations`, the subject is an organisation. */
export const CHAIN_SUBJECTS = {
  response: 'joint response',
  appeals: 'appeals',
  credentials: 'sender credentials',
} as const;
export type ChainName = keyof typeof CHAIN_SUBJECTS | 'registrations';

export function chainPart(chain: ChainName, organisation: string | null): string {
  return organisation === null ? `chain-${chain}.ndjson` : `chain-${chain}-${organisation}.ndjson`;
}

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * The sender that the file is about, and the names that records have for it. By signing the file, the service states that
 * these keyed names belong to these numbers. Only the holder of LIST_KEY can compute the names.
 */
export const subjectsSchema = v.strictObject({
  statement: text,
  numbers: v.array(
    v.strictObject({
      number: text,
      /** One name for each LIST_KEY that the service had when it made the file. */
      keyed: v.array(v.strictObject({ keyId: text, name: text })),
    }),
  ),
  sources: v.array(v.strictObject({ source: text, name: text })),
  organisations: v.array(text),
});
export type SubjectsPart = v.InferOutput<typeof subjectsSchema>;

/** Entries and lists that blocked or allowed the sender when the file was made. The log has the earlier ones. */
export interface BlocksPart {
  readonly numbers: readonly {
    readonly sender: string;
    readonly entries: readonly EntryInfo[];
    /** Lists of the current release; null if they could not be read. */
    readonly lists: readonly (StandingBlock & { readonly subject: string })[];
  }[];
  readonly release: string | null;
}

/** A ground without the partners. It still says how many reporters there were, and the kinds of partners. */
type Ground = Omit<GroundInfo, 'partners'>;
export interface RuleBlocksPart {
  readonly ruleBlocks: readonly (Omit<RuleBlockInfo, 'grounds' | 'members' | 'campaign'> & {
    readonly grounds: readonly Ground[];
  })[];
}

/** Versions of rules that blocked the sender, or would have blocked it. */
export interface RulesPart {
  readonly rules: readonly {
    readonly id: string;
    readonly version: number;
    readonly rule: RuleSettings;
    /** `by`, `at` and `reason` are null for a rule that came with the installation, or a version that is no longer kept. */
    readonly by: string | null;
    readonly at: string | null;
    readonly reason: string | null;
    /** The record of the log with this version; null if there is none. */
    readonly record: number | null;
  }[];
}

export interface ReportsPart {
  readonly timeZone: 'Asia/Seoul';
  readonly numbers: readonly {
    readonly sender: string;
    /** Counted since the first report. Reports in `withdrawn` and `overBudget` count for no rule. */
    readonly totals: {
      readonly received: number;
      readonly counted: number;
      readonly overBudget: number;
      readonly withdrawn: number;
      readonly notSpam: number;
    } | null;
    readonly days: readonly {
      readonly day: string;
      readonly channel: Channel;
      readonly kind: SpamKind;
      readonly origin: ReportOrigin;
      readonly received: number;
      readonly overBudget: number;
      readonly withdrawn: number;
    }[];
  }[];
}

export interface NoticesPart {
  readonly notices: readonly (NoticeRecord & { readonly organisation: string })[];
}

export interface AppealsPart {
  readonly appeals: readonly AppealInfo[];
}

export interface RegistrationsPart {
  readonly registrations: readonly Registration[];
  /** Qualifications of the registering organisations when the file was made. The log has their history. */
  readonly qualifications: readonly QualificationInfo[];
}

export interface CredentialsPart {
  readonly certificates: readonly CertificateInfo[];
  readonly delegations: readonly DelegationInfo[];
}

const hashes = v.array(text);
/** Hashes are base64, from the leaf to the root (RFC 6962). */
export const proofsSchema = v.strictObject({
  log: v.array(v.strictObject({ n: count, hashes })),
  /** Earlier checkpoints of the log, and the proof that the tree of each is the beginning of the file's tree. */
  checkpoints: v.array(v.strictObject({ size: count, checkpoint: text, hashes })),
  chains: v.array(
    v.strictObject({
      part: text,
      chain: v.picklist(['response', 'appeals', 'credentials', 'registrations']),
      subject: text,
      /** `anchor`: the record of the log with the root over the records after `from`, up to and including `to`. */
      records: v.array(v.strictObject({ n: count, anchor: count, from: count, to: count, hashes })),
    }),
  ),
});
export type ProofsPart = v.InferOutput<typeof proofsSchema>;

/** Keys for a first look. A verifier that relies on these keys trusts the file itself. */
export const keysSchema = v.strictObject({
  jwks: v.strictObject({ keys: v.array(v.looseObject({})) }),
  checkpointKey: text,
});
