/** The registered senders of a build: from a file, or with `--authority` as the current release has them. */
import { rm } from 'node:fs/promises';
import { PairEntries } from '../../shared/build/pairs.ts';
import type { BuildOptions } from '../../shared/build/release.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { keepRegistrations, type RegistrationFeed, readRegistrations } from '../import/registrations.ts';
import type { ReadableRelease } from '../import/release-lists.ts';
import { startProgress } from '../terminal/progress.ts';

/**
 * What the release gets. Undefined for none.
 * @param file of `--registrations` @param carriedFrom with `--authority`: the current release
 * @param path where to keep what is built in
 */
export async function registeredSenders(
  file: string | undefined,
  carriedFrom: ReadableRelease | null,
  path: string,
  keys: ListKeys,
): Promise<BuildOptions['registrations']> {
  // What a build that stopped has left.
  await rm(path, { force: true });
  if (carriedFrom !== null) return carryRegistrations(carriedFrom);
  return file === undefined ? undefined : collectRegistrations(await readRegistrations(file), path, keys);
}

/** Builds in what a feed has, and keeps it in a file. @param path of that file */
async function collectRegistrations(
  feed: RegistrationFeed,
  path: string,
  keys: ListKeys,
): Promise<NonNullable<BuildOptions['registrations']>> {
  const entries = new PairEntries();
  const progress = startProgress('registrations');
  await keepRegistrations(path, feed, (pair) => entries.add(pair)).finally(() => progress.stop());
  return { version: feed.version, content: entries.finish(keys) };
}

/** The registered senders of a release, value by value. Undefined if it has none. */
async function carryRegistrations({
  manifest: { registrations },
  load,
}: ReadableRelease): Promise<BuildOptions['registrations']> {
  if (registrations === undefined) return undefined;
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const blob of [registrations.table, ...registrations.shards]) values.set(blob.key, await load(blob));
  return { info: registrations, values };
}
