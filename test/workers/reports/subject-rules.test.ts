/** Decisions about one subject, with people who want it blocked or free again. */
import { beforeEach, expect, test } from 'vitest';
import { DEFAULT_RULES, type Rule } from '../../../shared/reports/rule.ts';
import { type ArrivedReport, type Basis, movesOf } from '../../../workers/reports/subject-rules.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 25, 12);
/** Three reporters, at most one of them from each partner. */
const RULE: Rule = { ...DEFAULT_RULES[0]!, id: 'three', distinct: 3, maxShare: 0.4, weightMin: 0 };

let rules: readonly Rule[];
let suspended: string[];
let reports: ArrivedReport[];
let held: Basis[];
let resetAt: number;

beforeEach(() => {
  rules = [RULE];
  suspended = [];
  reports = [];
  held = [];
  resetAt = 0;
});

function report(partner: string, arrivedAt: number, more: Partial<ArrivedReport> = {}): void {
  reports.push({
    ...{ reporter: `R${reports.length}`, partner, kind: 'subscriber', spam: 'loan', channel: 'sms' },
    ...{ origin: 'domestic', at: arrivedAt, arrivedAt, ...more },
  });
}

function fire(at: number): void {
  for (const partner of ['kt', 'skt', 'lgu']) report(partner, at);
  expect(events(at)).toEqual(['fired']);
}

function events(now: number, hasWithdrawn = false): string[] {
  const context = { rules, weights: new Map([['police', 1]]), suspended: new Set(suspended) };
  const moves = movesOf({ reports, held, resetAt, hasWithdrawn }, context, now);
  for (const { event, basis } of moves) {
    held = held.filter(({ rule }) => rule.id !== basis.rule.id);
    if (event !== 'unsupported') held.push(basis);
  }
  return moves.map(({ event }) => event);
}

function takeBack(index: number, now: number): string[] {
  reports.splice(index, 1);
  return events(now, true);
}

test('what comes after a decision, dated back, does not take it back', () => {
  fire(NOW);
  report('kt', NOW + HOUR, { spam: 'notSpam', at: NOW - HOUR });
  report('kt', NOW + HOUR, { spam: 'notSpam', at: NOW - HOUR });
  expect(takeBack(4, NOW + HOUR)).toEqual([]);
});

test('what comes after a decision, dated back, does not hold it', () => {
  fire(NOW);
  report('kt', NOW + 3 * DAY, { at: NOW - HOUR });
  report('kt', NOW + 3 * DAY, { at: NOW - 6 * HOUR });
  rules = [];
  reports = reports.filter(({ partner }) => partner !== 'lgu');
  expect(events(NOW + 3 * DAY, true)).toEqual(['unsupported']);
});

test('one who takes a report back does not unblock what later reports support', () => {
  fire(NOW);
  for (const partner of ['kt', 'skt', 'lgu']) report(partner, NOW + HOUR);
  expect(takeBack(0, NOW + 10 * DAY)).toEqual(['fired']);
  expect(held).toMatchObject([{ byPartner: { kt: 1, skt: 1, lgu: 1 }, endsAt: NOW + 3 * DAY }]);
  // The remaining reports are evaluated as they are now.
  expect(takeBack(2, NOW + 10 * DAY)).toEqual(['unsupported']);
});

test('a block that an independent kind confirms stays confirmed on later reports', () => {
  fire(NOW);
  report('police', NOW + HOUR, { kind: 'police' });
  expect(events(NOW + HOUR)).toEqual(['confirmed']);
  report('lgu', NOW + HOUR);
  expect(takeBack(2, NOW + 10 * DAY)).toEqual(['fired']);
  expect(held).toMatchObject([{ isConfirmed: true }]);
  expect(takeBack(2, NOW + 10 * DAY)).toEqual(['unconfirmed']);
  expect(held).toMatchObject([{ byPartner: { kt: 1, skt: 1, lgu: 1 } }]);
});

test('a report dated ahead that came before a reset does not count after it', () => {
  for (const partner of ['kt', 'skt']) report(partner, NOW, { at: NOW + 50_000 });
  resetAt = NOW + 1;
  report('lgu', NOW + 20_000);
  expect(events(NOW + 20_000)).toEqual([]);
});

test('a decision whose time is over still falls with its reports: a person may have approved it late', () => {
  fire(NOW);
  rules = [];
  expect(takeBack(0, NOW + 5 * DAY)).toEqual(['unsupported']);
});

test('a rule that leaves its shadow blocks what it only recorded', () => {
  rules = [{ ...RULE, state: 'shadow' }];
  fire(NOW);
  expect(events(NOW)).toEqual([]);
  rules = [{ ...RULE, version: 2 }];
  expect(events(NOW)).toEqual(['fired']);
  rules = [{ ...RULE, version: 3, effect: 'shadow' }];
  expect(events(NOW)).toEqual([]);
});

test('reports of a suspended partner decide and confirm nothing more', () => {
  suspended = ['lgu', 'police'];
  for (const partner of ['kt', 'skt', 'lgu']) report(partner, NOW);
  expect(events(NOW)).toEqual([]);
  report('kisa', NOW);
  expect(events(NOW)).toEqual(['fired']);
  report('police', NOW, { kind: 'police' });
  expect(events(NOW)).toEqual([]);
  // The reports that a block rests on are withdrawn only explicitly.
  suspended.push('kt');
  expect(events(NOW, true)).toEqual([]);
});
