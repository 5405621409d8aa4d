/** `evidence verify` and `show`: the golden file is proven, and no forgery of it passes. */
import '../support/workspace.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packArchive, readArchive } from '../../../cli/evidence-archive.ts';
import type { AuditRecord } from '../../../shared/audit.ts';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../../shared/evidence-file/manifest.ts';
import { EVIDENCE_STEPS } from '../../../shared/evidence-file/steps.ts';
import { newSignerKey, openSigner, openVerifier } from '../../../shared/signed-note.ts';
import { numgate } from '../support/command.ts';
import {
  CASE,
  CHECKPOINT_KEY,
  edit,
  FORGER,
  forged,
  JWKS,
  LOG,
  type Proofs,
  TRUST,
  verdictOf,
} from '../support/evidence.ts';
import { SECRETS, write } from '../support/workspace.ts';

const KEYS = ['--jwks', JWKS, '--checkpoint-key', CHECKPOINT_KEY];

describe('the golden file', () => {
  it('verifies in every step, without a service', async () => {
    const { code, out } = await numgate('evidence', 'verify', CASE, ...KEYS);
    expect(code).toBe(0);
    for (const step of EVIDENCE_STEPS) expect(out).toMatch(new RegExp(`✓.*${step} `));
    const { out: json } = await numgate('evidence', 'verify', CASE, ...KEYS, '--json');
    expect(JSON.parse(json)).toMatchObject({ ok: true, signer: 'given', manifest: { mock: false } });
  });

  it('has every record of an export that names the sender', async () => {
    const { code, out } = await numgate('evidence', 'verify', CASE, ...KEYS, '--log', LOG);
    expect([code, out]).toEqual([0, expect.stringMatching(/complete .*has all 3 records/)]);
  });

  it('is not shown to be complete by an export that lacks records of the log', async () => {
    const lines = readFileSync(LOG, 'utf8').trimEnd().split('\n');
    const { n } = JSON.parse(lines.at(-2)!) as AuditRecord;
    const verify = async (...parts: string[][]): Promise<[number | null, string]> => {
      const paths = parts.map((part, index) => write(`log-${index}.ndjson`, part.join('\n')));
      const { code, out } = await numgate('evidence', 'verify', CASE, ...KEYS, '--log', ...paths);
      return [code, out.split('\n').find((line) => line.includes('complete '))!];
    };
    const lacks = (record: number) => [
      1,
      expect.stringMatching(new RegExp(`✗.*the export lacks record ${record},`)),
    ];
    // The last record is that the file was made. It comes after the tree of the file.
    expect(await verify(lines.slice(0, -1))).toEqual([0, expect.stringContaining('✓')]);
    expect(await verify(lines.slice(0, -2))).toEqual(lacks(n));
    expect(await verify(lines.slice(0, 5), lines.slice(6))).toEqual(lacks(6));
    // Records may come in any order, and twice.
    expect(await verify(lines.slice(4), lines.slice(0, 6))).toEqual([0, expect.stringContaining('✓')]);
  });

  it('lacks a record that the export has, if somebody left it out', async () => {
    const files = await forged((texts) => {
      const lines = texts['log.ndjson']!.split('\n');
      const at = lines.findIndex((line) => line.includes('"entries.block"'));
      const { n } = JSON.parse(lines[at]!) as AuditRecord;
      texts['log.ndjson'] = lines.filter((_, index) => index !== at).join('\n');
      edit<Proofs>(texts, 'proofs.json', (proofs) => {
        proofs.log = proofs.log.filter((each) => each.n !== n);
      });
    });
    // The file alone cannot show the missing record.
    expect(await verdictOf(files)).toBe('ok');
    const path = write('short.zip', packArchive(files));
    const jwks = write('forger.json', JSON.stringify({ keys: [FORGER] }));
    const options = ['--jwks', jwks, '--checkpoint-key', CHECKPOINT_KEY, '--log', LOG];
    const { code, out } = await numgate('evidence', 'verify', path, ...options);
    expect([code, out]).toEqual([1, expect.stringMatching(/✗.*complete .*lacks record \d+/)]);
  });

  it('names its numbers as LIST_KEY does, and another key does not', async () => {
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    expect(await numgate('evidence', 'verify', CASE, ...KEYS, '--list-key')).toMatchObject({ code: 0 });
    process.env.LIST_KEY = Buffer.alloc(32, 9).toString('base64');
    const { code, out } = await numgate('evidence', 'verify', CASE, ...KEYS, '--list-key');
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    expect([code, out]).toEqual([1, expect.stringContaining('LIST_KEY has been rotated since')]);
  });

  it('is shown without being verified', async () => {
    const { code, out } = await numgate('evidence', 'show', CASE);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('not verified: verify it with npx numgate evidence verify'),
    ]);
    expect(out).toContain('case 117');
  });
});

