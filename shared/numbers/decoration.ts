/**
 * Removes decoration around a number (URIs, names, extensions and signs), and decides which texts with
 * letters are sender IDs.
 *
 * A mistake here bypasses every list or matches another subscriber. So a text with at least 7 digits is a
 * number or an error, never a sender ID, and digit look-alikes beside the number are rejected: `02-1234-567O`
 * would otherwise become another subscriber's 02-123-4567. Expects at most `PARTY_CHARS_MAX` units; every
 * expression here is linear in them.
 */
import { isEmergency } from './plan.ts';

/** A text that is not a plain number. */
export type Undecorated =
  /** The part that is the number. `isBare`: nothing that could be mistaken for digits was removed. */
  | { readonly kind: 'number'; readonly text: string; readonly isBare: boolean }
  | { readonly kind: 'senderId'; readonly text: string }
  /** A character that no number has, or letters that cannot be distinguished from digits. */
  | { readonly kind: 'invalid' };

const INVALID: Undecorated = { kind: 'invalid' };

/** Control characters, and U+FFFD, which decoders insert for bytes that are not UTF-8. Both would change a sender ID. */
const UNREADABLE = /[\p{Cc}\ufffd]/u;
/** No real name has this many marks on one letter. The time to fold them is quadratic in their count. */
const STACKED_MARKS = /\p{M}{8}/u;
/** Digits of the shortest subscriber number. */
const NUMBER_DIGITS_MIN = 7;

const LETTER = /\p{L}/u;
/** Includes circled digits and the like: not part of a number, nor of a sender ID. */
const DIGITS = /\p{N}/gu;
/**
 * `tel:` (RFC 3966), `sms:` (RFC 5724) and `sip:` (RFC 3261), alone or in angle brackets between a display
 * name and header parameters.
 */
