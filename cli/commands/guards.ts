/**
 * `lists guards`: what a push must not do without being told to.
 */
import * as v from 'valibot';
import { type GuardSettings, guardSettingsSchema } from '../../shared/release/guards.ts';
import type { Admin } from '../admin.ts';
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
  const wishes = Object.fromEntries(pairs.map(pairOf));
  const guards = checked({ ...(await getGuards(admin)), ...wishes });
  return admin.change('PUT', 'guards', { guards, reason });
}

function pairOf(text: string): [name: string, value: unknown] {
  const [name = '', ...rest] = text.split('=');
  try {
    return [name, JSON.parse(rest.join('='))];
  } catch {
    throw new CommandFailure(`${name}: write name=value, the value as JSON`, 2);
  }
}

function checked(given: unknown): GuardSettings {
  const parsed = v.safeParse(guardSettingsSchema, given);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CommandFailure(`${v.getDotPath(issue) ?? 'guards'}: ${issue.message}`, 2);
}
