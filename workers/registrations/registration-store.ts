/**
 * The Durable Object that keeps the registrations of one organisation, and is named by its ID. Bulk uploads of one
 * organisation slow neither the others nor the coordinator.
 */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { PublishedPair, RegistrationSource } from '../storage/registry-port.ts';

export class RegistrationStore extends DurableObject<ControlEnv> implements RegistrationSource {
  async published(
    _after: string | null,
    _limit: number,
  ): Promise<{ readonly pairs: readonly PublishedPair[]; readonly next: string | null }> {
    return { pairs: [], next: null };
  }
}
