/**
 * `/v1/admin/organisations/:organisation/registrations`: registered senders and their review.
 */
import { fieldError, oneOf } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { REGISTRATIONS_PAGE_MAX } from '../../shared/limits/registrations.ts';
import { ok, type Result } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { DOCUMENT_RULES, DOCUMENTS, type DocumentInfo } from '../../shared/senders/documents.ts';
import {
  ACTIONS,
  actionSchema,
  BASES,
  createRegistrationSchema,
  editRegistrationSchema,
  findRegistrationsSchema,
  PROOF_KINDS,
  type Registration,
  type RegistrationAction,
  type ReviewQueue,
  STATES,
  validateRegistrationSchema,
} from '../../shared/senders/registration.ts';
import { SENDER_MOVES } from '../../shared/senders/registration-states.ts';
import { parseSenderNumbers } from '../../shared/senders/sender-numbers.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import { REGISTRY_NAME } from '../storage/registry-port.ts';
import { type AdminContext, forAdmins, forChanges } from './context.ts';
import { withOthers } from './other-registrations.ts';
import { registrationsOf } from './registration-context.ts';

const MEMBERS = ['registrations', 'review'] as const;
/** Actions that must say by field what is wrong. */
const EXPLAINED: readonly RegistrationAction[] = ['reject', 'requestUpdate', 'suspend'];

/** Actions before or with a decision that puts numbers in force. Responses show other registrations of the numbers. */
const WARNED: readonly RegistrationAction[] = ['claim', 'approve', 'resume'];

/** A position in the queue: time of submission, organisation, ID. */
const CURSOR = /^\d{1,15}\.[a-z0-9-]{1,63}\.\d{1,15}$/;

/** The documents that each basis needs. */
export const documents = forAdmins(MEMBERS, async () =>
  ok<DocumentInfo>({
    rules: DOCUMENT_RULES,
    documents: PROOF_KINDS.map((kind) => ({ kind, ...DOCUMENTS[kind] })),
  }),
);

