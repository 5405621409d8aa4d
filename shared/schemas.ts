/**
 * Schemas that several documents share.
 */
import * as v from 'valibot';
import { hasHidden } from './hidden-characters.ts';
import { KEY_SECRETS_MAX, REASON_CHARS_MAX } from './limits/control.ts';

/** Name of a list, an authority, a client, a token or a rule. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const nameSchema = v.pipe(
  v.string(),
  v.regex(NAME_PATTERN, 'must have only lower case letters, digits and dashes, at most 63'),
);

export const sha256Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'));

/** SHA-256 of the active secrets of a key. A key has two during a rotation. */
export const keySecretsSchema = v.pipe(v.array(sha256Schema), v.minLength(1), v.maxLength(KEY_SECRETS_MAX));

const TIME_MESSAGE = 'must be a time such as 2026-11-24T03:12:09Z';
/** A time in a request. */
export const timeSchema = v.pipe(
  v.string(),
  v.isoTimestamp(TIME_MESSAGE),
  v.check((text) => !Number.isNaN(Date.parse(text)) && isDay(text.slice(0, 10)), TIME_MESSAGE),
);

/** Whether the day exists: Date.parse turns February 31 into March 3. @param day such as 2026-11-24 */
export function isDay(day: string): boolean {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}

/** Apply the change at once, even if it would wait for a second person. It reverts unless one reviews it within a day. */
export const breakGlassSchema = v.optional(v.boolean());

/** Why the change is made, on one line. The audit log stores it with the change. */
export const reasonSchema = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'must say why you make the change'),
  v.maxLength(REASON_CHARS_MAX),
  v.check(
    (text) => !hasHidden(text),
    'must be one line without control or invisible characters: remove them',
  ),
);
