/**
 * How the gateway policy and operators look.
 */
import colours from 'picocolors';
import type { Rule, VersionedPolicy } from '../shared/policy/policy.ts';
import type { PolicyDiff, PolicyDone, PolicyTrial } from './commands/policy.ts';
import type { NamedOperator } from './operators.ts';
import { count, type Outcome, tableOf } from './report.ts';

function conditionsOf({ when }: Rule): string {
  const conditions = Object.entries(when).map(([fact, values]) => `${fact} ${values?.join(' or ')}`);
  return conditions.length === 0 ? 'anything else' : conditions.join('\n');
}

const RULE_COLUMNS = ['rule', 'when', 'effect', 'code', 'number'];

function cellsOf(rule: Rule): string[] {
  return [rule.id, conditionsOf(rule), rule.effect, rule.code ?? '', rule.withholdCli ? 'withheld' : ''];
}

export function policyOf(versioned: VersionedPolicy): Outcome {
  const { version, policy } = versioned;
  const rows = policy.rules.map(cellsOf);
  const { url, tel, email } = policy.redress ?? {};
  const contacts = [url, tel, email].filter((contact) => contact !== undefined);
  const lines = [
    `version ${version}${version === 0 ? ', as it comes with the code' : ''}; the first rule that fits decides`,
    `label ${policy.label}; redress ${contacts.length === 0 ? 'not set' : contacts.join(', ')}`,
  ];
  return [`${tableOf(RULE_COLUMNS, rows)}${lines.join('\n')}\n`, versioned];
}

export function policySet(done: PolicyDone): Outcome<PolicyDone> {
  const { diff, version, seq } = done;
  return [`${diffText(diff)}${colours.green('the policy is set')}, version ${version} (seq ${seq})\n`, done];
}

export function policyTried(trial: PolicyTrial): Outcome {
  const { diff, version } = trial;
  return [`${diffText(diff)}nothing was changed: version ${version} is in force\n`, trial];
}

/** A changed rule is told as it was and as it is. */
function diffText({ removed, added, changed, reordered, others }: PolicyDiff): string {
  const was = (rule: Rule): string[] => [colours.red('-'), ...cellsOf(rule)];
  const is = (rule: Rule): string[] => [colours.green('+'), ...cellsOf(rule)];
  const rows = [
    ...removed.map(was),
    ...changed.flatMap(({ before, after }) => [was(before), is(after)]),
    ...added.map(is),
  ];
  const lines = [
    ...(reordered ? ['the rules that stay are held against a call or text in another order'] : []),
    ...others.map((name) => `the ${name} is another one`),
  ];
  if (rows.length === 0 && lines.length === 0)
    lines.push('it is the policy that is in force: no rule differs');
  const table = rows.length === 0 ? '' : tableOf(['', ...RULE_COLUMNS], rows);
  return table + lines.map((line) => `${line}\n`).join('');
}

/** Operators in a table. */
const OPERATORS_SHOWN = 100;

export function operatorsOf(operators: readonly NamedOperator[]): Outcome {
  if (operators.length === 0) return ['no operator has these words\n', { operators }];
  const rows = operators
    .slice(0, OPERATORS_SHOWN)
    .map(({ operator, name, country, status }) => [`operator:${operator}`, name, country, status]);
  const rest = operators.length - rows.length;
  const more = rest === 0 ? '' : `and ${count(rest)} more: add a word\n`;
  return [tableOf(['operator', 'name', 'country', 'status'], rows) + more, { operators }];
}
