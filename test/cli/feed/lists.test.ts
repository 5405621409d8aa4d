/** The lists of a pull: their names, their content, and that a build accepts them beside other lists. */
import '../support/workspace.ts';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build } from '../../../cli/commands/build.ts';
import { prove, QUICK_STEP } from '../../../cli/commands/prove.ts';
import { FeedEntries } from '../../../cli/feed/entries.ts';
import { writeLists } from '../../../cli/feed/list-files.ts';
import { LIST_DEFAULTS, type ListSettings, planLists } from '../../../cli/feed/lists.ts';
import { planTexts, type TextPlan } from '../../../cli/feed/text-files.ts';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import type { PartyEntry } from '../../../shared/feed/entry.ts';
import { failureOf } from '../support/failing.ts';
import { BLOCK } from '../support/fake-feed.ts';
import { BUILDS, catalogue, FOLDER, SUSPENDED, write } from '../support/workspace.ts';

const PLACE = { position: 7, at: '2026-11-27T01:02:03.004Z' };

function entriesOf(...given: readonly Partial<PartyEntry>[]): FeedEntries {
  const entries = new FeedEntries();
  for (const [index, entry] of given.entries()) entries.set(`r${index}`, { ...BLOCK, ...entry });
  return entries;
}

function textsOf({ texts }: FeedEntries): TextPlan {
  return planTexts(texts, null, LIST_DEFAULTS);
}

/** The numbers and sources of each list, by its name. */
function listed(entries: FeedEntries, settings: Partial<ListSettings> = {}): Record<string, string[]> {
  const { lists } = planLists(entries, { ...LIST_DEFAULTS, ...settings });
  return Object.fromEntries(
    lists.map(({ list, slots }) => [
      list.name,
      slots.map((slot) => entries.at(slot).number ?? entries.at(slot).source!),
    ]),
  );
}

const RULE = { authority: 'numgate', rule: 'kr-50@3', stage: 'confirmed' } as const;
const ALLOW = { effect: 'allow', code: null } as const;
const [A, B, C] = ['+821020000001', '+821020000002', '+821020000003'];

describe('the lists of a feed', () => {
  it('are one for each effect, code, authority, rule, stage and set of subjects', () => {
    const entries = entriesOf(
      { number: B, subject: 'to' },
      { number: B, subject: 'from' },
      { number: A, subject: 'from' },
      { number: A, subject: 'to', code: 'NUMBER_SUSPENDED' },
      { number: C, authority: 'ktoa' },
      { number: C, subject: 'to', ...ALLOW },
      { number: '+821020000004', ...RULE },
      { number: '+821020000005', ...RULE, stage: 'provisional' },
      { number: '+821020000006', effect: 'label', code: 'OVERSEAS_NUMBER_LISTED' },
      { number: null, source: 'PARCEL-KR' },
    );
    expect(listed(entries)).toEqual({
      'feed-sender-reported-kisa': [B],
      'feed-from-sender-reported-kisa': [A, 'PARCEL-KR'],
      'feed-to-number-suspended-kisa': [A],
      'feed-from-sender-reported-ktoa': [C],
      'feed-to-allow-kisa': [C],
      'feed-from-sender-reported-numgate-kr-50-3-confirmed': ['+821020000004'],
      'feed-from-sender-reported-numgate-kr-50-3-provisional': ['+821020000005'],
      'feed-from-label-overseas-number-listed-kisa': ['+821020000006'],
    });
  });

  it('do not join the two subjects of a number if they end at different times', () => {
    const until = '2099-01-01T00:00:00.000Z';
    expect(listed(entriesOf({ number: A, until }, { number: A, subject: 'to' }))).toEqual({
      'feed-from-sender-reported-kisa': [A],
      'feed-to-sender-reported-kisa': [A],
    });
  });

  it('leave out what is unblocked, or take another authority and prefix, if they should', () => {
    const entries = entriesOf({ number: A, ...ALLOW }, { number: B, authority: 'ktoa' });
    expect(listed(entries, { unblocks: false, authority: 'partner', prefix: 'north' })).toEqual({
      'north-from-sender-reported-partner': [B],
    });
  });

  it('share a list without a rule if there are too many rules, the smallest first', () => {
    const rules = [1, 2, 3].flatMap((version) =>
      Array.from({ length: version }, (_, index) => ({
        ...RULE,
        rule: `kr-50@${version}`,
        number: `+8210200${version}000${index}`,
      })),
    );
    const entries = entriesOf(...rules, { number: A });
    expect(Object.keys(listed(entries, { listsMax: 3 }))).toEqual([
      'feed-from-sender-reported-kisa',
      'feed-from-sender-reported-numgate',
      'feed-from-sender-reported-numgate-kr-50-3-confirmed',
    ]);
    expect(listed(entries, { listsMax: 3 })['feed-from-sender-reported-numgate']).toHaveLength(3);
    expect(() => listed(entries, { listsMax: 1 })).toThrow(
      /^the feed needs 2 lists .* more than 1: allow more/,
    );
  });

  it('are for one subject each if there are too many', () => {
    const entries = entriesOf(
      ...(['from', 'to'] as const).map((subject) => ({ number: A, subject })),
      { number: B },
      { number: C, subject: 'to' },
    );
    expect(Object.keys(listed(entries, { listsMax: 3 }))).toHaveLength(3);
    expect(listed(entries, { listsMax: 2 })).toEqual({
      'feed-from-sender-reported-kisa': [B, A],
      'feed-to-sender-reported-kisa': [C, A],
    });
  });

  it('leave out and count codes that this version does not know', () => {
    const plan = planLists(entriesOf({ code: 'CODE_OF_2030' }, { number: B }), LIST_DEFAULTS);
    expect(plan.unknownCodes).toEqual({ CODE_OF_2030: 1 });
    expect(plan.lists.map(({ list }) => list.name)).toEqual(['feed-from-sender-reported-kisa']);
  });
});

