/**
 * Recognises input that is not text in UTF-8 by its bytes, before any other check can complain about it: files
 * of office programs, UTF-16, and CP949 (EUC-KR with its extension), which Korean systems still write.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { CommandFailure } from '../failure.ts';
import { shellWord } from '../terminal/shell-word.ts';

const LF = 0x0a;
/** In UTF-8, each Korean or Chinese character begins with a byte from this value on. CP949 hardly ever makes such a line. */
const LONG_LEAD = 0xe0;
/** More NUL bytes than this share mean UTF-16. Lists are mostly digits: in UTF-16, half of their bytes are NUL. */
const UTF16_NUL_SHARE = 1 / 8;
/** Fewer NUL bytes than this are not a number in UTF-16, but stray bytes in a tiny file. */
const UTF16_NULS_MIN = 4;
/** Number of first bytes in which NUL bytes are counted. */
const SAMPLE_BYTES = 1_024;

const SAVE_AS = 'save it as "CSV UTF-8"';
const BINARIES = [
  ['an XLSX workbook or another ZIP archive', [0x50, 0x4b, 0x03, 0x04]],
  ['an XLS workbook or another OLE2 file', [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
  ['a PDF', [0x25, 0x50, 0x44, 0x46, 0x2d]],
] as const;

/** Number of first bytes of a file that are read to see what it is. */
const HEAD_BYTES = 4_096;

export interface FileStart {
  readonly path: string;
  readonly isGzip: boolean;
  /** The first bytes, unpacked. */
  readonly head: Uint8Array;
}

export function readStart(path: string): FileStart {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEAD_BYTES);
    const head = bytes.subarray(0, readSync(file, bytes, 0, HEAD_BYTES, 0));
    const isGzip = head[0] === 0x1f && head[1] === 0x8b;
    return { path, isGzip, head: isGzip ? unpacked(head) : head };
  } finally {
    closeSync(file);
  }
}

/** Unpacks the first bytes of a gzipped file. Empty if they are damaged: reading the file reports that. */
function unpacked(head: Buffer): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** @throws CommandFailure that names the format of the file, if it is not text in UTF-8 */
export function checkStart(start: FileStart): void {
  const { path, head } = start;
  for (const [what, magic] of BINARIES) {
    if (magic.every((byte, at) => head[at] === byte))
      throw new CommandFailure(`${path}: is ${what}, not a text file: ${SAVE_AS}`);
  }
  const utf16 = utf16Of(head.subarray(0, SAMPLE_BYTES));
  if (utf16 !== null) throw notUtf8(start, 1, 'UTF-16', utf16);
  new Utf8Check(start).push(head, 0);
}

/** The encoding for iconv, or null if it is not UTF-16. */
function utf16Of(head: Uint8Array): 'UTF-16' | 'UTF-16LE' | 'UTF-16BE' | null {
  const mark = (head[0] ?? 0) * 256 + (head[1] ?? 0);
  if (mark === 0xfffe || mark === 0xfeff) return 'UTF-16';
  const nuls = [0, 0];
  head.forEach((byte, at) => {
    if (byte === 0) nuls[at % 2]!++;
  });
  const [even, odd] = nuls as [number, number];
  const most = Math.max(even, odd);
  if (most < UTF16_NULS_MIN || most <= head.length * UTF16_NUL_SHARE) return null;
  return odd > even ? 'UTF-16LE' : 'UTF-16BE';
}

function notUtf8({ path, isGzip }: FileStart, line: number, what: string, from: string): CommandFailure {
  const [read, iconv] = [shellWord(path), `iconv -f ${from} -t UTF-8`];
  const command = isGzip ? `gzip -dc ${read} | ${iconv} > utf8.csv` : `${iconv} ${read} > utf8.csv`;
  return new CommandFailure(
    `${path}: line ${line}: the file is ${what}, not UTF-8: ${SAVE_AS}, or convert it:\n${command}`,
  );
}

/** Finds CP949 in a stream of bytes. */
export class Utf8Check {
  readonly #file: FileStart;
  /** Bytes at the end of the last chunk that may begin a character of the next one. */
  #begun: Uint8Array = new Uint8Array();
  /** Set once a line was UTF-8 beyond doubt. Lines that are not UTF-8 are then damaged, for example cut within a character. */
  #isUtf8 = false;

  constructor(file: FileStart) {
    this.#file = file;
  }

  /** @param lines completed before this chunk @throws CommandFailure if the first line that is not UTF-8 is CP949 */
  push(chunk: Uint8Array, lines: number): void {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const end = bytes.length - incompleteBytes(bytes);
    this.#begun = Uint8Array.from(bytes.subarray(end));
    this.#check(bytes.subarray(0, end), lines);
  }

  /** Checks the bytes that the last chunk left. */
  end(lines: number): void {
    this.#check(this.#begun, lines);
  }

  #check(bytes: Uint8Array, lines: number): void {
    if (this.#isUtf8 || this.#sees(bytes)) return;
    let line = lines;
    for (let from = 0, to = 0; from < bytes.length; from = to + 1) {
      line++;
      to = bytes.indexOf(LF, from);
      if (to === -1) to = bytes.length;
      const text = bytes.subarray(from, to);
      if (this.#sees(text)) continue;
      if (!this.#isUtf8 && isKorean(text)) throw notUtf8(this.#file, line, 'CP949 (EUC-KR)', 'CP949');
      return;
    }
  }

  /** @returns whether the bytes are UTF-8 */
  #sees(bytes: Uint8Array): boolean {
    const fits = isUtf8(bytes);
    this.#isUtf8 ||= fits && !isAscii(bytes) && bytes.some((byte) => byte >= LONG_LEAD);
    return fits;
  }
}

/** Number of bytes at the end that begin a character of UTF-8 but do not complete it, at most 3. */
function incompleteBytes(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count]!;
    if (byte < 0x80) return 0;
    const isLead = byte >= 0xc0;
    if (isLead) return count < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? count : 0;
  }
  return 0;
}

/**
 * Whether the bytes, read as CP949, have more Hangul than other characters beyond ASCII, and no invalid pair except at the end,
 * where the text may be cut. Uses the layout of CP949 (Unicode, CP949.TXT), because ICU's EUC-KR lacks the Hangul that CP949
 * adds.
 */
function isKorean(bytes: Uint8Array): boolean {
  let hangul = 0;
  let others = 0;
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at]!;
    if (lead < 0x80) continue;
    const trail = bytes[++at];
    if (trail === undefined) break;
    const isAdded =
      (lead >= 0x81 && lead <= 0xa0 && (isLetter(trail) || (trail >= 0x81 && trail <= 0xfe))) ||
      (lead >= 0xa1 && lead <= 0xc6 && (isLetter(trail) || (trail >= 0x81 && trail <= 0xa0)));
    const isPair = lead >= 0xa1 && lead <= 0xfd && trail >= 0xa1 && trail <= 0xfe;
    if (isAdded || (isPair && lead >= 0xb0 && lead <= 0xc8)) hangul++;
    else if (isPair) others++;
    else return false;
  }
  return hangul > others;
}

function isLetter(byte: number): boolean {
  const upper = byte & ~0x20;
  return upper >= 0x41 && upper <= 0x5a;
}
