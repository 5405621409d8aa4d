/**
 * Rules of the joint response in the coordinator: the rules of a new and of an older installation, versions and their limits,
 * conditions, proposals and break-glass changes.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { RULE_IDS_MAX, RULE_VERSIONS_MAX, RULES_MAX } from '../../../shared/limits/reports.ts';
import { DEFAULT_RULES, type RuleSettings } from '../../../shared/reports/rule.ts';
import type { Precondition } from '../../../workers/storage/precondition.ts';
import { codeOf, coordinator, stub, unwrap } from '../support/coordinator.ts';
import { makeOlderTables } from '../support/older-tables.ts';
import { ALICE, approve, BOB, by, ROOT, reject, settle, waiting } from '../support/people.ts';
import { ANY } from '../support/room.ts';

const { id: ID, version: _, ...STANDARD } = DEFAULT_RULES.find(({ id }) => id === 'kr-50')!;

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const put = (id: string, more: Partial<RuleSettings> = {}, condition: Precondition = ANY, author = ROOT) =>
  coordinator().putRule(by(author), id, { ...STANDARD, ...more }, condition);
const remove = (id: string, condition: Precondition = ANY, author = ROOT) =>
  coordinator().removeRule(by(author), id, condition);
const idsNow = async () => (await coordinator().rules()).rules.map(({ id }) => id);
const versionsOf = async (id: string) =>
  (await coordinator().ruleVersions(id)).map(({ version, rule }) => [version, rule?.distinct ?? null]);

test('a new installation has the default rules, each with its first version', async () => {
  const { rules, version } = await coordinator().rules();
  expect(rules).toEqual(DEFAULT_RULES.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
  expect(version).toBe(DEFAULT_RULES.length);
  expect(await coordinator().ruleVersions(ID)).toMatchObject([{ version: 1, by: 'numgate', rule: STANDARD }]);
});

test('an installation of an earlier version gets them with the upgrade', async () => {
  await coordinator().rules();
  await runInDurableObject(stub(), (_, { storage: { sql } }) => makeOlderTables(sql));
  await evictDurableObject(stub());
  expect((await coordinator().rules()).rules).toHaveLength(DEFAULT_RULES.length);
  unwrap(await put(ID, { distinct: 60 }));
  await evictDurableObject(stub());
  expect(await coordinator().rule(ID)).toMatchObject({ version: 2, distinct: 60 });
});

describe('a change', () => {
  test('makes a new version, which the audit log has with the one before', async () => {
    expect(unwrap(await put(ID, { distinct: 60 }))).toMatchObject({ id: ID, version: 2, distinct: 60 });
    expect(await coordinator().rule(ID)).toMatchObject({ version: 2, distinct: 60 });
    expect(unwrap(await remove(ID))).toEqual({ id: ID, version: 3 });
    expect(await coordinator().rule(ID)).toBeNull();
    // The version shows that this is not the removed rule.
    expect(unwrap(await put(ID))).toMatchObject({ version: 4 });
    expect(await versionsOf(ID)).toEqual([
      [4, 50],
      [3, null],
      [2, 60],
      [1, 50],
    ]);
    const records = (await coordinator().audit(0, 100)).filter(({ subject }) => subject === ID);
    expect(records.map(({ action }) => action)).toEqual(['rules.put', 'rules.remove', 'rules.put']);
    expect(records[0]).toMatchObject({ before: { version: 1 }, after: { version: 2, distinct: 60 } });
  });

  test('raises the version of all rules, by which others notice it', async () => {
    const { version } = await coordinator().rules();
    unwrap(await remove('burst-10m'));
    expect(await coordinator().rules()).toMatchObject({ version: version + 1, rules: [{}, {}, {}] });
  });

  test('is refused if the rule is not the one that was read', async () => {
    expect(codeOf(await put(ID, {}, { match: '2', absent: false }))).toBe('PRECONDITION_FAILED');
    expect(codeOf(await put(ID, {}, { match: null, absent: true }))).toBe('PRECONDITION_FAILED');
    expect(codeOf(await put('new', {}, { match: '1', absent: false }))).toBe('PRECONDITION_FAILED');
    expect(codeOf(await remove(ID, { match: '2', absent: false }))).toBe('PRECONDITION_FAILED');
    expect(codeOf(await remove('new'))).toBe('RULE_UNKNOWN');
    unwrap(await put(ID, {}, { match: '1', absent: false }));
  });
});

describe('bounds', () => {
  test('rules, and ids that rules ever had', async () => {
    for (let n = DEFAULT_RULES.length; n < RULES_MAX; n++) unwrap(await put(`rule-${n}`));
    expect(codeOf(await put('one-more'))).toBe('RULES_TOO_MANY');
    unwrap(await remove(ID));
    unwrap(await put('one-more'));
    await runInDurableObject(stub(), (_, { storage: { sql } }) => {
      for (let n = RULES_MAX + 1; n < RULE_IDS_MAX; n++) {
        sql.exec("INSERT INTO rules (id, version, at, actor, reason) VALUES (?, 1, 0, '', '')", `old-${n}`);
      }
    });
    unwrap(await remove('one-more'));
    expect(codeOf(await put('another'))).toBe('RULES_TOO_MANY');
    unwrap(await put('one-more'));
  });

  test('versions of a rule: the oldest ones go', async () => {
    await runInDurableObject(stub(), (_, { storage: { sql } }) => {
      for (let version = 2; version <= RULE_VERSIONS_MAX; version++) {
        sql.exec(
          "INSERT INTO rules (id, version, rule, at, actor, reason) VALUES (?, ?, ?, 0, '', '')",
          ...[ID, version, JSON.stringify(STANDARD)],
        );
      }
    });
    unwrap(await put(ID));
    const versions = await versionsOf(ID);
    expect(versions).toHaveLength(RULE_VERSIONS_MAX);
    expect([versions[0], versions.at(-1)]).toEqual([
      [RULE_VERSIONS_MAX + 1, 50],
      [2, 50],
    ]);
  });
});

describe('a second person', () => {
  test('approves a change and a removal, where rules wait', async () => {
    await settle(['rules']);
    const change = waiting(await put(ID, { distinct: 60 }, ANY, ALICE));
    expect(await coordinator().rule(ID)).toMatchObject({ distinct: 50 });
    expect((await coordinator().proposal(change.id))?.request).toMatchObject({
      ...{ command: 'putRule', fields: { id: ID, rule: { distinct: 60 } } },
    });
    unwrap(await approve(BOB, change));
    expect(await coordinator().rule(ID)).toMatchObject({ version: 2, distinct: 60 });
    const removal = waiting(await remove('burst-10m', ANY, ALICE));
    unwrap(await approve(BOB, removal));
    expect(await idsNow()).toEqual(['campaign-30', 'kr-50', 'overseas-20']);
  });

  test('approves nothing that became another change meanwhile', async () => {
    await settle(['rules']);
    const first = waiting(await put(ID, { distinct: 60 }, ANY, ALICE));
    const second = waiting(await put(ID, { distinct: 70 }, ANY, ALICE));
    unwrap(await approve(BOB, first));
    expect(codeOf(await approve(BOB, second))).toBe('PROPOSAL_OUTDATED');
    expect(await versionsOf(ID)).toEqual([
      [2, 60],
      [1, 50],
    ]);
  });

  test('takes back a break-glass change: of a rule, of a new one, of a removal', async () => {
    await settle(['rules']);
    const glass = by(ALICE, { breakGlass: true });
    const takeBack = async () => {
      const [newest] = await coordinator().proposals(1);
      unwrap(await reject(BOB, newest!));
    };
    unwrap(await coordinator().putRule(glass, ID, { ...STANDARD, distinct: 60 }, ANY));
    expect(await coordinator().rule(ID)).toMatchObject({ distinct: 60 });
    await takeBack();
    expect(await coordinator().rule(ID)).toMatchObject({ version: 3, distinct: 50 });
    unwrap(await coordinator().putRule(glass, 'new', STANDARD, ANY));
    await takeBack();
    expect(await coordinator().rule('new')).toBeNull();
    unwrap(await coordinator().removeRule(glass, ID, ANY));
    await takeBack();
    expect(await coordinator().rule(ID)).toMatchObject({ version: 5, distinct: 50 });
  });
});
