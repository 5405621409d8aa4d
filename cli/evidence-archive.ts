/**
 * Evidence files as ZIP archives. Writing is deterministic: the same files give the same bytes. Reading accepts only what such
 * an archive needs, and checks every bound before it unpacks: names without folders, no duplicate files, no bytes between
 * files, no comments, no fields that some tools read as other names or sizes, no encryption, and sizes and CRC-32 as in the
 * directory (PKWARE APPNOTE 6.3, sections 4.3 to 4.5).
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { MANIFEST_FILE, PART_NAME, SIGNATURE_FILE } from '../shared/evidence-file/manifest.ts';
import type { EvidenceFiles } from '../shared/evidence-file/verify-manifest.ts';
import {
  EVIDENCE_ARCHIVE_BYTES_MAX,
  EVIDENCE_BYTES_MAX,
  EVIDENCE_PARTS_MAX,
} from '../shared/limits/evidence-files.ts';
import { CommandFailure, describeFileError } from './failure.ts';

/** Signatures and sizes of the structures, in bytes. */
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const STORED = 0;
const DEFLATED = 8;
/** Flag of a name in UTF-8. All names here are ASCII, so the flag changes nothing. */
const UTF8_FLAG = 0x0800;
/** Extra fields with times and owners, which other tools write. They mean nothing here. */
const EXTRA_FIELDS = [0x5455, 0x7875];
/** Maximum number of files: the parts, the manifest and its signature. */
const FILES_MAX = EVIDENCE_PARTS_MAX + 2;
/** Maximum size of the manifest and the signature together. */
const OVERHEAD_BYTES = 1_048_576;

/** Where a file is in the archive. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

class Damaged extends Error {}

/** Any fixed time would do. It is local time, because fflate writes that. */
const TIME = new Date(2000, 0, 1);

export function packArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return zipSync(Object.fromEntries(files), { level: 6, mtime: TIME });
}

/** @throws CommandFailure if the file is not an evidence archive */
export function readArchive(path: string): EvidenceFiles {
  const bytes = readBounded(path);
  try {
    return unpack(bytes);
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new CommandFailure(`${path} is not an evidence file: ${error.message}`, 1, {
      code: 'ARCHIVE_INVALID',
    });
  }
}

function readBounded(path: string): Buffer {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    if (size <= EVIDENCE_ARCHIVE_BYTES_MAX) return readFileSync(file);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  } finally {
    if (file !== null) closeSync(file);
  }
  const most = `${EVIDENCE_ARCHIVE_BYTES_MAX / 1_048_576} MiB`;
  throw new CommandFailure(`${path} is not an evidence file: it is larger than ${most}`, 1, {
    code: 'ARCHIVE_INVALID',
  });
}

/** Exported for tests. @throws Damaged */
export function unpack(bytes: Buffer): EvidenceFiles {
  const { entries, directory } = entriesOf(bytes);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = 0;
  for (const entry of entries) {
    if (entry.offset !== at) throw new Damaged('it has bytes that belong to no file');
    at = dataOf(bytes, entry) + entry.packed;
    if (at > directory) throw new Damaged('a file overlaps the directory');
    files.set(entry.name, contentOf(bytes.subarray(at - entry.packed, at), entry));
  }
  if (at !== directory) throw new Damaged('it has bytes that belong to no file');
  return files;
}

/** The directory, in the order of the files, with every bound checked. */
function entriesOf(bytes: Buffer): { readonly entries: readonly Entry[]; readonly directory: number } {
  const end = bytes.length - END.bytes;
  if (end < 0 || bytes.readUInt32LE(end) !== END.signature)
    throw new Damaged('its end is missing: it is not a ZIP archive, or was cut off');
  const [disk, other, onDisk, count] = [4, 6, 8, 10].map((place) => bytes.readUInt16LE(end + place)) as [
    number,
    number,
    number,
    number,
  ];
  const size = bytes.readUInt32LE(end + 12);
  const directory = bytes.readUInt32LE(end + 16);
  if (disk !== 0 || other !== 0 || onDisk !== count || bytes.readUInt16LE(end + 20) !== 0)
    throw new Damaged('its end is damaged');
  if (count > FILES_MAX) throw new Damaged(`it has more than ${FILES_MAX} files`);
  if (directory + size !== end) throw new Damaged('its directory is damaged');
  const entries: Entry[] = [];
  let at = directory;
  for (let index = 0; index < count; index++) {
    const { entry, next } = entryAt(bytes, at, end);
    if (entries.some(({ name }) => name === entry.name)) throw new Damaged('it contains a file twice');
    entries.push(entry);
    at = next;
  }
  if (at !== end) throw new Damaged('its directory is damaged');
  if (entries.reduce((sum, entry) => sum + entry.size, 0) > EVIDENCE_BYTES_MAX + OVERHEAD_BYTES)
    throw new Damaged('its files are larger than an evidence file can be');
  return { entries, directory };
}

