/**
 * Reports of spam, as partners send them: the schema, and what one report means. Nothing here stores anything; the
 * reporter is keyed before it is stored.
 */
import * as v from 'valibot';
import { type FieldProblem, fieldError, isRecord, nameOf } from '../fields.ts';
import { flat } from '../flat.ts';
import { hasHidden } from '../hidden-characters.ts';
import { SOURCE_CHARS_MAX } from '../limits/control.ts';
import {
  CAMPAIGN_HEX_MAX,
  CAMPAIGN_HEX_MIN,
  REPORT_AGE_MS_MAX,
  REPORT_AHEAD_MS_MAX,
  REPORT_ID_CHARS_MAX,
  REPORTER_CHARS_MAX,
} from '../limits/reports.ts';
import { PARTY_CHARS_MAX } from '../limits/requests.ts';
import { TEXT_CHARS_MAX } from '../limits/text.ts';
import { toE164 } from '../numbers/number.ts';
import { parseParty } from '../numbers/parse.ts';
import { krClassOf } from '../numbers/plan.ts';
import { isValidNumber } from '../numbers/validity.ts';
import { CHANNELS, type Channel } from '../request.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { timeSchema } from '../schemas.ts';
import { SENDER_CODE_PATTERN } from '../senders/qualification.ts';
import { foldSenderId, foldsWithinBound, skeletonOf } from '../sources/sender-id.ts';
import { isTestNumber } from '../test-numbers.ts';
import { validateJson } from '../validate-json.ts';
import { type ReportingPartner, UNATTENDED_KINDS } from './partner.ts';

/** `notSpam`: a person received the text or call and wanted it. */
export const SPAM_KINDS = [
  ...(['gambling', 'finance', 'loan', 'adult', 'driver', 'telecom', 'medicine', 'phishing'] as const),
  ...(['other', 'notSpam'] as const),
] as const;
export type SpamKind = (typeof SPAM_KINDS)[number];

export const REPORT_ORIGINS = ['domestic', 'overseas'] as const;
export type ReportOrigin = (typeof REPORT_ORIGINS)[number];

/** How the text was sent, or from which line the call came. */
export const REPORT_ROUTES = ['bulk', 'mobile', 'fixed', 'voip', 'international'] as const;
export type ReportRoute = (typeof REPORT_ROUTES)[number];

/** The subject of a report, which a rule can block. */
export type ReportSubject = SenderSubject | CampaignSubject;

export type SenderSubject =
  | { readonly kind: 'number'; readonly n: number }
  /** A sender ID, as the skeleton that a block of it matches. */
  | { readonly kind: 'source'; readonly text: string };

/** A campaign of texts. The text store assigns reported texts to campaigns. */
export interface CampaignSubject {
  readonly kind: 'campaign';
  readonly id: number;
}

const REPORT_ID = new RegExp(`^[A-Za-z0-9._:-]{1,${REPORT_ID_CHARS_MAX}}$`);
const CAMPAIGN = new RegExp(`^[0-9a-f]{${CAMPAIGN_HEX_MIN},${CAMPAIGN_HEX_MAX}}$`);

export const reportIdSchema = v.pipe(
  v.string(),
  v.regex(REPORT_ID, `must have 1 to ${REPORT_ID_CHARS_MAX} letters, digits and ._:-`),
);

/** One report of `POST /v1/reports`. */
export const reportSchema = v.strictObject({
  /** Chosen by the partner, and never used for another report. */
  reportId: reportIdSchema,
  /** The sender, as the check API takes it. */
  from: v.pipe(v.string(), v.minLength(1), v.maxLength(PARTY_CHARS_MAX)),
  channel: v.picklist(CHANNELS),
  /** When the text or call was received. */
  at: timeSchema,
  kind: v.picklist(SPAM_KINDS),
  origin: v.picklist(REPORT_ORIGINS),
  /** The subscriber who reports: a number, or an ID that the partner gives to nobody else. */
  reporter: v.pipe(v.string(), v.minLength(1), v.maxLength(REPORTER_CHARS_MAX)),
  route: v.optional(v.picklist(REPORT_ROUTES)),
  /** Sender code (식별코드) of the relay that the text names. */
  relayCode: v.optional(
    v.pipe(v.string(), v.regex(SENDER_CODE_PATTERN, 'must be 4 to 20 capital letters and digits')),
  ),
  /** Operator through which the text or call entered, MCC-MNC. */
  ingressOperator: v.optional(
    v.pipe(v.string(), v.regex(/^\d{3}-?\d{2,3}$/, 'must be MCC and MNC such as 450-05')),
  ),
  /** Fingerprint of the campaign, computed by the partner. */
  campaign: v.optional(
    v.pipe(
      v.string(),
      v.regex(CAMPAIGN, `must have ${CAMPAIGN_HEX_MIN} to ${CAMPAIGN_HEX_MAX} lower case hex digits`),
    ),
  ),
  /** The text that was received. It is dropped as soon as its fingerprint is computed. */
  text: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(TEXT_CHARS_MAX, `must have at most ${TEXT_CHARS_MAX} characters`),
      v.check((text) => text.isWellFormed(), 'must be well-formed Unicode: it has half of a surrogate pair'),
    ),
  ),
});
export type ReportRequest = v.InferOutput<typeof reportSchema>;

