/**
 * A parsed and validated screening request: sender, recipient, channel and ingress.
 * Parsing is in screening/parse-request.ts and screening/parse-gateway-request.ts.
 */
import type { Party } from './numbers/party.ts';

export const CHANNELS = ['sms', 'voice'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A sender can also withhold its number. */
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
  /** Whether the home network says that the mobile number is abroad now. */
  readonly roaming: (typeof ROAMING)[number];
  /** What the gateway says that a signature attests. */
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
  /** The message token of the sender, as given: only in a check before sending. */
  readonly senderToken?: string | undefined;
  /** What the sender writes, or says it will: never stored, logged or repeated. At most TEXT_CHARS_MAX UTF-16 units. */
  readonly text?: string | undefined;
  /** The same request with the other possible readings of `from` and `to`; nearly always empty. */
  readonly otherReadings: readonly ScreenRequest[];
}
