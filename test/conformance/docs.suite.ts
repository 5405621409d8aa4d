/**
 * docs/api.md and this folder's README.md against the code: no code, test number or test that is not there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as limits from '../../shared/limits.ts';
import { CODES } from '../../shared/verdict.ts';
import { PROBLEMS } from '../../workers/http.ts';
import { document } from './support/ask.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';

const bounds = new Map<string, number>(Object.entries(limits));
const here = new URL('./', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, here), 'utf8');

describe('docs/api.md', () => {
  const page = read('../../docs/api.md');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));

  it('has a row for every code, with its test number and the verdict of that', () => {
    for (const { code, verdict, written } of TEST_NUMBERS) {
      const row = rows.find((line) => line.includes(`\`${code}\``)) ?? '';
      expect([code, row.includes(written), row.includes(`\`${verdict}\``)]).toEqual([code, true, true]);
    }
    expect(TEST_NUMBERS).toHaveLength(CODES.length);
  });

  it('has only answers that the OpenAPI document describes', async () => {
    const judge = await document();
    const answers = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => JSON.parse(text!));
    expect(answers.length).toBeGreaterThan(4);
    for (const answer of answers) {
      const described = ['CheckAnswer', 'BatchAnswer', 'Health', 'Problem'].filter(
        (name) => judge.errorsAs(name, answer) === '',
      );
      expect(described).toHaveLength(1);
    }
  });

  it('has the bounds of the code', () => {
    const written = [...page.matchAll(/^\| `([A-Z_]+)`\s+\| ([\d,]+)\s+\| [^|]*\|$/gm)].filter(([, name]) =>
      bounds.has(name!),
    );
    expect(written.length).toBeGreaterThan(5);
    for (const [, name, value] of written) {
      expect([name, Number(value!.replaceAll(',', ''))]).toEqual([name, bounds.get(name!)]);
    }
  });

  it('has a row for every problem code, with its status', () => {
    for (const [code, [status]] of Object.entries(PROBLEMS)) {
      expect([
        code,
        rows.some((line) => line.includes(`\`${code}\``) && line.includes(String(status))),
      ]).toEqual([code, true]);
    }
  });
});

describe('README.md of the conformance tests', () => {
  const named = [...read('README.md').matchAll(/^\|[^|]*\| `([\w-]+\.suite\.ts)`\s*\| ([^|]+?)\s*\|$/gm)];

  it('names only tests that exist', () => {
    expect(named.length).toBeGreaterThan(40);
    for (const [, file, test] of named) {
      expect([file, test, read(file!).includes(test!)]).toEqual([file, test, true]);
    }
  });

  it('names at least one test of every suite', () => {
    const suites = readdirSync(here).filter((name) => name.endsWith('.suite.ts'));
    expect(new Set(named.map(([, file]) => file))).toEqual(new Set(suites));
  });
});
