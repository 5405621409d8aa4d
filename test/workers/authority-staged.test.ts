/**
 * Manifests that were staged with wrangler alone: every one has its turn, and what the cron finds wrong
 * with one keeps nothing else back.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { stagedKey } from '../../shared/release/kv-keys.ts';
import { ALL_GUARDS, authority, build, done, order, readHead, stage } from './support/authority.ts';
import './support/fresh.ts';
import { publishValues, smallLists } from './support/world.ts';

const WRANGLER = { name: 'wrangler', scopes: [], authority: 'wrangler', root: false };
const LISTED = '+821012345678';
let first: string;

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  first = await stage({ lists: smallLists() });
  const wish = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  done(await authority().promote(order(), first, wish));
});

/** Put a manifest under `staged/`. @param number listed besides the first release's @returns its release */
async function staged(minute: number, isComplete: boolean, number = LISTED): Promise<string> {
  const built = await build({ lists: smallLists([LISTED, number]), base: first, minute });
  if (isComplete) await publishValues(built);
  await env.LISTS.put(stagedKey(built.manifest.release), JSON.stringify(built.signed));
  return built.manifest.release;
}

const sweep = () => authority().sweep(WRANGLER);
const current = async () => (await readHead())?.head.current?.release;
const infoOf = async (release: string) =>
  (await authority().releases(50)).find((info) => info.release === release);

test('two sweeps at once promote a release once, and refuse nothing', async () => {
  const release = await staged(1, true);
  await Promise.all([sweep(), sweep()]);
  expect(await current()).toBe(release);
  expect(await infoOf(release)).toMatchObject({ state: 'promoted', refusal: null });
});

test('a manifest that KV still shows after its promotion is not refused', async () => {
  const release = await staged(1, true);
  const shown = vi.spyOn(env.LISTS, 'delete').mockResolvedValue(undefined);
  await sweep();
  await sweep();
  expect(shown).toHaveBeenCalledTimes(2);
  expect(await infoOf(release)).toMatchObject({ state: 'promoted', refusal: null });
});
