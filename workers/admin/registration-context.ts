/**
 * Decides whose registrations a request may see and change. Senders change only those of their own organisation,
 * reviewers decide only on those of other organisations, and `root` may do both for all.
 */

import { ok, type Result } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import type { RegistrationFacts } from '../../shared/senders/registration.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { RegistrationStore } from '../registrations/registration-store.ts';
import type { AdminContext } from './context.ts';

/** The methods of one organisation's store, as RPC calls. */
export type RegistrationStub = {
  [Name in keyof RegistrationStore]: RegistrationStore[Name] extends (
    ...args: infer Args
  ) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export interface OrganisationRegistrations {
  readonly store: RegistrationStub;
  readonly facts: RegistrationFacts;
}

/** `reader` admits senders and reviewers; `auditor` also admits tokens with the scope `read`. */
export type RegistrationRole = 'sender' | 'reviewer' | 'reader' | 'auditor';

/** The registrations of the organisation in the path, for a request in this role. */
export async function registrationsOf(
  { params, actor, env, coordinator }: AdminContext,
  role: RegistrationRole,
): Promise<Result<OrganisationRegistrations, Problem>> {
  const organisation = params.organisation!;
  const isOwn = actor.organisation === organisation;
  const [isSender, isReviewer] = [
    isOwn && actor.scopes.includes('registrations'),
    actor.scopes.includes('review'),
  ];
  if (!actor.root) {
    if (role === 'sender' && !isSender) {
      const message =
        'only tokens of the organisation with the scope "registrations" can create and change its registrations';
      return problem('PERMISSION_DENIED', message);
    }
    if (role === 'reviewer' && !isReviewer)
      return problem('PERMISSION_DENIED', 'this request needs the scope "review"');
    if (role === 'reviewer' && isOwn) {
      return problem('REVIEW_OWN', 'reviewers can decide only on registrations of other organisations');
    }
    const isAuditor = role === 'auditor' && actor.scopes.includes('read');
    if (['reader', 'auditor'].includes(role) && !isSender && !isReviewer && !isAuditor) {
      return problem('PERMISSION_DENIED', 'registrations of other organisations need the scope "review"');
    }
  }
  const facts = NAME_PATTERN.test(organisation) ? await coordinator.registrationFacts(organisation) : null;
  if (facts === null) return problem('ORGANISATION_UNKNOWN', 'no organisation has this id');
  return ok({ facts, store: registrationStore(env as unknown as ControlEnv, organisation) });
}

export function registrationStore({ REGISTRATIONS }: ControlEnv, organisation: string): RegistrationStub {
  return REGISTRATIONS.getByName(organisation) as unknown as RegistrationStub;
}
