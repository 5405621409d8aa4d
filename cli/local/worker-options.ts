/** A Worker of wrangler.toml as Miniflare runs it. */
import type { V4WorkerOptionsShape } from 'miniflare';
import { unstable_getMiniflareWorkerOptions as optionsOf } from 'wrangler';
import { WRANGLER_CONFIG } from '../paths.ts';

/**
 * @param env environment of wrangler.toml, '' for the top level
 * @returns options without modules
 */
export function workerOptionsOf(env: string): V4WorkerOptionsShape {
  process.env.WRANGLER_LOG ??= 'error';
  const { assets, ...options }: V4WorkerOptionsShape = optionsOf(WRANGLER_CONFIG, env).workerOptions;
  if (assets?.binding === undefined) throw new Error('wrangler.toml has no assets with a binding');
  // Configured as `assets`, these files would put a router in front of every request, even on a direct socket. That halves the
  // requests per second.
  const files = { disk: { path: assets.directory, writable: false } };
  return { ...options, serviceBindings: { ...options.serviceBindings, [assets.binding]: files } };
}
