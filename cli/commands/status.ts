/**
 * `lists status`: what KV says is current, and what the service answers from.
 */
import type { Manifest } from '../../shared/release/manifest.ts';
import { openManifest } from '../../shared/release/manifest.ts';
import { orFail } from '../failure.ts';
import { listKeys, publicKeys } from '../secrets.ts';
import type { Target } from '../wrangler.ts';
import { currentHead } from './push.ts';

/** Wait for the service, in ms. */
const SERVICE_WAIT_MS = 3_000;

export interface Status {
  readonly head: { readonly release: string; readonly seq: number; readonly promotedAt: string } | null;
  readonly manifest: Manifest | null;
  /** What `/healthz` of the service said, or null where it did not answer. */
  readonly service: Record<string, unknown> | null;
  readonly url: string;
}

export async function status(target: Target): Promise<Status> {
  const url = process.env.NUMGATE_URL ?? 'http://localhost:8787';
  const [head, service] = await Promise.all([currentHead(target), askService(url)]);
  if (head === null) return { head: null, manifest: null, service, url };
  const manifest = orFail(await openManifest(head.manifest, await publicKeys(), (await listKeys()).keyId));
  return {
    head: { release: manifest.release, seq: head.seq, promotedAt: head.promotedAt },
    manifest,
    service,
    url,
  };
}

async function askService(url: string): Promise<Record<string, unknown> | null> {
  try {
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(SERVICE_WAIT_MS) });
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return null;
  }
}
