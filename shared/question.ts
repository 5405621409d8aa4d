/**
 * What is asked: may a text or a call from one address to another pass, and what is known of the way it
 * came. Already read and checked: see asked.ts and gateway/asked.ts.
 */
import type { Party } from './numbers/party.ts';

export const CHANNELS = ['sms', 'voice'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A sender can also withhold its number. */
export type Sender = Party | { readonly kind: 'withheld' };

/** Where traffic comes in: at a gateway from abroad, or from an operator of the country. */
export const INGRESS_TYPES = ['international', 'domestic'] as const;
export const ROAMING = ['verified', 'notRoaming', 'unknown'] as const;
/** STIR/SHAKEN attestation (RFC 8588): full, partial, gateway. */
export const ATTESTATIONS = ['A', 'B', 'C'] as const;

/** What a gateway knows of the way a call or text came. Null where it does not know. */
export interface Ingress {
  readonly type: (typeof INGRESS_TYPES)[number];
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** MCC and MNC, 5 or 6 digits. */
  readonly operator: string | null;
  readonly trunk: string | null;
  /** Global title of the SMSC, as an E.164 integer. */
  readonly smsc: number | null;
  /** The Korean international prefix that was displayed before the sender's number. */
  readonly carrierPrefix: string | null;
  /** Whether the home network says that the mobile number is abroad now. */
  readonly roaming: (typeof ROAMING)[number];
  readonly attestation: (typeof ATTESTATIONS)[number] | null;
}

export interface Question {
  readonly from: Sender | null;
  readonly to: Party | null;
  readonly channel: Channel;
  /** Null in a check before a text is sent; a gateway always has one. */
  readonly ingress: Ingress | null;
  /** The same question with every other number that `from` and `to` can mean as written; nearly always empty. */
  readonly otherReadings: readonly Question[];
}
