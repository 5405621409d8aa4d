/** The registered senders of a build: from the service, from a file, or as the current release has them. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { PairInfo, PairsPage } from '../../shared/admin/registration-pairs.ts';
import { PairEntries } from '../../shared/build/pairs.ts';
import type { RegistrationsSource } from '../../shared/build/release.ts';
import { REGISTRATION_NUMBERS_MAX } from '../../shared/limits/registrations.ts';
import { NUMBER_LIMIT } from '../../shared/numbers/number.ts';
import type { RegisteredInfo } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { type Admin, Unreachable } from '../admin.ts';
import { CommandFailure, describeFileError, hasCode } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { startProgress } from '../terminal/progress.ts';
import type { ReadableRelease } from './release-lists.ts';

/** What the service and the current release can give. Null without a service, or without a release. */
interface Origins {
  readonly admin: Admin | null;
  readonly current: ReadableRelease | null;
}

const KEEP = '--no-registrations keeps those of the current release';

/**
 * @param from a file; `false` for those of the current release; undefined for those of the service
 * @param keys of the release that is built
 * @returns undefined if there are none
 */
export async function loadRegistrations(
  from: string | false | undefined,
  { admin, current }: Origins,
  keys: ListKeys,
): Promise<RegistrationsSource | undefined> {
  const version = current?.manifest.registrations?.version ?? 0;
  if (typeof from === 'string') return { version, content: await contentOfFile(from, keys) };
  if (from === false) return current === null ? undefined : carried(current, keys);
  if (admin === null) return undefined;
  return contentOfService(admin, current, keys);
}

async function contentOfService(
  admin: Admin,
  current: ReadableRelease | null,
  keys: ListKeys,
): Promise<RegistrationsSource | undefined> {
  const entries = new PairEntries();
  const progress = startProgress('registered senders');
  let version: number | null = null;
  // Ranges are one pair here, and many in the release.
  const { pairs: expected = 0, version: before = 0 } = current?.manifest.registrations ?? {};
  let pairs = 0;
  try {
    let after: string | null = null;
    do {
      const page: PairsPage = await pageOf(admin, after);
      version ??= page.version;
      for (const pair of page.pairs) entries.add(pair);
      pairs += page.pairs.length;
      progress.update(expected === 0 ? 0 : Math.min(1, pairs / expected), `${count(pairs)} pairs`);
      after = page.next;
    } while (after !== null);
  } finally {
    progress.stop();
  }
  if (version! < before) {
    throw new CommandFailure(
      `the service has registered senders of version ${version}, and the current release has version ${before}: ` +
        `the registry has lost its tables. Try again in a minute; ${KEEP}`,
    );
  }
  // An installation that never had registrations gets releases without them.
  if (version === 0 && pairs === 0) return undefined;
  return { version: version!, content: entries.finish(keys) };
}

async function pageOf(admin: Admin, after: string | null): Promise<PairsPage> {
  try {
    return await admin.find<PairsPage>('registrations/pairs', { after });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const remedy = hasCode(error, 'NOT_FOUND') ? 'update the service' : KEEP;
    if (error instanceof Unreachable) throw error;
    throw new CommandFailure(`registered senders: ${error.message}\n${remedy}`);
  }
}

/** Registered senders cannot be moved to another key without the numbers themselves. */
async function carried(
  { manifest, load }: ReadableRelease,
  keys: ListKeys,
): Promise<RegistrationsSource | undefined> {
  const info: RegisteredInfo | undefined = manifest.registrations;
  if (info === undefined) return undefined;
  if (manifest.keyId !== keys.keyId) {
    throw new CommandFailure(
      `the registered senders of ${manifest.release} are sealed with another LIST_KEY: build without --no-registrations`,
    );
  }
  const values = [];
  for (const blob of [info.table, ...info.shards]) values.push(await load(blob));
  return { info, values };
}

async function contentOfFile(path: string, keys: ListKeys) {
  const entries = new PairEntries();
  let line = 0;
  try {
    for await (const text of createInterface({
      input: createReadStream(path, 'utf8'),
      crlfDelay: Infinity,
    })) {
      line++;
      if (text.trim() !== '') entries.add(pairOf(text, `${path}:${line}`));
    }
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  return entries.finish(keys);
}

function pairOf(text: string, place: string): PairInfo {
  const pair = parsed(text);
  const form = '{"client":"<organisation>/<client>","from":821012345678,"to":821012345678,"own":false}';
  if (pair === null || !isPair(pair)) {
    throw new CommandFailure(`${place}: must be a pair such as ${form}, with at most a block of numbers`);
  }
  return pair;
}

function parsed(text: string): Partial<PairInfo> | null {
  try {
    return JSON.parse(text) as Partial<PairInfo> | null;
  } catch {
    return null;
  }
}

function isPair(pair: Partial<PairInfo>): pair is PairInfo {
  const { client, from, to, own } = pair;
  if (typeof client !== 'string' || !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(client)) return false;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || typeof own !== 'boolean') return false;
  return from! >= 1 && to! < NUMBER_LIMIT && from! <= to! && to! - from! < REGISTRATION_NUMBERS_MAX;
}
