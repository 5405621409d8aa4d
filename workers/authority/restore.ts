/**
 * What the copy of the head in KV still tells of an authority whose tables were lost: releases, live
 * entries, clients. Tokens, texts of sources and the audit log are not in it.
 */
import { fromBase64 } from '../../shared/bytes.ts';
import { type Client, openDirectory } from '../../shared/clients.ts';
import { LOAD_WAIT_MS } from '../../shared/limits.ts';
import type { LiveEntry } from '../../shared/live/entry.ts';
import { Segment } from '../../shared/live/segment.ts';
import {
  type Head,
  type HeadDocument,
  type HeadProblem,
  type NamedRelease,
  openHead,
} from '../../shared/release/head.ts';
import { HEAD_KEY } from '../../shared/release/kv-keys.ts';
import { type Manifest, openManifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { unseal } from '../../shared/set/seal.ts';
import type { Secrets } from '../env.ts';
import { warn } from '../log.ts';
import { within } from '../single-flight.ts';
import type { ClientsStore } from './clients-store.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import type { NamedValues } from './named-values.ts';
import { ITSELF, made } from './order.ts';
import { restorePolicy } from './policy-store.ts';
import type { ReleaseStore } from './release-store.ts';
import { RELIEF } from './room.ts';

/** Named where the tables say who did something. */
const RESTORER = ITSELF.name;
/** How far `seq` is set above the copy in KV, where that is ahead: changes may have come after it. */
const RESTORED_GAP = 1_000;

interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly releases: ReleaseStore;
  readonly clients: ClientsStore;
  readonly values: NamedValues;
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
}

/** `unread`: nobody knows, as KV did not answer. */
export type CaughtUp = 'current' | 'restored' | 'unread';

/**
 * Never go back. Where the copy of the head in KV is ahead, the tables were lost or set back: lost ones are
 * made again out of it, and in both cases the next change comes after all that readers can have seen.
 * @returns what came of it; a failure where tables are lost and the copy does not open
 * @throws where tables are lost and the copy, or what it names, cannot be read
 */
export async function catchUp(
  stores: Stores,
  secrets: Secrets,
  kv: KVNamespace,
): Promise<Result<CaughtUp, HeadProblem>> {
  const { ledger } = stores;
  const bytes = await within(kv.get(HEAD_KEY, 'arrayBuffer'), LOAD_WAIT_MS).catch((error: unknown) => {
    // Without tables, the copy is all there may be: it must not be written over unseen.
    if (ledger.seq === 0) throw error;
    return 'unread' as const;
  });
  if (bytes === 'unread') return ok(bytes);
  if (bytes === null) return ok('current');
  const opened = await openHead(new Uint8Array(bytes), secrets.keys);
  const before = ledger.seq;
  if (!opened.ok) {
    if (before > 0) return ok('current');
    const advice = `give this service the LIST_KEY it was made with, or delete the key "${HEAD_KEY}" to begin empty`;
    return fail(opened.code, `the copy of the head in KV is all there is, and ${opened.message}: ${advice}`);
  }
  if (opened.value.head.seq <= before) return ok('current');
  const lost = before === 0 ? await readLost(opened.value, secrets, kv) : null;
  const seq = opened.value.head.seq + RESTORED_GAP;
  const order = { actor: ITSELF, reason: 'the copy of the head in KV is ahead', repeat: null };
  ledger.note(order, RELIEF, (operation) => {
    if (lost !== null) restore(lost, stores, operation);
    ledger.set('seq', String(seq));
    return made({}, [{ action: 'authority.restore', subject: 'seq', before, after: seq }]);
  });
  warn('authorityRestored', { before, seq, whole: lost !== null });
  return ok('restored');
}

/** @throws if a part of it cannot be read: half of it would be worse than none */
async function readLost(document: HeadDocument, secrets: Secrets, kv: KVNamespace): Promise<Lost> {
  const { head } = document;
  const read = async (key: string): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await kv.get(key, 'arrayBuffer');
    if (bytes === null) throw new Error(`${key} is not in KV: the authority cannot be restored from it`);
    return new Uint8Array(bytes);
  };
  const releaseOf = async (named: NamedRelease | null): Promise<LostRelease | null> => {
    const signed = document.manifests.find(({ signature }) => signature === named?.signature);
    if (named === null || signed === undefined) return null;
    const opened = await openManifest(signed, secrets.publicKeys, secrets.keys.keyId);
    if (!opened.ok) throw new Error(opened.message);
    return { manifest: opened.value, signed };
  };
  const segments = [new Segment(fromBase64(head.tail) ?? new Uint8Array(0))];
  for (const { key } of head.segments) {
    const content = await unseal(await read(key), secrets.keys);
    if (content === null) throw new Error(`${key} is damaged`);
    segments.push(new Segment(content));
  }
  const clients =
    head.clients === null ? new Map() : await openDirectory(await read(head.clients.key), secrets.keys);
  if (clients === null) throw new Error('the client directory is damaged');
  return {
    head,
    current: await releaseOf(head.current),
    candidate: await releaseOf(head.candidate),
    entries: segments.flatMap((segment) => [...segment.entries()]),
    clients: [...clients.values()],
  };
}

/** Put into empty tables what was read, inside a transaction. */
function restore({ head, current, candidate, entries, clients }: Lost, to: Stores, operation: number): void {
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
  if (head.clients !== null) to.values.setDirectory(head.clients);
  to.ledger.set('droppedSeq', String(head.droppedSeq));
}
