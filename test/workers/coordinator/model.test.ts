/**
 * The coordinator compared with a plain model: any sequence of stage, promote, roll back, block, unblock,
 * clear, passing time, and evictions. After every step, the head that readers get and the log must match the
 * model. fast-check prints the seed when a sequence fails.
 */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { AuditVerifier } from '../../../shared/audit.ts';
import { CHANGE_OPS, type LiveOp, numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { SUBJECTS, type Subject } from '../../../shared/verdict.ts';
import { plainList } from '../../shared/support/plain-model.ts';
import {
  ALL_GUARDS,
  asAdmin,
  codeOf,
  coordinator,
  readHead,
  stage,
  stub,
  unwrap,
} from '../support/coordinator.ts';
import { emptyStores } from '../support/fresh.ts';

/** In the future, so that no alarm runs automatically. */
const START = Date.UTC(2040, 0, 1);
const NUMBERS = [821012340001, 821012340002, 821012340003];
const BACK = 2;
const STEPS_MAX = 40;

interface Op {
  readonly n: number;
  readonly subjects: readonly Subject[];
  readonly op: LiveOp;
  readonly seq: number;
  /** ms since 1970. */
  readonly until: number;
}
interface ModelRelease {
  readonly name: string;
  readonly foldedSeq: number;
  state: string;
  place: number;
  /** Whether a rollback has taken it back. */
  takenBack: boolean;
}

class Model {
  seq = 0;
  now = START;
  /** Steps since `now`. Each takes a second, because the head goes to KV at most once a second. */
  steps = 0;
  ops: Op[] = [];
  releases: ModelRelease[] = [];
  dropped = 0;
  /** Releases before this place can no longer be the target of a rollback. */
  backPlace = 0;
  staged = 0;

  in(state: string): ModelRelease | undefined {
    return this.releases.find((release) => release.state === state);
  }

  get back(): ModelRelease[] {
    return this.releases
      .filter(({ state, place }) => state === 'superseded' && place >= this.backPlace)
      .sort((a, b) => b.place - a.place)
      .slice(0, BACK);
  }

  drop(): void {
    const readable = [this.in('promoted'), this.in('candidate'), ...this.back].filter(
      (one) => one !== undefined,
    );
    this.dropped = Math.max(this.dropped, Math.min(...readable.map(({ foldedSeq }) => foldedSeq)));
  }

  /** The decision that a reader of the current release must find. */
  find(n: number, subject: Subject): string {
    const folded = this.in('promoted')?.foldedSeq ?? 0;
    const deciding = this.ops
      .filter((op) => op.n === n && op.subjects.includes(subject) && op.seq > folded && op.until > this.now)
      .at(-1);
    return deciding === undefined ? 'nothing' : `${deciding.op} ${deciding.seq}`;
  }
}

type Step = (model: Model) => Promise<void>;

/** A step. fast-check prints these words when a sequence fails. */
function step(words: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => words });
}

const changeStep = fc
  .record({
    op: fc.constantFrom(...CHANGE_OPS),
    numbers: fc.uniqueArray(fc.constantFrom(...NUMBERS), { minLength: 1 }),
    subjects: fc.constantFrom<readonly Subject[]>(['from'], ['to'], SUBJECTS),
    lasts: fc.constantFrom(null, 60_000, 3_600_000),
  })
  .map(
    ({ op, numbers, subjects, lasts }): Step =>
      step(`${op} ${numbers.join()} ${subjects.join()} ${lasts}`, async (model) => {
        const until = op === 'clear' || lasts === null ? null : model.now + lasts;
        const result = await coordinator().changeEntries(asAdmin(), {
          op,
          items: numbers.map((n) => ({ number: toE164(n) })),
          code: 'SENDER_REPORTED',
          subjects: [...subjects],
          until: until === null ? null : new Date(until).toISOString(),
          reason: 'test',
        });
        model.seq = unwrap(result).seq;
        for (const n of numbers) {
          model.ops.push({ n, subjects, op, seq: model.seq, until: until ?? Number.POSITIVE_INFINITY });
        }
      }),
  );

const stageStep = fc.boolean().map(
  (folds): Step =>
    step(`stage ${folds ? 'with what is live' : ''}`, async (model) => {
      const foldedSeq = folds ? model.seq : 0;
      const numbers = [{ n: 821055550000 + model.staged, since: 0, until: 0xffffffff }];
      const base = model.in('promoted')?.name ?? null;
      const minute = model.staged++;
      const name = await stage({ lists: [plainList('suspended', { numbers })], base, foldedSeq, minute });
      model.releases.push({ name, foldedSeq, state: 'staged', place: 0, takenBack: false });
    }),
);

