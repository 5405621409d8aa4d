/** The catalogue: its fields and defaults. Errors name the field. */
import '../support/workspace.ts';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import { collect } from '../../../cli/import/collect.ts';
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
      'lists[0].colour is not an allowed field; known fields: name, reason, effect, ',
    ],
    [
      'an unknown field of an input',
      { inputs: [{ file: 'a', lsit: 'x' }] },
      'inputs[0].lsit is not an allowed field; known fields: file, format, list',
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
    [
      'a rule without a stage',
      { lists: [{ ...SUSPENDED, rule: 'kr-50@3' }] },
      'list suspended: "rule" and "stage" require each other',
    ],
    [
      'a stage without a rule',
      { lists: [{ ...SUSPENDED, stage: 'confirmed' }] },
      'list suspended: "rule" and "stage" require each other',
    ],
    [
      'a rule without a version',
      { lists: [{ ...SUSPENDED, rule: 'kr-50', stage: 'confirmed' }] },
      'lists[0].rule must be a rule and its version: kr-50@3',
    ],
    [
      'an unknown stage',
      { lists: [{ ...SUSPENDED, rule: 'kr-50@3', stage: 'final' }] },
      'lists[0].stage must be one of provisional, confirmed',
    ],
    [
      'an allow list of a rule',
      {
        lists: [
          ...[
            { ...SUSPENDED, reason: 'ALLOW_OVERRIDE', effect: 'allow', rule: 'kr-50@3', stage: 'confirmed' },
          ],
        ],
      },
      'list suspended: "rule" requires an "effect" other than "allow"',
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

  describe('that includes others', () => {
    const other = { ...SUSPENDED, name: 'other', reason: 'SENDER_REPORTED' };
    const included = (name: string, parts: Partial<CatalogueParts>): string =>
      catalogue(`included/${name}.json`, { lists: [other], ...parts });

    it('has their lists after its own, with the inputs of each', () => {
      const path = included('one', { inputs: [{ file: 'one.txt', list: 'other' }] });
      const { lists, inputs } = readCatalogue(
        catalogue('with.json', {
          ...{ lists: [SUSPENDED], inputs: [{ file: 'own.txt', list: 'suspended' }] },
          include: ['included/one.json'],
        }),
      );
      expect(lists.map(({ name }) => name)).toEqual(['suspended', 'other']);
      expect(inputs.map((input) => [input.path, input.list, input.part.first])).toEqual([
        [join(FOLDER, 'own.txt'), 'suspended', 0],
        [join(FOLDER, 'included/one.txt'), 'other', 1],
      ]);
      expect(path).toBe(join(FOLDER, 'included/one.json'));
    });

    it('fills each list only with the lines of its own file', async () => {
      write('included/rows.csv', 'number,reason\n010-2000-0001,SENDER_REPORTED\n');
      write('rows.csv', 'number,reason\n010-2000-0002,SENDER_REPORTED\n010-2000-0003,NUMBER_SUSPENDED\n');
      included('rows', { inputs: [{ file: 'rows.csv' }] });
      const parts = { lists: [SUSPENDED], inputs: [{ file: 'rows.csv' }], include: ['included/rows.json'] };
      const entries: [number, unknown][] = [];
      const rejects: string[] = [];
      await collect(readCatalogue(catalogue('rows.json', parts)), {
        now: 0,
        onEntry: ({ list, what }) => entries.push([list, what]),
        onReject: ({ code, line }) => rejects.push(`${code} ${line}`),
        onProgress: () => undefined,
      });
      expect(entries).toEqual([
        [0, { kind: 'number', n: 821020000003 }],
        [1, { kind: 'number', n: 821020000001 }],
      ]);
      expect(rejects).toEqual(['LIST_UNKNOWN 2']);
    });

    it.each<[string, () => Partial<CatalogueParts>, string]>([
      ['a file that does not exist', () => ({ include: ['no.json'] }), 'no.json: does not exist'],
      [
        'one that includes another',
        () => ({ include: [included('nested', { include: ['one.json'] })] }),
        'nested.json: an included catalogue must not have "include": include those catalogues in',
      ],
      [
        'a list with the name of one of its own',
        () => ({ lists: [other], include: [included('same', {})] }),
        'same.json: two lists have the name other',
      ],
      [
        'too many lists in all',
        () => ({
          lists: Array.from({ length: LISTS_MAX }, (_, at) => ({ ...SUSPENDED, name: `l${at}` })),
          include: [included('more', {})],
        }),
        '33 lists, including those of the included catalogues; a release has at most 32',
      ],
      [
        'a wrong list',
        () => ({ include: [included('wrong', { lists: [{ ...other, effect: 'drop' }] })] }),
        'wrong.json: lists[0].effect must be one of',
      ],
    ])('with %s is rejected', async (_, parts, message) => {
      const path = catalogue('including.json', { lists: [SUSPENDED], ...parts() });
      expect((await failureOf(() => readCatalogue(path))).message).toContain(message);
    });
  });
});
