/**
 * `numgate operators`. Only this command and commands with entries of operators load the table of operators.
 */
import '../support/workspace.ts';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CommandResult, numgate, spawnNumgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';

const HOOK = fileURLToPath(new URL('../support/record-loads.ts', import.meta.url));
const TABLE = 'mcc-mnc-list';

/** Runs a command. @returns its result and the packages that it loaded */
async function loadedBy(...args: string[]): Promise<CommandResult & { packages: string[] }> {
  process.env.NODE_OPTIONS = `--import ${HOOK}`;
  const running = spawnNumgate(...args);
  delete process.env.NODE_OPTIONS;
  const result = await running;
  return { ...result, packages: /^loaded: (.*)$/m.exec(result.errors)?.[1]?.split(' ') ?? [] };
}

const ENTRY = {
  ...{ number: null, source: 'operator:51502', fingerprint: '0de41f04d08e5aa4', op: 'block' },
  ...{ code: 'SENDER_REPORTED', subjects: ['from'], authority: 'kisa', until: null, seq: 1 },
  ...{ at: '2026-11-24T02:00:00Z', by: 'token:root', reason: 'a test' },
};

describe('operators', () => {
  it('are found by words of their name and country, and by the first digits of their code', async () => {
    const { code, out, packages } = await loadedBy('operators', 'globe', 'philippines', '515', '--json');
    const { operators } = JSON.parse(out) as { operators: { operator: string }[] };
    expect([code, packages]).toEqual([0, expect.arrayContaining([TABLE])]);
    expect(operators).toContainEqual(expect.objectContaining({ operator: '51502', country: 'Philippines' }));
    expect((await numgate('operators', '515-02')).out).toMatch(/operator:51502 .*Globe/);
  });

  it('are not guessed: a word that matches none finds none', async () => {
    const nothing = { code: 0, out: 'no operator matches these words\n', errors: '' };
    expect(await numgate('operators', 'no-such-operator')).toEqual(nothing);
  });
});

describe('the packages that a command loads', () => {
  it.each([
    [['--help']],
    [['block', '--help']],
    [['operators', '--help']],
    [['status']],
    [['build', '--colour']],
  ])('exclude the table of operators and the heavy ones for %j', async (args) => {
    const { packages } = await loadedBy(...args);
    expect(packages).toContain('commander');
    const heavy = ['wrangler', 'miniflare', 'libphonenumber-js', 'cli-table3', 'cli-progress', 'csv-parse'];
    for (const name of [TABLE, ...heavy]) expect(packages).not.toContain(name);
  });

  it('include the table of operators for entries only if there is an operator to name', async () => {
    const { url } = await fakeService((_request, count) => ({
      body: { upTo: 1, next: null, entries: count === 1 ? [ENTRY] : [{ ...ENTRY, source: 'PARCEL-KR' }] },
    }));
    process.env.NUMGATE_URL = url;
    const named = await loadedBy('entries');
    expect(named.out).toMatch(/operator:51502 Globe.* \(Philippines\)/);
    expect(named.packages).toContain(TABLE);
    const unnamed = await loadedBy('entries');
    expect(unnamed.out).toContain('PARCEL-KR');
    expect(unnamed.packages).not.toContain(TABLE);
  });
});
