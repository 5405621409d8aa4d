/**
 * Parses client input (a JSON object or a query string) into a screening request, or reports the invalid
 * field. Hand-written for speed: a batch has 10,000 items.
 */
import { type FieldError, fieldError, isRecord, nameOf, oneOf } from '../fields.ts';
import { ITEM_ID_CHARS_MAX, SOURCE_CHARS_MAX } from '../limits.ts';
import { type InternationalPrefix, type ParseOptions, parseParty } from '../numbers/parse.ts';
import type { ParsedParty, Party } from '../numbers/party.ts';
import { CHANNELS, type Channel, type Ingress, type ScreenRequest, type Sender } from '../request.ts';
import { foldsWithinBound } from '../sources/sender-id.ts';
import type { Subject } from '../verdict.ts';

/** A text that can mean several numbers. */
type Ambiguous = Extract<ParsedParty, { kind: 'ambiguous' }>;

/** A request with its item ID, or the error that made it unreadable. */
export type ParsedRequest =
  | { readonly error: null; readonly id: string | null; readonly request: ScreenRequest }
  | { readonly error: FieldError; readonly id: string | null; readonly request: null };

/** A request while its fields are parsed. */
export interface RequestDraft {
  from: Sender | Ambiguous | null;
  to: Party | Ambiguous | null;
  channel: Channel;
  ingress: Ingress | null;
  /** The sender as written, if it can be parsed only after all other fields are known. */
  writtenFrom: string | null;
}

/** Values for the fields that an item omits. */
export type RequestDefaults = Readonly<RequestDraft>;

/** How the client writes international numbers; null if unknown. */
export type Convention = InternationalPrefix | null;

/** The fields of one request type. */
export interface RequestFields {
  readonly none: RequestDefaults;
  /** Parses one field. @returns the error, or null */
  take(draft: RequestDraft, field: string, value: unknown, convention: Convention): FieldError | null;
  /** Parses fields that depend on others. @returns the error, or null */
  settle(draft: RequestDraft, convention: Convention): FieldError | null;
  /** Checks the complete draft. @returns the missing or contradictory field, or null */
  finish(draft: RequestDraft): FieldError | null;
}

/** Parses one sender or recipient. */
export function parsePartyField(
  text: string,
  subject: Subject,
  options: ParseOptions,
): { party: Party | Ambiguous } | { error: FieldError } {
  const party = parseParty(text, options);
  if (party.kind === 'invalid') return { error: fieldError(party.code, subject) };
  if (party.kind !== 'source') return { party };
  if (subject === 'to') return { error: fieldError('SOURCE_AS_RECIPIENT', subject) };
  if (foldsWithinBound(party.text)) return { party };
  const message = `is a sender ID of more than ${SOURCE_CHARS_MAX} characters in compatibility form (NFKC)`;
  return { error: fieldError('FIELD_VALUE', subject, message) };
}

const NO_READINGS: readonly ScreenRequest[] = [];

/** The request of a draft: the first reading of each party, with the other readings in `otherReadings`. */
export function toRequest({
  from,
  to,
  channel,
  ingress,
}: Readonly<Omit<RequestDraft, 'writtenFrom'>>): ScreenRequest {
  if (from?.kind !== 'ambiguous' && to?.kind !== 'ambiguous')
    return { from, to, channel, ingress, otherReadings: NO_READINGS };
  const senders = from?.kind === 'ambiguous' ? from.readings : [from];
  const recipients = to?.kind === 'ambiguous' ? to.readings : [to];
  const [first, ...otherReadings] = senders.flatMap((sender) =>
    recipients.map((recipient) => ({
      ...{ from: sender, to: recipient, channel, ingress },
      otherReadings: NO_READINGS,
    })),
  );
  return { ...first!, otherReadings };
}

/** The fields of `/v1/check`. */
export const CHECK_FIELDS: RequestFields = {
  none: { from: null, to: null, channel: 'sms', ingress: null, writtenFrom: null },

  take(draft, field, value, internationalPrefix) {
    if (field === 'channel') {
      const read = oneOf(CHANNELS, field, value);
      if ('error' in read) return read.error;
      draft.channel = read.value;
      return null;
    }
    if (field !== 'from' && field !== 'to') return fieldError('FIELD_UNKNOWN', nameOf(field));
    if (typeof value !== 'string') return fieldError('FIELD_TYPE', field, 'must be a string');
    const read = parsePartyField(value, field, { internationalPrefix, carrierPrefix: null });
    if ('error' in read) return read.error;
    draft[field] = read.party;
    return null;
  },

  settle: () => null,

  finish: ({ from, to }) => (from === null && to === null ? fieldError('FIELD_MISSING', 'to') : null),
};

/** Parses one request from JSON. @param allowId whether `id` is a valid field */
export function parseRequest(
  value: unknown,
  defaults: RequestDefaults,
  allowId: boolean,
  fields: RequestFields,
  convention: Convention,
): ParsedRequest {
  if (!isRecord(value)) {
    return failedRequest(fieldError('FIELD_TYPE', allowId ? 'item' : 'body', 'must be a JSON object'), null);
  }
  let id: string | null = null;
  if (allowId && value.id !== undefined) {
    if (typeof value.id !== 'string')
      return failedRequest(fieldError('FIELD_TYPE', 'id', 'must be a string'), id);
    if (value.id.length > ITEM_ID_CHARS_MAX) {
      const message = `has more than ${ITEM_ID_CHARS_MAX} characters`;
      return failedRequest(fieldError('FIELD_VALUE', 'id', message), id);
    }
    id = value.id;
  }
  const draft: RequestDraft = { ...defaults };
  const error =
    parseInto(draft, value, allowId, fields, convention) ??
    fields.settle(draft, convention) ??
    fields.finish(draft);
  return error === null ? { error: null, id, request: toRequest(draft) } : failedRequest(error, id);
}

function failedRequest(error: FieldError, id: string | null): ParsedRequest {
  return { error, id, request: null };
}

function parseInto(
  draft: RequestDraft,
  value: Record<string, unknown>,
  allowId: boolean,
  fields: RequestFields,
  convention: Convention,
): FieldError | null {
  for (const field in value) {
    if (allowId && field === 'id') continue;
    const error = fields.take(draft, field, value[field], convention);
    if (error !== null) return error;
  }
  return null;
}

/** Parses the `defaults` of a batch: like a request, but every field is optional. */
export function parseDefaults(
  value: unknown,
  fields: RequestFields,
  convention: Convention,
): RequestDefaults | FieldError {
  if (value === undefined) return fields.none;
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'defaults', 'must be a JSON object');
  const draft: RequestDraft = { ...fields.none };
  const error = parseInto(draft, value, false, fields, convention) ?? fields.settle(draft, convention);
  if (error === null) return draft;
  return { ...error, field: `defaults.${error.field}`, message: `defaults.${error.message}` };
}