describe('the keys', () => {
  it('must be given, or left to the archive on purpose', async () => {
    expect(await numgate('evidence', 'verify', CASE)).toMatchObject({ code: 2 });
    expect(await numgate('evidence', 'verify', CASE, '--jwks', JWKS)).toMatchObject({ code: 2 });
    expect(await numgate('evidence', 'verify', CASE, '--jwks', JWKS, '--checkpoint-key', 'x')).toMatchObject({
      ...{ code: 2, errors: expect.stringContaining('--checkpoint-key must be a key') },
    });
    const { code, out } = await numgate('evidence', 'verify', CASE, '--any-signer');
    expect([code, out]).toEqual([0, expect.stringContaining('the signer is not verified')]);
    expect(await numgate('evidence', 'verify', CASE, ...KEYS, '--any-signer')).toMatchObject({ code: 2 });
  });

  it('of another installation did not sign it', async () => {
    const files = readArchive(CASE);
    expect(await verdictOf(files, { ...TRUST, jwks: [FORGER] })).toBe('signature SIGNER_OTHER');
    expect(await verdictOf(files, { ...TRUST, jwks: [{ ...FORGER, kid: TRUST.jwks[0]!.kid! }] })).toBe(
      'signature SIGNATURE_INVALID',
    );
    const other = (await openSigner((await newSignerKey('numgate.example/test'))!))!;
    const checkpointKeys = [(await openVerifier(other.verifierKey))!];
    expect(await verdictOf(files, { ...TRUST, checkpointKeys })).toBe('checkpoint SIGNER_OTHER');
  });

  it('of a forger sign another manifest, which the given keys do not', async () => {
    expect(await verdictOf(await forged(() => undefined), TRUST)).toBe('signature SIGNER_OTHER');
    // Control case: a verifier that trusts the forger accepts the file.
    expect(await verdictOf(await forged(() => undefined))).toBe('ok');
  });
});

describe('without the key of the service', () => {
  it.each([...readArchive(CASE).keys()])('no byte of %s can be altered', async (name) => {
    const golden = new Map(readArchive(CASE));
    const content = golden.get(name)!;
    // Alter the first and the last byte, and one byte of each value that the part contains.
    const places = new Map([...content].map((byte, at) => [byte, at] as const));
    for (const at of new Set([0, content.length - 1, ...places.values()])) {
      const altered = Uint8Array.from(content);
      altered[at]! ^= 1;
      expect(await verdictOf(new Map([...golden, [name, altered]]), TRUST)).not.toBe('ok');
    }
    for (const length of [0, content.length - 1])
      expect(await verdictOf(new Map([...golden, [name, content.slice(0, length)]]), TRUST)).not.toBe('ok');
    expect(await verdictOf(new Map([...golden, [name, Uint8Array.from([...content, 10])]]), TRUST)).not.toBe(
      'ok',
    );
    golden.delete(name);
    expect(await verdictOf(golden, TRUST)).not.toBe('ok');
  });

  it('the signature has one spelling: the bits that its last character has to spare are part of it', async () => {
    const golden = readArchive(CASE);
    const signature = golden.get(SIGNATURE_FILE)!;
    for (let bits = 1; bits < 128; bits++) {
      const altered = Uint8Array.from(signature);
      altered[altered.length - 1]! ^= bits;
      expect(await verdictOf(new Map([...golden, [SIGNATURE_FILE, altered]]), TRUST)).not.toBe('ok');
    }
  });

  it('no part can be added, and no two swapped', async () => {
    const golden = readArchive(CASE);
    const added = new Map([...golden, ['more.json', new Uint8Array(1)]]);
    expect(await verdictOf(added, TRUST)).toBe('parts PART_ADDED');
    const [one, other] = [golden.get('blocks.json')!, golden.get('reports.json')!];
    const swapped = new Map([...golden, ['blocks.json', other], ['reports.json', one]] as const);
    expect(await verdictOf(swapped, TRUST)).toBe('parts PART_ALTERED');
  });

  it('neither manifest nor signature of another file fits', async () => {
    const golden = readArchive(CASE);
    const other = await forged((_, manifest) => {
      manifest.reason = 'another case';
    });
    for (const name of [MANIFEST_FILE, SIGNATURE_FILE])
      expect(await verdictOf(new Map([...golden, [name, other.get(name)!]]), TRUST)).not.toBe('ok');
  });
});

it('an archive that is no evidence file fails with its reason', async () => {
  const path = write('broken.zip', readFileSync(CASE).subarray(0, 5_000));
  const { code, errors } = await numgate('evidence', 'verify', path, ...KEYS);
  expect([code, errors]).toEqual([1, expect.stringContaining('is not an evidence file: its end is missing')]);
  expect(await numgate('evidence', 'show', 'none.zip')).toMatchObject({ code: 1 });
});