describe('the files of the lists', () => {
  const folderOf = (): string => mkdtempSync(join(FOLDER, 'lists-'));
  const writeTo = (folder: string, entries: FeedEntries, position = 7): string =>
    writeLists(folder, planLists(entries, LIST_DEFAULTS), textsOf(entries), entries, { ...PLACE, position })
      .catalogue;

  it('have a row for each entry, with its end', () => {
    const folder = folderOf();
    const path = writeTo(
      folder,
      entriesOf(
        { number: A, until: '2099-01-01T00:00:00.000Z' },
        { number: B },
        { number: null, source: '1588-가게' },
        { number: null, source: 'operator:515-02' },
      ),
    );
    const rows = readFileSync(join(dirname(path), 'feed-from-sender-reported-kisa.ndjson'), 'utf8');
    expect(
      rows
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { number: A, until: '2099-01-01T00:00:00.000Z' },
      { number: B },
      { number: 'sender:1588-가게' },
      { number: 'operator:515-02' },
    ]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      lists: [
        {
          ...{ name: 'feed-from-sender-reported-kisa', reason: 'SENDER_REPORTED', effect: 'block' },
          ...{ subjects: ['from'], authority: 'kisa', sources: true, asOf: PLACE.at },
        },
      ],
      inputs: [{ file: 'feed-from-sender-reported-kisa.ndjson', list: 'feed-from-sender-reported-kisa' }],
    });
    expect(lstatSync(join(dirname(path), 'feed-from-sender-reported-kisa.ndjson')).mode & 0o77).toBe(0);
  });

  it('are replaced by one link, and some older ones stay', () => {
    const folder = folderOf();
    for (let position = 1; position <= 9; position++) writeTo(folder, entriesOf({ number: A }), position);
    const link = readlinkSync(join(folder, 'current'));
    expect(link).toMatch(/^lists\/000000000009-[0-9a-f]{12}$/);
    expect(readdirSync(join(folder, 'lists')).map((name) => Number(name.slice(0, 12)))).toEqual([
      5, 6, 7, 8, 9,
    ]);
    writeTo(folder, entriesOf({ number: A }), 9);
    expect(readlinkSync(join(folder, 'current'))).toBe(link);
  });

  it('build beside other lists, and prove after a later pull has replaced them', async () => {
    const folder = folderOf();
    const path = writeTo(
      folder,
      entriesOf(
        { number: A, ...RULE },
        { number: B, until: '2099-01-01T00:00:00.000Z' },
        { number: C, ...ALLOW },
        { number: null, source: 'PARCEL-KR' },
      ),
    );
    write('beside/home.txt', '+821030000001\n');
    const own = catalogue('beside/own.lists.json', {
      lists: [SUSPENDED],
      inputs: [{ file: 'home.txt', list: 'suspended' }],
      include: [path],
    });
    const { folder: built, manifest } = await build({
      ...{ catalogue: own, builds: join(BUILDS, 'beside'), maxRejects: 0, admin: null },
    });
    expect(
      manifest.lists.map(({ name, rule, stage, numbers, dated, sources }) => [
        ...[name, rule, stage, numbers, dated, sources],
      ]),
    ).toEqual([
      ['suspended', undefined, undefined, 1, 0, 0],
      ['feed-from-allow-kisa', undefined, undefined, 1, 0, 0],
      ['feed-from-sender-reported-kisa', undefined, undefined, 0, 1, 1],
      ['feed-from-sender-reported-numgate-kr-50-3-confirmed', 'kr-50@3', 'confirmed', 1, 0, 0],
    ]);
    writeTo(folder, entriesOf({ number: B }), 8);
    expect(await prove(built, QUICK_STEP)).toMatchObject({ wrong: 0 });
  });

  it('of an empty feed build too', async () => {
    const path = writeTo(folderOf(), entriesOf());
    const own = catalogue('empty-feed.lists.json', { lists: [SUSPENDED], include: [path] });
    expect(readCatalogue(own).lists.map(({ name }) => name)).toEqual(['suspended']);
    expect((await failureOf(() => readCatalogue(path))).message).toContain('lists must have at least 1 item');
  });
});
