/**
 * The alphabets of texts, by data coding (SMPP 3.4, 5.2.19): their characters, and how much of a text each character takes. In
 * SMPP each septet of the GSM alphabet takes an octet; on the air, 160 septets take 140 octets.
 */

export interface Alphabet {
  /** Decodes text as a receiver shows it. All octets show something, so a sender cannot avoid a label with invalid ones. */
  decode(octets: Buffer): string;
  /** Units in one text with a user data header of `headerOctets` octets. */
  capacity(headerOctets: number): number;
}

/** An alphabet that can also be written. */
export interface Writable extends Alphabet {
  /** @returns null if the alphabet lacks a character */
  encode(text: string): Buffer | null;
  /** Splits a text into its characters, as octets. Every octet belongs to a character, even if it is invalid. */
  characters(octets: Buffer): Buffer[];
  /** Units of the capacity that a character takes. */
  cost(character: Buffer): number;
}

export const DEFAULT_ALPHABETS = ['gsm', 'ascii', 'latin1'] as const;
export type DefaultAlphabet = (typeof DEFAULT_ALPHABETS)[number];

export const UCS2_CODING = 8;
/** TP-User-Data (3GPP TS 23.040, 9.2.3.24): one text, in octets. */
const TEXT_OCTETS = 140;

/** The GSM default alphabet in order (3GPP TS 23.038, 6.2.1), with its escape at 0x1b. */
const GSM =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const ESCAPE = 0x1b;
/** Characters after the escape (6.2.1.1). */
const GSM_EXTENSION: ReadonlyMap<number, string> = new Map([
  ...([0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65] as const).map(
    (septet, index) => [septet, '\f^{}\\[~]|€'[index]!] as const,
  ),
]);
const GSM_SEPTETS: ReadonlyMap<string, readonly number[]> = new Map([
  ...[...GSM].flatMap((character, septet) =>
    septet === ESCAPE ? [] : [[character, [septet]] as [string, number[]]],
  ),
  ...[...GSM_EXTENSION].map(([septet, character]) => [character, [ESCAPE, septet]] as [string, number[]]),
]);

const septets = (headerOctets: number): number => Math.floor(((TEXT_OCTETS - headerOctets) * 8) / 7);
const octets = (headerOctets: number): number => TEXT_OCTETS - headerOctets;
const lengthOf = ({ length }: Buffer): number => length;

/** @param sizeAt octets of the character at this position */
function charactersOf(text: Buffer, sizeAt: (at: number) => number): Buffer[] {
  const characters: Buffer[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + sizeAt(at);
    characters.push(text.subarray(at, end));
    at = end;
  }
  return characters;
}

const gsm: Writable = {
  decode(text) {
    let decoded = '';
    for (let at = 0; at < text.length; at++) {
      const septet = text[at]!;
      const extended = septet === ESCAPE ? GSM_EXTENSION.get(text[at + 1] ?? -1) : undefined;
      if (extended !== undefined) at++;
      // 6.2.1.1: after an escape without meaning, a septet stands for its character of the default alphabet.
      decoded += extended ?? (septet === ESCAPE ? '' : (GSM[septet] ?? String.fromCharCode(septet)));
    }
    return decoded;
  },
  encode(text) {
    const encoded = [...text].map((character) => GSM_SEPTETS.get(character));
    return encoded.includes(undefined) ? null : Buffer.from(encoded.flatMap((sequence) => sequence!));
  },
  characters: (text) => charactersOf(text, (at) => (text[at] === ESCAPE ? 2 : 1)),
  cost: lengthOf,
  capacity: septets,
};

const ASCII = /^[\0-\x7f]*$/;
const ascii: Writable = {
  decode: (text) => text.toString('latin1'),
  encode: (text) => (ASCII.test(text) ? Buffer.from(text, 'latin1') : null),
  characters: (text) => charactersOf(text, () => 1),
  // On the air this is the GSM alphabet, which has some of its characters only in the extension.
  cost: (character) => GSM_SEPTETS.get(character.toString('latin1'))?.length ?? 1,
  capacity: septets,
};

const latin1: Alphabet = {
  decode: (text) => text.toString('latin1'),
  capacity: septets,
};

/** UTF-16, big-endian. It has every character. */
export const ucs2 = {
  decode: (text) =>
    Buffer.from(text.subarray(0, text.length - (text.length % 2)))
      .swap16()
      .toString('utf16le'),
  encode: (text): Buffer => Buffer.from(text, 'utf16le').swap16(),
  characters: (text) => charactersOf(text, (at) => (isPair(text, at) ? 4 : 2)),
  cost: lengthOf,
  capacity: octets,
} satisfies Writable;

function isPair(text: Buffer, at: number): boolean {
  const isHigh = (text[at]! & 0xfc) === 0xd8;
  return isHigh && at + 3 < text.length && (text[at + 2]! & 0xfc) === 0xdc;
}

const KSC5601 = new TextDecoder('euc-kr');
const ksc5601: Alphabet = {
  decode: (text) => KSC5601.decode(text),
  capacity: octets,
};

const DEFAULTS: Readonly<Record<DefaultAlphabet, Alphabet>> = { gsm, ascii, latin1 };

export function isWritable(alphabet: Alphabet): alphabet is Writable {
  return 'encode' in alphabet;
}

/**
 * @param standard the alphabet that the SMSC uses for data coding 0
 * @returns null if texts of this data coding cannot be read
 */
export function alphabetOf(dataCoding: number, standard: DefaultAlphabet): Alphabet | null {
  switch (dataCoding) {
    case 0:
      return DEFAULTS[standard];
    case 1:
      return ascii;
    case 3:
      return latin1;
    case UCS2_CODING:
      return ucs2;
    case 14:
      return ksc5601;
    default:
      return null;
  }
}
