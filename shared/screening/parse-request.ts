/**
 * Parses client input (a JSON object or a query string) into a screening request, or reports the invalid
 * field. Hand-written for speed: a batch has 10,000 items.
 */
import { type FieldError, fieldError, isRecord, nameOf, oneOf } from '../fields.ts';
import { flat } from '../flat.ts';
import { hasHidden } from '../hidden-characters.ts';
import { SOURCE_CHARS_MAX } from '../limits/control.ts';
import { TOKEN_CHARS_MAX } from '../limits/credentials.ts';
import { ITEM_ID_CHARS_MAX } from '../limits/requests.ts';
import { TEXT_CHARS_MAX } from '../limits/text.ts';
import { hasNumber } from '../numbers/decoration.ts';
import { type InternationalPrefix, type ParseOptions, parseParty } from '../numbers/parse.ts';
import type { ParsedParty, Party } from '../numbers/party.ts';
import { CHANNELS, type Channel, type Ingress, type ScreenRequest, type Sender } from '../request.ts';
import { ok, type Result } from '../result.ts';
import { foldsWithinBound } from '../sources/sender-id.ts';
import type { Subject } from '../verdict.ts';

/** A text that can mean several numbers. */
type Ambiguous = Extract<ParsedParty, { kind: 'ambiguous' }>;

/** A sender or recipient as parsed, before one of its readings is taken. */
export type WrittenParty = Party | Ambiguous;

/** An item of a batch or a stream. */
export interface Item {
  readonly id: string | null;
  readonly parsed: Result<ScreenRequest, FieldError>;
}

/** A request while its fields are parsed. */
export interface RequestDraft {
  from: Sender | Ambiguous | null;
  to: WrittenParty | null;
  channel: Channel;
  ingress: Ingress | null;
  senderToken: string | undefined;
  text: string | undefined;
  /** The sender as written, if it can be parsed only after all other fields are known. */
  writtenFrom: string | null;
}

/** Values for the fields that an item omits. */
export type RequestDefaults = Readonly<RequestDraft>;

/** Whether a step succeeded; its value is not used. */
export type Step = Result<unknown, FieldError>;
/** Shared, because most steps of a batch have nothing to return. */
export const DONE: Step = ok(null);

/** The fields of one request type. */
export interface RequestFields {
  readonly none: RequestDefaults;
  /** Parses one field into the draft. */
  parse(
    draft: RequestDraft,
    field: string,
    value: unknown,
    internationalPrefix: InternationalPrefix | null,
  ): Step;
  /** Parses fields that depend on others. */
  settle(draft: RequestDraft, internationalPrefix: InternationalPrefix | null): Step;
  /** Checks the complete draft for missing and contradictory fields. */
  check(draft: RequestDraft): Step;
}

/** Sets a parsed field, unless it is invalid. */
export function assign<Target, Name extends keyof Target>(
  target: Target,
  name: Name,
  parsed: Result<Target[Name], FieldError>,
): Step {
  if (parsed.ok) target[name] = parsed.value;
  return parsed;
}

export function notString(field: string): FieldError {
  return fieldError('FIELD_TYPE', field, 'must be a string');
}

function notObject(field: string): FieldError {
  return fieldError('FIELD_TYPE', field, 'must be a JSON object');
}

/** Parses one sender or recipient. A sender ID with hidden characters is refused. */
export function parsePartyField(
  text: string,
  subject: Subject,
  options: ParseOptions,
): Result<WrittenParty, FieldError> {
  const parsed = parseWrittenParty(text, subject, options);
  if (parsed.ok) return parsed.value.kind === 'source' && hasHidden(parsed.value.text) ? HIDDEN : parsed;
  // The parser refuses control characters with a message about numbers. A name needs the message about hidden characters.
  const isName = subject === 'from' && /\p{L}/u.test(text) && !hasNumber(text);
  return parsed.code === 'NUMBER_CHARACTER' && isName && hasHidden(text) ? HIDDEN : parsed;
}

const HIDDEN = fieldError(
  'FIELD_VALUE',
  'from',
  'has control or invisible characters: remove them, and send only what a reader sees',
);

/** Like `parsePartyField`, but accepts hidden characters in a sender ID. */
export function parseWrittenParty(
  text: string,
  subject: Subject,
  options: ParseOptions,
): Result<WrittenParty, FieldError> {
  const party = parseParty(text, options);
  if (party.kind === 'invalid') return fieldError(party.code, subject);
  if (party.kind !== 'source') return ok(party);
  if (subject === 'to') return fieldError('SOURCE_AS_RECIPIENT', subject);
  if (foldsWithinBound(party.text)) return ok(party);
  const detail = `must have at most ${SOURCE_CHARS_MAX} characters in compatibility form (NFKC)`;
  return fieldError('FIELD_VALUE', subject, detail);
}

const NO_READINGS: readonly ScreenRequest[] = [];

/** The request of a draft: the first reading of each party, with the other readings in `otherReadings`. */
export function toRequest({ from, to, channel, ingress, senderToken, text }: RequestDefaults): ScreenRequest {
  if (from?.kind !== 'ambiguous' && to?.kind !== 'ambiguous')
    return { from, to, channel, ingress, senderToken, text, otherReadings: NO_READINGS };
  const senders = from?.kind === 'ambiguous' ? from.readings : [from];
  const recipients = to?.kind === 'ambiguous' ? to.readings : [to];
  const [first, ...otherReadings] = senders.flatMap((sender) =>
    recipients.map((recipient) => ({
      ...{ from: sender, to: recipient, channel, ingress, senderToken, text },
      otherReadings: NO_READINGS,
    })),
  );
  return { ...first!, otherReadings };
}

