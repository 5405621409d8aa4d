/** The coordinator and the text store receive rule decisions independently. If one is down, the other is not delayed. */
import { evictDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import type { CampaignChange } from '../../../workers/storage/campaign-port.ts';
import type { RuleDecision } from '../../../workers/storage/response-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asPerson,
  bindings,
  blockOf,
  blocksOf,
  decision,
  desk,
  deskStub,
  entriesOf,
  putRule,
  rowsOf,
  settled,
  withCoordinator,
} from '../support/desk.ts';

const CAMPAIGN = { kind: 'campaign', id: 7 } as const;

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await putRule('texts', { target: 'campaign' });
});

/** Replaces the text store of the desk. */
function withText(applyCampaignChanges: (n: number, changes: readonly CampaignChange[]) => Promise<unknown>) {
  vi.spyOn(bindings().TEXT, 'getByName').mockReturnValue({ applyCampaignChanges } as never);
}

const taken: Parameters<typeof withText>[0] = async (n, changes) => ({
  ...{ last: n, results: changes.map(() => ({ applied: 3 })) },
});

let batch = 2_000_000;

/** Sends decisions without waiting for their effects. */
async function send(...decisions: readonly RuleDecision[]): Promise<void> {
  await desk().decide('0', ++batch, decisions);
  await vi.waitUntil(async () => (await desk().status()).decisions === 0, { timeout: HANG_MS });
}

/** Makes the desk try again at once. */
async function again(): Promise<void> {
  await evictDurableObject(deskStub());
  await desk().refresh();
  await settled();
}

test.each([
  ['throws', () => Promise.reject(new Error('gone'))],
  ['hangs', () => new Promise(() => undefined)],
])('while the text store %s, numbers are blocked and lifted as ever', async (_, fails) => {
  const tried = vi.fn(fails);
  withText(tried);
  await send(await decision(CAMPAIGN, { id: 'texts' }), await decision(1));
  await vi.waitUntil(async () => (await entriesOf(1)).length === 1, { timeout: HANG_MS });
  await send(await decision(2));
  await vi.waitUntil(async () => (await entriesOf(2)).length === 1, { timeout: HANG_MS });
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson(), Number(id), 'lift')).toMatchObject({
    value: { state: 'lifted', pending: false },
  });
  await send(await decision(2, { event: 'unsupported' }));
  await vi.waitUntil(async () => (await entriesOf(2)).length === 0, { timeout: HANG_MS });
  expect(await entriesOf(1)).toEqual([]);
  expect(tried).toHaveBeenCalled();
  expect(await blocksOf(CAMPAIGN)).toMatchObject([{ pending: true }]);
  // The text store is back, and the waiting batch is sent unchanged.
  const came = vi.fn(taken);
  withText(came);
  await again();
  expect(came.mock.calls[0]).toEqual((tried.mock.calls as unknown[])[0]);
  expect(await blocksOf(CAMPAIGN)).toMatchObject([{ state: 'provisional', pending: false }]);
});

test('while the coordinator does not respond, campaigns are confirmed and lifted as ever', async () => {
  const came = vi.fn(taken);
  withText(came);
  withCoordinator({ applyRuleEntries: () => Promise.reject(new Error('gone')) });
  await send(await decision(1), await decision(CAMPAIGN, { id: 'texts' }));
  await vi.waitUntil(async () => !(await blocksOf(CAMPAIGN))[0]!.pending, { timeout: HANG_MS });
  const [block] = await blocksOf(CAMPAIGN);
  expect(await desk().act(asPerson(), Number(block!.id), 'lift')).toMatchObject({
    value: { state: 'lifted', pending: false },
  });
  expect(came.mock.calls.map(([, changes]) => changes.map(({ op }) => op))).toEqual([['block'], ['lift']]);
  expect(await blockOf(1)).toMatchObject({ pending: true });
  expect((await desk().status()).unsent).toBe(1);
});

test('no room for more campaigns leaves room for numbers, and the status has the room of the live layer', async () => {
  withText(async (n, changes) => ({ last: n, results: changes.map(() => ({ refused: 'rulesFull' })) }));
  await send(await decision(CAMPAIGN, { id: 'texts' }));
  await settled();
  expect(await blocksOf(CAMPAIGN)).toMatchObject([{ state: 'proposed', cause: 'rulesFull' }]);
  await send(await decision(1));
  await settled();
  expect(await entriesOf(1)).toHaveLength(1);
  expect((await desk().status()).rulesFullSince).toBeNull();
  expect(await rowsOf('blocks')).toBe(2);
});
