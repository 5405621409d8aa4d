/** The Durable Object that keeps closed months of statistics. There is one. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { StatisticsObject } from '../storage/statistics-port.ts';

export class StatisticsStore extends DurableObject<ControlEnv> implements StatisticsObject {
  async sweep(): Promise<void> {}
}
