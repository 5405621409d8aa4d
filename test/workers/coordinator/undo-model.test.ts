/** The undo of operations on live entries, compared with a plain model: any sequence of changes, undos and passing time. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { UndoOptions } from '../../../shared/admin/entries.ts';
import { UNSEALED_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { CHANGE_OPS, numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import type { LiveLayer } from '../../../shared/live/live-layer.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { SUBJECTS, type Subject } from '../../../shared/verdict.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { ADMIN, asAdmin, codeOf, coordinator, readHead, stub, unwrap } from '../support/coordinator.ts';
import { emptyStores } from '../support/fresh.ts';
import { by, change } from '../support/room.ts';

/** In the future, so that no alarm runs automatically. */
const START = Date.UTC(2040, 0, 1);
const NUMBERS = [821012340001, 821012340002, 821012340003];
const MINUTE = 60_000;
const STEPS_MAX = 25;

const undo = (operation: number, options: UndoOptions = {}, request = asAdmin()) =>
  coordinator().undoOperation(request, operation, options);

/** The decision that a reader finds for a number and subject, without the `seq`. */
function found(live: LiveLayer, n: number, subject: Subject, at: number): string {
  const { kind, high, low } = numberKey(n);
  const entry = live.find(kind, high, low, SUBJECT_BIT[subject], 0, Math.floor(at / 1000));
  return entry === null ? 'none' : [entry.op, entry.code, entry.authority, entry.until].join(' ');
}

/** A row of the model. It decides from its creation until its end, unless a later row decides. */
interface Row {
  readonly words: string;
  /** Seconds since 1970. */
  readonly until: number;
  /** Operations for which the row counts as unchanged: the one that made it, and the undo that wrote it last. */
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

/** Each place has a stack of rows. A row on top hides the others until it ends, and removes those that end earlier. */
class Model {
  now = START;
  /** Steps since `now`. Each takes a second, because the head goes to KV at most once a second. */
  steps = 0;
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
    // A place is unchanged if the operation owns its top row. A place where everything has ended does not count.
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
      // Rows that the undo writes again also belong to the undo, until another undo writes them again.
      const first = Math.max(
        0,
        rows.findLastIndex(({ until }) => until >= last),
      );
      const covers = rows.some(({ until }) => until >= last);
      const none: Row[] = covers ? [] : [{ words: 'none', until: last, own: [operation] }];
      const written = rows.map((row, index) =>
        index < first ? row : { ...row, own: [row.own[0]!, operation] },
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
    model.steps = 0;
    vi.setSystemTime(model.now);
  }),
);
const alarmStep = fc.constant(
  step('alarm', async () => {
    await runDurableObjectAlarm(stub());
  }),
);
/** Fills the unsealed entries, so that all of them are sealed into a segment. */
const sealStep = fc.constant(
  step('seal', async () => {
    const items = Array.from({ length: UNSEALED_ENTRIES_MAX + 1 }, (_, index) => ({
      number: toE164(821_077_000_000 + index),
    }));
    const until = new Date(Date.now() + MINUTE).toISOString();
    unwrap(await coordinator().changeEntries(asAdmin(), { ...change('block'), items, until }));
    await vi.waitFor(async () => expect((await coordinator().status()).live.tail).toBe(0), HANG_MS);
  }),
);

function compare(model: Model, live: LiveLayer): void {
  for (const n of NUMBERS) {
    for (const subject of SUBJECTS) {
      // Includes later decisions of readers with this head.
      for (const minutes of [0, 5, 30, 120]) {
        const at = model.now + minutes * MINUTE;
        expect([n, subject, at, found(live, n, subject, at)]).toEqual([
          ...[n, subject, at, model.find(nameOf({ n, subject }), at)],
        ]);
      }
    }
  }
}

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
    fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: STEPS_MAX, size: 'max' }), async (all) => {
      await emptyStores();
      vi.useFakeTimers({ toFake: ['Date'], now: START });
      const model = new Model();
      for (const run of all) {
        // Never up to the next half minute, when entries end.
        vi.setSystemTime(model.now + 1_000 * model.steps++);
        await run(model);
        const read = await readHead();
        if (read !== null) compare(model, read.live);
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
