/** Documents and comments name only files, links and scripts that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROLE_SCOPES, ROLES } from '../../shared/roles.ts';
import { withMatrix } from './support/matrix.ts';
import { documents, PROJECT, sources } from './support/sources.ts';

const README_LINES_MAX = 150;

describe('documents', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };

  it('has the current authorization matrix in docs/threats.md: npm run docs:matrix', () => {
    const [, text] = documents.find(([path]) => path === 'docs/threats.md')!;
    expect(text).toBe(withMatrix(text));
  });

  it('have the scopes of each role in docs/operations.md', () => {
    const [, text] = documents.find(([path]) => path === 'docs/operations.md')!;
    const written = Object.fromEntries(
      ROLES.map((role) => {
        const [, row = ''] = new RegExp(`^\\| \`${role}\` \\|.*\\|(.*)\\|$`, 'm').exec(text) ?? [];
        return [role, Array.from(row.matchAll(/`(\w+)`/g), ([, scope]) => scope)];
      }),
    );
    expect(written).toEqual(ROLE_SCOPES);
  });

  it('keep the README short', () => {
    expect(documents[0]![1].split('\n').length).toBeLessThanOrEqual(README_LINES_MAX);
  });

  it.each(documents)('%s links to existing files', (path, text) => {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      expect(existsSync(resolve(PROJECT, dirname(path), target!)), `link to ${target}`).toBe(true);
    }
  });

  it.each(documents)('%s links to existing headings', (path, text) => {
    const texts = new Map(documents.map(([name, each]) => [resolve(PROJECT, name), each]));
    for (const [, target = '', anchor = ''] of text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
      const file = target === '' ? resolve(PROJECT, path) : resolve(PROJECT, dirname(path), target);
      const linked = texts.get(file);
      if (linked !== undefined) expect(anchorsOf(linked), `link to ${target}#${anchor}`).toContain(anchor);
    }
  });

  it.each(documents)('%s names existing npm scripts', (_path, text) => {
    for (const [, script] of text.matchAll(/npm run ([a-z:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
  });

  // The changelog names old files.
  it.each(documents.filter(([path]) => path !== 'CHANGELOG.md'))('%s names existing files', (_path, text) => {
    for (const [, file] of text.matchAll(/`((?:shared|workers|cli|test|data|docs|bench)\/[\w./-]+\.\w+)`/g)) {
      expect(existsSync(join(PROJECT, file!)), `names ${file}`).toBe(true);
    }
  });
});

describe('comments', () => {
  const paths = [...sources.map(({ path }) => path), ...documents.map(([path]) => path)];
  const names = new Set([...readdirSync(PROJECT), ...paths.map((path) => basename(path))]);
  const commented = sources.map(({ path, text }) => [path, commentsOf(text)] as const);

  it.each(commented)('of %s name existing files and folders', (_path, comments) => {
    const inFolders = comments.matchAll(
      /(?<![\w/.@-])(?:shared|workers|cli|test|data|docs|bench|examples)\/[\w./-]*\w/g,
    );
    for (const [path] of inFolders) expect(existsSync(join(PROJECT, path)), `names ${path}`).toBe(true);
    for (const [name] of comments.matchAll(/(?<![\w/.@*-])\w[\w.-]*\.(?:ts|md)\b/g))
      expect(names, `names ${name}`).toContain(name);
  });
});

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  const counts = new Map<string, number>();
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, heading = '']) => {
    const words = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** The comments of a source text. A string with two slashes counts as a comment, unless it is a URL. */
function commentsOf(text: string): string {
  return [...text.matchAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g)].map(([comment]) => comment).join('\n');
}
