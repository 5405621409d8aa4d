/**
 * Break-glass changes are in force at once, stay recorded until a second person has reviewed them, and are reverted if nobody
 * does so within a day.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BREAK_GLASS_MS } from '../../../shared/limits/control.ts';
import type { ProposalInfo } from '../../../shared/proposals.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { listOf, OTHER, OWN } from '../support/authorities.ts';
import { ALL_GUARDS, codeOf, coordinator, stage, unwrap, WRANGLER } from '../support/coordinator.ts';
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

const BREAK = { breakGlass: true };
let warnings: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  warnings = vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
afterEach(() => vi.useRealTimers());

/** The logged events. */
const events = (): string[] =>
  warnings.mock.calls.map(([line]: unknown[]) => (JSON.parse(String(line)) as { event: string }).event);

async function newest(): Promise<ProposalInfo> {
  return (await coordinator().proposals(1))[0]!;
}

/** Lets the review period pass, and runs the cron. */
async function pass(): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + BREAK_GLASS_MS });
  await coordinator().sweep(WRANGLER);
}

test('is applied at once, with an alarm, and stays in force once another person has reviewed it', async () => {
  await settle(['policy']);
  const made = unwrap(await putPolicy(ALICE, '[now]', BREAK));
  expect([await labelNow(), events()]).toEqual(['[now]', ['breakGlass']]);
  const change = await newest();
  expect(made).toMatchObject({ breakGlass: { proposal: change.id, endsAt: change.endsAt } });
  // Only the way back is stored.
  expect(await coordinator().proposal(change.id)).toMatchObject({ request: null });
  expect(change).toMatchObject({ state: 'unreviewed', proposer: 'token:alice', kinds: ['policy'] });
  expect(codeOf(await approve(ALICE, change))).toBe('APPROVER_REFUSED');
  unwrap(await approve(BOB, change));
  await pass();
  expect([await labelNow(), await stateOf(change)]).toEqual(['[now]', 'reviewed']);
});

test('is only recorded where the change would wait', async () => {
  await settle(['policy']);
  const made = unwrap(await coordinator().putGuards(by(ALICE, BREAK), { ...DEFAULT_GUARDS, addShare: 0.9 }));
  expect(made).not.toHaveProperty('breakGlass');
  expect(await coordinator().proposals(10)).toEqual([]);
});

test('does not hand out tokens, and does not change which changes wait', async () => {
  await settle(['policy', 'tokens']);
  waiting(await coordinator().putApprovals(by(ROOT, BREAK), { kinds: [], waitSeconds: 3_600 }));
  const token = { id: 'mallory', role: null, scopes: ['approve' as const], organisation: 'ktoa' };
  const put = { ...token, secretSha256: ['0'.repeat(64)] };
  waiting(await coordinator().putToken(by(ROOT, BREAK), 'mallory', put, { match: null, absent: false }));
});

describe('is taken back after a day without review', () => {
  const release = async (lists: Parameters<typeof stage>[0]['lists'], base: string | null, minute: number) =>
    stage({ lists, base, minute });
  const promote = (name: string, base: string | null, more = {}) =>
    coordinator().promote(by(ALICE, more), name, {
      ...{ base, share: 1, overrides: ALL_GUARDS, reason: 'test', overrideAuthorities: ['acme'] },
    });

  test('a policy', async () => {
    await settle(['policy']);
    const before = await labelNow();
    unwrap(await putPolicy(ALICE, '[now]', BREAK));
    const change = await newest();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + BREAK_GLASS_MS - 60_000 });
    await coordinator().sweep(WRANGLER);
    expect(await labelNow()).toBe('[now]');
    vi.useRealTimers();
    await pass();
    expect([await labelNow(), await stateOf(change)]).toEqual([before, 'reverted']);
    expect(events()).toContain('breakGlassReverted');
    const last = (await coordinator().audit(0, 1_000)).slice(-2);
    expect(last.map(({ action, actor }) => [action, actor])).toEqual([
      ['policy.put', 'numgate'],
      ['proposals.revert', 'numgate'],
    ]);
    // It is not reverted a second time.
    await coordinator().sweep(WRANGLER);
    expect((await coordinator().audit(0, 1_000)).at(-1)!.n).toBe(last[1]!.n);
  });

  test('the guards, with their protected numbers', async () => {
    await settle(['guards']);
    const mine = { ...DEFAULT_GUARDS, protectedNumbers: [821_030_000_001] };
    unwrap(await coordinator().putGuards(by(ALICE, BREAK), mine));
    unwrap(await approve(BOB, await newest()));
    unwrap(await coordinator().putGuards(by(ALICE, BREAK), DEFAULT_GUARDS));
    expect(JSON.stringify(await coordinator().proposal((await newest()).id))).not.toContain('821030000001');
    await pass();
    expect(await coordinator().guards()).toEqual(mine);
  });

  test('a promotion, by a rollback; a rollback, by a promotion', async () => {
    await settle(['fullShare', 'actForOthers']);
    const base = await release([OWN, OTHER], null, 0);
    unwrap(await approve(BOB, waiting(await promote(base, null))));
    const next = await release([OWN, listOf('acme', { effect: 'label' })], base, 1);
    unwrap(await promote(next, base, BREAK));
    await pass();
    expect((await coordinator().status()).current?.release).toBe(base);
    vi.useRealTimers();
    const third = await release([OWN, listOf('acme', { effect: 'allow' })], base, 2);
    unwrap(await approve(CAROL, waiting(await promote(third, base))));
    const back = { reason: 'test', overrideAuthorities: ['acme'] };
    waiting(await coordinator().rollback(by(ALICE), back));
    unwrap(await coordinator().rollback(by(ALICE, BREAK), back));
    expect((await coordinator().status()).current?.release).toBe(base);
    await pass();
    expect((await coordinator().status()).current?.release).toBe(third);
  });

  test('live entries, exactly', async () => {
    await settle(['actForOthers']);
    unwrap(await coordinator().changeEntries(by(CAROL), change('block')));
    const before = await coordinator().findEntries({ number: '+821030000001' });
    unwrap(await actFor(ALICE, 'kisa', 'unblock', BREAK));
    await pass();
    expect(await stateOf(await newest())).toBe('reverted');
    const [entry] = unwrap(await coordinator().findEntries({ number: '+821030000001' }));
    expect(entry).toMatchObject({ op: 'block', authority: 'kisa' });
    expect(unwrap(before)).toHaveLength(1);
  });
});

