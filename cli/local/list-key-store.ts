/**
 * Where the keys are kept on this machine while LIST_KEY is rotated: in the secrets of the local installation, or, if LIST_KEY
 * comes from the environment, in a separate file. An interrupted rotation continues from there.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { listKeyParts } from '../../shared/set/key-ring.ts';
import { CommandFailure } from '../failure.ts';
import { listKeyText } from '../secrets.ts';
import { replaceListKey } from './secrets.ts';

export interface ListKeyStore {
  /** Name for messages: the file. */
  readonly name: string;
  read(): string;
  /** Later commands in this process use the new text, too. */
  write(text: string): Promise<void>;
}

/** @param path of the file; null without one @param writes whether the store will be written */
export function listKeyStore(path: string | null, writes = true): ListKeyStore {
  const given = process.env.LIST_KEY;
  if (given === undefined || given === '') {
    return { name: 'the local secrets', read: listKeyText, write: replaceListKey };
  }
  if (path === null) {
    if (!writes) return { name: 'LIST_KEY', read: listKeyText, write: replaceListKey };
    throw new CommandFailure(
      'LIST_KEY comes from the environment, which no command can change: pass --key-file <file>, a private file ' +
        'that keeps the keys until you have stored them where LIST_KEY comes from',
    );
  }
  if (existsSync(path)) process.env.LIST_KEY = sameKeys(readFileSync(path, 'utf8').trim(), given, path);
  return {
    name: path,
    read: listKeyText,
    write: async (text) => {
      writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
      process.env.LIST_KEY = text;
    },
  };
}

/** The text of the file, if the file belongs to a rotation of this key. */
function sameKeys(text: string, given: string, path: string): string {
  const kept = listKeyParts(text);
  if (listKeyParts(given).some((part) => kept.includes(part))) return text;
  throw new CommandFailure(`${path} holds none of the keys in LIST_KEY: name the file of this rotation`);
}
