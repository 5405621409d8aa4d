/**
 * The races of docs/decisions/0017-let-a-second-person-confirm.md: two concurrent decisions, and everything that can change
 * between a proposal and its approval.
 */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stagedKey } from '../../../shared/release/kv-keys.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { OTHER, OWN } from '../support/authorities.ts';
import {
  ALL_GUARDS,
  build,
  codeOf,
  coordinator,
  stage,
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import {
  ALICE,
  actFor,
  approve,
  BOB,
  by,
  CAROL,
  ERIN,
  labelNow,
  putOrganisation,
  putPolicy,
  putToken,
  ROOT,
  reject,
  settle,
  stateOf,
  waiting,
} from '../support/people.ts';
import { ANY, change } from '../support/room.ts';
import { publishValues } from '../support/world.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
afterEach(() => vi.useRealTimers());

test('approve and reject at once: exactly one counts, whichever comes first', async () => {
  await settle(['policy']);
  for (const isApprovedFirst of [true, false]) {
    const label = `[${isApprovedFirst}]`;
    const proposal = waiting(await putPolicy(ALICE, label));
    const decisions = [() => approve(BOB, proposal), () => reject(CAROL, proposal)];
    if (!isApprovedFirst) decisions.reverse();
    const codes = (await Promise.all(decisions.map((decide) => decide()))).map(codeOf);
    expect(codes.sort()).toEqual(['PROPOSAL_DECIDED', 'ok']);
    const state = await stateOf(proposal);
    expect((await labelNow()) === label).toBe(state === 'approved');
    expect(state).toBe(isApprovedFirst ? 'approved' : 'rejected');
  }
});

/** A proposed release whose approval is held while it reads the release from KV. */
async function heldPromotion() {
  await settle(['fullShare']);
  const release = await stage({ lists: [OWN] });
  const promote = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  const proposal = waiting(await coordinator().promote(by(ALICE), release, promote));
  const real = env.LISTS.get.bind(env.LISTS) as (...args: unknown[]) => Promise<unknown>;
  const held = Promise.withResolvers<void>();
  let reads = 0;
  vi.spyOn(env.LISTS, 'get').mockImplementation((async (...args: unknown[]) => {
    if (String(args[0]).startsWith('shard/')) {
      reads++;
      await held.promise;
    }
    return real(...args);
  }) as never);
  const approvals = [approve(BOB, proposal)];
  const begun = (): Promise<unknown> => vi.waitFor(() => expect(reads).toBeGreaterThan(0), HANG_MS);
  await begun();
  return { proposal, approvals, letGo: held.resolve };
}

const current = async () => (await coordinator().status()).current;

test.each([
  ['a rejection', async (id: number) => unwrap(await reject(CAROL, { id })), 'PROPOSAL_DECIDED', 'rejected'],
  [
    'its withdrawal',
    async (id: number) => unwrap(await coordinator().withdraw(by(ALICE), id)),
    ...(['PROPOSAL_DECIDED', 'withdrawn'] as const),
  ],
  [
    'its expiry',
    async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 });
    },
    ...(['PROPOSAL_DECIDED', 'pending'] as const),
  ],
  [
    'the revocation of the token of its proposer',
    async () => unwrap(await coordinator().putToken(by(ROOT), 'alice', null, ANY)),
    ...(['PROPOSAL_OUTDATED', 'outdated'] as const),
  ],
  [
    'the suspension of the organisation of the approver',
    async () => unwrap(await coordinator().putToken(by(ROOT), 'bob', null, ANY)),
    ...(['APPROVER_REFUSED', 'pending'] as const),
  ],
])('%s while an approval is being executed wins: nothing changes', async (_what, move, code, state) => {
  const { proposal, approvals, letGo } = await heldPromotion();
  await move(proposal.id);
  letGo();
  expect((await Promise.all(approvals)).map(codeOf)).toEqual([code]);
  expect(await current()).toBeNull();
  const stored = await runInDurableObject(stub(), (_, { storage }) =>
    storage.sql.exec('SELECT state FROM proposals').one(),
  );
  expect(stored).toEqual({ state });
});

