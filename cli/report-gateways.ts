/**
 * How the gateway policy and operators look.
 */
import colours from 'picocolors';
import type { Rule, VersionedPolicy } from '../shared/policy/policy.ts';
import type { PolicyDone } from './commands/policy.ts';
import type { NamedOperator } from './operators.ts';
import { count, type Outcome, tableOf } from './report.ts';

function conditionsOf({ when }: Rule): string {
  const conditions = Object.entries(when).map(([fact, values]) => `${fact} ${values?.join(' or ')}`);
  return conditions.length === 0 ? 'anything else' : conditions.join('\n');
}

export function policyOf(versioned: VersionedPolicy): Outcome {
  const { version, policy } = versioned;
  const rows = policy.rules.map((rule) => [
    ...[rule.id, conditionsOf(rule), rule.effect, rule.code ?? '', rule.withholdCli ? 'withheld' : ''],
  ]);
  const { url, tel, email } = policy.redress ?? {};
  const contacts = [url, tel, email].filter((contact) => contact !== undefined);
  const lines = [
    `version ${version}${version === 0 ? ', as it comes with the code' : ''}; the first rule that fits decides`,
    `label ${policy.label}; redress ${contacts.length === 0 ? 'not set' : contacts.join(', ')}`,
  ];
  return [`${tableOf(['rule', 'when', 'effect', 'code', 'number'], rows)}${lines.join('\n')}\n`, versioned];
}

export function policySet(done: PolicyDone): Outcome<PolicyDone> {
  return [`${colours.green('the policy is set')}, version ${done.version} (seq ${done.seq})\n`, done];
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
