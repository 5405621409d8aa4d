/**
 * Rules of the joint response, with their versions. They are not part of the head: the desk reads them, and the edge
 * sees only the blocks that they make.
 */
import type { RuleRemoved, RuleSet, RuleVersion } from '../../shared/admin/rules.ts';
import { RULE_IDS_MAX, RULE_VERSIONS_MAX, RULES_MAX } from '../../shared/limits/reports.ts';
import { DEFAULT_RULES, type Rule, type RuleSettings } from '../../shared/reports/rule.ts';
import type { Precondition } from '../storage/precondition.ts';
import {
  applied,
  type ChangeRequest,
  type ChangeResult,
  type CheckResult,
  refuse,
  SYSTEM_ACTOR,
} from './change-request.ts';
import type { Command } from './command.ts';
import type { Ledger } from './ledger.ts';
import { FREEING_CHANGE, GROWING_CHANGE } from './storage-budget.ts';

/** Each version is a row; `rule` is null for a removal. This is a step of schema.ts, so it must not change. */
export const RULES = `
  CREATE TABLE rules (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    rule TEXT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (id, version)
  );
`;

interface Row extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly version: number;
  readonly rule: string | null;
}

/** The newest version of each rule; `rule` is null if it was removed. */
const NEWEST = `SELECT id, version, rule FROM rules AS r
  WHERE version = (SELECT MAX(version) FROM rules WHERE id = r.id)`;

export class RuleStore {
  readonly #sql: SqlStorage;
  readonly #ledger: Ledger;

  constructor(sql: SqlStorage, ledger: Ledger) {
    this.#sql = sql;
    this.#ledger = ledger;
  }

  get set(): RuleSet {
    const { version } = this.#sql
      .exec<{ version: number }>('SELECT IFNULL(MAX(n), 0) AS version FROM rules')
      .one();
    const rows = this.#sql.exec<Row>(`${NEWEST} AND rule IS NOT NULL ORDER BY id`).toArray();
    return { version, rules: rows.map((row) => ruleOf(row)!) };
  }

  get(id: string): Rule | null {
    const row = this.#newest(id);
    return row === null ? null : ruleOf(row);
  }

  /** The versions of a rule, newest first; empty if the rule never existed. */
  versions(id: string): RuleVersion[] {
    return this.#sql
      .exec<Row & { at: number; actor: string; reason: string }>(
        'SELECT * FROM rules WHERE id = ? ORDER BY version DESC',
        id,
      )
      .toArray()
      .map(({ version, rule, at, actor, reason }) => ({
        ...{ version, rule: rule === null ? null : (JSON.parse(rule) as RuleSettings) },
        ...{ at: new Date(at).toISOString(), by: actor, reason },
      }));
  }

  put(
    request: ChangeRequest,
    id: string,
    settings: RuleSettings,
    condition: Precondition,
  ): ChangeResult<Rule> {
    return this.#ledger.transact(request, GROWING_CHANGE, () => {
      const before = this.get(id);
      const allowed = this.#check(id, before, condition);
      if (!allowed.ok) return allowed;
      const version = this.#append(request, id, settings);
      const after: Rule = { id, version, ...settings };
      return applied(after, [{ action: 'rules.put', subject: id, before, after }], {
        kinds: ['rules'],
        command: { name: 'putRule', id, rule: settings, condition },
        revert: revertOf(before, id, { match: String(version), absent: false }),
      });
    });
  }

  remove(request: ChangeRequest, id: string, condition: Precondition): ChangeResult<RuleRemoved> {
    return this.#ledger.transact(request, FREEING_CHANGE, () => {
      const before = this.get(id);
      if (before === null)
        return refuse('RULE_UNKNOWN', `there is no rule ${id}: see npx numgate rules list`);
      const allowed = checkVersion(before, condition);
      if (!allowed.ok) return allowed;
      const version = this.#append(request, id, null);
      return applied({ id, version }, [{ action: 'rules.remove', subject: id, before, after: null }], {
        kinds: ['rules'],
        command: { name: 'putRule', id, rule: null, condition },
        revert: revertOf(before, id, { match: null, absent: true }),
      });
    });
  }

  /** Makes the change of a proposal, or reverts a break-glass change. */
  run(
    request: ChangeRequest,
    { id, rule, condition }: Extract<Command, { name: 'putRule' }>,
  ): ChangeResult<Rule | RuleRemoved> {
    return rule === null ? this.remove(request, id, condition) : this.put(request, id, rule, condition);
  }

  #check(id: string, before: Rule | null, condition: Precondition): CheckResult {
    const allowed = checkVersion(before, condition);
    if (!allowed.ok || before !== null) return allowed;
    if (this.set.rules.length >= RULES_MAX) {
      const message = `there are ${RULES_MAX} rules: remove one first with npx numgate rules remove`;
      return refuse('RULES_TOO_MANY', message);
    }
    const { ids } = this.#sql.exec<{ ids: number }>('SELECT COUNT(DISTINCT id) AS ids FROM rules').one();
    if (ids < RULE_IDS_MAX || this.#newest(id) !== null) return allowed;
    const message = `rules have had ${RULE_IDS_MAX} different ids: use the id of a removed rule`;
    return refuse('RULES_TOO_MANY', message);
  }

  /** @returns the version */
  #append({ actor, reason }: ChangeRequest, id: string, settings: RuleSettings | null): number {
    const version = (this.#newest(id)?.version ?? 0) + 1;
    insertVersion(this.#sql, { id, version, settings, at: Date.now(), actor: actor.name, reason });
    this.#sql.exec('DELETE FROM rules WHERE id = ? AND version <= ?', id, version - RULE_VERSIONS_MAX);
    return version;
  }

  #newest(id: string): Row | null {
    return this.#sql.exec<Row>(`${NEWEST} AND id = ?`, id).toArray()[0] ?? null;
  }
}

/** Inserts the rules of an installation that has had none yet. */
export function insertDefaultRules(sql: SqlStorage): void {
  for (const { id, version, ...settings } of DEFAULT_RULES) {
    const reason = 'the rules of a new installation';
    insertVersion(sql, { id, version, settings, at: Date.now(), actor: SYSTEM_ACTOR.name, reason });
  }
}

interface NewVersion {
  readonly id: string;
  readonly version: number;
  readonly settings: RuleSettings | null;
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
}

function insertVersion(sql: SqlStorage, { id, version, settings, at, actor, reason }: NewVersion): void {
  sql.exec(
    'INSERT INTO rules (id, version, rule, at, actor, reason) VALUES (?, ?, ?, ?, ?, ?)',
    ...[id, version, settings && JSON.stringify(settings), at, actor, reason],
  );
}

function ruleOf({ id, version, rule }: Row): Rule | null {
  if (rule === null) return null;
  // Rules stored by older versions lack `target`.
  return { id, version, ...({ target: 'number', ...JSON.parse(rule) } as RuleSettings) };
}

function revertOf(before: Rule | null, id: string, condition: Precondition): Command {
  if (before === null) return { name: 'putRule', id, rule: null, condition };
  const { id: _, version: _version, ...rule } = before;
  return { name: 'putRule', id, rule, condition };
}

function checkVersion(current: Rule | null, { match, absent }: Precondition): CheckResult {
  if (absent && current !== null) return refuse('PRECONDITION_FAILED', 'this id already exists');
  if (match !== null && match !== String(current?.version)) {
    const now = current === null ? 'no rule has this id now' : `the rule now has version ${current.version}`;
    return refuse('PRECONDITION_FAILED', `${now}: read it again`);
  }
  return { ok: true, value: undefined };
}
