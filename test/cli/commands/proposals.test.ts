/** `numgate approvals`, `proposals`, `approve` and `reject` against the real service, with two people. */
import '../support/workspace.ts';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import type { Approvals, Proposal, ProposalList } from '../../../shared/proposals.ts';
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
    expect(errors).toContain('nothing has changed yet: the change waits for a second person (guards)');
    expect(errors).toContain('npx numgate proposals show 1\n');
    expect(errors).toMatch(/npx numgate approve 1 --sha256 [0-9a-f]{64}\n/);
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
    expect((await numgate('status')).out).toContain('1 proposal waits for a second person');
    expect((await numgate('proposals', 'show', '99')).errors).toContain('PROPOSAL_UNKNOWN');
  });

  it('is not approved by its proposer, nor by the hash of something else', async () => {
    const { sha256 } = await admin.get<Proposal>('proposals/1');
    const own = await numgate('approve', '1', '--sha256', sha256);
    expect([own.code, own.errors]).toEqual([1, expect.stringMatching(/^error: APPROVER_REFUSED: .*\n$/)]);
    const other = await asBob('approve', '1', '--sha256', '0'.repeat(64));
    expect([other.code, other.errors]).toEqual([4, expect.stringContaining('PROPOSAL_CHANGED')]);
  });

  it('is not approved unread: the hash that "proposals show" prints is required', async () => {
    const { code, out, errors } = await asBob('approve', '1');
    expect([code, out]).toEqual([2, '']);
    expect(errors).toContain('npx numgate proposals show 1\nthen: npx numgate approve 1 --sha256');
    expect(await shareNow()).not.toBe(0.9);
  });

  it('is made when the other person approves it, once', async () => {
    const { sha256 } = await admin.get<Proposal>('proposals/1');
    const { code, out } = await asBob('approve', '1', '--sha256', sha256);
    expect([code, out]).toEqual([0, expect.stringMatching(/^proposal 1 is approved/)]);
    expect(await shareNow()).toBe(0.9);
    const again = await asBob('approve', '1', '--sha256', sha256);
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

describe('a change of numbers that waits', () => {
  it('is shown with the guards that it overrides first, then its numbers as they were sent', async () => {
    const kinds = ['approvals', 'set', '--kinds', 'guards,guardOverride', '--reason', 'test'];
    expect((await numgate(...kinds)).code).toBe(0);
    expect(
      (await numgate('guards', 'set', 'operationItems=1', '--reason', 'test', '--break-glass')).code,
    ).toBe(0);
    const numbers = ['010-3000-1000', '010-3000-1001'];
    const args = ['block', ...numbers, '--override', 'large-operation', '--reason', 'spam wave'];
    expect((await numgate(...args)).code).toBe(5);
    const { proposals } = await admin.get<ProposalList>('proposals');
    const id = String(proposals[0]!.id);
    const { out } = await asBob('proposals', 'show', id);
    const found = ['overrides the guard large-operation: ', 'op "block"', '2 items:', '010-3000-1000'];
    const places = found.map((text) => out.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(out).not.toContain('before ');
    expect((await asBob('reject', id, '--reason', 'no')).code).toBe(0);
    const taken = await asBob('reject', String(proposals[1]!.id), '--reason', 'no');
    expect(taken.out).toContain('is reverted');
  });

  it('has keyed names labelled as such once it is decided', async () => {
    const { proposals } = await admin.get<ProposalList>('proposals');
    const decided = proposals.find(({ kinds }) => kinds.includes('guardOverride'))!;
    const { out } = await asBob('proposals', 'show', String(decided.id));
    expect(out).toMatch(/entries\.block audit name \S+/);
    expect(out).toContain('it was rejected by token:bob at');
  });
});

describe('--break-glass', () => {
  it('makes the change at once, and a rejection takes it back', async () => {
    const { code, out, errors } = await setGuards('0.6', '--break-glass');
    expect([code, await shareNow()]).toEqual([0, 0.6]);
    const [made] = (await admin.get<ProposalList>('proposals')).proposals;
    expect(errors).toBe(
      `the change was made at once, as proposal ${made!.id}: it reverts at ${made!.endsAt} unless another person reviews it\n` +
        `  to review it: npx numgate proposals show ${made!.id}\n`,
    );
    expect(out).not.toContain('breakGlass');
    expect((await numgate('status')).out).toContain('1 break-glass change waits for a review');
    expect((await asBob('reject', String(made!.id), '--reason', 'not urgent')).out).toBe(
      `proposal ${made!.id} is reverted\n`,
    );
    expect(await shareNow()).toBe(0.9);
  });

  it('says that it had no effect where nothing had to wait', async () => {
    const args = ['block', '010-3000-2000', '--reason', 'test', '--break-glass'];
    const { code, errors } = await numgate(...args);
    expect([code, errors]).toEqual([0, expect.stringContaining('--break-glass had no effect')]);
  });

  it('is not in force any more once something newer has replaced it', async () => {
    expect((await setGuards('0.5', '--break-glass')).code).toBe(0);
    const [older] = (await admin.get<ProposalList>('proposals')).proposals;
    expect((await setGuards('0.4', '--break-glass')).code).toBe(0);
    const { code, errors } = await asBob('reject', String(older!.id), '--reason', 'too much');
    expect(code).toBe(4);
    expect(errors).toContain('a newer change has replaced it');
    expect(errors).not.toContain('still in force');
    const status = await numgate('status');
    expect(status.out).toContain('1 break-glass change could not be reverted');
  });

  it('needs a reason', async () => {
    const { code, errors } = await numgate('promote', 'some-release', '--break-glass');
    expect([code, errors]).toEqual([2, expect.stringContaining('--break-glass requires --reason')]);
  });
});
