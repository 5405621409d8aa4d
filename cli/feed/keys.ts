/** The keys of a consumer of the feed: they decrypt its data, and verify the notes of the service. */
import { fromBase64Url } from '../../shared/bytes.ts';
import { type FeedKey, openFeedKey } from '../../shared/feed/open-jwe.ts';
import { isRecord } from '../../shared/fields.ts';
import type { Failure, Result } from '../../shared/result.ts';
import { type NoteVerifier, openVerifier } from '../../shared/signed-note.ts';
import { CommandFailure } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';

/** @param path of a JWK, or of a JWK Set (RFC 7517, 5) with the keys before and after a rotation */
export async function readFeedKeys(path: string): Promise<FeedKey[]> {
  const value = readJsonFile(path);
  const jwks = isRecord(value) && Array.isArray(value.keys) ? (value.keys as unknown[]) : [value];
  if (jwks.length === 0) throw new CommandFailure(`${path}: "keys" is empty`);
  return Promise.all(
    jwks.map(async (jwk) => {
      const opened = await openFeedKey(JSON.stringify(jwk));
      if (!opened.ok) throw new CommandFailure(`${path}: ${opened.message}`, 1, { code: opened.code });
      return opened.value;
    }),
  );
}

export function openVerifiers(texts: readonly string[]): Promise<NoteVerifier[]> {
  return Promise.all(
    texts.map(async (text) => {
      const key = await openVerifier(text.trim());
      if (key !== null) return key;
      throw new CommandFailure(
        '--verifier-key must be a key in the form that npx numgate audit key prints: <name>+<8 hex digits>+<base64>',
        2,
      );
    }),
  );
}

/**
 * The key that data is encrypted for, by its `kid`.
 * @param keys null for a consumer without encryption
 * @param data of the first event; undefined if there is none
 * @throws CommandFailure if none of the keys fits
 */
export function keyFor(keys: readonly FeedKey[] | null, data: unknown): FeedKey | null {
  if (keys === null) {
    if (typeof data !== 'string') return null;
    throw refusal(
      'FEED_KEY_MISSING',
      'the data of the feed is encrypted: name the file of your key with --jwk',
    );
  }
  const given = typeof data === 'string' ? headerOf(data)?.kid : null;
  const kid = typeof given === 'string' ? given : null;
  const named = keys.find((key) => key.kid === kid);
  if (named !== undefined) return named;
  // A key without a `kid` may be the right one.
  const unnamed = keys.find((key) => key.kid === null);
  if (unnamed !== undefined || kid === null) return unnamed ?? keys[0]!;
  const own = keys.map((key) => key.kid).join(', ');
  throw refusal(
    'FEED_KEY_OTHER',
    `the data is encrypted for the key ${kid}, but --jwk has ${own}: if the key was rotated, use the new key`,
  );
}

/** The protected header of a compact JWE; null if the text is not one. */
export function headerOf(jwe: string): Readonly<Record<string, unknown>> | null {
  try {
    const bytes = fromBase64Url(jwe.slice(0, jwe.indexOf('.')));
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()));
    return isRecord(header) ? header : null;
  } catch {
    return null;
  }
}

/** Opens a note with the first key that verifies it. @throws CommandFailure with the code of the problem */
export async function openSigned<Value>(
  verifiers: readonly NoteVerifier[],
  open: (verifier: NoteVerifier) => Promise<Result<Value, Failure>>,
): Promise<Value> {
  let last = await open(verifiers[0]!);
  for (const verifier of verifiers.slice(1)) if (!last.ok) last = await open(verifier);
  return accepted(last);
}

/** The value of a successful verification. @throws CommandFailure with the code of the problem */
export function accepted<Value>(result: Result<Value, Failure>): Value {
  if (result.ok) return result.value;
  throw refusal(result.code, result.message);
}

/** The data of the service is refused, because it is altered, incomplete, old, or from somebody else. */
export class FeedRefusal extends CommandFailure {}

export function refusal(code: string, message: string): FeedRefusal {
  return new FeedRefusal(`${code}: ${message}`, 1, { code });
}
