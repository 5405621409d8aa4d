/**
 * The binary form of a segment of the live layer: entries in `byLiveKey` order, read in place.
 * Codes and authorities are stored by name, so stored bytes do not depend on the order of lists in code. The
 * same entries give the same bytes in any order. A rule entry stores its authority, rule and stage as one name,
 * separated by spaces. Readers that do not know rules show the whole name as the authority.
 */
import { utf8 } from '../bytes.ts';
import { SEGMENT_ENTRIES_MAX } from '../limits/control.ts';
import {
  FORMAT_VERSION,
  HEADER_WORDS,
  SEGMENT_AUTHORITY_SHIFT,
  SEGMENT_CODE_SHIFT,
  SEGMENT_KIND_MASK,
  SEGMENT_MAGIC,
  SEGMENT_OP_SHIFT,
  SEGMENT_ROW_WORDS,
  SEGMENT_SUBJECTS_SHIFT,
} from '../set/layout.ts';
import { LayoutError, openWords } from '../set/number-set.ts';
import type { BlockStage, Code } from '../verdict.ts';
import { byLiveKey, LIVE_KINDS, LIVE_OPS, type LiveEntry, SUBJECT_BIT } from './entry.ts';

const SUBJECTS_MAX = SUBJECT_BIT.from | SUBJECT_BIT.to;

/**
 * @param entries no two entries may have the same key and `seq`
 * @throws RangeError on duplicates, more than SEGMENT_ENTRIES_MAX entries, or a line feed in a name
 */
export function encodeSegment(entries: readonly LiveEntry[]): Uint8Array<ArrayBuffer> {
  if (entries.length > SEGMENT_ENTRIES_MAX) {
    throw new RangeError(`segment: ${entries.length} entries, more than ${SEGMENT_ENTRIES_MAX}`);
  }
  const sorted = entries.toSorted(byLiveKey);
  // Codes come first, because their index has only eight bits.
  const codes = new Set(entries.flatMap(({ code }) => code ?? []).sort());
  const authorities = new Set(entries.map(nameOf).sort());
  const names = [...codes, ...authorities];
  if (names.some((name) => name.includes('\n'))) throw new RangeError('segment: a name of two lines');
  const codeIndexes = new Map<string | null, number>([...codes].map((code, index) => [code, index + 1]));
  const authorityIndexes = new Map([...authorities].map((name, index) => [name, codes.size + index]));
  const text = utf8(names.map((name) => `${name}\n`).join(''));
  const rowsAt = HEADER_WORDS * 4;
  const namesAt = rowsAt + sorted.length * SEGMENT_ROW_WORDS * 4;
  const bytes = new Uint8Array(namesAt + text.length);
  new Uint32Array(bytes.buffer, 0, HEADER_WORDS).set([
    SEGMENT_MAGIC,
    FORMAT_VERSION,
    sorted.length,
    text.length,
  ]);
  const rows = new Uint32Array(bytes.buffer, rowsAt, sorted.length * SEGMENT_ROW_WORDS);
  sorted.forEach((entry, index) => {
    if (index > 0 && byLiveKey(sorted[index - 1]!, entry) === 0) {
      throw new RangeError('segment: two entries of one key and change');
    }
    const { kind, op, high, low, until, seq, subjects, code } = entry;
    const flags =
      LIVE_KINDS.indexOf(kind) |
      (LIVE_OPS.indexOf(op) << SEGMENT_OP_SHIFT) |
      (subjects << SEGMENT_SUBJECTS_SHIFT) |
      ((codeIndexes.get(code) ?? 0) << SEGMENT_CODE_SHIFT) |
      (authorityIndexes.get(nameOf(entry))! << SEGMENT_AUTHORITY_SHIFT);
    rows.set([high, low, until, seq, flags], index * SEGMENT_ROW_WORDS);
  });
  bytes.set(text, namesAt);
  return bytes;
}

export class Segment {
  readonly count: number;
  /** The rows as a view of the bytes: SEGMENT_ROW_WORDS words each. */
  readonly rows: Uint32Array;
  readonly #names: readonly string[];
  /** Each name, parsed as the maker of an entry. Meaningless for the names of codes. */
  readonly #makers: readonly Maker[];

