/** Small text releases of tests, built like the releases of the CLI. */
import type { PutTextRelease } from '../../../shared/admin/text.ts';
import {
  buildTextRelease,
  encodeHostLists,
  type HostListSource,
} from '../../../shared/build/text-release.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { encodeModel } from '../../../shared/text/model.ts';
import { type ModelFacts, signTextManifest, type TextManifest } from '../../../shared/text/text-manifest.ts';
import { modelInfo } from './text-manifests.ts';

export interface TextContent {
  readonly base?: string | null;
  /** Distinguishes releases of equal content, and orders them. */
  readonly minute?: number;
  /** Null for no model. */
  readonly model?: Partial<ModelFacts> | null;
  /** Hosts by list. All lists block. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  readonly canaryTexts?: TextManifest['canaryTexts'];
  /** The weight of all buckets of the model. */
  readonly weight?: number;
}

export interface BuiltText {
  readonly manifest: TextManifest;
  readonly release: string;
  readonly put: PutTextRelease;
  /** KV keys of the release's values. */
  readonly keys: readonly string[];
}

export async function buildText(
  {
    base = null,
    minute = 0,
    model = {},
    hosts = { phishing: ['evil.example'] },
    canaryTexts = null,
    weight = 1,
  }: TextContent,
  keys: ListKeys,
  privateKey: CryptoKey,
): Promise<BuiltText> {
  const { value: _, ...facts } = modelInfo(model ?? {});
  const info = { effect: 'block', authority: 'kisa', asOf: '2026-11-24T00:00:00.000Z' } as const;
  const lists: HostListSource[] = Object.entries(hosts).map(([name, all]) => ({
    info: { name, ...info },
    hosts: all,
  }));
  const encoded = encodeHostLists(lists);
  if (!encoded.ok) throw new Error(encoded.message);
  const bytes = encodeModel(
    { bits: facts.bits, bias: 0, scale: 1 },
    new Int8Array(2 ** facts.bits).fill(weight),
  );
  const parts = { model: model === null ? null : { facts, bytes }, hosts: encoded.value, canaryTexts };
  const createdAt = new Date(Date.UTC(2026, 10, 24, 3, minute));
  const built = await buildTextRelease(parts, keys, { base, createdAt });
  if (!built.ok) throw new Error(built.message);
  const { manifest, values } = built.value;
  return {
    ...{ manifest, release: manifest.release, keys: [...values.keys()] },
    put: {
      manifest: await signTextManifest(manifest, privateKey),
      values: Object.fromEntries([...values].map(([key, value]) => [key, toBase64(value)])),
    },
  };
}