test('two approvals at once execute it once', async () => {
  const { proposal, approvals, letGo } = await heldPromotion();
  approvals.push(approve(CAROL, proposal));
  letGo();
  const codes = (await Promise.all(approvals)).map(codeOf);
  expect(codes.sort()).toEqual(['PROPOSAL_DECIDED', 'ok']);
  expect(await stateOf(proposal)).toBe('approved');
  const promotions = (await coordinator().audit(0, 1_000)).filter(
    ({ action }) => action === 'release.promote',
  );
  expect(promotions).toHaveLength(1);
});

test('a second approval gets who decided and when; its own repeat gets the first response', async () => {
  await settle(['policy']);
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  const request = by(BOB, { repeat: { key: 'k', sha256: 'same' } });
  const first = unwrap(await coordinator().approve(request, proposal.id, proposal.sha256));
  const again = await approve(CAROL, proposal);
  expect(again).toMatchObject({
    code: 'PROPOSAL_DECIDED',
    message: expect.stringContaining(`already approved by token:bob at ${first.decidedAt}`),
  });
  // The response was lost: the coordinator restarts, and the approver sends the request again.
  await evictDurableObject(stub());
  expect(unwrap(await coordinator().approve(request, proposal.id, proposal.sha256))).toEqual(first);
  const { seq } = await coordinator().status();
  expect(seq).toBe(first.seq);
});

test('a coordinator that is killed while it executes an approval has changed nothing, and it still waits', async () => {
  const { proposal, approvals, letGo } = await heldPromotion();
  const killed = Promise.allSettled(approvals);
  // Aborted instead of evicted, because an eviction waits half a minute for the approval.
  await abortAllDurableObjects();
  expect(await killed).toMatchObject([{ status: 'rejected' }]);
  vi.mocked(env.LISTS.get).mockRestore();
  expect([await stateOf(proposal), await current()]).toEqual(['pending', null]);
  letGo();
  expect([await stateOf(proposal), await current()]).toEqual(['pending', null]);
  unwrap(await approve(CAROL, proposal));
  expect(await current()).not.toBeNull();
});

test('the hash of another proposal approves nothing', async () => {
  await settle(['policy']);
  const [first, second] = [waiting(await putPolicy(ALICE, '[a]')), waiting(await putPolicy(ALICE, '[b]'))];
  expect(codeOf(await approve(BOB, { id: first.id, sha256: second.sha256 }))).toBe('PROPOSAL_CHANGED');
  unwrap(await approve(BOB, first));
});

test('a change of what it was based on makes it outdated, and other changes do not', async () => {
  await settle(['policy']);
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  unwrap(await coordinator().changeEntries(by(ALICE), change('block')));
  const other = waiting(await putPolicy(ALICE, '[other]'));
  unwrap(await approve(BOB, other));
  expect(codeOf(await approve(BOB, proposal))).toBe('PROPOSAL_OUTDATED');
  expect([await labelNow(), await stateOf(proposal)]).toEqual(['[other]', 'outdated']);
});

test('entries that were changed meanwhile make it outdated, even if they end up blocked all the same', async () => {
  await settle(['actForOthers']);
  unwrap(await coordinator().changeEntries(by(CAROL), change('block')));
  const proposal = waiting(await actFor(ALICE, 'kisa'));
  unwrap(await coordinator().changeEntries(by(CAROL), change('block')));
  expect(codeOf(await approve(BOB, proposal))).toBe('PROPOSAL_OUTDATED');
  unwrap(await approve(BOB, waiting(await actFor(ALICE, 'kisa'))));
});

test('a release on a base that has moved makes it outdated', async () => {
  await settle(['fullShare']);
  const promote = { share: 1, overrides: ALL_GUARDS, reason: 'test' };
  const releases = [await stage({ lists: [OWN] }), await stage({ lists: [OWN, OTHER], minute: 1 })];
  const proposals = [];
  for (const release of releases)
    proposals.push(waiting(await coordinator().promote(by(ROOT), release, { base: null, ...promote })));
  unwrap(await approve(BOB, proposals[0]!));
  expect(codeOf(await approve(BOB, proposals[1]!))).toBe('PROPOSAL_OUTDATED');
  expect((await coordinator().proposal(proposals[1]!.id))?.note).toContain('BASE_MOVED');
});

