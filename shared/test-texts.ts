/**
 * Test texts have a fixed result, so that clients can test each code and each band without any text release:
 * `test:TEXT_CAMPAIGN`, `test:review`. The whole text must match.
 */
import type { TextAnalysis } from './text/analyse-text.ts';

export const TEST_TEXT_PREFIX = 'test:';

const ORDINARY: TextAnalysis = {
  ...{ score: 0.01, band: 'ordinary', reasons: [], hosts: [], onlyAllowedHosts: false, campaign: null },
  model: 'test',
};
const LIST = {
  name: 'test',
  effect: 'block',
  authority: 'numgate',
  asOf: '2026-01-01T00:00:00Z',
  hosts: 1,
} as const;
/** The end of the test campaign, in seconds since 1970: 2100-01-01. */
const TEST_UNTIL = 4_102_444_800;

/** Results of test texts, by the part after the prefix. */
const FOUND: Readonly<Record<string, TextAnalysis>> = {
  ordinary: ORDINARY,
  review: { ...ORDINARY, score: 0.6, band: 'review', reasons: ['wording'] },
  TEXT_SUSPICIOUS: { ...ORDINARY, score: 0.99, band: 'suspicious', reasons: ['wording', 'a link', 'digits'] },
  TEXT_HOST_LISTED: { ...ORDINARY, hosts: [LIST] },
  TEXT_CAMPAIGN: { ...ORDINARY, campaign: { id: 999_999_999, until: TEST_UNTIL, authority: 'numgate' } },
};

/** Every test text. */
export const TEST_TEXTS: readonly string[] = Object.keys(FOUND).map((name) => TEST_TEXT_PREFIX + name);

/** Returns the result of a test text, or null for every other text. */
export function testTextOf(text: string): TextAnalysis | null {
  if (!text.startsWith(TEST_TEXT_PREFIX)) return null;
  const name = text.slice(TEST_TEXT_PREFIX.length);
  return Object.hasOwn(FOUND, name) ? FOUND[name]! : null;
}
