/**
 * What the coordinator reports about a promotion afterwards: the plan in the log, what became current since,
 * and that a canary is no longer refused.
 */
import { describe, expect, test } from 'vitest';
import { plainList } from '../../shared/support/plain-model.ts';
import { ALL_GUARDS, asAdmin, codeOf, coordinator, readHead, stage, unwrap } from '../support/coordinator.ts';
import { smallLists } from '../support/world.ts';

function promotion(base: string | null, more: object = {}) {
  return { base, share: 1, overrides: ALL_GUARDS, reason: 'test', ...more };
}

async function promoted(minute: number, numbers: readonly string[] = []): Promise<string> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists: smallLists(numbers), base, minute });
  unwrap(await coordinator().promote(asAdmin(), release, promotion(base)));
  return release;
}

describe('the record of a promotion', () => {
  test('names the plan that it was bound to, even when none was requested', async () => {
    const first = await promoted(0);
    const record = async () =>
      (await coordinator().audit(0, 1000)).findLast(({ action }) => action === 'release.promote');
    const second = await stage({ lists: smallLists(['+821077770001']), base: first, minute: 9 });
    const { hash } = unwrap(await coordinator().plan(second));
    unwrap(await coordinator().promote(asAdmin(), second, promotion(first, { plan: hash })));
    expect(await record()).toMatchObject({ subject: second, after: { plan: hash } });
    const third = await stage({ lists: smallLists(['+821077770002']), base: second, minute: 10 });
    const other = unwrap(await coordinator().plan(third));
    unwrap(await coordinator().promote(asAdmin(), third, promotion(second)));
    expect(await record()).toMatchObject({ subject: third, after: { plan: other.hash } });
  });
});

describe('a promotion that was refused for a moved base', () => {
  test('gets no release that was rolled back as current since then', async () => {
    const first = await promoted(0);
    await promoted(9, ['+821077770001']);
    unwrap(await coordinator().rollback(asAdmin(), { reason: 'no' }));
    const third = await promoted(10, ['+821077770002']);
    const late = await stage({ lists: smallLists(), base: first, minute: 11 });
    const result = await coordinator().promote(asAdmin(), late, promotion(first));
    expect([codeOf(result), result.ok ? null : result.extras?.since]).toMatchObject([
      'BASE_MOVED',
      [{ release: third }],
    ]);
  });
});

describe('a canary', () => {
  test('is no longer marked refused, though a guard had stopped it before', async () => {
    const first = await promoted(0);
    const release = await stage({ lists: [plainList('suspended')], base: first, minute: 9 });
    const stopped = await coordinator().promote(asAdmin(), release, promotion(first, { overrides: [] }));
    expect(codeOf(stopped)).toBe('GUARD_HIT');
    unwrap(await coordinator().promote(asAdmin(), release, promotion(first, { share: 0.1 })));
    expect((await coordinator().status()).candidate).toMatchObject({ release, refusal: null });
  });
});
