/**
 * What the cron does: promote manifests that were staged with wrangler alone, and remove old values.
 */
import type { ControlEnv } from './env.ts';

export async function sweep(_event: ScheduledController, _env: ControlEnv): Promise<void> {}
