/** Text releases: push, canary, promotion, withdrawal and rollback, as admins see them and as the head shows them. */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { auditHash, CHAIN_START } from '../../../shared/audit.ts';
import { TEXT_PUSHES_PER_DAY_MAX, TEXT_RELEASES_KEPT } from '../../../shared/limits/text.ts';
import { textKeyOf } from '../../../workers/storage/text-secrets.ts';
import { modelInfo } from '../../shared/support/text-manifests.ts';
import {
  asText,
  codeIn,
  done,
  headText,
  keysInKv,
  namesIn,
  promoted,
  promoting,
  pushed,
  readIndex,
  readValue,
  textRelease,
  textRows,
  texts,
} from '../support/text-store.ts';

const WEAK = modelInfo({ domains: [{ domain: 'delivery', texts: 1_000, review: 90, suspicious: 60 }] });

test('a pushed release changes nothing; a promoted one is in the head, and its values are in KV before', async () => {
  const built = await pushed();
  expect(await headText()).toBeNull();
  expect(await keysInKv()).toEqual([]);
  const change = await promoted(built.release);
  expect(change).toEqual({
    ...{ release: built.release, state: 'current', current: built.release, version: 1, published: true },
  });
  const index = await readIndex();
  expect([namesIn(index), index.version, index.campaigns]).toEqual([[built.release, null], 1, null]);
  expect(index.current).toEqual(built.put.manifest);
  expect(await keysInKv()).toEqual(expect.arrayContaining([...built.keys]));
  for (const key of built.keys) expect((await readValue(key)).length).toBeGreaterThan(0);
});

test('a canary runs in a share of the data centres until it is promoted to all, or withdrawn', async () => {
  const first = await pushed();
  // Without a release in force, the other data centres have no text release.
  const canary = await promoted(first.release, null, { share: 0.25 });
  expect(canary).toMatchObject({ state: 'candidate', share: 0.25, current: null });
  expect((await readIndex()).candidate).toEqual({ manifest: first.put.manifest, share: 0.25 });
  await promoted(first.release, null, { share: 0.5 });
  expect((await readIndex()).candidate?.share).toBe(0.5);
  const second = await pushed({ base: first.release, minute: 1 });
  expect(codeIn(await texts().promote(asText(), second.release, promoting(null)))).toBe('RELEASE_STATE');
  await promoted(first.release);
  expect(namesIn(await readIndex())).toEqual([first.release, null]);
  await promoted(second.release, first.release, { share: 0.1 });
  expect(await texts().canary()).toMatchObject({ current: first.release, candidate: second.release });
  const withdrawn = done(await texts().withdraw(asText(), second.release));
  expect(withdrawn).toMatchObject({ state: 'withdrawn', current: first.release, published: true });
  expect(namesIn(await readIndex())).toEqual([first.release, null]);
  expect(await texts().canary()).toBeNull();
  expect(codeIn(await texts().withdraw(asText(), second.release))).toBe('RELEASE_STATE');
  expect(codeIn(await texts().withdraw(asText(), 'text-20261124T0312Z-ffffffff'))).toBe(
    'TEXT_RELEASE_UNKNOWN',
  );
});

test('the service itself withdraws a candidate only while it is one', async () => {
  const { release } = await pushed();
  await promoted(release, null, { share: 0.5 });
  expect(await texts().withdrawCandidate('text-20261124T0312Z-ffffffff', 'labels 9 times more')).toBe(false);
  expect(await texts().withdrawCandidate(release, 'labels 9 times more')).toBe(true);
  expect(await texts().withdrawCandidate(release, 'labels 9 times more')).toBe(false);
  expect(namesIn(await readIndex())).toEqual([null, null]);
  expect((await texts().audit(0, 100)).at(-1)).toMatchObject({
    ...{ actor: 'numgate', action: 'textRelease.withdraw', subject: release, reason: 'labels 9 times more' },
  });
});

