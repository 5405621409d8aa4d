/** Maps problems of the admin API to command failures: the message, the details and the override option. */
import type { ProblemExtras } from '../shared/admin.ts';
import type { GuardHit } from '../shared/release/guards.ts';
import { CommandFailure, type ExitCode } from './failure.ts';

/** A problem document (RFC 9457) from the service. */
export interface Problem extends ProblemExtras {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The service understood the request and refused it. */
export class AdminProblem extends CommandFailure {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(wordsOf(problem), exitCodeOf(problem), extrasOf(problem));
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** The members specific to this problem, without those that every problem document has. */
function extrasOf(problem: Problem): Record<string, unknown> {
  const left = ['type', 'title', 'detail', 'instance'];
  return Object.fromEntries(Object.entries(problem).filter(([name]) => !left.includes(name)));
}

function exitCodeOf({ code, status }: Problem): ExitCode {
  if (code === 'GUARD_HIT') return 3;
  return status === 409 || status === 412 ? 4 : 1;
}

function wordsOf({ code, message, guards = [], since = [], items = [] }: Problem): string {
  const lines = [`${code}: ${message}`, ...guards.map((hit) => `  ${guardLine(hit)}`)];
  for (const { release, by, promotedAt } of since)
    lines.push(`  since then: ${release}, ${promotedAt}, by ${by}`);
  for (const { index, code: what, message: why } of items) lines.push(`  item ${index + 1}: ${what}: ${why}`);
  if (code === 'UNAUTHENTICATED') {
    lines.push('the token is NUMGATE_TOKEN, or that of the local installation where it is not set');
  }
  return lines.join('\n');
}

/** A guard that the change hits, with the option that overrides it. */
export function guardLine({ guard, message, override }: GuardHit): string {
  return `${guard}: ${message}   --override ${override}`;
}
