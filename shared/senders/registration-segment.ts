/**
 * The binary form of a segment of changes to registered senders: which client may send from which numbers, since
 * which version of the registry. Rows are read in place. The same rows give the same bytes, whatever their order.
 */
import { utf8 } from '../bytes.ts';
import { REGISTRATION_NUMBERS_MAX, REGISTRATION_SEGMENT_ROWS_MAX } from '../limits/registrations.ts';
import {
  FORMAT_VERSION,
  HEADER_WORDS,
  REGISTRATION_CLIENT_MASK,
  REGISTRATION_MORE_MASK,
  REGISTRATION_MORE_SHIFT,
  REGISTRATION_OP_SHIFT,
  REGISTRATION_ROW_WORDS,
  REGISTRATION_SEGMENT_MAGIC,
} from '../set/layout.ts';
import { readNames } from '../set/names.ts';
import { LayoutError, openWords } from '../set/number-set.ts';

/** What a change does for its client and numbers. Rows store the index, so never reorder them. */
export const REGISTRATION_OPS = ['add', 'addOwn', 'remove'] as const;
/** `addOwn`: the client's organisation owns the number itself, so its identity opt-outs do not apply. */
export type RegistrationOp = (typeof REGISTRATION_OPS)[number];

export interface RegistrationRow {
  /** `<organisation>/<client>`. */
  readonly client: string;
  /** First and last number, E.164 integers: at most REGISTRATION_NUMBERS_MAX. */
  readonly from: number;
  readonly to: number;
  readonly op: RegistrationOp;
  /** Version of the registry, from 1. Where rows of a client overlap, the highest version decides. */
  readonly version: number;
}

const SUFFIXES = 100_000_000;
/** Above every prefix: an E.164 number has at most 15 digits. */
const PREFIX_END = 10_000_000;
const VERSION_MAX = 0xffffffff;

/** Order of rows: client, first number, last number. */
export function byRegistration(a: RegistrationRow, b: RegistrationRow): number {
  if (a.client !== b.client) return a.client < b.client ? -1 : 1;
  return a.from - b.from || a.to - b.to;
}

/**
 * @param rows no two with the same client and numbers
 * @throws RangeError on duplicates, more than REGISTRATION_SEGMENT_ROWS_MAX rows, or a row that has no binary form
 */
export function encodeRegistrationSegment(rows: readonly RegistrationRow[]): Uint8Array<ArrayBuffer> {
  if (rows.length > REGISTRATION_SEGMENT_ROWS_MAX) {
    throw new RangeError(`registrations: ${rows.length} rows, more than ${REGISTRATION_SEGMENT_ROWS_MAX}`);
  }
  const sorted = rows.toSorted(byRegistration);
  const clients = [...new Set(sorted.map(({ client }) => client))];
  if (clients.some((client) => client === '' || client.includes('\n'))) {
    throw new RangeError('registrations: the name of a client is empty or has two lines');
  }
  const indexes = new Map(clients.map((client, index) => [client, index]));
  const text = utf8(clients.map((client) => `${client}\n`).join(''));
  const rowsAt = HEADER_WORDS * 4;
  const namesAt = rowsAt + sorted.length * REGISTRATION_ROW_WORDS * 4;
  const bytes = new Uint8Array(namesAt + text.length);
  new Uint32Array(bytes.buffer, 0, HEADER_WORDS).set([
    REGISTRATION_SEGMENT_MAGIC,
    FORMAT_VERSION,
    sorted.length,
    text.length,
  ]);
  const words = new Uint32Array(bytes.buffer, rowsAt, sorted.length * REGISTRATION_ROW_WORDS);
  sorted.forEach((row, index) => {
    const { client, from, to, op, version } = row;
    if (index > 0 && byRegistration(sorted[index - 1]!, row) === 0) {
      throw new RangeError('registrations: two rows of one client and range');
    }
    const more = to - from;
    const [prefix, suffix] = [Math.floor(from / SUFFIXES), from % SUFFIXES];
    if (!isPossible(prefix, suffix, more, version)) {
      throw new RangeError('registrations: a row with impossible numbers or version');
    }
    const flags =
      indexes.get(client)! |
      (more << REGISTRATION_MORE_SHIFT) |
      (REGISTRATION_OPS.indexOf(op) << REGISTRATION_OP_SHIFT);
    words.set([prefix, suffix, version, flags], index * REGISTRATION_ROW_WORDS);
  });
  bytes.set(text, namesAt);
  return bytes;
}

