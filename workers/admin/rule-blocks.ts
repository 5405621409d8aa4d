/**
 * `/v1/admin/rule-blocks` and `/v1/admin/partners`: the blocks that rules made from reports, and the partners.
 */
import {
  findRuleBlocksSchema,
  type ResponseInfo,
  RULE_BLOCK_ACTIONS,
  RULE_BLOCK_CAUSES,
  ruleBlockActionSchema,
  withdrawReportsSchema,
} from '../../shared/admin/rule-blocks.ts';
import { fieldError, oneOf } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { RULE_BLOCKS_PAGE_MAX } from '../../shared/limits/response.ts';
import { parseSubject } from '../../shared/reports/report.ts';
import { BLOCK_STATES } from '../../shared/reports/stages.ts';
import { ok } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import type { ResponseDesk } from '../response/response-desk.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';
import { type AdminContext, forAdmins, forChanges, pageLimit } from './context.ts';

/** The desk's methods as RPC calls. */
type DeskStub = {
  [Name in keyof ResponseDesk]: ResponseDesk[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function deskOf({ RESPONSE }: ControlEnv): DeskStub {
  return RESPONSE.getByName(RESPONSE_NAME) as unknown as DeskStub;
}

function deskIn({ env }: AdminContext): DeskStub {
  return deskOf(env as unknown as ControlEnv);
}

/** Null while the desk does not respond, so that the rest of the status is still returned. */
export async function responseInfo(env: ControlEnv): Promise<ResponseInfo | null> {
  return within(deskOf(env).status(), LOAD_WAIT_MS).catch((error: unknown) => {
    warnFailed('responseFailed', error);
    return null;
  });
}

const LISTED_STATES = [...BLOCK_STATES, 'open'] as const;
const ORDERS = ['oldest', 'newest'] as const;

/** Sorted by ID, or newest first. `next` is the `after` of the next page, or null on the last page. */
export const listRuleBlocks = forAdmins('reports', async (context) => {
  const parameters = parametersOf(context.url, {
    ...{ state: 'text', cause: 'text', rule: 'text', order: 'text', after: 'number', limit: 'number' },
  });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const state = text.state === undefined ? ok(undefined) : oneOf(LISTED_STATES, 'state', text.state);
  if (!state.ok) return state;
  const cause = text.cause === undefined ? ok(undefined) : oneOf(RULE_BLOCK_CAUSES, 'cause', text.cause);
  if (!cause.ok) return cause;
  const order = text.order === undefined ? ok(undefined) : oneOf(ORDERS, 'order', text.order);
  if (!order.ok) return order;
  const { rule } = text;
  if (rule !== undefined && !NAME_PATTERN.test(rule))
    return fieldError('FIELD_VALUE', 'rule', 'must be the id of a rule, without its version');
  const { after = 0, limit = RULE_BLOCKS_PAGE_MAX } = number;
  const filter = { state: state.value, cause: cause.value, rule, order: order.value };
  return ok(
    await deskIn(context).ruleBlocks(filter, after, Math.max(1, Math.min(limit, RULE_BLOCKS_PAGE_MAX))),
  );
});

/** A look-up, but with POST: numbers do not belong in URLs. */
export const findRuleBlocks = forAdmins('reports', async (context) => {
  const read = await readBody(context, findRuleBlocksSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const { from } = read.value.body;
  const real = parseSubject(from, { mock: false });
  // Only mock partners report test numbers.
  const isMock = !real.ok && real.code === 'NUMBER_IS_TEST';
  const subject = isMock ? parseSubject(from, { mock: true }) : real;
  if (!subject.ok) return subject;
  const found = await deskIn(context).findRuleBlocks(subject.value, isMock);
  return found.ok ? ok({ ruleBlocks: found.value }) : found;
});

export const getRuleBlock = forAdmins('reports', async (context) => {
  const id = idOf(context);
  const found = id === null ? null : await deskIn(context).ruleBlock(id);
  return found === null ? unknown() : ok(found);
});

export const actOnRuleBlock = forChanges('reports', ruleBlockActionSchema, async (context) => {
  const action = RULE_BLOCK_ACTIONS.find((each) => each === context.params.action);
  if (action === undefined)
    return problem('NOT_FOUND', `there is no such action: use one of ${RULE_BLOCK_ACTIONS.join(', ')}`);
  const id = idOf(context);
  return id === null ? unknown() : deskIn(context).act(context.change, id, action);
});

/** The audit chain of rule blocks and partners, as NDJSON, without numbers. An empty page is the end. */
export const ruleBlockAudit = forAdmins(
  ['read', 'reports'],
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await deskIn(context).audit(after, pageLimit(limit)));
  },
  (reply, records) => reply.ndjson(records),
);

export const listPartners = forAdmins('reports', async (context) =>
  ok({ partners: await deskIn(context).partners() }),
);

export const getPartner = forAdmins('reports', async (context) => {
  const found = await deskIn(context).partner(context.params.organisation!);
  return found === null ? problem('PARTNER_UNKNOWN', 'no organisation with this id is a partner') : ok(found);
});

/** Responds once the intakes of the partner have begun to withdraw. `GET` of the partner shows the progress. */
export const withdrawReports = forChanges('reports', withdrawReportsSchema, async (context) => {
  const { since } = context.body;
  const from = since === null ? 0 : Date.parse(since);
  if (from > Date.now()) return fieldError('FIELD_VALUE', 'since', 'must not be in the future');
  return deskIn(context).withdrawReports(context.change, context.params.organisation!, from);
});

/** The ID in the path, or null if it is malformed. */
function idOf({ params }: AdminContext): number | null {
  return /^[1-9]\d{0,14}$/.test(params.id!) ? Number(params.id) : null;
}

function unknown(): Problem {
  return problem('RULE_BLOCK_UNKNOWN', 'no rule block has this id');
}
