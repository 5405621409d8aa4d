/** Every file is short and has a header, and some things have only one owner. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { code, sources } from './support/sources.ts';

const LINES_MAX = 300;

/** Finds waits for a condition without a limit. The default of one second is too short on a busy machine. */
function hastyWaits(text: string): string[] {
  const calls = [...text.matchAll(/\bvi\.wait(?:For|Until)\(|\bexpect\.poll\(/g)].map(
    ({ 0: call, index }) => {
      let end = index + call.length;
      for (let depth = 1; depth > 0 && end < text.length; end++) {
        if (text[end] === '(') depth++;
        if (text[end] === ')') depth--;
      }
      return text.slice(index, end);
    },
  );
  return calls.filter((call) => !/HANG_MS|WAIT/.test(call));
}

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

  it('wait for conditions with a limit that only a hang reaches', () => {
    expect(hastyWaits('vi.waitFor(() => f(1));')).toEqual(['vi.waitFor(() => f(1))']);
    expect(
      sources.flatMap(({ path, text }) => (path.includes('test/house/') ? [] : hastyWaits(text))),
    ).toEqual([]);
  });

  it('are not left at the root by tests: those write into folders of their own', () => {
    const root = new URL('../../', import.meta.url);
    expect(readdirSync(root).filter((name) => /\.(?:txt|ndjson|csv)$/.test(name))).toEqual([]);
  });

  it('touch the secrets of a local installation only in npm start', () => {
    const isMocked = /vi\.mock\('[./]*cli\/paths\.ts'/;
    const users = sources.filter(({ text }) => /\blocalSecrets\(/.test(text) && !isMocked.test(text));
    expect(users.map(({ path }) => path).sort()).toEqual(['cli/local/secrets.ts', 'cli/start.ts']);
  });
});
