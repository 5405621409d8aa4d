/**
 * Promotions of text releases that a second person would have to confirm. Proposals are kept by the coordinator, and text
 * releases by another object, so such a promotion cannot wait: it is refused by name.
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
    `a second person must confirm changes of the kind ${named}, and a text release cannot wait for one: ${canary}` +
    'let a second person confirm npx numgate approvals set without it, promote, and set it again';
  return problem('APPROVAL_IMPOSSIBLE', message);
}

/** As of a promotion of lists. */
function kindsOf(share: number, overrides: readonly string[]): ApprovalKind[] {
  return [
    ...(overrides.length > 0 ? (['guardOverride'] as const) : []),
    ...(share === 1 ? (['fullShare'] as const) : []),
  ];
}