  /** @param bytes the decrypted segment, aligned to 4 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const rowsAt = HEADER_WORDS * 4;
    const header = openWords(bytes.subarray(0, rowsAt), SEGMENT_MAGIC, 'segment');
    this.count = header[2]!;
    if (this.count > SEGMENT_ENTRIES_MAX) throw new LayoutError('segment: too many entries');
    const namesAt = rowsAt + this.count * SEGMENT_ROW_WORDS * 4;
    if (namesAt + header[3]! !== bytes.length) throw new LayoutError('segment: wrong size');
    this.rows = new Uint32Array(bytes.buffer, bytes.byteOffset + rowsAt, this.count * SEGMENT_ROW_WORDS);
    this.#names = namesIn(bytes.subarray(namesAt));
    this.#makers = this.#names.map(makerOf);
    checkRows(this.rows, this.#names.length);
  }

  /** Decodes one entry from its row. @param index 0 to count - 1 */
  entry(index: number): LiveEntry {
    const at = index * SEGMENT_ROW_WORDS;
    const { rows } = this;
    const { kind, op, subjects, code, authority } = readFlags(rows[at + 4]!);
    return {
      kind: LIVE_KINDS[kind]!,
      high: rows[at]!,
      low: rows[at + 1]!,
      until: rows[at + 2]!,
      seq: rows[at + 3]!,
      op: LIVE_OPS[op]!,
      subjects,
      // A code is reported by its name, even if this version of numgate does not know it.
      code: code === 0 ? null : (this.#names[code - 1] as Code),
      ...this.#makers[authority]!,
    };
  }

  /** Whether a block has this code. Codes and authorities never have the same name. */
  hasCode(code: Code): boolean {
    return this.#names.includes(code);
  }

  *entries(): Generator<LiveEntry> {
    for (let index = 0; index < this.count; index++) yield this.entry(index);
  }
}

/** The maker of an entry: an authority, or a rule. */
type Maker = Pick<LiveEntry, 'authority' | 'rule' | 'stage'>;

function nameOf({ authority, rule, stage }: Maker): string {
  return rule === undefined ? authority : `${authority} ${rule} ${stage}`;
}

function makerOf(name: string): Maker {
  const [authority = '', rule, stage] = name.split(' ');
  // A stage is reported by its name, even if this version of numgate does not know it.
  return rule === undefined ? { authority } : { authority, rule, stage: stage as BlockStage };
}

/** Unpacks indexes into LIVE_KINDS, LIVE_OPS and the names: see shared/set/layout.ts. */
function readFlags(flags: number) {
  return {
    kind: flags & SEGMENT_KIND_MASK,
    op: (flags >>> SEGMENT_OP_SHIFT) & 3,
    subjects: (flags >>> SEGMENT_SUBJECTS_SHIFT) & 15,
    code: (flags >>> SEGMENT_CODE_SHIFT) & 255,
    authority: flags >>> SEGMENT_AUTHORITY_SHIFT,
  };
}

function namesIn(bytes: Uint8Array): string[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new LayoutError('segment: names are not UTF-8');
  }
  const names = text.split('\n');
  if (names.pop() !== '') throw new LayoutError('segment: the last name is cut');
  return names;
}

function checkRows(rows: Uint32Array, names: number): void {
  for (let at = 0; at < rows.length; at += SEGMENT_ROW_WORDS) {
    const { kind, op, subjects, code, authority } = readFlags(rows[at + 4]!);
    const blocks = LIVE_OPS[op] === 'block';
    if (kind >= LIVE_KINDS.length || op >= LIVE_OPS.length)
      throw new LayoutError('segment: unknown kind or op');
    if (subjects === 0 || subjects > SUBJECTS_MAX) throw new LayoutError('segment: unknown subjects');
    if (code > names || authority >= names) throw new LayoutError('segment: a name that is not there');
    if (blocks !== code > 0) throw new LayoutError('segment: a code without a block, or a block without one');
    if (rows[at + 3] === 0) throw new LayoutError('segment: an entry of no change');
    if (at > 0 && !rises(rows, at - SEGMENT_ROW_WORDS, at))
      throw new LayoutError('segment: rows out of order');
  }
}

/** Whether `byLiveKey` of the rows at `a` and `b` is below 0. */
function rises(rows: Uint32Array, a: number, b: number): boolean {
  const kinds = (rows[a + 4]! & SEGMENT_KIND_MASK) - (rows[b + 4]! & SEGMENT_KIND_MASK);
  if (kinds !== 0) return kinds < 0;
  if (rows[a] !== rows[b]) return rows[a]! < rows[b]!;
  if (rows[a + 1] !== rows[b + 1]) return rows[a + 1]! < rows[b + 1]!;
  return rows[a + 3]! > rows[b + 3]!;
}
