/** The Durable Object that counts the reports of the subjects of one shard. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';

export class SubjectCounts extends DurableObject<ControlEnv> {}
