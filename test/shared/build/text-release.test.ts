/** Text releases: their limits, and equal bytes for equal content. */
import { describe, expect, it } from 'vitest';
import {
  buildTextRelease,
  encodeHostLists,
  type HostListSource,
  type TextReleaseParts,
} from '../../../shared/build/text-release.ts';
import { HOST_LISTS_MAX, HOST_TABLE_BYTES_MAX, HOSTS_MAX } from '../../../shared/limits/text.ts';
import { textKey } from '../../../shared/release/kv-keys.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { unseal } from '../../../shared/set/seal.ts';
import { HostTable } from '../../../shared/text/host-table.ts';
import { encodeModel } from '../../../shared/text/model.ts';

const keys = await deriveListKeys(Uint8Array.from({ length: 32 }, (_, index) => index));
const TIMES = { base: null, createdAt: new Date('2026-11-27T05:00:00Z') };
const source = (name: string, hosts: readonly string[]): HostListSource => ({
  info: { name, effect: 'block', authority: 'kisa', asOf: '2026-11-27T00:00:00Z' },
  hosts,
});
const encoded = (...sources: readonly HostListSource[]) => {
  const result = encodeHostLists(sources);
  if (!result.ok) throw new Error(result.message);
  return result.value;
};
const built = async (parts: Partial<TextReleaseParts>) => {
  const result = await buildTextRelease(
    { model: null, hosts: null, canaryTexts: null, ...parts },
    keys,
    TIMES,
  );
  if (!result.ok) throw new Error(result.message);
  return result.value;
};
const facts = {
  ...{ name: 'tested', bits: 12, thresholds: { review: 0.5, suspicious: 0.9 }, domains: [] },
  trained: { spam: 1, legitimate: 1, from: null, to: null },
  spam: { texts: 1, review: 1, suspicious: 1 },
};
const model = { facts, bytes: encodeModel({ bits: 12, bias: 0, scale: 1 }, new Int8Array(4096)) };

describe('a text release', () => {
  it('names its sealed values by their content', async () => {
    const hosts = encoded(source('a', ['x.example', 'y.example']), source('b', ['x.example']));
    const { manifest, values } = await built({ model, hosts });
    expect([...values.keys()]).toEqual([manifest.model!.value.key, manifest.hosts!.value.key]);
    for (const { key, sha256 } of [manifest.model!.value, manifest.hosts!.value])
      expect(key).toBe(textKey(sha256));
    const table = new HostTable((await unseal(values.get(manifest.hosts!.value.key)!, keys))!, 2);
    expect([manifest.hosts!.count, [...table.rows()].map(({ host, list }) => `${host} ${list}`)]).toEqual([
      3,
      ['x.example 0', 'x.example 1', 'y.example 0'],
    ]);
    expect(await unseal(values.get(manifest.model!.value.key)!, keys)).toEqual(model.bytes);
  });

  it('is the same for the same content, keys and times, whatever the order of hosts', async () => {
    const one = await built({ hosts: encoded(source('a', ['x.example', 'y.example'])) });
    const two = await built({ hosts: encoded(source('a', ['y.example', 'x.example'])) });
    expect(two).toEqual(one);
    const other = await built({ hosts: encoded(source('a', ['x.example'])) });
    expect(other.manifest.release).not.toBe(one.manifest.release);
    const canaryTexts = { texts: 1, blocked: 0, suspicious: 0 };
    const tried = await built({ hosts: encoded(source('a', ['x.example', 'y.example'])), canaryTexts });
    expect([...tried.values.keys()]).toEqual([...one.values.keys()]);
    expect(tried.manifest.release).not.toBe(one.manifest.release);
  });

  it('needs a model or a host list', async () => {
    const empty = { model: null, hosts: null, canaryTexts: null };
    expect(await buildTextRelease(empty, keys, TIMES)).toMatchObject({ ok: false, code: 'RELEASE_EMPTY' });
    expect(encoded()).toBeNull();
  });

  it('has bounds for lists, hosts and bytes', () => {
    const problem = (sources: readonly HostListSource[]) => {
      const result = encodeHostLists(sources);
      return result.ok ? null : [result.code, result.message];
    };
    const many = Array.from({ length: HOSTS_MAX + 1 }, (_, index) => `${index}.example`);
    const long = many.map((host) => `${'a'.repeat(20)}-${host}`).slice(0, HOSTS_MAX);
    expect(
      problem(Array.from({ length: HOST_LISTS_MAX + 1 }, (_, index) => source(`l${index}`, []))),
    ).toEqual(['LIMIT_EXCEEDED', '17 host lists; a text release has at most 16']);
    expect(problem([source('a', many)])).toEqual([
      'LIMIT_EXCEEDED',
      '80001 hosts in all lists; a text release has at most 80000',
    ]);
    expect(problem([source('a', long)])?.[1]).toMatch(
      new RegExp(`^the hosts take \\d+ bytes; a text release has at most ${HOST_TABLE_BYTES_MAX}$`),
    );
    expect(problem([source('a', many.slice(1))])).toBeNull();
  });
});
