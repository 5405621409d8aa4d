/** The stages of a rule block, counter-evidence, and the weight of partners. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { causesOf, type SubjectFacts } from '../../../shared/reports/counter-evidence.ts';
import { durationMs } from '../../../shared/reports/duration.ts';
import { effectiveWeight, RECORD_AT_FIRST, recordAfter } from '../../../shared/reports/partner.ts';
import type { Rule } from '../../../shared/reports/rule.ts';
import {
  BLOCK_EVENTS,
  BLOCK_STATES,
  type BlockEvent,
  type BlockStage,
  type BlockState,
  firstStage,
  IN_FORCE,
  nextStage,
} from '../../../shared/reports/stages.ts';
import { holds } from '../support/properties.ts';
import { defaultRule, NOW } from './rule-world.ts';

const RULE = defaultRule('kr-50');
const FACTS: SubjectFacts = {
  ...{ isProtected: false, isRegistered: false, sent: null, reporters: 50 },
  ...{ isUnblocked: false, neighbours: 0 },
};

/** All possible moves. */
const MOVES: Readonly<Partial<Record<BlockState, Partial<Record<BlockEvent, BlockState>>>>> = {
  proposed: {
    approve: 'provisional',
    dismiss: 'dismissed',
    timeUp: 'ended',
    unsupported: 'ended',
    appealed: 'ended',
  },
  provisional: {
    ...{ confirmed: 'confirmed', confirm: 'confirmed', timeUp: 'ended' },
    ...{ unsupported: 'lifted', lift: 'lifted', appealed: 'lifted' },
  },
  confirmed: {
    confirm: 'confirmed',
    timeUp: 'ended',
    unsupported: 'lifted',
    lift: 'lifted',
    appealed: 'lifted',
  },
  shadow: { timeUp: 'ended', unsupported: 'ended' },
};

describe('the stages of a block', () => {
  it('have exactly these moves', () => {
    for (const state of BLOCK_STATES) {
      const found = Object.fromEntries(
        BLOCK_EVENTS.map((event) => [
          event,
          nextStage({ state, until: NOW, byPerson: false }, event, RULE, NOW),
        ])
          .filter(([, next]) => next !== null)
          .map(([event, next]) => [event as string, (next as BlockStage).state]),
      );
      expect([state, found]).toEqual([state, MOVES[state] ?? {}]);
    }
  });

  it('begin as the rule and the facts say, and always have an end', () => {
    const first = (rule: Partial<Rule>, facts: Partial<SubjectFacts> = {}) =>
      firstStage({ ...RULE, ...rule }, causesOf({ ...RULE, ...rule }, { ...FACTS, ...facts }), NOW);
    expect(first({})).toEqual({ state: 'provisional', until: NOW + durationMs('72h'), byPerson: false });
    expect(first({ provisional: '1h' }).until).toBe(NOW + durationMs('1h'));
    expect(first({ approval: 'propose' }).state).toBe('proposed');
    expect(first({}, { isProtected: true }).state).toBe('proposed');
    for (const rule of [{ state: 'shadow' }, { effect: 'shadow' }] as const) {
      expect(first(rule, { isProtected: true }).state).toBe('shadow');
    }
  });

  it('no block outlives its stage, and none is in force for longer than both', () => {
    const events = fc.array(fc.tuple(fc.constantFrom(...BLOCK_EVENTS), fc.nat(50)), { maxLength: 12 });
    holds(
      fc.property(events, fc.boolean(), (events, isProposed) => {
        let stage = firstStage(RULE, isProposed ? ['registered'] : [], NOW);
        let [now, inForceSince] = [NOW, IN_FORCE.includes(stage.state) ? NOW : null];
        for (const [event, hours] of events) {
          now += hours * durationMs('1h');
          if (stage.until !== null && stage.until <= now)
            stage = nextStage(stage, 'timeUp', RULE, now) ?? stage;
          else if (event !== 'timeUp') stage = nextStage(stage, event, RULE, now) ?? stage;
          if (!IN_FORCE.includes(stage.state)) continue;
          inForceSince ??= now;
          expect(stage.until).toBeGreaterThan(now);
          expect(stage.until! - inForceSince).toBeLessThanOrEqual(durationMs('72h') + durationMs('90d'));
        }
      }),
    );
  });

  it('that a person confirmed stay without their reports, but not after an appeal', () => {
    const block = nextStage(firstStage(RULE, [], NOW), 'confirm', RULE, NOW)!;
    expect(block).toEqual({ state: 'confirmed', until: NOW + durationMs('90d'), byPerson: true });
    expect(nextStage(block, 'unsupported', RULE, NOW)).toBeNull();
    expect(nextStage(block, 'appealed', RULE, NOW)?.state).toBe('lifted');
    // First confirmed by reports and then by a person: the end stays the same.
    const reported = nextStage(firstStage(RULE, [], NOW), 'confirmed', RULE, NOW)!;
    expect(nextStage(reported, 'confirm', RULE, NOW + 1)).toEqual({ ...reported, byPerson: true });
    expect(nextStage(block, 'confirm', RULE, NOW)).toBeNull();
  });
});

describe('counter-evidence', () => {
  it.each([
    [{}, []],
    [{ isProtected: true }, ['protected']],
    [{ isRegistered: true }, ['registered']],
    [{ sent: 50_000 }, []],
    [{ sent: 50_001 }, ['lowRate']],
    [{ sent: 0 }, []],
    [{ isUnblocked: true }, ['unblocked']],
    [{ neighbours: 6 }, []],
    [{ neighbours: 7 }, ['range']],
  ])('%j: %j', (facts, causes) => {
    expect(causesOf(RULE, { ...FACTS, ...facts })).toEqual(causes);
  });

  it('is that of the rule, too', () => {
    expect(causesOf({ ...RULE, approval: 'propose' }, FACTS)).toEqual(['approval']);
  });
});

describe('the record of a partner', () => {
  it('rises with confirmed blocks, falls faster with appeals, and stays within bounds', () => {
    let record = RECORD_AT_FIRST;
    for (let n = 0; n < 11; n++) record = recordAfter(record, 'confirmed');
    expect(record).toBeGreaterThan(RECORD_AT_FIRST);
    expect(recordAfter(record, 'appealed')).toBeLessThan(RECORD_AT_FIRST);
    for (let n = 0; n < 200; n++) record = recordAfter(record, 'confirmed');
    expect(record).toBe(2);
    // An earlier good record does not protect the partner.
    for (let n = 0; n < 10; n++) record = recordAfter(record, 'appealed');
    expect(record).toBe(0.25);
  });

  it('changes the weight that the installation gave', () => {
    expect([effectiveWeight(1, RECORD_AT_FIRST), effectiveWeight(2, 2), effectiveWeight(0.25, 0.25)]).toEqual(
      [...[0.5, 2, 0.25]],
    );
  });
});
