/**
 * A release that is signed with the key of an organisation changes only the lists of its authority, whatever path it takes: the
 * admin API, a canary, a manifest that was staged with wrangler alone, or an earlier release.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { REGISTRY_NAME } from '../../../workers/storage/registry-port.ts';
import type { PlainList } from '../../shared/support/plain-model.ts';
import { CHANGES, listOf, OTHER, OWN } from '../support/authorities.ts';
import {
  ALL_GUARDS,
  asAdmin,
  build,
  codeOf,
  coordinator,
  memberOf,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { ANY, by, refusalOf } from '../support/room.ts';
import { ACME_PRIVATE_KEY, KTOA_PRIVATE_KEY } from '../support/secrets.ts';
import { publishValues } from '../support/world.ts';

const KTOA = { signer: KTOA_PRIVATE_KEY };
const ACME = { signer: ACME_PRIVATE_KEY };
const ROOT: Actor = { ...asAdmin().actor, name: 'token:root', authority: 'root', root: true };
/** Lists that differ only in those of `ktoa`. */
const OWN_CHANGED = [listOf('ktoa', { effect: 'label' }), OTHER];

let base: string;

function putOrganisation(id: string, settings: Partial<Organisation> = {}) {
  const organisation = { ...bareOrganisation(id), authority: id, ...settings };
  return coordinator().putOrganisation(asAdmin(), id, organisation, ANY);
}

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  unwrap(await putOrganisation('ktoa'));
  unwrap(await putOrganisation('acme'));
  base = await stage({ lists: [OWN, OTHER] });
  unwrap(await promote(base, { base: null }));
});

function promote(release: string, settings: object = {}) {
  const request = { base, share: 1, overrides: ALL_GUARDS, reason: 'test', ...settings };
  return coordinator().promote(by(ROOT), release, request);
}

const current = async () => (await coordinator().status()).current?.release;

test.each(Object.entries(CHANGES))('is refused where it %s of another authority', async (_what, lists) => {
  const release = await stage({ lists, base, minute: 1, ...KTOA });
  for (const share of [0.1, 1]) {
    const refused = refusalOf(await promote(release, { share }));
    expect([codeOf(refused), refused.message]).toEqual([
      ...['SIGNER_FOREIGN', expect.stringContaining('lists of "acme"')],
    ]);
  }
  expect(await current()).toBe(base);
  const records = await coordinator().audit(0, 100);
  expect(records.at(-1)).toMatchObject({ action: 'release.refuse', after: { code: 'SIGNER_FOREIGN' } });
  // The same lists, signed with the key of the installation.
  unwrap(await promote(await stage({ lists, base, minute: 2 })));
});

/** Stages a manifest like wrangler, and runs the cron. @returns its state and refusal */
async function sweep(lists: readonly PlainList[], more: object): Promise<[string, string | undefined]> {
  const built = await build({ lists, base, minute: 1, ...more });
  const { release } = built.manifest;
  await publishValues(built);
  await env.LISTS.put(stagedKey(release), JSON.stringify(built.signed));
  await coordinator().sweep(WRANGLER);
  const stored = (await coordinator().releases(10)).find((each) => each.release === release);
  return [stored!.state, stored!.refusal?.code];
}

test('is refused if it was staged with wrangler alone', async () => {
  const smallChange = [OWN, { ...OTHER, sources: [{ ...OTHER.sources[0]!, text: 'OTHER' }] }];
  expect(await sweep(smallChange, KTOA)).toEqual(['staged', 'SIGNER_FOREIGN']);
  expect(await current()).toBe(base);
  expect((await env.LISTS.list({ prefix: 'staged/' })).keys).toEqual([]);
  expect(await sweep(smallChange, { minute: 2, ...ACME })).toEqual(['promoted', undefined]);
});

test('is promoted by every path if it changes only its own lists', async () => {
  const canary = await stage({ lists: OWN_CHANGED, base, minute: 1, ...KTOA });
  unwrap(await promote(canary, { share: 0.1 }));
  unwrap(await promote(canary));
  expect(await current()).toBe(canary);
  unwrap(await coordinator().rollback(by(memberOf('ktoa')), { reason: 'test' }));
  const small = [{ ...OWN, sources: [{ ...OWN.sources[0]!, text: 'OTHER' }] }, OTHER];
  expect(await sweep(small, { minute: 3, ...KTOA })).toEqual(['promoted', undefined]);
});

test('that was built before another authority changed its lists is refused, and does not set them back', async () => {
  const late = await stage({ lists: OWN_CHANGED, base, minute: 1, ...KTOA });
  const next = await stage({ lists: [OWN, listOf('acme', { effect: 'label' })], base, minute: 2, ...ACME });
  unwrap(await promote(next));
  expect(codeOf(await promote(late))).toBe('BASE_MOVED');
  expect(codeOf(await promote(late, { base: next }))).toBe('SIGNER_FOREIGN');
  expect(await current()).toBe(next);
});

