/**
 * The checks that a release must pass before it becomes current, and rollback. A refusal leaves the head
 * unchanged and records its reason in the log.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test } from 'vitest';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import { type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { type SignedText, signText } from '../../../shared/release/signed.ts';
import { plainList } from '../../shared/support/plain-model.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  codeOf,
  coordinator,
  type ReleaseOptions,
  readHead,
  stage,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { FOREIGN_PRIVATE_KEY, RELEASE_PRIVATE_KEY } from '../support/secrets.ts';
import { privateKey, publishValues, smallLists } from '../support/world.ts';

const LISTS = smallLists();

function promotion(base: string | null, more: object = {}) {
  return { base, share: 1, overrides: ALL_GUARDS, reason: 'test', ...more };
}

async function promoted(what: Partial<ReleaseOptions> = {}): Promise<string> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists: LISTS, base, ...what });
  unwrap(await coordinator().promote(asAdmin(), release, promotion(base)));
  return release;
}

async function currentRelease(): Promise<string | undefined> {
  return (await readHead())?.head.current?.release;
}

async function lastRefusal(): Promise<unknown> {
  const records = await coordinator().audit(0, 1000);
  return records.findLast(({ action }) => action === 'release.refuse')?.after;
}

describe('a manifest', () => {
  let first: string;
  beforeEach(async () => {
    first = await promoted();
  });

  const signed = async (manifest: object, key = RELEASE_PRIVATE_KEY): Promise<SignedText> =>
    signManifest(manifest as Manifest, await privateKey(key));
  const BAD: Record<string, (manifest: Manifest) => Promise<SignedText>> = {
    'SIGNATURE_INVALID (none)': async (manifest) => ({ signed: JSON.stringify(manifest), signature: '' }),
    'SIGNATURE_INVALID (foreign key)': (manifest) => signed(manifest, FOREIGN_PRIVATE_KEY),
    'SIGNATURE_INVALID (altered)': async (manifest) => {
      const { signature } = await signed(manifest);
      return { signed: JSON.stringify({ ...manifest, base: null }), signature };
    },
    'FORMAT_UNSUPPORTED (older)': (manifest) => signed({ ...manifest, format: 0 }),
    'KEY_FOREIGN (other LIST_KEY)': (manifest) => signed({ ...manifest, keyId: '0123456789abcdef' }),
    'MANIFEST_INVALID (no lists)': (manifest) => signed({ ...manifest, lists: null }),
    'MANIFEST_INVALID (not JSON)': async () => signText('{"format":1', await privateKey(RELEASE_PRIVATE_KEY)),
  };
  test.each(Object.entries(BAD))('is refused: %s', async (name, make) => {
    const { manifest } = await build({ lists: LISTS, base: first, minute: 9 });
    const reason = name.split(' ')[0]!;
    expect(codeOf(await coordinator().stage(asAdmin(), await make(manifest)))).toBe(reason);
    expect(await lastRefusal()).toMatchObject({ code: reason });
    expect(await currentRelease()).toBe(first);
    const status = await coordinator().status();
    expect(status.current?.release).toBe(first);
  });

  test('is staged once when it is staged twice', async () => {
    const built = await build({ lists: LISTS, base: first, minute: 9 });
    unwrap(await coordinator().stage(asAdmin(), built.signed));
    unwrap(await coordinator().stage(asAdmin(), built.signed));
    expect((await coordinator().releases(50)).map(({ state }) => state).sort()).toEqual([
      'promoted',
      'staged',
    ]);
  });
});

describe('the values of a release', () => {
  const DAMAGE: Record<string, (bytes: Uint8Array) => Uint8Array | null> = {
    'BLOB_DAMAGED (one bit)': (bytes) => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1),
    'BLOB_DAMAGED (truncated)': (bytes) => bytes.subarray(0, -4),
    'BLOB_DAMAGED (empty)': () => new Uint8Array(0),
    'BLOB_DAMAGED (longer)': (bytes) => Uint8Array.from([...bytes, 0, 0, 0, 0]),
    'RELEASE_INCOMPLETE (missing)': () => null,
  };
  test.each(Object.entries(DAMAGE))('are refused: %s', async (name, damage) => {
    const first = await promoted();
    const next = await build({ lists: smallLists(['+821077770001']), base: first, minute: 9 });
    unwrap(await coordinator().stage(asAdmin(), next.signed));
    const release = next.manifest.release;
    const reason = name.split(' ')[0]!;
    for (const [key, bytes] of next.values) {
      await publishValues(next);
      const damaged = damage(bytes);
      if (damaged === null) await env.LISTS.delete(key);
      else await env.LISTS.put(key, Uint8Array.from(damaged));
      const result = await coordinator().promote(asAdmin(), release, promotion(first));
      expect(codeOf(result)).toBe(reason);
      expect(await currentRelease()).toBe(first);
      if (!result.ok && reason === 'RELEASE_INCOMPLETE') expect(result.extras?.missing).toEqual([key]);
    }
    if (reason === 'RELEASE_INCOMPLETE') {
      await publishValues(next);
      unwrap(await coordinator().promote(asAdmin(), release, promotion(first)));
      expect(await currentRelease()).toBe(release);
    } else {
      // A release that was once damaged stays refused under its name. A new build gets another name.
      expect(await lastRefusal()).toMatchObject({ code: reason });
      await publishValues(next);
      expect(codeOf(await coordinator().promote(asAdmin(), release, promotion(first)))).toBe(reason);
    }
  });

  test('must be as many as the manifest states', async () => {
    const first = await promoted();
    const built = await build({ lists: LISTS, base: first, minute: 9 });
    await publishValues(built);
    const [list, ...rest] = built.manifest.lists;
    const manifest = { ...built.manifest, lists: [{ ...list!, numbers: list!.numbers + 1 }, ...rest] };
    const signed = await signManifest(manifest, await privateKey(RELEASE_PRIVATE_KEY));
    unwrap(await coordinator().stage(asAdmin(), signed));
    expect(codeOf(await coordinator().promote(asAdmin(), manifest.release, promotion(first)))).toBe(
      'COUNT_WRONG',
    );
    expect(await currentRelease()).toBe(first);
  });
});

describe('one of two concurrent pushes', () => {
  test('wins, and the other gets what changed', async () => {
    const first = await promoted();
    const a = await stage({ lists: smallLists(['+821077770001']), base: first, minute: 11 });
    const b = await stage({ lists: smallLists(['+821077770002']), base: first, minute: 12 });
    const results = await Promise.all(
      [a, b].map((release) => coordinator().promote(asAdmin(), release, promotion(first))),
    );
    expect(results.map(codeOf).sort()).toEqual(['BASE_MOVED', 'ok']);
    const lost = results.find((result) => !result.ok)!;
    const won = (await currentRelease())!;
    expect(lost.ok ? null : lost.extras).toMatchObject({
      base: first,
      current: won,
      since: [{ release: won, by: 'token:admin' }],
    });
  });
});

describe('a guard', () => {
  test('is reported with its figures and its name, and can be overridden by name', async () => {
    const first = await promoted();
    const release = await stage({ lists: [plainList('suspended')], base: first, minute: 9 });
    const result = await coordinator().promote(asAdmin(), release, promotion(first, { overrides: [] }));
    expect(codeOf(result)).toBe('GUARD_HIT');
    const guards = result.ok ? [] : (result.extras?.guards ?? []);
    expect(guards.map(({ guard }) => guard)).toContain('shrunken-list');
    expect(await currentRelease()).toBe(first);
    const overrides = guards.map(({ override }) => override);
    unwrap(await coordinator().promote(asAdmin(), release, promotion(first, { overrides })));
    const records = await coordinator().audit(0, 1000);
    expect(records.at(-1)).toMatchObject({ action: 'release.promote', after: { overrides } });
  });

  test('is bound to the plan', async () => {
    const first = await promoted();
    const release = await stage({ lists: LISTS, base: first, minute: 9 });
    const plan = unwrap(await coordinator().plan(release));
    const other = { ...promotion(first), plan: '0123456789abcdef' };
    expect(codeOf(await coordinator().promote(asAdmin(), release, other))).toBe('PLAN_MOVED');
    unwrap(await coordinator().promote(asAdmin(), release, promotion(first, { plan: plan.hash })));
  });
});

describe('a share of the data centres', () => {
  test('gets the candidate; then all do, or none', async () => {
    const first = await promoted();
    const second = await stage({ lists: smallLists(['+821077770001']), base: first, minute: 9 });
    unwrap(await coordinator().promote(asAdmin(), second, promotion(first, { share: 0.1 })));
    expect((await readHead())!.head).toMatchObject({
      current: { release: first },
      candidate: { release: second, share: 0.1 },
    });
    expect(unwrap(await coordinator().rollback(asAdmin(), { reason: 'no' }))).toMatchObject({
      withdrawn: second,
      current: first,
    });
    expect((await readHead())!.head).toMatchObject({ current: { release: first }, candidate: null });
    unwrap(await coordinator().promote(asAdmin(), second, promotion(first, { share: 0.5 })));
    unwrap(await coordinator().promote(asAdmin(), second, promotion(first)));
    expect((await readHead())!.head).toMatchObject({ current: { release: second }, candidate: null });
  });
});

describe('with nothing but wrangler', () => {
  test('a staged manifest is promoted by the cron', async () => {
    const first = await promoted();
    const next = await build({ lists: smallLists(['+821012345678']), base: first, minute: 9 });
    await publishValues(next);
    await env.LISTS.put(stagedKey(next.manifest.release), JSON.stringify(next.signed));
    await coordinator().sweep(WRANGLER);
    expect(await currentRelease()).toBe(next.manifest.release);
    expect(await env.LISTS.get(stagedKey(next.manifest.release))).toBeNull();
  });

  test('a refused release is recorded, and not tried again', async () => {
    const first = await promoted();
    for (const text of ['not a manifest', '{"signed":"{}","signature":""}']) {
      await env.LISTS.put(stagedKey('x'), text);
      await coordinator().sweep(WRANGLER);
      expect(await env.LISTS.get(stagedKey('x'))).toBeNull();
      expect(await lastRefusal()).toMatchObject({ code: expect.stringMatching(/_INVALID$/) });
    }
    const behind = await build({ lists: LISTS, base: null, minute: 9 });
    await publishValues(behind);
    await env.LISTS.put(stagedKey('y'), JSON.stringify(behind.signed));
    await coordinator().sweep(WRANGLER);
    expect(await lastRefusal()).toMatchObject({ code: 'BASE_MOVED' });
    expect(await currentRelease()).toBe(first);
  });

  test('an incomplete release is tried again', async () => {
    const numbers = [{ n: 821012345678, since: 0, until: 0xffffffff }];
    const next = await build({ lists: [plainList('suspended', { numbers })] });
    await env.LISTS.put(stagedKey('x'), JSON.stringify(next.signed));
    await coordinator().sweep(WRANGLER);
    expect(await env.LISTS.get(stagedKey('x'))).not.toBeNull();
    await publishValues(next);
    await coordinator().sweep(WRANGLER);
    expect(await currentRelease()).toBe(next.manifest.release);
  });
});

describe('live changes that a release folds in', () => {
  test('must exist, and are kept while an earlier release is still readable', async () => {
    const first = await promoted();
    const ahead = await stage({ lists: LISTS, base: first, foldedSeq: 99, minute: 9 });
    expect(codeOf(await coordinator().promote(asAdmin(), ahead, promotion(first)))).toBe('FOLD_AHEAD');
    const { seq } = unwrap(
      await coordinator().changeEntries(asAdmin(), {
        op: 'unblock',
        items: [{ number: '+821012345678' }],
        code: 'SENDER_REPORTED',
        subjects: ['to'],
        until: null,
        reason: 'test',
      }),
    );
    await promoted({ foldedSeq: seq, minute: 10 });
    expect((await coordinator().status()).live.entries).toBe(1);
    await promoted({ foldedSeq: seq, minute: 11 });
    await promoted({ foldedSeq: seq, minute: 12 });
    // Now no readable release is older than the change.
    expect((await coordinator().status()).live.entries).toBe(0);
    const old = await stage({ lists: LISTS, base: (await currentRelease())!, foldedSeq: 0, minute: 13 });
    const result = await coordinator().promote(asAdmin(), old, promotion((await currentRelease())!));
    expect(codeOf(result)).toBe('FOLD_BEHIND');
  });
});

describe('a plan', () => {
  test('of a release with a damaged value reports the damage', async () => {
    const first = await promoted();
    const next = await build({ lists: smallLists(['+821077770001']), base: first, minute: 9 });
    unwrap(await coordinator().stage(asAdmin(), next.signed));
    await publishValues(next);
    const [key] = next.values.keys();
    await env.LISTS.put(key!, new Uint8Array(8));
    expect(codeOf(await coordinator().plan(next.manifest.release))).toBe('BLOB_DAMAGED');
  });
});
