/** The Durable Object that keeps appeals against blocks. There is one. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { AppealObject } from '../storage/appeals-port.ts';
import { applySteps } from '../storage/schema-steps.ts';

export class AppealStore extends DurableObject<ControlEnv> implements AppealObject {
  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    applySteps(ctx.storage, []);
  }

  async waiting(): Promise<number> {
    return 0;
  }
}
