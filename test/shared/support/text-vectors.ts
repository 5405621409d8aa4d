/** Golden values of text risk: tables, the head of a model, buckets and fingerprints, all from the naive encoders. */
import { hexOf } from './bytes.ts';
import { naiveHkdf } from './naive-cipher.ts';
import { naiveLetters } from './naive-fold.ts';
import {
  naiveCampaignTable,
  naiveFingerprint,
  naiveGramBuckets,
  naiveHostTable,
  naiveKey,
  naiveModel,
  naiveTraitBucket,
} from './naive-text.ts';

const TEXT_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const BITS = 18;
const LENGTH_FAMILY = 9;

const HOSTS = [
  { host: 'evil.example', list: 0 },
  { host: 'bank.example', list: 1 },
  { host: 'evil.example', list: 2 },
];
/** Texts without links and hidden characters. */
const TEXTS = [
  '[국제발신] 고객님의 택배가 주소 불명으로 반송되었습니다. 아래 주소에서 다시 입력해 주시기 바랍니다.',
  'Congratulations! You have been selected for a ￡1,000 gift card, reply WIN to claim yours before midnight.',
];
const SHORT = ['대출', 'Free 5', '한글 test'];
const WEIGHTS = [1, -1, 127, -127];

/** @returns the content of text.json */
export async function textVectors(): Promise<object> {
  const key = naiveKey(await naiveHkdf(TEXT_KEY, 'numgate/1 text fingerprint', 1_040));
  const printOf = (text: string): number[] => naiveFingerprint(naiveLetters(text), key, 40)!;
  const campaigns = [
    { id: 17, until: 1_800_000_000, authority: 'kisa', values: printOf(TEXTS[0]!) },
    {
      ...{ id: 18, until: 1_790_000_000, authority: 'numgate', rule: 'kr-9@2', stage: 'confirmed' },
      values: printOf(TEXTS[1]!),
    },
  ];
  const model = { bits: 12, bias: -2, scale: 0.05, weights: WEIGHTS };
  const head = naiveModel(model.bits, model.bias, model.scale, WEIGHTS);
  return {
    textKey: hexOf(TEXT_KEY),
    textKeyId: hexOf(await naiveHkdf(TEXT_KEY, 'numgate/1 text key id', 8)),
    hosts: { rows: HOSTS, hex: hexOf(naiveHostTable(HOSTS)) },
    campaigns: { rows: campaigns, hex: hexOf(naiveCampaignTable(campaigns)) },
    model: { ...model, head: hexOf(head) },
    features: SHORT.map((text) => {
      const letters = naiveLetters(text);
      const length = Math.floor(2 * Math.log2(letters.length + 1));
      // A trait counts four times.
      const trait = Array<number>(4).fill(naiveTraitBucket(LENGTH_FAMILY, length, BITS));
      return { text, letters, bits: BITS, buckets: [...naiveGramBuckets(letters, BITS), ...trait] };
    }),
    fingerprints: TEXTS.map((text) => ({ text, values: printOf(text) })),
  };
}
