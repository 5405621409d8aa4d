/** Proposals: which changes wait for a second person, who may decide, and that exactly the shown change is executed. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PROPOSALS_KEPT_MS, PROPOSALS_PER_PROPOSER_MAX } from '../../../shared/limits/control.ts';
import { APPROVAL_KINDS, type ApprovalKind, type Approvals } from '../../../shared/proposals.ts';
import { DEFAULT_GUARDS, LIVE_GUARDS } from '../../../shared/release/guard-settings.ts';
import { listOf, OWN } from '../support/authorities.ts';
import { ALL_GUARDS, codeOf, coordinator, stage, stub, unwrap, WRANGLER } from '../support/coordinator.ts';
import {
  ALICE,
  actFor,
  approve,
  BOB,
  by,
  CAROL,
  labelNow,
  putPolicy,
  putToken,
  ROOT,
  reject,
  settle,
  stateOf,
  waiting,
} from '../support/people.ts';
import { change } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
afterEach(() => vi.useRealTimers());

const put = (approvals: Approvals, author = ROOT) => coordinator().putApprovals(by(author), approvals);
const records = async () => (await coordinator().audit(0, 1_000)).map(({ action, actor }) => [action, actor]);

test('a change waits, changes nothing, and is made once a second person approves it', async () => {
  await settle(['policy']);
  const before = await coordinator().status();
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  expect(proposal).toMatchObject({
    ...{ state: 'pending', kinds: ['policy'], proposer: 'token:alice', organisation: 'ktoa', changes: 1 },
    shown: [{ action: 'policy.put', after: { policy: { label: '[new]' } } }],
  });
  expect(await labelNow()).not.toBe('[new]');
  expect((await coordinator().status()).seq).toBe(before.seq);
  expect((await coordinator().status()).proposals).toEqual({ pending: 1, unreviewed: 0, revertFailed: 0 });
  const done = unwrap(await approve(BOB, proposal));
  expect(done).toMatchObject({ state: 'approved', decidedBy: 'token:bob', seq: before.seq + 1 });
  expect(await labelNow()).toBe('[new]');
  // Both people, in one operation.
  const [made, decided] = (await coordinator().audit(0, 1_000)).slice(-2);
  expect([made, decided]).toMatchObject([
    { action: 'policy.put', actor: 'token:alice', reason: 'test' },
    {
      ...{ action: 'proposals.approve', subject: `proposal ${proposal.id}`, before: { state: 'pending' } },
      after: { proposer: 'token:alice', decidedBy: 'token:bob', note: 'reviewed', sha256: proposal.sha256 },
    },
  ]);
  expect(made!.at).toBe(decided!.at);
});

/** One change of each kind. @returns the change that waits */
const CHANGES: Readonly<Record<Exclude<ApprovalKind, 'signingKeys'>, () => Promise<unknown>>> = {
  actForOthers: async () => {
    unwrap(await coordinator().changeEntries(by(CAROL), { ...change('block'), overrides: [] }));
    return actFor(ALICE, 'kisa');
  },
  policy: () => putPolicy(ALICE, '[new]'),
  guards: () => coordinator().putGuards(by(ALICE), { ...DEFAULT_GUARDS, addShare: 0.9 }),
  fullShare: async () => {
    const release = await stage({ lists: [OWN] });
    return coordinator().promote(by(ROOT), release, PROMOTE);
  },
  guardOverride: async () => {
    const release = await stage({ lists: [OWN] });
    return coordinator().promote(by(ROOT), release, PROMOTE);
  },
  tokens: () => putToken({ ...ALICE, name: 'token:frank' }),
  qualifications: () =>
    coordinator().putQualification(
      by(ALICE),
      'default',
      { ...PENDING, validUntil: null },
      { match: null, absent: false },
    ),
  rules: () => coordinator().removeRule(by(ALICE), 'kr-50', { match: null, absent: false }),
  approvals: () => put({ kinds: [], waitSeconds: 3_600 }),
};
const PENDING = { state: 'pending', factor: null, inspectedAt: null, nextInspectionBy: null } as const;
const PROMOTE = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };

test.each(Object.entries(CHANGES))('%s waits if its kind does, and not otherwise', async (name, make) => {
  const kind = name as ApprovalKind;
  await settle(kind === 'approvals' ? ['policy'] : [kind]);
  const proposal = waiting((await make()) as never);
  expect(proposal.kinds).toContain(kind);
  expect(await stateOf(proposal)).toBe('pending');
  unwrap(await approve(BOB, proposal));
});

/** Kinds whose change here has no other kind. */
const PURE = ['actForOthers', 'policy', 'guards', 'tokens', 'qualifications'] as const;
test.each(PURE)('%s does not wait if all other kinds do', async (name) => {
  await settle(APPROVAL_KINDS.filter((kind) => kind !== name));
  unwrap((await CHANGES[name]()) as never);
});

