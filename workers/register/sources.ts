/**
 * The readings from which public documents are made: the register from the coordinator, and the statuses of delegations
 * from the credential store.
 */
import { toBase64 } from '../../shared/bytes.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { CREDENTIALS_NAME } from '../storage/credentials-port.ts';
import { CachedReading } from './cached-reading.ts';

/** The method of the coordinator that this file needs. */
interface RegisterObject {
  register(): Promise<RegisterData>;
}

function newSources() {
  return {
    register: new CachedReading('register', ({ COORDINATOR }) =>
      (COORDINATOR.getByName(COORDINATOR_NAME) as unknown as RegisterObject).register(),
    ),
    /** Two bits for each delegation, in base64. */
    delegations: new CachedReading('delegations', async ({ CREDENTIALS }) =>
      toBase64(await CREDENTIALS.getByName(CREDENTIALS_NAME).delegationStatuses()),
    ),
  };
}

/** The sources of this isolate. */
let sources = newSources();

export function publicSources(): typeof sources {
  return sources;
}

/** Resets all state, as a new isolate would. */
export function resetSources(): void {
  sources = newSources();
}
