/** Texts of any length that are crafted to be expensive to process. They test bounds of work, not recognition. */

/** @returns a text of exactly `chars` UTF-16 units */
type Crafted = (chars: number) => string;

function repeated(part: string): Crafted {
  return (chars) => part.repeat(Math.ceil(chars / part.length)).slice(0, chars);
}

/** Different hosts, one after the other. */
function hosts(ending: string): Crafted {
  return (chars) => {
    let text = '';
    for (let at = 0; text.length < chars; at++) text += `${at.toString(36)}${ending} `;
    return text.slice(0, chars);
  };
}

export const CRAFTED_TEXTS: Readonly<Record<string, Crafted>> = {
  'characters that expand (U+FDFA)': repeated('\ufdfa'),
  dots: repeated('.'),
  'wide dots': repeated('。'),
  'a.a.a': repeated('a.'),
  '가.가.가': repeated('가.'),
  'at signs': repeated('@'),
  'a@a@a': repeated('a@'),
  'mail addresses': repeated('a@b.kr '),
  'a letter with marks': (chars) => `a${repeated('\u0301\u0323')(chars - 1)}`,
  'letters with marks': repeated('e\u0301'),
  'halves of pairs': repeated('\ud83c'),
  emoji: repeated('\u{1f170}'),
  'hidden characters': repeated('\u200b'),
  'letters with hidden characters': repeated('가\u200b'),
  'hosts in ASCII': hosts('.kr'),
  'hosts in Cyrillic': hosts('ж.рф'),
  'Chinese sentences without spaces': repeated('好。我'),
  'one long label': repeated('a'),
  'long labels': repeated(`${'a'.repeat(63)}.`),
  'hosts before words': hosts('.kr.xx'),
  'runs of words': repeated('ab.'),
  'a host before many words': (chars) => `a.kr${repeated('.zz')(chars - 4)}`,
  'runs of words in Cyrillic': repeated('жж.'),
  'a long run without an ending': repeated('a1.'),
  'hosts in Korean without spaces': repeated('a.com가'),
  schemes: repeated('http://'),
  'schemes and users': repeated('http://a@'),
  'schemes and dots': (chars) => `http://${repeated('.')(chars - 8)}a`,
  'colons and slashes': repeated('://'),
  'percent codes': repeated('http://%61.kr '),
  'mixed scripts': repeated('aж好가あ1'),
  'full width': repeated('ａ．ｃｏｍ'),
  digits: repeated('0'),
  amounts: repeated('1만'),
  'conjoining jamo': repeated('\u1100\u1161\u11a8'),
  'syllables of seven keys': repeated('뺿'),
  dashes: repeated('-a.kr-'),
};
