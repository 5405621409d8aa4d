/**
 * Sources: sender identities that are not numbers. A source is written `KIND:NAME` in lists, in the admin API
 * and on the command line; a sender ID may omit the kind. Sources are stored and looked up by keyed 64-bit
 * XXH64 fingerprints: with n listed sources, an unlisted one matches with probability n / 2^64.
 */
import { SMSC_PREFIX_DIGITS_MIN, SOURCE_CHARS_MAX } from '../limits.ts';
import { callingCodeOf, dropsTrunkZero } from '../numbers/calling-codes.ts';
import { hasNumber } from '../numbers/decoration.ts';
import { digitCountOf, NUMBER_DIGITS_MAX } from '../numbers/number.ts';
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

/** `515-02` or `51502`: MCC of three digits (901 is the world), MNC of two or three; null otherwise. */
export function operatorOf(written: string): string | null {
  const match = /^([2-7]\d{2}|901)[- ]?(\d{2,3})$/.exec(written.trim());
  return match === null ? null : `${match[1]}${match[2]}`;
}

/** A source, or the reason why the text is not one. */
export type WrittenSource = { readonly source: Source } | { readonly problem: string };

const WRITTEN = /^\s*(sender|operator|trunk|smsc)\s*:\s*(.*)$/is;

/** Whether the text begins with a kind. */
export function isWrittenSource(written: string): boolean {
  return WRITTEN.test(written);
}

/** A word and a colon, like the kind of a source. */
const KIND_LIKE = /^\s*\p{L}+\s*:/u;

/** Parses a written source. Without a kind it is a sender ID. */
export function parseSource(written: string): WrittenSource {
  const kind = WRITTEN.exec(written);
  const [, word = 'sender', name = written] = kind ?? [];
  const text = name.trim();
  if (text.length > SOURCE_CHARS_MAX || !foldsWithinBound(text))
    return { problem: `is longer than ${SOURCE_CHARS_MAX} characters, also in compatibility form (NFKC)` };
  if (text.includes('\ufffd')) return { problem: 'is no UTF-8: save the file as UTF-8' };
  // No sender is ever parsed as this sender ID, and the intended number would not be listed.
  if (word.toLowerCase() === 'sender' && /\p{L}/u.test(text) && hasNumber(text)) {
    return { problem: 'has letters in a number: write the number alone' };
  }
  if (kind === null && /^\s*callingCode\s*:/i.test(text)) {
    return { problem: 'is a whole country: calling codes belong into a list of a release' };
  }
  if (kind === null && KIND_LIKE.test(text)) {
    return {
      problem:
        'begins with no kind of source (operator:, trunk:, smsc:); if it is a sender id, write sender: in front',
    };
  }
  switch (word.toLowerCase()) {
    case 'operator': {
      const operator = operatorOf(text);
      if (operator !== null) return { source: { kind: 'operator', name: operator } };
      return { problem: 'is no operator: write MCC and MNC, as in operator:515-02' };
    }
    case 'trunk':
      if (foldSenderId(text) !== '') return { source: { kind: 'trunk', name: text } };
      return { problem: 'names no trunk, as in trunk:MNL-2' };
    case 'smsc':
      return smscOf(text);
    default:
      // A text without a letter is a number or a mistake, so it is not listed.
      if (/\p{L}/u.test(foldSenderId(text))) return { source: { kind: 'senderId', name: text } };
      return { problem: 'is no sender id: those have letters' };
  }
}

function smscOf(text: string): WrittenSource {
  const match = /^\+?([1-9]\d*)(\*?)$/.exec(text.replace(/[\s-]/g, ''));
  const problem = 'is no global title: write +639170000130, or its first digits and *, as in smsc:+63917*';
  if (match === null) return { problem };
  const [, digits = '', star = ''] = match;
  const code = callingCodeOf(Number(digits));
  if (digits.length > NUMBER_DIGITS_MAX || code === 0) return { problem };
  if (star !== '' && digits.length === digitCountOf(code))
    return { problem: 'is a whole country: add digits' };
  // A gateway's global title is parsed as a number, which has no trunk 0.
  if (dropsTrunkZero(code) && digits.startsWith('0', digitCountOf(code))) {
    return { problem: 'has a 0 behind the country code, which no global title there has' };
  }
  return { source: { kind: 'smsc', name: digits + star } };
}

/** Formats a source so that `parseSource` can parse it. */
export function writtenSource({ kind, name }: Source): string {
  if (kind === 'senderId') return KIND_LIKE.test(name) ? `sender:${name}` : name;
  return `${kind}:${kind === 'smsc' ? `+${name}` : name}`;
}
