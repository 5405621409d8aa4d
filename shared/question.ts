/**
 * From what a client sent (one JSON object, one query string) to a question that can be judged, or the
 * field that was wrong. Hand-written: a batch has ten thousand of these.
 */
import { ITEM_ID_CHARS_MAX } from './limits.ts';
import { type AddressError, parseAddress } from './numbers/parse.ts';
import { CHANNELS, type Channel, type Party, type Question } from './screen.ts';
import type { Subject } from './verdict.ts';

export type FieldProblem =
  | AddressError
  | 'FIELD_TYPE'
  | 'FIELD_UNKNOWN'
  | 'FIELD_MISSING'
  | 'FIELD_VALUE'
  | 'SOURCE_AS_RECIPIENT';

/** What was wrong with one question. Never holds the value: it may be a number. */
export interface FieldError {
  readonly code: FieldProblem;
  readonly field: string;
  readonly message: string;
}

/** A question and what it came with; `error` says that it could not be understood. */
export type Asked =
  | { readonly error: null; readonly id: string | null; readonly question: Question }
  | { readonly error: FieldError; readonly id: string | null };

/** Values for the fields that an item leaves out. */
export interface Defaults {
  readonly from: Party | null;
  readonly to: Party | null;
  readonly channel: Channel;
}
export const NO_DEFAULTS: Defaults = { from: null, to: null, channel: 'sms' };

const MESSAGES: Record<FieldProblem, string> = {
  NUMBER_MISSING: 'holds no digits; leave the field out to check only the other number',
  NUMBER_TOO_LONG: 'is longer than any number: at most 15 digits (E.164) in 64 characters',
  NUMBER_CHARACTER: 'holds a character that is neither digit, letter nor separator',
  FIELD_TYPE: 'has the wrong type',
  FIELD_UNKNOWN: 'is not a field of this request',
  FIELD_MISSING: 'is missing: give from, to, or both',
  FIELD_VALUE: 'is not one of the values allowed here',
  SOURCE_AS_RECIPIENT: 'holds letters; only a sender may be alphanumeric',
};

function fieldError(code: FieldProblem, field: string, detail?: string): FieldError {
  return { code, field, message: `${field} ${detail ?? MESSAGES[code]}` };
}

/** A field's name as an error may hold it: short, and without the digits of a number that stands as a name. */
export function nameOf(field: string): string {
  const name = field.slice(0, 64);
  return (name.match(/\p{Nd}/gu)?.length ?? 0) > 4 ? name.replace(/\p{Nd}/gu, '*') : name;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Read one address. @param text what was written */
export function readParty(text: string, subject: Subject): { party: Party } | { error: FieldError } {
  const address = parseAddress(text);
  if (address.kind === 'invalid') return { error: fieldError(address.code, subject) };
  if (address.kind === 'source' && subject === 'to')
    return { error: fieldError('SOURCE_AS_RECIPIENT', subject) };
  return { party: address };
}

/** Read one question out of parsed JSON. @param allowId whether `id` is a field here */
export function readQuestion(value: unknown, defaults: Defaults, allowId: boolean): Asked {
  if (!isRecord(value)) {
    return { error: fieldError('FIELD_TYPE', allowId ? 'item' : 'body', 'must be a JSON object'), id: null };
  }
  let id: string | null = null;
  let { from, to, channel } = defaults;
  const failed = (error: FieldError): Asked => ({ error, id });
  if (allowId && value.id !== undefined) {
    if (typeof value.id !== 'string') return failed(fieldError('FIELD_TYPE', 'id', 'must be a string'));
    if (value.id.length > ITEM_ID_CHARS_MAX) {
      return failed(fieldError('FIELD_VALUE', 'id', `has more than ${ITEM_ID_CHARS_MAX} characters`));
    }
    id = value.id;
  }
  for (const key in value) {
    const field = value[key];
    if (key === 'from' || key === 'to') {
      if (typeof field !== 'string') return failed(fieldError('FIELD_TYPE', key, 'must be a string'));
      const read = readParty(field, key);
      if ('error' in read) return failed(read.error);
      if (key === 'from') from = read.party;
      else to = read.party;
    } else if (key === 'channel') {
      const known = CHANNELS.find((candidate) => candidate === field);
      if (known === undefined)
        return failed(fieldError('FIELD_VALUE', key, `must be one of ${CHANNELS.join(', ')}`));
      channel = known;
    } else if (!(allowId && key === 'id')) {
      return failed(fieldError('FIELD_UNKNOWN', nameOf(key)));
    }
  }
  if (from === null && to === null) return failed(fieldError('FIELD_MISSING', 'to'));
  return { error: null, id, question: { from, to, channel } };
}

/** Read `defaults` of a batch: as a question, but nothing has to be there. */
export function readDefaults(value: unknown): Defaults | FieldError {
  if (value === undefined) return NO_DEFAULTS;
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'defaults', 'must be a JSON object');
  const asked = readQuestion(value, NO_DEFAULTS, false);
  if (asked.error === null) return asked.question;
  if (asked.error.code === 'FIELD_MISSING') return { ...NO_DEFAULTS, channel: channelOf(value) };
  return {
    ...asked.error,
    field: `defaults.${asked.error.field}`,
    message: `defaults.${asked.error.message}`,
  };
}

function channelOf(value: unknown): Channel {
  const given = isRecord(value) ? value.channel : undefined;
  return CHANNELS.find((candidate) => candidate === given) ?? NO_DEFAULTS.channel;
}
