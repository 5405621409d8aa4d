/**
 * `/v1/admin/rules`: when reports become a block.
 */
import { putRuleSchema, type RuleVersions, removeRuleSchema } from '../../shared/admin/rules.ts';
import { fieldError } from '../../shared/fields.ts';
import { ok } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { problem } from '../http/reply.ts';
import { forAdmins, forChanges } from './context.ts';

const UNKNOWN = problem('RULE_UNKNOWN', 'no rule has this id: see npx numgate rules list');

export const listRules = forAdmins('read', async ({ coordinator }) => ok(await coordinator.rules()));

export const getRule = forAdmins('read', async ({ reply, coordinator, params }) => {
  const rule = await coordinator.rule(params.id!);
  if (rule === null) return UNKNOWN;
  reply.header('etag', `"${rule.version}"`);
  return ok(rule);
});

export const ruleVersions = forAdmins('read', async ({ coordinator, params }) => {
  const versions = await coordinator.ruleVersions(params.id!);
  return versions.length === 0 ? UNKNOWN : ok({ versions } satisfies RuleVersions);
});

export const putRule = forChanges('rules', putRuleSchema, async (context) => {
  const { reply, coordinator, params, condition, change, body } = context;
  const id = params.id!;
  if (!NAME_PATTERN.test(id)) {
    return fieldError(
      'FIELD_VALUE',
      'id',
      'must have only lower case letters, digits and dashes, at most 63',
    );
  }
  const done = await coordinator.putRule(change, id, body.rule, condition);
  if (done.ok) reply.header('etag', `"${done.value.version}"`);
  return done;
});

export const removeRule = forChanges(
  'rules',
  removeRuleSchema,
  ({ coordinator, params, condition, change }) => coordinator.removeRule(change, params.id!, condition),
);