const promoteStep = fc
  .record({
    which: fc.nat(9),
    share: fc.constantFrom(1, 1, 1, 0.5),
    rightBase: fc.constantFrom(true, true, true, true, false),
  })
  .map(
    ({ which, share, rightBase }): Step =>
      step(`promote ${which} to ${share}${rightBase ? '' : ' on a wrong base'}`, async (model) => {
        // Mostly the latest staged release; sometimes an old one.
        const release = model.releases.at(which < 7 ? -1 : which % Math.max(1, model.releases.length));
        if (release === undefined) return;
        const current = model.in('promoted');
        const candidate = model.in('candidate');
        const base = rightBase ? (current?.name ?? null) : '20200101T0000Z-00000000';
        const promotion = { base, share, overrides: ALL_GUARDS, reason: 'test' };
        const code = codeOf(await coordinator().promote(asAdmin(), release.name, promotion));
        const expected = !rightBase
          ? 'BASE_MOVED'
          : release.state === 'promoted' ||
              (candidate !== undefined && candidate !== release) ||
              (share < 1 && current === undefined)
            ? 'RELEASE_STATE'
            : release.foldedSeq < model.dropped
              ? 'FOLD_BEHIND'
              : 'ok';
        expect(code).toBe(expected);
        if (code !== 'ok') return;
        model.seq++;
        if (share < 1) release.state = 'candidate';
        else {
          if (current !== undefined) current.state = 'superseded';
          release.state = 'promoted';
          release.takenBack = false;
          release.place = Math.max(...model.releases.map(({ place }) => place)) + 1;
          model.backPlace = Math.min(release.place, ...model.back.map(({ place }) => place));
          model.drop();
        }
      }),
  );

const rollbackStep = fc.constant(
  step('rollback', async (model) => {
    const candidate = model.in('candidate');
    const current = model.in('promoted');
    const previous = candidate === undefined ? model.back[0] : current;
    const code = codeOf(await coordinator().rollback(asAdmin(), { reason: 'test' }));
    expect(code).toBe(current === undefined || previous === undefined ? 'ROLLBACK_IMPOSSIBLE' : 'ok');
    if (code !== 'ok') return;
    model.seq++;
    const last = (candidate ?? current)!;
    // A rollback of a canary that was current before leaves it a target of rollback.
    const isWayBack = last === candidate && last.place > 0 && !last.takenBack;
    last.state = isWayBack ? 'superseded' : 'withdrawn';
    last.takenBack ||= !isWayBack;
    previous!.state = 'promoted';
  }),
);

const timeStep = fc.constantFrom(60_000, 120_000, 4_200_000).map(
  (ms): Step =>
    step(`${ms} ms pass`, async (model) => {
      model.now += ms;
      model.steps = 0;
      vi.setSystemTime(model.now);
    }),
);

const alarmStep = fc.constant(
  step('alarm', async (model) => {
    const before = (await coordinator().status()).seq;
    await runDurableObjectAlarm(stub());
    const { seq } = await coordinator().status();
    // The alarm removes ended entries, which is one change, and removes nothing else.
    expect(seq - before).toBeLessThanOrEqual(1);
    model.seq = seq;
  }),
);

const evictStep = fc.constant(
  step('evict', async () => {
    // Only a running object can be evicted.
    await coordinator().status();
    await evictDurableObject(stub());
  }),
);

async function compare(model: Model): Promise<void> {
  const read = await readHead();
  if (model.seq === 0) {
    expect(read).toBeNull();
    return;
  }
  const { head, live } = read!;
  expect(head.seq).toBe(model.seq);
  expect(head.current?.release).toBe(model.in('promoted')?.name);
  expect(head.candidate?.release).toBe(model.in('candidate')?.name);
  const folded = model.in('promoted')?.foldedSeq ?? 0;
  for (const n of NUMBERS) {
    for (const subject of SUBJECTS) {
      const key = numberKey(n);
      const found = live.find(
        key.kind,
        key.high,
        key.low,
        SUBJECT_BIT[subject],
        folded,
        Math.floor(model.now / 1000),
      );
      expect(found === null ? 'nothing' : `${found.op} ${found.seq}`).toBe(model.find(n, subject));
    }
  }
  const states = Object.fromEntries(
    (await coordinator().releases(100)).map(({ release, state }) => [release, state]),
  );
  expect(states).toEqual(Object.fromEntries(model.releases.map(({ name, state }) => [name, state])));
}

async function compareAudit(model: Model): Promise<void> {
  const records = await coordinator().audit(0, 100_000);
  const verifier = new AuditVerifier();
  for (const record of records) expect(verifier.next(record)).toBeNull();
  const seqs = new Set(
    records.filter(({ action }) => !/^release\.(stage|refuse)/.test(action)).map(({ seq }) => seq),
  );
  expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: model.seq }, (_, index) => index + 1));
}

test('the coordinator agrees with the model', async () => {
  const anyStep = fc.oneof(
    { weight: 5, arbitrary: changeStep },
    { weight: 3, arbitrary: stageStep },
    { weight: 6, arbitrary: promoteStep },
    { weight: 3, arbitrary: rollbackStep },
    { weight: 1, arbitrary: timeStep },
    { weight: 1, arbitrary: alarmStep },
    { weight: 1, arbitrary: evictStep },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 20, maxLength: STEPS_MAX, size: 'max' }),
      async (steps) => {
        await emptyStores();
        vi.useFakeTimers({ toFake: ['Date'], now: START });
        const model = new Model();
        for (const run of steps) {
          // Never up to the next minute, when entries end.
          vi.setSystemTime(model.now + 1_000 * model.steps++);
          await run(model);
          await compare(model);
        }
        await compareAudit(model);
      },
    ),
    { numRuns: 25 },
  );
});
