/**
 * The fields of `/v1/gateway/check`: those of a check, plus the ingress of the call or text.
 * The sender is parsed last, because the carrier prefix displayed before it is a separate field.
 */

import { type FieldError, fieldError, isRecord, nameOf, oneOf } from '../fields.ts';
import { PARTY_CHARS_MAX, SENDER_ID_CHARS_MAX, TRUNK_CHARS_MAX } from '../limits.ts';
import { type ParseOptions, parseParty } from '../numbers/parse.ts';
import { KR_CARRIER_PREFIXES } from '../numbers/plan.ts';
import { ATTESTATIONS, INGRESS_TYPES, type Ingress, ROAMING } from '../request.ts';
import { foldSenderId, foldsWithinBound } from '../sources/sender-id.ts';
import { operatorOf } from '../sources/source.ts';
import { CHECK_FIELDS, parsePartyField, type RequestDraft, type RequestFields } from './parse-request.ts';

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
};

export const GATEWAY_FIELDS: RequestFields = {
  none: { ...CHECK_FIELDS.none, ingress: UNKNOWN_INGRESS },

  take(draft, field, value, convention) {
    const ingress = draft.ingress ?? UNKNOWN_INGRESS;
    if (field === 'from') {
      if (typeof value !== 'string') return fieldError('FIELD_TYPE', field, 'must be a string');
      draft.writtenFrom = value;
      return null;
    }
    if (field === 'ingress') return parseIngress(draft, ingress, value);
    if (field === 'roaming') {
      const read = oneOf(ROAMING, field, value);
      if ('error' in read) return read.error;
      draft.ingress = { ...ingress, roaming: read.value };
      return null;
    }
    if (field === 'attestation') {
      const read = oneOf(ATTESTATIONS, field, value);
      if ('error' in read) return read.error;
      draft.ingress = { ...ingress, attestation: read.value };
      return null;
    }
    return CHECK_FIELDS.take(draft, field, value, convention);
  },

  settle(draft, internationalPrefix) {
    const { writtenFrom, channel, ingress } = draft;
    if (writtenFrom === null) return null;
    const carrierPrefix = ingress?.carrierPrefix ?? null;
    const read = parseSender(writtenFrom, channel === 'voice', { internationalPrefix, carrierPrefix });
    if ('error' in read) return read.error;
    draft.from = read.sender;
    return null;
  },

  finish({ from, ingress }) {
    if (from === null) {
      return fieldError('FIELD_MISSING', 'from', 'is missing: give an empty text where it was withheld');
    }
    return findContradiction(ingress ?? UNKNOWN_INGRESS);
  },
};

function parseIngress(draft: RequestDraft, before: Ingress, value: unknown): FieldError | null {
  if (!isRecord(value)) return fieldError('FIELD_TYPE', 'ingress', 'must be a JSON object');
  const ingress: { -readonly [Name in keyof Ingress]: Ingress[Name] } = { ...before };
  if (value.type !== undefined && value.type !== before.type) {
    // They belong to the other ingress type, for example from the defaults of a batch.
    ingress.country = null;
    ingress.operator = null;
  }
  for (const name in value) {
    const field = `ingress.${nameOf(name)}`;
    const text = value[name];
    if (!INGRESS_NAMES.includes(name)) return fieldError('FIELD_UNKNOWN', field);
    if (typeof text !== 'string') return fieldError('FIELD_TYPE', field, 'must be a string');
    const error = parseIngressField(ingress, name, field, text);
    if (error !== null) return error;
  }
  draft.ingress = ingress;
  return null;
}

const INGRESS_NAMES: readonly string[] = ['type', 'country', 'operator', 'trunk', 'smsc', 'carrierPrefix'];

function parseIngressField(
  ingress: { -readonly [Name in keyof Ingress]: Ingress[Name] },
  name: string,
  field: string,
  text: string,
): FieldError | null {
  switch (name) {
    case 'type': {
      const read = oneOf(INGRESS_TYPES, field, text);
      if ('error' in read) return read.error;
      ingress.type = read.value;
      return null;
    }
    case 'country':
      if (!/^[A-Z]{2}$/.test(text)) {
        return fieldError('FIELD_VALUE', field, 'must be two capital letters (ISO 3166-1)');
      }
      ingress.country = text;
      return null;
    case 'operator':
      ingress.operator = operatorOf(text);
      if (ingress.operator !== null) return null;
      return fieldError('FIELD_VALUE', field, 'must be MCC and MNC, as in 51502 or 515-02');
    case 'trunk':
      if (!isTrunkName(text)) {
        const message = `must name a trunk in at most ${TRUNK_CHARS_MAX} characters, none of them a control`;
        return fieldError('FIELD_VALUE', field, message);
      }
      ingress.trunk = text;
      return null;
    case 'smsc': {
      const address = parseParty(text.trim().startsWith('+') ? text : `+${text.trim()}`);
      if (address.kind !== 'number') {
        return fieldError(
          'FIELD_VALUE',
          field,
          'must be a global title with its country code: +639170000130',
        );
      }
      ingress.smsc = address.n;
      return null;
    }
    default:
      if (!CARRIER_PREFIXES.includes(text)) {
        const message = `must be one of ${CARRIER_PREFIXES.join(', ')}`;
        return fieldError('FIELD_VALUE', field, message);
      }
      ingress.carrierPrefix = text;
      return null;
  }
}

function isTrunkName(text: string): boolean {
  const isBounded = text.length <= TRUNK_CHARS_MAX && foldsWithinBound(text);
  return isBounded && !/\p{Cc}/u.test(text) && foldSenderId(text) !== '';
}

type ParsedSender = { readonly sender: NonNullable<RequestDraft['from']> } | { readonly error: FieldError };

function parseSender(text: string, isVoice: boolean, options: ParseOptions): ParsedSender {
  // Check this before folding: the time to fold some texts grows with the square of their length.
  if (text.length > PARTY_CHARS_MAX) return { error: fieldError('NUMBER_TOO_LONG', 'from') };
  if (/\p{Cc}/u.test(text)) {
    return { error: fieldError('FIELD_VALUE', 'from', 'holds a control character') };
  }
  if (text.trim() === '') return { sender: WITHHELD };
  const read = parsePartyField(text, 'from', options);
  if ('error' in read) {
    if (read.error.code !== 'NUMBER_MISSING') return read;
    const message = 'holds no digits; give an empty text where the number was withheld';
    return { error: fieldError('NUMBER_MISSING', 'from', message) };
  }
  if (isVoice && read.party.kind === 'source' && ANONYMOUS.test(foldSenderId(read.party.text)))
    return { sender: WITHHELD };
  if (!isVoice && read.party.kind === 'source' && [...read.party.text].length > SENDER_ID_CHARS_MAX) {
    const message = `is a sender id of more than ${SENDER_ID_CHARS_MAX} characters (3GPP TS 23.040)`;
    return { error: fieldError('FIELD_VALUE', 'from', message) };
  }
  return { sender: read.party };
}

/** Reports ingress fields that contradict each other. */
function findContradiction({ type, country, operator }: Ingress): FieldError | null {
  const isKorean = country === 'KR';
  if (country !== null && isKorean !== (type === 'domestic')) {
    return fieldError('FIELD_CONTRADICTION', 'ingress.country', `cannot be ${country} with ${type} ingress`);
  }
  if (type === 'domestic' && operator !== null && !operator.startsWith(KR_MCC)) {
    const message = 'is an operator abroad, which domestic ingress does not come from';
    return fieldError('FIELD_CONTRADICTION', 'ingress.operator', message);
  }
  return null;
}
