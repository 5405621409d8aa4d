/**
 * Each guard just above and just below its bound.
 */
import { describe, expect, it } from 'vitest';
import { isEmergencyNumber } from '../../../shared/numbers/plan.ts';
import {
  DEFAULT_GUARDS,
  GUARDS,
  type GuardHit,
  type GuardSettings,
} from '../../../shared/release/guard-settings.ts';
import { checkGuards, protectedNumbersOf } from '../../../shared/release/guards.ts';
import { build } from '../support/built-release.ts';
import { type Dated, EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { planFrom } from '../support/planned.ts';

const DAY = { since: 1_750_000_000, until: 1_750_086_400 };
/** 010-2000-0000. */
const FIRST = 82_10_2000_0000;

const run = (from: number, count: number, when: Dated = EVER): PlainList['numbers'] =>
  Array.from({ length: count }, (_, index) => ({ n: from + index, ...when }));

/** Numbers far apart, so that no block is complete. */
const spread = (count: number, when: Dated = EVER): PlainList['numbers'] =>
  Array.from({ length: count }, (_, index) => ({ n: FIRST + index * 7_919, ...when }));

function list(content: Partial<PlainList>, info: Partial<PlainList['info']> = {}): PlainList {
  const plain = plainList('one', content);
  return { ...plain, info: { ...plain.info, ...info } };
}

async function hitsOf(
  base: readonly PlainList[] | null,
  next: readonly PlainList[],
  settings: Partial<GuardSettings> = {},
): Promise<readonly GuardHit[]> {
  const { guards } = await planFrom(base, next, settings);
  for (const { guard, override, message } of guards) {
    expect(GUARDS).toContain(guard);
    expect(override).toBe(guard);
    // A full number has at least seven digits in a row.
    expect(message).not.toMatch(/\d{7}/);
  }
  return guards;
}

const namesOf = (hits: readonly GuardHit[]): string[] => hits.map(({ guard }) => guard);

async function expectHits(
  base: readonly PlainList[] | null,
  next: readonly PlainList[],
  names: readonly string[],
  settings: Partial<GuardSettings> = {},
): Promise<void> {
  expect(namesOf(await hitsOf(base, next, settings))).toEqual(names);
}

describe('adds and removes', () => {
  const large = list({ numbers: spread(5_000) });

  it('are hit above 20 % of the list', async () => {
    await expectHits([large], [list({ numbers: spread(6_000) })], []);
    await expectHits([large], [list({ numbers: spread(6_001) })], ['adds']);
    await expectHits([large], [list({ numbers: spread(4_000) })], []);
    await expectHits([large], [list({ numbers: spread(3_999) })], ['removes']);
  });

  it('treat small lists as if they had 1,000 entries', async () => {
    await expectHits([list({ numbers: spread(3) })], [list({ numbers: spread(203) })], []);
    await expectHits([list({ numbers: spread(3) })], [list({ numbers: spread(204) })], ['adds']);
    await expectHits([list({ numbers: spread(300) })], [list({ numbers: spread(100) })], []);
    await expectHits([list({ numbers: spread(300) })], [list({ numbers: spread(99) })], ['removes']);
  });

  it('count every addition and removal, not the net change', async () => {
    const other = spread(5_000).map(({ n }) => ({ n: n + 1, ...EVER }));
    await expectHits([large], [list({ numbers: other })], ['adds', 'removes']);
  });

  it('are not hit by changed dates, but by entries that lose their dates', async () => {
    const dated = list({ numbers: spread(2_000, DAY) });
    await expectHits([dated], [list({ numbers: spread(2_000, { ...DAY, until: DAY.until + 5 }) })], []);
    await expectHits([dated], [list({ numbers: spread(2_000) })], ['adds', 'removes']);
  });

  it('count ranges and sources too', async () => {
    const texts = Array.from({ length: 201 }, (_, index) => ({ text: `s${index}`, ...EVER }));
    await expectHits([list({})], [list({ sources: texts.slice(1) })], []);
    await expectHits([list({})], [list({ sources: texts })], ['adds']);
  });

  it('use the shares of the settings', async () => {
    const settings = { addShare: 0, removeShare: 1 };
    await expectHits([large], [list({ numbers: spread(5_001) })], ['adds'], settings);
    await expectHits([large], [list({ numbers: spread(1) })], [], settings);
    await expectHits([large], [large], [], settings);
  });

  it('count a new list that blocks or labels, except in the first release', async () => {
    const other = plainList('other');
    await expectHits(null, [large], []);
    await expectHits([other], [other, large], ['adds']);
    await expectHits([other], [other, list({ numbers: spread(200) })], []);
    await expectHits([other], [other, list({ numbers: spread(5_000) }, { effect: 'shadow' })], []);
  });

  it('count a whole list if its terms get stricter or milder', async () => {
    const shadow = list({ numbers: spread(5_000) }, { effect: 'shadow' });
    const onlyFrom = list({ numbers: spread(5_000) }, { subjects: ['from'] });
    const label = list({ numbers: spread(5_000) }, { effect: 'label' });
    for (const less of [shadow, onlyFrom, label]) {
      await expectHits([less], [large], ['adds']);
      await expectHits([large], [less], ['removes']);
    }
    const allow = list({ numbers: spread(5_000) }, { effect: 'allow' });
    await expectHits([shadow], [allow], []);
  });

  it('report figures', async () => {
    const [hit] = await hitsOf([large], [list({ numbers: spread(6_001) })]);
    expect(hit).toEqual({
      guard: 'adds',
      list: 'one',
      message: 'one: would add 1,001 entries to 5,000, more than 20 %',
      figures: { added: 1_001, before: 5_000, share: 0.2 },
      override: 'adds',
    });
  });
});

describe('shrunken-list', () => {
  it('is hit when a list becomes empty or is dropped', async () => {
    const small = list({ numbers: spread(1) });
    await expectHits([small], [list({})], ['shrunken-list']);
    await expectHits([small, plainList('two')], [plainList('two')], ['shrunken-list']);
  });

  it('is not hit if an entry of any kind is left, or if there was none', async () => {
    const small = list({ numbers: spread(1) });
    await expectHits([small], [list({ sources: [{ text: 'a', ...EVER }] })], []);
    await expectHits([plainList('two'), small], [small], []);
  });
});

describe('protected-number', () => {
  const mine = FIRST + 77;
  const settings = { protectedNumbers: [mine] };
  const holding: readonly (readonly [string, Partial<PlainList>])[] = [
    ['exactly', { numbers: [{ n: mine, ...EVER }] }],
    ['with dates', { numbers: [{ n: mine, ...DAY }] }],
    ['in a range', { ranges: [{ from: mine - 1, to: mine, ...EVER }] }],
  ];

  it.each(holding)('is hit by a number that is listed %s, even if that is not new', async (_, content) => {
    for (const base of [null, [list(content)]]) {
      for (const effect of ['block', 'label'] as const)
        await expectHits(
          base === null ? null : [list(content, { effect })],
          [list(content, { effect })],
          ['protected-number'],
          settings,
        );
    }
    for (const effect of ['allow', 'shadow'] as const)
      await expectHits(null, [list(content, { effect })], [], settings);
    await expectHits(null, [list(content)], []);
  });

  it('is not hit by neighbouring numbers', async () => {
    const ranges = [
      { from: mine - 5, to: mine - 1, ...EVER },
      { from: mine + 1, to: mine + 9, ...EVER },
    ];
    await expectHits(
      null,
      [list({ numbers: [mine - 1, mine + 1].map((n) => ({ n, ...EVER })), ranges })],
      [],
      settings,
    );
  });

  it.each([82_119, 82_2_119, 82_31_112, 82_64_1366])('is hit by the emergency number %i', async (n) => {
    const [hit] = await hitsOf(null, [list({ numbers: [{ n, ...EVER }] })]);
    expect(hit).toMatchObject({ guard: 'protected-number', figures: { numbers: 1, emergency: 1 } });
  });

  it('includes every possible emergency number, and no other', () => {
    const known = new Set(protectedNumbersOf(DEFAULT_GUARDS));
    for (const n of known) expect(isEmergencyNumber(n)).toBe(true);
    const area = (n: number): number[] => [82_000, 820_000, 8_200_000].map((base) => base + n);
    for (let n = 100; n < 100_000; n++) {
      for (const each of [...area(n), Number(`82${n}`), Number(`8231${n}`), Number(`822${n}`)])
        if (isEmergencyNumber(each) !== known.has(each)) expect.fail(`${each}`);
    }
  });
});

describe('whole-block', () => {
  it.each([
    ['numbers', (count: number) => ({ numbers: run(FIRST, count) })],
    ['numbers with dates', (count: number) => ({ numbers: run(FIRST, count, DAY) })],
    ['a range', (count: number) => ({ ranges: [{ from: FIRST, to: FIRST + count - 1, ...EVER }] })],
  ])('is hit by %s of a whole block', async (_, content) => {
    const hits = await hitsOf(null, [list(content(10_000))]);
    expect(hits).toMatchObject([{ guard: 'whole-block', message: expect.stringMatching(/ 1 block of /) }]);
    await expectHits(null, [list(content(9_000))], ['whole-block']);
    await expectHits(null, [list(content(8_999))], []);
    await expectHits(null, [list(content(10_000), { effect: 'allow' })], []);
    await expectHits([list(content(10_000))], [list(content(10_000))], []);
  });

  it('is not hit by a block without valid numbers', async () => {
    const unused = 82_10_0000_0000;
    await expectHits(null, [list({ numbers: run(unused, 10_000) })], []);
    await expectHits(null, [list({ ranges: [{ from: unused, to: unused + 19_999_999, ...EVER }] })], []);
  });

  it('is hit by a listed block when the list starts to block or label', async () => {
    const shadow = { effect: 'shadow' } as const;
    for (const numbers of [run(FIRST, 10_000), run(FIRST, 10_000, DAY)])
      await expectHits([list({ numbers }, shadow)], [list({ numbers })], ['adds', 'whole-block']);
    const ranges = [{ from: FIRST, to: FIRST + 9_999, ...EVER }];
    await expectHits([list({ ranges }, shadow)], [list({ ranges })], ['whole-block']);
  });

  it('is hit even if some numbers of the block were listed before or are not listed', async () => {
    const numbers = run(FIRST, 10_000);
    await expectHits([list({ numbers: run(FIRST, 500) })], [list({ numbers })], ['adds', 'whole-block']);
    const cut = (from: number, to: number) => [
      list({ ranges: [{ from: FIRST + from, to: FIRST + to, ...EVER }] }),
    ];
    await expectHits(null, cut(500, 9_499), ['whole-block']);
    await expectHits(null, cut(501, 9_499), []);
    await expectHits(null, cut(1_000, 19_999), ['whole-block']);
    await expectHits(null, cut(1_001, 18_998), []);
  });

  it('is not hit by halves of blocks of two prefixes', async () => {
    const elsewhere = 82_70_2000_5000;
    await expectHits(null, [list({ numbers: [...run(FIRST, 5_000), ...run(elsewhere, 5_000)] })], []);
  });

  it('counts blocks', async () => {
    const [hit] = await hitsOf(null, [
      list({ numbers: [...run(FIRST, 20_000), ...run(FIRST + 50_000, 10_000)] }),
    ]);
    expect(hit!.figures).toEqual({ blocks: 3 });
  });
});

describe('short-prefix', () => {
  const range = (from: number, to: number) => ({ ranges: [{ from, to, ...EVER }] });

  it('is hit by a range that fixes fewer than two digits of a country', async () => {
    await expectHits(null, [list(range(63_91_000_00000, 63_91_999_99999))], []);
    const wide = range(63_9_0000_00000, 63_9_9999_99999);
    await expectHits(null, [list(wide)], ['short-prefix']);
    await expectHits(null, [list(wide, { effect: 'allow' })], ['short-prefix']);
    await expectHits(null, [list(wide, { effect: 'shadow' })], []);
    await expectHits([list(wide)], [list(wide)], []);
  });

  it('measures what a range adds, not what it is joined to', async () => {
    const three = range(63_91_000_00000, 63_93_999_99999);
    await expectHits([list(three)], [list(range(63_91_000_00000, 63_94_999_99999))], []);
  });
});

describe('older-base', () => {
  it('is hit by a release that was not built from the current one', async () => {
    const { manifest } = await build([plainList('one')]);
    const next = { ...manifest, release: '20261124T0313Z-00000000' };
    const names = (base: typeof manifest | null, from: string | null): string[] =>
      namesOf(checkGuards([], base, { ...next, base: from }, DEFAULT_GUARDS));
    expect(names(null, null)).toEqual([]);
    expect(names(manifest, manifest.release)).toEqual([]);
    expect(names(manifest, null)).toEqual(['older-base']);
    expect(names(manifest, '20261123T0312Z-00000000')).toEqual(['older-base']);
    expect(names(null, manifest.release)).toEqual(['older-base']);
  });
});
