/**
 * The edge in a Worker of the benchmarks, with a release. It has the secrets, clients, KV values and head that a push to a
 * control plane leaves.
 */
import type { BuiltRelease } from '../../shared/build/release.ts';
import { sha256Hex, toBase64 } from '../../shared/bytes.ts';
import { type Client, type DirectoryContent, sealDirectory } from '../../shared/clients.ts';
import { SEGMENT_ENTRIES_MAX } from '../../shared/limits/control.ts';
import type { LiveEntry } from '../../shared/live/entry.ts';
import { encodeSegment } from '../../shared/live/segment.ts';
import { type Head, type HeadText, type NamedValue, sealHead } from '../../shared/release/head.ts';
import { clientsKey, HEAD_KEY, releaseKey, segmentKey, textKey } from '../../shared/release/kv-keys.ts';
import { signManifest } from '../../shared/release/manifest.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { seal } from '../../shared/set/seal.ts';
import { type Campaign, encodeCampaigns } from '../../shared/text/campaign-table.ts';
import { TEXT_KEY_BYTES } from '../../shared/text/fingerprint.ts';
import { sealTextIndex, type TextIndex } from '../../shared/text/text-index.ts';
import { signTextManifest, type TextManifest } from '../../shared/text/text-manifest.ts';
import { type BenchWorker, startBenchWorker } from '../lib/bench-worker.ts';
import type { PublishedCredentials } from '../lib/random-credentials.ts';
import { benchKeys, LIST_SECRET } from '../lib/random-lists.ts';
import type { BodyTimings, CheckResult, EdgeSettings } from '../lib/worker-results.ts';

/** TEXT_KEY of the edge. */
export const TEXT_SECRET = new Uint8Array(TEXT_KEY_BYTES).fill(7);
const JSON_TYPE = 'application/json';
const CLIENT = 'bench';
const SECRET = 'secret-of-bench';

export interface SimulatedEdge {
  readonly worker: BenchWorker;
  /** The key of a client. @param id by default the client that `check` uses */
  keyOf(id?: string): string;
  /** Writes the values to KV, then the head to KV and to the coordinator. */
  publish(
    built: BuiltRelease,
    seq: number,
    credentials?: PublishedCredentials | null,
    entries?: readonly LiveEntry[],
    text?: TextContent,
  ): Promise<void>;
  /** Posts one body as a client. @returns the response */
  post<Response>(path: string, body: object): Promise<Response>;
  set(settings: Partial<EdgeSettings>): Promise<void>;
  /** Checks one number in a single request, several in a batch. @param sender checks them as `from` of a client */
  check(numbers: readonly string[], sender?: { readonly client: string }): Promise<CheckResult>;
  /** Posts these bodies in turns, and times them. */
  timeBodies(
    path: string,
    bodies: Readonly<Record<string, string>>,
    rounds: number,
    options?: BodyOptions,
  ): Promise<BodyTimings>;
}

/** A text release and the confirmed campaigns, before sealing and signing. */
export interface TextContent {
  readonly manifest: TextManifest;
  /** Sealed values of the manifest, by key. */
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly campaigns: readonly Campaign[];
}

interface BodyOptions {
  readonly type: string;
  /** ID of the client that posts each body. */
  readonly clients: Readonly<Record<string, string>>;
}

/**
 * @param others settings of further clients, by ID @param organisations with their qualification
 * @param own settings of the client that `check` uses
 */
