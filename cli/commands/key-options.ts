/** Options that `clients` and `tokens` share: the conditions of a key, and its rotation. */
import { type Command, Option } from 'commander';
import { isExpiring, type KeyConditions, keyConditionEntries } from '../../shared/key-conditions.ts';
import { CommandFailure } from '../failure.ts';
import { untilOf } from '../import/dates.ts';
import { commaList, NONE } from './options.ts';

/** Conditions as the options give them, after `withNulls`. Null removes a condition. */
export type ConditionOptions = { readonly [Name in keyof KeyConditions]?: KeyConditions[Name] | null };

export function addConditionOptions(command: Command): Command {
  const list = (text: string): string[] | typeof NONE => (text === 'none' ? NONE : commaList(text));
  const digests = (text: string): string[] | typeof NONE =>
    text === 'none' ? NONE : commaList(text).map((digest) => digest.replaceAll(':', '').toLowerCase());
  return command
    .option('--expires <end>', 'when the key expires: 90d, 2027-01-01 (in Korea), a time, or none', endOf)
    .option(
      '--addresses <list>',
      'address ranges that requests must come from, such as 203.0.113.0/24, or none',
      list,
    )
    .option(
      '--certificate-sha256 <list>',
      'SHA-256 of the client certificate that requests must use, or none',
      digests,
    );
}

function endOf(text: string): string | typeof NONE {
  if (text === 'none') return NONE;
  const end = untilOf(text, new Date(), '--expires');
  if (end === undefined)
    throw new CommandFailure('--expires must be before 2106; none removes the expiry', 2);
  return end;
}

/** The key with these settings; a null removes a condition. */
export function withSettings<Key extends object>(key: Key, settings: object): Key {
  const changed = Object.entries({ ...key, ...settings });
  return Object.fromEntries(
    changed.filter(([name, value]) => !(name in keyConditionEntries && (value ?? null) === null)),
  ) as Key;
}

/** The conditions in words, without digests. */
export function formatConditions({ expires, addresses, certificateSha256 }: KeyConditions): string[] {
  return [
    expires === undefined ? '' : formatEnd(expires),
    addresses === undefined ? '' : `from ${addresses.join(' ')}`,
    certificateSha256 === undefined ? '' : 'with a client certificate',
  ].filter((words) => words !== '');
}

/** @param expires ISO 8601 */
export function formatEnd(expires: string): string {
  const now = Date.now();
  if (Date.parse(expires) <= now) return `expired ${expires}`;
  return `${isExpiring({ expires }, now) ? 'expires soon:' : 'expires'} ${expires}`;
}

/** Options of `rotate`, the same for clients and tokens. */
export interface RotateOptions {
  readonly finish: boolean;
  readonly replace: boolean;
}

/** @param what `key` for clients, `secret` for tokens */
export function addRotateOptions(command: Command, what: string): Command {
  return command
    .addOption(
      new Option('--finish', `end the rotation: only the newest ${what} stays valid`)
        .default(false)
        .conflicts('replace'),
    )
    .option('--replace', `if there are already two, revoke the older ${what} to make room`, false);
}

/**
 * The secrets that a rotation keeps besides the new one.
 * @throws CommandFailure if there are two already and none may be revoked
 */
export function keptSecrets(
  { id, secretSha256 }: { readonly id: string; readonly secretSha256: readonly string[] },
  { replace }: RotateOptions,
  { command, what }: { readonly command: string; readonly what: string },
): string[] {
  if (secretSha256.length > 1 && !replace) {
    throw new CommandFailure(
      `${id} already has two ${what}s: finish the rotation first with npx numgate ${command} ${id} --finish, ` +
        `or revoke the older ${what} now with --replace`,
      2,
    );
  }
  return secretSha256.slice(-1);
}

/** The newest secret of a key, which a finished rotation keeps. Null if there is only one. */
export function newestOnly(secretSha256: readonly string[]): string[] | null {
  return secretSha256.length > 1 ? secretSha256.slice(-1) : null;
}

/** @throws CommandFailure that lists the options, if none of them was given */
export function requireSetting(command: Command, settings: object): void {
  if (Object.values(settings).some((value) => value !== undefined)) return;
  const names = command.options.map(({ long }) => long).filter((name) => !NOT_SETTINGS.includes(name));
  const usage = `npx numgate ${command.parent!.name()} ${command.name()} <id> with ${names.join(', ')}`;
  throw new CommandFailure(`give at least one setting to change: ${usage}`, 2);
}

/** Options for how a change is made. They are not settings. */
const NOT_SETTINGS: readonly (string | undefined)[] = ['--reason', '--wait', '--url'];
