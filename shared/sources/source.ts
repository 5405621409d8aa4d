/**
 * Sources: sender identities that are not numbers. A source is written `KIND:NAME` in lists, in the admin API
 * and on the command line; a sender ID may omit the kind. Sources are stored and looked up by keyed 64-bit
 * XXH64 fingerprints: with n listed sources, an unlisted one matches with probability n / 2^64.
 */
import { SOURCE_CHARS_MAX } from '../limits/control.ts';
import { SMSC_PREFIX_DIGITS_MIN } from '../limits/requests.ts';
import { callingCodeOf, dropsTrunkZero } from '../numbers/calling-codes.ts';
import { hasNumber } from '../numbers/decoration.ts';
import { digitCountOf, NUMBER_DIGITS_MAX } from '../numbers/number.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { fingerprint } from '../set/xxhash.ts';
import type { Effect } from '../verdict.ts';
import { foldSenderId, foldsWithinBound, skeletonOf } from './sender-id.ts';

export const SOURCE_KINDS = ['senderId', 'operator', 'trunk', 'smsc'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export interface Source<Kind extends SourceKind = SourceKind> {
  readonly kind: Kind;
  /**
   * The text of a sender ID or trunk; MCC and MNC of an operator in 5 or 6 digits; for an SMSC its global
   * title in digits, or the first digits and `*`.
   */
  readonly name: string;
}

/** The two forms of a source. They differ only for sender IDs with letters that look like Latin ones. */
export interface Forms<Form> {
  /** The only form that allow lists match. */
  readonly spelling: Form;
  /** The form that block, label and shadow lists match, together with all look-alikes. */
  readonly skeleton: Form;
}
export type SourceFingerprints = Forms<bigint>;

/** The texts that are fingerprinted. */
export function textsOf({ kind, name }: Source): Forms<string> {
  if (kind === 'senderId') {
    const spelling = foldSenderId(name);
    return { spelling, skeleton: skeletonOf(spelling) };
  }
  // No folded sender ID has a control character, so none can collide with another kind of source.
  const text = `\u0001${kind}\u0001${kind === 'trunk' ? foldSenderId(name) : name}`;
  return { spelling: text, skeleton: text };
}

/** @param seed `sourceSeed` of the list keys */
export function fingerprintsOf(source: Source, seed: bigint): SourceFingerprints {
  const texts = textsOf(source);
  const spelling = fingerprint(texts.spelling, seed);
  const skeleton = texts.skeleton === texts.spelling ? spelling : fingerprint(texts.skeleton, seed);
  return { spelling, skeleton };
}

/**
 * The fingerprint of a source under another key, in the same form.
 * @param text as `formatSource` writes it
 * @returns null if the text is not that of the fingerprint
 */
export function rekeyFingerprint(print: bigint, text: string, from: bigint, to: bigint): bigint | null {
  const parsed = parseSource(text);
  if (!parsed.ok) return null;
  const { spelling, skeleton } = textsOf(parsed.value);
  const form = [spelling, skeleton].find((each) => fingerprint(each, from) === print);
  return form === undefined ? null : fingerprint(form, to);
}

/** The text of the form that has this fingerprint; null if no form of the source has it. */
export function formOf(
  print: bigint,
  text: string,
  seed: bigint,
): { readonly form: string; readonly isSpelling: boolean } | null {
  const parsed = parseSource(text);
  if (!parsed.ok) return null;
  const { spelling, skeleton } = textsOf(parsed.value);
  if (fingerprint(spelling, seed) === print) return { form: spelling, isSpelling: true };
  return fingerprint(skeleton, seed) === print ? { form: skeleton, isSpelling: false } : null;
}

/** The form in which a list stores a source. */
export function formFor<Form>({ spelling, skeleton }: Forms<Form>, effect: Effect): Form {
  return effect === 'allow' ? spelling : skeleton;
}

/** Every source that covers an SMSC: itself, and each prefix of its global title. */
export function smscSources(globalTitle: number): Source<'smsc'>[] {
  const digits = String(globalTitle);
  const sources: Source<'smsc'>[] = [{ kind: 'smsc', name: digits }];
  for (let length = SMSC_PREFIX_DIGITS_MIN; length <= digits.length; length++) {
    sources.push({ kind: 'smsc', name: `${digits.slice(0, length)}*` });
  }
  return sources;
}

/** `515-02` or `51502`: MCC of three digits (901 is global), MNC of two or three; null otherwise. */
export function operatorOf(written: string): string | null {
  const match = /^([2-7]\d{2}|901)[- ]?(\d{2,3})$/.exec(written.trim());
  return match === null ? null : `${match[1]}${match[2]}`;
}

const WRITTEN = /^\s*(sender|operator|trunk|smsc)\s*:\s*(.*)$/is;

/** Whether the text begins with a kind. */
export function hasSourceKind(written: string): boolean {
  return WRITTEN.test(written);
}

/** A word and a colon, like the kind of a source. */
const KIND_LIKE = /^\s*\p{L}+\s*:/u;

/** A source, or why the text is not one, in words that follow the name of the item. */
export type ParsedSource = Result<Source, Failure<'SOURCE_INVALID'>>;

function invalid(message: string): ParsedSource {
  return fail('SOURCE_INVALID', message);
}

/** Parses a written source. Without a kind it is a sender ID. */
export function parseSource(written: string): ParsedSource {
  const kind = WRITTEN.exec(written);
  const [, word = 'sender', given = written] = kind ?? [];
  const name = given.trim();
  if (name.length > SOURCE_CHARS_MAX || !foldsWithinBound(name))
    return invalid(`must have at most ${SOURCE_CHARS_MAX} characters, also in compatibility form (NFKC)`);
  if (name.includes('\ufffd')) return invalid('is not UTF-8: save the file as UTF-8');
  // No sender is ever parsed as this sender ID, and the intended number would not be listed.
  if (word.toLowerCase() === 'sender' && /\p{L}/u.test(name) && hasNumber(name))
    return invalid('has letters in a number: write only the number');
  if (kind === null && /^\s*callingCode\s*:/i.test(name))
    return invalid('is a whole country: calling codes belong in a list of a release');
  if (kind === null && KIND_LIKE.test(name)) {
    return invalid(
      'does not begin with a kind of source (operator:, trunk:, smsc:); if it is a sender ID, write sender: before it',
    );
  }
  switch (word.toLowerCase()) {
    case 'operator': {
      const operator = operatorOf(name);
      if (operator !== null) return ok({ kind: 'operator', name: operator });
      return invalid('is not an operator: write MCC and MNC, as in operator:515-02');
    }
    case 'trunk':
      if (foldSenderId(name) !== '') return ok({ kind: 'trunk', name });
      return invalid('names no trunk: write its name, as in trunk:MNL-2');
    case 'smsc':
      return smscOf(name);
    default:
      // A text without a letter is a number or a mistake, so it is not listed.
      if (/\p{L}/u.test(foldSenderId(name))) return ok({ kind: 'senderId', name });
      return invalid('is not a sender ID: sender IDs have letters');
  }
}

function smscOf(text: string): ParsedSource {
  const [, digits = '', star = ''] = /^\+?([1-9]\d*)(\*?)$/.exec(text.replace(/[\s-]/g, '')) ?? [];
  const code = callingCodeOf(Number(digits));
  if (digits === '' || digits.length > NUMBER_DIGITS_MAX || code === 0) {
    return invalid(
      'is not a global title: write +639170000130, or its first digits and *, as in smsc:+63917*',
    );
  }
  if (star !== '' && digits.length === digitCountOf(code)) return invalid('is a whole country: add digits');
  // A gateway's global title is parsed as a number, which has no trunk 0.
  if (dropsTrunkZero(code) && digits.startsWith('0', digitCountOf(code)))
    return invalid('has a 0 after the country code: no global title of that country has one');
  return ok({ kind: 'smsc', name: digits + star });
}

/** Formats a source so that `parseSource` can parse it. */
export function formatSource({ kind, name }: Source): string {
  if (kind === 'senderId') return KIND_LIKE.test(name) ? `sender:${name}` : name;
  return `${kind}:${kind === 'smsc' ? `+${name}` : name}`;
}
