/**
 * The facts about traffic at a gateway that policy rules match, and the evidence that a response reports.
 * Pure. O(1), except for the regions of a calling code.
 */
import { callingCodeOf, isPossible, regionOf } from '../numbers/calling-codes.ts';
import { isEmergencyNumber, type KrClass, krClassOf } from '../numbers/plan.ts';
import type { Ingress, ScreenRequest, Sender } from '../request.ts';

/** Where traffic began, as far as the ingress shows. */
export const ORIGINS = ['abroad', 'domestic'] as const;
export type Origin = (typeof ORIGINS)[number];

/** Kind of the sender. */
export const SENDERS = [
  'krMobile',
  'krFixed',
  'krVoip',
  'krPersonal',
  'krTollFree',
  'krPremium',
  'krRepresentative',
  'krShortCode',
  'krOther',
  'krImpossible',
  'foreign',
  'foreignImpossible',
  'foreignUnassigned',
  'senderId',
  'withheld',
] as const;
export type SenderKind = (typeof SENDERS)[number];

const BY_CLASS: Record<KrClass, SenderKind> = {
  unknown: 'krImpossible',
  mobile: 'krMobile',
  mobileLegacy: 'krOther',
  telemetry: 'krOther',
  pager: 'krOther',
  fixed: 'krFixed',
  fixedService: 'krFixed',
  fixedRepresentative: 'krFixed',
  voip: 'krVoip',
  personal: 'krPersonal',
  service: 'krOther',
  premium: 'krPremium',
  tollFree: 'krTollFree',
  tollFreeInbound: 'krTollFree',
  representative: 'krRepresentative',
};

export function senderKind(sender: Sender): SenderKind {
  if (sender.kind === 'withheld') return 'withheld';
  if (sender.kind === 'source') return 'senderId';
  if (sender.kind === 'shortCode') return 'krShortCode';
  if (sender.kind === 'localNumber') return 'krImpossible';
  const { n } = sender;
  // 02-119 is 119.
  if (isEmergencyNumber(n)) return 'krShortCode';
  const krClass = krClassOf(n);
  if (krClass !== null) return BY_CLASS[krClass];
  if (callingCodeOf(n) === 0) return 'foreignUnassigned';
  return isPossible(n) ? 'foreign' : 'foreignImpossible';
}

/**
 * The Korean carrier prefix before the sender's number: from its own field, or part of the written number.
 */
function displayedPrefix(from: Sender, { carrierPrefix }: Ingress): string | null {
  return carrierPrefix ?? (from.kind === 'number' ? from.carrierPrefix : null);
}

/**
 * A displayed prefix means that the traffic came from abroad, even if it entered from a domestic operator.
 */
function originOf(from: Sender, ingress: Ingress): Origin {
  const abroad = ingress.type === 'international' || displayedPrefix(from, ingress) !== null;
  return abroad ? 'abroad' : 'domestic';
}

/** The facts that the policy decides on. */
export interface Facts {
  readonly channel: ScreenRequest['channel'];
  readonly origin: Origin;
  readonly sender: SenderKind;
  readonly roaming: Ingress['roaming'];
  /** `none` if there is no attestation. */
  readonly attestation: NonNullable<Ingress['attestation']> | 'none';
}

/** @param attestation of a verified PASSporT, or what the gateway says */
export function factsOf(
  from: Sender,
  channel: ScreenRequest['channel'],
  ingress: Ingress,
  attestation = ingress.attestation,
): Facts {
  return {
    channel,
    origin: originOf(from, ingress),
    sender: senderKind(from),
    roaming: ingress.roaming,
    attestation: attestation ?? 'none',
  };
}

/** Reported with a verdict; decides nothing itself. */
export interface Evidence {
  readonly origin: Origin;
  readonly carrierPrefix: string | null;
  readonly sender: SenderKind;
  /** Main country of the sender's calling code, ISO 3166-1; null if there is none. */
  readonly country: string | null;
  /** Whether the ingress country is not among those of the calling code; null if either is unknown. */
  readonly countryMismatch: boolean | null;
}

/** @param facts of this sender and ingress */
export function evidenceOf(from: Sender, ingress: Ingress, { origin, sender }: Facts): Evidence {
  const regions = from.kind === 'number' ? regionOf(callingCodeOf(from.n)) : null;
  const known = regions !== null && regions.main !== '001' && ingress.country !== null;
  return {
    origin,
    carrierPrefix: displayedPrefix(from, ingress),
    sender,
    country: from.kind === 'shortCode' || from.kind === 'localNumber' ? 'KR' : (regions?.main ?? null),
    countryMismatch: known ? ![regions.main, ...regions.others].includes(ingress.country ?? '') : null,
  };
}
