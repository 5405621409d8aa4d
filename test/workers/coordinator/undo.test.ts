/** The undo of operations on live entries: what it restores and records, and why it is refused. */
import { describe, expect, test, vi } from 'vitest';
import type { EntryChange, UndoOptions } from '../../../shared/admin/entries.ts';
import { UNDO_KEPT_MS } from '../../../shared/limits/control.ts';
import { type ChangeOp, numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import type { Subject } from '../../../shared/verdict.ts';
import { systemRequest } from '../../../workers/coordinator/change-request.ts';
import {
  ADMIN,
  ALL_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  memberOf,
  readHead,
  stage,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { by, change, refusalOf } from '../support/room.ts';
import { smallLists } from '../support/world.ts';

/** In the future, so that no alarm runs automatically. */
const START = Date.UTC(2040, 0, 1);
const MINUTE = 60_000;

const undo = (operation: number, options: UndoOptions = {}, request = asAdmin()) =>
  coordinator().undoOperation(request, operation, options);

async function made(
  op: ChangeOp,
  number: string,
  more: Partial<EntryChange> = {},
  actor = ADMIN,
): Promise<number> {
  return unwrap(await coordinator().changeEntries(by(actor), { ...change(op, number), ...more })).operation!;
}

async function promoted(foldedSeq: number, minute = 0): Promise<void> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists: smallLists(), foldedSeq, base, minute });
  unwrap(
    await coordinator().promote(asAdmin(), release, {
      base,
      share: 1,
      overrides: ALL_GUARDS,
      reason: 'test',
    }),
  );
}

/** The decision that a reader finds now for a number and subject, without the `seq`. */
async function found(n: number, subject: Subject, at = Date.now()): Promise<string> {
  const { head, live } = (await readHead())!;
  const { kind, high, low } = numberKey(n);
  const folded = 0;
  void head;
  const entry = live.find(kind, high, low, SUBJECT_BIT[subject], folded, Math.floor(at / 1000));
  return entry === null ? 'none' : [entry.op, entry.code, entry.authority, entry.until].join(' ');
}

