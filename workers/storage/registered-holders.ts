/**
 * Finds the organisations that have registered a number. The index of the registry names candidates, and the store of
 * each candidate has its registrations in force. Mock registrations are in neither.
 */
import { NOTICE_WAIT_MS, ROUTED_ORGANISATIONS_MAX } from '../../shared/limits/notice-sources.ts';
import { OTHERS_MAX } from '../../shared/limits/registrations.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { OtherRegistration } from '../../shared/senders/registration.ts';
import type { ControlEnv } from '../env.ts';
import { REGISTRY_NAME } from './registry-port.ts';
import { within } from './single-flight.ts';

/** The number of stores that are read at the same time. */
const CALLS_AT_ONCE = 4;

export interface Holder {
  readonly organisation: string;
  /** The organisation's first registration of the number that is in force. */
  readonly registration: string;
}

interface RegistrationReader {
  competing(numbers: Span, limit: number): Promise<readonly OtherRegistration[]>;
}

/**
 * @returns in the order of the numbers, at most ROUTED_ORGANISATIONS_MAX for each
 * @throws if the registry or a store does not respond: try again
 */
export async function holdersOf(
  numbers: readonly number[],
  { REGISTRY, REGISTRATIONS }: Pick<ControlEnv, 'REGISTRY' | 'REGISTRATIONS'>,
): Promise<readonly (readonly Holder[])[]> {
  if (numbers.length === 0) return [];
  const registry = REGISTRY.getByName(REGISTRY_NAME);
  const index = await within(registry.organisationsOfEach(numbers, ROUTED_ORGANISATIONS_MAX), NOTICE_WAIT_MS);
  if (index === null) throw new Error('the registry reads its index back');
  const found: Holder[][] = numbers.map(() => []);
  const reads = index.flatMap((ids, place) => ids.map((organisation) => ({ place, organisation })));
  const next = reads[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const { place, organisation } of next) {
      const n = numbers[place]!;
      const store = REGISTRATIONS.getByName(organisation) as unknown as RegistrationReader;
      const all = await within(store.competing({ from: n, to: n }, OTHERS_MAX + 1), NOTICE_WAIT_MS);
      const registration = all.find(({ inForce }) => inForce)?.id;
      if (registration !== undefined) found[place]!.push({ organisation, registration });
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  return found.map((holders) => holders.sort((a, b) => (a.organisation < b.organisation ? -1 : 1)));
}
