/** Decides which changes of a store the registry accepts. */
import { REGISTRATION_NUMBERS_MAX } from '../../shared/limits/registrations.ts';
import { NUMBER_LIMIT } from '../../shared/numbers/number.ts';
import { REGISTRATION_OPS } from '../../shared/senders/registration-segment.ts';
import type { PublishedChange } from '../storage/registry-port.ts';

/** Whether the change has a binary form, and its client belongs to the organisation. */
export function isPossible(organisation: string, { client, from, to, op }: PublishedChange): boolean {
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 1 && to < NUMBER_LIMIT;
  return (
    client.startsWith(`${organisation}/`) &&
    !client.includes('\n') &&
    isRange &&
    to >= from &&
    to - from < REGISTRATION_NUMBERS_MAX &&
    REGISTRATION_OPS.includes(op)
  );
}
