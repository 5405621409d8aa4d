/** The Durable Object that keeps the reports of one partner, or of a slice of them. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';

export class ReportIntake extends DurableObject<ControlEnv> {}
