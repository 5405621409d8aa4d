/**
 * Test tokens are message tokens with a fixed result, so that clients can test each code without any credentials:
 * `test:TOKEN_EXPIRED`. They never permit anything. Otherwise, a request is screened as if it had no token.
 */
import { CODES, type Code } from './verdict.ts';

export const TEST_TOKEN_PREFIX = 'test:';

/** The codes that message tokens can lead to. */
export const TEST_TOKEN_CODES = CODES.filter(
  (code) =>
    /^(?:CERTIFICATE|DELEGATION|TOKEN|LIST)_/.test(code) ||
    ['SENDER_UNQUALIFIED', 'SENDER_SUSPENDED', 'SENDER_RATE_REDUCED'].includes(code),
);

/** Returns the code of a test token, or null for every other text. */
export function testTokenCode(text: string): Code | null {
  if (!text.startsWith(TEST_TOKEN_PREFIX)) return null;
  return TEST_TOKEN_CODES.find((code) => text === TEST_TOKEN_PREFIX + code) ?? null;
}
