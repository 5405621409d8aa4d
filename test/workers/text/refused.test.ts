/** Text releases that are refused, by code. Nothing of them is stored, and the release in force stays. */
import { describe, expect, test } from 'vitest';
import type { PutTextRelease } from '../../../shared/admin/text.ts';
import { fromBase64, sha256Hex, toBase64, utf8 } from '../../../shared/bytes.ts';
import {
  HOST_TABLE_BYTES_MAX,
  MODEL_BITS_MAX,
  TEXT_MANIFEST_CHARS_MAX,
} from '../../../shared/limits/text.ts';
import { textKey } from '../../../shared/release/kv-keys.ts';
import { signText } from '../../../shared/release/signed.ts';
import { seal, unseal } from '../../../shared/set/seal.ts';
import { signTextManifest, type TextManifest } from '../../../shared/text/text-manifest.ts';
import { otherKeys } from '../../shared/support/other-keys.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import type { BuiltText } from '../../shared/support/text-releases.ts';
import { FOREIGN_PRIVATE_KEY, KTOA_PRIVATE_KEY, RELEASE_PRIVATE_KEY } from '../support/secrets.ts';
import {
  asText,
  namesIn,
  promoted,
  pushed,
  readIndex,
  textRelease,
  textRows,
  texts,
} from '../support/text-store.ts';
import { privateKey } from '../support/world.ts';

const own = await privateKey(RELEASE_PRIVATE_KEY);

/** The same release with another manifest, signed again. */
async function withManifest(
  { manifest, put }: BuiltText,
  change: (manifest: TextManifest) => object,
): Promise<PutTextRelease> {
  return { ...put, manifest: await signTextManifest(change(manifest) as TextManifest, own) };
}