test('rollback undoes one step at a time: the canary, the release, and the first one', async () => {
  const names: string[] = [];
  for (let minute = 0; minute < 3; minute++) {
    const base = names.at(-1) ?? null;
    const { release } = await pushed({ base, minute });
    await promoted(release, base, { share: minute === 2 ? 0.5 : 1 });
    names.push(release);
  }
  const rollBack = async (expected?: string) => {
    const result = await texts().rollBack(asText(), expected);
    return result.ok ? [result.value.release, result.value.current] : result.code;
  };
  expect(await rollBack(names[1])).toBe('BASE_MOVED');
  expect(await rollBack(names[2])).toEqual([names[2], names[1]]);
  expect(await rollBack()).toEqual([names[1], names[0]]);
  expect(namesIn(await readIndex())).toEqual([names[0], null]);
  // A withdrawn release can return, and a rollback then returns to the release before it.
  await promoted(names[1]!, names[0]);
  expect(await rollBack(names[1])).toEqual([names[1], names[0]]);
  expect(await rollBack(names[0])).toEqual([names[0], null]);
  expect(namesIn(await readIndex())).toEqual([null, null]);
  expect(await rollBack()).toBe('ROLLBACK_IMPOSSIBLE');
});

describe('guards', () => {
  test('refuse a promotion by name, with figures, unless it overrides them; a dry run only shows them', async () => {
    const first = await pushed();
    await promoted(first.release);
    const next = await pushed({ base: null, minute: 1, model: WEAK, hosts: {} });
    const hit = ['domain-rate', 'label-rate', 'older-base', 'fewer-hosts'];
    const plan = done(await texts().plan(next.release));
    expect([plan.base, plan.guards.map(({ guard }) => guard)]).toEqual([first.release, hit]);
    const dry = done(
      await texts().promote(asText(), next.release, promoting(first.release, { dryRun: true, share: 0.5 })),
    );
    expect(dry).toMatchObject({ state: 'candidate', dryRun: true, published: false, version: 1 });
    expect(dry.guards).toEqual(plan.guards);
    expect(await texts().status()).toMatchObject({ version: 1, current: first.release, candidate: null });
    const refused = await texts().promote(
      asText(),
      next.release,
      promoting(first.release, { overrides: ['older-base', 'fewer-hosts'] }),
    );
    expect(refused).toMatchObject({
      code: 'GUARD_HIT',
      message: expect.stringContaining('domain-rate, label-rate'),
    });
    expect(refused.ok ? [] : refused.extras?.guards?.map(({ guard }) => guard)).toEqual(hit.slice(0, 2));
    const change = await promoted(next.release, first.release, { overrides: hit as never });
    expect(change.guards).toEqual(plan.guards);
    expect((await texts().audit(0, 100)).at(-1)).toMatchObject({
      ...{ action: 'textRelease.promote', subject: next.release, reason: 'test' },
      before: { state: 'pushed', current: first.release },
      after: { state: 'current', overrides: hit },
    });
  });

  test('a promotion that expects another release in force changes nothing', async () => {
    const first = await pushed();
    expect(await texts().promote(asText(), first.release, promoting(first.release))).toMatchObject({
      ...{ code: 'BASE_MOVED', extras: { base: first.release, current: null } },
    });
    await promoted(first.release);
    expect(codeIn(await texts().promote(asText(), first.release, promoting(first.release)))).toBe(
      'RELEASE_STATE',
    );
    expect(codeIn(await texts().promote(asText(), 'text-20261124T0312Z-ffffffff', promoting(null)))).toBe(
      'TEXT_RELEASE_UNKNOWN',
    );
    expect(codeIn(await texts().plan('text-20261124T0312Z-ffffffff'))).toBe('TEXT_RELEASE_UNKNOWN');
  });
});

