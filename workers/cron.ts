/**
 * The cron job, every minute. It promotes releases staged with wrangler alone, and removes values from KV that nothing
 * names any more. It exports new records of the audit log, and looks for registered numbers that the current release
 * lists as terminated. Last, it starts due work on rule blocks, appeals, the feed, notices and statistics.
 */
import type { Actor } from '../shared/admin/actor.ts';
import { exportAudit } from './admin/audit-export.ts';
import { coordinatorOf } from './admin/coordinator-stub.ts';
import { checkRegisteredNumbers } from './admin/number-events.ts';
import type { ControlEnv } from './env.ts';
import { warnFailed } from './log.ts';
import { APPEALS_NAME } from './storage/appeals-port.ts';
import { FEED_NAME } from './storage/feed-port.ts';
import { NOTICE_ROUTER_NAME } from './storage/notices-port.ts';
import { RESPONSE_NAME } from './storage/response-port.ts';
import { STATISTICS_NAME } from './storage/statistics-port.ts';

/** The actor of releases staged with wrangler: anyone who can write KV and holds the signing key of releases. */
const WRANGLER: Actor = {
  ...{ name: 'wrangler', scopes: [], root: false },
  ...{ organisation: null, authority: null },
};

export async function sweep(_event: ScheduledController, env: ControlEnv): Promise<void> {
  const coordinator = coordinatorOf(env);
  try {
    await coordinator.sweep(WRANGLER);
  } finally {
    await exportAudit(env, coordinator);
    await checkRegisteredNumbers(coordinator, env);
    await env.RESPONSE.getByName(RESPONSE_NAME)
      .refresh()
      .catch((error: unknown) => warnFailed('responseFailed', error));
    await env.APPEALS.getByName(APPEALS_NAME)
      .sweep()
      .catch((error: unknown) => warnFailed('appealsFailed', error));
    await env.FEED.getByName(FEED_NAME)
      .poke()
      .catch((error: unknown) => warnFailed('feedFailed', error));
    await env.NOTICE_ROUTER.getByName(NOTICE_ROUTER_NAME)
      .poke()
      .catch((error: unknown) => warnFailed('noticesFailed', error));
    await env.STATISTICS.getByName(STATISTICS_NAME)
      .sweep()
      .catch((error: unknown) => warnFailed('statisticsFailed', error));
  }
}
