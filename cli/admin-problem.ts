/**
 * Problems of the admin API as the ends of commands: what is wrong, the figures, and the way out.
 */
import type { ProblemExtras } from '../shared/admin.ts';
import { CommandFailure, type ExitCode } from './failure.ts';

/** A problem document (RFC 9457) as the service writes it. */
export interface Problem extends ProblemExtras {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The service understood the request, and refused it. */
export class AdminProblem extends CommandFailure {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(wordsOf(problem), exitCodeOf(problem));
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }
}

function exitCodeOf({ code, status }: Problem): ExitCode {
  if (code === 'GUARD_HIT') return 3;
  return status === 409 || status === 412 ? 4 : 1;
}

function wordsOf(problem: Problem): string {
  const { code, message, guards = [], since = [], items = [] } = problem;
  const lines = [`${code}: ${message}`];
  for (const hit of guards) lines.push(`  ${guardLine(hit)}`);
  if (problem.current !== undefined && problem.base !== undefined) {
    lines.push(
      `  ${problem.base ?? 'nothing'} was taken for current, and ${problem.current ?? 'nothing'} is`,
    );
  }
  for (const { release, by, promotedAt } of since) lines.push(`  ${promotedAt} ${release} by ${by}`);
  if (problem.refusal !== undefined) lines.push(`  reason: ${problem.refusal}`);
  for (const { index, code: itemCode, message: why } of items)
    lines.push(`  item ${index + 1}: ${itemCode}: ${why}`);
  const way = WAYS_OUT[code];
  if (way !== undefined) lines.push(way);
  return lines.join('\n');
}

/** A guard that is hit, with the option that lets the change through it. */
export function guardLine({ guard, message }: { guard: string; message: string }): string {
  return `${guard}: ${message}   --override ${guard}`;
}

const WAYS_OUT: Readonly<Record<string, string>> = {
  BASE_MOVED: 'build again on what is current, and plan',
  PLAN_MOVED: 'look at npm run lists -- plan again',
  PRECONDITION_FAILED: 'look at it again, then repeat the command',
  UNAUTHENTICATED:
    'NUMGATE_TOKEN is the token; without it, that of npm start (.numgate/secrets.json) is shown',
};
