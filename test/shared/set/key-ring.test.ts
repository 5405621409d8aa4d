/** LIST_KEY with one key or two: the accepted forms, and which key opens a value. */
import { describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '../../../shared/bytes.ts';
import { openRecords, sealRecords, writeRecord } from '../../../shared/screening/block-record.ts';
import { KeyRing, openKeyRing } from '../../../shared/set/key-ring.ts';
import { seal, unseal } from '../../../shared/set/seal.ts';
import { OTHER_LIST_KEY, otherKeys } from '../support/other-keys.ts';
import { TEST_LIST_KEY, testKeys } from '../support/test-keys.ts';

const [A, B] = [toBase64(TEST_LIST_KEY), toBase64(OTHER_LIST_KEY)];
const ring = new KeyRing([otherKeys, testKeys]);

describe('a LIST_KEY', () => {
  it.each([
    ['one key', A, [testKeys.keyId]],
    ['two keys', `${B},${A}`, [otherKeys.keyId, testKeys.keyId]],
    ['two keys with spaces and a line end', ` ${A} , ${B}\n`, [testKeys.keyId, otherKeys.keyId]],
  ])('of %s is read in its order', async (_, text, ids) => {
    const opened = await openKeyRing(text);
    expect(opened.ok && [opened.value.ids, opened.value.writer.keyId]).toEqual([ids, ids[0]]);
  });

  it.each([
    ['nothing', '', 'must be 32 bytes in base64'],
    ['a short key', toBase64(new Uint8Array(31)), 'must be 32 bytes in base64'],
    [
      'a second key that is not base64',
      `${A},!`,
      'must hold keys of 32 bytes in base64, separated by commas',
    ],
    ['nothing after a comma', `${A},`, 'must hold keys of 32 bytes in base64, separated by commas'],
    ['one key twice', `${A}, ${A}`, 'holds the same key twice'],
    ['three keys', `${A},${B},${A}`, 'may hold at most 2 keys, but holds 3'],
  ])('of %s is refused by name', async (_, text, message) => {
    expect(await openKeyRing(text)).toEqual({ ok: false, code: 'LIST_KEY_INVALID', message });
  });
});

describe('a value', () => {
  it('opens with the key that sealed it, and names it', async () => {
    for (const keys of ring.all) {
      const sealed = await seal(utf8('content'), keys);
      const opened = await ring.open((each) => unseal(sealed, each));
      expect(opened?.keys).toBe(keys);
      expect(
        await new KeyRing([keys === testKeys ? otherKeys : testKeys]).open((each) => unseal(sealed, each)),
      ).toBeNull();
    }
    expect(ring.of(testKeys.keyId)).toBe(testKeys);
    expect(ring.of('0000000000000000')).toBeNull();
  });

  it('of block records from before a rotation still opens', async () => {
    const record = {
      at: '2026-11-24T03:12:09Z',
      client: 'relay',
      channel: 'sms',
      from: null,
      to: '8210-00000001',
    };
    const rest = {
      operator: null,
      subject: 'to',
      code: 'NUMBER_SUSPENDED',
      list: null,
      enforced: true,
      seq: 1,
    };
    const bytes = await sealRecords([writeRecord({ ...record, ...rest })], testKeys, 'blocks/one');
    const opened = await ring.open((keys) => openRecords(bytes, keys, 'blocks/one'));
    expect([opened?.value.length, opened?.keys.keyId]).toEqual([1, testKeys.keyId]);
  });
});
