/** Releases that are rolled back: how long their values are kept, and the target of the next rollback. */
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { VALUES_KEPT_MS } from '../../../shared/limits/control.ts';
import { blobsOf, type Manifest } from '../../../shared/release/manifest.ts';
import { ALL_GUARDS, asAdmin, codeOf, coordinator, stage, unwrap, WRANGLER } from '../support/coordinator.ts';
import { smallLists } from '../support/world.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2040, 0, 1);

const promote = (release: string, base: string | null, share = 1) =>
  coordinator().promote(asAdmin(), release, { base, share, overrides: ALL_GUARDS, reason: 'test' });

async function promoted(minute: number, base: string | null): Promise<string> {
  const release = await stage({ lists: smallLists([`+82107777000${minute}`]), base, minute });
  unwrap(await promote(release, base));
  return release;
}

const rollback = () => coordinator().rollback(asAdmin(), { reason: 'test' });

async function stateOf(release: string): Promise<string | undefined> {
  return (await coordinator().releases(10)).find((info) => info.release === release)?.state;
}

test('the values of a release are kept for seven days after its rollback, however long it served', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  const r1 = await promoted(1, null);
  const r2 = await promoted(2, r1);
  vi.setSystemTime(START + 30 * DAY_MS);
  unwrap(await rollback());
  const manifest = JSON.parse((await coordinator().manifest(r2))!.signed) as Manifest;
  const there = async (): Promise<boolean> => {
    const values = await Promise.all(blobsOf(manifest).map(({ key }) => env.LISTS.get(key, 'arrayBuffer')));
    return values.every((value) => value !== null);
  };
  for (let day = 30; day < 37; day++) {
    vi.setSystemTime(START + day * DAY_MS + 1);
    await coordinator().sweep(WRANGLER);
  }
  expect(await there()).toBe(true);
  for (const time of [START + 37 * DAY_MS, START + 37 * DAY_MS + VALUES_KEPT_MS]) {
    vi.setSystemTime(time);
    await coordinator().sweep(WRANGLER);
  }
  expect(await there()).toBe(false);
});

test('a canary of the previous release, rolled back, stays a target of rollback', async () => {
  const r1 = await promoted(1, null);
  const r2 = await promoted(2, r1);
  unwrap(await promote(r1, r2, 0.1));
  unwrap(await rollback());
  expect(await stateOf(r1)).toBe('superseded');
  expect(unwrap(await rollback())).toMatchObject({ withdrawn: r2, current: r1 });
});

test('a canary of a release that was rolled back everywhere does not become a target of rollback', async () => {
  const r1 = await promoted(1, null);
  const r2 = await promoted(2, r1);
  unwrap(await rollback());
  const r3 = await promoted(3, r1);
  unwrap(await promote(r2, r3, 0.1));
  unwrap(await rollback());
  expect(await stateOf(r2)).toBe('withdrawn');
  expect(unwrap(await rollback())).toMatchObject({ withdrawn: r3, current: r1 });
  expect(codeOf(await rollback())).toBe('ROLLBACK_IMPOSSIBLE');
});
