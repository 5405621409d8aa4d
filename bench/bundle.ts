/**
 * Measures the deployed bundles, as wrangler makes them: the compressed size, and the time of the global
 * scope, which every new isolate runs first. workerd evaluates each bundle several times. Each round runs in
 * its own process, because only the first evaluation in a process is a cold start, and evaluates the bundle
 * under several names.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { type BundleModule, bundle } from '../cli/local/bundle.ts';
import { temporaryFolder } from './leftovers.ts';
import { COMPATIBILITY_DATE } from './measuring.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { median } from './runtime.ts';

/** The deployed bundles, by the environment of wrangler.toml. */
const DEPLOYED = { suite: '', edge: 'edge', control: 'control' };
const KIB_REACH = 100;
const START_REACH_MS = 20;
const PROCESSES = 3;
const COPIES = 3;

export async function bundleBench({ small }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, env] of Object.entries(DEPLOYED)) {
    const { path: folder, remove } = temporaryFolder('bundle');
    try {
      const modules = await bundle(env, folder);
      const kib = modules.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0) / 1024;
      const plain = modules.reduce((sum, { contents }) => sum + contents.length, 0) / 1024;
      rows.push(row(`bundle of ${name}`, kib, 'KiB gz', `${plain.toFixed(0)} KiB`, null, KIB_REACH));
      const firsts: number[] = [];
      const others: number[] = [];
      for (let left = small ? 1 : PROCESSES; left > 0; left--) {
        const [first, ...again] = await evaluated(modules, folder, COPIES);
        firsts.push(first!);
        others.push(...again);
      }
      const times = `${firsts.join(', ')} ms; again: ${others.join(', ')} ms`;
      rows.push(row(`global scope of ${name}, first`, median(firsts), 'ms', times, null, START_REACH_MS));
    } finally {
      remove();
    }
  }
  return rows;
}

/** Evaluates copies of the main module of a bundle, one after the other. */
const IMPORTING = `export default {
  async fetch(request) {
    const times = [];
    for (const name of new URL(request.url).searchParams.getAll('module')) {
      const start = performance.now();
      const { default: worker } = await import(name);
      times.push(performance.now() - start);
      if (typeof worker.fetch !== 'function') return new Response('it is no Worker', { status: 500 });
    }
    return Response.json(times);
  },
};`;

/** @returns time of each copy in ms, including compilation */
async function evaluated(
  [main, ...others]: readonly BundleModule[],
  folder: string,
  copies: number,
): Promise<number[]> {
  const names = Array.from({ length: copies }, (_, index) => `copy-${index}.js`);
  const modules: BundleModule[] = [
    { type: 'ESModule', path: join(folder, 'importing.js'), contents: IMPORTING },
    ...names.map((name) => ({ ...main!, path: join(folder, name) })),
    ...others,
  ];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      cf: false,
      workers: [
        {
          name: 'importing',
          compatibilityDate: COMPATIBILITY_DATE,
          modulesRoot: folder,
          modules: modules.map((module) => ({ ...module })),
        },
      ],
    }),
  );
  try {
    const query = names.map((name) => `module=${encodeURIComponent(`./${name}`)}`).join('&');
    const answer = await miniflare.dispatchFetch(`http://localhost/?${query}`);
    if (!answer.ok) throw new Error(`the bundle does not start: ${await answer.text()}`);
    return (await answer.json()) as number[];
  } finally {
    await miniflare.dispose();
  }
}
