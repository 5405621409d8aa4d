/**
 * Finds the other registrations of the same numbers, which a reviewer must know about. One look-up in the index of the
 * registry returns the organisations that have the numbers, and each of their stores is called once.
 */
import { LOAD_WAIT_MS, READS_AT_ONCE } from '../../shared/limits/edge.ts';
import { OTHER_ORGANISATIONS_MAX, OTHERS_MAX } from '../../shared/limits/registrations.ts';
import type { OtherRegistration, Registration } from '../../shared/senders/registration.ts';
import { spanOf } from '../../shared/senders/sender-numbers.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { within } from '../storage/single-flight.ts';
import type { AdminContext } from './context.ts';
import { registrationStore } from './registration-context.ts';
import { registryOf } from './registry.ts';

/** Adds the other registrations of the numbers for reviewers. Senders get the registration unchanged. */
export async function withOthers(
  registration: Registration,
  { actor, env }: AdminContext,
): Promise<Registration> {
  const isReviewer =
    actor.root || (actor.scopes.includes('review') && actor.organisation !== registration.organisation);
  if (!isReviewer || registration.mock === true) return registration;
  const read = othersOf(registration, env as unknown as ControlEnv);
  const others = await within(read, LOAD_WAIT_MS).catch((error: unknown) =>
    warnFailed('otherRegistrationsFailed', error),
  );
  return { ...registration, others: others ?? null };
}

/** At most OTHERS_MAX registrations, those in force first. Null while the registry rebuilds its index. */
async function othersOf(
  { organisation, id, number }: Registration,
  env: ControlEnv,
): Promise<OtherRegistration[] | null> {
  const numbers = spanOf(number);
  const organisations = await registryOf(env).organisationsOf(numbers, OTHER_ORGANISATIONS_MAX);
  if (organisations === null) return null;
  const others: OtherRegistration[] = [];
  for (let first = 0; first < organisations.length; first += READS_AT_ONCE) {
    const some = organisations.slice(first, first + READS_AT_ONCE);
    const read = some.map((each) => registrationStore(env, each).competing(numbers, OTHERS_MAX + 1));
    others.push(...(await Promise.all(read)).flat());
  }
  return others
    .filter((other) => other.organisation !== organisation || other.id !== id)
    .sort((one, next) => Number(next.inForce) - Number(one.inForce))
    .slice(0, OTHERS_MAX);
}
