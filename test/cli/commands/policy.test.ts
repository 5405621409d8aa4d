/**
 * `numgate policy`, `numgate canaries` and `numgate rules` against the real service. Differences are shown before and after a
 * change.
 */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { diffOf, isSameRule } from '../../../cli/commands/policy.ts';
import { formatRehearsal, sumPages } from '../../../cli/commands/rule-rehearsal.ts';
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../../shared/policy/policy.ts';
import type { RuleSettings } from '../../../shared/reports/rule.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { write } from '../support/workspace.ts';

const standard = STANDARD_POLICY.policy;
const [first, second, ...rest] = standard.rules;
const last = rest.at(-1)!;
/** One rule is removed, one is new, one is changed, two are swapped, and the label is different. */
const other: Policy = {
  ...standard,
  label: '[overseas]',
  rules: [
    {
      id: 'tried',
      when: { sender: ['withheld'] },
      effect: 'shadow',
      code: 'OVERSEAS_ORIGIN',
      withholdCli: false,
    },
    second!,
    first!,
    ...rest.slice(1, -1),
    { ...last, effect: 'block' },
  ],
};

const file = write('other.json', JSON.stringify(other));
const same = write('same.json', JSON.stringify({ version: 7, policy: standard }));

let admin: Admin;
beforeAll(async () => {
  ({ admin } = await startTestService());
});

const policy = (...args: string[]): Promise<CommandResult> => numgate('policy', ...args);
const inForce = (): Promise<VersionedPolicy> => admin.get('policy');

/** Each rule as its ID, its place before and its place after. */
function placesIn(before: Policy, after: Policy): (string | number | null)[][] {
  return diffOf(before, after).rules.map((rule) => [
    (rule.after ?? rule.before)!.rule.id,
    rule.before?.place ?? null,
    rule.after?.place ?? null,
  ]);
}

describe('the difference of two policies', () => {
  it('has every rule of both with its places, and the other changes', () => {
    const kept = rest.slice(1, -1).map(({ id }, index) => [id, index + 4, index + 4]);
    expect(placesIn(standard, other)).toEqual([
      ['tried', null, 1],
      [second!.id, 2, 2],
      [first!.id, 1, 3],
      ...kept,
      [last.id, standard.rules.length, other.rules.length],
      [rest[0]!.id, 3, null],
    ]);
    const { label, redress } = diffOf(standard, other);
    expect([label, redress]).toEqual([{ before: standard.label, after: '[overseas]' }, null]);
  });

  it('shows whether a rule was added first or last', () => {
    const all = { id: 'all', when: {}, effect: 'allow', withholdCli: false } as const;
    const [before, behind] = [
      { ...standard, rules: [all, ...standard.rules] },
      { ...standard, rules: [...standard.rules, all] },
    ];
    expect(placesIn(standard, before)[0]).toEqual(['all', null, 1]);
    expect(placesIn(standard, behind).at(-1)).toEqual(['all', null, standard.rules.length + 1]);
    expect(placesIn(behind, before)[0]).toEqual(['all', standard.rules.length + 1, 1]);
  });

  it('ignores the order of values, and a redress without an address', () => {
    const { origin = [], sender = [] } = first!.when;
    const reordered = { ...first!, when: { sender: sender.toReversed(), origin } };
    expect(isSameRule(first!, reordered)).toBe(true);
    expect(isSameRule(first!, { ...reordered, when: { origin } })).toBe(false);
    expect(diffOf({ ...standard, redress: null }, { ...standard, redress: {} }).redress).toBe(null);
  });
});

