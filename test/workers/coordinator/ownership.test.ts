/**
 * A token changes only what its organisation's authority vouches for: live entries, folded entries of a release, and lists of
 * releases. `root`, and a token that names the other authority, may also change entries and lists of that authority.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import type { PlainList } from '../../shared/support/plain-model.ts';
import { CHANGES, listOf, NUMBER, OTHER, OWN } from '../support/authorities.ts';
import {
  ALL_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  memberOf,
  type ReleaseOptions,
  readHead,
  stage,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { by, refusalOf } from '../support/room.ts';

const [ACME, KTOA] = [memberOf('acme'), memberOf('ktoa')];
const ROOT = { ...asAdmin().actor, name: 'token:root', authority: 'root', root: true };
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();

function change(op: EntryChange['op'], settings: Partial<EntryChange> = {}): EntryChange {
  return {
    ...{ op, items: [{ number: NUMBER }], code: 'SENDER_REPORTED', until: null, reason: 'test' },
    ...{ subjects: ['from', 'to'], ...settings },
  };
}

const make = (actor: typeof ACME, op: EntryChange['op'], settings?: Partial<EntryChange>) =>
  coordinator().changeEntries(by(actor), change(op, settings));

const promotion = (base: string | null, more: object = {}) => ({
  ...{ base, share: 1, overrides: ALL_GUARDS, reason: 'test', ...more },
});

async function promoted(lists: readonly PlainList[], more: Partial<ReleaseOptions> = {}): Promise<string> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists, base, ...more });
  unwrap(await coordinator().promote(asAdmin(), release, promotion(base)));
  return release;
}

describe('a live entry of another authority', () => {
  test.each([
    ['is not lifted', 'block', 'unblock', {}],
    ['is not cleared', 'block', 'clear', {}],
    ['is not replaced', 'block', 'block', {}],
    ['is not shortened', 'block', 'block', { until: TOMORROW }],
    ['is not overridden by a block', 'unblock', 'block', {}],
  ] as const)('%s: %s, then %s', async (_what, first, then, settings) => {
    unwrap(await make(ACME, first));
    const refused = refusalOf(await make(KTOA, then, settings));
    expect(refused).toMatchObject({ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['acme'] } });
    expect(refused.extras?.items).toMatchObject([{ index: 0, code: 'AUTHORITY_FOREIGN' }]);
    expect(await coordinator().findEntries({ number: NUMBER })).toMatchObject({
      value: [{ op: first, authority: 'acme', until: null }],
    });
    // The entry's own authority may change it, and so may the token root.
    unwrap(await make(ACME, then, settings));
    unwrap(await make(ROOT, then, settings));
  });

  test('is changed by a token that names its authority, under the authority of the token', async () => {
    unwrap(await make(ACME, 'block'));
    unwrap(await make(KTOA, 'unblock', { overrideAuthorities: ['acme'] }));
    expect(await coordinator().findEntries({ number: NUMBER })).toMatchObject({
      value: [{ op: 'unblock', authority: 'ktoa' }],
    });
    const records = await coordinator().audit(0, 10);
    expect(records.at(-1)).toMatchObject({
      ...{ action: 'entries.override', subject: 'acme', actor: 'token:ktoa' },
    });
  });

  test('is not changed by naming yet another authority, nor one that does not exist', async () => {
    unwrap(await make(ACME, 'block'));
    unwrap(await make(memberOf('kisa'), 'block', { items: [{ number: '+821030000002' }] }));
    expect(codeOf(await make(KTOA, 'unblock', { overrideAuthorities: ['kisa'] }))).toBe('AUTHORITY_FOREIGN');
    expect(refusalOf(await make(KTOA, 'unblock', { overrideAuthorities: ['acme', 'nobody'] }))).toMatchObject(
      {
        ...{ code: 'FIELD_VALUE', field: 'overrideAuthorities.1' },
      },
    );
  });

  test('that was undone does not matter', async () => {
    const { operation } = unwrap(await make(ACME, 'block'));
    unwrap(await coordinator().undoOperation(by(ACME), operation!, {}));
    unwrap(await make(KTOA, 'block', { until: TOMORROW }));
    unwrap(await make(KTOA, 'unblock'));
  });

  test('one of many refuses the whole operation, and is named by its index', async () => {
    unwrap(await make(ACME, 'block'));
    const items = [{ number: '+821030000002' }, { number: NUMBER }, { number: '+821030000003' }];
    const refused = refusalOf(await make(KTOA, 'block', { items }));
    expect(refused.extras?.items?.map(({ index }) => index)).toEqual([1]);
    expect(refused.message).not.toMatch(/\d{5}/);
    expect((await coordinator().status()).live.entries).toBe(2);
  });

  test('for the other subject, ended, or cleared by its owner does not matter', async () => {
    unwrap(await make(ACME, 'block', { subjects: ['from'] }));
    unwrap(await make(KTOA, 'block', { subjects: ['to'] }));
    expect(codeOf(await make(KTOA, 'clear'))).toBe('AUTHORITY_FOREIGN');
    unwrap(await make(ACME, 'clear', { subjects: ['from'] }));
    unwrap(await make(KTOA, 'block'));
  });

  test('of a sender ID is not lifted for a text that looks like it', async () => {
    unwrap(await make(ACME, 'block', { items: [{ source: 'PARCEL-KR' }], subjects: ['from'] }));
    for (const source of ['PARCEL-KR', 'РARCEL-KR', 'parcel-kr']) {
      const refused = await make(KTOA, 'unblock', { items: [{ source }], subjects: ['from'] });
      expect([source, codeOf(refused)]).toEqual([source, 'AUTHORITY_FOREIGN']);
    }
    unwrap(await make(KTOA, 'unblock', { items: [{ source: 'OTHER-KR' }], subjects: ['from'] }));
  });
});

describe('a list of another authority in the release', () => {
  const ITEMS = {
    'by number': { number: NUMBER },
    'by range': { number: '+821055551234' },
    'by source': { source: 'PARCEL-KR' },
  };

  test.each(Object.entries(ITEMS))('is not overridden by an unblock: %s', async (_how, item) => {
    await promoted([listOf('acme'), listOf('ktoa', {}, '+821030000009')]);
    const one = { items: [item], subjects: ['from' as const] };
    const refused = refusalOf(await make(KTOA, 'unblock', one));
    expect(refused).toMatchObject({ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['acme'] } });
    unwrap(await make(KTOA, 'block', one));
    unwrap(await make(KTOA, 'clear', one));
    unwrap(await make(ACME, 'block', one));
  });

  test('of one that lists the same number as its own is not overridden either', async () => {
    await promoted([listOf('ktoa'), listOf('acme')]);
    expect(codeOf(await make(KTOA, 'unblock'))).toBe('AUTHORITY_FOREIGN');
    unwrap(await make(KTOA, 'unblock', { overrideAuthorities: ['acme'] }));
  });

  test.each([
    ['an allow list', { effect: 'allow' }],
    ['a shadow list', { effect: 'shadow' }],
    ['a list for the other subject', { subjects: ['to'] }],
  ] as const)('does not matter if it is %s', async (_what, settings) => {
    await promoted([listOf('acme', settings as object)]);
    unwrap(await make(KTOA, 'unblock', { subjects: ['from'] }));
  });

  test('does not matter for numbers that are not on it', async () => {
    await promoted([listOf('acme')]);
    unwrap(await make(KTOA, 'unblock', { items: [{ number: '+821030000002' }] }));
  });

  test('in the canary counts as well', async () => {
    const base = await promoted([listOf('ktoa')]);
    const canary = await stage({ lists: [listOf('ktoa'), listOf('acme')], base, minute: 1 });
    unwrap(await coordinator().promote(asAdmin(), canary, promotion(base, { share: 0.1 })));
    expect(codeOf(await make(KTOA, 'unblock'))).toBe('AUTHORITY_FOREIGN');
  });

  test('whose value KV lost makes an unblock wait, except for root and for one that names the authority', async () => {
    await promoted([listOf('acme')]);
    const { keys } = await env.LISTS.list({ prefix: 'shard/' });
    await Promise.all(keys.map(({ name }) => env.LISTS.delete(name)));
    expect(refusalOf(await make(KTOA, 'unblock'))).toMatchObject({ code: 'RELEASE_INCOMPLETE' });
    unwrap(await make(KTOA, 'block'));
    unwrap(await make(KTOA, 'unblock', { overrideAuthorities: ['acme'] }));
    unwrap(await make(ROOT, 'unblock'));
  });

  test('of folded entries is replaced by no other change, until its owner has cleared the number', async () => {
    const folded = listOf('acme', { name: 'live-sender-reported-acme', reason: 'SENDER_REPORTED' });
    await promoted([folded]);
    for (const op of ['block', 'unblock', 'clear'] as const) {
      expect([op, codeOf(await make(KTOA, op))]).toEqual([op, 'AUTHORITY_FOREIGN']);
    }
    unwrap(await make(ACME, 'clear', { subjects: ['from'] }));
    unwrap(await make(KTOA, 'block', { subjects: ['from'] }));
    expect(codeOf(await make(KTOA, 'block'))).toBe('AUTHORITY_FOREIGN');
  });

  test('of folded entries is replaced by no other change again, once the change that cleared it is undone', async () => {
    await promoted([listOf('acme', { name: 'live-sender-reported-acme', reason: 'SENDER_REPORTED' })]);
    const { operation } = unwrap(await make(ROOT, 'clear'));
    unwrap(await coordinator().undoOperation(by(ROOT), operation!, {}));
    expect(refusalOf(await make(KTOA, 'block'))).toMatchObject({
      ...{ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['acme'] } },
    });
  });
});

describe('a release that changes lists of another authority', () => {
  let base: string;
  beforeEach(async () => {
    base = await promoted([OWN, OTHER]);
  });

  const promote = (actor: typeof KTOA, release: string, settings: object = {}) =>
    coordinator().promote(by(actor), release, promotion(base, settings));

  test.each(Object.entries(CHANGES))('is not promoted: it %s', async (_what, lists) => {
    const release = await stage({ lists, base, minute: 1 });
    for (const share of [0.1, 1]) {
      const refused = refusalOf(await promote(KTOA, release, { share }));
      expect(refused).toMatchObject({ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['acme'] } });
    }
    expect((await coordinator().status()).current?.release).toBe(base);
    const records = await coordinator().audit(0, 100);
    expect(records.at(-1)).toMatchObject({
      ...{ action: 'release.refuse', subject: release, actor: 'token:ktoa' },
      after: { code: 'AUTHORITY_FOREIGN' },
    });
    unwrap(await promote(KTOA, release, { overrideAuthorities: ['acme'] }));
  });

  test('is not promoted where the list hides behind another one of the same name', async () => {
    const hidden = { ...OTHER, info: { ...OTHER.info, authority: 'ktoa', effect: 'shadow' as const } };
    const lists = [OWN, hidden, listOf('acme', {}, '+821030000006')];
    await expect(stage({ lists, base, minute: 1 })).rejects.toThrow('MANIFEST_INVALID');
  });

  test('is promoted if it changes only its own, and takes back nothing else', async () => {
    const own = await stage({ lists: [listOf('ktoa', { effect: 'label' }), OTHER], base, minute: 1 });
    unwrap(await promote(KTOA, own, { share: 0.1 }));
    expect(codeOf(await coordinator().rollback(by(ACME), { reason: 'test' }))).toBe('AUTHORITY_FOREIGN');
    unwrap(await promote(KTOA, own));
    expect(codeOf(await coordinator().rollback(by(ACME), { reason: 'test' }))).toBe('AUTHORITY_FOREIGN');
    unwrap(await coordinator().rollback(by(KTOA), { reason: 'test' }));
    expect((await coordinator().status()).current?.release).toBe(base);
  });

  test('is taken back by its own authority, by root, or by a token that names the authority', async () => {
    const other = await stage({ lists: [OWN, listOf('acme', { effect: 'label' })], base, minute: 1 });
    const rollback = (actor: typeof KTOA, settings: object = {}) =>
      coordinator().rollback(by(actor), { reason: 'test', ...settings });
    for (const [actor, settings] of [
      [ACME, {}],
      [ROOT, {}],
      [KTOA, { overrideAuthorities: ['acme'] }],
    ] as const) {
      unwrap(await promote(ACME, other));
      const refused = refusalOf(await rollback(KTOA));
      expect(refused).toMatchObject({ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['acme'] } });
      unwrap(await rollback(actor, settings));
    }
  });

  test('is not promoted where it claims to contain live entries of another authority', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    unwrap(await make(KTOA, 'block', { items: [{ number: '+821030000007' }] }));
    const { seq } = unwrap(await make(ACME, 'block', { items: [{ number: '+821030000008' }] }));
    const lists = [listOf('ktoa', { effect: 'label' }), OTHER];
    const own = await stage({ lists, base, minute: 1, foldedSeq: seq - 1 });
    const all = await stage({ lists, base, minute: 2, foldedSeq: seq });
    expect(refusalOf(await promote(KTOA, all)).extras?.authorities).toEqual(['acme']);
    unwrap(await promote(KTOA, own));
  });

  test('is not promoted where it no longer contains live entries of another authority', async () => {
    const { seq } = unwrap(await make(ACME, 'block', { items: [{ number: '+821030000008' }] }));
    base = await promoted([OWN, OTHER], { minute: 1, foldedSeq: seq });
    const lists = [listOf('ktoa', { effect: 'label' }), OTHER];
    const older = await stage({ lists, base, minute: 2, foldedSeq: seq - 1 });
    expect(refusalOf(await promote(KTOA, older)).extras?.authorities).toEqual(['acme']);
  });

  test('is promoted by the cron, which acts for whoever holds the signing key', async () => {
    const release = await stage({ lists: CHANGES['adds a number'], base, minute: 1 });
    unwrap(await promote(WRANGLER, release));
  });
});