test('cannot become current again over the changes of another authority, except by a rollback', async () => {
  const own = await stage({ lists: OWN_CHANGED, base, minute: 1, ...KTOA });
  unwrap(await promote(own));
  const lists = [OWN_CHANGED[0]!, listOf('acme', { effect: 'label' })];
  const next = await stage({ lists, base: own, minute: 2, ...ACME });
  unwrap(await promote(next, { base: own }));
  expect(codeOf(await promote(own, { base: next }))).toBe('SIGNER_FOREIGN');
  // The release was current just before, so a rollback returns to it. Only the owner of the reverted step may do this.
  const rollback = (actor: Actor) => coordinator().rollback(by(actor), { reason: 'test' });
  expect(codeOf(await rollback(memberOf('ktoa')))).toBe('AUTHORITY_FOREIGN');
  unwrap(await rollback(memberOf('acme')));
  expect(await current()).toBe(own);
});

test('is refused if its organisation is unknown, suspended or without an authority', async () => {
  const staged = await stage({ lists: OWN_CHANGED, base, minute: 1, ...KTOA });
  const refusals: string[] = [];
  for (const settings of [{ state: 'suspended' }, { authority: null }, { authority: 'ktoa-2' }] as const) {
    unwrap(await putOrganisation('ktoa', settings));
    refusals.push(codeOf(await promote(staged)));
  }
  expect(refusals).toEqual(['SIGNER_SUSPENDED', 'SIGNER_UNKNOWN', 'SIGNER_FOREIGN']);
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec("DELETE FROM organisations WHERE id = 'ktoa'");
  });
  expect(refusalOf(await promote(staged)).message).toContain('npx numgate organisations add ktoa');
  unwrap(await putOrganisation('ktoa'));
  unwrap(await promote(staged));
});

test('is staged only by its own organisation, by root, or by a token that names its authority', async () => {
  const { signed } = await build({ lists: OWN_CHANGED, base, minute: 1, ...KTOA });
  const stageAs = (authority: string, settings: object = {}) =>
    coordinator().stage(by(memberOf(authority)), { ...signed, ...settings });
  expect(refusalOf(await stageAs('acme'))).toMatchObject({
    ...{ code: 'AUTHORITY_FOREIGN', extras: { authorities: ['ktoa'] } },
  });
  unwrap(await stageAs('acme', { overrideAuthorities: ['ktoa'] }));
  unwrap(await stageAs('ktoa'));
});

test('keeps its organisation from being removed', async () => {
  expect(refusalOf(await coordinator().putOrganisation(asAdmin(), 'ktoa', null, ANY))).toMatchObject({
    ...{ code: 'ORGANISATION_IN_USE', message: expect.stringContaining('RELEASE_PUBLIC_KEYS') },
  });
});

test('a change of the keys, or of whom they belong to, is in the audit log after the next start', async () => {
  const restart = async (signers: object): Promise<unknown> => {
    await runInDurableObject(stub(), (_, { storage }) => {
      storage.sql.exec("UPDATE meta SET value = ? WHERE key = 'signers'", JSON.stringify(signers));
    });
    await evictDurableObject(stub());
    return (await coordinator().audit(0, 100)).at(-1);
  };
  const record = (await restart({ '0123456789abcdef': '*' })) as { n: number; after: object };
  expect(record).toMatchObject({
    ...{ action: 'signers.change', actor: 'numgate', before: { '0123456789abcdef': '*' } },
  });
  expect(Object.values(record.after)).toEqual(['*', 'ktoa', 'acme']);
  // No new record if nothing has changed.
  expect(await restart(record.after)).toMatchObject({ n: record.n });
});

test('is refused if it changes the registered senders, which belong to the installation', async () => {
  const registry = (env as unknown as ControlEnv).REGISTRY.getByName(REGISTRY_NAME);
  const pair = { client: 'acme/main', from: 82_15_881_234, to: 82_15_881_234, op: 'add' as const };
  const second = { ...pair, from: pair.to + 1, to: pair.to + 1 };
  expect(await registry.publish('acme', 1, [pair, second], [])).toEqual({ ok: true, value: { version: 2 } });
  const staged = (minute: number, more: object) => stage({ lists: OWN_CHANGED, base, minute, ...more });
  const added = refusalOf(await promote(await staged(1, { registrations: 1, ...KTOA })));
  expect([codeOf(added), added.message]).toEqual([
    ...['SIGNER_FOREIGN', expect.stringContaining('registered senders')],
  ]);
  base = await staged(2, { registrations: 1 });
  unwrap(await promote(base, { base: await current() }));
  expect(codeOf(await promote(await staged(3, { registrations: 2, ...KTOA })))).toBe('SIGNER_FOREIGN');
  expect(codeOf(await promote(await staged(4, KTOA)))).toBe('SIGNER_FOREIGN');
  unwrap(await promote(await staged(5, { registrations: 1, ...KTOA })));
});
