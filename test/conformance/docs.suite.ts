/** The documents and the README.md of this folder agree with the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../cli/families.ts';
import { CODES } from '../../shared/verdict.ts';
import { PROBLEMS } from '../../workers/http/all-problems.ts';
import { openApi } from './support/send.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';

const here = new URL('./', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, here), 'utf8');

const limits = readdirSync(new URL('../../shared/limits/', here));
const bounds = new Map<string, number>(
  (
    await Promise.all(
      limits.map((name) => import(`../../shared/limits/${name}`) as Promise<Record<string, number>>),
    )
  ).flatMap((each) => Object.entries(each)),
);

/** Schemas of complete responses. */
const SCHEMAS = [
  'CheckAnswer',
  'SenderCheckAnswer',
  'BatchAnswer',
  'Health',
  'Problem',
  'EntriesDone',
  'EntriesFound',
  'ReportResults',
];

describe('docs/api.md', () => {
  const page = read('../../docs/api.md');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));

  it('every code has a row with its test number and verdict', () => {
    for (const { code, verdict, written } of TEST_NUMBERS) {
      const row = rows.find((line) => line.includes(`\`${code}\``)) ?? '';
      expect([code, row.includes(written), row.includes(`\`${verdict}\``)]).toEqual([code, true, true]);
    }
    expect(TEST_NUMBERS).toHaveLength(CODES.length);
  });

  it('every JSON response matches the OpenAPI document', async () => {
    const openapi = await openApi();
    const answers = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => JSON.parse(text!));
    expect(answers.length).toBeGreaterThan(4);
    for (const answer of answers) {
      const described = SCHEMAS.filter((name) => openapi.errorsAs(name, answer) === '');
      expect(described).toHaveLength(1);
    }
  });

  it('every bound equals the bound in the code', () => {
    const written = [...page.matchAll(/^\| `([A-Z_]+)`\s+\| ([\d,]+)\s+\| [^|]*\|$/gm)].filter(([, name]) =>
      bounds.has(name!),
    );
    expect(written.length).toBeGreaterThan(5);
    for (const [, name, value] of written) {
      expect([name, Number(value!.replaceAll(',', ''))]).toEqual([name, bounds.get(name!)]);
    }
  });

  it('every problem code has a row with its status', () => {
    for (const [code, [status]] of Object.entries(PROBLEMS)) {
      expect([
        code,
        rows.some((line) => line.includes(`\`${code}\``) && line.includes(String(status))),
      ]).toEqual([code, true]);
    }
  });
});

describe('docs/storage.md', () => {
  const page = read('../../docs/storage.md');

  it.each([
    'coordinator/schema',
    'registrations/schema',
    'reports/schema',
    'appeals/schema',
    'metrics/metric-totals',
    'coordinator/qualification-notices',
    'notices/router-tables',
    'storage/notice-outbox',
    'usage/mobile-texts',
    'coordinator/feed-source',
    'feed/schema',
    'notices/schema',
    'statistics/schema',
    'storage/store-tables',
    'storage/sealed-values',
    'text/schema',
  ])('every table and column of workers/%s is documented', (file) => {
    const schema = read(`../../workers/${file}.ts`);
    const tables = [
      ...schema.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(([\s\S]*?)\)(?: WITHOUT|;|')/g),
    ];
    expect(tables).toHaveLength(schema.split('CREATE TABLE ').length - 1);
    for (const [, table, body] of tables) {
      const columns = [...body!.matchAll(/(?:^|,)\s*([a-z_0-9]+) [A-Z]/gm)].map(([, column]) => column!);
      expect(columns.length).toBeGreaterThan(0);
      for (const name of [table!, ...columns])
        expect([table, name, page.includes(`\`${name}\``)]).toEqual([...[table, name, true]]);
    }
  });

  it('every key of Workers KV is documented', () => {
    const keys = [...read('../../shared/release/kv-keys.ts').matchAll(/(?:_PREFIX|_KEY) = '([^']+)'/g)];
    expect(keys.length).toBeGreaterThan(5);
    for (const [, key] of keys) expect([key, page.includes(`\`${key}`)]).toEqual([key, true]);
  });
});

describe('docs/operations.md', () => {
  it('every log event is documented', () => {
    const page = read('../../docs/operations.md');
    const sources = readdirSync(new URL('../../workers', here), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`../../workers/${name}`));
    const events = sources.flatMap((text) =>
      [...text.matchAll(/\bwarn(?:Failed)?\('(\w+)'/g)].map(([, event]) => event!),
    );
    expect(events.length).toBeGreaterThan(8);
    for (const event of events) expect([event, page.includes(`\`${event}\``)]).toEqual([event, true]);
  });
});

describe('every document', () => {
  const folder = new URL('../../docs', here);
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => [`docs/${name}`, read(`../../docs/${name}`)] as const);

  it.each(pages)('%s names only bounds that exist', (_path, text) => {
    const named = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)*_(?:MAX|MIN|MS|SECONDS|FAILURES|SHARE|BACK))`/g)];
    expect(named.map(([, name]) => name!).filter((name) => !bounds.has(name))).toEqual([]);
  });

  it.each([...pages, ['README.md', read('../../README.md')] as const])(
    '%s names only commands that exist',
    (_path, text) => {
      const families = Object.values(FAMILIES).flat();
      const commands = new Set([...families.flatMap((family) => family.commands), '<command>']);
      const named = [...text.matchAll(/npx numgate(?: --json)? (?!--)([\w<>-]+)/g)];
      expect(named.map(([, name]) => name!).filter((name) => !commands.has(name))).toEqual([]);
    },
  );
});

describe('README.md of the conformance tests', () => {
  const named = [...read('README.md').matchAll(/^\|[^|]*\| `([\w-]+\.suite\.ts)`\s*\| ([^|]+?)\s*\|$/gm)];

  it('the table names only tests that exist', () => {
    expect(named.length).toBeGreaterThan(40);
    for (const [, file, test] of named) {
      expect([file, test, read(file!).includes(test!)]).toEqual([file, test, true]);
    }
  });

  it('the table names at least one test of every suite', () => {
    const suites = readdirSync(here).filter((name) => name.endsWith('.suite.ts'));
    expect(new Set(named.map(([, file]) => file))).toEqual(new Set(suites));
  });
});
