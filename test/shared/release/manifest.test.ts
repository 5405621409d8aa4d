/**
 * The signed manifest. Each problem has its own code, and nothing is read from a manifest without a trusted
 * signature.
 */
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../../shared/bytes.ts';
import { blobsOf, type Manifest, openManifest, signManifest } from '../../../shared/release/manifest.ts';
import { ANY_OWNER, type SignedText, signText } from '../../../shared/release/signed.ts';
import { build } from '../support/built-release.ts';
import { EVER, plainList } from '../support/plain-model.ts';
import { testKeys } from '../support/test-keys.ts';

async function keyPair(): Promise<CryptoKeyPair> {
  // The type covers all algorithms. Ed25519 always gives a pair.
  return (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
}

const [ours, theirs] = [await keyPair(), await keyPair()];
const { manifest } = await build([
  plainList('one', {
    numbers: [{ n: 821_012_345_678, ...EVER }],
    ranges: [{ from: 5, to: 9, ...EVER }],
    sources: [{ text: 'a', ...EVER }],
  }),
]);

const open = (
  envelope: SignedText,
  keys: readonly CryptoKey[] = [ours.publicKey],
): ReturnType<typeof openManifest> => {
  const trusted = keys.map((key, index) => ({ key, owner: ANY_OWNER, id: String(index) }));
  return openManifest(envelope, trusted, [testKeys.keyId]);
};

/** Signs any document, as an attacker with our key or a newer builder could. */
const signAnything = (signed: string): Promise<SignedText> => signText(signed, ours.privateKey);
const signDocument = (document: object): Promise<SignedText> => signAnything(JSON.stringify(document));

/** The code of the refusal, or 'opened'. */
async function codeOf(envelope: SignedText | Promise<SignedText>): Promise<string> {
  const opened = await open(await envelope);
  return opened.ok ? 'opened' : opened.code;
}

describe('a signed manifest', () => {
  it('opens to what was signed', async () => {
    const opened = await open(await signManifest(manifest, ours.privateKey));
    expect(opened).toEqual({ ok: true, value: manifest });
  });

  it('opens if any of the trusted keys signed it', async () => {
    const envelope = await signManifest(manifest, ours.privateKey);
    expect((await open(envelope, [theirs.publicKey, ours.publicKey])).ok).toBe(true);
  });

  it('names all values of the release', () => {
    expect(blobsOf(manifest)).toHaveLength(manifest.shards.length + 2);
    expect(blobsOf({ ...manifest, ranges: null, sources: null })).toHaveLength(manifest.shards.length);
  });
});

describe('SIGNATURE_INVALID', () => {
  it('is the problem of a manifest without a signature, or with one of another length', async () => {
    const { signed, signature } = await signManifest(manifest, ours.privateKey);
    for (const wrong of [
      '',
      'no base64!',
      toBase64(new Uint8Array(64)),
      signature.slice(0, 40),
      signature + signature,
    ]) {
      expect(await codeOf({ signed, signature: wrong })).toBe('SIGNATURE_INVALID');
    }
  });

  it('is the problem of a manifest that no trusted key signed', async () => {
    expect(await codeOf(signManifest(manifest, theirs.privateKey))).toBe('SIGNATURE_INVALID');
    const opened = await open(await signManifest(manifest, ours.privateKey), []);
    expect(opened).toMatchObject({ ok: false, code: 'SIGNATURE_INVALID' });
  });

  it('is the problem with any byte of the text or the signature flipped, and at any truncation', async () => {
    const { signed, signature } = await signManifest(manifest, ours.privateKey);
    for (let at = 0; at < signed.length; at += 3) {
      const flipped =
        signed.slice(0, at) + String.fromCharCode(signed.charCodeAt(at) ^ 1) + signed.slice(at + 1);
      expect(await codeOf({ signed: flipped, signature })).toBe('SIGNATURE_INVALID');
      expect(await codeOf({ signed: signed.slice(0, at), signature })).toBe('SIGNATURE_INVALID');
    }
    const bytes = fromBase64(signature)!;
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      expect(await codeOf({ signed, signature: toBase64(flipped) })).toBe('SIGNATURE_INVALID');
    }
  });
});

describe('FORMAT_UNSUPPORTED', () => {
  it.each([0, 1, 99])('is the problem of format %i, whatever else the manifest holds', async (format) => {
    expect(await codeOf(signDocument({ ...manifest, format }))).toBe('FORMAT_UNSUPPORTED');
    expect(await codeOf(signDocument({ format, somethingNew: true }))).toBe('FORMAT_UNSUPPORTED');
  });
});

describe('KEY_FOREIGN', () => {
  it('is the problem of a release that was made with another LIST_KEY', async () => {
    expect(await codeOf(signDocument({ ...manifest, keyId: '0123456789abcdef' }))).toBe('KEY_FOREIGN');
  });
});

describe('a manifest of a later version', () => {
  it('is opened without the fields that this version does not know', async () => {
    const lists = manifest.lists.map((list) => ({ ...list, extra: 1 }));
    const shards = manifest.shards.map((shard) => ({ ...shard, extra: 1 }));
    const signed = await signDocument({ ...manifest, extra: 1, lists, shards });
    expect(await open(signed)).toEqual({ ok: true, value: manifest });
  });
});

describe('MANIFEST_INVALID', () => {
  const shard = manifest.shards[0]!;
  const at = (...starts: number[]): Manifest['shards'] => starts.map((start) => ({ ...shard, start }));

  it.each<[string, string]>([
    ['text that is not JSON', '{"format":1'],
    ['no document', 'null'],
    ['a list instead of a document', '[]'],
  ])('is the problem of %s', async (_, text) => {
    expect(await codeOf(signAnything(text))).toBe('MANIFEST_INVALID');
  });

  it.each<[string, object]>([
    ['a missing field', { ...manifest, foldedSeq: undefined }],
    ['a format that is no number', { ...manifest, format: '1' }],
    ['a reason that is no code', { ...manifest, lists: [{ ...manifest.lists[0], reason: 'WHATEVER' }] }],
    ['a list for no subject', { ...manifest, lists: [{ ...manifest.lists[0], subjects: [] }] }],
    ['a digest of another length', { ...manifest, shards: [{ ...shard, sha256: 'ab' }] }],
    ['slices that do not start at 0', { ...manifest, shards: at(1) }],
    ['slices out of order', { ...manifest, shards: at(0, 200, 100) }],
    ['two slices with one start', { ...manifest, shards: at(0, 100, 100) }],
    ['a slice behind all numbers', { ...manifest, shards: at(0, 1_000_000_000_000_001) }],
    ['a slice that starts between numbers', { ...manifest, shards: at(0, 0.5) }],
    [
      'more lists than the bound',
      { ...manifest, lists: Array.from({ length: 33 }, () => manifest.lists[0]) },
    ],
  ])('is the problem of %s', async (_, document) => {
    expect(await codeOf(signDocument(document))).toBe('MANIFEST_INVALID');
  });
});
