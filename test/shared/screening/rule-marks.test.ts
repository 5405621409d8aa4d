/** Rule and stage in the reasons of rule blocks: in the live layer, and on lists of a release beside other lists. */
import { expect, test } from 'vitest';
import type { LiveEntry } from '../../../shared/live/entry.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { formatDecision } from '../../../shared/screening/check-response.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { BlockStage, Subject } from '../../../shared/verdict.ts';
import { build, install } from '../support/built-release.ts';
import { liveEntry } from '../support/live.ts';
import { EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { clientSettings, keyOf, NOW, number, snapshot, UNTIL, withLive } from '../support/screen-world.ts';

const FIRST = 821_022_220_000;
const MARKS = [
  ['kr-50@3', 'provisional'],
  ['kr-50@3', 'confirmed'],
  ['burst@1', 'provisional'],
] as const;
/** Numbers of the lists. Each rule has every fourth number, and the list of a person has every fifth. */
const NUMBERS = Array.from({ length: 60 }, (_, index) => FIRST + index);

function ruleList(rule: string, stage: BlockStage, place: number): PlainList {
  const own = NUMBERS.filter((_, index) => index % 4 === place);
  const list = plainList(`live-${place}`, { numbers: own.map((n) => ({ n, since: 0, until: UNTIL })) });
  const info = { authority: 'numgate', reason: 'SENDER_REPORTED', subjects: ['from'], rule, stage } as const;
  return { ...list, info: { ...list.info, ...info, subjects: ['from'] } };
}

const ofPerson = plainList('suspended', {
  numbers: NUMBERS.filter((_, index) => index % 5 === 0).map((n) => ({ n, ...EVER })),
});
const lists = [ofPerson, ...MARKS.map(([rule, stage], place) => ruleList(rule, stage, place))];
const release = await install(await build(lists));

function reasonsOf(n: number, subject: Subject, now = NOW, ...entries: readonly LiveEntry[]) {
  const at = { ...withLive(snapshot('whole', now), ...entries), release };
  const request: ScreenRequest = {
    ...{ from: null, to: null, ingress: null, otherReadings: [], channel: 'sms', [subject]: number(n) },
  };
  const { reasons } = formatDecision(request, screen(request, at, clientSettings()), at);
  return reasons.map(({ list, rule, stage }) => [list, rule, stage]);
}

test('each number has the reasons of its lists, while they are in force', () => {
  for (const [index, n] of NUMBERS.entries()) {
    const person = index % 5 === 0 ? [['suspended', undefined, undefined]] : [];
    const place = index % 4;
    const rules = place < MARKS.length ? [[`live-${place}`, ...MARKS[place]!]] : [];
    expect([n, reasonsOf(n, 'from')]).toEqual([n, [...person, ...rules]]);
    expect([n, reasonsOf(n, 'to')]).toEqual([n, person]);
    expect([n, reasonsOf(n, 'from', UNTIL * 1000)]).toEqual([n, person]);
  }
});

test('a live entry has its own, and hides the lists of rules', () => {
  const key = keyOf(number(FIRST));
  const made = { authority: 'numgate', rule: 'kr-20@1', stage: 'confirmed' } as const;
  expect(reasonsOf(FIRST, 'from', NOW, liveEntry(key, made))).toEqual([
    ...[
      ['live', 'kr-20@1', 'confirmed'],
      ['suspended', undefined, undefined],
    ],
  ]);
  expect(reasonsOf(FIRST, 'from', NOW, liveEntry(key))[0]).toEqual(['live', undefined, undefined]);
});
