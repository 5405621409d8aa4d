/** Reads what a store of notices must know of its organisation before it sends anything, from the coordinator at intervals. */
import { NOTICE_FACTS_FRESH_MS } from '../../shared/limits/notices.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { OrganisationSource } from '../storage/notices-port.ts';

export interface OrganisationFacts {
  /** Neither suspended nor removed. */
  readonly isActive: boolean;
  readonly hosts: readonly string[];
}

export class FactsReader {
  readonly #source: () => OrganisationSource;
  #facts: OrganisationFacts | null = null;
  #readAt = 0;

  constructor(source: () => OrganisationSource) {
    this.#source = source;
  }

  /** @throws if the coordinator does not respond */
  async read(organisation: string): Promise<OrganisationFacts> {
    if (this.#facts !== null && Date.now() - this.#readAt < NOTICE_FACTS_FRESH_MS) return this.#facts;
    const readAt = Date.now();
    const facts = factsOf(await this.#source().organisation(organisation));
    this.#facts = facts;
    this.#readAt = readAt;
    return facts;
  }
}

/** @param organisation null if it no longer exists */
export function factsOf(organisation: Organisation | null): OrganisationFacts {
  // Organisations that were stored before this field existed have no hosts.
  return { isActive: organisation?.state === 'active', hosts: organisation?.webhookHosts ?? [] };
}
