/** Which changes of a store the registry accepts. */
import { REGISTRATION_NUMBERS_MAX } from '../../shared/limits/registrations.ts';
import { REGISTRATION_OPS } from '../../shared/senders/registration-segment.ts';
import type { PublishedChange } from '../storage/registry-port.ts';

const E164_END = 1e15;

/** Whether the change has a binary form, and is of a client of the organisation. */
export function isPossible(organisation: string, { client, from, to, op }: PublishedChange): boolean {
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 1 && to < E164_END;
  return (
    client.startsWith(`${organisation}/`) &&
    !client.includes('\n') &&
    isRange &&
    to >= from &&
    to - from < REGISTRATION_NUMBERS_MAX &&
    REGISTRATION_OPS.includes(op)
  );
}
