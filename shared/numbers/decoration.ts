/**
 * What stands around a number: URIs, names, extensions and signs; and which texts with letters are sender IDs.
 *
 * A wrong answer here switches off every list, or finds another subscriber. So a text with at least 7 digits and
 * fewer letters than digits is a number, or nothing: never a sender ID. Letters that look like digits are refused
 * next to the number, as `02-1234-567O` would otherwise be somebody else's 02-123-4567.
 * Expects at most `PARTY_CHARS_MAX` units; every expression here is linear in them.
 */

/** A text that is no plain number. */
export type Written =
  /** The part that is the number. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'senderId'; readonly text: string }
  /** A character that no number has, or letters that cannot be told from digits. */
  | { readonly kind: 'invalid' };

const INVALID: Written = { kind: 'invalid' };

/** U+FFFD, which decoders put in place of bytes that are no UTF-8: the sender ID would be another one. */
const REPLACEMENT = '\ufffd';
/** Digits of the shortest subscriber number. */
const NUMBER_DIGITS_MIN = 7;

const LETTER = /\p{L}/u;
const DIGITS = /\p{Nd}/gu;
const LETTERS = /\p{L}/gu;
/** `tel:` (RFC 3966), `sms:` (RFC 5724), `sip:` (RFC 3261), alone or in angle brackets behind a display name. */
const URI = /^(?:[^<>]*<)?\s*(tel|sms|sips?):([^<>]*)>?\s*$/i;
/** The host of a SIP URI without user, if it can be a number: digits and dots are an IP address. */
const BARE_USER = /^\+?[\d()-]+$/;
/** Pictures: they are no separators, since each has several units. */
const PICTURE = /\p{Extended_Pictographic}|\u20e3/gu;
const PLUS_IN_FRONT = /^[^\p{L}\p{Nd}]*[+＋][^\p{L}\p{Nd}]*\p{Nd}/u;
/** An extension at the end: it does not change whose number it is. */
const EXTENSION =
  /[\s,(（]*(?:내선|구내|교환|extension|ext|x|#)[\s.:]*(?:번호)?[\s.:]*\p{Nd}{1,6}[\s)）]*$/iu;
/** From the first digit, or the plus or bracket before it, to the last digit. */
const CORE = /[+＋(（]?\p{Nd}.*\p{Nd}/su;
const WORD = /\p{L}+/gu;
/** Letters that nobody takes for a digit: all of Hangul, Han and kana but the names of digits, and some of ASCII. */
const PLAIN_LETTER =
  /[acefhjkmnprtuvwxyACEFHJKLMNPRTUVWXY\p{sc=Hangul}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const DIGIT_NAMES = /^[공영일이삼사오육륙칠팔구零〇一二三四五六七八九]+$/u;

/** Finds the number in a text that `scan` has found something foreign in. */
export function undecorated(text: string): Written {
  if (text.includes(REPLACEMENT)) return INVALID;
  const [, scheme, content] = URI.exec(text) ?? [];
  if (scheme === undefined || content === undefined) return inText(text);
  const user = userOf(scheme.toLowerCase(), content);
  if (user === null) return INVALID;
  return LETTER.test(user) ? inText(user) : { kind: 'number', text: user };
}

function inText(text: string): Written {
  const visible = text.replace(PICTURE, ' ');
  const withoutExtension = visible.replace(EXTENSION, '');
  const number = hasNumber(withoutExtension) ? withoutExtension : visible;
  if (!LETTER.test(number)) return number === text ? INVALID : { kind: 'number', text: number };
  return isDecoratedNumber(number) ? coreOf(number) : { kind: 'senderId', text: text.trim() };
}

/** Whether a text with letters is written like a number: a plus in front, or at least 7 digits and fewer letters. */
export function isDecoratedNumber(text: string): boolean {
  return PLUS_IN_FRONT.test(text) || (hasNumber(text) && countOf(text, LETTERS) < countOf(text, DIGITS));
}

function hasNumber(text: string): boolean {
  return PLUS_IN_FRONT.test(text) || countOf(text, DIGITS) >= NUMBER_DIGITS_MIN;
}

/** The user part of a SIP URI or the number of a `tel:` URI, without parameters; null if it is neither. */
function userOf(scheme: string, content: string): string | null {
  const [address = '', ...parameters] = content.split(/[;?]/);
  const [user = '', host] = address.split('@');
  // A local number of another country: Korea's rules do not read it.
  if (parameters.some((parameter) => /^phone-context=\+(?!82)/i.test(parameter))) return null;
  if (scheme.startsWith('sip') && host === undefined && !BARE_USER.test(user)) return null;
  try {
    return decodeURIComponent(user).trim();
  } catch {
    return null;
  }
}

/** A number with its decoration removed: no letter inside, and none beside it that can be meant for a digit. */
function coreOf(text: string): Written {
  const core = CORE.exec(text);
  if (core === null || LETTER.test(core[0])) return INVALID;
  const before = text.slice(0, core.index);
  const after = text.slice(core.index + core[0].length);
  const isSafe = (word: string): boolean => PLAIN_LETTER.test(word) && !DIGIT_NAMES.test(word);
  const words = [...before.matchAll(WORD), ...after.matchAll(WORD)].map(([word]) => word);
  const touching = [/\p{L}$/u.exec(before)?.[0], /^\p{L}/u.exec(after)?.[0]];
  const isClear = words.every(isSafe) && touching.every((letter) => letter === undefined || isSafe(letter));
  return isClear ? { kind: 'number', text: core[0] } : INVALID;
}

/** @param unit a global expression of one character */
function countOf(text: string, unit: RegExp): number {
  return text.match(unit)?.length ?? 0;
}
