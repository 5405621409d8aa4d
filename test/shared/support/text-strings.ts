/** Random texts for properties, with characters of messages, of obfuscation, of links, and of all of Unicode. */
import fc from 'fast-check';
import { anyCharacter } from './properties.ts';

export const syllable = fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCharCode(code));
const typedJamo = fc.integer({ min: 0x3131, max: 0x3163 }).map((code) => String.fromCharCode(code));
const ascii = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const oneOf = (characters: string): fc.Arbitrary<string> => fc.constantFrom(...characters);

/** Characters of most texts. */
export const plainText = fc.string({
  unit: fc.oneof(
    { weight: 5, arbitrary: syllable },
    { weight: 4, arbitrary: ascii },
    { weight: 2, arbitrary: oneOf(' \n\t.,!?:/0123456789$') },
    { weight: 1, arbitrary: typedJamo },
    { weight: 1, arbitrary: oneOf('·…“”‘’▶★♡　、。．｡한국닷컴원만천') },
  ),
  maxLength: 80,
});

/** Everything that a text can contain, with many characters that normalization changes. */
export const anyText = fc.string({
  unit: fc.oneof(
    { weight: 3, arbitrary: syllable },
    { weight: 3, arbitrary: ascii },
    { weight: 1, arbitrary: typedJamo },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 0x1100, max: 0x11ff }).map((code) => String.fromCharCode(code)),
    },
    {
      weight: 2,
      arbitrary: oneOf('ａＺ０！．：ﾊﾟガㅤﷺﬁ①❶½²ёéŪẾАоІⓐ🅰🅐𝐀𝔞€￦₩원만\u0301\u3099\u200b\ufeff\u00ad\ufe0f'),
    },
    { weight: 1, arbitrary: anyCharacter },
  ),
  maxLength: 60,
});