describe('an undo', () => {
  const N = '+821012340001';
  const refusal = async (operation: number, options?: UndoOptions, request = asAdmin()) =>
    codeOf(await undo(operation, options, request));

  test('is recorded, keeps author and reason of what it restores, and can be undone', async () => {
    const first = await made('unblock', N);
    const second = await made('block', N);
    const done = unwrap(await undo(second));
    expect(done).toMatchObject({ undone: second, entries: 2, skipped: 0 });
    expect(await coordinator().findEntries({ number: N })).toMatchObject({
      value: [{ op: 'unblock', operation: first, by: ADMIN.name, reason: 'test' }],
    });
    const records = await coordinator().audit(0, 100);
    expect(records.at(-2)).toMatchObject({
      ...{ action: 'operation.undo', subject: `operation ${second}`, after: { operation: done.operation } },
    });
    expect(records.at(-1)).toMatchObject({
      action: 'entries.undo',
      before: [{ op: 'block', operation: second }],
    });
    expect(records.at(-1)!.seq).toBe((await coordinator().status()).seq);
    unwrap(await undo(done.operation));
    expect(await coordinator().findEntries({ number: N })).toMatchObject({ value: [{ op: 'block' }] });
  });

  test('of an operation that is unknown, of another kind, undone or ended is refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    expect(await refusal(1)).toBe('OPERATION_UNKNOWN');
    unwrap(await coordinator().putGuards(asAdmin(), await coordinator().guards()));
    expect(await refusal(1)).toBe('NOT_KEPT');
    const operation = await made('block', N);
    unwrap(await undo(operation));
    expect(refusalOf(await undo(operation))).toMatchObject({
      ...{ code: 'UNDO_IMPOSSIBLE', message: `operation ${operation} was already undone by operation 3` },
    });
    const short = await made('block', N, { until: new Date(START + MINUTE).toISOString() });
    const long = await made('block', '+821012340002');
    vi.setSystemTime(START + MINUTE);
    expect(await refusal(short)).toBe('ENDED');
    vi.setSystemTime(START + UNDO_KEPT_MS);
    await coordinator().sweep(WRANGLER);
    expect(await refusal(long)).toBe('NOT_KEPT');
  });

  test('leaves what other operations changed since, only if it is asked to', async () => {
    const operation = await made('block', N, { items: [{ number: N }, { number: '+821012340002' }] });
    await made('unblock', N, { subjects: ['to'] });
    expect(refusalOf(await undo(operation))).toMatchObject({
      ...{ code: 'ENTRIES_CHANGED', extras: { entries: 4, changed: 1 } },
    });
    expect(unwrap(await undo(operation, { skipChanged: true }))).toMatchObject({ entries: 3, skipped: 1 });
    expect([await found(Number(N), 'from'), await found(Number(N), 'to')]).toEqual([
      ...['none', 'unblock  kisa 4294967295'],
    ]);
  });

  test('is for its own authority, for a token that names it, for root and for the service', async () => {
    const acme = memberOf('acme');
    const of = [0, 1, 2].map((index) => made('block', `+82101234000${index}`, {}, acme));
    const [first, second, third] = await Promise.all(of);
    expect(await refusal(first!, {}, by(memberOf('ktoa')))).toBe('AUTHORITY_FOREIGN');
    expect(await refusal(first!, { overrideAuthorities: ['acme'] }, by(memberOf('ktoa')))).toBe('ok');
    expect(await refusal(second!, {}, by(acme))).toBe('ok');
    expect(await refusal(third!, { skipChanged: true }, systemRequest('nobody reviewed it'))).toBe('ok');
  });

  test('of an undo acts for the authorities that the operation acted for', async () => {
    const ktoa = memberOf('ktoa');
    await made('block', N, {}, memberOf('acme'));
    const named = { overrideAuthorities: ['acme'] };
    const lifted = await made('unblock', N, named, ktoa);
    const { operation } = unwrap(await undo(lifted, {}, by(ktoa)));
    expect(await refusal(operation, {}, by(ktoa))).toBe('AUTHORITY_FOREIGN');
    const again = unwrap(await undo(operation, named, by(ktoa)));
    expect(await found(Number(N), 'from')).toMatch('unblock');
    expect(await refusal(again.operation, {}, by(ktoa))).toBe('ok');
  });

  test('lets folded entries decide again, and refuses an operation that a release contains', async () => {
    await made('block', N);
    await promoted(1);
    // The release has the entry of the first operation, so only the second is in the live layer.
    const operation = await made('clear', N);
    unwrap(await undo(operation));
    // Not a "clear", which would hide the entry of the release. Readers continue with its lists.
    expect(await found(Number(N), 'from')).toBe('none');
    const later = await made('block', '+821012340002');
    const { seq } = await coordinator().status();
    await promoted(seq, 1);
    expect(await refusal(later)).toBe('FOLDED');
  });

  test('refuses a release that was built between an operation and its undo', async () => {
    const operation = await made('block', N);
    const release = await stage({ lists: smallLists(), foldedSeq: 1 });
    unwrap(await undo(operation));
    const promotion = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
    expect(codeOf(await coordinator().promote(asAdmin(), release, promotion))).toBe('FOLD_UNDONE');
    const { seq } = await coordinator().status();
    await promoted(seq, 1);
  });

  test('of 10,000 numbers takes no more than a change', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => ({ number: toE164(821_030_000_000 + index) }));
    const operation = await made('block', N, { items });
    expect(unwrap(await undo(operation))).toMatchObject({ entries: 20_000 });
    expect(await found(821_030_000_123, 'from')).toBe('none');
    const { live } = await coordinator().status();
    expect(live.entries).toBe(20_000);
  });
});
