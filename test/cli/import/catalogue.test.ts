/**
 * The catalogue: its fields and defaults, and that errors name the field.
 */
import '../support/workspace.ts';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import { LISTS_MAX } from '../../../shared/limits/lists.ts';
import { failureOf } from '../support/failing.ts';
import { type CatalogueParts, catalogue, FOLDER, SUSPENDED, write } from '../support/workspace.ts';

const DEMO = join(import.meta.dirname, '../../../data/demo.lists.json');

describe('a catalogue', () => {
  it('blocks senders and recipients by default', () => {
    const { lists, inputs } = readCatalogue(
      catalogue('in/c.json', { lists: [SUSPENDED], inputs: [{ file: '../a.csv' }, { file: '/b.csv' }] }),
    );
    expect(lists).toEqual([{ ...SUSPENDED, effect: 'block', subjects: ['from', 'to'], sources: false }]);
    expect(inputs.map(({ path, list }) => [path, list])).toEqual([
      [join(FOLDER, 'a.csv'), null],
      ['/b.csv', null],
    ]);
  });

  it('may begin with a byte order mark', () => {
    const text = JSON.stringify({ lists: [SUSPENDED], inputs: [] });
    expect(readCatalogue(write('bom.json', `\ufeff${text}`)).lists).toHaveLength(1);
  });

  it('with a name twice in one object is refused', () => {
    const text = JSON.stringify({ lists: [SUSPENDED], inputs: [] });
    const path = write('twice.json', text.replace('"lists":', '"inputs":[],"lists":'));
    expect(() => readCatalogue(path)).toThrow('twice.json: an object has "inputs" twice: keep one of them');
  });

  it('of the demo is valid', () => {
    expect(readCatalogue(DEMO).lists.length).toBeGreaterThan(0);
  });

  it.each<[string, Partial<CatalogueParts>, string]>([
    [
      'a name with capitals',
      { lists: [{ ...SUSPENDED, name: 'Bad' }] },
      'lists[0].name must have only lower case letters',
    ],
    [
      'an unknown reason',
      { lists: [{ ...SUSPENDED, reason: 'SPAM' }] },
      'lists[0].reason must be one of NUMBER_FORMAT_INVALID, ',
    ],
    [
      'an unknown effect',
      { lists: [SUSPENDED, { ...SUSPENDED, effect: 'drop' }] },
      'lists[1].effect must be one of allow, block, label, shadow',
    ],
    [
      'no subject',
      { lists: [{ ...SUSPENDED, subjects: [] }] },
      'lists[0].subjects must have at least 1 item',
    ],
    [
      'too many subjects',
      { lists: [{ ...SUSPENDED, subjects: ['from', 'to', 'from'] }] },
      'lists[0].subjects must have at most 2 items',
    ],
    [
      'an unknown subject',
      { lists: [{ ...SUSPENDED, subjects: ['cc'] }] },
      'lists[0].subjects[0] must be one of from, to',
    ],
    ['no authority', { lists: [{ ...SUSPENDED, authority: undefined }] }, 'lists[0].authority is missing'],
    ['an invalid date', { lists: [{ ...SUSPENDED, asOf: 'today' }] }, 'lists[0].asOf must be a time such as'],
    [
      'an unknown field',
      { lists: [{ ...SUSPENDED, colour: 'red' }] },
      'lists[0].colour is not a field here; known fields: name, reason, effect, ',
    ],
    [
      'an unknown field of an input',
      { inputs: [{ file: 'a', lsit: 'x' }] },
      'inputs[0].lsit is not a field here; known fields: file, format, list',
    ],
    ['a number as a name', { lists: [{ ...SUSPENDED, name: 1 }] }, 'lists[0].name must be a string'],
    ['no list', { lists: [] }, 'lists must have at least '],
    [
      'too many lists',
      { lists: Array.from({ length: LISTS_MAX + 1 }, (_, at) => ({ ...SUSPENDED, name: `l${at}` })) },
      'lists must have at most 32 items',
    ],
    [
      'an allow list that would block',
      { lists: [{ ...SUSPENDED, reason: 'ALLOW_OVERRIDE' }] },
      'list suspended: "reason": "ALLOW_OVERRIDE" requires "effect": "allow"',
    ],
    [
      'an allow list with the reason of a block',
      { lists: [{ ...SUSPENDED, effect: 'allow' }] },
      'list suspended: "effect": "allow" requires "reason": "ALLOW_OVERRIDE"',
    ],
    ...['TEST_NUMBER', 'LIST_STALE', 'LIST_UNAVAILABLE', 'EMERGENCY_NEVER_BLOCKED'].map(
      (reason): [string, Partial<CatalogueParts>, string] => [
        `the reason ${reason}, which no list may have`,
        { lists: [{ ...SUSPENDED, reason }] },
        'lists[0].reason must be one of ',
      ],
    ),
    [
      'a reserved name',
      { lists: [{ ...SUSPENDED, name: 'live-mine' }] },
      'list live-mine: the name "live" and names that begin with live- are reserved',
    ],
    ['two lists with one name', { lists: [SUSPENDED, SUSPENDED] }, 'two lists have the name suspended'],
    ['an input without a file', { inputs: [{}] }, 'inputs[0].file is missing'],
    [
      'an unknown format',
      { inputs: [{ file: 'a', format: 'xls' }] },
      'inputs[0].format must be one of csv, ndjson, plain',
    ],
    [
      'an input for an unknown list',
      { inputs: [{ file: 'a.txt', list: 'x' }] },
      'input a.txt names an unknown list: x',
    ],
  ])('with %s is rejected by its field', async (_, parts, message) => {
    const path = catalogue('bad.json', parts);
    const failure = await failureOf(() => readCatalogue(path));
    expect(failure.message).toContain(`${path}: ${message}`);
  });

  it('that does not exist or is not JSON is rejected by its path', async () => {
    const missing = join(FOLDER, 'missing.json');
    expect((await failureOf(() => readCatalogue(missing))).message).toMatch(/missing\.json: does not exist$/);
    const path = write('broken.json', '{"lists":[');
    expect((await failureOf(() => readCatalogue(path))).message).toMatch(/broken\.json: .*JSON/);
  });
});
