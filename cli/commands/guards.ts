/** `numgate guards`: bounds that a push may exceed only with an override. */
import { type GuardSettings, guardSettingsSchema } from '../../shared/release/guards.ts';
import type { Admin } from '../admin.ts';
import { checked } from '../checked.ts';
import { CommandFailure } from '../failure.ts';

export function getGuards(admin: Admin): Promise<GuardSettings> {
  return admin.get('guards');
}

/** @param pairs `name=value`, values in JSON */
export async function setGuards(
  admin: Admin,
  pairs: readonly string[],
  reason: string,
): Promise<GuardSettings> {
  const settings = Object.fromEntries(pairs.map(pairOf));
  const given = { ...(await getGuards(admin)), ...settings };
  const guards = checked(given, { schema: guardSettingsSchema, whole: 'the guards' });
  return admin.change('PUT', 'guards', { guards, reason });
}

const SETTINGS = Object.keys(guardSettingsSchema.entries);

function pairOf(text: string): [name: string, value: unknown] {
  const [name = '', ...rest] = text.split('=');
  if (!SETTINGS.includes(name)) {
    throw new CommandFailure(`${name} is not a setting of the guards: ${SETTINGS.join(', ')}`, 2);
  }
  try {
    return [name, JSON.parse(rest.join('='))];
  } catch {
    throw new CommandFailure(`${name}: write name=value, the value as JSON`, 2);
  }
}
