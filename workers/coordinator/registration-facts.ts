/**
 * The services of the coordinator for the stores of registrations: the clients of an organisation, the protected
 * numbers, and a record of the ends of their audit chains. Each change of a registration reads the facts, so the
 * clients are kept in memory until a client changes.
 */
import { qualificationState } from '../../shared/senders/qualification.ts';
import type { RegistrationFacts } from '../../shared/senders/registration.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import type { SenderFacts } from '../storage/response-port.ts';
import { applied, type ChangeRequest, systemRequest } from './change-request.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

type Clients = RegistrationFacts['clients'];

export class RegistrationFactsSource {
  readonly #tables: Tables;
  #clients: ReadonlyMap<string, Clients> = new Map();
  /** Generation of the clients in memory; null before the first read. */
  #generation: number | null = null;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Null if there is no such organisation. */
  of(organisation: string): RegistrationFacts | null {
    if (this.#tables.organisations.get(organisation) === null) return null;
    const { protectedNumbers } = this.#tables.settings.guards;
    return { organisation, now: Date.now(), clients: this.#clientsOf(organisation), protectedNumbers };
  }

  /** For the desk of the joint response: facts in favour of organisations that have registered a reported number. */
  senders(organisations: readonly string[], now: number): SenderFacts[] {
    const { qualifications } = this.#tables;
    return organisations.map((organisation) => {
      const qualification = qualifications.get(organisation);
      return {
        organisation,
        isCertified: qualification !== null && qualificationState(qualification, now) === 'certified',
        clients: this.#clientsOf(organisation).map(({ id }) => id),
      };
    });
  }

  /**
   * Records the end of the audit chain of another object in the audit log.
   * @param subject owner of the chain @returns the number of the record
   */
  anchor(
    kind: 'registrations' | 'credentials' | 'response' | 'appeals' | 'webhooks' | 'text',
    subject: string,
    { n, hash, from, root }: ChainAnchor,
  ): number {
    const request = systemRequest(`the end of the audit chain of ${kind}`);
    this.#tables.ledger.transact(request, FREEING_CHANGE, () =>
      applied({}, [
        {
          action: `${kind}.anchor`,
          subject,
          before: null,
          after: { n, hash, from, root },
        },
      ]),
    );
    return this.#tables.ledger.audit.last.n;
  }

  /** Records a version of a month, once for each key of the request as long as answers are kept. */
  recordMonth(request: ChangeRequest, month: string, after: { readonly version: number }): void {
    const action = after.version === 1 ? 'statistics.close' : 'statistics.correct';
    const done = this.#tables.ledger.transact(request, FREEING_CHANGE, () =>
      applied({}, [{ action, subject: month, before: null, after }]),
    );
    if (!done.ok) throw new Error(`${done.code}: ${done.message}`);
  }

  #clientsOf(organisation: string): Clients {
    const { clients } = this.#tables;
    if (this.#generation !== clients.generation) {
      const byOrganisation = Map.groupBy(clients.all, (client) => client.organisation);
      this.#clients = new Map(
        [...byOrganisation].map(([id, members]) => [
          id,
          members.map((client) => ({ id: client.id, mock: client.mock ?? false })),
        ]),
      );
      this.#generation = clients.generation;
    }
    return this.#clients.get(organisation) ?? [];
  }
}
