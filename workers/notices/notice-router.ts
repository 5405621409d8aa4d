/** The Durable Object that decides which organisations get a notice, and what it says. There is one. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { NoticeRouterObject } from '../storage/notices-port.ts';

export class NoticeRouter extends DurableObject<ControlEnv> implements NoticeRouterObject {
  async poke(): Promise<void> {}
}