/** The fields of `/v1/check`. */
export const CHECK_FIELDS: RequestFields = {
  none: {
    ...{ from: null, to: null, channel: 'sms', ingress: null, senderToken: undefined },
    text: undefined,
    writtenFrom: null,
  },

  parse(draft, field, value, internationalPrefix) {
    if (field === 'channel') return assign(draft, field, oneOf(CHANNELS, field, value));
    if (field === 'senderToken') return assign(draft, field, parseToken(value));
    if (field === 'text') return assign(draft, field, parseText(value));
    if (field !== 'from' && field !== 'to') return fieldError('FIELD_UNKNOWN', nameOf(field));
    if (typeof value !== 'string') return notString(field);
    const parsed = parsePartyField(value, field, { internationalPrefix, carrierPrefix: null });
    if (parsed.ok) draft[field] = parsed.value;
    return parsed;
  },

  settle: () => DONE,

  check({ from, to, channel, senderToken, text }) {
    if (from === null && senderToken !== undefined) return NO_SENDER;
    if (channel === 'voice' && text !== undefined) return NO_CALL;
    if (from !== null || to !== null) return DONE;
    return fieldError('FIELD_MISSING', 'to', 'is missing: send "from", "to" or both');
  },
};

const NO_SENDER = fieldError(
  'FIELD_MISSING',
  'from',
  'is missing: send it with "senderToken", which is a token of the sender',
);

export const NO_CALL = fieldError(
  'FIELD_CONTRADICTION',
  'text',
  'is the text of a message: leave it out for the channel "voice"',
);

/** Replaces every token over the bound. It is just as invalid, and the long text does not stay in memory. */
const LONG_TOKEN = 'x'.repeat(TOKEN_CHARS_MAX + 1);

/** Only bounds the length: a token that cannot be verified is a reason, not an error. */
function parseToken(value: unknown): Result<string, FieldError> {
  if (typeof value !== 'string') return notString('senderToken');
  return ok(value.length <= TOKEN_CHARS_MAX ? value : LONG_TOKEN);
}

const TEXT_TOO_LONG = fieldError(
  'FIELD_VALUE',
  'text',
  `must have at most ${TEXT_CHARS_MAX} characters: send the first ${TEXT_CHARS_MAX}`,
);
const TEXT_BROKEN = fieldError(
  'FIELD_VALUE',
  'text',
  'has half of a character (a lone UTF-16 surrogate): join the parts of a message before you cut it',
);

/** Returns shared errors, which contain nothing of the text. */
function parseText(value: unknown): Result<string, FieldError> {
  if (typeof value !== 'string') return notString('text');
  if (value.length > TEXT_CHARS_MAX) return TEXT_TOO_LONG;
  return value.isWellFormed() ? ok(value) : TEXT_BROKEN;
}

/** Parses a single request. */
export function parseRequest(
  value: unknown,
  fields: RequestFields,
  internationalPrefix: InternationalPrefix | null,
): Result<ScreenRequest, FieldError> {
  if (!isRecord(value)) return notObject('body');
  return parseWith(fields.none, value, false, fields, internationalPrefix);
}

/** Parses one item of many: a request with an optional `id`. */
export function parseItem(
  value: unknown,
  defaults: RequestDefaults,
  fields: RequestFields,
  internationalPrefix: InternationalPrefix | null,
): Item {
  if (!isRecord(value)) return { id: null, parsed: notObject('item') };
  const { id } = value;
  if (id === undefined)
    return { id: null, parsed: parseWith(defaults, value, true, fields, internationalPrefix) };
  if (typeof id !== 'string') return { id: null, parsed: notString('id') };
  if (id.length > ITEM_ID_CHARS_MAX) {
    const detail = `must have at most ${ITEM_ID_CHARS_MAX} characters`;
    return { id: null, parsed: fieldError('FIELD_VALUE', 'id', detail) };
  }
  return { id, parsed: parseWith(defaults, value, true, fields, internationalPrefix) };
}

function parseWith(
  defaults: RequestDefaults,
  value: Record<string, unknown>,
  hasId: boolean,
  fields: RequestFields,
  internationalPrefix: InternationalPrefix | null,
): Result<ScreenRequest, FieldError> {
  const draft: RequestDraft = { ...defaults };
  const parsed = parseInto(draft, value, hasId, fields, internationalPrefix);
  if (!parsed.ok) return parsed;
  const checked = fields.check(draft);
  return checked.ok ? ok(toRequest(draft)) : checked;
}

/** @param hasId whether `id` is a valid field, which the caller has parsed */
function parseInto(
  draft: RequestDraft,
  value: Record<string, unknown>,
  hasId: boolean,
  fields: RequestFields,
  internationalPrefix: InternationalPrefix | null,
): Step {
  for (const field in value) {
    if (hasId && field === 'id') continue;
    const parsed = fields.parse(draft, field, value[field], internationalPrefix);
    if (!parsed.ok) return parsed;
  }
  return fields.settle(draft, internationalPrefix);
}

/** Parses the `defaults` of a batch: like a request, but every field is optional. */
export function parseDefaults(
  value: unknown,
  fields: RequestFields,
  internationalPrefix: InternationalPrefix | null,
): Result<RequestDefaults, FieldError> {
  if (value === undefined) return ok(fields.none);
  if (!isRecord(value)) return notObject('defaults');
  const draft: RequestDraft = { ...fields.none };
  const parsed = parseInto(draft, value, false, fields, internationalPrefix);
  if (parsed.ok) return ok(draft);
  const { code, field, message } = parsed;
  return { ok: false, code, field: `defaults.${field}`, message: flat('"defaults.', message.slice(1)) };
}
