/**
 * `numgate approvals`, `proposals`, `approve` and `reject` against the real service, with two persons.
 */
import '../support/workspace.ts';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import type { Approvals, Proposal } from '../../../shared/proposals.ts';
import { type CommandResult, numgate, spawnNumgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { SECRETS } from '../support/workspace.ts';

let admin: Admin;
let bob = '';
beforeAll(async () => {
  ({ admin } = await startTestService());
  process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
  bob = (await numgate('tokens', 'add', 'bob', '--role', 'association')).out.trim();
});
afterEach(() => {
  process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
});

/** Runs a command as the second person. */
async function asBob(...args: string[]): Promise<CommandResult> {
  process.env.NUMGATE_TOKEN = bob;
  return numgate(...args);
}

const setGuards = (share: string, ...more: string[]): Promise<CommandResult> =>
  numgate('guards', 'set', `addShare=${share}`, '--reason', 'import', ...more);
const shareNow = async (): Promise<number> => (await admin.get<{ addShare: number }>('guards')).addShare;

describe('approvals', () => {
  it('show every kind, and wait for none at first', async () => {
    const { code, out } = await numgate('approvals', 'show');
    expect(code).toBe(0);
    for (const kind of ['guardOverride', 'signingKeys']) expect(out).toContain(kind);
    expect(out).not.toContain('│ waits');
    expect(JSON.parse((await numgate('approvals', 'show', '--json')).out)).toEqual({
      ...{ kinds: [], waitSeconds: 86_400 },
    });
  });

  it('refuse an unknown kind, and a time that is too short', async () => {
    const unknown = await numgate('approvals', 'set', '--kinds', 'all', '--reason', 'test');
    expect([unknown.code, unknown.errors]).toEqual([2, expect.stringContaining('guardOverride')]);
    const short = await numgate('approvals', 'set', '--wait-seconds', '10', '--reason', 'test');
    expect([short.code, short.errors]).toEqual([2, expect.stringContaining('must be from 300 to 604800')]);
    expect((await numgate('approvals', 'set', '--reason', 'test')).code).toBe(2);
  });

  it('set the kinds that wait', async () => {
    const { code, errors } = await numgate('approvals', 'set', '--kinds', 'guards', '--reason', 'test');
    expect([code, errors]).toEqual([0, '']);
    expect(await admin.get<Approvals>('approvals')).toEqual({ kinds: ['guards'], waitSeconds: 86_400 });
  });
});

describe('a change that waits', () => {
  it('exits with 5, changes nothing, and names the command for the other person', async () => {
    const { code, out, errors } = await setGuards('0.9');
    expect([code, out]).toEqual([5, '']);
    expect(errors).toContain('nothing has changed yet: it waits for a second person (guards)');
    expect(errors).toContain('npx numgate approve 1');
    expect(await shareNow()).not.toBe(0.9);
    const args = ['guards', 'set', 'addShare=0.9', '--reason', 'import', '--json'];
    const json = await spawnNumgate(...args);
    expect(JSON.parse(json.out)).toMatchObject({
      error: { code: 'APPROVAL_PENDING', exitCode: 5, proposal: { id: 1 } },
    });
  });

  it('is listed and shown, with what it changes', async () => {
    const list = await numgate('proposals', 'list');
    expect(list.out).toMatch(/1 +│ pending │ guards │ token:root │ import/);
    const shown = await numgate('proposals', 'show', '1');
    expect(shown.out).toContain('guards.put guards');
    expect(shown.out).toContain('"addShare":0.9');
    expect((await numgate('status')).out).toContain('1 proposals wait for a second person');
    expect((await numgate('proposals', 'show', '99')).errors).toContain('PROPOSAL_UNKNOWN');
  });

  it('is not approved by its proposer, nor by the hash of something else', async () => {
    const own = await numgate('approve', '1');
    expect([own.code, own.errors]).toEqual([1, expect.stringContaining('APPROVER_REFUSED')]);
    const other = await asBob('approve', '1', '--sha256', '0'.repeat(64));
    expect([other.code, other.errors]).toEqual([4, expect.stringContaining('PROPOSAL_CHANGED')]);
  });

  it('is made when the other person approves it, once', async () => {
    const { sha256 } = await admin.get<Proposal>('proposals/1');
    const { code, out } = await asBob('approve', '1', '--sha256', sha256);
    expect([code, out]).toEqual([0, expect.stringMatching(/^proposal 1 is approved/)]);
    expect(await shareNow()).toBe(0.9);
    const again = await asBob('approve', '1');
    expect([again.code, again.errors]).toEqual([4, expect.stringContaining('already approved by token:bob')]);
  });

  it('is rejected by the other person, or withdrawn', async () => {
    expect((await setGuards('0.8')).code).toBe(5);
    expect((await asBob('reject', '2', '--reason', 'too much')).out).toBe('proposal 2 is rejected\n');
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
    expect((await setGuards('0.7')).code).toBe(5);
    const withdrawn = await numgate('proposals', 'withdraw', '3', '--reason', 'typing error');
    expect(withdrawn.out).toBe('proposal 3 is withdrawn\n');
    expect(await shareNow()).toBe(0.9);
  });
});

describe('--break-glass', () => {
  it('makes the change at once, and a rejection takes it back', async () => {
    const { code } = await setGuards('0.6', '--break-glass');
    expect([code, await shareNow()]).toEqual([0, 0.6]);
    expect((await numgate('status')).out).toContain('1 break-glass changes wait for a review');
    expect((await asBob('reject', '4', '--reason', 'not urgent')).out).toBe('proposal 4 is reverted\n');
    expect(await shareNow()).toBe(0.9);
  });

  it('needs a reason', async () => {
    const { code, errors } = await numgate('promote', 'some-release', '--break-glass');
    expect([code, errors]).toEqual([2, expect.stringContaining('--break-glass requires --reason')]);
  });
});
