/**
 * Text from the service, from files and from the command line in the output of commands. Terminals must not
 * obey it.
 */
import '../support/workspace.ts';
import { globSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { note } from '../../../cli/terminal/output.ts';
import { startProgress } from '../../../cli/terminal/progress.ts';
import { styleText, visible } from '../../../cli/terminal/visible.ts';
import { inputsOf, pathOf } from '../support/builds.ts';
import { numgate, spawnNumgate } from '../support/command.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { catalogue, SUSPENDED, write } from '../support/workspace.ts';

/** Clears the screen, forges a line, sets colours and the title, reverses text, and hides text. */
const HOSTILE =
  '\u001b[2J\rx\nfake \u001b[31mred\u001b]0;t\u0007\u009b1A\u202eabc\u200b\u00ad\u{e0041}\u2028\u007f';
const SHOWN =
  '\\u001b[2J\\u000dx\\u000afake \\u001b[31mred\\u001b]0;t\\u0007\\u009b1A\\u202eabc\\u200b\\u00ad\\udb40\\udc41\\u2028\\u007f';
/** Invisible characters, except the line feed of the program itself. */
const OBEYED = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const ENTRY = {
  ...{ number: null, source: HOSTILE, fingerprint: 'f'.repeat(16), op: 'block', code: 'SENDER_REPORTED' },
  ...{ subjects: ['from'], authority: 'kisa', until: null, seq: 7, at: '2026-11-24T03:12:09Z' },
  ...{ by: 'token:root', reason: HOSTILE },
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('text from elsewhere', () => {
  it('is escaped like in JSON, whatever its length or place', () => {
    expect(visible(HOSTILE)).toBe(SHOWN);
    expect(JSON.parse(visible(JSON.stringify({ [HOSTILE]: HOSTILE })))).toEqual({ [HOSTILE]: HOSTILE });
    expect(visible('010-2000-5036 (대표) 👍🏽 é\u3164')).toBe('010-2000-5036 (대표) 👍🏽 é\u3164');
  });

  it('is escaped in tables and in --json, which stays the same JSON', async () => {
    const { url } = await fakeService(() => ({ body: { upTo: 7, next: null, entries: [ENTRY] } }));
    process.env.NUMGATE_URL = url;
    const table = await numgate('entries');
    expect([table.code, table.errors]).toEqual([0, '']);
    expect(table.out.split(SHOWN)).toHaveLength(3);
    expect(table.out).not.toMatch(OBEYED);
    const json = await numgate('entries', '--json');
    expect(json.out).not.toMatch(OBEYED);
    expect(JSON.parse(json.out)).toEqual({ entries: [ENTRY] });
  });

  it('is escaped in lines of NDJSON', async () => {
    const record = { n: 1, hash: 'f', reason: HOSTILE };
    const { url } = await fakeService((_, count) => ({
      body: count === 1 ? `${JSON.stringify(record)}\n` : '',
    }));
    process.env.NUMGATE_URL = url;
    const { out } = await numgate('audit', 'export');
    expect(out).not.toMatch(OBEYED);
    expect(JSON.parse(out)).toEqual(record);
  });

  it('is escaped in refusals of releases', async () => {
    const info = { release: '20261125T2236Z-a', state: 'refused', base: null, foldedSeq: 0, stagedAt: '' };
    const refusal = { code: 'GUARD_HIT', message: HOSTILE };
    const rest = { by: 'numgate', promotedAt: null, readable: false, numbers: 1, bytes: 1 };
    const { url } = await fakeService(() => ({ body: { releases: [{ ...info, refusal, ...rest }] } }));
    process.env.NUMGATE_URL = url;
    const { out } = await numgate('releases');
    expect(out).toContain(SHOWN);
    expect(out).not.toMatch(OBEYED);
  });

  it('is escaped in the messages of the service', async () => {
    const items = [{ index: 0, code: 'ENTRY_INVALID', message: HOSTILE }];
    const { url } = await fakeService(() => problem(422, 'ENTRY_INVALID', { message: HOSTILE, items }));
    process.env.NUMGATE_URL = url;
    const { errors } = await numgate('status');
    expect(errors).toBe(`error: ENTRY_INVALID: ${SHOWN}\n  item 1: ENTRY_INVALID: ${SHOWN}\n`);
  });

  it.each([
    ['names of columns', 'a.csv', `number,${HOSTILE.replaceAll(/[\r\n]/g, '')}\n01012345678,x\n`],
    ['what is not JSON', 'b.json', `{"lists": \u001b[2J\u202e`],
    ['names of fields', 'c.json', JSON.stringify({ lists: [SUSPENDED], inputs: [], '\u001b[2J\u202e': 1 })],
  ])('is escaped in errors about %s', async (_what, name, content) => {
    const file = write(name, content);
    const path = name.endsWith('.csv')
      ? catalogue('hostile.json', { inputs: [{ file: name, list: 'suspended' }] })
      : file;
    const { code, errors } = await numgate('build', '--offline', path, '--out', pathOf('hostile'));
    expect(code).toBeGreaterThan(0);
    expect(errors).toMatch(/\\u001b|\\u202e/);
    expect(errors).not.toMatch(OBEYED);
  });

  it.each([[['\u001b[2Jstatus']], [['status', '--\u202eabc']], [['build', '\u001b[2J']]])(
    'is escaped in errors about the command line: %j',
    async (args) => {
      for (const all of [args, [...args, '--json']]) {
        const { code, out, errors } = await spawnNumgate(...all);
        expect(code).toBeGreaterThan(0);
        expect(out + errors).toMatch(/\\u001b|\\u202e/);
        expect(out + errors).not.toMatch(OBEYED);
      }
    },
  );

  it('is escaped beside a progress bar, which still moves the cursor', () => {
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    let written = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
    const bar = startProgress('block');
    bar.update(0.5, HOSTILE);
    bar.stop();
    Reflect.deleteProperty(process.stderr, 'isTTY');
    expect(written).toContain('\u001b[?25l');
    expect(written).toContain(SHOWN);
  });
});

describe('the program itself', () => {
  it('may colour its text, but nobody else in its name', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    vi.stubEnv('NO_COLOR', undefined);
    let written = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
    note(`${styleText('red', 'error')}: \u001b[31mx\u001b[39m\n${styleText('bold', '\u001b[1my')}\n`);
    expect(written).toBe(
      '\u001b[31merror\u001b[39m: \\u001b[31mx\\u001b[39m\n\u001b[1m\\u001b[1my\u001b[22m\n',
    );
  });

  it('keeps its colours on a terminal and within a table', async () => {
    vi.stubEnv('FORCE_COLOR', '1');
    const args = [
      'build',
      '--offline',
      inputsOf('colours', ['010-2345-6789'], ['KR-GOV']),
      '--out',
      pathOf('colours'),
    ];
    const { out } = await spawnNumgate(...args);
    expect(out).toContain('\u001b[1m');
    expect(out).not.toContain('\\u001b');
  });

  it('writes only in cli/terminal/output.ts, with the colours of cli/terminal/visible.ts', () => {
    const root = new URL('../../../', import.meta.url).pathname;
    // These write scripts for shells byte by byte: a completion script and its answers.
    const raw = ['cli/complete.ts', 'cli/commands/completion.ts', 'cli/terminal/output.ts'];
    const wrong = globSync('cli/**/*.ts', { cwd: root }).filter((path) => {
      const text = readFileSync(`${root}${path}`, 'utf8');
      const writes = /process\.std(out|err)\.write|console\.\w+\(/.test(text) && !raw.includes(path);
      return writes || (/styleText[^;]*from 'node:util'/.test(text) && path !== 'cli/terminal/visible.ts');
    });
    expect(wrong).toEqual([]);
  });
});
