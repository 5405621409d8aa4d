/** The live layer as lists of a release. At any time the lists have the same effect as the live layer. */
import '../support/workspace.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FoldedList, fold, joinRuleLists } from '../../../cli/import/fold.ts';
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import { NAME_PATTERN } from '../../../shared/schemas.ts';
import { FOREVER } from '../../../shared/set/layout.ts';
import { BLOCK_STAGES, SUBJECTS, type Subject } from '../../../shared/verdict.ts';
import { holds } from '../../shared/support/properties.ts';

const NOW = Date.UTC(2026, 10, 24, 3) / 1000;
const BOTH = ['from', 'to'];

function entry(seq: number, given: Partial<EntryInfo>): EntryInfo {
  return {
    number: '+821020005036',
    source: null,
    fingerprint: null,
    op: 'block',
    code: given.op === undefined || given.op === 'block' ? 'SENDER_REPORTED' : null,
    subjects: BOTH,
    authority: 'kisa',
    until: null,
    seq,
    at: '2026-11-24T02:00:00.000Z',
    by: 'token:root',
    reason: 'a test',
    ...given,
  };
}

const inHours = (hours: number): string => new Date((NOW + hours * 3_600) * 1000).toISOString();

/** Each list in short form: its name, then each entry with its start and end in hours from now. */
function short(lists: readonly FoldedList[]): Record<string, string[]> {
  const hours = (time: number): string =>
    time === 0 ? '' : time === FOREVER ? '' : String((time - NOW) / 3_600);
  return Object.fromEntries(
    lists.map(({ name, entries }) => [
      name,
      entries.map(({ what, since, until }) => {
        const id = what.kind === 'number' ? String(what.n) : what.hex;
        return `${id} ${hours(since)}..${hours(until)}`;
      }),
    ]),
  );
}

const N = 821_020_005_036;
const FINGERPRINT = '0de41f04d08e5aa4';

