/**
 * The states of a registration compared with a plain model. The model lists every transition by hand, and replays the history
 * to know the version in force.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATES } from '../../../shared/senders/registration.ts';
import {
  expired,
  isInForce,
  MOVES,
  type Move,
  moved,
  NEW_REGISTRATION,
  possibleMoves,
  type ReviewState,
} from '../../../shared/senders/registration-states.ts';

/** `<state> <move> <next state>`; `back` is the state before the suspension. */
const TRANSITIONS = `
  draft edit draft
  draft submit submitted
  draft suspend suspended
  draft close closed
  submitted edit draft
  submitted claim inReview
  submitted suspend suspended
  submitted close closed
  inReview claim inReview
  inReview release submitted
  inReview approve approved
  inReview reject rejected
  inReview requestUpdate needsUpdate
  inReview suspend suspended
  inReview close closed
  needsUpdate edit draft
  needsUpdate suspend suspended
  needsUpdate close closed
  approved edit draft
  approved suspend suspended
  approved close closed
  rejected edit draft
  rejected suspend suspended
  rejected close closed
  suspended resume back
  suspended close closed
  expired edit draft
  expired close closed
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' ') as [string, string, string]);

/** A registration, represented by its history. */
class Model {
  state = 'draft';
  version = 1;
  approved: number | null = null;
  before: string | null = null;

  allows(move: string): boolean {
    if (move === 'suspend' && this.approved === null) return false;
    return TRANSITIONS.some(([from, by]) => from === this.state && by === move);
  }

  move(move: string): void {
    const next = TRANSITIONS.find(([from, by]) => from === this.state && by === move)![2];
    const { state } = this;
    this.state = next === 'back' ? this.before! : next;
    if (move === 'suspend') this.before = state === 'inReview' ? 'submitted' : state;
    if (move === 'edit') this.version++;
    if (move === 'approve') this.approved = this.version;
    if (move === 'close') this.approved = null;
  }

  end(): void {
    this.approved = null;
    if (this.state === 'suspended') this.state = this.before!;
    if (this.state === 'approved') this.state = 'expired';
  }
}

const moves = fc.array(fc.constantFrom<Move | 'end'>(...MOVES, 'end'), { maxLength: 40 });

describe('the states of a registration', () => {
  it('follow the plain model, and every impossible move is REGISTRATION_STATE', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const model = new Model();
        let real: ReviewState = NEW_REGISTRATION;
        for (const move of sequence) {
          if (move === 'end') {
            // The alarm ends only approved registrations.
            if (model.approved === null) continue;
            model.end();
            real = expired(real);
          } else if (model.allows(move)) {
            model.move(move);
            const next = moved(real, move);
            if (!next.ok) throw new Error(next.message);
            real = next.value;
          } else {
            expect(moved(real, move)).toMatchObject({
              code: 'REGISTRATION_STATE',
              message: expect.stringContaining(
                `"${move}" is not possible: the registration is "${real.state}"`,
              ),
            });
          }
          const { state, version, approved } = model;
          expect(real).toMatchObject({ state, version, approvedVersion: approved });
          expect(isInForce(real)).toBe(approved !== null && state !== 'suspended');
          expect(possibleMoves(real)).toEqual(MOVES.filter((each) => model.allows(each)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reach every state, and leave every state but closed', () => {
    const to = new Set(TRANSITIONS.map(([, , next]) => next));
    const from = new Set(TRANSITIONS.map(([state]) => state));
    const others = STATES.filter((state) => state !== 'closed');
    expect(STATES.filter((state) => !to.has(state))).toEqual(['expired']);
    expect(others.filter((state) => !from.has(state))).toEqual([]);
  });

  it('say why a move is not possible', () => {
    expect(moved(NEW_REGISTRATION, 'approve')).toMatchObject({
      message: '"approve" is not possible: the registration is "draft"',
    });
    expect(moved(NEW_REGISTRATION, 'suspend')).toMatchObject({
      message: expect.stringContaining('"draft" and has no approved version'),
    });
  });

  it('keep the approved version in force while a newer one is edited, reviewed and rejected', () => {
    let real: ReviewState = { ...NEW_REGISTRATION, state: 'approved', approvedVersion: 1 };
    for (const move of ['edit', 'submit', 'claim', 'reject'] as const) {
      const next = moved(real, move);
      if (!next.ok) throw new Error(next.message);
      real = next.value;
      expect([move, isInForce(real), real.approvedVersion]).toEqual([move, true, 1]);
    }
    expect(real).toMatchObject({ state: 'rejected', version: 2 });
  });
});