test('a canary does not wait for the share of 100 %, and a rollback never does', async () => {
  await settle(['fullShare']);
  const base = await stage({ lists: [OWN] });
  unwrap(await approve(BOB, waiting(await coordinator().promote(by(ROOT), base, PROMOTE))));
  const next = await stage({ lists: [listOf('ktoa', { effect: 'label' })], base, minute: 1 });
  unwrap(await coordinator().promote(by(ROOT), next, { ...PROMOTE, base, share: 0.5 }));
  waiting(await coordinator().promote(by(ROOT), next, { ...PROMOTE, base }));
  unwrap(await coordinator().rollback(by(ROOT), { reason: 'test' }));
});

test('root acts for others where it changes what belongs to them, without naming them', async () => {
  await settle(['actForOthers']);
  unwrap(await coordinator().changeEntries(by(CAROL), change('block')));
  unwrap(await coordinator().changeEntries(by(ROOT), change('block', '+821030000009')));
  const proposal = waiting(await coordinator().changeEntries(by(ROOT), change('clear')));
  expect(codeOf(await approve(ROOT, proposal))).toBe('APPROVER_REFUSED');
  unwrap(await approve(CAROL, proposal));
  expect(await coordinator().findEntries({ number: '+821030000001' })).toMatchObject({
    value: [{ op: 'clear' }],
  });
});

test('a change that would be refused is refused at once', async () => {
  await settle(['actForOthers', 'policy']);
  expect(codeOf(await actFor(ALICE, 'nobody'))).toBe('FIELD_VALUE');
  const stale = { match: '999', absent: false };
  const { policy } = await coordinator().policy();
  expect(codeOf(await coordinator().putPolicy(by(ALICE), policy, stale))).toBe('PRECONDITION_FAILED');
  expect(await coordinator().proposals(10)).toEqual([]);
});

test('the same request is one proposal, with its key and without, also after a restart', async () => {
  await settle(['policy']);
  const repeat = { key: 'k', sha256: 'same' };
  const first = waiting(await putPolicy(ALICE, '[new]', { repeat }));
  await evictDurableObject(stub());
  expect(waiting(await putPolicy(ALICE, '[new]', { repeat }))).toEqual(first);
  expect(waiting(await putPolicy(ALICE, '[new]')).id).toBe(first.id);
  expect(waiting(await putPolicy(BOB, '[new]')).id).not.toBe(first.id);
  expect(await coordinator().proposals(10)).toHaveLength(2);
});

test('10,000 numbers wait as one proposal that shows keyed ones, and are made as one operation', async () => {
  await settle(['guardOverride']);
  const items = Array.from({ length: 10_000 }, (_, index) => ({ number: `+82103${1_000_000 + index}` }));
  const proposal = waiting(await actFor(ALICE, 'kisa', 'block', { items, overrides: [...LIVE_GUARDS] }));
  expect(proposal).toMatchObject({ changes: 10_002, kinds: ['guardOverride', 'actForOthers'] });
  expect(proposal.shown).toHaveLength(50);
  expect(JSON.stringify(proposal)).not.toMatch(/82103[\d]{7}/);
  unwrap(await approve(BOB, proposal));
  expect((await coordinator().status()).live.entries).toBe(20_000);
  // The numbers of a decided proposal are removed.
  const parts = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT COUNT(*) AS parts FROM proposal_parts').one(),
  );
  expect(parts).toEqual({ parts: 0 });
});

test('one proposer can have only so many that wait, and others still propose', async () => {
  await settle(['policy']);
  for (let index = 0; index < PROPOSALS_PER_PROPOSER_MAX; index++)
    waiting(await putPolicy(ALICE, `[${index}]`));
  expect(codeOf(await putPolicy(ALICE, '[more]'))).toBe('PROPOSALS_TOO_MANY');
  waiting(await putPolicy(BOB, '[more]'));
});

test('decided proposals are dropped after 90 days, open ones never', async () => {
  await settle(['policy']);
  const first = waiting(await putPolicy(ALICE, '[a]'));
  unwrap(await reject(BOB, first));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + PROPOSALS_KEPT_MS - 60_000 });
  await coordinator().sweep(WRANGLER);
  expect(await stateOf(first)).toBe('rejected');
  const open = waiting(await putPolicy(ALICE, '[b]'));
  vi.setSystemTime(Date.now() + 120_000);
  await coordinator().sweep(WRANGLER);
  expect([await stateOf(first), await stateOf(open)]).toEqual([undefined, 'pending']);
});

test('who made a change and who may read it stay in the audit log, also for a rejection', async () => {
  await settle(['policy']);
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  unwrap(await reject(BOB, proposal));
  const own = waiting(await putPolicy(ALICE, '[own]'));
  expect(codeOf(await coordinator().withdraw(by(BOB), own.id))).toBe('APPROVER_REFUSED');
  unwrap(await coordinator().withdraw(by(ALICE), own.id));
  expect([await stateOf(proposal), await stateOf(own)]).toEqual(['rejected', 'withdrawn']);
  expect((await records()).slice(-4)).toEqual([
    ['proposals.open', 'token:alice'],
    ['proposals.reject', 'token:bob'],
    ['proposals.open', 'token:alice'],
    ['proposals.withdraw', 'token:alice'],
  ]);
});
