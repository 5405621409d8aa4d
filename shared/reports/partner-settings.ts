/** The settings of an organisation as a partner: its field `partner`. */
import * as v from 'valibot';
import {
  PARTNER_REPORTS_PER_DAY_DEFAULT,
  REPORT_SLICES_MAX,
  REPORTS_PER_SLICE_DAY_MAX,
} from '../limits/intake.ts';
import { PARTNER_WEIGHT_DEFAULT, PARTNER_WEIGHT_MAX, PARTNER_WEIGHT_MIN } from '../limits/reports.ts';
import { PARTNER_KINDS } from './partner.ts';

export const PARTNER_SLICES = [1, 2, 4, 8, 16, 32, REPORT_SLICES_MAX] as const;

const weightMessage = `must be from ${PARTNER_WEIGHT_MIN} to ${PARTNER_WEIGHT_MAX}`;

export const partnerSchema = v.pipe(
  v.strictObject({
    kind: v.picklist(PARTNER_KINDS),
    /** Weight that the installation gives to the partner's reports. The partner's record changes it for rules. */
    weight: v.optional(
      v.pipe(
        v.number(),
        v.minValue(PARTNER_WEIGHT_MIN, weightMessage),
        v.maxValue(PARTNER_WEIGHT_MAX, weightMessage),
      ),
      PARTNER_WEIGHT_DEFAULT,
    ),
    /** Count of objects among which its reports are divided, by report ID. Never changes. */
    slices: v.optional(v.picklist(PARTNER_SLICES), 1),
    reportsPerDay: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1, 'must be at least 1 report a day')),
      PARTNER_REPORTS_PER_DAY_DEFAULT,
    ),
    /** Whether the partner reports only test numbers, so that its reports never touch real ones. Never changes. */
    mock: v.optional(v.boolean(), false),
  }),
  v.forward(
    v.check(
      ({ reportsPerDay, slices }) => reportsPerDay <= slices * REPORTS_PER_SLICE_DAY_MAX,
      `must be at most ${REPORTS_PER_SLICE_DAY_MAX} reports a day for each slice`,
    ),
    ['reportsPerDay'],
  ),
);
export type PartnerSettings = v.InferOutput<typeof partnerSchema>;