test('the store keeps a few releases: those in force, and what a rollback returns to, stay', async () => {
  const first = await pushed();
  await promoted(first.release);
  const second = await pushed({ base: first.release, minute: 1 });
  await promoted(second.release, first.release);
  for (let minute = 2; minute < TEXT_RELEASES_KEPT + 4; minute++) {
    const { release } = await pushed({ base: second.release, minute, weight: minute });
    if (minute === 2) await promoted(release, second.release, { share: 0.5 });
  }
  const kept = await texts().releases();
  expect(kept.map(({ state }) => state).sort()).toEqual([
    ...['candidate', 'current', 'former', ...Array(TEXT_RELEASES_KEPT - 3).fill('pushed')],
  ]);
  // The pushed models all differ, and the hosts are all the same.
  expect(await textRows('release_values')).toBe(TEXT_RELEASES_KEPT);
  done(await texts().rollBack(asText(), undefined));
  expect(done(await texts().rollBack(asText(), undefined))).toMatchObject({ current: first.release });
  const keys = (await texts().releases()).flatMap(({ manifest }) => [
    ...[manifest.model!.value.key, manifest.hosts!.value.key],
  ]);
  for (const key of keys) expect(await texts().value(key)).not.toBeNull();
});

test('repeated requests change nothing: a push, and a promotion with an Idempotency-Key', async () => {
  const built = await pushed();
  expect(done(await texts().pushRelease(asText(), built.put)).release).toBe(built.release);
  expect(await textRows('audit')).toBe(1);
  const request = asText('key-1');
  const first = done(await texts().promote(request, built.release, promoting(null)));
  const again = done(await texts().promote(request, built.release, promoting(null)));
  expect(again).toEqual(first);
  expect((await texts().status()).version).toBe(1);
  expect(done(await texts().rollBack(asText('key-2'), undefined))).toMatchObject({ current: null });
  expect(done(await texts().rollBack(asText('key-2'), undefined))).toMatchObject({ current: null });
});

test('a token pushes so many releases a day, and no more; others still can', async () => {
  const built = await textRelease();
  const altered = { ...built.put, values: {} };
  for (let push = 0; push < TEXT_PUSHES_PER_DAY_MAX; push++)
    expect(codeIn(await texts().pushRelease(asText(), altered))).toBe('VALUE_MISSING');
  expect(await texts().pushRelease(asText(), built.put)).toMatchObject({
    ...{ code: 'BUDGET_EXCEEDED', extras: { budget: { name: 'textReleases' } } },
  });
  done(await texts().pushRelease(asText(null, 'token:ktoa'), built.put));
});

test('the status names the keys and what is in force', async () => {
  const key = await textKeyOf(env);
  const textKeyId = key.ok ? key.value.id : 'none';
  expect(await texts().status()).toEqual({
    ...{ version: 0, published: 0, current: null, candidate: null, campaigns: {}, textKeyId, listKeyIds: [] },
  });
  const { release } = await pushed();
  await promoted(release, null, { share: 0.5 });
  expect(await texts().status()).toMatchObject({
    ...{ version: 1, published: 1, current: null, candidate: { release, share: 0.5 } },
    listKeyIds: [expect.stringMatching(/^[0-9a-f]{16}$/)],
  });
});

test('every change is in a hash chain, with its author and reason', async () => {
  const { release } = await pushed();
  await promoted(release);
  done(await texts().rollBack(asText(), release));
  const records = await texts().audit(0, 100);
  expect(records.map(({ n, action, subject, actor }) => [n, action, subject, actor])).toEqual([
    [1, 'textRelease.push', release, 'token:kisa'],
    [2, 'textRelease.promote', release, 'token:kisa'],
    [3, 'textRelease.rollback', release, 'token:kisa'],
  ]);
  let previous = CHAIN_START;
  for (const { hash, ...record } of records) {
    expect([record.previous, auditHash(record)]).toEqual([previous, hash]);
    previous = hash;
  }
  expect(await texts().audit(2, 1)).toEqual([records[2]]);
  expect(await texts().audit(3, 1)).toEqual([]);
});
