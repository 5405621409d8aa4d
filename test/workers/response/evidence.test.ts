/** Counter-evidence that keeps a rule from blocking a number alone, and how people decide on proposals. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import * as v from 'valibot';
import { beforeEach, expect, test, vi } from 'vitest';
import { clientSchema } from '../../../shared/clients.ts';
import { FACTS_WAIT_MS } from '../../../shared/limits/response.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { freshAppeals } from '../support/appeals.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import {
  asPerson,
  bindings,
  blockOf,
  decide,
  decision,
  desk,
  deskStub,
  entriesOf,
  numberOf,
  putRule,
  settled,
  withCoordinator,
} from '../support/desk.ts';
import { QUALIFIED } from '../support/evidence-files.ts';
import { approved } from '../support/registrations.ts';
import { ANY, NOON } from '../support/room.ts';

freshAppeals();

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** Counts numbers that the clients of the organisation `acme` sent in this hour. */
async function sent(count: number): Promise<void> {
  const counts = { totals: {}, by: { channel: [['sms', count, 0, 0, 0]] } } as never;
  const flush = { client: 'acme-main', isolate: crypto.randomUUID(), flush: 1, shard: 0, shards: 1, counts };
  await bindings()
    .USAGE!.getByName('acme-main')
    .apply({
      ...flush,
      hour: Math.floor(Date.now() / HOUR_MS),
    });
}

/** Registers the number of `numberOf(1)` for acme. */
async function registered(): Promise<void> {
  unwrap(await coordinator().putOrganisation(asAdmin(), 'acme', bareOrganisation('acme'), ANY));
  const settings = { organisation: 'acme', secretSha256: ['0'.repeat(64)], rights: ['check'] };
  const client = v.parse(clientSchema, { id: 'acme-main', ...settings });
  unwrap(await coordinator().putClient(asAdmin(), 'acme-main', client, ANY));
  const { id } = await approved({ number: toE164(numberOf(1)) });
  expect(id).toBe('1');
  await vi.waitUntil(
    async () =>
      (
        (await bindings()
          .REGISTRY.getByName('main')
          .organisationsOf({ from: numberOf(1), to: numberOf(1) }, 10)) ?? []
      ).length > 0,
    { timeout: HANG_MS },
  );
}

test('a registered number is proposed to a person, with its sender and what that sends', async () => {
  await registered();
  unwrap(await coordinator().putQualification(asAdmin('inspected'), 'acme', QUALIFIED, ANY));
  await sent(1_000);
  await decide(await decision(1));
  expect(await blockOf(1)).toMatchObject({
    ...{ state: 'proposed', cause: 'registered', seq: null },
    evidence: { registered: ['acme'], certified: ['acme'], perThousand: 50 },
  });
  expect(await entriesOf(1)).toEqual([]);
  await sent(100_000);
  await decide(await decision(1, { event: 'unsupported' }), await decision(1));
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'lowRate' });
  const { id } = await blockOf(1);
  const done = await desk().act(asPerson(), Number(id), 'approve');
  expect(done).toMatchObject({ ok: true, value: { state: 'provisional', cause: null, pending: false } });
  expect(await entriesOf(1)).toMatchObject([{ stage: 'provisional' }]);
});

test('a decision waits for its facts, and then for a person', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  const registry = vi
    .spyOn(bindings().REGISTRY, 'getByName')
    .mockImplementation(() => ({ organisationsOfEach: async () => null }) as never);
  await desk().decide('1', 1, [await decision(1), await decision(1, { event: 'confirmed' })]);
  // Another subject does not wait for this decision.
  await desk().decide('2', 1, [await decision({ kind: 'source', text: 'bank' })]);
  await vi.waitUntil(async () => (await desk().status()).decisions === 2, { timeout: HANG_MS });
  expect(await desk().status()).toMatchObject({ provisional: 1, proposed: 0 });
  vi.setSystemTime(NOON + FACTS_WAIT_MS);
  await runDurableObjectAlarm(deskStub());
  await settled();
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'factsMissing', evidence: null });
  registry.mockRestore();
  // A person approves it, after an independent kind has already confirmed it.
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson(), Number(id), 'approve')).toMatchObject({
    value: { state: 'confirmed' },
  });
});

test('facts that come in time decide', async () => {
  const registry = vi
    .spyOn(bindings().REGISTRY, 'getByName')
    .mockImplementation(
      () => ({ organisationsOfEach: async () => Promise.reject(new Error('gone')) }) as never,
    );
  await desk().decide('1', 1, [await decision(1)]);
  await vi.waitUntil(async () => registry.mock.calls.length > 0, { timeout: HANG_MS });
  registry.mockRestore();
  // New decisions do not wait for the retry, and take the old decision with them.
  await desk().decide('1', 2, [await decision(2)]);
  await settled();
  expect(await blockOf(1)).toMatchObject({ state: 'provisional' });
});

