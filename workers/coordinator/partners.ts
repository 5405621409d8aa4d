/**
 * The data that control needs to admit clients: the clients with a right that control serves and, for reports, the partners.
 */
import type { Client, Right } from '../../shared/clients.ts';
import type { Partners } from '../storage/reports-port.ts';
import type { Tables } from './tables.ts';

/** The clients of active organisations that have this right, which control serves. */
export function clientsWith(right: Right, { clients, organisations }: Tables): readonly Client[] {
  const suspended = new Set(
    organisations.all.filter(({ state }) => state === 'suspended').map(({ id }) => id),
  );
  return clients.all.filter(
    ({ organisation, rights }) => rights.includes(right) && !suspended.has(organisation),
  );
}

/** All partners and the clients that may report. Omits clients of organisations that are suspended or no partners. */
export function partnersOf({ clients, organisations }: Tables): Partners {
  const partners = organisations.all.flatMap(({ id, state, partner }) =>
    // Organisations stored by older versions lack this field.
    partner === null || partner === undefined ? [] : [{ ...partner, id, isSuspended: state === 'suspended' }],
  );
  const active = new Set(partners.filter(({ isSuspended }) => !isSuspended).map(({ id }) => id));
  return {
    partners,
    clients: clients.all.filter(
      ({ organisation, rights }) => active.has(organisation) && rights.includes('report'),
    ),
  };
}