describe('a folded entry', () => {
  it('is on one list for each code, authority and set of subjects', () => {
    const lists = fold(
      [
        entry(1, {}),
        entry(2, { number: '+821020005037', authority: 'ktoa' }),
        entry(3, { number: '+821020005038', code: 'SUBSCRIBER_DNO', subjects: ['from'] }),
        entry(4, { number: '+821020005039', op: 'unblock' }),
        entry(5, { number: null, source: 'PARCEL-KR', fingerprint: FINGERPRINT }),
      ],
      [],
      NOW,
    );
    expect(short(lists)).toEqual({
      'live-allow-kisa': ['821020005039 ..'],
      'live-from-subscriber-dno-kisa': ['821020005038 ..'],
      'live-sender-reported-kisa': [`${N} ..`, `${FINGERPRINT} ..`],
      'live-sender-reported-ktoa': ['821020005037 ..'],
    });
    expect(
      lists.map(({ reason, effect, subjects, authority }) => [reason, effect, subjects, authority]),
    ).toEqual([
      ['ALLOW_OVERRIDE', 'allow', BOTH, 'kisa'],
      ['SUBSCRIBER_DNO', 'block', ['from'], 'kisa'],
      ['SENDER_REPORTED', 'block', BOTH, 'kisa'],
      ['SENDER_REPORTED', 'block', BOTH, 'ktoa'],
    ]);
  });

  it('identifies a source by its fingerprint and never by its text', () => {
    const lost = { number: null, source: `fingerprint ${FINGERPRINT}` };
    expect(short(fold([entry(1, { ...lost, fingerprint: FINGERPRINT })], [], NOW))).toEqual({
      'live-sender-reported-kisa': [`${FINGERPRINT} ..`],
    });
    expect(() => fold([entry(1, lost)], [], NOW)).toThrow(
      /returned a source without a fingerprint \(seq 1\)/,
    );
  });

  it('is the one that decides now, followed by those that decide later', () => {
    const entries = [
      entry(1, {}),
      entry(2, { until: inHours(48), code: 'SUBSCRIBER_DNO' }),
      entry(3, { op: 'unblock', until: inHours(24) }),
    ];
    expect(short(fold(entries, [], NOW))).toEqual({
      'live-allow-kisa': [`${N} ..24`],
      'live-sender-reported-kisa': [`${N} 48..`],
      'live-subscriber-dno-kisa': [`${N} 24..48`],
    });
  });

  it('does not exist if it was cleared or has expired', () => {
    expect(fold([entry(1, {}), entry(2, { op: 'clear' })], [], NOW)).toEqual([]);
    expect(fold([entry(1, { until: inHours(0) })], [], NOW)).toEqual([]);
  });

  it('is carried over from the previous release, unless a newer entry replaces it', () => {
    const carried = fold(
      [entry(1, {}), entry(2, { number: '+821020005037' }), entry(3, { number: '+821020005038' })],
      [],
      NOW,
    );
    const newer = [
      entry(4, { number: '+821020005037', op: 'unblock', until: inHours(1), subjects: ['to'] }),
      entry(5, { number: '+821020005038', op: 'clear' }),
    ];
    expect(short(fold(newer, carried, NOW))).toEqual({
      'live-from-sender-reported-kisa': ['821020005037 ..'],
      'live-sender-reported-kisa': [`${N} ..`],
      'live-to-allow-kisa': ['821020005037 ..1'],
      'live-to-sender-reported-kisa': ['821020005037 1..'],
    });
  });

  it('of a rule is on a list of its rule and stage', () => {
    const ofRule = { authority: 'numgate', subjects: ['from'], rule: 'kr-50@3' };
    const lists = fold(
      [
        entry(1, { ...ofRule, stage: 'provisional', until: inHours(72) }),
        entry(2, { ...ofRule, stage: 'confirmed', until: inHours(2160), number: '+821020005037' }),
        entry(3, { ...ofRule, rule: 'burst@1', stage: 'confirmed', number: '+821020005038' }),
      ],
      [],
      NOW,
    );
    const name = 'live-from-sender-reported-numgate';
    expect(short(lists)).toEqual({
      [`${name}-burst-1-confirmed`]: ['821020005038 ..'],
      [`${name}-kr-50-3-confirmed`]: ['821020005037 ..2160'],
      [`${name}-kr-50-3-provisional`]: [`${N} ..72`],
    });
    expect(lists.map(({ rule, stage }) => [rule, stage])).toEqual([
      ...[
        ['burst@1', 'confirmed'],
        ['kr-50@3', 'confirmed'],
        ['kr-50@3', 'provisional'],
      ],
    ]);
  });

  it('has a valid list name, however long the name of its authority', () => {
    const authorities = ['a'.repeat(63), `${'a'.repeat(62)}b`];
    const entries = authorities.map((authority, index) =>
      entry(index + 1, { authority, code: 'MOBILE_CLI_ROAMING_UNVERIFIED', subjects: ['to'] }),
    );
    const names = fold(
      entries.map((made, index) => ({ ...made, number: `+82102000503${index}` })),
      [],
      NOW,
    ).map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(NAME_PATTERN);
  });
});

/** The lists that contain the number at this time. */
function listsAt(lists: readonly FoldedList[], subject: Subject, moment: number): string[] {
  return lists
    .filter(({ subjects }) => subjects.includes(subject))
    .filter(({ entries }) => entries.some(({ since, until }) => since <= moment && moment < until))
    .map(({ effect, reason, authority, rule, stage }) =>
      [effect, reason, authority, rule, stage].filter(Boolean).join(' '),
    );
}

/** Without rule and stage, like the shared list of the smallest rule lists. */
const unmarked = (names: readonly string[]): string[] =>
  names.map((name) => name.split(' ').slice(0, 3).join(' '));

/** The entry that decides in the live layer: the newest one in force at this time. */
function decided(entries: readonly EntryInfo[], subject: Subject, moment: number): EntryInfo | undefined {
  const end = ({ until }: EntryInfo): number => (until === null ? FOREVER : Date.parse(until) / 1000);
  return entries
    .filter((made) => made.subjects.includes(subject) && moment < end(made))
    .sort((a, b) => b.seq - a.seq)[0];
}