/** The same release with other content of its model, signed again. */
async function withModel(
  built: BuiltText,
  change: (content: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): Promise<PutTextRelease> {
  const { key } = built.manifest.model!.value;
  const content = (await unseal(fromBase64(built.put.values[key]!)!, testKeys))!;
  return replaced(built, key, await seal(change(content), testKeys));
}

/** The same release with another value, which is named by its content. */
async function replaced(
  built: BuiltText,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PutTextRelease> {
  const sha256 = await sha256Hex(bytes);
  const value = { key: textKey(sha256), sha256 };
  const { [key]: _, ...rest } = built.put.values;
  const put = await withManifest(built, ({ model, hosts, ...manifest }) => ({
    ...manifest,
    model: model!.value.key === key ? { ...model, value } : model,
    hosts: hosts!.value.key === key ? { ...hosts, value } : hosts,
  }));
  return { ...put, values: { ...rest, [value.key]: toBase64(bytes) } };
}

const modelKey = ({ manifest }: BuiltText): string => manifest.model!.value.key;
const hostsKey = ({ manifest }: BuiltText): string => manifest.hosts!.value.key;
const truncated = (text: string): string => toBase64(fromBase64(text)!.slice(0, -1));

const CASES: Readonly<
  Record<string, readonly [code: string, (built: BuiltText) => PutTextRelease | Promise<PutTextRelease>]>
> = {
  'an altered manifest': [
    'SIGNATURE_INVALID',
    ({ put }) => ({
      ...put,
      manifest: { ...put.manifest, signed: put.manifest.signed.replace('"phishing"', '"phishinG"') },
    }),
  ],
  'no signature': [
    'SIGNATURE_INVALID',
    ({ put }) => ({ ...put, manifest: { ...put.manifest, signature: '' } }),
  ],
  'a foreign key': [
    'SIGNATURE_INVALID',
    async ({ manifest, put }) => ({
      ...put,
      manifest: await signTextManifest(manifest, await privateKey(FOREIGN_PRIVATE_KEY)),
    }),
  ],
  'the key of an organisation': [
    'SIGNATURE_INVALID',
    async ({ manifest, put }) => ({
      ...put,
      manifest: await signTextManifest(manifest, await privateKey(KTOA_PRIVATE_KEY)),
    }),
  ],
  'another kind of document': [
    'SIGNATURE_INVALID',
    async ({ manifest, put }) => ({ ...put, manifest: await signText(JSON.stringify(manifest), own) }),
  ],
  'another format': [
    'MANIFEST_INVALID',
    (built) => withManifest(built, (manifest) => ({ ...manifest, format: 2 })),
  ],
  'a release of lists by its name': [
    'MANIFEST_INVALID',
    (built) => withManifest(built, (manifest) => ({ ...manifest, release: '20261124T0312Z-9f2c1e4b' })),
  ],
  'a field of another type': [
    'MANIFEST_INVALID',
    (built) => withManifest(built, (manifest) => ({ ...manifest, createdAt: 'yesterday' })),
  ],
  'thresholds in the wrong order': [
    'MANIFEST_INVALID',
    (built) =>
      withManifest(built, ({ model, ...manifest }) => ({
        ...manifest,
        model: { ...model, thresholds: { review: 0.9, suspicious: 0.5 } },
      })),
  ],
  'a manifest that is too long': [
    'MANIFEST_INVALID',
    (built) =>
      withManifest(built, (manifest) => ({ ...manifest, padding: 'x'.repeat(TEXT_MANIFEST_CHARS_MAX) })),
  ],
  'a key that is not that of its content': [
    'MANIFEST_INVALID',
    async (built) => {
      const key = textKey('f'.repeat(64));
      const put = await withManifest(built, ({ model, ...manifest }) => ({
        ...manifest,
        model: { ...model, value: { ...model!.value, key } },
      }));
      const { [modelKey(built)]: value, ...rest } = put.values;
      return { ...put, values: { ...rest, [key]: value! } };
    },
  ],
  'a value too few': [
    'VALUE_MISSING',
    (built) => ({ ...built.put, values: { [modelKey(built)]: built.put.values[modelKey(built)]! } }),
  ],
  'a value too many': [
    'VALUE_UNNAMED',
    ({ put }) => ({ ...put, values: { ...put.values, [textKey('f'.repeat(64))]: 'AAAA' } }),
  ],
  'no base64': [
    'FIELD_VALUE',
    (built) => ({ ...built.put, values: { ...built.put.values, [modelKey(built)]: 'no base64!' } }),
  ],
  'a truncated model': [
    'VALUE_DAMAGED',
    (built) => ({
      ...built.put,
      values: { ...built.put.values, [modelKey(built)]: truncated(built.put.values[modelKey(built)]!) },
    }),
  ],
  'a value of another release': [
    'VALUE_DAMAGED',
    (built) => ({
      ...built.put,
      values: { ...built.put.values, [modelKey(built)]: built.put.values[hostsKey(built)]! },
    }),
  ],
  'values that are too large': [
    'VALUE_TOO_LARGE',
    (built) => ({
      ...built.put,
      values: {
        ...built.put.values,
        [modelKey(built)]: toBase64(new Uint8Array(HOST_TABLE_BYTES_MAX + 1_000)),
      },
    }),
  ],
  'a value in clear': [
    'KEY_FOREIGN',
    (built) => replaced(built, modelKey(built), utf8('a model'.repeat(10))),
  ],
  'another LIST_KEY': ['KEY_FOREIGN', async () => (await textRelease({ keys: otherKeys })).put],
  'a model that ends too early': [
    'VALUE_INVALID',
    (built) => withModel(built, (content) => content.slice(0, -4)),
  ],
  'a model of another format': [
    'VALUE_INVALID',
    (built) => withModel(built, (content) => content.map((byte, at) => (at === 4 ? byte + 1 : byte))),
  ],
  'a model with other bits than it says': [
    'VALUE_INVALID',
    (built) =>
      withManifest(built, ({ model, ...manifest }) => ({
        ...manifest,
        model: { ...model, bits: MODEL_BITS_MAX },
      })),
  ],
  'hosts in place of the model': [
    'VALUE_INVALID',
    (built) =>
      withManifest(built, ({ model, hosts, ...manifest }) => ({
        ...manifest,
        model: { ...model, value: hosts!.value },
        hosts: { ...hosts, value: model!.value },
      })),
  ],
  'more hosts than it says': [
    'VALUE_INVALID',
    (built) =>
      withManifest(built, ({ hosts, ...manifest }) => ({ ...manifest, hosts: { ...hosts, count: 2 } })),
  ],
  'hosts of a list that it does not name': [
    'VALUE_INVALID',
    (built) =>
      withManifest(built, ({ hosts, ...manifest }) => ({ ...manifest, hosts: { ...hosts, lists: [] } })),
  ],
};

describe('a push is refused, and stores nothing', () => {
  test.each(Object.entries(CASES))('%s', async (_, [code, change]) => {
    const built = await textRelease();
    const result = await texts().pushRelease(asText(), await change(built));
    if (result.ok) throw new Error('it was not refused');
    expect(result.extras?.refusal ?? result.code).toBe(code);
    if (code !== 'FIELD_VALUE') expect(result.code).toBe('RELEASE_REFUSED');
    expect(await texts().releases()).toEqual([]);
    for (const table of ['release_values', 'audit', 'sealed_values']) expect(await textRows(table)).toBe(0);
  });
});

test('another release with a name that is taken is refused, and the one in force stays', async () => {
  const built = await pushed();
  await promoted(built.release);
  const other = await withManifest(built, (manifest) => ({
    ...manifest,
    base: 'text-20261123T0312Z-00000000',
  }));
  expect(await texts().pushRelease(asText(), other)).toMatchObject({
    ...{ code: 'RELEASE_REFUSED', extras: { refusal: 'RELEASE_NAME_TAKEN' } },
  });
  expect(namesIn(await readIndex())).toEqual([built.release, null]);
  expect((await readIndex()).current).toEqual(built.put.manifest);
});

test('a message names the key of an organisation, and what to do about LIST_KEY', async () => {
  const messageOf = async (name: string): Promise<string> => {
    const result = await texts().pushRelease(asText(), await CASES[name]![1](await textRelease()));
    return result.ok ? '' : result.message;
  };
  expect(await messageOf('the key of an organisation')).toBe(
    'SIGNATURE_INVALID: it is signed with a key of "ktoa": text releases need a key of the installation',
  );
  expect(await messageOf('another LIST_KEY')).toContain(
    'does not open with the LIST_KEY of the service: build again',
  );
});
