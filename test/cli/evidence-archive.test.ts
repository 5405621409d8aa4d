/** Archives of evidence files: the archives that numgate writes are read, and all others are refused. */
import './support/workspace.ts';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { packArchive, readArchive } from '../../cli/evidence-archive.ts';
import { EVIDENCE_ARCHIVE_BYTES_MAX, EVIDENCE_BYTES_MAX } from '../../shared/limits/evidence-files.ts';
import { CASE } from './support/evidence.ts';
import { FOLDER, write } from './support/workspace.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const FILES = new Map([
  ['manifest.json', bytes('{}')],
  ['manifest.jws', bytes('a.b.c')],
  ['empty.json', new Uint8Array(0)],
  ['log.ndjson', bytes('{"n":1}\n'.repeat(1_000))],
]);

/** Why an archive is refused; null if it is accepted. */
function refusal(archive: Uint8Array): string | null {
  try {
    readArchive(write('case.zip', archive));
    return null;
  } catch (error) {
    return (error as Error).message.replace(/^.*evidence file: /, '');
  }
}

it('an archive is read as it was written, and the same files give the same bytes', () => {
  const archive = packArchive(FILES);
  expect(readArchive(write('case.zip', archive))).toEqual(FILES);
  expect(packArchive(FILES)).toEqual(archive);
});

it('the golden archive is packed as this version packs it', () => {
  const files = readArchive(CASE);
  expect(readArchive(write('again.zip', packArchive(files)))).toEqual(files);
});

it('no truncation is read', () => {
  const archive = packArchive(FILES);
  for (let length = 0; length < archive.length; length++)
    expect(refusal(archive.subarray(0, length))).not.toBeNull();
});

it('a flipped bit gives the same files, or is refused', () => {
  const archive = packArchive(FILES);
  let refused = 0;
  for (let at = 0; at < archive.length; at++) {
    const altered = Uint8Array.from(archive);
    altered[at]! ^= 1 << (at % 8);
    try {
      // Times and attributes have no meaning here, so their bits may change.
      expect(readArchive(write('case.zip', altered))).toEqual(FILES);
    } catch (error) {
      expect((error as Error).message).toContain('is not an evidence file: ');
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(archive.length / 2);
});

describe('an archive is refused', () => {
  const one = (name: string, content: Uint8Array = bytes('x')) => zipSync({ [name]: content });
  const PATHS = [
    '../x.json',
    '/etc/x.json',
    'a/b.json',
    'a\\b.json',
    '.hidden',
    'a..b',
    'C:x',
    'a\u0000b',
    'é.json',
  ];

  it.each(PATHS)('with a file named %s', (name) => {
    expect(refusal(one(name))).toMatch(/name is not that of a part|written in a stream/);
  });

  it('with a file twice', () => {
    const archive = Buffer.from(zipSync({ 'aa.json': bytes('1'), 'ab.json': bytes('2') }));
    for (let at = archive.indexOf('ab.json'); at !== -1; at = archive.indexOf('ab.json'))
      archive.write('aa.json', at);
    expect(refusal(archive)).toBe('it contains a file twice');
  });

  it('with bytes before, between or after its files', () => {
    const archive = packArchive(FILES);
    expect(refusal(Buffer.concat([Buffer.from('x'), archive]))).not.toBeNull();
    expect(refusal(Buffer.concat([archive, Buffer.from('x')]))).not.toBeNull();
    expect(refusal(Buffer.concat([archive, archive]))).not.toBeNull();
  });

  it('with another name in an extra field, which some tools take for the name of the file', () => {
    const extra = (id: number) =>
      zipSync({ 'blocks.json': [bytes('x'), { extra: { [id]: bytes('\x01\0\0\0\0appeals.json') } }] });
    // A Unicode path, ZIP64, and an unknown field.
    for (const id of [0x7075, 0x0001, 0x9999]) expect(refusal(extra(id))).toContain('extra field');
    expect(refusal(extra(0x5455))).toBeNull();
  });

  it('with a comment', () => {
    expect(refusal(zipSync({ 'x.json': [bytes('x'), { comment: 'withdrawn' }] }))).toContain('comment');
  });

  it('with too many files', () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`p${index}.json`, bytes('x')]));
    expect(refusal(zipSync(many))).toBe('it has more than 66 files');
  });

  it('with files that unpack to more than a file may have, before anything is unpacked', () => {
    const archive = Buffer.from(one('big.json', new Uint8Array(EVIDENCE_BYTES_MAX + 2_000_000)));
    expect(archive.length).toBeLessThan(100_000);
    expect(refusal(archive)).toBe('its files are larger than an evidence file can be');
  });

  it('with a file that unpacks to more than it says', () => {
    const archive = Buffer.from(one('big.json', new Uint8Array(1_000_000)));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(1_000_000);
    for (let at = archive.indexOf(size); at !== -1; at = archive.indexOf(size)) archive.writeUInt32LE(10, at);
    expect(refusal(archive)).toBe('big.json cannot be unpacked');
  });

  it('with files that share their bytes', () => {
    const archive = Buffer.from(
      zipSync({ 'aa.json': bytes('same'), 'ab.json': bytes('same') }, { level: 0 }),
    );
    const directory = archive.readUInt32LE(archive.length - 6);
    // The second entry of the directory points to the first file.
    const second = archive.indexOf(Buffer.from('ab.json'), directory) - 46;
    archive.writeUInt32LE(0, second + 42);
    expect(refusal(archive)).not.toBeNull();
  });

  it('that is larger than any, without reading it', () => {
    const path = join(FOLDER, 'huge.zip');
    writeFileSync(path, '');
    truncateSync(path, EVIDENCE_ARCHIVE_BYTES_MAX + 1);
    expect(() => readArchive(path)).toThrow('it is larger than 33 MiB');
  });
});
