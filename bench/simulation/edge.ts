/**
 * The edge with a release, in a Worker of the benchmarks: secrets, one client, the values in KV and a head, as
 * a push to a control plane would have left them.
 */
import type { BuiltRelease } from '../../shared/build/release.ts';
import { sha256Hex, toBase64 } from '../../shared/bytes.ts';
import { sealDirectory } from '../../shared/clients.ts';
import { encodeSegment } from '../../shared/live/segment.ts';
import { type Head, sealHead } from '../../shared/release/head.ts';
import { clientsKey, HEAD_KEY, releaseKey } from '../../shared/release/kv-keys.ts';
import { signManifest } from '../../shared/release/manifest.ts';
import { type BenchWorker, startBenchWorker } from '../lib/bench-worker.ts';
import { benchKeys, LIST_SECRET } from '../lib/random-lists.ts';
import type { BodyTimings, CheckResult, EdgeSettings } from '../lib/worker-results.ts';

const CLIENT = 'bench';
const SECRET = 'secret-of-bench';

export interface SimulatedEdge {
  readonly worker: BenchWorker;
  /** Writes the values first, then the head: to KV and to the coordinator. */
  publish(built: BuiltRelease, seq: number): Promise<void>;
  set(settings: Partial<EdgeSettings>): Promise<void>;
  /** Checks numbers: one as a single request, more as a batch. */
  check(numbers: readonly string[]): Promise<CheckResult>;
  /** Posts these bodies in turns. */
  timeBodies(path: string, bodies: Readonly<Record<string, string>>, rounds: number): Promise<BodyTimings>;
}

export async function startEdge(): Promise<SimulatedEdge> {
  const keys = await benchKeys();
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const worker = await startBenchWorker('edge', {
    LIST_KEY: toBase64(LIST_SECRET),
    RELEASE_PUBLIC_KEYS: toBase64(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))),
    CLIENT_KEY: `${CLIENT}.${SECRET}`,
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
    mock: false,
    failPolicy: 'open' as const,
    mode: 'enforce' as const,
    recordBlocks: false,
    maxStaleSeconds: 3_600,
    quotaNumbers: 1_000_000_000,
  };
  const directory = await sealDirectory([client], keys);
  const sha256 = await sha256Hex(directory);
  const clients = { key: clientsKey(sha256), sha256 };
  await worker.put(clients.key, directory);
  return {
    worker,
    publish: async ({ manifest, values }, seq) => {
      for (const [key, bytes] of values) await worker.put(key, bytes);
      const signed = await signManifest(manifest, privateKey);
      await worker.put(releaseKey(manifest.release), new TextEncoder().encode(JSON.stringify(signed)));
      const head: Head = {
        ...{ kind: 'numgate-head', format: 2, seq, changedAt: new Date().toISOString() },
        ...{ current: { release: manifest.release, signature: signed.signature }, candidate: null },
        ...{ droppedSeq: 0, segments: [], tail: toBase64(encodeSegment([])), clients },
      };
      const copy = { head, manifests: [signed], writtenAt: new Date().toISOString() };
      await worker.put(HEAD_KEY, await sealHead(copy, keys));
      await worker.call(`/head?seq=${seq}`, await sealHead({ head, manifests: [] }, keys));
    },
    set: (settings) => worker.call('/set', JSON.stringify(settings)),
    check: (numbers) => worker.call('/check', JSON.stringify(numbers)),
    timeBodies: async (path, bodies, rounds) => {
      for (const [name, body] of Object.entries(bodies))
        await worker.call(`/body?name=${encodeURIComponent(name)}`, body);
      return worker.call(`/time-bodies?path=${path}&rounds=${rounds}`);
    },
  };
}
