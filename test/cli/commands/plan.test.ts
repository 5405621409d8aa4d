/**
 * How a plan looks: short, by list, with the guards and the command that pushes exactly this.
 */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { PlanResult } from '../../../cli/commands/plan.ts';
import { CommandFailure } from '../../../cli/failure.ts';
import { withOverrideHint } from '../../../cli/override-hint.ts';
import { planned, planSummary, promoted } from '../../../cli/report-releases.ts';
import type { ListChange, Terms } from '../../../shared/release/diff.ts';
import type { GuardHit } from '../../../shared/release/guards.ts';

const NONE = { before: 0, after: 0, added: 0, removed: 0, changed: 0 };
const terms: Terms = {
  reason: 'NUMBER_SUSPENDED',
  effect: 'block',
  subjects: ['from', 'to'],
  authority: 'ktoa',
};

function change(name: string, given: Partial<ListChange> = {}): ListChange {
  return {
    ...{ name, state: 'kept', terms, termsBefore: null },
    numbers: { ...NONE, heads: [] },
    dated: { ...NONE, heads: [] },
    ranges: { ...NONE, numbersAdded: 0, numbersRemoved: 0 },
    sources: NONE,
    ...given,
  };
}

const hit: GuardHit = {
  ...{
    guard: 'removes',
    list: 'kr-suspended',
    message: 'kr-suspended: 40 of 100 entries would end',
    figures: {},
  },
  override: 'removes',
};

/** Only what is shown of an outcome. */
function outcomeOf(lists: readonly ListChange[], guards: readonly GuardHit[]): PlanResult {
  const plan = { base: 'old', release: 'new', lists, guards, hash: '865a1c8a7e5f2f52' };
  return { plan, folder: { path: 'build/releases/new' } } as unknown as PlanResult;
}

describe('a plan', () => {
  const head = { head: 8210, added: 1_200, removed: 30, changed: 0 };
  const lists = [
    change('kr-suspended', {
      numbers: {
        ...NONE,
        added: 1_200,
        removed: 37,
        heads: [head, { head: 6391, added: 0, removed: 7, changed: 0 }],
      },
      dated: { ...NONE, added: 4, changed: 2, heads: [{ head: 8210, added: 4, removed: 0, changed: 2 }] },
    }),
    change('partners', { state: 'new', sources: { ...NONE, added: 1 } }),
    change('old-list', {
      state: 'dropped',
      ranges: { ...NONE, removed: 3, numbersAdded: 0, numbersRemoved: 30 },
    }),
    change('softer', { terms: { ...terms, effect: 'label' }, termsBefore: terms }),
    change('same'),
  ];

  it('is told list by list, with the heads that change most, the guards and the command', () => {
    const [text, value] = planned(outcomeOf(lists, [hit, hit]));
    expect(stripVTControlCharacters(text).split('\n')).toEqual([
      'new upon old',
      '  + 1,204  - 37  ~ 2  kr-suspended NUMBER_SUSPENDED',
      '      +8210********  + 1,204  - 30  ~ 2',
      '      +6391********  + 0  - 7',
      '  + 1  - 0  partners NUMBER_SUSPENDED (new list)',
      '  + 0  - 3  old-list NUMBER_SUSPENDED (list is dropped)',
      '  + 0  - 0  softer NUMBER_SUSPENDED',
      '      block NUMBER_SUSPENDED from+to by ktoa → label NUMBER_SUSPENDED from+to by ktoa',
      '  1 of 5 lists stay as they are',
      '',
      'Plan 865a1c8a7e5f2f52: + 1,205  - 40  ~ 2',
      'guards are hit:',
      '  removes: kr-suspended: 40 of 100 entries would end   --override removes',
      '  removes: kr-suspended: 40 of 100 entries would end   --override removes',
      'To push exactly this:',
      '  npx numgate push build/releases/new --plan 865a1c8a7e5f2f52 --override removes --reason "…"',
      '',
    ]);
    expect(value).toMatchObject({ hash: '865a1c8a7e5f2f52', guards: [hit, hit] });
  });

  it('that hits no guard needs no override, and one line tells it in short', () => {
    const outcome = outcomeOf(lists, []);
    const text = stripVTControlCharacters(planned(outcome)[0]);
    expect(text).toContain('no guard is hit\n');
    expect(text).not.toContain('--override');
    expect(stripVTControlCharacters(planSummary(outcome))).toBe(
      'new upon old: + 1,205  - 40  ~ 2 in 4 lists\n',
    );
  });
});

describe('what comes next', () => {
  it('after a canary is shown as commands, with the guards that it went through', () => {
    const done = { release: 'new', seq: 7, state: 'candidate', share: 0.1 } as const;
    const lines = (overrides: Parameters<typeof promoted>[1]) =>
      stripVTControlCharacters(promoted(done, overrides)[0]).split('\n');
    expect(lines([])).toEqual([
      'new is the canary in 10 % of the data centres (seq 7)',
      '  to all:  npx numgate promote new',
      '  to none: npx numgate rollback --reason "…"',
      '',
    ]);
    expect(lines(['adds', 'removes'])[1]).toBe(
      '  to all:  npx numgate promote new --override adds --override removes --reason "…"',
    );
  });

  it('after a guard is the command with what was said, the plan and the guards', () => {
    const stopped = new CommandFailure('guards are hit:', 3, {
      guards: [hit, hit],
      plan: '865a1c8a7e5f2f52',
    });
    const said = { remote: true, env: '', share: 0.5, wait: false, url: [], override: ['adds'] };
    const failure = withOverrideHint(stopped, ['push', 'build/releases/new'], said) as CommandFailure;
    const command =
      'push build/releases/new --remote --share 0.5 --override adds --override removes --plan 865a1c8a7e5f2f52 --reason "…"';
    expect(failure.message).toBe(
      `guards are hit:\nif all of plan 865a1c8a7e5f2f52 is meant:\n  npx numgate ${command}`,
    );
    expect(failure.details).toMatchObject({ code: 'GUARD_HIT', exitCode: 3, guards: [hit, hit], command });
    const spaced = withOverrideHint(stopped, ['push', "my builds/it's new"], {
      env: 'a b',
    }) as CommandFailure;
    expect(spaced.message).toContain(`push 'my builds/it'\\''s new' --env 'a b' --plan`);
    const other = new CommandFailure('no', 4);
    expect(withOverrideHint(other, ['push'], said)).toBe(other);
  });
});
