/**
 * What the coordinator tells of a promotion afterwards: the plan in the log, what became current since, and
 * that a canary is no longer refused.
 */
import { describe, expect, test } from 'vitest';
import { plainList } from '../shared/support/plain-model.ts';
import { ALL_GUARDS, authority, codeOf, done, order, readHead, stage } from './support/coordinator.ts';
import './support/fresh.ts';
import { smallLists } from './support/world.ts';

function wish(base: string | null, more: object = {}) {
  return { base, share: 1, overrides: ALL_GUARDS, reason: 'test', ...more };
}

async function promoted(minute: number, numbers: readonly string[] = []): Promise<string> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists: smallLists(numbers), base, minute });
  done(await authority().promote(order(), release, wish(base)));
  return release;
}

describe('the record of a promotion', () => {
  test('names the plan that it was bound to, also where none was asked for', async () => {
    const first = await promoted(0);
    const record = async () =>
      (await authority().audit(0, 1000)).findLast(({ action }) => action === 'release.promote');
    const second = await stage({ lists: smallLists(['+821077770001']), base: first, minute: 9 });
    const { hash } = done(await authority().plan(second));
    done(await authority().promote(order(), second, wish(first, { plan: hash })));
    expect(await record()).toMatchObject({ subject: second, after: { plan: hash } });
    const third = await stage({ lists: smallLists(['+821077770002']), base: second, minute: 10 });
    const other = done(await authority().plan(third));
    done(await authority().promote(order(), third, wish(second)));
    expect(await record()).toMatchObject({ subject: third, after: { plan: other.hash } });
  });
});

describe('of what has become current since', () => {
  test('nothing is told that was taken back', async () => {
    const first = await promoted(0);
    await promoted(9, ['+821077770001']);
    done(await authority().rollback(order(), { reason: 'no' }));
    const third = await promoted(10, ['+821077770002']);
    const late = await stage({ lists: smallLists(), base: first, minute: 11 });
    const outcome = await authority().promote(order(), late, wish(first));
    expect([codeOf(outcome), outcome.ok ? null : outcome.extras?.since]).toMatchObject([
      'BASE_MOVED',
      [{ release: third }],
    ]);
  });
});

describe('a canary', () => {
  test('is refused no more, though a guard had stopped it before', async () => {
    const first = await promoted(0);
    const release = await stage({ lists: [plainList('suspended')], base: first, minute: 9 });
    const stopped = await authority().promote(order(), release, wish(first, { overrides: [] }));
    expect(codeOf(stopped)).toBe('GUARD_HIT');
    done(await authority().promote(order(), release, wish(first, { share: 0.1 })));
    expect((await authority().status()).candidate).toMatchObject({ release, refusal: null });
  });
});
