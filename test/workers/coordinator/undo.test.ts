/**
 * The undo of operations on live entries: a property against a plain model, and what refuses an undo.
 */
import { reset, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { EntryChange, UndoOptions } from '../../../shared/admin.ts';
import { UNDO_KEPT_MS, UNSEALED_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { CHANGE_OPS, type ChangeOp, numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { SUBJECTS, type Subject } from '../../../shared/verdict.ts';
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
  stub,
  unwrap,
  WRANGLER,
} from '../support/coordinator.ts';
import { smallLists } from '../support/world.ts';
import '../support/fresh.ts';
import { by, change, refusalOf } from '../support/room.ts';

/** In the future, so that no alarm runs on its own. */
const START = Date.UTC(2040, 0, 1);
const NUMBERS = [821012340001, 821012340002, 821012340003];
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

/** What a reader finds for a number and subject now: its decision, without the `seq`. */
async function found(n: number, subject: Subject, at = Date.now()): Promise<string> {
  const { head, live } = (await readHead())!;
  const { kind, high, low } = numberKey(n);
  const folded = 0;
  void head;
  const entry = live.find(kind, high, low, SUBJECT_BIT[subject], folded, Math.floor(at / 1000));
  return entry === null ? 'none' : [entry.op, entry.code, entry.authority, entry.until].join(' ');
}

/** One row of the model: it decides from when it was made until its end, unless a later one does. */
interface Row {
  readonly words: string;
  /** Seconds since 1970. */
  readonly until: number;
  /** Operations under which it counts as unchanged. */
  readonly own: readonly number[];
}
interface Place {
  readonly n: number;
  readonly subject: Subject;
}
interface Made {
  readonly operation: number;
  readonly places: readonly { readonly place: string; readonly before: readonly Row[] }[];
  undoneBy: number | null;
}
const nameOf = ({ n, subject }: Place): string => `${n} ${subject}`;

/** Each place has a stack of rows; a row on top hides the others until it ends, and ends what ends before it. */
class Model {
  now = START;
  readonly stacks = new Map<string, readonly Row[]>();
  readonly made: Made[] = [];

  stack(place: string): readonly Row[] {
    return (this.stacks.get(place) ?? []).filter(({ until }) => until * 1000 > this.now);
  }

  find(place: string, at: number): string {
    const row = this.stack(place).findLast(({ until }) => until * 1000 > at);
    return row === undefined ? 'none' : row.words;
  }
}
type Step = (model: Model) => Promise<void>;
function step(words: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => words });
}

const changeStep = fc
  .record({
    op: fc.constantFrom(...CHANGE_OPS),
    numbers: fc.uniqueArray(fc.constantFrom(...NUMBERS), { minLength: 1 }),
    subjects: fc.constantFrom<readonly Subject[]>(['from'], ['to'], SUBJECTS),
    code: fc.constantFrom('SENDER_REPORTED' as const, 'NUMBER_SUSPENDED' as const),
    lasts: fc.constantFrom(null, MINUTE, 10 * MINUTE, 60 * MINUTE),
    authority: fc.constantFrom('kisa', 'ktoa'),
  })
  .map(({ op, numbers, subjects, code, lasts, authority }) =>
    step(`${op} ${numbers.join()} ${subjects.join()} ${lasts} by ${authority}`, async (model) => {
      const end = op === 'clear' || lasts === null ? null : model.now + lasts;
      const done = unwrap(
        await coordinator().changeEntries(by({ ...ADMIN, authority }), {
          ...{ op, code, subjects: [...subjects], reason: 'test' },
          items: numbers.map((n) => ({ number: toE164(n) })),
          until: end === null ? null : new Date(end).toISOString(),
        }),
      );
      const until = end === null ? 0xffffffff : end / 1000;
      const words = [op, op === 'block' ? code : null, authority, until].join(' ');
      const operation = done.operation!;
      const places = numbers.flatMap((n) => subjects.map((subject) => nameOf({ n, subject })));
      model.made.push({
        ...{ operation, undoneBy: null },
        places: places.map((place) => ({ place, before: model.stack(place) })),
      });
      for (const place of places) {
        const covered = model.stack(place).filter((row) => row.until > until);
        model.stacks.set(place, [...covered, { words, until, own: [operation] }]);
      }
    }),
  );

