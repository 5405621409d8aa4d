/** The report of a plan: its changes by list, the guards, and the command that pushes exactly this plan. */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { withOverrideHint } from '../../../cli/commands/override.ts';
import { formatPlan, type PlanResult, summarizePlan } from '../../../cli/commands/plan.ts';
import { formatState } from '../../../cli/commands/releases.ts';
import { CommandFailure } from '../../../cli/failure.ts';
import type { ListChange, Terms } from '../../../shared/release/diff.ts';
import type { GuardHit } from '../../../shared/release/guard-settings.ts';

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

/** Permissions of the token `root`, with a key of the installation. */
const ANYBODY = { foreign: [], lists: new Map(), me: null, signer: null };

/** Only the parts of a result that the report shows. */
function resultOf(lists: readonly ListChange[], guards: readonly GuardHit[]): PlanResult {
  const plan = { base: 'old', release: 'new', lists, guards, hash: '865a1c8a7e5f2f52' };
  return {
    plan,
    folder: { path: 'build/releases/new' },
    base: { manifest: null },
    manifest: {},
    refusal: null,
    ownership: ANYBODY,
  } as unknown as PlanResult;
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

  it('is shown by list, with the prefixes that change most, the guards and the command', () => {
    const [text, value] = formatPlan(resultOf(lists, [hit, hit]));
    expect(stripVTControlCharacters(text).split('\n')).toEqual([
      'new, based on old',
      '  + 1,204  - 37  ~ 2  kr-suspended NUMBER_SUSPENDED',
      '      +8210********  + 1,204  - 30  ~ 2',
      '      +6391********  + 0  - 7',
      '  + 1  - 0  partners NUMBER_SUSPENDED (new list)',
      '  + 0  - 3  old-list NUMBER_SUSPENDED (list is dropped)',
      '  + 0  - 0  softer NUMBER_SUSPENDED',
      '      block NUMBER_SUSPENDED from+to by ktoa → label NUMBER_SUSPENDED from+to by ktoa',
      '  1 of 5 lists are unchanged',
      '',
      'Plan 865a1c8a7e5f2f52: + 1,205  - 40  ~ 2',
      'guards are hit:',
      '  removes: kr-suspended: 40 of 100 entries would end   --override removes',
      '  removes: kr-suspended: 40 of 100 entries would end   --override removes',
      'To push exactly this plan:',
      '  npx numgate push build/releases/new --plan 865a1c8a7e5f2f52 --override removes --reason "…"',
      '',
    ]);
    expect(value).toMatchObject({ hash: '865a1c8a7e5f2f52', guards: [hit, hit] });
  });

  it('that hits no guard needs no override, and has a summary in one line', () => {
    const result = resultOf(lists, []);
    const text = stripVTControlCharacters(formatPlan(result)[0]);
    expect(text).toContain('no guard is hit\n');
    expect(text).not.toContain('--override');
    expect(stripVTControlCharacters(summarizePlan(result))).toBe(
      'new, based on old: + 1,205  - 40  ~ 2 in 4 lists\n',
    );
  });
});

describe('the plan of the current release', () => {
  it('says that nothing changes, and proposes no override', () => {
    const guard = { ...hit, guard: 'older-base', override: 'older-base' } as const;
    const result = resultOf([change('same')], [guard]);
    const [text, value] = formatPlan({ ...result, plan: { ...result.plan, base: 'new' } });
    expect(stripVTControlCharacters(text)).toBe(
      'new is the current release: a push of this build changes nothing\n',
    );
    expect(value).toMatchObject({ release: 'new', isCurrent: true, guards: [] });
    expect(value).not.toHaveProperty('command');
  });
});

describe('a plan that a push would refuse', () => {
  it('says so first, and shows no command', () => {
    const refusal = { ok: false, code: 'FOLD_BEHIND', message: 'build again' } as const;
    const [text, value] = formatPlan({ ...resultOf([], []), refusal });
    const [first] = stripVTControlCharacters(text).split('\n');
    expect(first).toBe('A push of this build would be refused: FOLD_BEHIND: build again');
    expect(text).not.toContain('To push');
    expect(value).toMatchObject({ refusal: { code: 'FOLD_BEHIND', message: 'build again' } });
    expect(value).not.toHaveProperty('command');
  });
});

describe('the next command', () => {
  it('after a canary extends or withdraws it, with the same overrides', () => {
    const done = { release: 'new', seq: 7, state: 'candidate', share: 0.1 } as const;
    const lines = (overrides: Parameters<typeof formatState>[1]) =>
      stripVTControlCharacters(formatState(done, overrides)).split('\n');
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

  it('after a guard is the typed command with the plan, the overrides and a new reason', () => {
    const stopped = new CommandFailure('guards are hit:', 3, {
      guards: [hit, hit],
      plan: '865a1c8a7e5f2f52',
    });
    const typed = ['push', 'build/releases/new', '--remote', '--share', '0.5'];
    const failure = withOverrideHint(stopped, typed, {}) as CommandFailure;
    const command =
      'push build/releases/new --remote --share 0.5 --plan 865a1c8a7e5f2f52 --override removes --reason "…"';
    expect(failure.message).toBe(
      `guards are hit:\nto override them for plan 865a1c8a7e5f2f52:\n  npx numgate ${command}`,
    );
    expect(failure.details).toMatchObject({ code: 'GUARD_HIT', exitCode: 3, guards: [hit, hit], command });
    const spaced = ['push', "my builds/it's new", '--env', 'a b'];
    expect((withOverrideHint(stopped, spaced, {}) as CommandFailure).message).toContain(
      `push 'my builds/it'\\''s new' --env 'a b' --plan`,
    );
    const again = ['push', '--plan', '865a1c8a7e5f2f52', '--override', 'adds', '--reason', 'ticket 4711'];
    const given = { plan: '865a1c8a7e5f2f52', override: ['adds'], reason: 'ticket 4711' } as const;
    expect((withOverrideHint(stopped, again, given) as CommandFailure).details).toMatchObject({
      command: 'push --plan 865a1c8a7e5f2f52 --override adds --override removes --reason "…"',
    });
    const ended = ['--json', 'push', '--reason=weekly', '--wait', '--reason', '--', '--', '--reason'];
    expect((withOverrideHint(stopped, ended, { reason: '--' }) as CommandFailure).details).toMatchObject({
      command: '--json push --wait --plan 865a1c8a7e5f2f52 --override removes --reason "…" -- --reason',
    });
    const other = new CommandFailure('no', 4);
    expect(withOverrideHint(other, typed, {})).toBe(other);
  });
});
