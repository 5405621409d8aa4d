/**
 * Reads all inputs of a catalogue once and separates entries from rejects.
 * `build` collects the entries into lists, `prove` into a plain model. Both see the same entries.
 */
import { relative } from 'node:path';
import { PROJECT } from '../paths.ts';
import type { Catalogue, CatalogueInput } from './catalogue.ts';
import { EntryReader, type EntryResult, type RejectCode } from './entry.ts';
import { plainNumberOf } from './plain-number.ts';
import { readRows } from './rows.ts';

export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly code: RejectCode;
  readonly message: string;
}

/** Line counts of one input file. */
export interface InputReport {
  readonly file: string;
  readonly sha256: string;
  readonly rows: number;
  readonly accepted: number;
  readonly expired: number;
  readonly rejected: number;
}

type Accepted = Extract<EntryResult, { ok: true }>;

export interface CollectOptions {
  /** Seconds since 1970. */
  readonly now: number;
  readonly onEntry: (entry: Accepted) => void;
  /**
   * Called instead of `onEntry` for a plain-text line that has only a number.
   * @param list index of the list
   */
  readonly onNumber?: (list: number, n: number) => void;
  readonly onReject: (reject: Reject) => void;
  readonly onProgress: (share: number, note: string) => void;
}

/** A file's name in reports: relative to the project if it is inside the project. */
export function fileName(path: string): string {
  const short = relative(PROJECT, path);
  return short.startsWith('..') ? path : short;
}

export async function collect(catalogue: Catalogue, options: CollectOptions): Promise<InputReport[]> {
  const readers = new Map(
    catalogue.inputs.map(({ part }) => [part, new EntryReader(part.lists, options.now, part.first)]),
  );
  const reports: InputReport[] = [];
  const count = catalogue.inputs.length;
  for (const [index, input] of catalogue.inputs.entries()) {
    const onProgress = (share: number): void =>
      options.onProgress((index + share) / count, fileName(input.path));
    reports.push(await collectFile(input, readers.get(input.part)!, options, onProgress));
  }
  return reports;
}

async function collectFile(
  input: CatalogueInput,
  reader: EntryReader,
  { onEntry, onNumber, onReject }: CollectOptions,
  onProgress: (share: number) => void,
): Promise<InputReport> {
  const file = fileName(input.path);
  const counts = { rows: 0, accepted: 0, expired: 0, rejected: 0 };
  const list = reader.plainList(input.list);
  const takeLine = (bytes: Uint8Array, from: number, to: number): boolean => {
    const n = plainNumberOf(bytes, from, to);
    if (n === 0) return false;
    counts.rows++;
    counts.accepted++;
    onNumber!(list!, n);
    return true;
  };
  const sha256 = await readRows(
    input,
    (row) => {
      counts.rows++;
      const entry = reader.read(row, input.list);
      if (entry.ok) {
        counts.accepted++;
        onEntry(entry);
      } else if (entry.code === 'EXPIRED') {
        counts.expired++;
      } else {
        counts.rejected++;
        onReject({ file, line: row.line, code: entry.code, message: entry.message });
      }
    },
    onProgress,
    onNumber === undefined || list === null ? undefined : takeLine,
  );
  return { file, sha256, ...counts };
}
