/**
 * Restores a coordinator that has lost its tables from the copy of the head in KV: releases, live entries,
 * clients, policy. Tokens, texts of sources and the audit log are not in the copy. The head is sealed, and
 * nothing else in KV is trusted: a value counts only if it matches the SHA-256 or the signature in the head. An
 * older client directory under the key of a newer one would reactivate revoked keys.
 */
import { fromBase64, sha256Hex } from '../../shared/bytes.ts';
import { type Client, openDirectory } from '../../shared/clients.ts';
import { LOAD_WAIT_MS } from '../../shared/limits.ts';
import type { LiveEntry } from '../../shared/live/entry.ts';
import { Segment } from '../../shared/live/segment.ts';
import {
  type Head,
  type HeadDocument,
  type HeadProblem,
  type NamedRelease,
  type NamedValue,
  openHead,
} from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { type Manifest, type ManifestProblem, openManifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { LayoutError } from '../../shared/set/number-set.ts';
import { unseal } from '../../shared/set/seal.ts';
import type { Secrets } from '../env.ts';
import { warn } from '../log.ts';
import { within } from '../storage/single-flight.ts';
import { applied, SYSTEM_ACTOR } from './change-request.ts';
import type { ClientsStore } from './clients-store.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import { restorePolicy } from './policy-store.ts';
import type { ReleaseStore } from './release-store.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { StoredValue, ValueStore } from './value-store.ts';

/** Recorded as the author of what was restored. */
const RESTORER = SYSTEM_ACTOR.name;
/** How far `seq` is set above the copy in KV if the copy is ahead: later changes may not be in it. */
const RESTORED_GAP = 1_000;

interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly releases: ReleaseStore;
  readonly clients: ClientsStore;
  readonly values: ValueStore;
}

interface LostRelease {
  readonly manifest: Manifest;
  readonly signed: SignedText;
}

interface Lost {
  readonly head: Head;
  readonly current: LostRelease | null;
  readonly candidate: LostRelease | null;
  readonly entries: readonly LiveEntry[];
  readonly clients: readonly Client[];
  /** The directory of these clients, named by its content; null if the head names none. */
  readonly directory: StoredValue | null;
}

/** Why the tables cannot be restored. `VALUE_DAMAGED`: the value in KV is not the one that the head names. */
export type RestoreProblem = HeadProblem | ManifestProblem | 'VALUE_MISSING' | 'VALUE_DAMAGED';

/** `unread`: unknown, because KV did not respond. */
export type CaughtUp = 'current' | 'restored' | 'unread';

/**
 * Ensures that `seq` never goes back. If the copy of the head in KV is ahead, the tables were lost or set
 * back. Lost tables are restored from the copy. In both cases, the next change gets a `seq` above any that
 * readers can have seen.
 * @returns the result; fails if the tables are lost and the copy cannot be opened, or if KV lacks or has
 * altered a value it names
 * @throws if the tables are lost and KV does not respond
 */
export async function catchUp(
  stores: Stores,
  secrets: Secrets,
  kv: KVNamespace,
): Promise<Result<CaughtUp, Failure<RestoreProblem>>> {
  const { ledger } = stores;
  const bytes = await within(kv.get(HEAD_KEY, 'arrayBuffer'), LOAD_WAIT_MS).catch((error: unknown) => {
    // Without tables, the copy may be all that is left: never overwrite it unread.
    if (ledger.seq === 0) throw error;
    return 'unread' as const;
  });
  if (bytes === 'unread') return ok(bytes);
  if (bytes === null) return ok('current');
  const opened = await openHead(new Uint8Array(bytes), secrets.keys);
  const before = ledger.seq;
  if (!opened.ok) {
    if (before > 0) return ok('current');
    warn('restoreRefused', { code: opened.code });
    const advice = `give this service the LIST_KEY it was made with, or delete the key "${HEAD_KEY}" to begin empty`;
    return fail(opened.code, `the copy of the head in KV is all there is, and ${opened.message}: ${advice}`);
  }
  if (opened.value.head.seq <= before) return ok('current');
  const read = before === 0 ? await readLost(opened.value, stores, secrets, kv) : null;
  if (read?.ok === false) {
    warn('restoreRefused', { code: read.code });
    const advice = `put that back, or delete the key "${HEAD_KEY}" to begin empty`;
    return fail(
      read.code,
      `the tables are lost, and the head in KV cannot replace them: ${read.message}; ${advice}`,
    );
  }
  const lost = read?.value ?? null;
  const seq = opened.value.head.seq + RESTORED_GAP;
  const request = { actor: SYSTEM_ACTOR, reason: 'the copy of the head in KV is ahead', repeat: null };
  ledger.note(request, FREEING_CHANGE, (operation) => {
    if (lost !== null) restore(lost, stores, operation);
    ledger.set('seq', String(seq));
    return applied({}, [{ action: 'authority.restore', subject: 'seq', before, after: seq }]);
  });
  warn('authorityRestored', { before, seq, whole: lost !== null });
  return ok('restored');
}

