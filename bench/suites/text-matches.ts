/**
 * What fingerprints match. Ordinary Korean texts are enrolled as campaigns. No other text may match one unless both are
 * near-duplicates, which an exact join over the jamo of all texts decides. Also measures how many edited copies of enrolled
 * texts are still recognised, by the share of edited characters.
 */
import { CampaignTable, encodeCampaigns } from '../../shared/text/campaign-table.ts';
import {
  deriveFingerprintKey,
  equalValues,
  type Fingerprint,
  type FingerprintKey,
  fingerprintOf,
  MATCHED_BINS_MIN,
  SAME_CAMPAIGN_VALUES,
} from '../../shared/text/fingerprint.ts';
import { readText } from '../../shared/text/text.ts';
import { gramsOf, nearDuplicates } from '../lib/near-duplicates.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { koreanComments, koreanReviews } from '../lib/real-texts.ts';
import { type Row, row, short, withCommas } from '../lib/table.ts';

const ENROLLED = 10_000;
const ENROLLED_SMALL = 500;
const OTHERS_SMALL = 2_000;
/** Two texts are near-duplicates if they have at least this share of jamo 6-grams in common. */
const DUPLICATE = 0.4;
/** Shares of the characters that are edited. */
const EDITS = [0.01, 0.02, 0.05, 0.1, 0.2];
const EDITED = 2_000;
const EDITED_SMALL = 100;
/** The time of all checks, in ms. All campaigns end later. */
const NOW = 0;
const UNTIL = 1;

interface PrintedText {
  readonly text: string;
  readonly print: Fingerprint;
}

export async function textMatches({ small, seed }: BenchOptions): Promise<Row[]> {
  const key = await deriveFingerprintKey(Uint8Array.from({ length: 32 }, (_, at) => at));
  const all = shuffled([...new Set([...koreanComments(), ...koreanReviews()])], seed);
  const enrolled = printedOf(all, key).slice(0, small ? ENROLLED_SMALL : ENROLLED);
  const isEnrolled = new Set(enrolled.map(({ text }) => text));
  const others = all.filter((text) => !isEnrolled.has(text)).slice(0, small ? OTHERS_SMALL : undefined);
  const table = new CampaignTable(
    encodeCampaigns(
      enrolled.map(({ print }, at) => ({ id: at + 1, fingerprint: print, until: UNTIL, authority: 'bench' })),
    ),
  );
  return [
    falseMatches(table, enrolled, others, key),
    ...recallRows(table, enrolled, key, small ? EDITED_SMALL : EDITED, seed),
  ];
}

/** Selects the texts that can be enrolled. @param least bins that they must fill: see fingerprintOf */
function printedOf(texts: readonly string[], key: FingerprintKey, least?: number): PrintedText[] {
  return texts.flatMap((text): PrintedText[] => {
    const print = fingerprintOf(readText(text), key, undefined, least);
    return print === null ? [] : [{ text, print }];
  });
}

function falseMatches(
  table: CampaignTable,
  enrolled: readonly PrintedText[],
  others: readonly string[],
  key: FingerprintKey,
): Row {
  const printed = printedOf(others, key, MATCHED_BINS_MIN);
  const duplicates = nearDuplicates(
    enrolled.map(({ text }) => gramsOf(text)),
    printed.map(({ text }) => gramsOf(text)),
    DUPLICATE,
  );
  let [matches, found] = [0, 0];
  for (const [at, { print }] of printed.entries()) {
    const isMatch = table.find(print, NOW) !== null;
    if (duplicates.has(at)) found += Number(isMatch);
    else matches += Number(isMatch);
  }
  const tooShort = withCommas(others.length - printed.length);
  return row(
    `${withCommas(others.length - duplicates.size)} Korean texts against ${withCommas(enrolled.length)} enrolled ones: false matches`,
    matches,
    'texts',
    `${tooShort} of them are too short to match; left out: ${duplicates.size} near-duplicates (${found} match)`,
    null,
    0,
  );
}

function recallRows(
  table: CampaignTable,
  enrolled: readonly PrintedText[],
  key: FingerprintKey,
  count: number,
  seed: number,
): Row[] {
  const random = randomFrom(seed + 1);
  const sample = enrolled.slice(0, count);
  const alphabet = [...sample.map(({ text }) => text).join('')];
  return EDITS.map((share) => {
    let [found, similar] = [0, 0];
    for (const [at, { text, print }] of sample.entries()) {
      const copy = readText(editedCopy(text, share, alphabet, random));
      const edited = fingerprintOf(copy, key, undefined, MATCHED_BINS_MIN);
      if (edited === null) continue;
      if (equalValues(print, edited) >= SAME_CAMPAIGN_VALUES) similar++;
      if (table.find(edited, NOW)?.id === at + 1) found++;
    }
    return row(
      `enrolled texts with ${share * 100} % of the characters edited: recognised`,
      (100 * found) / sample.length,
      '%',
      `half of all values equal: ${short((100 * similar) / sample.length)} %; ${withCommas(sample.length)} texts`,
    );
  });
}

/** Edits a copy of the text. Each edit replaces, removes or inserts a random character. There is at least one edit. */
function editedCopy(text: string, share: number, alphabet: readonly string[], random: () => number): string {
  const characters = [...text];
  for (let left = Math.max(1, Math.round(share * characters.length)); left > 0; left--) {
    const at = random() % characters.length;
    const other = alphabet[random() % alphabet.length]!;
    const kind = random() % 3;
    characters.splice(at, kind === 2 ? 0 : 1, ...(kind === 1 ? [] : [other]));
  }
  return characters.join('');
}

function shuffled(texts: readonly string[], seed: number): string[] {
  const random = randomFrom(seed);
  const mixed = [...texts];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = random() % (at + 1);
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed;
}