test('a protected number is never blocked, whoever approves it', async () => {
  const guards = { ...DEFAULT_GUARDS, protectedNumbers: [numberOf(1)] };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  await decide(await decision(1));
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'protected' });
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson(), Number(id), 'approve')).toMatchObject({
    ...{ ok: false, code: 'RULE_BLOCK_REFUSED', extras: { state: 'proposed' } },
    message: expect.stringContaining('change the guards, or dismiss the proposal'),
  });
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'protected' });
  expect(await entriesOf(1)).toEqual([]);
  unwrap(await coordinator().putGuards(asAdmin(), DEFAULT_GUARDS));
  expect(await desk().act(asPerson(), Number(id), 'approve')).toMatchObject({ ok: true });
  expect(await entriesOf(1)).toHaveLength(1);
});

test('the eighth number of a range is proposed, with all that rules blocked in it', async () => {
  await decide(...(await Promise.all(Array.from({ length: 10 }, (_, index) => decision(index)))));
  // A number of another range.
  await decide(await decision(100));
  expect(await desk().status()).toMatchObject({ provisional: 8, proposed: 3 });
  const { ruleBlocks } = await desk().ruleBlocks({ state: 'proposed' }, 0, 10);
  expect(ruleBlocks).toMatchObject([{ cause: 'range', number: toE164(numberOf(7)) }]);
  const members = ruleBlocks[0]!.members!;
  expect(members.map(({ number }) => number)).toEqual(
    Array.from({ length: 10 }, (_, index) => toE164(numberOf(index))),
  );
  // When the reports of the first proposal are withdrawn, the next proposal names the other numbers.
  await decide(await decision(7, { event: 'unsupported' }));
  const left = (await desk().ruleBlocks({ cause: 'range', state: 'proposed' }, 0, 10)).ruleBlocks;
  expect(left).toMatchObject([{ number: toE164(numberOf(8)), members: { length: 9 } }]);
  expect(await desk().act(asPerson(), Number(left[0]!.id), 'approve')).toMatchObject({ ok: true });
  expect(await desk().status()).toMatchObject({ provisional: 10, proposed: 0 });
  expect(await entriesOf(9)).toHaveLength(1);
});

test('a rule that proposes its blocks waits for a person, or for a rule that does not', async () => {
  await putRule('careful', { approval: 'propose' });
  await decide(await decision(1, { id: 'careful' }), await decision(2, { id: 'careful' }));
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'approval' });
  await decide(await decision(1));
  expect(await blockOf(1)).toMatchObject({ state: 'provisional', cause: null });
  const { id } = await blockOf(2);
  expect(await desk().act(asPerson(), Number(id), 'dismiss')).toMatchObject({
    value: { state: 'dismissed' },
  });
  expect(await desk().status()).toMatchObject({ proposed: 0 });
});

test('an entry of somebody else stays as it is', async () => {
  const change = { code: 'SENDER_REPORTED', subjects: ['from'], until: null, reason: 'test' } as const;
  for (const [index, op] of [[1, 'unblock'] as const, [2, 'block'] as const]) {
    const items = [{ number: toE164(numberOf(index)) }];
    unwrap(await coordinator().changeEntries(asAdmin(), { ...change, subjects: ['from'], op, items }));
  }
  await decide(await decision(1), await decision(2));
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'unblocked' });
  expect(await blockOf(2)).toMatchObject({ state: 'ended', cause: 'blocked' });
  expect(await desk().status()).toMatchObject({ rulesFullSince: null });
});

test('with a full reserve, rules propose, and the status has it until there is room', async () => {
  let isFull = true;
  const logged = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const applied: string[] = [];
  withCoordinator({
    applyRuleEntries: async (n, changes) => ({
      last: n,
      results: changes.map(({ op, id }) => {
        applied.push(`${op} ${id}`);
        return isFull ? { refused: 'rulesFull' } : { applied: 7 };
      }),
    }),
  });
  await decide(await decision(1));
  expect(await blockOf(1)).toMatchObject({ state: 'proposed', cause: 'rulesFull' });
  expect(logged.mock.calls.join()).toContain('"ruleEntriesFull"');
  expect((await desk().status()).rulesFullSince).not.toBeNull();
  isFull = false;
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson(), Number(id), 'approve')).toMatchObject({ value: { seq: 7 } });
  expect((await desk().status()).rulesFullSince).toBeNull();
  expect(applied).toEqual(['block 1', 'block 1']);
  isFull = true;
  expect(await desk().act(asPerson(), Number(id), 'confirm')).toMatchObject({
    value: { state: 'confirmed', pending: true, seq: 7 },
  });
  expect(applied.at(-1)).toBe('block 1');
});