/** All or nothing: a partial restore would be worse than none. */
async function readLost(
  document: HeadDocument,
  { values }: Stores,
  secrets: Secrets,
  kv: KVNamespace,
): Promise<Result<Lost, Failure<RestoreProblem>>> {
  const { head } = document;
  const current = await releaseIn(document, head.current, secrets);
  if (!current.ok) return current;
  const candidate = await releaseIn(document, head.candidate, secrets);
  if (!candidate.ok) return candidate;
  const entries = await entriesOf(head, secrets.keys, kv);
  if (!entries.ok) return entries;
  const clients = await clientsOf(head, secrets.keys, kv);
  if (!clients.ok) return clients;
  return ok({
    head,
    current: current.value,
    candidate: candidate.value,
    entries: entries.value,
    clients: clients.value,
    directory: head.clients === null ? null : await values.directoryOf(clients.value),
  });
}

/** A release from its manifest, which is in the copy of the head. */
async function releaseIn(
  { manifests }: HeadDocument,
  named: NamedRelease | null,
  { publicKeys, keys }: Secrets,
): Promise<Result<LostRelease | null, Failure<RestoreProblem>>> {
  if (named === null) return ok(null);
  const signed = manifests.find(({ signature }) => signature === named.signature);
  if (signed === undefined)
    return fail('VALUE_MISSING', `it does not carry the manifest of ${named.release}`);
  const opened = await openManifest(signed, publicKeys, keys.keyId);
  if (!opened.ok) return opened;
  if (opened.value.release !== named.release)
    return fail('VALUE_DAMAGED', `the manifest of ${named.release} is that of ${opened.value.release}`);
  return ok({ manifest: opened.value, signed });
}

async function entriesOf(
  head: Head,
  keys: ListKeys,
  kv: KVNamespace,
): Promise<Result<LiveEntry[], Failure<RestoreProblem>>> {
  const contents = [fromBase64(head.tail)];
  for (const named of head.segments) {
    const bytes = await readNamed(named, kv);
    if (!bytes.ok) return bytes;
    contents.push(await unseal(bytes.value, keys));
  }
  const entries: LiveEntry[] = [];
  for (const [index, content] of contents.entries()) {
    const name = head.segments[index - 1]?.key ?? 'the tail of the live layer';
    try {
      entries.push(...new Segment(content ?? new Uint8Array(0)).entries());
    } catch (error) {
      if (error instanceof LayoutError)
        return fail('VALUE_DAMAGED', `${name} does not open: ${error.message}`);
      throw error;
    }
  }
  return ok(entries);
}

async function clientsOf(
  { clients: named }: Head,
  keys: ListKeys,
  kv: KVNamespace,
): Promise<Result<Client[], Failure<RestoreProblem>>> {
  if (named === null) return ok([]);
  const bytes = await readNamed(named, kv);
  if (!bytes.ok) return bytes;
  const directory = await openDirectory(bytes.value, keys);
  if (directory === null) return fail('VALUE_DAMAGED', `the client directory ${named.key} does not open`);
  return ok([...directory.values()]);
}

/**
 * The bytes that match the SHA-256 in the head. The digest in the key is not trusted.
 * @throws if KV does not respond in time; the next request retries
 */
async function readNamed(
  { key, sha256 }: NamedValue,
  kv: KVNamespace,
): Promise<Result<Uint8Array<ArrayBuffer>, Failure<RestoreProblem>>> {
  const value = await within(kv.get(key, 'arrayBuffer'), LOAD_WAIT_MS);
  if (value === null) return fail('VALUE_MISSING', `KV does not have the value "${key}" that it names`);
  const bytes = new Uint8Array(value);
  if ((await sha256Hex(bytes)) === sha256) return ok(bytes);
  return fail('VALUE_DAMAGED', `the value "${key}" in KV is another one than it names: its SHA-256 differs`);
}

/** Fills the empty tables, inside a transaction. */
function restore(lost: Lost, to: Stores, operation: number): void {
  const { head, current, candidate, entries, clients, directory } = lost;
  const now = Date.now();
  for (const release of [current, candidate]) {
    if (release !== null) to.releases.insert(release.manifest, release.signed, RESTORER, now);
  }
  if (current !== null) to.releases.setPromoted(current.manifest.release, RESTORER, now);
  if (candidate !== null) {
    to.releases.setCandidate(candidate.manifest.release, head.candidate?.share ?? null);
  }
  to.live.restore(entries, operation);
  for (const client of clients) to.clients.put(client.id, client);
  if (head.policy !== undefined) restorePolicy(to.ledger, head.policy);
  if (directory !== null) {
    to.values.setDirectory(directory);
    // Under the name that these tables give it. KV may not have it.
    to.values.miss(directory.key);
  }
  to.ledger.set('droppedSeq', String(head.droppedSeq));
}
