/**
 * Requests and responses of the check API, as this client sends and returns them. Sets of values that a newer
 * service may extend (reason codes, kinds of match, problem codes) are open strings. The verdict is closed,
 * because the client never returns one that it does not know.
 */

/** Whether a call or text may pass. `indeterminate` has an `action`, and never counts as `allow`. */
export type Verdict = 'allow' | 'label' | 'block' | 'indeterminate';

/** What to do on `indeterminate`: let the call or text pass (`open`), or hold it back (`closed`). */
export type FailPolicy = 'open' | 'closed';

export type Channel = 'sms' | 'voice';

/** Fields of one check. Numbers in any form that you have, or a sender ID in `from`. */
interface Parties {
  readonly from?: string;
  readonly to?: string;
  /** `sms` if omitted. */
  readonly channel?: Channel;
}

/** Values for the fields that the items of a batch omit. */
export interface CheckDefaults extends Parties {
  /** A message token of the sender, as compact JWS. At most 4,096 characters. */
  readonly senderToken?: string;
  /** The text itself. At most 2,000 characters. It is not stored. */
  readonly text?: string;
}

/** One text or call. At least one of `from` and `to`. */
export type CheckRequest = CheckDefaults & ({ readonly from: string } | { readonly to: string });

/** One item of a batch or stream. `from` or `to` is in the item, or in the defaults of the batch. */
export interface CheckItem extends CheckDefaults {
  /** Returned with the result. At most 128 characters. */
  readonly id?: string;
}

/** How a call or text entered the network. docs/gateways.md describes the fields. */
export interface Ingress {
  /** `international` if omitted. */
  readonly type?: 'international' | 'domestic';
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** MCC and MNC. */
  readonly operator?: string;
  /** Your name for the trunk. */
  readonly trunk?: string;
  /** Global title of the SMSC. */
  readonly smsc?: string;
  /** The carrier prefix displayed before the number. */
  readonly carrierPrefix?: string;
}

/** Values for the fields that the items of a gateway batch omit. */
export interface GatewayDefaults extends Parties {
  readonly ingress?: Ingress;
  /** Roaming state of a Korean mobile number. `unknown` if omitted. */
  readonly roaming?: 'verified' | 'notRoaming' | 'unknown';
  /** STIR/SHAKEN attestation. */
  readonly attestation?: 'A' | 'B' | 'C';
  /** PASSporTs, each as JWS or as the value of a SIP `Identity` header. */
  readonly identity?: string | readonly string[];
  /** The text itself. At most 2,000 characters. It is not stored. */
  readonly text?: string;
}

/** One call or text at a gateway. `from` is empty if the sender was withheld. */
export interface GatewayRequest extends GatewayDefaults {
  readonly from: string;
}

/** One item of a gateway batch. */
export interface GatewayItem extends GatewayDefaults {
  /** Returned with the result. At most 128 characters. */
  readonly id?: string;
}

/** One finding of a check. */
export interface Reason {
  readonly subject: 'from' | 'to';
  /** A reason code of docs/api.md, or one that a newer service has added. */
  readonly code: string;
  /** Name of the list or rule. `live` for the live layer. */
  readonly list: string | null;
  /** What matched, such as `exact` or `range`. */
  readonly match: string;
  /** The effect of this finding alone, such as `block` or `shadow`. */
  readonly effect: string;
  /** The organisation that vouches for the entry. */
  readonly authority: string | null;
  /** When the entry expires, ISO 8601. */
  readonly until: string | null;
  /** What to do about it, for codes that need it. */
  readonly detail?: string;
  /** Only with `SENDER_RATE_REDUCED`: the share of its usual rate at which the sender may send, if known. */
  readonly factor?: number;
  /** Only of a rule block: ID and version of the rule, such as `kr-50@3`. */
  readonly rule?: string;
  /** Only of a rule block: `provisional`, which ends on time unless it is confirmed, or `confirmed`. */
  readonly stage?: string;
  /** The reference that the blocked person needs for an appeal. Pass it on. */
  readonly appeal?: string;
}

/** The version of the lists behind a verdict. Store it with your record of the call or text. */
export interface Head {
  readonly release: string;
  readonly seq: number;
  /** When the lists were last known to be current, ISO 8601. */
  readonly asOf: string;
  readonly stale: boolean;
  /** Only for a mock client. Nothing is sent, and its registrations are mock too. */
  readonly mock?: true;
}

