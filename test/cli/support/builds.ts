/** Built releases of two small lists: numbers of the home country, and numbers, ranges and senders abroad. */
import { join } from 'node:path';
import { Admin } from '../../../cli/admin.ts';
import { type BuildResult, build } from '../../../cli/commands/build.ts';
import type { BuildFolder } from '../../../cli/publish/build-folder.ts';
import { listKeys } from '../../../cli/secrets.ts';
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import { fingerprintText } from '../../../shared/live/entry.ts';
import { sourceKey } from '../../shared/support/sources.ts';
import { fakeService } from './fake-service.ts';
import { BUILDS, catalogue, FOLDER, write } from './workspace.ts';

/** Several thousand numbers, so that 010 has its own section. */
export const HOME = Array.from({ length: 3_000 }, (_, index) => `+8210${20_000_000 + index * 17_971}`);
export const ABROAD = [
  '+639171234567',
  '+14155550100',
  '+442079460000..+442079460999',
  '+63918*',
  'PARCEL-KR',
  'KR-GOV',
];

/** Writes a catalogue over files with these lines. @returns its path */
export function inputsOf(name: string, home: readonly string[], abroad: readonly string[]): string {
  write(`${name}/home.txt`, home.join('\n'));
  write(`${name}/abroad.txt`, abroad.join('\n'));
  return catalogue(`${name}/lists.json`, {
    inputs: [
      { file: 'home.txt', list: 'suspended' },
      { file: 'abroad.txt', list: 'overseas' },
    ],
  });
}

/**
 * Builds into its own folder, so that two builds of the same content do not replace each other.
 * @param allowEmpty for lists without entries
 */
export function buildOf(
  name: string,
  home: readonly string[] = HOME,
  abroad: readonly string[] = ABROAD,
  allowEmpty = false,
): Promise<BuildResult> {
  const path = inputsOf(name, home, abroad);
  return build({ catalogue: path, builds: join(BUILDS, name), maxRejects: 0, allowEmpty, admin: null });
}

/** Builds the usual lists on a service that has no release but these live entries, oldest first. */
export async function buildWithLive(entries: readonly Partial<EntryInfo>[]): Promise<BuildResult> {
  const { sourceSeed } = await listKeys();
  const fingerprintOf = ({ source = null }: Partial<EntryInfo>) =>
    source === null ? null : fingerprintText(sourceKey(source, sourceSeed));
  const live: EntryInfo[] = entries.map((entry, index) => ({
    ...{
      number: '',
      source: null,
      fingerprint: fingerprintOf(entry),
      op: 'block',
      code: 'SENDER_REPORTED',
      subjects: ['from', 'to'],
      until: null,
    },
    ...{ authority: 'kisa', seq: index + 1, at: '2026-11-24T02:00:00Z', by: 'token:root', reason: 'a test' },
    ...entry,
  }));
  const { url } = await fakeService(({ path }) => {
    if (path.endsWith('/status')) return { body: { current: null } };
    if (path.endsWith('/registrations/pairs')) return { body: { version: 0, pairs: [], next: null } };
    return { body: { upTo: 40, entries: live, next: null } };
  });
  const admin = new Admin({ url, token: 'root.secret' });
  return build({
    catalogue: inputsOf('live', HOME, ABROAD),
    builds: join(BUILDS, 'live'),
    maxRejects: 0,
    admin,
  });
}

/** Writes a complete proof without proving. A real proof takes a minute; it runs by hand and in CI. */
export function writeCompleteProof(folder: BuildFolder, release: string): void {
  folder.writeProof({ release, lookups: 100_000_000, wrong: 0, complete: true });
}

export function pathOf(...parts: readonly string[]): string {
  return join(FOLDER, ...parts);
}
