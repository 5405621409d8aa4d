/** The warnings about keys that end within 30 days. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { EXPIRING_SHOWN_MAX } from '../../../shared/limits/control.ts';
import { asAdmin, coordinator, stub, unwrap } from '../support/coordinator.ts';
import { ANY, TOKEN } from '../support/room.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

test('keys that end soon come first, however many have ended', async () => {
  for (const [id, days] of [
    ['later', 20],
    ['next', 10],
    ['far', 40],
  ] as const)
    unwrap(await coordinator().putToken(asAdmin(), id, { ...TOKEN, id, expires: inDays(days) }, ANY));
  await runInDurableObject(stub(), (_, { storage }) => {
    for (let each = 0; each <= EXPIRING_SHOWN_MAX; each++) {
      const token = { ...TOKEN, id: `ended-${each}`, expires: inDays(-1 - each / 10) };
      storage.sql.exec('INSERT INTO tokens VALUES (?, ?)', token.id, JSON.stringify(token));
    }
  });
  const ids = (await coordinator().status()).expiring!.map(({ id }) => id);
  expect(ids).toHaveLength(EXPIRING_SHOWN_MAX);
  expect(ids.slice(0, 2)).toEqual(['next', 'later']);
  expect(ids).toContain('ended-0');
  expect(ids).not.toContain('far');
});