describe('policy set', () => {
  it('shows with --dry-run what would change, and changes nothing', async () => {
    const { code, out, errors } = await policy('set', file, '--dry-run');
    expect([code, errors]).toEqual([0, '']);
    const rows = out.split('\n').map((line) => line.split('│').map((cell) => cell.trim()));
    const rowsOf = (id: string): string[][] =>
      rows.filter((cells) => cells[3] === id).map((cells) => [cells[1]!, cells[2]!, cells[5]!]);
    expect(rowsOf('tried')).toEqual([['+', '1', 'shadow']]);
    expect(rowsOf(first!.id)).toEqual([['', '1 → 3', first!.effect]]);
    expect(rowsOf(second!.id)).toEqual([['', '2', second!.effect]]);
    const place = String(standard.rules.length);
    expect(rowsOf(last.id)).toEqual([
      ['-', place, last.effect],
      ['+', place, 'block'],
    ]);
    expect(rowsOf(rest[0]!.id)).toEqual([['-', '3', rest[0]!.effect]]);
    const label = `- label ${standard.label}\n+ label [overseas]\n`;
    expect(out.endsWith(`${label}nothing was changed: version 0 is in force\n`)).toBe(true);
    expect((await inForce()).version).toBe(0);
    expect(JSON.parse((await policy('set', file, '--dry-run', '--json')).out)).toEqual({
      inForce: 0,
      diff: JSON.parse(JSON.stringify(diffOf(standard, other))),
    });
  });

  it('rejects --wait with --dry-run', async () => {
    const { code, errors } = await policy('set', file, '--dry-run', '--wait');
    expect([code, errors]).toEqual([
      2,
      expect.stringContaining("'--dry-run' cannot be used with option '--wait'"),
    ]);
  });

  it('requires a reason without --dry-run', async () => {
    const { code, errors } = await policy('set', file);
    expect([code, errors]).toEqual([2, "error: required option '--reason <text>' not specified\n"]);
    expect((await inForce()).version).toBe(0);
  });

  it('shows what it has changed', async () => {
    const { code, out } = await policy('set', file, '--reason', 'tests', '--json');
    expect(code).toBe(0);
    const done = JSON.parse(out) as { version: number; diff: unknown };
    expect(done.diff).toEqual(JSON.parse(JSON.stringify(diffOf(standard, other))));
    expect(await inForce()).toEqual({ version: done.version, policy: other });
  });

  it('does not overwrite the change of another admin', async () => {
    const { version, policy: now } = await inForce();
    const mine = write('mine.json', JSON.stringify({ version, policy: { ...now, label: '[mine]' } }));
    const theirs = write('theirs.json', JSON.stringify({ version, policy: { ...now, label: '[theirs]' } }));
    expect((await policy('set', theirs, '--reason', 'tests')).code).toBe(0);
    for (const how of [['--dry-run'], ['--reason', 'tests']]) {
      const { code, errors } = await policy('set', mine, ...how);
      expect([code, errors]).toEqual([
        4,
        expect.stringMatching(
          `^error: the file is based on version ${version} of the policy, but version \\d+ is in force`,
        ),
      ]);
    }
    expect((await inForce()).policy.label).toBe('[theirs]');
  });

  it('says when the policy is unchanged', async () => {
    await policy('reset', '--reason', 'tests');
    const { out } = await policy('set', same, '--dry-run');
    expect(out).toMatch(/^the policy is the same as the one in force\nnothing was changed/);
  });
});

describe('canary numbers', () => {
  const canaries = (...args: string[]): Promise<CommandResult> => numgate('canaries', ...args);
  const numbers = write('canaries.txt', '010-2000-0001\n+821020000002\n010-2000-0001\n');

  it('are added from a file once, listed, and removed', async () => {
    expect(await canaries('list')).toMatchObject({ code: 0, out: 'there are no canary numbers\n' });
    const added = await canaries('add', '--file', numbers, '--reason', 'a test');
    expect([added.code, added.errors]).toEqual([0, '']);
    expect(added.out).toMatch(/^2 added, 2 canary numbers in total \(seq \d+\)\n/);
    const again = await canaries('add', '--file', numbers, '--reason', 'a test', '--json');
    expect(JSON.parse(again.out)).toEqual({ changed: 0, numbers: 2 });
    expect((await canaries('list')).out).toBe('+821020000001\n+821020000002\n');
    const one = write('one.txt', '010-2000-0002');
    expect((await canaries('remove', '--file', one, '--reason', 'a test')).out).toMatch(
      /^1 removed, 1 canary/,
    );
    expect(await admin.get('canaries')).toEqual({ numbers: [821_020_000_001] });
  });

  it('that are no phone numbers are refused by their line, and are not shown', async () => {
    const wrong = write('wrong.txt', '010-2000-0003\n010-2000-00\n');
    const { code, out, errors } = await canaries('add', '--file', wrong, '--reason', 'a test');
    expect([code, out]).toEqual([2, '']);
    expect(errors).toMatch(/wrong\.txt, line 2 is not a phone number: nothing was changed/);
    expect(errors).not.toContain('2000');
  });
});

