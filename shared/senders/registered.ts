/**
 * Whether a number is registered for a client now: by the changes since the release, or else by the release. Exact, and
 * without a call. The newest change of a pair wins. If data is not loaded, the result is `unavailable`, never `none`.
 */
import type { Registration } from '../release/registered-senders.ts';
import type { Release } from '../release/release.ts';
import type { RegistrationOverlay } from './registration-overlay.ts';

/** A release, and the changes to registered senders since. */
export interface RegisteredData {
  readonly release: Release | null;
  readonly registrations: RegistrationOverlay;
}

/**
 * @param n an E.164 integer @param client `<organisation>/<client>`
 * @param separatesOwn false may return `registered` for `own`
 */
export function registrationOf(
  n: number,
  client: string,
  { release, registrations }: RegisteredData,
  separatesOwn = true,
): Registration {
  const built = release?.registrations ?? null;
  const version = built === null ? 0 : built.info.version;
  // Neither the release nor the overlay has the changes between `version` and `droppedVersion`.
  if (registrations.droppedVersion > version) return 'unavailable';
  const change = registrations.find(n, client, version);
  if (change === null) return built === null ? 'none' : built.find(n, client, separatesOwn);
  if (change === 'remove') return 'none';
  return change === 'addOwn' ? 'own' : 'registered';
}
