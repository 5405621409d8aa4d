/** Output for the gateway policy and operators. */
import colours from 'picocolors';
import type { Policy, Rule, VersionedPolicy } from '../shared/policy/policy.ts';
import {
  isSameRule,
  type PlacedRule,
  type PolicyDiff,
  type PolicyDone,
  type PolicyPreview,
} from './commands/policy.ts';
import type { NamedOperator } from './operators.ts';
import { type Report, tableOf } from './report.ts';
import { count } from './terminal/figures.ts';

function conditionsOf({ when }: Rule): string {
  const conditions = Object.entries(when).map(([fact, values]) => `${fact} ${values?.join(' or ')}`);
  return conditions.length === 0 ? 'anything' : conditions.join('\n');
}

const RULE_COLUMNS = ['rule', 'when', 'effect', 'code', 'number'];

function cellsOf(rule: Rule): string[] {
  return [rule.id, conditionsOf(rule), rule.effect, rule.code ?? '', rule.withholdCli ? 'withheld' : ''];
}

export function policyOf(versioned: VersionedPolicy): Report {
  const { version, policy } = versioned;
  const rows = policy.rules.map(cellsOf);
  const lines = [
    `version ${version}${version === 0 ? ', as it comes with the code' : ''}; the first rule that fits decides`,
    `label ${policy.label}; redress ${contactsOf(policy.redress)}`,
  ];
  return [`${tableOf(RULE_COLUMNS, rows)}${lines.join('\n')}\n`, versioned];
}

export function policySet(done: PolicyDone): Report<PolicyDone> {
  const { diff, version, seq } = done;
  return [`${diffText(diff)}${colours.green('the policy is set')}, version ${version} (seq ${seq})\n`, done];
}

export function policyTried(preview: PolicyPreview): Report {
  return [`${diffText(preview.diff)}nothing was changed: version ${preview.inForce} is in force\n`, preview];
}

/** All rules in their new order, because the order decides. Changed rules appear twice: before and after. */
function diffText({ rules, label, redress }: PolicyDiff): string {
  const row = (mark: string, { place, rule }: PlacedRule): string[] => [mark, `${place}`, ...cellsOf(rule)];
  const [was, is] = [colours.red('-'), colours.green('+')];
  const isSame = rules.every(
    ({ before, after }) => before?.place === after?.place && isSameRule(before!.rule, after!.rule),
  );
  const rows = rules.flatMap(({ before, after }) => {
    if (after === null) return [row(was, before!)];
    if (before === null) return [row(is, after)];
    if (!isSameRule(before.rule, after.rule)) return [row(was, before), row(is, after)];
    const moved = before.place === after.place ? `${after.place}` : `${before.place} → ${after.place}`;
    return [['', moved, ...cellsOf(after.rule)]];
  });
  const reported = (name: string, before: string, after: string): string =>
    `${was} ${name} ${before}\n${is} ${name} ${after}\n`;
  const others = [
    label === null ? '' : reported('label', label.before, label.after),
    redress === null ? '' : reported('redress', contactsOf(redress.before), contactsOf(redress.after)),
  ].join('');
  if (isSame && others === '') return 'it says the same as the policy in force\n';
  return `${isSame ? '' : tableOf(['', 'place', ...RULE_COLUMNS], rows)}${others}`;
}

function contactsOf(redress: Policy['redress']): string {
  const { url, tel, email } = redress ?? {};
  const contacts = [url, tel, email].filter((contact) => contact !== undefined);
  return contacts.length === 0 ? 'not set' : contacts.join(', ');
}

/** Rows of the operator table at most. */
const OPERATORS_SHOWN = 100;

export function operatorsOf(operators: readonly NamedOperator[]): Report {
  if (operators.length === 0) return ['no operator has these words\n', { operators }];
  const rows = operators
    .slice(0, OPERATORS_SHOWN)
    .map(({ operator, name, country, status }) => [`operator:${operator}`, name, country, status]);
  const rest = operators.length - rows.length;
  const more = rest === 0 ? '' : `and ${count(rest)} more: add a word\n`;
  return [tableOf(['operator', 'name', 'country', 'status'], rows) + more, { operators }];
}
