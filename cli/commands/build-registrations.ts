/** The registered senders of a build. They come from the service, from a file, or from the current release. */
import { rm } from 'node:fs/promises';
import type { PairsPage } from '../../shared/admin/registration-pairs.ts';
import { PairEntries, type RegisteredPair } from '../../shared/build/pairs.ts';
import type { BuildOptions } from '../../shared/build/release.ts';
import { isReadable } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { type Admin, Unreachable } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { keepRegistrations, type RegistrationFeed, readRegistrations } from '../import/registrations.ts';
import type { ReadableRelease } from '../import/release-lists.ts';
import { count } from '../terminal/figures.ts';
import { startProgress } from '../terminal/progress.ts';

/** Pairs between two updates of the progress bar. */
const PROGRESS_PAIRS = 10_000;

/** Where registered senders come from. Each field is null if there is no service or no current release. */
interface Origins {
  readonly admin: Admin | null;
  readonly current: ReadableRelease | null;
}

/**
 * The registered senders of the new release. Undefined if it gets none.
 * @param from a file; `false` for the current release; undefined for the service
 * @param path file for the registered senders that are built in, unless the current release has them
 */
export async function registeredSenders(
  from: string | false | undefined,
  { admin, current }: Origins,
  path: string,
  keys: ListKeys,
): Promise<BuildOptions['registrations']> {
  // Remove the file of a build that was interrupted.
  await rm(path, { force: true });
  if (from === false) return current === null ? undefined : carryRegistrations(current, keys);
  if (typeof from === 'string') return collectRegistrations(await readRegistrations(from), path, keys);
  const feed = admin === null ? null : await serviceRegistrations(admin);
  if (feed === null) return undefined;
  const before = current?.manifest.registrations?.version ?? 0;
  if (feed.version < before) {
    throw new CommandFailure(
      `the service has version ${feed.version} of the registered senders, but the current release has version ${before}: ` +
        `the registry was set back. Try again in a minute, or ${KEEP}`,
    );
  }
  return collectRegistrations(feed, path, keys);
}

const KEEP = 'pass --no-registrations to keep the registered senders of the current release';

/** The pairs that the service has approved. Null if it never had registrations. */
async function serviceRegistrations(admin: Admin): Promise<RegistrationFeed | null> {
  const first = await pageOf(admin, null);
  if (first.version === 0 && first.pairs.length === 0) return null;
  async function* pairs(): AsyncGenerator<RegisteredPair> {
    let page = first;
    yield* page.pairs;
    while (page.next !== null) {
      page = await pageOf(admin, page.next);
      yield* page.pairs;
    }
  }
  return { version: first.version, pairs: pairs() };
}

async function pageOf(admin: Admin, after: string | null): Promise<PairsPage> {
  try {
    return await admin.find<PairsPage>('registrations/pairs', { after });
  } catch (error) {
    if (!(error instanceof CommandFailure) || error instanceof Unreachable) throw error;
    throw new CommandFailure(`registered senders: ${error.message}\n${KEEP}`);
  }
}

/** Builds the pairs of a feed in, and keeps them in a file. @param path of the file */
async function collectRegistrations(
  feed: RegistrationFeed,
  path: string,
  keys: ListKeys,
): Promise<NonNullable<BuildOptions['registrations']>> {
  const entries = new PairEntries();
  const progress = startProgress('registrations');
  let pairs = 0;
  const add = (pair: RegisteredPair): void => {
    entries.add(pair);
    // The total is known only at the end.
    if (++pairs % PROGRESS_PAIRS === 0) progress.update(0, `${count(pairs)} pairs`);
  };
  await keepRegistrations(path, feed, add).finally(() => progress.stop());
  return { version: feed.version, content: entries.finish(keys) };
}

/**
 * Copies the registered senders of a release, value by value. Undefined if the release has none. Moving them to another key
 * needs the numbers themselves.
 */
async function carryRegistrations(
  { manifest, load }: ReadableRelease,
  keys: ListKeys,
): Promise<BuildOptions['registrations']> {
  const { registrations, release, keyId } = manifest;
  if (registrations === undefined) return undefined;
  if (keyId !== keys.keyId) {
    throw new CommandFailure(
      `the registered senders of ${release} were built with another LIST_KEY: build without --no-registrations`,
    );
  }
  if (!isReadable(registrations)) {
    throw new CommandFailure(
      `an older version of numgate built the registered senders of ${release}: build without --no-registrations`,
    );
  }
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const blob of [registrations.table, ...registrations.shards]) values.set(blob.key, await load(blob));
  return { info: registrations, values };
}
