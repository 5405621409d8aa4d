/** The Durable Object that keeps how many subjects reporters have reported. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';

export class ReporterBudget extends DurableObject<ControlEnv> {}
