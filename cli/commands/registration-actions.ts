/** Applies an action to many registrations, for `numgate registrations` and `numgate review`. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Registration, RegistrationAction } from '../../shared/senders/registration.ts';
import { type Admin, adminOfEnvironment, Unreachable } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { counted } from '../terminal/figures.ts';
import { INPUT, linesOfInput } from '../terminal/input.ts';
import { print } from '../terminal/output.ts';
import { pathOf, type Target } from './organisation-option.ts';
import { formatOthers, formatRegistrations } from './registrations-reads.ts';
import { WAIT_SECONDS } from './watch.ts';

/** Pause between two requests for a registration that is not published yet, in ms. */
const LOOK_PAUSE_MS = 500;

/** @param words IDs, or - for those on standard input, one per line */
export async function given<Value>(
  words: readonly string[],
  parse: (word: string) => Value,
): Promise<Value[]> {
  const all = words.includes(INPUT) ? (await linesOfInput()).filter((line) => line !== '') : words;
  if (all.length === 0) throw new CommandFailure('standard input is empty', 2);
  return all.map(parse);
}

interface Refused extends Target {
  readonly failure: CommandFailure;
}

/**
 * Acts on each registration, in order. Continues after a refusal. Prints the registrations that were not refused.
 * @param waits whether to wait until the decisions are published
 * @throws CommandFailure that lists all refused registrations, if any
 */
export async function act(
  targets: readonly Target[],
  action: RegistrationAction,
  body: object,
  waits = false,
): Promise<void> {
  const admin = adminOfEnvironment();
  const done: Registration[] = [];
  const failed: Refused[] = [];
  for (const target of targets) {
    const path = `${pathOf(target)}/${action}`;
    const result = await admin.change<Registration>('POST', path, body).catch((error: unknown) => error);
    if (!(result instanceof Error)) {
      done.push(result as Registration);
      continue;
    }
    // With a single registration, there is nothing to continue with.
    if (!(result instanceof CommandFailure) || targets.length === 1) throw result;
    failed.push({ ...target, failure: result });
    if (result instanceof Unreachable) break;
  }
  const left = targets.length - done.length - failed.length;
  if (waits) failed.push(...(await unpublished(done, admin)));
  const failures = failed.map(({ organisation, id, failure }) => ({
    ...{ organisation, id, message: failure.message },
    ...failure.extras,
  }));
  const text = done.length === 0 ? '' : formatRegistrations(done)[0] + done.map(formatOthers).join('');
  print(text, { registrations: done, ...(failed.length === 0 ? {} : { failed: failures }) });
  if (failed.length === 0) return;
  const lines = [
    `${failed.length} of ${counted(targets.length, 'registration')} failed`,
    ...failed.map(({ organisation, id, failure }) => `  ${organisation}/${id}: ${failure.message}`),
    ...(left > 0 ? [`  ${counted(left, 'registration')} not tried`] : []),
  ];
  throw new CommandFailure(lines.join('\n'));
}

/** Waits until these registrations are published. @param done gets their newest state @returns the unpublished ones */
async function unpublished(done: Registration[], admin: Admin): Promise<Refused[]> {
  const end = Date.now() + WAIT_SECONDS * 1000;
  const failed: Refused[] = [];
  for (const [index, registration] of done.entries()) {
    const { organisation, id, others } = registration;
    let now = registration;
    while (now.publication === 'pending' && Date.now() < end) {
      await pause(LOOK_PAUSE_MS);
      now = await admin.get<Registration>(pathOf({ organisation, id }));
    }
    done[index] = others === undefined ? now : { ...now, others };
    const { state, publication } = now;
    if (publication === 'pending' || publication === 'waiting') {
      const room =
        publication === 'waiting' ? ': the service has no room for additions; see numgate status' : '';
      const message = `is ${state}, but was not published within ${WAIT_SECONDS} s (${publication})${room}`;
      failed.push({ organisation, id, failure: new CommandFailure(message) });
    }
  }
  return failed;
}
