/**
 * From what a client sent (one JSON object, one query string) to a question that can be judged, or the
 * field that was wrong. Hand-written: a batch has ten thousand of these.
 */
import { type FieldError, fieldError, isRecord, nameOf, oneOf } from './fields.ts';
import { ITEM_ID_CHARS_MAX, SOURCE_CHARS_MAX } from './limits.ts';
import { type InternationalPrefix, type ParseOptions, parseParty } from './numbers/parse.ts';
import type { ParsedParty, Party } from './numbers/party.ts';
import { CHANNELS, type Channel, type Ingress, type Question, type Sender } from './question.ts';
import { foldsWithinBound } from './sources/sender-id.ts';
import type { Subject } from './verdict.ts';

/** A text that can mean several numbers. */
type Ambiguous = Extract<ParsedParty, { kind: 'ambiguous' }>;

/** A question and what it came with; `error` says that it could not be understood. */
export type Asked =
  | { readonly error: null; readonly id: string | null; readonly question: Question }
  | { readonly error: FieldError; readonly id: string | null; readonly question: null };

/** A question while its fields are read. */
export interface Draft {
  from: Sender | Ambiguous | null;
  to: Party | Ambiguous | null;
  channel: Channel;
  ingress: Ingress | null;
  /** The sender as it was written, where it is only read once all fields are known. */
  writtenFrom: string | null;
}

/** Values for the fields that an item leaves out. */
export type Defaults = Readonly<Draft>;

/** How the client writes international numbers; null if it is not known. */
export type Convention = InternationalPrefix | null;

/** What one kind of question has for fields. */
export interface Fields {
  readonly none: Defaults;
  /** Read one field. @returns what is wrong with it, or null */
  take(draft: Draft, field: string, value: unknown, convention: Convention): FieldError | null;
  /** Read what could not be read by itself. @returns what is wrong with it, or null */
  settle(draft: Draft, convention: Convention): FieldError | null;
  /** All fields are read. @returns what is missing, or what does not go together, or null */
  finish(draft: Draft): FieldError | null;
}

/** Parses one sender or recipient. */
export function readParty(
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

const NO_READINGS: readonly Question[] = [];

/** The question of a draft: the first reading of each party, and the others beside it. */
export function questionOf({ from, to, channel, ingress }: Readonly<Omit<Draft, 'writtenFrom'>>): Question {
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
export const CHECK_FIELDS: Fields = {
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
    const read = readParty(value, field, { internationalPrefix, carrierPrefix: null });
    if ('error' in read) return read.error;
    draft[field] = read.party;
    return null;
  },

  settle: () => null,

  finish: ({ from, to }) => (from === null && to === null ? fieldError('FIELD_MISSING', 'to') : null),
};

/** Read one question out of parsed JSON. @param allowId whether `id` is a field here */
export function readQuestion(
  value: unknown,
  defaults: Defaults,
  allowId: boolean,
  fields: Fields,
  convention: Convention,
): Asked {
  if (!isRecord(value)) {
    return failed(fieldError('FIELD_TYPE', allowId ? 'item' : 'body', 'must be a JSON object'), null);
  }
  let id: string | null = null;
  if (allowId && value.id !== undefined) {
    if (typeof value.id !== 'string') return failed(fieldError('FIELD_TYPE', 'id', 'must be a string'), id);
    if (value.id.length > ITEM_ID_CHARS_MAX) {
      const message = `has more than ${ITEM_ID_CHARS_MAX} characters`;
      return failed(fieldError('FIELD_VALUE', 'id', message), id);
    }
    id = value.id;
  }
  const draft: Draft = { ...defaults };
  const error =
    readInto(draft, value, allowId, fields, convention) ??
    fields.settle(draft, convention) ??
    fields.finish(draft);
  return error === null ? { error: null, id, question: questionOf(draft) } : failed(error, id);
}

function failed(error: FieldError, id: string | null): Asked {
  return { error, id, question: null };
}

function readInto(
  draft: Draft,
  value: Record<string, unknown>,
  allowId: boolean,
  fields: Fields,
  convention: Convention,
): FieldError | null {
  for (const field in value) {
    if (allowId && field === 'id') continue;
    const error = fields.take(draft, field, value[field], convention);
    if (error !== null) return error;
  }
  return null;
}

/** Read `defaults` of a batch: as a question, but nothing has to be there. */
export function readDefaults(value: unknown, fields: Fields, convention: Convention): Defaults | FieldError {
  if (value === undefined) return fields.none;
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'defaults', 'must be a JSON object');
  const draft: Draft = { ...fields.none };
  const error = readInto(draft, value, false, fields, convention) ?? fields.settle(draft, convention);
  if (error === null) return draft;
  return { ...error, field: `defaults.${error.field}`, message: `defaults.${error.message}` };
}