const URI = /^([^<>]*<)?\s*(tel|sms|sips?):([^<>]*)(?:>\s*(?:;[^<>]*)?)?$/i;
const SCHEME = /(?:tel|sms|sips?):/i;
/** The host of a SIP URI without user, if it can be a number. Digits with dots are an IP address. */
const BARE_USER = /^\+?[\d()-]+$/;
/** Pictures have several units, so they cannot be separators. Pictures that show a digit are not removed. */
const PICTURE = /(?![🔟💯⭕🅾])[\p{Extended_Pictographic}\p{RI}\p{Emoji_Modifier}]|\u20e3/gu;
const PLUS_IN_FRONT = /^[^\p{L}\p{N}]*[+＋][^\p{L}\p{N}]*\p{Nd}/u;
/** An extension at the end: it does not change the subscriber. */
const EXTENSION = /(?:내선|구내|교환|extension|ext|x|#)[\s.:]*(?:번호[\s.:]*)?\p{Nd}{1,6}번?[\s)）]*$/iu;
/** Left over when a number is copied from a list. */
const LIST_END = /[\s,;]$/;
/** From the first digit, or the plus or bracket before it, to the last digit. */
const CORE = /[+＋(（]?\p{Nd}.*\p{Nd}/su;
/** A long number that a spreadsheet converted: its last digits are lost. */
const SCIENTIFIC = /^\s*\+?\d(?:[.,]\d+)?E\+?\d{1,2}\s*$/i;
/** Three to five digits with Hangul: `112 (경찰)`. */
const NAMED_CODE = /^[가-힣\P{L}]*$/u;
const CODE = /^\P{Nd}*(\p{Nd}{3,5})\P{Nd}*$/u;

const WORD = /\p{L}+/gu;
/** Syllables, and ASCII letters that do not look like a digit. */
const PLAIN_LETTER = /[가-힣acefhjkmnprtuvwxyACEFHJKMNPRTUVWXY]/;
const SYLLABLE = /[가-힣]/;
const DIGIT_NAMES =
  /^(?:공|영|령|빵|일|이|삼|사|오|육|륙|칠|팔|구|하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|[零〇一二三四五六七八九壹貳參肆伍陸柒捌玖])+$/u;

/** Finds the number in a text in which `scan` found a foreign character. */
export function removeDecoration(text: string): Undecorated {
  if (UNREADABLE.test(text.trim()) || STACKED_MARKS.test(text)) return INVALID;
  const [, displayName, scheme, content] = URI.exec(text) ?? [];
  if (scheme === undefined || content === undefined) return inText(text);
  // Two addresses, or a display name that is a number: one of them may be forged.
  if (displayName !== undefined && (SCHEME.test(displayName) || hasNumber(displayName))) return INVALID;
  const user = userOf(scheme.toLowerCase(), content);
  if (user === null || UNREADABLE.test(user)) return INVALID;
  if (!LETTER.test(user)) return { kind: 'number', text: user, isBare: true };
  // A login name with digits is not a number. A tel: URI can have an extension after the number.
  return scheme.toLowerCase().startsWith('sip') && hasNumber(user) ? INVALID : inText(user);
}

function inText(text: string): Undecorated {
  const visible = withoutListEnd(text.replace(PICTURE, ' '));
  const withoutExtension = withoutListEnd(visible.replace(EXTENSION, ''));
  const number = hasNumber(withoutExtension) ? withoutExtension : visible;
  if (SCIENTIFIC.test(number)) return INVALID;
  if (!LETTER.test(number))
    return number === text ? INVALID : { kind: 'number', text: number, isBare: false };
  if (hasNumber(number)) return coreOf(number);
  const code = NAMED_CODE.test(number) ? CODE.exec(number)?.[1]?.normalize('NFKC') : undefined;
  if (code !== undefined && isEmergency(code)) return { kind: 'number', text: code, isBare: true };
  return { kind: 'senderId', text: text.trim() };
}

function withoutListEnd(text: string): string {
  let end = text.length;
  while (end > 0 && LIST_END.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Whether a text can only be a number: a leading plus, or at least 7 digits. */
export function hasNumber(text: string): boolean {
  return PLUS_IN_FRONT.test(text) || (text.match(DIGITS)?.length ?? 0) >= NUMBER_DIGITS_MIN;
}

/** The user part of a SIP URI or the number of a `tel:` URI, without parameters; null if it is neither. */
function userOf(scheme: string, content: string): string | null {
  const at = content.lastIndexOf('@');
  const [address = '', ...parameters] = (at < 0 ? content : content.slice(0, at)).split(/[;?]/);
  if (scheme.startsWith('sip') && at < 0 && !BARE_USER.test(address)) return null;
  try {
    // A local number of another country or of a private exchange: Korea's rules do not apply to it.
    const isForeign = (parameter: string): boolean => {
      const [name = '', value = ''] = decodeURIComponent(parameter).split('=');
      return name.trim().toLowerCase() === 'phone-context' && !value.trim().startsWith('+82');
    };
    return parameters.some(isForeign) ? null : decodeURIComponent(address).trim();
  } catch {
    return null;
  }
}

/** Strips the decoration of a number. Refuses letters inside it, and letters beside it that could stand for a digit. */
function coreOf(text: string): Undecorated {
  const core = CORE.exec(text)?.[0];
  if (core === undefined || LETTER.test(core)) return INVALID;
  const start = text.indexOf(core);
  const before = text.slice(0, start);
  const after = text.slice(start + core.length);
  // 010-5555-OOOO: letters that continue where the digits end stand for digits.
  if (/^[-._\p{Pd}]+\p{L}/u.test(after) || /\p{L}[-._\p{Pd}]+$/u.test(before)) return INVALID;
  const isSafe = (word: string): boolean => PLAIN_LETTER.test(word) && !DIGIT_NAMES.test(word);
  const touching = [/\p{L}+$/u.exec(before)?.[0], /^\p{L}+/u.exec(after)?.[0]].filter(
    (word) => word !== undefined,
  );
  // Groups of digits show where a number ends. Without groups, only the words show it.
  const isGrouped = /\p{Nd}[^\p{Nd}]+\p{Nd}/u.test(core);
  const words = isGrouped
    ? touching
    : [...before.matchAll(WORD), ...after.matchAll(WORD)].map(([word]) => word);
  const isClear = words.every(isSafe) && (isGrouped || touching.every((word) => SYLLABLE.test(word)));
  return isClear ? { kind: 'number', text: core, isBare: false } : INVALID;
}
