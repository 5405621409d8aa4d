/** Mobile numbers that send many texts, for an operator without room for more such notices on this day. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { OWNERS_USED_PER_DAY_MAX } from '../../../shared/limits/notice-sources.ts';
import { noticesOf, putMember, putOperators, router, routerStub } from '../support/router.ts';

/** 09:00 in Korea. */
const MORNING = Date.parse('2040-01-02T00:00:00Z');
const DAY_MS = 86_400_000;

test('what an operator has no more room for in a day is one line of the log for each batch', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: MORNING });
  await putMember('acme', { senderCode: 'ACME0001' });
  await putOperators('skt', 'kt');
  await runInDurableObject(routerStub(), (_, { storage }) => {
    const today = Math.floor(MORNING / DAY_MS);
    const full = `INSERT OR REPLACE INTO operator_days VALUES ('skt', 'used', ?, ?, 0)`;
    storage.sql.exec(full, today, OWNERS_USED_PER_DAY_MAX);
  });
  const facts = [0, 1, 2].map((index) => ({
    ...{ client: 'acme-main', number: 82_10_2000_1234 + index, day: Math.floor(MORNING / DAY_MS) },
    ...{ textsOver: 500, at: Date.now() },
  }));
  const warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await router().ownersUsed('usage/full', 1, facts);
  expect(await noticesOf('skt')).toEqual([]);
  const dropped = warned.mock.calls.filter(([line]) => String(line).includes('guidanceDropped'));
  expect(dropped).toEqual([[JSON.stringify({ event: 'guidanceDropped', organisation: 'skt', notices: 3 })]]);
  expect((await router().status()).dropped).toBe(3);
});
