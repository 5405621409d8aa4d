/**
 * Refuses a promotion of a text release that a second person must confirm, and names the kind of change. Such a promotion
 * cannot wait, because the coordinator keeps proposals and another object keeps text releases.
 */
import type { PromoteText } from '../../shared/admin/text.ts';
import type { ApprovalKind } from '../../shared/proposals.ts';
import { ok, type Result } from '../../shared/result.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { AdminContext } from './context.ts';

export async function checkApprovals(
  { coordinator }: Pick<AdminContext, 'coordinator'>,
  { share, overrides, dryRun }: Omit<PromoteText, 'base'>,
): Promise<Result<void, Problem>> {
  if (dryRun) return ok(undefined);
  const { kinds } = await coordinator.approvals();
  const waiting = kindsOf(share, overrides).filter((kind) => (kinds as readonly string[]).includes(kind));
  if (waiting.length === 0) return ok(undefined);
  const named = waiting.map((kind) => `"${kind}"`).join(' and ');
  const canary = waiting.includes('guardOverride') ? '' : 'promote it to a share of the data centres, or ';
  const message =
    `a second person must approve changes of the kind ${named}, but a text release cannot wait for approval: ${canary}` +
    'have a second person approve npx numgate approvals set without this kind, promote, and set it again';
  return problem('APPROVAL_IMPOSSIBLE', message);
}

/** The same kinds as for a promotion of lists. */
function kindsOf(share: number, overrides: readonly string[]): ApprovalKind[] {
  return [
    ...(overrides.length > 0 ? (['guardOverride'] as const) : []),
    ...(share === 1 ? (['fullShare'] as const) : []),
  ];
}
