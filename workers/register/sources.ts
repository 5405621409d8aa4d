/**
 * The readings that public documents are made of: the register from the coordinator, and the statuses of delegations from
 * the store of credentials.
 */
import { toBase64 } from '../../shared/bytes.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { CREDENTIALS_NAME } from '../storage/credentials-port.ts';
import { CachedReading } from './cached-reading.ts';

/** What this needs from the coordinator. */
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

/** Of this isolate. */
let sources = newSources();

export function publicSources(): typeof sources {
  return sources;
}

/** Resets all state, as a new isolate would. */
export function resetSources(): void {
  sources = newSources();
}