describe('of live entries', () => {
  const breakGuard = (items: { number: string }[]) =>
    coordinator().changeEntries(by(ALICE, BREAK), {
      ...{ ...change('block'), items },
      overrides: ['large-operation' as const],
    });
  const NUMBER = '+821030000001';

  test('comes back after its revert only with a second person', async () => {
    await settle(['guardOverride']);
    unwrap(await breakGuard([{ number: NUMBER }]));
    await pass();
    const undone = (await coordinator().audit(0, 1_000)).find(({ action }) => action === 'operation.undo')!;
    const { operation } = undone.after as { operation: number };
    const again = waiting(await coordinator().undoOperation(by(ALICE), operation, {}));
    expect(again.kinds).toEqual(['guardOverride']);
    expect(unwrap(await coordinator().findEntries({ number: NUMBER }))).toMatchObject([{ op: 'undo' }]);
    unwrap(await approve(BOB, again));
    expect(unwrap(await coordinator().findEntries({ number: NUMBER }))).toMatchObject([{ op: 'block' }]);
  });

  test('whose entries were changed since is taken back in part, with an alarm, and stays listed', async () => {
    await settle(['guardOverride']);
    unwrap(await breakGuard([{ number: NUMBER }, { number: '+821030000002' }]));
    const opened = await newest();
    unwrap(await coordinator().changeEntries(by(ALICE), { ...change('block', NUMBER), overrides: [] }));
    await pass();
    expect(await coordinator().proposal(opened.id)).toMatchObject({
      ...{ state: 'revertFailed', note: '2 entries were changed in the meantime, and were not taken back' },
    });
    expect(events()).toEqual(['breakGlass', 'breakGlassRevertFailed']);
    const other = await coordinator().findEntries({ number: '+821030000002' });
    expect(unwrap(other)).toMatchObject([{ op: 'undo' }]);
    unwrap(await approve(BOB, (await coordinator().proposal(opened.id))!));
    expect(await stateOf(opened)).toBe('reviewed');
  });
});

test('is taken back at once by a rejection, with both persons in the log', async () => {
  await settle(['policy']);
  const before = await labelNow();
  unwrap(await putPolicy(ALICE, '[now]', BREAK));
  const change = await newest();
  expect(unwrap(await reject(BOB, change))).toMatchObject({ state: 'reverted', decidedBy: 'token:bob' });
  expect(await labelNow()).toBe(before);
  expect(codeOf(await approve(CAROL, change))).toBe('PROPOSAL_DECIDED');
});

test('that something else has replaced is not taken back, with an alarm, and stays listed', async () => {
  await settle(['policy']);
  unwrap(await putPolicy(ALICE, '[now]', BREAK));
  const change = await newest();
  unwrap(await approve(CAROL, waiting(await putPolicy(BOB, '[later]'))));
  await pass();
  expect([await labelNow(), await stateOf(change)]).toEqual(['[later]', 'revertFailed']);
  expect(events()).toContain('breakGlassRevertFailed');
  expect((await coordinator().status()).proposals).toMatchObject({ revertFailed: 1 });
  unwrap(await approve(BOB, (await coordinator().proposal(change.id))!));
  expect(await stateOf(change)).toBe('reviewed');
});

test('a review while it is being taken back: exactly one counts', async () => {
  await settle(['policy']);
  const before = await labelNow();
  unwrap(await putPolicy(ALICE, '[now]', BREAK));
  const change = await newest();
  const codes = [await Promise.all([approve(BOB, change), reject(CAROL, change)])].flat().map(codeOf);
  const state = await stateOf(change);
  expect(await labelNow()).toBe(state === 'reviewed' ? '[now]' : before);
  expect(['reviewed', 'reverted']).toContain(state);
  expect(codes.filter((code) => code === 'ok').length).toBe(1);
});

test('is not reviewed by a token that its author made since', async () => {
  await settle(['policy']);
  unwrap(await putPolicy(ROOT, '[now]', BREAK));
  unwrap(await putToken({ ...BOB, name: 'token:mallory' }));
  expect(codeOf(await approve({ ...BOB, name: 'token:mallory' }, await newest()))).toBe('APPROVER_REFUSED');
});