/** Registrations of all organisations that wait for a reviewer, in the order of submission. */
export const reviewQueue = forAdmins('review', async ({ env, url }) => {
  const parameters = parametersOf(url, { organisation: 'text', after: 'text', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const { after = null, organisation = null } = text;
  if (after !== null && !CURSOR.test(after))
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" value of a page');
  const registry = (env as unknown as ControlEnv).REGISTRY.getByName(REGISTRY_NAME);
  const cursor = after?.replaceAll('.', ' ') ?? null;
  const { queue, next } = await registry.queued(cursor, registrationLimit(number.limit), organisation);
  return ok<ReviewQueue>({
    registrations: queue.map(({ submittedAt, ...each }) => ({
      ...each,
      submittedAt: new Date(submittedAt).toISOString(),
    })),
    next: next?.replaceAll(' ', '.') ?? null,
  });
});

export const listRegistrations = forAdmins(MEMBERS, async (context) => {
  const parameters = parametersOf(context.url, {
    ...{
      state: 'text',
      client: 'text',
      basis: 'text',
      operation: 'number',
      after: 'number',
      limit: 'number',
    },
  });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const state = text.state === undefined ? ok(undefined) : oneOf(STATES, 'state', text.state);
  if (!state.ok) return state;
  const basis = text.basis === undefined ? ok(undefined) : oneOf(BASES, 'basis', text.basis);
  if (!basis.ok) return basis;
  const { client } = text;
  if (client !== undefined && !NAME_PATTERN.test(client)) {
    return fieldError('FIELD_VALUE', 'client', 'must be the ID of a client');
  }
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const filter = { state: state.value, basis: basis.value, client, operation: number.operation };
  return ok(await found.value.store.page(filter, number.after ?? 0, registrationLimit(number.limit)));
});

export const createRegistration = forChanges('registrations', createRegistrationSchema, async (context) => {
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  const { registration, submit } = context.body;
  const done = await found.value.store.create(context.change, found.value.facts, registration, submit);
  if (done.ok) setVersion(context.reply, done.value);
  return done;
});

/** Returns what is wrong or missing in a registration. Stores nothing. */
export const validateRegistration = forAdmins(MEMBERS, async (context) => {
  const read = await readBody(context, validateRegistrationSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const reasons = await found.value.store.validate(found.value.facts, read.value.body.registration);
  return ok({ valid: reasons.length === 0, reasons });
});

/** A lookup, but with POST: numbers do not belong in URLs. */
export const findRegistrations = forAdmins(MEMBERS, async (context) => {
  const read = await readBody(context, findRegistrationsSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const numbers = parseSenderNumbers(read.value.body.number, [], true);
  if (!numbers.ok) return fieldError('FIELD_VALUE', 'number', numbers.message);
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  return ok({ registrations: await found.value.store.find(numbers.value, REGISTRATIONS_PAGE_MAX) });
});

export const getRegistration = forAdmins(MEMBERS, async (context) => {
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const id = idOf(context);
  const registration = id === null ? null : await found.value.store.get(id);
  if (registration === null) return unknown();
  setVersion(context.reply, registration);
  return ok(await withOthers(registration, context));
});

export const editRegistration = forChanges('registrations', editRegistrationSchema, async (context) => {
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  const id = idOf(context);
  if (id === null) return unknown();
  const { change, body, condition, reply } = context;
  const done = await found.value.store.edit(change, found.value.facts, id, body.registration, condition);
  if (done.ok) setVersion(reply, done.value);
  return done;
});

export const actOnRegistration = forChanges(MEMBERS, actionSchema, async (context) => {
  const { params, change, body, condition, reply, actor } = context;
  const action = ACTIONS.find((each) => each === params.action);
  if (action === undefined) {
    return problem('NOT_FOUND', `there is no such action: use one of ${ACTIONS.join(', ')}`);
  }
  const found = await registrationsOf(context, SENDER_MOVES.includes(action) ? 'sender' : 'reviewer');
  if (!found.ok) return found;
  const id = idOf(context);
  if (id === null) return unknown();
  const { reasons } = body;
  const isExplained = EXPLAINED.includes(action);
  if (isExplained && reasons.length === 0) {
    return fieldError(
      'FIELD_MISSING',
      'reasons',
      `is required for "${action}": say for each field what is wrong`,
    );
  }
  if (!isExplained && reasons.length > 0) {
    return fieldError('FIELD_VALUE', 'reasons', `must be absent or empty for "${action}"`);
  }
  const act = { action, reasons, isRoot: actor.root };
  const done = await found.value.store.act(change, found.value.facts, id, act, condition);
  if (!done.ok) return done;
  setVersion(reply, done.value);
  return ok(WARNED.includes(action) ? await withOthers(done.value, context) : done.value);
});

export const registrationHistory = forAdmins(MEMBERS, async (context) => {
  const page = pageOf(context);
  if (!page.ok) return page;
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  const id = idOf(context);
  const records =
    id === null ? null : await found.value.store.history(id, page.value.after, page.value.limit);
  return records === null ? unknown() : ok({ records });
});

export const registrationEvents = forAdmins(MEMBERS, async (context) => {
  const page = pageOf(context);
  if (!page.ok) return page;
  const found = await registrationsOf(context, 'reader');
  if (!found.ok) return found;
  return ok({ events: await found.value.store.events(page.value.after, page.value.limit) });
});

/** The audit chain of the organisation's registrations, as NDJSON: no names, keyed numbers. An empty page ends it. */
export const registrationAudit = forAdmins(
  ['read', ...MEMBERS],
  async (context) => {
    const page = pageOf(context);
    if (!page.ok) return page;
    const found = await registrationsOf(context, 'auditor');
    if (!found.ok) return found;
    return ok(await found.value.store.audit(page.value.after, page.value.limit));
  },
  (reply, records) => reply.ndjson(records),
);

/** The ID in the path, or null if it is malformed. */
function idOf({ params }: AdminContext): number | null {
  return /^[1-9]\d{0,14}$/.test(params.id!) ? Number(params.id) : null;
}

function unknown(): Problem {
  return problem('REGISTRATION_UNKNOWN', 'no registration of the organisation has this id');
}

function pageOf({ url }: AdminContext): Result<{ readonly after: number; readonly limit: number }, Problem> {
  const parameters = parametersOf(url, { after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { after = 0, limit } = parameters.value.number;
  return ok({ after, limit: registrationLimit(limit) });
}

function registrationLimit(requested = REGISTRATIONS_PAGE_MAX): number {
  return Math.max(1, Math.min(requested, REGISTRATIONS_PAGE_MAX));
}

/** Sets the ETag that a later `If-Match` names. */
function setVersion(reply: Reply, { version }: Registration): void {
  reply.header('etag', `"${version}"`);
}
