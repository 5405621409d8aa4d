/**
 * The registered senders of all organisations, for a build, and the state of the registry.
 */
import { type PairInfo, type PairsPage, pairsSchema } from '../../shared/admin/registration-pairs.ts';
import type { RegistrationsInfo } from '../../shared/admin/status.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import {
  REGISTERED_PAIRS_MAX,
  REGISTERED_RANGES_MAX,
  REGISTRATION_CHANGES_MAX,
  REGISTRATION_REMOVALS_RESERVE,
  REGISTRATION_STORES_PER_PAGE,
} from '../../shared/limits/registrations.ts';
import { ok } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { warnFailed } from '../log.ts';
import { REGISTRY_NAME, type RegistryObject, type RegistryStatus } from '../storage/registry-port.ts';
import { within } from '../storage/single-flight.ts';
import { forAdmins } from './context.ts';

export function registryOf({ REGISTRY }: ControlEnv): RegistryObject {
  return REGISTRY.getByName(REGISTRY_NAME);
}

/** Null while the registry does not respond, so that the rest of the status is still returned. */
export async function registrationsInfo(env: ControlEnv): Promise<RegistrationsInfo | null> {
  try {
    const { waiting, refused, used, ...counts } = await within(registryOf(env).status(), LOAD_WAIT_MS);
    return {
      ...counts,
      additionsMax: REGISTRATION_CHANGES_MAX - REGISTRATION_REMOVALS_RESERVE,
      changesMax: REGISTRATION_CHANGES_MAX,
      waiting: waiting.map(dated),
      refused: refused.map(dated),
      used: { ...used, pairsMax: REGISTERED_PAIRS_MAX, rangesMax: REGISTERED_RANGES_MAX },
    };
  } catch (error) {
    warnFailed('registryFailed', error);
    return null;
  }
}

function dated({ organisation, since }: RegistryStatus['waiting'][number]) {
  return { organisation, since: new Date(since).toISOString() };
}

/** The registered pairs in force, sorted by organisation, client and number. */
export const registrationPairs = forAdmins('releases', async (context) => {
  const read = await readBody(context, pairsSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const { after, limit } = read.value.body;
  if (after !== null && !/^[a-z0-9-]+( [a-z0-9-]+ \d{1,15} \d{1,15})?$/.test(after)) {
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" value of a page');
  }
  const env = context.env as unknown as ControlEnv;
  // Read the version before the pairs, so that the pairs contain every change up to this version.
  const { version } = await registryOf(env).status();
  const organisations = (await context.coordinator.organisations()).map(({ id }) => id).sort();
  const [first = '', ...rest] = (after ?? '').split(' ');
  const left = organisations.filter((id) => id >= first);
  const pairs: PairInfo[] = [];
  let cursor = left[0] === first && rest.length > 0 ? rest.join(' ') : null;
  let next: string | null = null;
  for (const [index, organisation] of left.entries()) {
    if (pairs.length === limit || index === REGISTRATION_STORES_PER_PAGE) {
      next = organisation;
      break;
    }
    const page = await env.REGISTRATIONS.getByName(organisation).published(cursor, limit - pairs.length);
    for (const { client, from, to, op } of page.pairs) pairs.push({ client, from, to, own: op === 'addOwn' });
    cursor = null;
    if (page.next === null) continue;
    next = `${organisation} ${page.next}`;
    break;
  }
  return ok<PairsPage>({ version, pairs, next });
});
