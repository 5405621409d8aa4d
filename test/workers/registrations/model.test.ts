/**
 * The store compared with a plain model: random moves of senders and reviewers, ends of claims and of approved versions, and
 * now and then a new object. The model knows only the effect of each move, as docs/senders.md describes it.
 */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { AuditVerifier } from '../../../shared/audit.ts';
import { CLAIM_MS } from '../../../shared/limits/registrations.ts';
import { ACTIONS, type RegistrationAction, STATES } from '../../../shared/senders/registration.ts';
import {
  act,
  asReviewer,
  asSender,
  create,
  facts,
  store,
  stub,
  withRegistry,
} from '../support/registrations.ts';

const DAY_MS = 86_400_000;
const BASE = 82_1588_0000;
const REGISTRATIONS = 4;

/** The model's data of a registration. Numbers are the last four digits. */
interface Model {
  state: string;
  version: number;
  number: number;
  ends: number;
  approved: { version: number; number: number; ends: number } | null;
  before: string;
  claim: { by: string; until: number } | null;
}

const OPEN = ['draft', 'submitted', 'inReview', 'needsUpdate', 'rejected', 'approved'];

/** Makes the move if it is possible. @returns whether it was */
function move(model: Model, action: RegistrationAction, actor: string, now: number): boolean {
  const is = (...states: string[]): boolean => states.includes(model.state);
  const isClaimant = model.claim?.by === actor;
  const to = (state: string): true => {
    model.state = state;
    if (state !== 'inReview') model.claim = null;
    return true;
  };
  switch (action) {
    case 'submit':
      return is('draft') && model.ends > now && to('submitted');
    case 'claim':
      if (!is('submitted') && !(is('inReview') && isClaimant)) return false;
      model.claim = { by: actor, until: now + CLAIM_MS };
      return to('inReview');
    case 'release':
      return is('inReview') && isClaimant && to('submitted');
    case 'approve':
      if (!is('inReview') || !isClaimant || model.ends <= now) return false;
      model.approved = { version: model.version, number: model.number, ends: model.ends };
      return to('approved');
    case 'reject':
      return is('inReview') && isClaimant && to('rejected');
    case 'requestUpdate':
      return is('inReview') && isClaimant && to('needsUpdate');
    case 'suspend':
      if (!is(...OPEN) || model.approved === null) return false;
      model.before = model.state === 'inReview' ? 'submitted' : model.state;
      return to('suspended');
    case 'resume':
      return is('suspended') && to(model.before);
    case 'close':
      if (is('closed')) return false;
      model.approved = null;
      return to('closed');
  }
}

/** The effects of time. */
function pass(model: Model, now: number): void {
  if (model.claim !== null && model.claim.until <= now) {
    model.state = 'submitted';
    model.claim = null;
  }
  if (model.approved === null || model.approved.ends > now) return;
  model.approved = null;
  if (model.state === 'suspended') model.state = model.before;
  if (model.state === 'approved') model.state = 'expired';
}

const step = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      index: fc.nat(REGISTRATIONS - 1),
      action: fc.constantFrom(...ACTIONS.filter((action) => action !== 'close')),
      actor: fc.constantFrom('one', 'two'),
    }),
    weight: 40,
  },
  // Without this step, random moves would rarely reach a decision.
  {
    arbitrary: fc.record({
      kind: fc.constant('review' as const),
      index: fc.nat(REGISTRATIONS - 1),
      number: fc.nat(9),
      decision: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
    }),
    weight: 8,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      index: fc.nat(REGISTRATIONS - 1),
      number: fc.nat(9),
    }),
    weight: 10,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(CLAIM_MS, DAY_MS, 4 * DAY_MS),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant('evict' as const) }), weight: 2 },
  {
    arbitrary: fc.record({ kind: fc.constant('close' as const), index: fc.nat(REGISTRATIONS - 1) }),
    weight: 1,
  },
);

test('the store does what the model does, whatever happens in between', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  await withRegistry();
  const expires = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
  const models: Model[] = [];
  for (let index = 0; index < REGISTRATIONS; index++) {
    await create({ number: `+${BASE + index}`, expires: expires(4) }, false);
    const ends = Date.now() + 4 * DAY_MS;
    models.push({ state: 'draft', version: 1, number: index, ends, approved: null, before: '', claim: null });
  }
  let refused = 0;
  const reached = new Set<string>();
  const play = async (index: number, action: RegistrationAction, actor: string): Promise<void> => {
    const request = ['submit', 'close'].includes(action) ? asSender() : asReviewer(actor);
    const isPossible = move(models[index]!, action, request.actor.name, Date.now());
    const done = await act(String(index + 1), action, request);
    expect([action, index, done.ok]).toEqual([action, index, isPossible]);
    if (!done.ok) {
      refused++;
      expect(['REGISTRATION_STATE', 'REGISTRATION_CLAIMED', 'REGISTRATION_INVALID']).toContain(done.code);
    }
  };
  const edit = async (index: number, number: number): Promise<void> => {
    const model = models[index]!;
    const patch = { number: `+${BASE + number}`, expires: expires(4) };
    const done = await store().edit(asSender(), facts(), index + 1, patch, { match: null });
    const ends = Date.now() + 4 * DAY_MS;
    const isSame = model.number === number && model.ends === ends;
    const isPossible = isSame || !['inReview', 'suspended', 'closed'].includes(model.state);
    expect(['edit', index, done.ok]).toEqual(['edit', index, isPossible]);
    if (isPossible && !isSame)
      Object.assign(model, { state: 'draft', version: model.version + 1, number, ends });
  };
  for (const next of fc.sample(step, { seed: 2_026, numRuns: 300 })) {
    if (next.kind === 'act') await play(next.index, next.action, next.actor);
    if (next.kind === 'close') await play(next.index, 'close', 'one');
    if (next.kind === 'review') {
      await edit(next.index, next.number);
      for (const action of ['submit', 'claim', next.decision] as const) await play(next.index, action, 'one');
    }
    if (next.kind === 'edit') await edit(next.index, next.number);
    if (next.kind === 'wait') {
      vi.setSystemTime(Date.now() + next.ms);
      for (const model of models) pass(model, Date.now());
      await runDurableObjectAlarm(stub());
    }
    if (next.kind === 'evict') {
      await evictDurableObject(stub());
      await withRegistry();
    }
    const { registrations } = await store().page({}, 0, 10);
    expect(
      registrations.map(({ state, version, approvedVersion }) => `${state} ${version} ${approvedVersion}`),
    ).toEqual(
      models.map(({ state, version, approved }) => `${state} ${version} ${approved?.version ?? null}`),
    );
    for (const { state } of registrations) reached.add(state);
    const { pairs } = await store().published(null, 100);
    const inForce = models.flatMap(({ state, approved }) =>
      approved === null || state === 'suspended' ? [] : [approved],
    );
    expect(pairs.map(({ from }) => from - BASE)).toEqual(
      [...new Set(inForce.map(({ number }) => number))].sort((a, b) => a - b),
    );
  }
  expect(refused).toBeGreaterThan(50);
  const verifier = new AuditVerifier();
  for (const record of await store().audit(0, 1_000)) expect(verifier.next(record)).toBeNull();
  const { length } = (await store().events(0, 1_000)).filter(({ type }) => type === 'approved');
  expect(length).toBeGreaterThan(10);
  expect([...reached].sort()).toEqual([...STATES].sort());
});
