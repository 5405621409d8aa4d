/** `review`: what a reviewer sees before and after a decision, with a real token. */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { newKey } from '../../../cli/secrets.ts';
import type { Registration } from '../../../shared/senders/registration.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate } from '../support/command.ts';
import { addSenders, as, DIGEST, type Senders } from '../support/senders.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let tokens: Senders;

beforeAll(async () => {
  service = await startTestService();
  tokens = await addSenders(service);
  const put = (path: string, body: object) =>
    service.admin.change('PUT', path, { ...body, reason: 'a test' });
  await put('organisations/beta', { organisation: { id: 'beta', displayName: 'beta', roles: ['relay'] } });
  const { secretSha256 } = await newKey('beta-main');
  const client = { id: 'beta-main', secretSha256: [secretSha256], rights: ['check'], organisation: 'beta' };
  await put('clients/beta-main', { client });
});

const reviewer = (...args: string[]) => as(tokens.reviewer, () => numgate('review', ...args));
const show = (...args: string[]) => as(tokens.reviewer, () => numgate('registrations', 'show', ...args));

/** Submits a registration as the organisation. @returns its name */
async function submitted(organisation: string, number: string, basis = 'own'): Promise<string> {
  const proofs = [
    { kind: 'serviceUse', sha256: DIGEST, reference: 'KT-4711', expires: '2099-01-31T00:00:00Z' },
  ];
  const holder = { kind: basis === 'own' ? 'organisation' : 'person', name: `${organisation} Inc.` };
  const staff = basis === 'own' ? [] : [{ kind: 'employment', sha256: DIGEST }];
  const registration = {
    ...{ number, basis, holder, clients: [`${organisation}-main`], proofs: [...proofs, ...staff] },
  };
  const path = `organisations/${organisation}/registrations`;
  const { id } = await service.admin.change<Registration>('POST', path, { registration, submit: true });
  return `${organisation}/${id}`;
}

describe('show', () => {
  it('names a registration as the other commands do, with its documents and who has claimed it', async () => {
    const name = await submitted('acme', '02-2123-7001');
    await reviewer('claim', name);
    const { code, out } = await show(name);
    expect(code).toBe(0);
    expect(out).toContain(`serviceUse │ ${DIGEST} │ KT-4711   │ 2099-01-31T00:00:00.000Z`);
    expect(out).toMatch(/ {2}claimed by token:kisa until 20\d\d-/);
    expect((await show(name.split('/')[1]!, '--organisation', 'acme')).out).toBe(out);
  });

  it('needs the organisation, and puts nothing into a URL that is no ID', async () => {
    expect(await show('17')).toMatchObject({
      code: 2,
      errors: 'error: 17: name the organisation: acme/17, or --organisation acme\n',
    });
    expect(await show('01012345678')).toMatchObject({
      code: 2,
      errors: 'error: "***********": must be <organisation>/<id>, such as acme/17\n',
    });
  });
});

describe('a decision', () => {
  it('on several registrations prints those that are made, and the others as errors', async () => {
    const [one, two] = [await submitted('acme', '02-2123-7002'), await submitted('acme', '02-2123-7003')];
    await reviewer('claim', one);
    const refused = await reviewer('approve', one, two, 'acme/999');
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('+82221237002');
    expect(refused.out).not.toContain('+82221237003');
    expect(refused.errors.split('\n')).toEqual([
      'error: 2 of 3 registrations failed',
      expect.stringMatching(`^  ${two}: REGISTRATION_STATE: "approve" is not possible: .*; possible: claim$`),
      '  acme/999: REGISTRATION_UNKNOWN: no registration of the organisation has this id',
      '',
    ]);
    const again = JSON.parse((await reviewer('claim', two, 'acme/999', '--json')).out) as object;
    expect(again).toMatchObject({
      registrations: [{ state: 'inReview' }],
      failed: [{ organisation: 'acme', id: '999', code: 'REGISTRATION_UNKNOWN' }],
    });
  });

  it.each(['suspend', 'reject', 'request-update'])('%s needs a field, with an example', async (action) => {
    const { code, errors } = await reviewer(action, 'acme/1', '--reason', 'ticket');
    expect(code).toBe(2);
    expect(errors).toMatch(/^error: required option '--field <field:CODE:detail:help>' not specified/);
    expect(errors).toMatch(/\n {2}--field "\w+:\w+:[^:]+:[^:]+"\n$/);
  });

  it('with --wait ends once it is published', async () => {
    const name = await submitted('acme', '02-2123-7004');
    await reviewer('claim', name);
    const approved = JSON.parse((await reviewer('approve', name, '--wait', '--json')).out);
    expect(approved.registrations).toMatchObject([{ state: 'approved', publication: 'published' }]);
    const field = ['--field', 'number:NUMBER_MISUSED:Complaints:Answer them', '--reason', 'x'];
    const suspended = JSON.parse((await reviewer('suspend', name, '--wait', ...field, '--json')).out);
    expect(suspended.registrations).toMatchObject([{ state: 'suspended', publication: 'published' }]);
  });

  it('warns of other registrations of the number, most of all if two organisations call it their own', async () => {
    const acme = await submitted('acme', '02-2123-7005');
    await reviewer('claim', acme);
    await reviewer('approve', acme, '--wait');
    const beta = await submitted('beta', '02-2123-7005');
    const claimed = await reviewer('claim', beta);
    expect(claimed.out).toContain(
      `warning: ${beta} is not the only registration of its numbers:\n` +
        `  ${acme}: +82221237005, own, acme Inc., approved, in force; both organisations claim the number as their own\n`,
    );
    const staff = await submitted('beta', '02-2123-7005', 'staff');
    // The other registration of beta reaches the index only after its request was answered.
    const { out } = await vi.waitFor(async () => {
      const shown = await show(staff);
      expect(shown.out).toContain(`  ${beta}: `);
      return shown;
    }, HANG_MS);
    expect(out).toContain(`  ${acme}: +82221237005, own, acme Inc., approved, in force\n`);
    // Its sender learns nothing about other organisations.
    const own = await as(tokens.sender, () => numgate('registrations', 'show', acme));
    expect(own.out).not.toContain('warning');
  });
});

describe('the queue', () => {
  it('has at least one row', async () => {
    expect(await reviewer('queue', '--limit', '0')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('must be at least 1'),
    });
    const list = await as(tokens.sender, () =>
      numgate('registrations', 'list', '--organisation', 'acme', '--limit', '0'),
    );
    expect(list.code).toBe(2);
  });
});
