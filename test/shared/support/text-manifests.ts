/** Manifests of text releases for tests. Every field has a plain value, and `change` replaces some. */
import type { HostListInfo, ModelInfo, TextManifest } from '../../../shared/text/text-manifest.ts';

const NAMED = { key: `text/${'0'.repeat(32)}`, sha256: '0'.repeat(64) };

export function modelInfo(change: Partial<ModelInfo> = {}): ModelInfo {
  return {
    ...{ value: NAMED, name: 'model-1', bits: 12, thresholds: { review: 0.5, suspicious: 0.9 } },
    trained: { spam: 10, legitimate: 100, from: null, to: null },
    domains: [{ domain: 'delivery', texts: 10_000, review: 40, suspicious: 10 }],
    spam: { texts: 100, review: 90, suspicious: 80 },
    ...change,
  };
}

export function hostList(name: string, hosts: number, change: Partial<HostListInfo> = {}): HostListInfo {
  return { name, effect: 'block', authority: 'kisa', asOf: '2026-11-24T00:00:00.000Z', hosts, ...change };
}

export function textManifest(change: Partial<TextManifest> = {}): TextManifest {
  return {
    ...{ kind: 'numgate-text', format: 1, release: 'text-20261124T0312Z-00000001', base: null },
    ...{ createdAt: '2026-11-24T03:12:00.000Z', model: modelInfo(), hosts: null, canaryTexts: null },
    ...change,
  };
}

export function hostsOf(...lists: readonly HostListInfo[]): NonNullable<TextManifest['hosts']> {
  return { value: NAMED, count: lists.reduce((sum, { hosts }) => sum + hosts, 0), lists: [...lists] };
}
