/** The outbox of notices, compared with a plain model: whatever dies, each store gets each notice once, in order. */
import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { NOTICE_RETRY_MS_MAX, OUTBOX_NOTICES_MAX } from '../../../shared/limits/notice-sources.ts';
import { NOTICE_BATCH_MAX } from '../../../shared/limits/notices.ts';
import type { NewNotice } from '../../../shared/notices/notice.ts';
import { NoticeOutbox } from '../../../workers/storage/notice-outbox.ts';
import type { NoticeObject } from '../../../workers/storage/notices-port.ts';
import { routerStub } from '../support/router.ts';

const RECEIVERS = ['acme', 'kt', 'skt'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

function notice(key: string): NewNotice {
  return { key, type: 'test', at: 0, subject: 's', data: {}, mock: false, respondBy: null };
}

/** The effect of a call to a store: it succeeds, fails before or after it has kept the batch, or the store is full. */
type Result = 'ok' | 'before' | 'after' | 'full';

/** Stores as the port describes them. */
class FakeStores {
  readonly kept = new Map<string, string[]>();
  readonly #last = new Map<string, number>();
  next: () => Result = () => 'ok';

  getByName(name: string): Pick<NoticeObject, 'add'> {
    return {
      add: async (organisation, _sender, n, notices) => {
        expect(organisation).toBe(name);
        expect(notices.length).toBeLessThanOrEqual(NOTICE_BATCH_MAX);
        const result = this.next();
        if (result === 'before') throw new Error('it does not respond');
        const last = this.#last.get(name) ?? 0;
        if (result === 'full') return { last, isFull: true };
        if (n > last) {
          // The number rises by 1, so nothing is left out.
          expect(n).toBe(last + 1);
          this.#last.set(name, n);
          this.kept.set(name, [...(this.kept.get(name) ?? []), ...notices.map(({ key }) => key)]);
        }
        if (result === 'after') throw new Error('the answer is lost');
        return { last: Math.max(n, last), isFull: false };
      },
    };
  }
}

type Step = 'run' | 'restart' | { readonly add: string; readonly many: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ add: fc.constantFrom(...RECEIVERS), many: fc.integer({ min: 1, max: 4 }) }),
  fc.constant('run' as const),
  fc.constant('restart' as const),
);
const result = fc.constantFrom<Result>('ok', 'ok', 'before', 'after', 'full');

test('each receiver gets its notices once, in order, through failures and restarts', async () => {
  await runInDurableObject(routerStub(), async (_, { storage }) => {
    const run = async (steps: readonly Step[], results: readonly Result[]) => {
      storage.sql.exec('DELETE FROM notice_outbox');
      storage.sql.exec('DELETE FROM notice_receivers');
      const stores = new FakeStores();
      const expected = new Map<string, string[]>();
      let [calls, key] = [0, 0];
      stores.next = () => results[calls++] ?? 'ok';
      const start = () =>
        new NoticeOutbox(
          storage,
          () => 'test',
          () => stores,
        );
      let outbox = start();
      for (const each of steps) {
        if (each === 'run') await outbox.run();
        else if (each === 'restart') outbox = start();
        else {
          const added = Array.from({ length: each.many }, () => notice(`n${++key}`));
          storage.transactionSync(() => outbox.add(each.add, added));
          expected.set(each.add, [...(expected.get(each.add) ?? []), ...added.map((one) => one.key)]);
        }
        vi.setSystemTime(Date.now() + 1_000);
      }
      stores.next = () => 'ok';
      vi.setSystemTime(Date.now() + NOTICE_RETRY_MS_MAX);
      await outbox.run();
      expect(stores.kept).toEqual(expected);
      expect([outbox.waiting, outbox.dueAt, outbox.dropped]).toEqual([0, null, 0]);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(result, { maxLength: 30 }), run),
      { numRuns: 60 },
    );
  });
});

test('a receiver that fails does not hold up the others, and what it has no room for is dropped and counted', async () => {
  await runInDurableObject(routerStub(), async (_, { storage }) => {
    const stores = new FakeStores();
    const outbox = new NoticeOutbox(
      storage,
      () => 'test',
      () => stores,
    );
    const many = Array.from({ length: OUTBOX_NOTICES_MAX + 5 }, (__, index) => notice(`n${index}`));
    storage.transactionSync(() =>
      outbox.addAll([...many.map((one) => ['acme', one] as const), ['kt', notice('k')]]),
    );
    expect([outbox.waiting, outbox.dropped]).toEqual([OUTBOX_NOTICES_MAX + 1, 5]);
    const { getByName } = stores;
    stores.getByName = (name) => {
      if (name === 'acme') throw new Error('it does not respond');
      return getByName.call(stores, name);
    };
    await outbox.run();
    expect(stores.kept.get('kt')).toEqual(['k']);
    expect(outbox.waiting).toBe(OUTBOX_NOTICES_MAX);
    stores.getByName = getByName;
    vi.setSystemTime(Date.now() + NOTICE_RETRY_MS_MAX);
    await outbox.run();
    expect(stores.kept.get('acme')).toHaveLength(OUTBOX_NOTICES_MAX);
  });
});

test('an outbox that was set back numbers its batches after those that the store has', async () => {
  await runInDurableObject(routerStub(), async (_, { storage }) => {
    const stores = new FakeStores();
    const start = () =>
      new NoticeOutbox(
        storage,
        () => 'test',
        () => stores,
      );
    const outbox = start();
    for (const key of ['a', 'b', 'c']) storage.transactionSync(() => outbox.add('acme', [notice(key)]));
    await outbox.run();
    storage.sql.exec('DELETE FROM notice_receivers');
    for (const key of ['d', 'e']) storage.transactionSync(() => outbox.add('acme', [notice(key)]));
    await start().run();
    expect(stores.kept.get('acme')).toEqual(['a', 'b', 'c', 'd', 'e']);
    storage.transactionSync(() => outbox.add('acme', [notice('f')]));
    await start().run();
    expect(stores.kept.get('acme')!.at(-1)).toBe('f');
  });
});
