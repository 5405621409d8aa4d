/** An operator's answer to guidance: how many subscribers it informed, and when. */
import * as v from 'valibot';
import { hasHidden } from '../hidden-characters.ts';
import { ACKNOWLEDGEMENT_NOTE_CHARS_MAX, INFORMED_MAX } from '../limits/notices.ts';
import { timeSchema } from '../schemas.ts';

export const acknowledgementSchema = v.strictObject({
  /** How many subscribers the operator informed; 0 if none was concerned. */
  informed: v.pipe(
    v.number(),
    v.integer('must be a whole number'),
    v.minValue(0, 'must be 0 or more'),
    v.maxValue(INFORMED_MAX, `must be at most ${INFORMED_MAX}`),
  ),
  /** When the operator had informed all of them. */
  at: timeSchema,
  note: v.optional(
    v.nullable(
      v.pipe(
        v.string(),
        v.trim(),
        v.minLength(1, 'must not be empty: leave it out'),
        v.maxLength(ACKNOWLEDGEMENT_NOTE_CHARS_MAX),
        v.check((text) => !hasHidden(text), 'must be one line without control or invisible characters'),
      ),
    ),
    null,
  ),
});
export type GivenAcknowledgement = v.InferOutput<typeof acknowledgementSchema>;
