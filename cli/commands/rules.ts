/**
 * `numgate rules`: when reports become a block. `rules rehearse` is in rule-rehearsal.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { RuleRemoved, RuleSet, RuleVersion, RuleVersions } from '../../shared/admin/rules.ts';
import {
  RULE_FIELDS,
  type Rule,
  type RuleSettings,
  ruleRef,
  shareOf,
  targetOf,
} from '../../shared/reports/rule.ts';
import { adminOfEnvironment } from '../admin.ts';
import { print } from '../terminal/output.ts';
import { type Cell, formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { checkReason, examples } from './options.ts';
import { addBreakGlassOption, type BreakGlassOptions, breakGlassField } from './override-authority.ts';
import { addRehearse } from './rule-rehearsal.ts';
import {
  addRuleArguments,
  type BaseOptions,
  type Given,
  loadRule,
  pathOf,
  settingsOf,
  wantedSettings,
} from './rule-settings.ts';

type ChangeOptions = BreakGlassOptions & { readonly reason?: string; readonly dryRun: boolean };

export function addRules(program: Command): void {
  const rules = program.command('rules').description('manage the rules that turn reports into blocks');

  rules
    .command('list')
    .description('list the rules')
    .addHelpText('after', examples('rules list'))
    .action(async () => {
      const set = await adminOfEnvironment().get<RuleSet>('rules');
      print(formatRules(set.rules), set);
    });

  rules
    .command('show')
    .description('show a rule')
    .argument('<id>', 'such as kr-50')
    .addHelpText('after', examples('rules show kr-50', 'rules show kr-50 --json > kr-50.json'))
    .action(async (id: string) => {
      const rule = await adminOfEnvironment().get<Rule>(pathOf(id));
      print(`${formatTable(['field', 'value'], fieldsOf(rule))}${explain(rule)}`, rule);
    });

  addChangeOptions(addRuleArguments(rules.command('set')))
    .description('add a rule, or change some of its fields; other fields stay unchanged (scope: rules)')
    .addHelpText(
      'after',
      examples(
        'rules set kr-50 distinct=60 --dry-run',
        'rules set police-1 window=24h distinct=1 kinds=police weightMin=0.5 provisional=24h confirmed=90d --reason "agreed 2026-11"',
        'rules set kr-40 --like kr-50 distinct=40 state=shadow --reason "see what it would block"',
      ),
    )
    .action(async (id: string, given: Given | [], options: ChangeOptions & BaseOptions) => {
      const { reason, dryRun, ...rest } = options;
      if (!dryRun) checkReason(reason);
      const admin = adminOfEnvironment();
      const { value: inForce, ifUnchanged } = await loadRule(admin, id);
      const rule = await wantedSettings(admin, id, inForce, { ...given }, rest);
      const diff = diffOf(inForce === null ? null : settingsOf(inForce), rule);
      if (dryRun) return print(`${formatDiff(diff)}${unchanged(inForce)}`, { inForce, diff });
      const change = { rule, reason, ...breakGlassField(rest) };
      const done = await admin.change<Rule>('PUT', pathOf(id), change, ifUnchanged);
      print(`${formatDiff(diff)}${styleText('green', `${ruleRef(done)} is set`)}\n${explain(done)}`, {
        ...done,
        diff,
      });
    });

  addChangeOptions(rules.command('remove'))
    .description('remove a rule; its blocks stay until they end or a person lifts them (scope: rules)')
    .argument('<id>')
    .addHelpText('after', examples('rules remove burst-10m --reason "replaced by burst-5m"'))
    .action(async (id: string, { reason, dryRun, ...options }: ChangeOptions) => {
      if (!dryRun) checkReason(reason);
      const admin = adminOfEnvironment();
      const { value: inForce, ifUnchanged } = await admin.tagged<Rule>(pathOf(id));
      if (dryRun) {
        const diff = diffOf(settingsOf(inForce), null);
        return print(`${formatDiff(diff)}${unchanged(inForce)}`, { inForce, diff });
      }
      const change = { reason, ...breakGlassField(options) };
      const done = await admin.change<RuleRemoved>('DELETE', pathOf(id), change, ifUnchanged);
      print(`${id} is removed\n`, done);
    });

  rules
    .command('versions')
    .description('list the versions of a rule, even if it was removed')
    .argument('<id>')
    .addHelpText('after', examples('rules versions kr-50'))
    .action(async (id: string) => {
      const found = await adminOfEnvironment().get<RuleVersions>(`${pathOf(id)}/versions`);
      print(formatVersions(found.versions), found);
    });

  addRehearse(rules);
}

function addChangeOptions(command: Command): Command {
  return addBreakGlassOption(command)
    .option('--reason <text>', 'reason for the audit log (required, except with --dry-run)')
    .option('--dry-run', 'show what would change, without changing anything', false);
}

function unchanged(inForce: Rule | null): string {
  const now = inForce === null ? 'there is no such rule' : `${ruleRef(inForce)} is in force`;
  return `nothing was changed: ${now}\n`;
}

/** A field before and after a change. Undefined where there is no rule. */
interface FieldDiff {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

function diffOf(before: RuleSettings | null, after: RuleSettings | null): FieldDiff[] {
  return RULE_FIELDS.map((field) => ({ field, before: before?.[field], after: after?.[field] })).filter(
    (each) => !isDeepStrictEqual(each.before, each.after),
  );
}

function formatDiff(diff: readonly FieldDiff[]): string {
  if (diff.length === 0) return 'the rule is the same as the one in force\n';
  return formatTable(
    ['field', 'before', 'after'],
    diff.map(({ field, before, after }) => [field, formatValue(before), formatValue(after)]),
  );
}

function formatValue(value: unknown): string {
  if (value === undefined) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function fieldsOf(rule: Rule): Cell[][] {
  return (['id', 'version', ...RULE_FIELDS] as const).map((field) => [field, formatValue(rule[field])]);
}

/** The rule in a sentence. */
function explain(rule: Rule): string {
  const { state, channel, origin, window, distinct, maxShare, weightMin, effect, approval } = rule;
  const subject = targetOf(rule) === 'campaign' ? 'a text' : 'a sender';
  const sender = `${subject}${origin === 'any' ? '' : ` of ${origin} traffic`}`;
  const reported = `${distinct} reporters within ${window}${channel === 'any' ? '' : ` (${channel})`}`;
  const bounds = `at most ${shareOf(distinct, maxShare)} from each partner, together with a weight of at least ${weightMin}`;
  const block = `a block for ${rule.provisional}, and ${rule.confirmed} once it is confirmed`;
  const result =
    state === 'off'
      ? 'nothing, because the rule is off'
      : state === 'shadow' || effect === 'shadow'
        ? 'a record only, no block'
        : approval === 'propose'
          ? `a proposal; once approved, ${block}`
          : block;
  return `${sender} with ${reported}, ${bounds}: ${result}\n`;
}

function formatRules(rules: readonly Rule[]): string {
  if (rules.length === 0) return 'there are no rules: reports block nothing\n';
  const names = [
    'rule',
    'state',
    'target',
    'channel',
    'origin',
    'window',
    'reporters#',
    'per partner#',
    'weight#',
  ];
  const rows = rules.map((rule) => [
    ...[ruleRef(rule), rule.state, targetOf(rule), rule.channel, rule.origin, rule.window],
    ...[rule.distinct, shareOf(rule.distinct, rule.maxShare), String(rule.weightMin)],
    ...[rule.effect, rule.approval, rule.provisional, rule.confirmed],
  ]);
  return formatTable([...names, 'effect', 'approval', 'provisional', 'confirmed'], rows);
}

/** Formats the versions, each with its changes. */
function formatVersions(versions: readonly RuleVersion[]): string {
  const rows = versions.map(({ version, rule, at, by, reason }, index) => {
    const before = versions[index + 1];
    const changes = diffOf(before?.rule ?? null, rule);
    const changed =
      rule === null
        ? ['removed']
        : before === undefined || before.rule === null
          ? ['added']
          : changes.map((each) => `${each.field} ${formatValue(each.before)} → ${formatValue(each.after)}`);
    return [version, at, by, changed, reason];
  });
  return formatTable(['version#', 'at', 'by', 'change', 'reason'], rows);
}