/** A parsed report. Reporter and text are in clear: key the reporter, fingerprint the text, and keep neither. */
export interface Report {
  readonly reportId: string;
  readonly subject: SenderSubject;
  readonly channel: Channel;
  /** ms since 1970. */
  readonly at: number;
  readonly spam: SpamKind;
  /** Origin of the sender: always `domestic` for a Korean number, whatever network it came from. */
  readonly origin: ReportOrigin;
  /** A number in E.164, the same for every partner; or an ID that only this partner uses. */
  readonly reporter: string;
  readonly route: ReportRoute | null;
  readonly relayCode: string | null;
  /** MCC and MNC without a dash. */
  readonly ingressOperator: string | null;
  readonly campaign: string | null;
  readonly text: string | null;
}

export type ReportProblem =
  | FieldProblem
  | 'NUMBER_AMBIGUOUS'
  | 'NUMBER_FORMAT_INVALID'
  | 'NUMBER_IS_TEST'
  | 'NUMBER_NOT_TEST'
  | 'REPORT_IN_FUTURE'
  | 'REPORT_KIND_NOT_ALLOWED'
  | 'REPORT_TOO_OLD';

/** Why one item was refused. The message names the field and never has its value. */
export interface ItemError extends Failure<ReportProblem> {
  readonly field: string;
}

/** @param now ms since 1970 */
export function parseReport(
  value: unknown,
  now: number,
  partner: ReportingPartner,
): Result<Report, ItemError> {
  if (!isRecord(value)) return itemError('FIELD_TYPE', 'report', 'must be a JSON object');
  const valid = validateJson(reportSchema, value);
  if (!valid.ok) return itemError(valid.code, nameOf(valid.path.join('.')), valid.message);
  const { reportId, from, channel, kind, origin, reporter } = valid.value;
  const at = Date.parse(valid.value.at);
  if (at > now + REPORT_AHEAD_MS_MAX) {
    return itemError('REPORT_IN_FUTURE', 'at', 'is in the future: check your clock');
  }
  if (at < now - REPORT_AGE_MS_MAX) {
    return itemError('REPORT_TOO_OLD', 'at', 'is more than 7 days ago: send reports when you receive them');
  }
  if (channel === 'voice' && valid.value.text !== undefined) {
    const detail = 'is the text of a message: leave it out for the channel "voice"';
    return itemError('FIELD_CONTRADICTION', 'text', detail);
  }
  if (kind === 'notSpam' && UNATTENDED_KINDS.includes(partner.kind)) {
    const detail = `must not be notSpam from a partner of kind ${partner.kind}: its reports do not come from people`;
    return itemError('REPORT_KIND_NOT_ALLOWED', 'kind', detail);
  }
  const subject = parseSubject(from, partner);
  if (!subject.ok) return subject;
  const { route = null, relayCode = null, ingressOperator, campaign = null, text = null } = valid.value;
  // A Korean number in traffic from abroad is forged. Rules for senders abroad must not block its subscriber.
  const isKorean = subject.value.kind === 'number' && krClassOf(subject.value.n) !== null;
  return ok({
    ...{ reportId, subject: subject.value, channel, at, spam: kind },
    origin: isKorean ? 'domestic' : origin,
    ...{ reporter: reporterOf(reporter, partner), route, relayCode, campaign, text },
    ingressOperator: ingressOperator?.replace('-', '') ?? null,
  });
}

/** @param from a number as people write it, or a sender ID */
export function parseSubject(
  from: string,
  { mock }: Pick<ReportingPartner, 'mock'>,
): Result<SenderSubject, ItemError> {
  const party = parseParty(from);
  switch (party.kind) {
    case 'invalid':
      return fieldError(party.code, 'from');
    case 'ambiguous':
      return itemError(
        'NUMBER_AMBIGUOUS',
        'from',
        'can mean several numbers: write it with + and country code',
      );
    case 'shortCode':
    case 'localNumber':
      return itemError('FIELD_VALUE', 'from', 'must be a full number or a sender ID');
    case 'source':
      if (mock) return NOT_TEST;
      if (hasHidden(party.text)) {
        return itemError('FIELD_VALUE', 'from', 'has control or invisible characters: remove them');
      }
      if (!foldsWithinBound(party.text)) {
        const detail = `must have at most ${SOURCE_CHARS_MAX} characters in compatibility form (NFKC)`;
        return itemError('FIELD_VALUE', 'from', detail);
      }
      return ok({ kind: 'source', text: skeletonOf(foldSenderId(party.text)) });
    case 'number':
      break;
  }
  if (!isValidNumber(party.n)) {
    const detail = 'cannot exist under the numbering plan: report the number that was displayed';
    return itemError('NUMBER_FORMAT_INVALID', 'from', detail);
  }
  if (isTestNumber(party.n)) {
    if (!mock)
      return itemError('NUMBER_IS_TEST', 'from', 'is a test number: only mock partners report those');
  } else if (mock) return NOT_TEST;
  return ok({ kind: 'number', n: party.n });
}

const NOT_TEST = itemError(
  'NUMBER_NOT_TEST',
  'from',
  'must be a test number from a mock partner: 010-0000-0000 to 010-0000-9999',
);

/**
 * A Korean number, or one with a plus, is the same person for all partners. Everything else is an ID of the partner. An
 * ID that is read as a number can only merge two people, so it never adds a reporter.
 */
function reporterOf(text: string, { id }: ReportingPartner): string {
  const party = parseParty(text);
  if (party.kind === 'number' && isValidNumber(party.n)) {
    if (krClassOf(party.n) !== null || text.trimStart().startsWith('+')) return toE164(party.n);
  }
  return flat(id, '/', text);
}

function itemError(code: ReportProblem, field: string, detail: string): ItemError {
  return { ok: false, code, field, message: flat('"', field, '" ', detail) };
}
