/**
 * The rules of style that a machine can hold: layers, length, headers, single owners, and documents
 * that name only what is there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const LINES_MAX = 300;
const README_LINES_MAX = 150;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Files it imports, relative to the project; packages are left out. */
  readonly imports: readonly string[];
}

function filesIn(folder: string, ending: string): string[] {
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

const sources = ['shared', 'workers', 'cli', 'bench', 'examples', 'test']
  .flatMap((folder) => filesIn(folder, '.ts'))
  .map(read);
const code = sources.filter(({ path }) => !path.startsWith('test'));

/** Rooms from the ground up: a file may import only its own room and those it names. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'shared/numbers': ['data', 'shared/limits.ts', 'shared/flat.ts'],
  'shared/set': ['shared/numbers', 'shared/bytes.ts'],
  'shared/sources': ['data', 'shared/set', 'shared/numbers', 'shared/limits.ts', 'shared/verdict.ts'],
  'shared/policy': [
    'data',
    'shared/numbers',
    'shared/limits.ts',
    'shared/request.ts',
    'shared/schemas.ts',
    'shared/verdict.ts',
  ],
  'shared/release': [
    'shared/policy',
    'shared/set',
    'shared/numbers',
    'shared/limits.ts',
    'shared/bytes.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/verdict.ts',
  ],
  'shared/live': ['shared/set', 'shared/numbers', 'shared/limits.ts', 'shared/bytes.ts', 'shared/verdict.ts'],
  'shared/screening': [
    'shared/live',
    'shared/policy',
    'shared/release',
    'shared/set',
    'shared/sources',
    'shared/numbers',
    'shared/audit.ts',
    'shared/bytes.ts',
    'shared/clients.ts',
    'shared/fields.ts',
    'shared/flat.ts',
    'shared/limits.ts',
    'shared/request.ts',
    'shared/test-numbers.ts',
    'shared/verdict.ts',
  ],
  'shared/build': [
    'shared/release',
    'shared/set',
    'shared/numbers',
    'shared/limits.ts',
    'shared/bytes.ts',
    'shared/result.ts',
  ],
  'workers/storage': ['shared', 'workers/env.ts', 'workers/log.ts'],
  'workers/coordinator': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  workers: ['shared'],
  'cli/terminal': ['shared/release/manifest.ts'],
  'cli/import': ['shared', 'cli/terminal', 'cli/failure.ts', 'cli/paths.ts'],
  'cli/publish': [
    'shared',
    'cli/import',
    'cli/terminal',
    'cli/admin.ts',
    'cli/failure.ts',
    'cli/paths.ts',
    'cli/secrets.ts',
  ],
  'cli/proof': ['shared', 'cli/import', 'cli/publish', 'cli/failure.ts', 'cli/secrets.ts'],
  cli: ['shared'],
  bench: ['shared', 'cli', 'workers', 'examples', 'test/gateways/support'],
  // Users copy them: whatever they import goes with them, or is a package.
  examples: [],
};

describe('the house', () => {
  it.each(Object.entries(MAY_IMPORT))('%s imports only what is below it', (room, allowed) => {
    const below = [room, ...allowed];
    const wrong = code
      .filter(({ path }) => path.startsWith(`${room}/`))
      .flatMap(({ path, imports }) => imports.map((target) => `${path} → ${target}`))
      .filter((arrow) => !below.some((place) => arrow.split(' → ')[1]!.startsWith(place)));
    expect(wrong).toEqual([]);
  });

  it('never ships the builder in a Worker', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const target of sources.find((source) => source.path === path)?.imports ?? []) visit(target);
    };
    for (const { path } of code) if (path.startsWith('workers/')) visit(path);
    expect([...reached].filter((path) => path.startsWith('shared/build/'))).toEqual([]);
    expect(reached.size).toBeGreaterThan(20);
  });

  it('has no cycle of imports', () => {
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (done.has(path)) return;
      const loop = trail.indexOf(path);
      if (loop >= 0) expect.fail(`cycle: ${[...trail.slice(loop), path].join(' → ')}`);
      const source = sources.find((candidate) => candidate.path === path);
      for (const target of source?.imports ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
  });

  it.each(sources.map(({ path, text }) => [path, text] as const))(
    '%s is short and says what it is',
    (_path, text) => {
      expect(text.split('\n').length).toBeLessThanOrEqual(LINES_MAX);
      expect(text).toMatch(/^(#!.*\n)?\/\*\*(\n \*)? /);
    },
  );

  it('has one owner for responses, KV keys and the log', () => {
    const outside = (owner: string, pattern: RegExp, within: string): string[] =>
      code
        .filter(({ path, text }) => path.startsWith(within) && path !== owner && pattern.test(text))
        .map(({ path }) => path);
    expect(outside('workers/http/reply.ts', /new Response\(/, 'workers/')).toEqual([]);
    expect(outside('workers/log.ts', /\bconsole\./, 'workers/')).toEqual([]);
    expect(outside('shared/release/kv-keys.ts', /['"`](?:shard|release)\//, '')).toEqual([]);
  });
});

describe('the secrets of whoever runs this', () => {
  it('are made by npm start alone: no test and no bench touches them', () => {
    const placedElsewhere = /vi\.mock\('[./]*cli\/paths\.ts'/;
    const makers = sources.filter(({ text }) => /\blocalSecrets\(/.test(text) && !placedElsewhere.test(text));
    expect(makers.map(({ path }) => path).sort()).toEqual(['cli/local/secrets.ts', 'cli/start.ts']);
  });
});

describe('the documents', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const documents = [
    ...['README.md', 'CHANGELOG.md', 'data/README.md'],
    ...['docs', 'examples'].flatMap((folder) => filesIn(folder, '.md')),
  ].map((path) => [path, readFileSync(join(PROJECT, path), 'utf8')] as const);

  it('keep the README short', () => {
    expect(documents[0]![1].split('\n').length).toBeLessThanOrEqual(README_LINES_MAX);
  });

  it.each(documents)('%s links to files that are there', (path, text) => {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      expect(existsSync(resolve(PROJECT, dirname(path), target!)), `link to ${target}`).toBe(true);
    }
  });

  it.each(documents)('%s names npm scripts that are there', (_path, text) => {
    for (const [, script] of text.matchAll(/npm run ([a-z:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
  });

  it.each(documents)('%s names files that are there', (_path, text) => {
    for (const [, file] of text.matchAll(/`((?:shared|workers|cli|test|data|docs|bench)\/[\w./-]+\.\w+)`/g)) {
      expect(existsSync(join(PROJECT, file!)), `names ${file}`).toBe(true);
    }
  });
});
