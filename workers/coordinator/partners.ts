/** What control needs of the coordinator to take reports: the partners, and the keys of their clients. */
import type { Partners } from '../storage/reports-port.ts';
import type { Tables } from './tables.ts';

/** A client of an organisation that is suspended, or is no partner, is left out. */
export function partnersOf({ clients, organisations }: Tables): Partners {
  const partners = organisations.all.flatMap(({ id, state, partner }) =>
    // Organisations that were stored before have none.
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