/** @param more numbers after the first */
function isPossible(prefix: number, suffix: number, more: number, version: number): boolean {
  const isRange = more >= 0 && more < REGISTRATION_NUMBERS_MAX;
  return prefix < PREFIX_END && suffix < SUFFIXES && isRange && version >= 1 && version <= VERSION_MAX;
}

export class RegistrationSegment {
  readonly count: number;
  /** The names of the clients that have rows, in ascending order. */
  readonly clients: readonly string[];
  readonly #words: Uint32Array;

  /** @param bytes the decrypted segment, aligned to 4 bytes @throws LayoutError */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const rowsAt = HEADER_WORDS * 4;
    const header = openWords(bytes.subarray(0, rowsAt), REGISTRATION_SEGMENT_MAGIC, 'registrations');
    this.count = header[2]!;
    if (this.count > REGISTRATION_SEGMENT_ROWS_MAX) throw new LayoutError('registrations: too many rows');
    const namesAt = rowsAt + this.count * REGISTRATION_ROW_WORDS * 4;
    if (namesAt + header[3]! !== bytes.length) throw new LayoutError('registrations: wrong size');
    this.#words = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset + rowsAt,
      this.count * REGISTRATION_ROW_WORDS,
    );
    this.clients = readNames(bytes.subarray(namesAt), 'registrations');
    this.#check();
  }

  /** Index in `clients`. @param row 0 to count - 1, as below */
  clientIndex(row: number): number {
    return this.#flags(row) & REGISTRATION_CLIENT_MASK;
  }

  /** The first number. */
  from(row: number): number {
    const at = row * REGISTRATION_ROW_WORDS;
    return this.#words[at]! * SUFFIXES + this.#words[at + 1]!;
  }

  /** The last number. */
  to(row: number): number {
    return this.from(row) + ((this.#flags(row) >>> REGISTRATION_MORE_SHIFT) & REGISTRATION_MORE_MASK);
  }

  version(row: number): number {
    return this.#words[row * REGISTRATION_ROW_WORDS + 2]!;
  }

  op(row: number): RegistrationOp {
    return REGISTRATION_OPS[this.#flags(row) >>> REGISTRATION_OP_SHIFT]!;
  }

  /** In the order of `byRegistration`. */
  get rows(): Iterable<RegistrationRow> {
    return this.#rows();
  }

  *#rows(): Generator<RegistrationRow> {
    for (let row = 0; row < this.count; row++) {
      const client = this.clients[this.clientIndex(row)]!;
      yield {
        ...{ client, from: this.from(row), to: this.to(row) },
        ...{ op: this.op(row), version: this.version(row) },
      };
    }
  }

  #flags(row: number): number {
    return this.#words[row * REGISTRATION_ROW_WORDS + 3]!;
  }

  #check(): void {
    for (let row = 0; row < this.count; row++) {
      const at = row * REGISTRATION_ROW_WORDS;
      const more = this.to(row) - this.from(row);
      if (!isPossible(this.#words[at]!, this.#words[at + 1]!, more, this.version(row)))
        throw new LayoutError('registrations: impossible numbers or version');
      if (this.#flags(row) >>> REGISTRATION_OP_SHIFT >= REGISTRATION_OPS.length)
        throw new LayoutError('registrations: unknown op');
      if (this.clientIndex(row) >= this.clients.length)
        throw new LayoutError('registrations: a client that is not there');
      if (row > 0 && !this.#rises(row)) throw new LayoutError('registrations: rows out of order');
    }
  }

  /** Whether this row comes after the previous one, and differs from it. */
  #rises(row: number): boolean {
    const order =
      this.clientIndex(row) - this.clientIndex(row - 1) ||
      this.from(row) - this.from(row - 1) ||
      this.to(row) - this.to(row - 1);
    return order > 0;
  }
}
