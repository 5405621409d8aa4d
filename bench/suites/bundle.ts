/**
 * Measures the deployed bundles, as wrangler makes them: the compressed size, and the time of the global
 * scope, which every new isolate runs first. workerd evaluates each bundle several times, under several names.
 * Each round runs in its own process, because only the first evaluation in a process is a cold start.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { type BundleModule, bundle } from '../../cli/local/bundle.ts';
import { COMPATIBILITY_DATE } from '../lib/bench-worker.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import type { BenchOptions } from '../lib/options.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';

/** The deployed bundles: the environment of wrangler.toml, and the maximum compressed size. */
const DEPLOYED = {
  suite: { env: '', kibTarget: 430 },
  edge: { env: 'edge', kibTarget: 128 },
  control: { env: 'control', kibTarget: 430 },
};
const START_TARGET_MS = 50;
const PROCESSES = 3;
const COPIES = ['copy-0.js', 'copy-1.js', 'copy-2.js'];

export async function bundleBench({ small }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, { env, kibTarget }] of Object.entries(DEPLOYED)) {
    const folder = temporaryFolder('bundle');
    const modules = await bundle(env, folder);
    const kib = modules.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0) / 1024;
    const plain = modules.reduce((sum, { contents }) => sum + contents.length, 0) / 1024;
    rows.push(
      row(`bundle of ${name}`, kib, 'KiB gz', `uncompressed: ${plain.toFixed(0)} KiB`, null, kibTarget),
    );
    const firsts: number[] = [];
    const others: number[] = [];
    for (let left = small ? 1 : PROCESSES; left > 0; left--) {
      const [first, ...again] = await evaluate(modules, folder);
      firsts.push(first!);
      others.push(...again);
    }
    const times = `${firsts.join(', ')} ms; again: ${others.join(', ')} ms`;
    rows.push(row(`global scope of ${name}, first`, median(firsts), 'ms', times, null, START_TARGET_MS));
  }
  return rows;
}

/** Evaluates the copies of the main module of a bundle, one after the other. */
const IMPORTING = `export default {
  async fetch() {
    const times = [];
    for (const name of ${JSON.stringify(COPIES)}) {
      const start = performance.now();
      const { default: worker } = await import('./' + name);
      times.push(performance.now() - start);
      if (typeof worker.fetch !== 'function') return new Response('no Worker is exported', { status: 500 });
    }
    return Response.json(times);
  },
};`;

/** @returns time of each copy in ms, including compilation */
async function evaluate([main, ...others]: readonly BundleModule[], folder: string): Promise<number[]> {
  const modules: BundleModule[] = [
    { type: 'ESModule', path: join(folder, 'importing.js'), contents: IMPORTING },
    ...COPIES.map((name) => ({ ...main!, path: join(folder, name) })),
    ...others.map((module) => ({ ...module })),
  ];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      cf: false,
      workers: [{ name: 'importing', compatibilityDate: COMPATIBILITY_DATE, modulesRoot: folder, modules }],
    }),
  );
  try {
    const response = await miniflare.dispatchFetch('http://localhost/');
    if (!response.ok) throw new Error(`the bundle does not start: ${await response.text()}`);
    return (await response.json()) as number[];
  } finally {
    await miniflare.dispose();
  }
}
