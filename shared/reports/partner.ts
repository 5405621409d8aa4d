/**
 * Partners: organisations that report spam. The kind says where their reports come from; the weight is how much their
 * reports count, changed by their record.
 */
import { PARTNER_WEIGHT_MAX, PARTNER_WEIGHT_MIN } from '../limits/reports.ts';

/** `subscriber`: what subscribers report. `model`: what software suspects. `honeypot`: what reaches unused numbers. */
export const PARTNER_KINDS = ['subscriber', 'operator', 'model', 'police', 'regulator', 'honeypot'] as const;
export type PartnerKind = (typeof PARTNER_KINDS)[number];

/** Kinds that may decide alone: no share of a rule limits them. */
export const UNLIMITED_KINDS: readonly PartnerKind[] = ['police', 'regulator'];
/** Kinds without a person who received the traffic, so that nobody can say that it is not spam. */
export const UNATTENDED_KINDS: readonly PartnerKind[] = ['model', 'honeypot'];

/** The properties of a partner that its reports depend on. */
export interface ReportingPartner {
  /** ID of the organisation. */
  readonly id: string;
  readonly kind: PartnerKind;
  /** Whether it reports only test numbers. */
  readonly mock: boolean;
}

/** Record of a new partner. */
export const RECORD_AT_FIRST = 0.5;
/** Factors of a confirmed block and of an accepted appeal: one appeal takes back 11 confirmed blocks. */
const CONFIRMED_FACTOR = 1.02;
const APPEALED_FACTOR = 0.8;

/** The record of a partner after a block that rests on its reports was confirmed, or was lifted by an appeal. */
export function recordAfter(record: number, event: 'confirmed' | 'appealed'): number {
  return bounded(record * (event === 'confirmed' ? CONFIRMED_FACTOR : APPEALED_FACTOR));
}

/** The weight of a partner's reports, 0.25 to 2. @param base weight that the installation gave the partner */
export function effectiveWeight(base: number, record: number): number {
  return bounded(base * record);
}

function bounded(weight: number): number {
  return Math.min(PARTNER_WEIGHT_MAX, Math.max(PARTNER_WEIGHT_MIN, weight));
}
