/** The key of reports: made once, the same for ever, and sealed under whatever LIST_KEY has. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { toBase64, toHex } from '../../../shared/bytes.ts';
import { openKeyRing } from '../../../shared/set/key-ring.ts';
import { ReportKey } from '../../../workers/response/report-key.ts';
import { desk, deskStub } from '../support/desk.ts';
import { A, B } from '../support/rotating.ts';
import '../support/fresh.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** Opens the key with this LIST_KEY. @returns the key in hex, or the code of the failure, and what seals it */
function openedWith(listKey: string): Promise<{ readonly key: string; readonly keyIds: readonly string[] }> {
  return runInDurableObject(deskStub(), async (_, { storage }) => {
    const ring = await openKeyRing(listKey);
    if (!ring.ok) throw new Error(ring.message);
    const key = new ReportKey(storage.sql);
    const opened = await key.open(ring.value);
    return { key: opened.ok ? toHex(opened.value) : opened.code, keyIds: key.keyIds };
  });
}

async function idOf(listKey: string): Promise<string> {
  const ring = await openKeyRing(listKey);
  return ring.ok ? ring.value.writer.keyId : '';
}

test('it survives a rotation of LIST_KEY in both directions', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  await evictDurableObject(deskStub());
  expect(toHex(new Uint8Array(await desk().reportKey()))).toBe(key);
  const [a, b] = [await idOf(A), await idOf(B)];
  expect((await desk().status()).keyIds).toEqual([a]);
  // The old key stays good until the new one is alone.
  for (const listKey of [`${A},${B}`, `${B},${A}`])
    expect(await openedWith(listKey)).toEqual({ key, keyIds: [a, b].sort() });
  expect(await openedWith(A)).toEqual({ key, keyIds: [a] });
  expect(await openedWith(`${B},${A}`)).toEqual({ key, keyIds: [a, b].sort() });
  expect(await openedWith(B)).toEqual({ key, keyIds: [b] });
});

test('a key that no key of LIST_KEY opens is lost by name, and is never replaced', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  const other = toBase64(new Uint8Array(32).fill(7));
  expect(await openedWith(other)).toEqual({ key: 'REPORT_KEY_LOST', keyIds: [await idOf(A)] });
  expect(await openedWith(A)).toMatchObject({ key });
});

test('it is stored only sealed', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  const stored = await runInDurableObject(deskStub(), (_, { storage }) =>
    storage.sql
      .exec<{ sealed: ArrayBuffer }>('SELECT sealed FROM report_key')
      .toArray()
      .map(({ sealed }) => toHex(new Uint8Array(sealed))),
  );
  expect(stored).toHaveLength(1);
  expect(stored[0]).not.toContain(key);
});
