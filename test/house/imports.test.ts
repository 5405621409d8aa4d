/** Imports point down: each folder imports only folders below it, without cycles. */
import { describe, expect, it } from 'vitest';
import { code, sources } from './support/sources.ts';

/** Folders from the bottom up. A file may import only its own folder and the ones listed here. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'shared/numbers': ['data', 'shared/limits', 'shared/flat.ts'],
  'shared/set': ['shared/numbers', 'shared/limits', 'shared/bytes.ts', 'shared/result.ts'],
  'shared/sources': [
    'data',
    'shared/set',
    'shared/numbers',
    'shared/limits',
    'shared/result.ts',
    'shared/verdict.ts',
  ],
  'shared/policy': [
    'data',
    'shared/numbers',
    'shared/hidden-characters.ts',
    'shared/limits',
    'shared/request.ts',
    'shared/schemas.ts',
    'shared/verdict.ts',
  ],
  'shared/release': [
    'shared/enumeration',
    'shared/policy',
    'shared/set',
    'shared/numbers',
    'shared/limits',
    'shared/bytes.ts',
    'shared/organisations.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/verdict.ts',
  ],
  'shared/enumeration': ['shared/numbers', 'shared/limits'],
  'shared/live': ['shared/set', 'shared/numbers', 'shared/limits', 'shared/bytes.ts', 'shared/verdict.ts'],
  'shared/screening': [
    'shared/credentials',
    'shared/live',
    'shared/policy',
    'shared/release',
    'shared/senders',
    'shared/set',
    'shared/sources',
    'shared/text',
    'shared/numbers',
    'shared/audit.ts',
    'shared/bytes.ts',
    'shared/clients.ts',
    'shared/fields.ts',
    'shared/flat.ts',
    'shared/hidden-characters.ts',
    'shared/limits',
    'shared/request.ts',
    'shared/result.ts',
    'shared/test-numbers.ts',
    'shared/test-texts.ts',
    'shared/test-tokens.ts',
    'shared/verdict.ts',
  ],
  'shared/senders': [
    'data',
    'shared/csv.ts',
    'shared/fields.ts',
    'shared/release',
    'shared/set',
    'shared/numbers',
    'shared/limits',
    'shared/bytes.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/test-numbers.ts',
    'shared/validate-json.ts',
  ],
  'shared/credentials': [
    'shared/release',
    'shared/set',
    'shared/numbers',
    'shared/limits',
    'shared/bytes.ts',
    'shared/request.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/validate-json.ts',
    'shared/verdict.ts',
  ],
  'shared/reports': [
    'shared/senders/qualification.ts',
    'shared/sources',
    'shared/numbers',
    'shared/bytes.ts',
    'shared/fields.ts',
    'shared/flat.ts',
    'shared/hidden-characters.ts',
    'shared/limits',
    'shared/request.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/test-numbers.ts',
    'shared/validate-json.ts',
  ],
  'shared/appeals': [
    'shared/set',
    'shared/limits',
    'shared/bytes.ts',
    'shared/hidden-characters.ts',
    'shared/verdict.ts',
  ],
  'shared/feed': [
    'shared/bytes.ts',
    'shared/csv.ts',
    'shared/fields.ts',
    'shared/limits',
    'shared/result.ts',
    'shared/sharing-keys.ts',
    'shared/signed-note.ts',
    'shared/verdict.ts',
  ],
  'shared/usage': [
    'shared/enumeration',
    'shared/numbers',
    'shared/screening/decision.ts',
    'shared/screening/screened-text.ts',
    'shared/text',
    'shared/limits',
    'shared/request.ts',
    'shared/time.ts',
    'shared/verdict.ts',
  ],
  'shared/drift': ['shared/usage', 'shared/limits', 'shared/wilson.ts'],
  'shared/text': [
    'data',
    'shared/release',
    'shared/set',
    'shared/limits',
    'shared/bytes.ts',
    'shared/result.ts',
    'shared/schemas.ts',
    'shared/verdict.ts',
  ],
  'shared/build': [
    'shared/release',
    'shared/set',
    'shared/text',
    'shared/numbers',
    'shared/limits',
    'shared/bytes.ts',
    'shared/result.ts',
  ],
  'workers/http': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/edge': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/admin': [
    'shared',
    'workers/http',
    'workers/coordinator',
    'workers/credentials',
    'workers/registrations',
    'workers/reports',
    'workers/response',
    'workers/appeals',
    'workers/notices',
    'workers/statistics',
    'workers/text',
    'workers/evidence-files',
    'workers/storage',
    'workers/env.ts',
    'workers/log.ts',
  ],
  'workers/statistics': ['shared', 'workers/reports', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/storage': ['shared', 'workers/env.ts', 'workers/log.ts'],
  'workers/coordinator': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/registrations': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/registry': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/credentials': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/text': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/reports': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/response': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/evidence-files': [
    'shared',
    'workers/coordinator',
    'workers/http',
    'workers/register',
    'workers/reports',
    'workers/storage',
    'workers/env.ts',
    'workers/log.ts',
  ],
  'workers/appeals': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/metrics': [
    'shared',
    'workers/http',
    'workers/admin',
    'workers/storage',
    'workers/env.ts',
    'workers/log.ts',
  ],
  'workers/notices': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/drift': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/feed': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/register': ['shared', 'workers/http', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
  'workers/usage': ['shared', 'workers/storage', 'workers/env.ts', 'workers/log.ts'],
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
    'cli/private-files.ts',
    'cli/secrets.ts',
    'cli/temporary.ts',
  ],
  'cli/proof': ['shared', 'cli/import', 'cli/publish', 'cli/failure.ts', 'cli/secrets.ts'],
  'cli/text': [
    'shared',
    'data',
    'cli/import',
    'cli/publish',
    'cli/terminal',
    'cli/admin.ts',
    'cli/failure.ts',
    'cli/paths.ts',
    'cli/private-files.ts',
    'cli/secrets.ts',
    'cli/temporary.ts',
  ],
  // `npm start` runs the example issuer for the demo.
  cli: ['shared', 'data', 'examples/issuer', 'package.json'],
  bench: ['data', 'shared', 'cli', 'workers', 'examples', 'test/gateways/support'],
  // Users copy the examples, so each import must be copied with them or be a package.
  examples: [],
};

describe('imports', () => {
  it.each(Object.entries(MAY_IMPORT))('%s imports only what is below it', (room, allowed) => {
    const below = [room, ...allowed];
    const wrong = code
      .filter(({ path }) => path.startsWith(`${room}/`))
      .flatMap(({ path, imports }) => imports.map((target) => `${path} → ${target}`))
      .filter((arrow) => !below.some((place) => arrow.split(' → ')[1]!.startsWith(place)));
    expect(wrong).toEqual([]);
  });

  it('never ships the builder or an asset in the bundle of a Worker', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const target of sources.find((source) => source.path === path)?.imports ?? []) visit(target);
    };
    for (const { path } of code) if (path.startsWith('workers/')) visit(path);
    expect([...reached].filter((path) => /^(shared\/build|workers\/public)\//.test(path))).toEqual([]);
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
});
