/** Problems of the service (RFC 9457) as failures of a command. */
import type { ProblemExtras } from '../shared/admin/problems.ts';
import type { GuardHit } from '../shared/release/guard-settings.ts';
import type { RegistrationReason } from '../shared/senders/registration.ts';
import { CommandFailure } from './failure.ts';
import { visible } from './terminal/visible.ts';

/** A problem document from the service. */
export interface Problem extends ProblemExtras {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** REGISTRATION_INVALID: what is wrong, by field. */
  readonly reasons?: readonly RegistrationReason[];
}

/** The failure, with the code of the problem and the members that are specific to it. */
export function problemFailure(problem: Problem): CommandFailure {
  const { code, status } = problem;
  // The members specific to this problem, without those that every problem document has.
  const {
    type: _,
    title: _title,
    detail: _detail,
    instance: _instance,
    ...extras
  } = problem as Problem & Record<string, unknown>;
  const hasMoved = status === 409 || status === 412;
  return new CommandFailure(formatProblem(problem), code === 'GUARD_HIT' ? 3 : hasMoved ? 4 : 1, extras);
}

function formatProblem({
  code,
  message,
  guards = [],
  since = [],
  items = [],
  reasons = [],
  authorities = [],
}: Problem): string {
  return [
    `${code}: ${visible(message)}`,
    ...guards.map((hit) => `  ${formatGuard(hit)}`),
    ...(code === 'ENTRIES_CHANGED' ? ['  to leave those entries as they are: --skip-changed'] : []),
    ...since.map(({ release, by, promotedAt }) => `  since then: ${release}, ${promotedAt}, by ${by}`),
    ...items.map((item) => `  item ${item.index + 1}: ${item.code}: ${visible(item.message)}`),
    ...reasons.map(formatReason),
    ...authorities.map((name) => `  to act for it: --override-authority ${visible(name)} --reason "…"`),
    ...(code === 'PROOF_INVALID' ? ['  --key must be the key that the certificate was issued for'] : []),
    ...(code === 'UNAUTHENTICATED'
      ? ['check the token in NUMGATE_TOKEN; without it, the local token is used']
      : []),
  ].join('\n');
}

/** A guard that a change hits, with the option that overrides it. */
export function formatGuard({ guard, message, override }: GuardHit<string>): string {
  return `${guard}: ${visible(message)}   --override ${override}`;
}

/** What is wrong with a field of a registration, and what to do. */
export function formatReason({ field, code, detail, help }: RegistrationReason): string {
  return `  ${visible(`${field}: ${code}: ${detail}; ${help}`)}`;
}
