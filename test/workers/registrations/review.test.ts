/** A registration from draft to its end, in the store. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import {
  act,
  approved,
  asReviewer,
  asSender,
  content,
  create,
  facts,
  store,
  stub,
  accepted,
} from '../support/registrations.ts';
import '../support/fresh.ts';

test('a registration is created, submitted, claimed, approved and published', async () => {
  const draft = await create({}, false);
  expect(draft).toMatchObject({
    organisation: 'acme',
    id: '1',
    state: 'draft',
    version: 1,
    publication: 'none',
  });
  expect(accepted(await act('1', 'submit')).state).toBe('submitted');
  expect(accepted(await act('1', 'claim'))).toMatchObject({ state: 'inReview', claimedBy: 'token:kisa' });
  const done = accepted(await act('1', 'approve'));
  expect(done).toMatchObject({ state: 'approved', approvedVersion: 1, claimedBy: null });
  await vi.waitFor(async () => expect((await store().get(1))!.publication).toBe('published'));
  expect(await store().published(null, 10)).toEqual({
    pairs: [{ client: 'acme/acme-main', from: 82_1588_1234, to: 82_1588_1234, op: 'addOwn' }],
    next: null,
  });
});