test('the proposer does not approve, nor with a token that it has made or changed since', async () => {
  await settle(['policy']);
  const proposal = waiting(await putPolicy(ROOT, '[new]'));
  const mallory = { ...BOB, name: 'token:mallory' };
  unwrap(await putToken(mallory));
  unwrap(await putToken(BOB, ROOT, 'f'));
  for (const approver of [ROOT, mallory, BOB])
    expect(codeOf(await approve(approver, proposal))).toBe('APPROVER_REFUSED');
  unwrap(await approve(CAROL, proposal));
});

test('a proposal ends in time, and only a new one can be approved', async () => {
  await settle(['policy'], 300);
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(proposal.endsAt) });
  expect(codeOf(await approve(BOB, proposal))).toBe('PROPOSAL_DECIDED');
  expect(await coordinator().proposal(proposal.id)).toMatchObject({ state: 'expired', decidedBy: 'numgate' });
  const next = waiting(await putPolicy(ALICE, '[new]'));
  expect(next.id).not.toBe(proposal.id);
  unwrap(await approve(BOB, next));
});

test.each([
  [
    'was removed and added again',
    async () => {
      unwrap(await coordinator().putToken(by(ROOT), 'erin', null, ANY));
      unwrap(await putToken(ERIN));
    },
  ],
  ['was revoked', async () => unwrap(await coordinator().putToken(by(ROOT), 'erin', null, ANY))],
  ['lost the scope', async () => unwrap(await putToken({ ...ERIN, scopes: ['read', 'entries'] }))],
  [
    'belongs to an organisation that was suspended',
    async () => unwrap(await putOrganisation('ktoa', { state: 'suspended' })),
  ],
  [
    'belongs to an organisation that got another authority',
    async () => unwrap(await putOrganisation('ktoa', { authority: 'ktoa-2' })),
  ],
])('the proposal of a token that %s is outdated', async (_what, move) => {
  await settle(['actForOthers']);
  unwrap(await coordinator().changeEntries(by(CAROL), change('block')));
  const needs = ['entries', 'override'] as const;
  const proposal = waiting(await actFor(ERIN, 'kisa', 'unblock', { needs }));
  await move();
  expect(codeOf(await approve(CAROL, proposal))).toBe('PROPOSAL_OUTDATED');
  expect(await coordinator().findEntries({ number: '+821030000001' })).toMatchObject({
    value: [{ op: 'block', authority: 'kisa' }],
  });
});

test('an approver whose organisation is suspended, or who lost the scope, does not approve', async () => {
  await settle(['policy']);
  const proposal = waiting(await putPolicy(ALICE, '[new]'));
  unwrap(await putOrganisation('kisa', { state: 'suspended' }));
  expect(codeOf(await approve(CAROL, proposal))).toBe('APPROVER_REFUSED');
  unwrap(await putToken({ ...BOB, scopes: ['read'] }));
  expect(codeOf(await approve(BOB, proposal))).toBe('APPROVER_REFUSED');
  expect(await stateOf(proposal)).toBe('pending');
});

test('a value that KV lacks at approval leaves the proposal waiting', async () => {
  await settle(['fullShare']);
  const built = await build({ lists: [OWN, OTHER] });
  await publishValues(built);
  const { release } = built.manifest;
  unwrap(await coordinator().stage(by(ROOT), built.signed));
  const promote = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  const proposal = waiting(await coordinator().promote(by(ROOT), release, promote));
  const [key] = (await env.LISTS.list({ prefix: 'shard/' })).keys;
  await env.LISTS.delete(key!.name);
  expect(codeOf(await approve(BOB, proposal))).toBe('RELEASE_INCOMPLETE');
  await publishValues(built);
  await env.LISTS.delete(stagedKey(release));
  await coordinator().sweep(WRANGLER);
  unwrap(await approve(BOB, proposal));
});
