/**
 * What the cron does, every minute: promote what was staged with wrangler alone, and remove from KV what
 * nothing names any more.
 */
import type { Actor } from '../shared/admin.ts';
import { authorityOf } from './admin/admin-call.ts';
import type { ControlEnv } from './env.ts';

/** Whoever can write KV, and holds the key that signs releases. */
const WRANGLER: Actor = { name: 'wrangler', scopes: [], authority: 'wrangler', root: false };

export async function sweep(_event: ScheduledController, env: ControlEnv): Promise<void> {
  await authorityOf(env).sweep(WRANGLER);
}
