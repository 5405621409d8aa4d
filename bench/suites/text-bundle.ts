/** The share of text risk in the edge bundle: its code and data, bundled alone, against the whole bundle. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundle } from '../../cli/local/bundle.ts';
import { PROJECT } from '../../cli/paths.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { type Row, row, short } from '../lib/table.ts';

/** Imports all of text risk and nothing else of the edge. */
const ENTRY = join(PROJECT, 'shared', 'text', 'analyse-text.ts');

export async function textBundle(): Promise<Row[]> {
  const { outputFiles } = await build({
    ...{ entryPoints: [ENTRY], bundle: true, minify: true, format: 'esm', write: false, logLevel: 'error' },
  });
  const kib = gzipSync(outputFiles[0]!.contents).length / 1024;
  const modules = await bundle('edge', temporaryFolder('text-bundle'));
  const all = modules.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0) / 1024;
  return [row('text risk in the edge bundle', kib, 'KiB gz', `all of it: ${short(all)} KiB`, kib / all)];
}