const anyEntry = fc.record({
  op: fc.constantFrom('block' as const, 'unblock' as const, 'clear' as const),
  code: fc.constantFrom('SENDER_REPORTED', 'SUBSCRIBER_DNO'),
  authority: fc.constantFrom('kisa', 'ktoa', 'numgate'),
  subjects: fc.constantFrom(['from'], ['to'], BOTH),
  until: fc.option(fc.integer({ min: -2, max: 9 }).map(inHours)),
  rule: fc.constantFrom('kr-50@3', 'burst@1'),
  stage: fc.constantFrom(...BLOCK_STAGES),
});
const layer = fc.array(anyEntry, { maxLength: 8 });

describe('at any time', () => {
  it('the lists have the effect of the live layer, through one build after another', () => {
    holds(
      fc.property(layer, layer, fc.integer({ min: 0, max: 3 }), (first, second, laterHours) => {
        const made = [...first, ...second].map(({ rule, stage, ...given }, index) => {
          const isOfRule = given.op === 'block' && given.authority === 'numgate';
          const code = given.op === 'block' ? given.code : null;
          return entry(index + 1, { ...given, code, ...(isOfRule ? { rule, stage } : {}) });
        });
        const before = fold(made.slice(0, first.length), [], NOW);
        const later = NOW + laterHours * 3_600;
        const lists = fold(made.slice(first.length), before, later);
        const joined = joinRuleLists(lists, 2);
        for (let hours = laterHours; hours < 12; hours += 0.5) {
          const moment = NOW + hours * 3_600;
          for (const subject of SUBJECTS) {
            const decides = decided(made, subject, moment);
            const want =
              decides === undefined || decides.op === 'clear'
                ? []
                : decides.op === 'unblock'
                  ? [`allow ALLOW_OVERRIDE ${decides.authority}`]
                  : [
                      ['block', decides.code, decides.authority, decides.rule, decides.stage]
                        .filter(Boolean)
                        .join(' '),
                    ];
            expect(listsAt(lists, subject, moment)).toEqual(want);
            expect(unmarked(listsAt(joined, subject, moment))).toEqual(unmarked(want));
          }
        }
      }),
    );
  });
});

describe('lists of rules', () => {
  /** One list of each size. */
  const ofSizes = (sizes: Record<string, number>) =>
    fold(
      Object.entries(sizes).flatMap(([rule, size], at) =>
        Array.from({ length: size }, (_, index) =>
          entry(1, {
            ...{ number: `+8210200${at}${1_000 + index}`, authority: 'numgate', subjects: ['from'] },
            ...{ rule, stage: 'confirmed' },
          }),
        ),
      ),
      [],
      NOW,
    );
  const sizesOf = (lists: readonly FoldedList[]) =>
    Object.fromEntries(lists.map(({ rule = 'joined', entries }) => [rule, entries.length]));

  it('are joined, the smallest ones, where there is no room for all', () => {
    const lists = ofSizes({ 'a@1': 2, 'b@1': 5, 'c@1': 3, 'd@1': 1 });
    expect(sizesOf(joinRuleLists(lists, 4))).toEqual({ 'a@1': 2, 'b@1': 5, 'c@1': 3, 'd@1': 1 });
    const three = joinRuleLists(lists, 3);
    expect(sizesOf(three)).toEqual({ 'b@1': 5, 'c@1': 3, joined: 3 });
    // Lists that one build joined stay joined in the next build.
    expect(sizesOf(joinRuleLists(fold([], three, NOW), 2))).toEqual({ 'b@1': 5, joined: 6 });
    expect(sizesOf(joinRuleLists(lists, 1))).toEqual({ joined: 11 });
    expect(joinRuleLists(lists, 1)[0]!.name).toBe('live-from-sender-reported-numgate');
  });

  it('leave those of people alone', () => {
    const lists = [
      ...fold([entry(1, {}), entry(2, { authority: 'ktoa', number: '+821020005037' })], [], NOW),
    ];
    expect(joinRuleLists([...lists, ...ofSizes({ 'a@1': 1, 'b@1': 2 })], 1).map(({ name }) => name)).toEqual([
      ...['live-from-sender-reported-numgate', 'live-sender-reported-kisa', 'live-sender-reported-ktoa'],
    ]);
  });
});
