/**
 * A parsed and validated screening request: sender, recipient, channel and ingress.
 * shared/screening/parse-request.ts and shared/screening/parse-gateway-request.ts parse it.
 */
import type { Party } from './numbers/party.ts';

export const CHANNELS = ['sms', 'voice'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The sender of a request. It can also withhold its number. */
export type Sender = Party | { readonly kind: 'withheld' };

/** Whether traffic entered at a gateway from abroad or from a domestic operator. */
export const INGRESS_TYPES = ['international', 'domestic'] as const;
export const ROAMING = ['verified', 'notRoaming', 'unknown'] as const;
/** STIR/SHAKEN attestation (RFC 8588): full, partial, gateway. */
export const ATTESTATIONS = ['A', 'B', 'C'] as const;

/** What a gateway knows about how a call or text entered the network. Unknown fields are null. */
export interface Ingress {
  readonly type: (typeof INGRESS_TYPES)[number];
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** MCC and MNC, 5 or 6 digits. */
  readonly operator: string | null;
  readonly trunk: string | null;
  /** Global title of the SMSC, as an E.164 integer. */
  readonly smsc: number | null;
  /** The Korean carrier prefix displayed before the sender's number. */
  readonly carrierPrefix: string | null;
  /** Whether the home network states that the mobile number is abroad now. */
  readonly roaming: (typeof ROAMING)[number];
  /** The attestation of a signature, as the gateway states it. */
  readonly attestation: (typeof ATTESTATIONS)[number] | null;
  /** PASSporTs of the call or text, as values of a SIP `Identity` header. */
  readonly identity: readonly string[];
}

export interface ScreenRequest {
  readonly from: Sender | null;
  readonly to: Party | null;
  readonly channel: Channel;
  /** Null in a check before sending; never null in a gateway check. */
  readonly ingress: Ingress | null;
  /** The sender's message token, unparsed. Only in a check before sending. */
  readonly senderToken?: string | undefined;
  /** The text that the sender writes, or intends to: never stored, logged or repeated. At most TEXT_CHARS_MAX UTF-16 units. */
  readonly text?: string | undefined;
  /** The same request with the other possible readings of `from` and `to`; nearly always empty. */
  readonly otherReadings: readonly ScreenRequest[];
}