/** What the text layers found in a text. docs/text.md describes the fields. */
export interface TextAnswer {
  /** From 0 to 1. Null without a model. */
  readonly score: number | null;
  /** `ordinary`, `review` or `suspicious`. Null without a model. */
  readonly band: string | null;
  /** Why the score is high, in words. At most three reasons. */
  readonly reasons: readonly string[];
  /** The campaign that the text belongs to, such as `c-17`. */
  readonly campaign: string | null;
  readonly model: string | null;
}

interface Findings extends Head {
  /** The subject that decided. Null if nothing was found. */
  readonly subject: 'from' | 'to' | null;
  /** The sender as parsed: E.164, a short code or a sender ID. */
  readonly from: string | null;
  /** The recipient as parsed: E.164 or a short code. */
  readonly to: string | null;
  /** Every finding. The deciding one comes first. */
  readonly reasons: readonly Reason[];
  /** The verdict before the mode of your client softened it. Only in mode `label` or `shadow`. */
  readonly unenforced?: string;
  /** All readings of a value that has several. */
  readonly readings?: { readonly from?: readonly string[]; readonly to?: readonly string[] };
  /** A verdict that this client does not know. `verdict` is then `indeterminate`. */
  readonly unknownVerdict?: string;
}

type Decided =
  | { readonly verdict: 'allow' | 'label' | 'block' }
  | { readonly verdict: 'indeterminate'; readonly action: FailPolicy };

/** The result of a check. */
export type CheckAnswer = Findings &
  Decided & {
    /** What the text layers found. Only for a request with `text`. */
    readonly text?: TextAnswer;
  };

/** A sender to check. */
export interface SenderRequest extends Omit<CheckDefaults, 'text'> {
  readonly from: string;
}

/** What would happen to a text from this sender. */
export type SenderAnswer = Findings &
  Decided & {
    /** `none`, `registered`, `own` or `unavailable`; null if the sender can mean several numbers. */
    readonly registration: string | null;
    /** The setting of the client: `off`, `enforce`, `label` or `shadow`. */
    readonly requireRegistration: string;
  };

/** The `id` of the item, or null if it had none. */
interface Identified {
  readonly id: string | null;
}

/** The result of one item of a batch or stream. */
export type ItemAnswer = CheckAnswer & Identified;

/** What a gateway needs next. docs/gateways.md describes the fields. */
interface GatewayActions {
  /** The rule of the gateway policy that matches. */
  readonly policy: { readonly version: number; readonly rule: string | null };
  readonly evidence: {
    readonly origin: string;
    readonly carrierPrefix: string | null;
    readonly sender: string;
    readonly country: string | null;
    readonly countryMismatch: boolean | null;
  };
  /** The attestation of the signature. `source` is `verified`, or `claimed` if only you state it. */
  readonly attestation: { readonly level: string; readonly source: string } | null;
  /** Whether the PASSporTs of the request were verified. Null if it has none. */
  readonly identity: {
    readonly ppt: string | null;
    readonly verified: boolean;
    readonly code?: string;
    readonly msgi?: string;
  } | null;
  /** The SIP response to send. Null if the call passes. */
  readonly sip: {
    readonly status: number;
    readonly reason: string;
    readonly reasonHeader: string | null;
  } | null;
  /** The SMPP status to send. Null if the text passes. */
  readonly smpp: { readonly commandStatus: number } | null;
  /** The label to put before the text, or to show with the call. */
  readonly label: string | null;
  /** Whether to hide the number of the sender. */
  readonly withholdCli: boolean;
  /** You may reuse the result for the same request until this time, ISO 8601. */
  readonly cacheUntil: string;
}

/** The result of a check at a gateway. */
export type GatewayAnswer = CheckAnswer & GatewayActions;

/** The result of one item of a gateway batch. */
export type GatewayItemAnswer = GatewayAnswer & Identified;

/** An item that the service cannot read. It does not affect other items. */
export interface ItemError extends Identified {
  readonly error: {
    /** A problem code of docs/api.md, or one that a newer service has added. */
    readonly code: string;
    /** The invalid field, or `item` or `line`. */
    readonly field: string;
    /** One sentence for people, without the number. */
    readonly message: string;
  };
}