export async function startEdge(
  others: Readonly<Record<string, Partial<Client>>> = {},
  organisations: DirectoryContent['organisations'] = [],
  own: Partial<Client> = {},
): Promise<SimulatedEdge> {
  const keys = await benchKeys();
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const worker = await startBenchWorker('edge', {
    LIST_KEY: toBase64(LIST_SECRET),
    RELEASE_PUBLIC_KEYS: toBase64(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))),
    CLIENT_KEY: `${CLIENT}.${SECRET}`,
    TEXT_KEY: toBase64(TEXT_SECRET),
  });
  const client = {
    id: CLIENT,
    secretSha256: [await sha256Hex(SECRET)],
    rights: ['check' as const],
    organisation: 'default',
    internationalPrefix: null,
    onEnumeration: 'report' as const,
    restriction: null,
    senderRules: 'kr' as const,
    shortCodes: [],
    requireRegistration: 'off' as const,
    requireToken: 'off' as const,
    requireIdentity: 'off' as const,
    requireQualification: 'off' as const,
    onSuspiciousText: 'shadow' as const,
    mock: false,
    failPolicy: 'open' as const,
    mode: 'enforce' as const,
    recordBlocks: false,
    maxStaleSeconds: 3_600,
    quotaNumbers: 1_000_000_000,
    ...own,
  };
  const further = Object.entries(others).map(([id, settings]) => ({ ...client, id, ...settings }));
  const directory = await sealDirectory({ clients: [client, ...further], organisations }, keys);
  const sha256 = await sha256Hex(directory);
  const clients = { key: clientsKey(sha256), sha256 };
  await worker.put(clients.key, directory);
  return {
    worker,
    keyOf: (id = CLIENT) => `${id}.${SECRET}`,
    publish: async ({ manifest, values }, seq, credentials, entries = [], text) => {
      for (const [key, bytes] of [...values, ...(credentials?.values ?? [])]) await worker.put(key, bytes);
      const segments = await segmentsOf(entries, keys, worker);
      const signed = await signManifest(manifest, privateKey);
      await worker.put(releaseKey(manifest.release), new TextEncoder().encode(JSON.stringify(signed)));
      const head: Head = {
        ...{ kind: 'numgate-head', format: 2, seq, changedAt: new Date().toISOString() },
        ...{ current: { release: manifest.release, signature: signed.signature }, candidate: null },
        ...{ droppedSeq: 0, segments, tail: toBase64(encodeSegment([])), clients },
        ...(credentials ? { credentials: credentials.head } : {}),
        ...(text === undefined ? {} : { text: await putText(text, seq, privateKey, keys, worker) }),
      };
      const copy = { head, manifests: [signed], writtenAt: new Date().toISOString() };
      await worker.put(HEAD_KEY, await sealHead(copy, keys));
      await worker.call(`/head?seq=${seq}`, await sealHead({ head, manifests: [] }, keys));
    },
    post: async (path, body) => {
      const headers = { authorization: `Bearer ${CLIENT}.${SECRET}`, 'content-type': JSON_TYPE };
      const response = await fetch(worker.url + path, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`);
      return (await response.json()) as never;
    },
    set: (settings) => worker.call('/set', JSON.stringify(settings)),
    check: (numbers, sender) => {
      const query = sender === undefined ? '' : `?subject=from&client=${sender.client}`;
      return worker.call(`/check${query}`, JSON.stringify(numbers));
    },
    timeBodies: async (
      path,
      bodies,
      rounds,
      { type, clients: senders } = { type: JSON_TYPE, clients: {} },
    ) => {
      for (const [name, body] of Object.entries(bodies)) {
        const query = new URLSearchParams({ name, type, client: senders[name] ?? CLIENT });
        await worker.call(`/body?${query}`, body);
      }
      return worker.call(`/time-bodies?${new URLSearchParams({ path, rounds: String(rounds) })}`);
    },
  };
}

/** Writes sealed segments of live entries to KV. */
async function segmentsOf(
  entries: readonly LiveEntry[],
  keys: ListKeys,
  worker: BenchWorker,
): Promise<NamedValue[]> {
  const named: NamedValue[] = [];
  for (let first = 0; first < entries.length; first += SEGMENT_ENTRIES_MAX) {
    const bytes = await seal(encodeSegment(entries.slice(first, first + SEGMENT_ENTRIES_MAX)), keys);
    const sha256 = await sha256Hex(bytes);
    const key = segmentKey(sha256);
    await worker.put(key, bytes);
    named.push({ key, sha256 });
  }
  return named;
}

/** Writes a text release and its campaigns to KV. */
async function putText(
  { manifest, values, campaigns }: TextContent,
  version: number,
  privateKey: CryptoKey,
  keys: ListKeys,
  worker: BenchWorker,
): Promise<HeadText> {
  const put = async (bytes: Uint8Array<ArrayBuffer>): Promise<NamedValue> => {
    const sha256 = await sha256Hex(bytes);
    await worker.put(textKey(sha256), bytes);
    return { key: textKey(sha256), sha256 };
  };
  for (const [key, bytes] of values) await worker.put(key, bytes);
  const index: TextIndex = {
    ...{ kind: 'numgate-text-index', format: 1, version, candidate: null },
    current: await signTextManifest(manifest, privateKey),
    campaigns: await put(await seal(encodeCampaigns(campaigns), keys)),
  };
  return { version, index: await put(await sealTextIndex(index, keys)) };
}