describe('rules', () => {
  const rules = (...args: string[]): Promise<CommandResult> => numgate('rules', ...args);
  const NEW = ['window=24h', 'distinct=1', 'kinds=police,regulator', 'provisional=24h', 'confirmed=90d'];

  it('are listed, and shown with what they mean', async () => {
    const { code, out, errors } = await rules('list');
    expect([code, errors]).toEqual([0, '']);
    expect(out).toMatch(/kr-50@1 .*active .*24h .*50 .*20 .*block .*auto .*72h .*90d/);
    const shown = await rules('show', 'overseas-20');
    expect(shown.out).toMatch(
      /a sender of overseas traffic with 20 reporters within 24h, at most 8 from each partner, .*: a block for 72h/,
    );
    expect((await rules('show', 'kr-51')).errors).toMatch(/^error: RULE_UNKNOWN: /);
  });

  it('are changed by field, after a dry run that changes nothing', async () => {
    const dry = await rules('set', 'kr-50', 'distinct=60', 'state=shadow', '--dry-run', '--json');
    expect(JSON.parse(dry.out).diff).toEqual([
      { field: 'state', before: 'active', after: 'shadow' },
      { field: 'distinct', before: 50, after: 60 },
    ]);
    expect((await rules('set', 'kr-50', 'distinct=60', '--dry-run')).out).toMatch(
      /distinct .*50 .*60[\s\S]*nothing was changed: kr-50@1 is in force\n$/,
    );
    expect((await rules('set', 'kr-50', 'distinct=60')).errors).toMatch(/required option '--reason <text>'/);
    const done = await rules('set', 'kr-50', 'distinct=60', '--reason', 'tests');
    expect([done.code, done.errors]).toEqual([0, '']);
    expect(done.out).toMatch(/kr-50@2 is set\na sender with 60 reporters/);
  });

  it('are set from a file, unless somebody changed them since', async () => {
    const mine = write('mine-rule.json', (await rules('show', 'kr-50', '--json')).out);
    expect((await rules('set', 'kr-50', 'distinct=50', '--file', mine, '--reason', 'tests')).code).toBe(0);
    const { code, errors } = await rules('set', 'kr-50', '--file', mine, '--reason', 'tests');
    expect([code, errors]).toEqual([
      4,
      expect.stringMatching(/is based on version 2 of kr-50, but version 3 is in force/),
    ]);
    expect((await rules('set', 'new', '--file', mine, '--reason', 'tests')).errors).toMatch(
      /has the rule kr-50, not new/,
    );
  });

  it.each([
    [['distinct=many'], 'distinct must be a number'],
    [['range=1588'], 'Write a field and its value'],
    [['maxShare=1.5'], 'maxShare must be at most 1: it is a share'],
    [['provisional=for-ever'], 'provisional must be a duration from 1h to 7d, such as 72h'],
    [['window=1x'], 'window must be a duration from 1m to 7d, such as 10m or 72h'],
    [['distinct=1'], 'maxShare times "distinct" must be at least 1'],
    [['kinds=bank'], 'must be one of subscriber, operator'],
  ])('are refused by the name of the field: %j', async (pairs, message) => {
    const { code, errors } = await rules('set', 'kr-50', ...pairs, '--reason', 'tests');
    expect(errors).toContain(message);
    expect(code).toBe(2);
  });

  it('are added, removed, and keep their versions', async () => {
    expect((await rules('set', 'police-1', ...NEW.slice(0, 2), '--reason', 'tests')).errors).toContain(
      'provisional is missing',
    );
    expect((await rules('set', 'police-1', ...NEW, '--reason', 'agreed')).out).toContain('police-1@1 is set');
    const like = ['set', 'kr-40', '--like', 'kr-50', 'distinct=40', 'state=shadow', '--dry-run', '--json'];
    const { diff } = JSON.parse((await rules(...like)).out) as { diff: { field: string; after: unknown }[] };
    expect(diff).toContainEqual({ field: 'window', after: '24h' });
    expect(diff).toContainEqual({ field: 'distinct', after: 40 });
    const shadow = await rules('set', 'police-1', 'state=shadow', '--reason', 'first look');
    expect(shadow.out).toContain('together with a weight of at least 1: a record only, no block\n');
    expect((await rules('remove', 'police-1', '--dry-run')).out).toContain(
      'nothing was changed: police-1@2 is in force',
    );
    expect((await rules('remove', 'police-1', '--reason', 'tests')).out).toBe('police-1 is removed\n');
    const versions = (await rules('versions', 'police-1')).out;
    expect(versions).toMatch(/3 .*token:root .*removed .*tests[\s\S]*1 .*added .*agreed/);
    expect((await rules('versions', 'kr-50')).out).toMatch(/3 .*distinct 60 → 50 /);
  });

  it('are rehearsed over what is kept', async () => {
    const { code, out, errors } = await rules(
      'rehearse',
      'kr-50',
      'distinct=40',
      '--since',
      '2026-11-01',
      '--json',
    );
    expect([code, errors]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ subjects: 0, senders: [], rule: { distinct: 40 } });
    expect((await rules('rehearse', 'never')).errors).toMatch(/^error: there is no rule never: see /);
  });

  it('show what a rehearsal found, over all its pages', () => {
    const page = { subjects: 3, reports: 150, unreadable: 1, progress: 1, next: null };
    const mobile = { sender: 'krMobile', fires: 2, blocked: 1, appealed: 1, missed: 0 } as const;
    const pages = [
      { ...page, senders: [mobile], blockedBy: { 'kr-50': 1 } },
      { ...page, senders: [mobile, { ...mobile, sender: 'senderId' } as const], blockedBy: { 'kr-50': 2 } },
    ];
    const [text] = formatRehearsal('kr-50', { rule: {} as RuleSettings, ...sumPages(pages) });
    expect(text).toMatch(
      /Korean mobile .*4 .*2 .*2 .*0[^\n]*\n[^\n]*sender ID .*2 .*1 .*1 .*0[^\n]*\n[^\n]*all .*6 .*3 .*3 .*0/,
    );
    expect(text).toContain('kr-50 would have fired for 6 senders, of 6 with enough reports (300 reports)');
    expect(text).toContain('rules blocked at the time: 3 by kr-50');
    expect(text).toContain('2 senders could not be read');
  });
});
