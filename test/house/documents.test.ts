/** Documents name only files, links and scripts that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, PROJECT } from './support/sources.ts';

const README_LINES_MAX = 150;

describe('documents', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };

  it('keep the README short', () => {
    expect(documents[0]![1].split('\n').length).toBeLessThanOrEqual(README_LINES_MAX);
  });

  it.each(documents)('%s links to existing files', (path, text) => {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      expect(existsSync(resolve(PROJECT, dirname(path), target!)), `link to ${target}`).toBe(true);
    }
  });

  it.each(documents)('%s names existing npm scripts', (_path, text) => {
    for (const [, script] of text.matchAll(/npm run ([a-z:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
  });

  // The changelog names files as they were.
  it.each(documents.filter(([path]) => path !== 'CHANGELOG.md'))('%s names existing files', (_path, text) => {
    for (const [, file] of text.matchAll(/`((?:shared|workers|cli|test|data|docs|bench)\/[\w./-]+\.\w+)`/g)) {
      expect(existsSync(join(PROJECT, file!)), `names ${file}`).toBe(true);
    }
  });
});
