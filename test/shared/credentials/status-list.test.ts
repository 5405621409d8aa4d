/** Status lists: the vectors of draft-ietf-oauth-status-list, the requirements for a list, and limits on inflated data. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toBase64Url } from '../../../shared/bytes.ts';
import {
  deflate,
  inflate,
  packStatuses,
  STATUSES,
  type Status,
  StatusList,
  verifyStatusList,
} from '../../../shared/credentials/status-list.ts';
import { STATUS_ENTRIES_MAX } from '../../../shared/limits/credentials.ts';
import { NOW_S, newSigner, STATUS_URI, statusListToken } from '../support/credential-world.ts';
import { cuts, flips } from '../support/damage.ts';
import { holdsAsync } from '../support/properties.ts';

const issuer = await newSigner();
const keyOf = (kid: string) => (kid === 'k1' ? issuer.key : null);
const verify = (text: string, nowS = NOW_S) => verifyStatusList(text, keyOf, nowS);
const bytes = (hex: string) => fromHex(hex) as Uint8Array<ArrayBuffer>;
/** `lst` of the lists of 2^20 entries in the appendix "Test vectors for Status List encoding". */
const ONE_BIT = [
  'eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAA',
  'AJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb',
].join('');
const TWO_BITS = [
  'eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5',
  'WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoA',
  'AAAAAAAAAAAAAEBqH81gAQw',
].join('');
/** The indices of their entries that are not 0. */
const INDICES = [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345];
const statusesOf = (list: StatusList): (Status | null)[] =>
  Array.from({ length: list.size }, (_, at) => list.at(at));

describe('the vectors of the draft', () => {
  it('reads the list of one bit (section 4.1)', async () => {
    const list = (await inflate(bytes('78dadbb918000217015d'), 1))!;
    const bits = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    expect(statusesOf(list)).toEqual(bits.map((bit) => STATUSES[bit]));
  });

  it('reads the list of two bits (section 4.1)', async () => {
    const list = (await inflate(bytes('78da3be9f2130003df0207'), 2))!;
    expect([...list.bytes]).toEqual([0xc9, 0x44, 0xf9]);
    expect(statusesOf(list)).toEqual([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3].map((value) => STATUSES[value]));
  });

  it.each([
    ['one bit', 1, ONE_BIT, INDICES.map(() => 1)],
    ['two bits', 2, TWO_BITS, [1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3]],
  ] as const)('reads the long list of %s (appendix)', async (_what, bits, lst, values) => {
    const verified = await verify(await statusListToken(issuer, new Map(), { status_list: { bits, lst } }));
    if (!verified.ok) throw new Error(verified.message);
    const { list } = verified.value;
    expect(list.size).toBe(2 ** 20);
    const ended: unknown[] = [];
    // Entries in zero bytes are valid.
    for (const [place, byte] of list.bytes.entries()) {
      for (let at = (place * 8) / bits; byte !== 0 && at < ((place + 1) * 8) / bits; at++)
        if (list.at(at) !== 'valid') ended.push([at, list.at(at)]);
    }
    expect(ended).toEqual(INDICES.map((at, place) => [at, STATUSES[values[place]!]]));
  });
});

describe('a status list', () => {
  it('returns the statuses that were packed, and none beyond its end', async () => {
    const statuses = fc.array(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 200 });
    await holdsAsync(
      fc.asyncProperty(statuses, async (all) => {
        const packed = packStatuses(new Map(all.entries()), all.length);
        const list = (await inflate(await deflate(packed), 2))!;
        expect(all.map((_, at) => list.at(at))).toEqual(all);
        for (const at of [-1, list.size, list.size + 1, 2 ** 31]) expect(list.at(at)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  it('is verified by the key that it names, and says until when', async () => {
    const text = await statusListToken(issuer, new Map([[3, 'revoked']]));
    const verified = await verify(text);
    expect(verified).toMatchObject({ ok: true, value: { uri: STATUS_URI, ttl: 60, exp: NOW_S + 3_600 } });
    if (verified.ok) expect(verified.value.list.at(3)).toBe('revoked');
  });

  it.each([
    ['has expired', { exp: NOW_S }, 'STATUS_LIST_EXPIRED'],
    ['never expires', { exp: undefined }, 'STATUS_LIST_INVALID'],
    ['is from the future', { iat: NOW_S + 61 }, 'STATUS_LIST_INVALID'],
    ['has entries of four bits', { status_list: { bits: 4, lst: 'eNrbuRgAAhcBXQ' } }, 'STATUS_LIST_INVALID'],
    ['is not deflated', { status_list: { bits: 1, lst: 'AAAA' } }, 'STATUS_LIST_TOO_LARGE'],
    ['is not base64url', { status_list: { bits: 1, lst: '+/==' } }, 'STATUS_LIST_INVALID'],
    ['has no URI', { sub: undefined }, 'STATUS_LIST_INVALID'],
  ])('is refused if it %s', async (_what, some, code) => {
    expect(await verify(await statusListToken(issuer, new Map(), some))).toMatchObject({ ok: false, code });
  });

  it('is refused with the signature of another key', async () => {
    const forged = await statusListToken(await newSigner(), new Map());
    expect(await verify(forged)).toMatchObject({ ok: false, code: 'STATUS_LIST_INVALID' });
  });

  it('inflates no more than a list may have', async () => {
    const bomb = await deflate(new StatusList(2, new Uint8Array(8 * 1_024 * 1_024)));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await inflate(bomb, 2)).toBeNull();
    const lst = toBase64Url(bomb);
    const text = await statusListToken(issuer, new Map(), { status_list: { bits: 2, lst } });
    expect(await verify(text)).toMatchObject({ code: 'STATUS_LIST_TOO_LARGE' });
    const most = await deflate(new StatusList(1, new Uint8Array(STATUS_ENTRIES_MAX / 8)));
    expect((await inflate(most, 1))!.size).toBe(STATUS_ENTRIES_MAX);
  });

  it('is refused or the same with any bit changed or cut', async () => {
    const list = packStatuses(
      new Map([
        [1, 'revoked'],
        [70, 'suspended'],
        [399, 'rateReduced'],
      ]),
      400,
    );
    const deflated = await deflate(list);
    for (const { what, bytes: damaged } of [...flips(deflated, [1, 16]), ...cuts(deflated)]) {
      const read = await inflate(damaged, 2);
      if (read !== null) expect([...read.bytes], what).toEqual([...list.bytes]);
    }
  });
});