const undoStep = fc.record({ which: fc.nat(5), skips: fc.boolean() }).map(({ which, skips }) =>
  step(`undo ${which} before the last${skips ? ', skipping what was changed' : ''}`, async (model) => {
    const target = model.made.at(-1 - which);
    if (target === undefined) return;
    const result = await undo(target.operation, skips ? { skipChanged: true } : {});
    if (target.undoneBy !== null) return expect(codeOf(result)).toBe('UNDONE');
    // A place is as the operation made it if its top row is; one where all has ended does not count.
    const isOwn = (row: Row | undefined): boolean => row?.own.includes(target.operation) === true;
    const left = target.places.filter(({ place }) => isOwn(model.stack(place).at(-1)));
    if (!result.ok) {
      expect(['ENTRIES_CHANGED', 'ENDED']).toContain(codeOf(result));
      if (codeOf(result) === 'ENDED') expect(left).toEqual([]);
      else expect([skips, left.length < target.places.length]).toEqual([false, true]);
      return;
    }
    expect(result.value.entries).toBe(left.length);
    const { operation } = result.value;
    const places = left.map(({ place, before }) => {
      const now = model.stack(place);
      model.stacks.set(place, [{ words: 'none', until: now.find(isOwn)!.until, own: [operation] }]);
      const rows = before.filter(({ until }) => until * 1000 > model.now);
      const last = Math.max(...now.filter(isOwn).map(({ until }) => until));
      // Rows that the undo writes again are those of the undo, too.
      const first = Math.max(
        0,
        rows.findLastIndex(({ until }) => until >= last),
      );
      const covers = rows.some(({ until }) => until >= last);
      const none: Row[] = covers ? [] : [{ words: 'none', until: last, own: [operation] }];
      const written = rows.map((row, index) =>
        index < first ? row : { ...row, own: [...row.own, operation] },
      );
      model.stacks.set(place, [...none, ...written]);
      return { place, before: now };
    });
    target.undoneBy = operation;
    for (const other of model.made) if (other.undoneBy === target.operation) other.undoneBy = null;
    model.made.push({ operation, undoneBy: null, places });
  }),
);

const timeStep = fc.constantFrom(MINUTE / 2, 2 * MINUTE, 70 * MINUTE).map((ms) =>
  step(`${ms} ms pass`, async (model) => {
    model.now += ms;
    vi.setSystemTime(model.now);
  }),
);
const alarmStep = fc.constant(
  step('alarm', async () => {
    await runDurableObjectAlarm(stub());
  }),
);
/** Fills the unsealed entries, so that all are sealed into a segment. */
const sealStep = fc.constant(
  step('seal', async () => {
    const items = Array.from({ length: UNSEALED_ENTRIES_MAX + 1 }, (_, index) => ({
      number: toE164(821_077_000_000 + index),
    }));
    const until = new Date(Date.now() + MINUTE).toISOString();
    unwrap(await coordinator().changeEntries(asAdmin(), { ...change('block'), items, until }));
    await vi.waitFor(async () => expect((await coordinator().status()).live.tail).toBe(0));
  }),
);

test('an undo restores what was there before, as a plain model says', async () => {
  const steps = fc.oneof(
    { weight: 8, arbitrary: changeStep },
    { weight: 6, arbitrary: undoStep },
    { weight: 2, arbitrary: timeStep },
    { weight: 1, arbitrary: alarmStep },
    { weight: 1, arbitrary: sealStep },
  );
  let undone = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 25, size: 'max' }), async (all) => {
      await reset();
      vi.useFakeTimers({ toFake: ['Date'], now: START });
      const model = new Model();
      for (const run of all) {
        await run(model);
        if ((await readHead()) === null) continue;
        for (const n of NUMBERS) {
          for (const subject of SUBJECTS) {
            // Also what readers decide later with this head.
            for (const at of [
              model.now,
              model.now + 5 * MINUTE,
              model.now + 30 * MINUTE,
              model.now + 120 * MINUTE,
            ]) {
              expect([n, subject, at, await found(n, subject, at)]).toEqual([
                ...[n, subject, at, model.find(nameOf({ n, subject }), at)],
              ]);
            }
          }
        }
      }
      undone += model.made.filter(({ undoneBy }) => undoneBy !== null).length;
      const rows = await runInDurableObject(stub(), (_, { storage }) => ({
        held: storage.sql.exec('SELECT COALESCE(SUM(entries), 0) AS rows FROM live_held').one(),
        live: storage.sql.exec('SELECT COUNT(*) AS rows FROM live').one(),
      }));
      expect(rows.held).toEqual(rows.live);
    }),
    { numRuns: 12 },
  );
  expect(undone).toBeGreaterThan(0);
});

describe('an undo', () => {
  const N = '+821012340001';
  const refusal = async (operation: number, options?: UndoOptions, request = asAdmin()) =>
    codeOf(await undo(operation, options, request));

  test('is recorded with both operations, keeps author and reason of what it restores, and can be undone', async () => {
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

  test('of an operation that is not there, is of another kind, was undone or has ended is refused by name', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    expect(await refusal(1)).toBe('OPERATION_UNKNOWN');
    unwrap(await coordinator().putGuards(asAdmin(), await coordinator().guards()));
    expect(await refusal(1)).toBe('NOT_KEPT');
    const operation = await made('block', N);
    unwrap(await undo(operation));
    expect(refusalOf(await undo(operation))).toMatchObject({
      ...{ code: 'UNDO_IMPOSSIBLE', message: `operation ${operation} was undone already, by operation 3` },
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

  test('lets folded entries decide again, and refuses an operation that a release contains', async () => {
    await made('block', N);
    await promoted(1);
    // The release has the entry of the first operation, so only the second is in the live layer.
    const operation = await made('clear', N);
    unwrap(await undo(operation));
    // Not a "clear", which would hide the entry of the release: readers look on in its lists.
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
