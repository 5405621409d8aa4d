/** The source files and documents of the project, as the style tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

interface Source {
  readonly path: string;
  readonly text: string;
  /** Imported files, relative to the project, without packages. */
  readonly imports: readonly string[];
}

export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(ending) && !path.endsWith('.d.ts') && !path.includes('node_modules'));
}

function read(path: string): Source {
  const text = readFileSync(join(PROJECT, path), 'utf8');
  const named = [...text.matchAll(/(?:from|import)\s+'(\.[^']+)'/g)].map(([, target]) => target!);
  const imports = named.map((target) => relative(PROJECT, resolve(PROJECT, dirname(path), target)));
  return { path, text, imports };
}

export const sources = ['shared', 'workers', 'cli', 'bench', 'examples', 'test']
  .flatMap((folder) => filesIn(folder, '.ts'))
  .map(read);

/** The sources except the tests. */
export const code = sources.filter(({ path }) => !path.startsWith('test'));

/** The path and text of each document. */
export const documents = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'data/README.md', 'bench/RESULTS.md'],
  ...['docs', 'examples', 'test'].flatMap((folder) => filesIn(folder, '.md')),
].map((path) => [path, readFileSync(join(PROJECT, path), 'utf8')] as const);
