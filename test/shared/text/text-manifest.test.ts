/** The signed manifest of a text release, and the index. A document that is not signed or has another form is refused. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../shared/bytes.ts';
import { TEXT_MANIFEST_CHARS_MAX } from '../../../shared/limits/text.ts';
import { signManifest } from '../../../shared/release/manifest.ts';
import { ANY_OWNER, type SignedText, signText } from '../../../shared/release/signed.ts';
import { seal } from '../../../shared/set/seal.ts';
import { openTextIndex, sealTextIndex, type TextIndex } from '../../../shared/text/text-index.ts';
import {
  openTextManifest,
  signTextManifest,
  type TextManifest,
  textValuesOf,
} from '../../../shared/text/text-manifest.ts';
import { otherKeys } from '../support/other-keys.ts';
import { testKeys } from '../support/test-keys.ts';

const PURPOSE = 'numgate-text\n';
const AT = '2026-11-27T00:00:00Z';
const named = (digit: string) => ({ key: `text/${digit.repeat(32)}`, sha256: digit.repeat(64) });
const manifest: TextManifest = {
  ...{ kind: 'numgate-text', format: 1, release: 'text-20261127T0000Z-0123abcd', base: null, createdAt: AT },
  model: {
    ...{ value: named('a'), name: 'kr-1', bits: 16, thresholds: { review: 0.8, suspicious: 0.99 } },
    trained: { spam: 10, legitimate: 20, from: AT, to: null },
    domains: [{ domain: 'reviews', texts: 5_000, review: 5, suspicious: 0 }],
    spam: { texts: 100, review: 90, suspicious: 80 },
  },
  hosts: {
    ...{ value: named('b'), count: 3 },
    lists: [{ name: 'kr-hosts', effect: 'block', authority: 'kisa', asOf: AT, hosts: 3 }],
  },
  canaryTexts: { texts: 10, blocked: 0, suspicious: 0 },
};

const newKey = async (): Promise<CryptoKeyPair> =>
  (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
const [ours, theirs] = [await newKey(), await newKey()];
const trusted = [{ key: ours.publicKey, owner: ANY_OWNER, id: '1' }];
const signAny = (document: object): Promise<SignedText> =>
  signText(PURPOSE + JSON.stringify(document), ours.privateKey);

async function codeOf(envelope: SignedText | Promise<SignedText>): Promise<string> {
  const opened = await openTextManifest(await envelope, trusted);
  return opened.ok ? 'opened' : opened.code;
}

describe('the manifest of a text release', () => {
  it('opens to what was signed, without fields that are not known', async () => {
    const opened = await openTextManifest(await signAny({ ...manifest, later: 1 }), trusted);
    expect(opened).toEqual({ ok: true, value: manifest });
  });

  it('names its values', () => {
    expect(textValuesOf(manifest)).toEqual([named('a'), named('b')]);
    expect(textValuesOf({ ...manifest, model: null, hosts: null })).toEqual([]);
  });

  it.each<[string, () => Promise<SignedText>]>([
    ['another key signed', () => signTextManifest(manifest, theirs.privateKey)],
    [
      'was altered',
      async () => {
        const envelope = await signTextManifest(manifest, ours.privateKey);
        return { ...envelope, signed: envelope.signed.replace('"count":3', '"count":4') };
      },
    ],
    [
      'was truncated',
      async () => {
        const envelope = await signTextManifest(manifest, ours.privateKey);
        return { ...envelope, signed: envelope.signed.slice(0, -1) };
      },
    ],
    ['was signed for another purpose', () => signText(JSON.stringify(manifest), ours.privateKey)],
    ['is that of a release of lists', () => signManifest({} as never, ours.privateKey)],
  ])('is refused if it %s', async (_what, envelope) => {
    expect(await codeOf(envelope())).toBe('SIGNATURE_INVALID');
  });

  it.each<[string, object]>([
    ['another kind', { kind: 'numgate-text-index' }],
    ['another format', { format: 2 }],
    ['another form of name', { release: 'text-1' }],
    ['too many bits', { model: { ...manifest.model, bits: 19 } }],
    [
      'thresholds in the wrong order',
      { model: { ...manifest.model, thresholds: { review: 0.9, suspicious: 0.8 } } },
    ],
    ['too many hosts', { hosts: { ...manifest.hosts, count: 80_001 } }],
    ['too many lists', { hosts: { ...manifest.hosts, lists: Array(17).fill(manifest.hosts!.lists[0]) } }],
    [
      'an unknown effect',
      { hosts: { ...manifest.hosts, lists: [{ ...manifest.hosts!.lists[0], effect: 'drop' }] } },
    ],
    ['more characters than fit', { later: 'x'.repeat(TEXT_MANIFEST_CHARS_MAX) }],
  ])('is refused with %s', async (_what, change) => {
    expect(await codeOf(signAny({ ...manifest, ...change }))).toBe('MANIFEST_INVALID');
  });

  it('is refused if it is no JSON', async () => {
    expect(await codeOf(signText(`${PURPOSE}{`, ours.privateKey))).toBe('MANIFEST_INVALID');
  });
});

describe('the index of text risk', () => {
  const index = async (): Promise<TextIndex> => ({
    ...{ kind: 'numgate-text-index', format: 1, version: 7, campaigns: named('c') },
    current: await signTextManifest(manifest, ours.privateKey),
    candidate: null,
  });

  it('opens to what was sealed', async () => {
    const written = await index();
    expect(await openTextIndex(await sealTextIndex(written, testKeys), testKeys)).toEqual(written);
  });

  it('does not open with another key, or if a byte is altered or missing', async () => {
    const bytes = await sealTextIndex(await index(), testKeys);
    expect(await openTextIndex(bytes, otherKeys)).toBeNull();
    for (const at of [0, 20, bytes.length - 1]) {
      const altered = Uint8Array.from(bytes);
      altered[at]! ^= 1;
      expect(await openTextIndex(altered, testKeys)).toBeNull();
      expect(await openTextIndex(bytes.slice(0, at), testKeys)).toBeNull();
    }
  });

  it.each([
    ['no JSON', '{'],
    [
      'another format',
      '{"kind":"numgate-text-index","format":2,"version":1,"current":null,"candidate":null,"campaigns":null}',
    ],
    [
      'a field missing',
      '{"kind":"numgate-text-index","format":1,"version":1,"current":null,"candidate":null}',
    ],
  ])('is refused if its content is %s', async (_what, content) => {
    expect(await openTextIndex(await seal(utf8(content), testKeys), testKeys)).toBeNull();
  });
});
