/**
 * `lists policy` against the real service: what a change changes is told, before it is made and after.
 */
import './support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../cli/admin.ts';
import { diffOf } from '../../cli/commands/policy.ts';
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../shared/policy/policy.ts';
import { lists, type Outcome } from './support/command.ts';
import { START_WAIT_MS, startTestService } from './support/service.ts';
import { write } from './support/workspace.ts';

const standard = STANDARD_POLICY.policy;
const [first, second, ...rest] = standard.rules;
const last = rest.at(-1)!;
/** One rule is gone, one is new, one is another, two have changed places, and so has the label. */
const other: Policy = {
  ...standard,
  label: '[overseas]',
  rules: [
    {
      id: 'tried',
      when: { sender: ['withheld'] },
      effect: 'shadow',
      code: 'OVERSEAS_ORIGIN',
      withholdCli: false,
    },
    second!,
    first!,
    ...rest.slice(1, -1),
    { ...last, effect: 'block' },
  ],
};

const file = write('other.json', JSON.stringify(other));
const same = write('same.json', JSON.stringify({ version: 7, policy: standard }));

let admin: Admin;
beforeAll(async () => {
  ({ admin } = await startTestService());
}, START_WAIT_MS);

const policy = (...args: string[]): Promise<Outcome> => lists('policy', ...args);
const inForce = (): Promise<VersionedPolicy> => admin.get('policy');

describe('the difference of two policies', () => {
  it('names every rule that is gone, new or another one, and what else is', () => {
    expect(diffOf(standard, other)).toEqual({
      removed: [rest[0]],
      added: [other.rules[0]],
      changed: [{ before: last, after: { ...last, effect: 'block' } }],
      reordered: true,
      others: ['label'],
    });
  });

  it('is nothing for the same policy', () => {
    const none = { removed: [], added: [], changed: [], reordered: false, others: [] };
    expect(diffOf(standard, structuredClone(standard))).toEqual(none);
  });

  it('is no other order where rules only come and go', () => {
    expect(diffOf(standard, { ...standard, rules: [second!, ...rest] }).reordered).toBe(false);
  });
});

describe('policy set', () => {
  it('tells with --dry-run what would change, and changes nothing', async () => {
    const { code, out, errors } = await policy('set', file, '--dry-run');
    expect([code, errors]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`- .* ${rest[0]!.id} `));
    expect(out).toMatch(/\+ .* tried /);
    expect(out).toMatch(new RegExp(`- .* ${last.id} .* ${last.effect} `));
    expect(out).toMatch(new RegExp(`\\+ .* ${last.id} .* block `));
    expect(out).not.toContain(first!.id);
    expect(out).toContain('in another order\n');
    expect(out).toMatch(/the label is another one\nnothing was changed: version 0 is in force\n$/);
    expect((await inForce()).version).toBe(0);
  });

  it('needs a reason without it', async () => {
    const { code, errors } = await policy('set', file);
    expect([code, errors]).toEqual([2, "error: required option '--reason <text>' not specified\n"]);
    expect((await inForce()).version).toBe(0);
  });

  it('tells what it has changed', async () => {
    const { code, out } = await policy('set', file, '--reason', 'tests', '--json');
    expect(code).toBe(0);
    const done = JSON.parse(out) as { version: number; diff: unknown };
    expect(done.diff).toEqual(JSON.parse(JSON.stringify(diffOf(standard, other))));
    expect(await inForce()).toEqual({ version: done.version, policy: other });
  });

  it('says that the same policy is the same', async () => {
    await policy('reset', '--reason', 'tests');
    const { out } = await policy('set', same, '--dry-run');
    expect(out).toMatch(/^it is the policy that is in force: no rule differs\nnothing was changed/);
  });
});
