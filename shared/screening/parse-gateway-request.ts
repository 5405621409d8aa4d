/**
 * The fields of `/v1/gateway/check`: those of a check, plus the ingress of the call or text.
 * The sender is parsed last, because the carrier prefix displayed before it is a separate field.
 */

import { type FieldError, fieldError, isRecord, nameOf, oneOf } from '../fields.ts';
import { IDENTITY_CHARS_MAX, IDENTITY_VALUES_MAX } from '../limits/passport.ts';
import { PARTY_CHARS_MAX, SENDER_ID_CHARS_MAX, TRUNK_CHARS_MAX } from '../limits/requests.ts';
import { type ParseOptions, parseParty } from '../numbers/parse.ts';
import { KR_CARRIER_PREFIXES } from '../numbers/plan.ts';
import { ATTESTATIONS, INGRESS_TYPES, type Ingress, ROAMING } from '../request.ts';
import { ok, type Result } from '../result.ts';
import { foldSenderId, foldsWithinBound } from '../sources/sender-id.ts';
import { operatorOf } from '../sources/source.ts';
import {
  assign,
  CHECK_FIELDS,
  DONE,
  NO_CALL,
  notString,
  parseWrittenParty,
  type RequestDraft,
  type RequestFields,
  type Step,
} from './parse-request.ts';

/** MCC of Korea. */
const KR_MCC = '450';
/** Every carrier accepts 00 before a country code. */
const CARRIER_PREFIXES: readonly string[] = ['00', ...KR_CARRIER_PREFIXES];
/** How SIP marks a withheld number, with or without a host (RFC 3323, 4.1). */
const ANONYMOUS = /^anonymous(@|$)/;
const WITHHELD = { kind: 'withheld' } as const;

/** The ingress if the gateway sends none: traffic from abroad. */
export const UNKNOWN_INGRESS: Ingress = {
  type: 'international',
  country: null,
  operator: null,
  trunk: null,
  smsc: null,
  carrierPrefix: null,
  roaming: 'unknown',
  attestation: null,
  identity: [],
};

type IngressDraft = { -readonly [Name in keyof Ingress]: Ingress[Name] };

export const GATEWAY_FIELDS: RequestFields = {
  none: { ...CHECK_FIELDS.none, ingress: UNKNOWN_INGRESS },

  parse(draft, field, value, internationalPrefix) {
    switch (field) {
      case 'from':
        if (typeof value !== 'string') return notString(field);
        draft.writtenFrom = value;
        return DONE;
      case 'ingress':
        return parseIngress(copyIngress(draft), value);
      case 'roaming':
        return assign(copyIngress(draft), field, oneOf(ROAMING, field, value));
      case 'attestation':
        return assign(copyIngress(draft), field, oneOf(ATTESTATIONS, field, value));
      case 'identity':
        return assign(copyIngress(draft), field, parseIdentity(value));
      case 'senderToken':
        return fieldError(
          'FIELD_UNKNOWN',
          field,
          'is not a field of this request: gateways do not send texts',
        );
      default:
        return CHECK_FIELDS.parse(draft, field, value, internationalPrefix);
    }
  },

  settle(draft, internationalPrefix) {
    const { writtenFrom, channel, ingress } = draft;
    if (writtenFrom === null) return DONE;
    const options = { internationalPrefix, carrierPrefix: ingress?.carrierPrefix ?? null };
    const parsed = parseSender(writtenFrom, channel === 'voice', options);
    if (parsed.ok) draft.from = parsed.value;
    return parsed;
  },

  check({ from, channel, ingress, text }) {
    if (channel === 'voice' && text !== undefined) return NO_CALL;
    if (from !== null) return checkIngress(ingress ?? UNKNOWN_INGRESS);
    return fieldError('FIELD_MISSING', 'from', 'is missing: send an empty string for a withheld number');
  },
};

/**
 * Only bounds the values. The caller wrote them, so a value that cannot be verified is a reason, not an error. Values that
 * are too long or too many become one value that no PASSporT has.
 */
function parseIdentity(value: unknown): Result<readonly string[], FieldError> {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (!values.every((each) => typeof each === 'string'))
    return fieldError('FIELD_TYPE', 'identity', 'must be a string or a list of strings');
  const chars = values.reduce((sum, { length }) => sum + length, 0);
  return ok(values.length <= IDENTITY_VALUES_MAX && chars <= IDENTITY_CHARS_MAX ? values : TOO_MUCH_IDENTITY);
}

const TOO_MUCH_IDENTITY = [''];

