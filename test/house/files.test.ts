/** Every file is short and says what it is, and some things have one owner. */
import { describe, expect, it } from 'vitest';
import { code, sources } from './support/sources.ts';

const LINES_MAX = 300;

describe('files', () => {
  it.each(sources.map(({ path, text }) => [path, text] as const))(
    '%s is short and begins with a header',
    (_path, text) => {
      expect(text.split('\n').length).toBeLessThanOrEqual(LINES_MAX);
      expect(text).toMatch(/^(#!.*\n)?\/\*\*(\n \*)? /);
    },
  );

  it.each([
    ['responses', 'workers/http/reply.ts', /new Response\(/, 'workers/'],
    ['the log', 'workers/log.ts', /\bconsole\./, 'workers/'],
    ['KV keys', 'shared/release/kv-keys.ts', /['"`](?:shard|release)\//, ''],
  ])('have one owner for %s', (_what, owner, pattern, folder) => {
    const others = code.filter(({ path, text }) => path.startsWith(folder) && pattern.test(text));
    expect(others.map(({ path }) => path).filter((path) => path !== owner)).toEqual([]);
  });

  it('touch the secrets of a local installation only in npm start', () => {
    const isMocked = /vi\.mock\('[./]*cli\/paths\.ts'/;
    const users = sources.filter(({ text }) => /\blocalSecrets\(/.test(text) && !isMocked.test(text));
    expect(users.map(({ path }) => path).sort()).toEqual(['cli/local/secrets.ts', 'cli/start.ts']);
  });
});
