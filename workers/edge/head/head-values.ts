/**
 * The values that a head names. They come from KV, or from the coordinator if KV lacks them or holds
 * something else under their key. Loaded values are kept, even if the head itself could not be adopted.
 */
import { fromBase64, sha256Hex } from '../../../shared/bytes.ts';
import { type Directory, openDirectory } from '../../../shared/clients.ts';
import { type CredentialIndex, openCredentialIndex } from '../../../shared/credentials/credential-index.ts';
import { openPassportTable, type PassportTable } from '../../../shared/credentials/passport-table.ts';
import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import { inflate, StatusList } from '../../../shared/credentials/status-list.ts';
import { COORDINATOR_BACKGROUND_WAIT_MS } from '../../../shared/limits/edge.ts';
import { VALUE_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { Segment } from '../../../shared/live/segment.ts';
import type { Head, NamedRelease, NamedValue } from '../../../shared/release/head.ts';
import { releaseKey } from '../../../shared/release/kv-keys.ts';
import { parseSignedText, type SignedText } from '../../../shared/release/signed.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import { RegistrationSegment } from '../../../shared/senders/registration-segment.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { Env } from '../../env.ts';
import { readImmutable } from '../../storage/kv-values.ts';
import { within } from '../../storage/single-flight.ts';
import { coordinatorPort, type LoadContext, ValueRefused } from './head-sources.ts';

type Bytes = Uint8Array<ArrayBuffer>;
/** A sealed segment of the live layer, or of changes to registered senders. */
type AnySegment = Segment | RegistrationSegment;
/** Opens a value. Returns null if the value was sealed with another key. */
type Opener<Value> = (bytes: Bytes) => Promise<Value | null>;

/** The value is in neither KV nor the coordinator, or only with other content. */
type AbsentValue = 'VALUE_MISSING' | 'VALUE_DAMAGED';
/** `VALUE_FOREIGN`: sealed with another key. */
export type ValueProblem = AbsentValue | 'VALUE_FOREIGN';

const NO_PASSPORTS: PassportTable = new Map();
const NO_CLIENTS: Directory = {
  clients: new Map(),
  organisations: new Map(),
  content: { clients: [], organisations: [] },
};

/** Keeps the values that heads name. @throws ValueRefused if a value cannot be loaded */
export class HeadValues {
  readonly #segments = new Map<string, Segment>();
  readonly #registrationSegments = new Map<string, RegistrationSegment>();
  readonly #directories = new Map<string, Directory>();
  /** The inflated bytes, without `bits`: lists with equal bytes share one value, but can differ in their bits per status. */
  readonly #statusLists = new Map<string, Bytes>();
  readonly #passports = new Map<string, PassportTable>();
  readonly #credentials = new Map<string, PublishedCredentials>();

  /** The sealed segments of the live layer, in the order of the head. */
  segments(head: Head, loadContext: LoadContext): Promise<Segment[]> {
    const open = sealedOpener((bytes) => new Segment(bytes), 'a segment', loadContext);
    return Promise.all(head.segments.map((named) => load(this.#segments, named, loadContext, open)));
  }

  /** The sealed changes to registered senders, in the order of the head. */
  registrationSegments({ registrations }: Head, loadContext: LoadContext): Promise<RegistrationSegment[]> {
    const open = sealedOpener((bytes) => new RegistrationSegment(bytes), 'a segment', loadContext);
    const named = registrations?.segments ?? [];
    return Promise.all(named.map((each) => load(this.#registrationSegments, each, loadContext, open)));
  }

  async directory({ clients: named }: Head, loadContext: LoadContext): Promise<Directory> {
    if (named === null) return NO_CLIENTS;
    const { keys } = loadContext.secrets;
    const open = async (bytes: Bytes): Promise<Directory | null> =>
      (await keys.open((each) => openDirectory(bytes, each)))?.value ?? null;
    return load(this.#directories, named, loadContext, open);
  }

  /** The index of the credentials, with all status lists. Shards of the table are loaded when a token needs them. */
  async credentials({ credentials: named }: Head, loadContext: LoadContext): Promise<PublishedCredentials> {
    if (named === undefined) return PublishedCredentials.NONE;
    const { keys } = loadContext.secrets;
    const open: Opener<PublishedCredentials> = async (bytes) => {
      const index = (await keys.open((each) => openCredentialIndex(bytes, each)))?.value;
      if (index === undefined) return null;
      const openList = statusListOpener(loadContext);
      const lists = index.statusLists.map(
        async ({ value, bits }) =>
          new StatusList(bits, await load(this.#statusLists, value, loadContext, openList)),
      );
      const passports = this.#passportTable(index, loadContext);
      return new PublishedCredentials(index, await Promise.all(lists), await passports);
    };
    return load(this.#credentials, named.index, loadContext, open);
  }

  async #passportTable({ passport }: CredentialIndex, loadContext: LoadContext): Promise<PassportTable> {
    if (passport === null) return NO_PASSPORTS;
    const { keys } = loadContext.secrets;
    const open: Opener<PassportTable> = async (bytes) =>
      (await keys.open((each) => openPassportTable(bytes, each)))?.value ?? null;
    return load(this.#passports, passport, loadContext, open);
  }

  /** Drops values that this head does not name. */
  keepOnly({ segments, clients, registrations, credentials }: Head): void {
    const all = [...segments, ...(registrations?.segments ?? []), ...(clients === null ? [] : [clients])];
    if (credentials !== undefined) all.push(credentials.index);
    const published = this.#credentials.get(credentials?.index.key ?? '');
    all.push(...(published?.index?.statusLists.map(({ value }) => value) ?? []));
    if (published?.index?.passport) all.push(published.index.passport);
    const named = new Set(all.map(({ key }) => key));
    for (const held of [
      ...[this.#segments, this.#registrationSegments, this.#directories],
      ...[this.#statusLists, this.#passports, this.#credentials],
    ]) {
      for (const key of held.keys()) if (!named.has(key)) held.delete(key);
    }
  }
}

async function load<Value>(
  held: Map<string, Value>,
  named: NamedValue,
  loadContext: LoadContext,
  open: Opener<Value>,
): Promise<Value> {
  const known = held.get(named.key);
  if (known !== undefined) return known;
  const value = await loadNamed(named, loadContext, open);
  held.set(named.key, value);
  return value;
}

/** @throws ValueRefused */
export async function loadNamed<Value>(
  { key, sha256 }: NamedValue,
  { env }: LoadContext,
  open: Opener<Value>,
): Promise<Value> {
  const bytes = await read(key, env, async (found) => ((await sha256Hex(found)) === sha256 ? found : null));
  if (typeof bytes === 'string') throw new ValueRefused(bytes, key);
  const value = await open(bytes);
  if (value === null) throw new ValueRefused('VALUE_FOREIGN', key);
  return value;
}

/** The content of a sealed value, or why there is none. */
export async function readSealed(
  { key, sha256 }: NamedValue,
  { env, secrets }: LoadContext,
): Promise<Bytes | ValueProblem> {
  const bytes = await read(key, env, async (found) => ((await sha256Hex(found)) === sha256 ? found : null));
  if (typeof bytes === 'string') return bytes;
  const opened = await secrets.keys.open((keys) => unseal(bytes, keys));
  return opened?.value ?? 'VALUE_FOREIGN';
}

/**
 * The newest live entries, which are part of the head.
 * @throws ValueRefused
 */
export function unsealedSegment({ tail }: Head): Segment {
  return unsealedOf(tail, (bytes) => new Segment(bytes), 'the unsealed entries');
}

/**
 * The changes to registered senders in a head, including those in its segments.
 * @param earlier an overlay of an earlier head @throws ValueRefused
 */
export function registrationOverlay(
  { registrations }: Head,
  segments: readonly RegistrationSegment[],
  earlier: RegistrationOverlay | undefined,
): RegistrationOverlay {
  if (registrations === undefined) return RegistrationOverlay.EMPTY;
  const open = (bytes: Bytes): RegistrationSegment => new RegistrationSegment(bytes);
  const unsealed = unsealedOf(registrations.unsealed, open, 'the unsealed registrations');
  return new RegistrationOverlay(registrations.droppedVersion, segments, unsealed, earlier);
}

function unsealedOf<Opened extends AnySegment>(
  base64: string,
  open: (bytes: Bytes) => Opened,
  name: string,
): Opened {
  const bytes = fromBase64(base64);
  if (bytes === null) throw new ValueRefused('HEAD_INVALID', `${name} are not base64`);
  return layoutOf(bytes, open, name);
}

/** @param name of the value, for errors */
export function sealedOpener<Opened>(
  open: (bytes: Bytes) => Opened,
  name: string,
  { secrets }: LoadContext,
): Opener<Opened> {
  return async (bytes) => {
    const opened = await secrets.keys.open((keys) => unseal(bytes, keys));
    return opened === null ? null : layoutOf(opened.value, open, name);
  };
}

function statusListOpener({ secrets }: LoadContext): Opener<Bytes> {
  return async (bytes) => {
    const opened = await secrets.keys.open((keys) => unseal(bytes, keys));
    if (opened === null) return null;
    // Two bits per status need the most bytes.
    const list = await inflate(opened.value, 2);
    if (list === null) throw new ValueRefused('HEAD_INVALID', 'a status list cannot be inflated');
    return list.bytes;
  };
}

function layoutOf<Opened>(bytes: Bytes, open: (bytes: Bytes) => Opened, name: string): Opened {
  try {
    return open(bytes);
  } catch (error) {
    if (error instanceof LayoutError) throw new ValueRefused('HEAD_INVALID', `${name}: ${error.message}`);
    throw error;
  }
}

/** @throws ValueRefused */
export async function readManifest({ release, signature }: NamedRelease, env: Env): Promise<SignedText> {
  const key = releaseKey(release);
  const found = await read(key, env, async (bytes) => {
    const signed = parseSignedText(new TextDecoder().decode(bytes));
    return signed?.signature === signature ? signed : null;
  });
  if (typeof found === 'string') throw new ValueRefused(found, key);
  return found;
}

/** @param accept returns null if the bytes are not the named value */
async function read<Value extends object>(
  key: string,
  env: Env,
  accept: (bytes: Bytes) => Promise<Value | null>,
): Promise<Value | AbsentValue> {
  const inKv = await readImmutable(key, VALUE_BYTES_MAX, env.LISTS).catch(() => null);
  const fromKv = inKv === null ? null : await accept(inKv);
  if (fromKv !== null) return fromKv;
  const own = await within(coordinatorPort(env).value(key), COORDINATOR_BACKGROUND_WAIT_MS).catch(() => null);
  const fromCoordinator = own === null ? null : await accept(own);
  if (fromCoordinator !== null) return fromCoordinator;
  return inKv === null && own === null ? 'VALUE_MISSING' : 'VALUE_DAMAGED';
}
