/**
 * Rule blocks compared with a plain model: any sequence of blocks, lifts, changes of people and passing time.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { UNSEALED_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { CHANGE_OPS, type LiveEntry, numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import type { LiveLayer } from '../../../shared/live/live-layer.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { BLOCK_STAGES, SUBJECTS, type Subject } from '../../../shared/verdict.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { ADMIN, asAdmin, coordinator, readHead, stub, unwrap } from '../support/coordinator.ts';
import { emptyStores } from '../support/fresh.ts';
import { by, change } from '../support/room.ts';
import { applyRules, ruleChange, shortResults } from '../support/rule-entries.ts';

/** In the future, so that no alarm runs automatically. */
const START = Date.UTC(2040, 0, 1);
const NUMBERS = [821012340001, 821012340002];
const MINUTE = 60_000;
const STEPS_MAX = 30;

/** A row of the model. It decides from its creation until its end, unless a later row decides. */
interface Row {
  readonly op: string;
  readonly words: string;
  readonly isOfRule: boolean;
  /** ms since 1970. */
  readonly until: number;
}

function wordsOf({
  op,
  code,
  authority,
  until,
  rule,
  stage,
}: Omit<LiveEntry, 'seq' | 'subjects' | 'kind' | 'high' | 'low'>) {
  return [op, code, authority, until, rule, stage]
    .filter((word) => word !== null && word !== undefined)
    .join(' ');
}

/** Each number has a stack of rows for its sender. A row on top hides the others until it ends. */
class Model {
  now = START;
  /** Steps since `now`. Each takes a second, because the head goes to KV at most once a second. */
  steps = 0;
  readonly #stacks = new Map<number, readonly Row[]>();

  stack(n: number): readonly Row[] {
    return (this.#stacks.get(n) ?? []).filter(({ until }) => until > this.now);
  }

  set(n: number, rows: readonly Row[]): void {
    this.#stacks.set(n, rows);
  }

  put(n: number, row: Row): void {
    this.set(n, [...this.stack(n).filter(({ until }) => until > row.until), row]);
  }

  find(n: number, at: number): string {
    return this.stack(n).findLast(({ until }) => until > at)?.words ?? 'none';
  }
}

type Step = (model: Model) => Promise<void>;
function step(words: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => words });
}

const lasts = fc.constantFrom(MINUTE, 10 * MINUTE, 60 * MINUTE, 600 * MINUTE);
const FOREVER_MS = 0xffffffff * 1000;

const personStep = fc
  .record({
    op: fc.constantFrom(...CHANGE_OPS),
    n: fc.constantFrom(...NUMBERS),
    subjects: fc.constantFrom<readonly Subject[]>(['from'], ['to'], SUBJECTS),
    ms: fc.option(lasts),
  })
  .map(({ op, n, subjects, ms }) =>
    step(`${op} ${n} ${subjects.join()} ${ms}`, async (model) => {
      const until = ms === null ? FOREVER_MS : model.now + ms;
      unwrap(
        await coordinator().changeEntries(by({ ...ADMIN, authority: 'kisa' }), {
          ...{ ...change(op, toE164(n)), subjects: [...subjects] },
          until: ms === null ? null : new Date(until).toISOString(),
        }),
      );
      const code = op === 'block' ? 'SENDER_REPORTED' : null;
      const words = wordsOf({ op, code, authority: 'kisa', until: until / 1000 });
      if (subjects.includes('from')) model.put(n, { op, words, isOfRule: false, until });
    }),
  );

const ruleStep = fc
  .array(
    fc.record({
      op: fc.constantFrom('block' as const, 'block' as const, 'lift' as const),
      n: fc.constantFrom(...NUMBERS),
      ms: lasts,
      rule: fc.constantFrom('kr-50@3', 'burst@1'),
      stage: fc.constantFrom(...BLOCK_STAGES),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) =>
    step(changes.map(({ op, n, ms }) => `rule ${op} ${n} ${ms}`).join('; '), async (model) => {
      const results = await applyRules(
        ...changes.map(({ op, n, ms, rule, stage }) =>
          ruleChange(op, n, { until: model.now + ms, rule, stage }),
        ),
      );
      const expected = changes.map(({ op, n, ms, rule, stage }) => {
        const others = model.stack(n).filter(({ isOfRule }) => !isOfRule);
        const ops = others.map((row) => row.op);
        if (op === 'block' && ops.includes('unblock')) return 'unblocked';
        if (op === 'block' && ops.includes('block')) return 'blocked';
        model.set(n, others);
        const until = model.now + ms;
        const row = {
          op,
          code: 'SENDER_REPORTED',
          authority: 'numgate',
          until: until / 1000,
          rule,
          stage,
        } as const;
        if (op === 'block') model.put(n, { op, words: wordsOf({ ...row, op }), isOfRule: true, until });
        return 'ok';
      });
      expect(shortResults(results)).toEqual(expected);
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
  step('seal', async (model) => {
    const items = Array.from({ length: UNSEALED_ENTRIES_MAX + 1 }, (_, index) => ({
      number: toE164(821_077_000_000 + index),
    }));
    const until = new Date(model.now + 2 * MINUTE).toISOString();
    unwrap(await coordinator().changeEntries(asAdmin(), { ...change('block'), items, until }));
    await vi.waitFor(async () => expect((await coordinator().status()).live.tail).toBe(0), HANG_MS);
  }),
);

/** The decision that a reader finds. A `clear` by the service itself marks a lifted block. */
function found(live: LiveLayer, n: number, at: number): string {
  const { kind, high, low } = numberKey(n);
  const entry = live.find(kind, high, low, SUBJECT_BIT.from, 0, Math.floor(at / 1000));
  const isLifted = entry?.op === 'clear' && entry.authority === 'numgate';
  return entry === null || isLifted ? 'none' : wordsOf(entry);
}

test('what rules block and lift leaves everybody else as a plain model says', async () => {
  const steps = fc.oneof(
    { weight: 5, arbitrary: personStep },
    { weight: 8, arbitrary: ruleStep },
    { weight: 2, arbitrary: timeStep },
    { weight: 1, arbitrary: alarmStep },
    { weight: 1, arbitrary: sealStep },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: STEPS_MAX, size: 'max' }), async (all) => {
      await emptyStores();
      vi.useFakeTimers({ toFake: ['Date'], now: START });
      const model = new Model();
      for (const run of all) {
        // Never up to the next half minute, when entries end.
        vi.setSystemTime(model.now + 900 * model.steps++);
        await run(model);
        const read = await readHead();
        if (read === null) continue;
        for (const n of NUMBERS) {
          // Includes later decisions of readers with this head.
          for (const minutes of [0, 5, 30, 120]) {
            const at = model.now + minutes * MINUTE;
            expect([n, minutes, found(read.live, n, at)]).toEqual([n, minutes, model.find(n, at)]);
          }
        }
      }
      const rows = await runInDurableObject(stub(), (_, { storage }) => ({
        held: storage.sql.exec('SELECT COALESCE(SUM(entries), 0) AS rows FROM live_held').one(),
        live: storage.sql.exec('SELECT COUNT(*) AS rows FROM live').one(),
      }));
      expect(rows.held).toEqual(rows.live);
    }),
    { numRuns: 15 },
  );
});
