/** `POST registrations/number-events`, live blocks of terminated numbers, and the cron's pass over all organisations. */

import { createScheduledController, evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { CHECK_ROUND_MINUTES } from '../../../shared/limits/registrations.ts';
import type { Proposal } from '../../../shared/proposals.ts';
import { LIVE_GUARDS } from '../../../shared/release/guard-settings.ts';
import { sweep } from '../../../workers/cron.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { EVER, plainList } from '../../shared/support/plain-model.ts';
import { freshControl, putToken, send } from '../support/admin.ts';
import { ALL_GUARDS, asAdmin, coordinator, stage, unwrap } from '../support/coordinator.ts';
import { accepted, act, approved, store } from '../support/registrations.ts';
import { loseRegistry, registry, registryStub } from '../support/registry.ts';
import { NOON } from '../support/room.ts';

freshControl();

beforeEach(async () => {
  for (const id of ['acme', 'other']) {
    const organisation = { id, displayName: id, roles: ['relay'] };
    expect((await send('root', `PUT organisations/${id}`, { organisation })).status).toBe(200);
  }
  await approved();
  await vi.waitFor(async () => expect(await registry().publishers()).toEqual(['acme']), HANG_MS);
});

const report = (body: object) => send('root', 'POST registrations/number-events', body);
const BLOCK = { op: 'block', items: [{ number: '1588-1234' }], code: 'NUMBER_TERMINATED' };
const block = (settings: object = {}, headers: Record<string, string> = {}) =>
  send('root', 'POST entries', { ...BLOCK, ...settings }, { headers });

test('an event names the registrations of the number, and what became of them', async () => {
  const ported = await report({ number: '1588-1234', event: 'ported', at: '2026-11-20T00:00:00Z' });
  const found = { organisation: 'acme', id: '1', state: 'approved' };
  expect([ported.status, ported.answer]).toEqual([200, { registrations: [found] }]);
  expect((await report({ number: '1588-1234', event: 'terminated' })).answer).toEqual({
    registrations: [found],
  });
  expect((await report({ number: '1588-9999', event: 'terminated' })).answer).toEqual({ registrations: [] });
});

test.each([
  [{ number: '112', event: 'ported' }, 'number'],
  [{ number: 'PARCEL', event: 'ported' }, 'number'],
  [{ number: '1588-1234', event: 'sold' }, 'event'],
  [{ number: '1588-1234', event: 'ported', at: '2099-01-01T00:00:00Z' }, 'at'],
  [{ number: '1588-1234', event: 'ported', at: 'yesterday' }, 'at'],
  [{ number: '1588-1234', event: 'ported', who: 'me' }, 'who'],
])('%j is refused by the name of its field', async (body, field) => {
  const { status, answer } = await report(body);
  expect([status, answer.field]).toEqual([400, field]);
  expect(JSON.stringify(answer)).not.toContain('1588');
});

test('a live block of a terminated number suspends its registration, unless it is a dry run or for recipients', async () => {
  expect((await block({ dryRun: true })).status).toBe(200);
  expect((await block({ subjects: ['to'] })).status).toBe(200);
  expect((await block({ code: 'SENDER_REPORTED' })).status).toBe(200);
  expect(await store().get(1)).toMatchObject({ state: 'approved' });
  expect((await block()).status).toBe(200);
  // The request has waited for its background work.
  expect(await store().get(1)).toMatchObject({
    state: 'suspended',
    reasons: [{ code: 'NUMBER_TERMINATED' }],
  });
});

test('a repeated block does not suspend again what a reviewer has resumed', async () => {
  const first = await block({}, { 'idempotency-key': 'once' });
  expect(await store().get(1)).toMatchObject({ state: 'suspended' });
  accepted(await act('1', 'resume'));
  expect((await block({}, { 'idempotency-key': 'once' })).answer).toEqual(first.answer);
  expect(await store().get(1)).toMatchObject({ state: 'approved' });
  // Another request is a new block.
  await block({}, { 'idempotency-key': 'twice' });
  expect(await store().get(1)).toMatchObject({ state: 'suspended' });
});

test('a block that waits for a second person suspends once it is approved', async () => {
  await putToken('night', { role: null, scopes: ['read', 'approve'] });
  const approvals = { kinds: ['guardOverride'], waitSeconds: 3_600 };
  expect((await send('root', 'PUT approvals', { approvals })).status).toBe(200);
  const { status, answer } = await block({ overrides: [...LIVE_GUARDS] });
  expect(status).toBe(202);
  expect(await store().get(1)).toMatchObject({ state: 'approved' });
  const { id, sha256 } = answer.proposal as Proposal;
  const decided = await send('night', `POST proposals/${id}/approve`, { sha256 });
  expect([decided.status, decided.answer.state]).toEqual([200, 'approved']);
  expect(await store().get(1)).toMatchObject({
    state: 'suspended',
    reasons: [{ operation: expect.any(Number) }],
  });
});

test('only stores of organisations that have published something are called, and no other is created', async () => {
  const called = vi.spyOn((env as unknown as ControlEnv).REGISTRATIONS, 'getByName');
  await block();
  await report({ number: '1588-1234', event: 'ported' });
  expect(new Set(called.mock.calls.map(([name]) => name))).toEqual(new Set(['acme']));
});

test('after a loss of the registry, every store is called until it knows those that published', async () => {
  await loseRegistry();
  await evictDurableObject(registryStub());
  const called = vi.spyOn((env as unknown as ControlEnv).REGISTRATIONS, 'getByName');
  expect((await report({ number: '1588-1234', event: 'ported' })).answer).toMatchObject({
    registrations: [{ organisation: 'acme' }],
  });
  expect(called.mock.calls.map(([name]) => name)).toContain('other');
  await runDurableObjectAlarm(registryStub());
  expect(await registry().publishers()).toEqual(['acme']);
});

/** Makes a release current that lists the number as terminated. */
async function promoteTerminated(): Promise<void> {
  const list = plainList('gone', { numbers: [{ n: 82_1588_1234, ...EVER }] });
  const release = await stage({ lists: [{ ...list, info: { ...list.info, reason: 'NUMBER_TERMINATED' } }] });
  unwrap(
    await coordinator().promote(asAdmin(), release, {
      base: null,
      share: 1,
      overrides: ALL_GUARDS,
      reason: 'test',
    }),
  );
}

test('an event of a number that a live block or a release has as terminated suspends its registration', async () => {
  await promoteTerminated();
  expect((await report({ number: '1588-1234', event: 'terminated' })).answer).toEqual({
    registrations: [{ organisation: 'acme', id: '1', state: 'suspended' }],
  });
});

test('a block for recipients alone does not suspend a sender whose termination is reported', async () => {
  expect((await block({ subjects: ['to'] })).status).toBe(200);
  expect((await report({ number: '1588-1234', event: 'terminated' })).answer).toEqual({
    registrations: [{ organisation: 'acme', id: '1', state: 'approved' }],
  });
});

test('the cron comes to every organisation once in a round', async () => {
  await promoteTerminated();
  for (let minute = 0; minute < CHECK_ROUND_MINUTES; minute++) {
    vi.setSystemTime(NOON + minute * 60_000);
    await sweep(createScheduledController(), env as unknown as ControlEnv);
  }
  expect(await store().get(1)).toMatchObject({ state: 'suspended' });
});