/** Gives the draft its own ingress. Until then, the draft shares the ingress of the defaults. */
function copyIngress(draft: RequestDraft): IngressDraft {
  const ingress = { ...(draft.ingress ?? UNKNOWN_INGRESS) };
  draft.ingress = ingress;
  return ingress;
}

function parseIngress(ingress: IngressDraft, value: unknown): Step {
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'ingress', 'must be a JSON object');
  if (value.type !== undefined && value.type !== ingress.type) {
    // These values belong to the other ingress type, for example from the defaults of a batch.
    ingress.country = null;
    ingress.operator = null;
  }
  for (const name in value) {
    const parsed = parseIngressField(ingress, name, value[name]);
    if (!parsed.ok) return parsed;
  }
  return DONE;
}

const INGRESS_NAMES: readonly string[] = ['type', 'country', 'operator', 'trunk', 'smsc', 'carrierPrefix'];

function parseIngressField(ingress: IngressDraft, name: string, text: unknown): Step {
  const field = `ingress.${nameOf(name)}`;
  if (!INGRESS_NAMES.includes(name)) return fieldError('FIELD_UNKNOWN', field);
  if (typeof text !== 'string') return notString(field);
  const wrong = (detail: string): FieldError => fieldError('FIELD_VALUE', field, detail);
  switch (name) {
    case 'type':
      return assign(ingress, name, oneOf(INGRESS_TYPES, field, text));
    case 'country':
      if (!/^[A-Z]{2}$/.test(text)) return wrong('must be two capital letters (ISO 3166-1), as in PH');
      ingress.country = text;
      return DONE;
    case 'operator':
      ingress.operator = operatorOf(text);
      return ingress.operator === null ? wrong('must be an MCC and MNC, as in 51502 or 515-02') : DONE;
    case 'trunk':
      if (!isTrunkName(text)) {
        return wrong(
          `must be the name of a trunk: 1 to ${TRUNK_CHARS_MAX} characters, without control characters`,
        );
      }
      ingress.trunk = text;
      return DONE;
    case 'smsc': {
      const trimmed = text.trim();
      const party = parseParty(trimmed.startsWith('+') ? text : `+${trimmed}`);
      if (party.kind !== 'number') {
        return wrong('must be a global title with its country code, as in +639170000130');
      }
      ingress.smsc = party.n;
      return DONE;
    }
    default:
      return assign(ingress, 'carrierPrefix', oneOf(CARRIER_PREFIXES, field, text));
  }
}

function isTrunkName(text: string): boolean {
  const isBounded = text.length <= TRUNK_CHARS_MAX && foldsWithinBound(text);
  return isBounded && !/\p{Cc}/u.test(text) && foldSenderId(text) !== '';
}

function parseSender(
  text: string,
  isVoice: boolean,
  options: ParseOptions,
): Result<NonNullable<RequestDraft['from']>, FieldError> {
  // Check this before folding: the time to fold some texts grows with the square of their length.
  if (text.length > PARTY_CHARS_MAX) return fieldError('NUMBER_TOO_LONG', 'from');
  if (/\p{Cc}/u.test(text)) return fieldError('FIELD_VALUE', 'from', 'must not contain control characters');
  if (text.trim() === '') return ok(WITHHELD);
  // The caller wrote the sender, and must not be able to prevent the check with hidden characters.
  const parsed = parseWrittenParty(text, 'from', options);
  if (!parsed.ok) {
    if (parsed.code !== 'NUMBER_MISSING') return parsed;
    return fieldError(parsed.code, 'from', 'has no digits; send an empty string for a withheld number');
  }
  const party = parsed.value;
  if (party.kind !== 'source') return parsed;
  if (isVoice) return ANONYMOUS.test(foldSenderId(party.text)) ? ok(WITHHELD) : parsed;
  if ([...party.text].length <= SENDER_ID_CHARS_MAX) return parsed;
  const detail = `must have at most ${SENDER_ID_CHARS_MAX} characters as a sender ID (3GPP TS 23.040)`;
  return fieldError('FIELD_VALUE', 'from', detail);
}

/** Checks that the ingress fields do not contradict each other. */
function checkIngress({ type, country, operator }: Ingress): Step {
  const isKorean = country === 'KR';
  if (country !== null && isKorean !== (type === 'domestic')) {
    return fieldError('FIELD_CONTRADICTION', 'ingress.country', `cannot be ${country} for ${type} ingress`);
  }
  if (type === 'domestic' && operator !== null && !operator.startsWith(KR_MCC)) {
    return fieldError('FIELD_CONTRADICTION', 'ingress.operator', 'must be Korean for domestic ingress');
  }
  return DONE;
}