function entryAt(bytes: Buffer, at: number, end: number): { readonly entry: Entry; readonly next: number } {
  if (at + CENTRAL.bytes > end || bytes.readUInt32LE(at) !== CENTRAL.signature)
    throw new Damaged('its directory is damaged');
  const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
  const [nameSize, extraSize, commentSize] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place)) as [
    number,
    number,
    number,
  ];
  const next = at + CENTRAL.bytes + nameSize + extraSize + commentSize;
  if (next > end) throw new Damaged('its directory is damaged');
  if ((flags & ~UTF8_FLAG) !== 0) throw new Damaged('a file is encrypted, or was written in a stream');
  if (method !== STORED && method !== DEFLATED)
    throw new Damaged('a file is packed with an unsupported method');
  const name = bytes.toString('latin1', at + CENTRAL.bytes, at + CENTRAL.bytes + nameSize);
  const isFile = name === MANIFEST_FILE || name === SIGNATURE_FILE || PART_NAME.test(name);
  if (!isFile)
    throw new Damaged('it has a file whose name is not that of a part, such as a file in a folder');
  const extra = bytes.subarray(next - commentSize - extraSize, next - commentSize);
  if (commentSize > 0 || !isHarmless(extra))
    throw new Damaged(`${name} has a comment or an unexpected extra field`);
  const [crc, packed, size] = [16, 20, 24].map((place) => bytes.readUInt32LE(at + place)) as [
    number,
    number,
    number,
  ];
  const offset = bytes.readUInt32LE(at + 42);
  return { entry: { name, method, crc, packed, size, offset }, next };
}

/** Whether the extra fields are harmless. Others give a file another name or size in some tools, or hold unsigned bytes. */
function isHarmless(extra: Buffer): boolean {
  let at = 0;
  while (at + 4 <= extra.length && EXTRA_FIELDS.includes(extra.readUInt16LE(at)))
    at += 4 + extra.readUInt16LE(at + 2);
  return at === extra.length;
}

/** The offset of the content of a file. The header of the file must match the directory. */
function dataOf(bytes: Buffer, { name, method, crc, packed, size, offset }: Entry): number {
  if (offset + LOCAL.bytes > bytes.length || bytes.readUInt32LE(offset) !== LOCAL.signature)
    throw new Damaged(`${name} has no header`);
  const [nameSize, extraSize] = [bytes.readUInt16LE(offset + 26), bytes.readUInt16LE(offset + 28)];
  const own = bytes.toString('latin1', offset + LOCAL.bytes, offset + LOCAL.bytes + nameSize);
  const isSame =
    (bytes.readUInt16LE(offset + 6) & ~UTF8_FLAG) === 0 &&
    bytes.readUInt16LE(offset + 8) === method &&
    bytes.readUInt32LE(offset + 14) === crc &&
    bytes.readUInt32LE(offset + 18) === packed &&
    bytes.readUInt32LE(offset + 22) === size &&
    own === name;
  if (!isSame) throw new Damaged(`the header of ${name} contradicts the directory`);
  const start = offset + LOCAL.bytes + nameSize + extraSize;
  if (start > bytes.length || !isHarmless(bytes.subarray(start - extraSize, start)))
    throw new Damaged(`${name} has an unexpected extra field`);
  return start;
}

/** Unpacks at most as many bytes as the directory says. */
function contentOf(packed: Buffer, { name, method, crc, size }: Entry): Uint8Array<ArrayBuffer> {
  const content = method === STORED ? packed : inflated(packed, name, size);
  if (content.length !== size) throw new Damaged(`${name} has a different size than the directory says`);
  if (crc32(content) !== crc) throw new Damaged(`${name} is damaged: its checksum is wrong`);
  return Uint8Array.from(content);
}

function inflated(packed: Buffer, name: string, size: number): Buffer {
  try {
    const options = { maxOutputLength: Math.max(1, size), info: true } as const;
    const { buffer, engine } = inflateRawSync(packed, options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    if (engine.bytesWritten === packed.length) return buffer;
  } catch {
    // Throw below.
  }
  throw new Damaged(`${name} cannot be unpacked`);
}
