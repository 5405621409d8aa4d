/** `numgate policy`: the rules for traffic from abroad at gateways. */
import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import type { ChangeDone } from '../../shared/admin/change.ts';
import { isRecord } from '../../shared/fields.ts';
import {
  type Policy,
  policySchema,
  type Rule,
  STANDARD_POLICY,
  type VersionedPolicy,
} from '../../shared/policy/policy.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure, validate } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';
import { print } from '../terminal/output.ts';
import { type Cell, formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { checkReason, examples } from './options.ts';
import { addBreakGlassOption, type BreakGlassOptions, breakGlassField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

type SetOptions = WaitOptions & BreakGlassOptions & { readonly reason?: string; readonly dryRun: boolean };

const RULE_COLUMNS = ['rule', 'when', 'effect', 'code', 'number'];

export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('manage the gateway policy for traffic from abroad');

  policy
    .command('show')
    .description('show the rules in the order in which they are evaluated')
    .addHelpText('after', examples('policy show'))
    .action(async () => {
      const versioned = await adminOfEnvironment().get<VersionedPolicy>('policy');
      const { version, policy: inForce } = versioned;
      const lines = [
        `version ${version}${version === 0 ? ' (the default)' : ''}; the first matching rule decides`,
        `label ${inForce.label}; redress ${contactsOf(inForce.redress)}`,
      ];
      print(`${formatTable(RULE_COLUMNS, inForce.rules.map(cellsOf))}${lines.join('\n')}\n`, versioned);
    });

  const setting = (name: string): Command =>
    addBreakGlassOption(addWaitOptions(policy.command(name)))
      .option('--reason <text>', 'reason for the audit log (required, except with --dry-run)')
      .addOption(
        new Option('--dry-run', 'show what would change, without changing anything')
          .default(false)
          .conflicts('wait'),
      );

  setting('set')
    .description('replace the policy with a JSON file, in the format of `policy show --json`')
    .argument('<file>')
    .addHelpText(
      'after',
      examples(
        'policy set policy.json --dry-run',
        'policy set policy.json --reason "070 numbers of our call centre abroad" --wait',
      ),
    )
    .action((file: string, options: SetOptions) => setPolicy(readPolicyFile(file), options));

  setting('reset')
    .description('restore the default policy')
    .addHelpText('after', examples('policy reset --dry-run', 'policy reset --reason "trial is over"'))
    .action((options: SetOptions) => setPolicy({ policy: STANDARD_POLICY.policy, version: null }, options));
}

/** A policy, and the version that it was based on, if known. */
interface PolicyFile {
  readonly policy: Policy;
  readonly version: number | null;
}

/** Reads a policy file as `policy show --json` prints it, with or without its version. */
function readPolicyFile(path: string): PolicyFile {
  const document = readJsonFile(path);
  const { policy: written = document, version } = isRecord(document) ? document : {};
  const policy = validate(policySchema, written, { before: `${path}: `, whole: 'the policy', exitCode: 1 });
  return { policy, version: typeof version === 'number' ? version : null };
}

/** Replaces the policy in force, or shows with `--dry-run` what would change. */
async function setPolicy(
  { policy, version }: PolicyFile,
  { reason, dryRun, ...options }: SetOptions,
): Promise<void> {
  const admin = adminOfEnvironment();
  if (!dryRun) checkReason(reason);
  const { value: inForce, ifUnchanged } = await admin.tagged<VersionedPolicy>('policy');
  // Prevents overwriting a change that somebody else made meanwhile.
  if (version !== null && version !== inForce.version && !isDeepStrictEqual(policy, inForce.policy)) {
    throw new CommandFailure(
      `the file is based on version ${version} of the policy, but version ${inForce.version} is in force: ` +
        'start from the output of `policy show --json`, or remove "version" from the file',
      4,
    );
  }
  const diff = diffOf(inForce.policy, policy);
  if (dryRun) {
    const text = `${formatDiff(diff)}nothing was changed: version ${inForce.version} is in force\n`;
    return print(text, { inForce: inForce.version, diff });
  }
  const change = { policy, reason, ...breakGlassField(options) };
  const done = await admin.change<VersionedPolicy & ChangeDone>('PUT', 'policy', change, ifUnchanged);
  const text = `${styleText('green', 'the policy is set')}, version ${done.version} (seq ${done.seq})\n`;
  await printChange([formatDiff(diff) + text, { ...done, diff }], options);
}

/** A rule and its position. Rule 1 is evaluated first. */
interface PlacedRule {
  readonly place: number;
  readonly rule: Rule;
}

/** A value before and after a change. */
interface Change<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** The differences between two policies. */
interface PolicyDiff {
  /** Every rule of both policies, matched by id: first those of the new policy in order, then the removed ones. */
  readonly rules: readonly Change<PlacedRule | null>[];
  readonly label: Change<string> | null;
  readonly redress: Change<Policy['redress']> | null;
}

export function diffOf(before: Policy, after: Policy): PolicyDiff {
  const [old, next] = [placesOf(before), placesOf(after)];
  const removed = [...old.values()].filter(({ rule }) => !next.has(rule.id));
  return {
    rules: [
      ...[...next.values()].map((placed) => ({ before: old.get(placed.rule.id) ?? null, after: placed })),
      ...removed.map((placed) => ({ before: placed, after: null })),
    ],
    label: before.label === after.label ? null : { before: before.label, after: after.label },
    // A redress without an address equals no redress.
    redress: isDeepStrictEqual(before.redress ?? {}, after.redress ?? {})
      ? null
      : { before: before.redress, after: after.redress },
  };
}

function placesOf({ rules }: Policy): ReadonlyMap<string, PlacedRule> {
  return new Map(rules.map((rule, index) => [rule.id, { place: index + 1, rule }]));
}

/** Whether two rules are equivalent. The order of the values of a fact does not matter. */
export function isSameRule(one: Rule, other: Rule): boolean {
  const sorted = ({ when, ...rule }: Rule): object => ({
    ...rule,
    when: Object.fromEntries(Object.entries(when).map(([fact, values]) => [fact, values?.toSorted()])),
  });
  return isDeepStrictEqual(sorted(one), sorted(other));
}

/** All rules in their new order, because the order decides. Changed rules appear twice: before and after. */
function formatDiff({ rules, label, redress }: PolicyDiff): string {
  const [minus, plus] = [styleText('red', '-'), styleText('green', '+')];
  const row = (mark: string, { place, rule }: PlacedRule): Cell[] => [mark, `${place}`, ...cellsOf(rule)];
  let isSame = true;
  const rows = rules.flatMap(({ before, after }) => {
    if (before !== null && after !== null && isSameRule(before.rule, after.rule)) {
      if (before.place === after.place) return [row('', after)];
      isSame = false;
      return [['', `${before.place} → ${after.place}`, ...cellsOf(after.rule)]];
    }
    isSame = false;
    return [...(before === null ? [] : [row(minus, before)]), ...(after === null ? [] : [row(plus, after)])];
  });
  const changed = (name: string, before: string, after: string): string =>
    `${minus} ${name} ${before}\n${plus} ${name} ${after}\n`;
  const others = [
    label === null ? '' : changed('label', label.before, label.after),
    redress === null ? '' : changed('redress', contactsOf(redress.before), contactsOf(redress.after)),
  ].join('');
  if (isSame && others === '') return 'the policy is the same as the one in force\n';
  return `${isSame ? '' : formatTable(['', 'place', ...RULE_COLUMNS], rows)}${others}`;
}

function cellsOf({ id, when, effect, code, withholdCli }: Rule): Cell[] {
  const conditions = Object.entries(when).map(([fact, values]) => `${fact} ${values?.join(' or ')}`);
  return [
    id,
    conditions.length === 0 ? 'anything' : conditions,
    effect,
    code ?? '',
    withholdCli ? 'withheld' : '',
  ];
}

function contactsOf(redress: Policy['redress']): string {
  const { url, tel, email } = redress ?? {};
  const contacts = [url, tel, email].filter((contact) => contact !== undefined);
  return contacts.length === 0 ? 'not set' : contacts.join(', ');
}
