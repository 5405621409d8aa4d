/**
 * Restores a coordinator that has lost its tables from the copy of the head in KV: releases, live entries, clients,
 * qualifications, policy, canary numbers. Tokens, texts of sources and the audit log are not in the copy. The head is
 * sealed, and nothing else in KV is trusted: a value counts only if it matches the SHA-256 or the signature in the head.
 * Otherwise, an older client directory under the key of a newer one would reactivate revoked keys.
 */
import { fromBase64, sha256Hex } from '../../shared/bytes.ts';
import { type DirectoryContent, openDirectory } from '../../shared/clients.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { HEAD_BYTES_MAX, VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import type { LiveEntry } from '../../shared/live/entry.ts';
import { Segment } from '../../shared/live/segment.ts';
import { bareOrganisation } from '../../shared/organisations.ts';
import {
  type Head,
  type HeadDocument,
  type HeadProblem,
  type NamedRelease,
  type NamedValue,
  openHeadWith,
} from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { type Manifest, type ManifestProblem, openManifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { type Failure, fail, ok, type Result, type Success } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { LayoutError } from '../../shared/set/number-set.ts';
import { unseal } from '../../shared/set/seal.ts';
import type { Secrets } from '../env.ts';
import { warn } from '../log.ts';
import { readFresh } from '../storage/kv-values.ts';
import { within } from '../storage/single-flight.ts';
import { applied, SYSTEM_ACTOR, systemRequest } from './change-request.ts';
import { FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueStore } from './value-store.ts';

/** The author recorded for everything that is restored. */
const RESTORER = SYSTEM_ACTOR.name;
/** How far `seq` is set above the copy in KV if the copy is ahead, because the copy may lack later changes. */
const RESTORED_GAP = 1_000;

/** Why the tables cannot be restored. `VALUE_DAMAGED`: the value in KV is not the one that the head names. */
type RestoreProblem = HeadProblem | ManifestProblem | 'VALUE_MISSING' | 'VALUE_DAMAGED';
type Restored<Value> = Result<Value, Failure<RestoreProblem>>;

/**
 * Ensures that `seq` never goes back. If the copy of the head in KV is ahead, the tables were lost or set
 * back. Lost tables are restored from the copy. In both cases, the next change gets a `seq` above any that
 * readers can have seen.
 * @returns `unread` if KV did not respond; fails if the tables are lost and the copy cannot be opened, or if
 * KV lacks or has altered a value that the copy names
 * @throws if the tables are lost and KV does not respond
 */
export async function catchUp(
  tables: Tables,
  values: ValueStore,
  secrets: Secrets,
  kv: KVNamespace,
): Promise<Restored<'current' | 'restored' | 'unread'>> {
  const { meta, ledger } = tables;
  let bytes: Uint8Array<ArrayBuffer> | null;
  try {
    bytes = await within(readFresh(HEAD_KEY, HEAD_BYTES_MAX, kv), LOAD_WAIT_MS);
  } catch (error) {
    // Without tables, the copy may be all that is left: never overwrite it unread.
    if (ledger.seq === 0) throw error;
    return ok('unread');
  }
  if (bytes === null) return ok('current');
  const opened = await openHeadWith(bytes, secrets.keys);
  // Read `seq` only now, because changes may have been made in the meantime if this runs in a sweep.
  const before = ledger.seq;
  if (!opened.ok) {
    if (before > 0) return ok('current');
    warn('restoreRefused', { code: opened.code });
    const remedy = `restore the LIST_KEY that sealed it, or delete the key "${HEAD_KEY}" to start empty`;
    return fail(opened.code, `only the copy of the head in KV is left, but ${opened.message}: ${remedy}`);
  }
  const { value: document, keys } = opened.value;
  const { head } = document;
  if (head.seq <= before) return ok('current');
  const read = before === 0 ? await readLost({ ...document, keys }, values, secrets, kv) : ok(null);
  if (!read.ok) {
    warn('restoreRefused', { code: read.code });
    const remedy = `restore that value, or delete the key "${HEAD_KEY}" to start empty`;
    const message = `the tables are lost and cannot be restored from the head in KV: ${read.message}; ${remedy}`;
    return fail(read.code, message);
  }
  const seq = head.seq + RESTORED_GAP;
  ledger.transact(systemRequest('the copy of the head in KV is ahead'), FREEING_CHANGE, (operation) => {
    if (read.value !== null) restore(read.value, tables, values, operation);
    meta.set('seq', seq);
    tables.feed.startAgain();
    return applied({}, [{ action: 'coordinator.restore', subject: 'seq', before, after: seq }]);
  });
  warn('coordinatorRestored', { before, seq, whole: read.value !== null });
  return ok('restored');
}

/** Reads everything to restore, or fails. A partial restore would be worse than none. */
async function readLost(
  document: HeadDocument & { readonly keys: ListKeys },
  values: ValueStore,
  secrets: Secrets,
  kv: KVNamespace,
) {
  const { head, keys } = document;
  const current = await releaseIn(document, head.current, secrets);
  if (!current.ok) return current;
  const candidate = await releaseIn(document, head.candidate, secrets);
  if (!candidate.ok) return candidate;
  const entries = await entriesOf(head, keys, kv);
  if (!entries.ok) return entries;
  const content = await directoryIn(head, keys, kv);
  if (!content.ok) return content;
  return ok({
    head,
    keys,
    current: current.value,
    candidate: candidate.value,
    entries: entries.value,
    content: content.value,
    /** The directory under the name of its content; null if the head names none. */
    directory: head.clients === null ? null : await values.directoryOf(content.value, keys),
  });
}
type Lost = Extract<Awaited<ReturnType<typeof readLost>>, Success<unknown>>['value'];

/** A release from its manifest, which is in the copy of the head. */
async function releaseIn(
  { manifests }: HeadDocument,
  named: NamedRelease | null,
  { publicKeys, keys }: Secrets,
): Promise<Restored<{ manifest: Manifest; signed: SignedText } | null>> {
  if (named === null) return ok(null);
  const signed = manifests.find(({ signature }) => signature === named.signature);
  if (signed === undefined) return fail('VALUE_MISSING', `it lacks the manifest of ${named.release}`);
  const opened = await openManifest(signed, publicKeys, keys.ids);
  if (!opened.ok) return opened;
  if (opened.value.release !== named.release) {
    const message = `its manifest of ${named.release} belongs to ${opened.value.release}`;
    return fail('VALUE_DAMAGED', message);
  }
  return ok({ manifest: opened.value, signed });
}

async function entriesOf(head: Head, keys: ListKeys, kv: KVNamespace): Promise<Restored<LiveEntry[]>> {
  const contents = [fromBase64(head.tail)];
  for (const named of head.segments) {
    const bytes = await readNamed(named, kv);
    if (!bytes.ok) return bytes;
    contents.push(await unseal(bytes.value, keys));
  }
  const entries: LiveEntry[] = [];
  for (const [index, content] of contents.entries()) {
    const name = head.segments[index - 1]?.key ?? 'the segment of unsealed entries';
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

async function directoryIn(
  { clients: named }: Head,
  keys: ListKeys,
  kv: KVNamespace,
): Promise<Restored<DirectoryContent>> {
  if (named === null) return ok({ clients: [], organisations: [] });
  const bytes = await readNamed(named, kv);
  if (!bytes.ok) return bytes;
  const directory = await openDirectory(bytes.value, keys);
  if (directory === null) return fail('VALUE_DAMAGED', `the client directory ${named.key} does not open`);
  return ok(directory.content);
}

/**
 * The bytes that match the SHA-256 in the head. The digest in the key is not trusted.
 * @throws if KV does not respond in time; the next request retries
 */
async function readNamed(
  { key, sha256 }: NamedValue,
  kv: KVNamespace,
): Promise<Restored<Uint8Array<ArrayBuffer>>> {
  const bytes = await within(readFresh(key, VALUE_BYTES_MAX, kv), LOAD_WAIT_MS);
  if (bytes === null) return fail('VALUE_MISSING', `KV lacks the value "${key}"`);
  if ((await sha256Hex(bytes)) === sha256) return ok(bytes);
  return fail('VALUE_DAMAGED', `the value "${key}" in KV does not match its SHA-256 in the head`);
}

/** Fills the empty tables, inside a transaction. */
function restore(lost: Lost, tables: Tables, values: ValueStore, operation: number): void {
  const { head, keys, current, candidate, entries, content, directory } = lost;
  // Everything below is stored under the key of that head.
  tables.keys.store(keys);
  tables.keys.reload();
  const { releases } = tables;
  const now = Date.now();
  for (const release of [current, candidate]) {
    if (release !== null) releases.insert(release.manifest, release.signed, RESTORER, now);
  }
  if (current !== null) releases.setPromoted(current.manifest.release, RESTORER, now, null);
  if (candidate !== null) {
    releases.setCandidate(candidate.manifest.release, head.candidate?.share ?? null, null);
  }
  tables.live.restore(entries, operation);
  for (const { id, senderCode, qualification, suspended = false } of content.organisations) {
    const state = suspended ? 'suspended' : 'active';
    tables.organisations.put(id, { ...bareOrganisation(id), senderCode, state });
    if (qualification !== null) tables.qualifications.put(id, { organisation: id, ...qualification });
  }
  for (const client of content.clients) {
    const { organisation } = client;
    // The directory has only the ID of most organisations. The root token adds the rest again.
    if (tables.organisations.get(organisation) === null) {
      tables.organisations.put(organisation, bareOrganisation(organisation));
    }
    tables.clients.put(client.id, client);
  }
  if (head.policy !== undefined) tables.settings.restorePolicy(head.policy);
  if (head.canaries !== undefined) tables.settings.restoreCanaries(head.canaries);
  if (directory !== null) {
    values.setDirectory(directory);
    // KV may lack the directory under the name that these tables give it.
    values.markMissing(directory.key);
  }
  // The registry still has the changes themselves, and gives the newest state.
  if (head.registrations !== undefined) {
    // Until then, the registry's segments may have any key, so no key may leave LIST_KEY.
    const keyIds = head.registrations.segments.length === 0 ? [] : tables.keys.ring.ids;
    tables.registeredSenders.store({ head: head.registrations, keyIds });
  }
  // Likewise. The credential store names all its values within a minute, long before the collector removes one.
  if (head.credentials !== undefined) {
    const named = [head.credentials.index];
    tables.credentials.store({ head: head.credentials, keyIds: tables.keys.ring.ids, named });
  }
  if (head.text !== undefined) {
    const named = [head.text.index];
    tables.text.store({ head: head.text, keyIds: tables.keys.ring.ids, named });
  }
  tables.meta.set('droppedSeq', head.droppedSeq);
}
