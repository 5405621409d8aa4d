/** The Worker as wrangler deploys it. wrangler itself makes the bundle. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLE } from '../paths.ts';
import { wrangler } from '../publish/wrangler.ts';

/** A module of the bundle. The main module comes first. */
export interface BundleModule {
  readonly type: 'ESModule' | 'CompiledWasm';
  readonly path: string;
  readonly contents: string | Uint8Array<ArrayBuffer>;
}

/** @param env environment of wrangler.toml, '' for the top level */
export async function bundle(env: string, outdir = BUNDLE): Promise<BundleModule[]> {
  await wrangler(['deploy', '--dry-run', '--outdir', outdir, '--env', env]);
  return readBundle(outdir);
}

/** The modules of a bundle that was made in this folder. */
export function readBundle(outdir: string): BundleModule[] {
  const modules: BundleModule[] = [];
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name);
    if (name.endsWith('.js'))
      modules.unshift({ type: 'ESModule', path, contents: readFileSync(path, 'utf8') });
    if (name.endsWith('.wasm'))
      modules.push({ type: 'CompiledWasm', path, contents: new Uint8Array(readFileSync(path)) });
  }
  return modules;
}
