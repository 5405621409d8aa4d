/**
 * The edge with a release, in a measuring Worker: secrets, one client, the values in KV and a head, as a push
 * to a control plane would have left them.
 */
import type { BuiltRelease } from '../shared/build/release.ts';
import { sha256Hex, toBase64 } from '../shared/bytes.ts';
import { sealDirectory } from '../shared/clients.ts';
import { encodeSegment } from '../shared/live/segment.ts';
import { type Head, type NamedValue, sealHead } from '../shared/release/head.ts';
import { clientsKey, HEAD_KEY, releaseKey } from '../shared/release/kv-keys.ts';
import { signManifest } from '../shared/release/manifest.ts';
import type { ListKeys } from '../shared/set/keys.ts';
import { type Measuring, startMeasuring } from './measuring.ts';
import { benchKeys, LIST_SECRET } from './sets.ts';
import type { Asked, BodyTurns, Knobs } from './told.ts';

const CLIENT = 'bench';
const SECRET = 'secret-of-bench';

export class EdgeWorld {
  readonly worker: Measuring;
  readonly #keys: ListKeys;
  readonly #privateKey: CryptoKey;
  readonly #clients: NamedValue;

  private constructor(worker: Measuring, keys: ListKeys, privateKey: CryptoKey, clients: NamedValue) {
    this.worker = worker;
    this.#keys = keys;
    this.#privateKey = privateKey;
    this.#clients = clients;
  }

  static async start(): Promise<EdgeWorld> {
    const keys = await benchKeys();
    const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const worker = await startMeasuring('edge', {
      LIST_KEY: toBase64(LIST_SECRET),
      RELEASE_PUBLIC_KEYS: toBase64(publicKey),
      CLIENT_KEY: `${CLIENT}.${SECRET}`,
    });
    const client = {
      ...{
        id: CLIENT,
        secretSha256: [await sha256Hex(SECRET)],
        rights: ['check' as const],
        internationalPrefix: null,
        senderRules: 'kr' as const,
        shortCodes: [],
      },
      ...{ failPolicy: 'open' as const, mode: 'enforce' as const, recordBlocks: false },
      ...{ maxStaleSeconds: 3_600, quotaNumbers: 1_000_000_000 },
    };
    const directory = await sealDirectory([client], keys);
    const sha256 = await sha256Hex(directory);
    const clients = { key: clientsKey(sha256), sha256 };
    await worker.put(clients.key, directory);
    return new EdgeWorld(worker, keys, pair.privateKey, clients);
  }

  /** Writes the values first, then the head: to KV and to the coordinator. */
  async publish({ manifest, values }: BuiltRelease, seq: number): Promise<void> {
    for (const [key, bytes] of values) await this.worker.put(key, bytes);
    const signed = await signManifest(manifest, this.#privateKey);
    await this.worker.put(releaseKey(manifest.release), new TextEncoder().encode(JSON.stringify(signed)));
    const head: Head = {
      ...{ kind: 'numgate-head', format: 2, seq, changedAt: new Date().toISOString() },
      ...{ current: { release: manifest.release, signature: signed.signature }, candidate: null },
      ...{ droppedSeq: 0, segments: [], tail: toBase64(encodeSegment([])), clients: this.#clients },
    };
    await this.worker.put(
      HEAD_KEY,
      await sealHead({ head, manifests: [signed], writtenAt: new Date().toISOString() }, this.#keys),
    );
    await this.worker.ask(`/head?seq=${seq}`, await sealHead({ head, manifests: [] }, this.#keys));
  }

  async set(knobs: Partial<Knobs>): Promise<void> {
    await this.worker.ask('/set', JSON.stringify(knobs));
  }

  /** Checks numbers at the edge: one as a single request, more as a batch. */
  async askAbout(numbers: readonly string[]): Promise<Asked> {
    return JSON.parse(await this.worker.ask('/ask', JSON.stringify(numbers))) as Asked;
  }

  /** Posts these bodies to the edge in turns. */
  async takeTurns(
    path: string,
    bodies: Readonly<Record<string, string>>,
    rounds: number,
  ): Promise<BodyTurns> {
    for (const [name, body] of Object.entries(bodies))
      await this.worker.ask(`/body?name=${encodeURIComponent(name)}`, body);
    return this.worker.told<BodyTurns>(`/turns?path=${path}&rounds=${rounds}`);
  }

  stop(): Promise<void> {
    return this.worker.stop();
  }
}
