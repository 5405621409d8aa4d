/** `registrations` and `review`: from a draft to an approved number, with real tokens of a sender and a reviewer. */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { makeRegistrar, type RegistrationContent } from '../../../examples/node/client.ts';
import type { Registration } from '../../../shared/senders/registration.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate, start } from '../support/command.ts';
import { addSenders, as, DIGEST, HEADER, lineOf, type Senders } from '../support/senders.ts';
import { startTestService } from '../support/service.ts';
import { write } from '../support/workspace.ts';

let tokens: Senders;

beforeAll(async () => {
  tokens = await addSenders(await startTestService());
  process.env.NUMGATE_ORGANISATION = 'acme';
});

const sender = (...args: string[]) => as(tokens.sender, () => numgate('registrations', ...args));
const reviewer = (...args: string[]) => as(tokens.reviewer, () => numgate('review', ...args));
const CONTENT = ['--basis', 'own', '--holder', 'Acme Inc.', '--clients', 'acme-main'];

async function made(...args: string[]): Promise<Registration> {
  const { code, out, errors } = await sender(...args, '--json');
  expect([code, errors]).toEqual([0, '']);
  return JSON.parse(out) as Registration;
}

describe('a registration', () => {
  it('goes from a draft to an approved number, and back out of force', async () => {
    const file = write('certificate.pdf', 'a certificate');
    const proof = ['--proof', `serviceUse=${file},expires=2099-01-31,reference=KT-1`];
    const draft = await made('add', '1588-1234', ...CONTENT, ...proof, '--reference', 'hq');
    const sha256 = createHash('sha256').update('a certificate').digest('hex');
    expect(draft).toMatchObject({
      ...{ number: '+8215881234', state: 'draft', reference: 'hq', holder: { kind: 'organisation' } },
      proofs: [{ kind: 'serviceUse', sha256, expires: '2099-01-30T15:00:00.000Z', reference: 'KT-1' }],
    });
    const { id } = draft;
    expect((await sender('submit', id)).out).toContain('submitted');
    expect((await reviewer('queue')).out).toContain(`acme/${id}`);
    expect(await reviewer('claim', `acme/${id}`)).toMatchObject({ code: 0, errors: '' });
    expect((await reviewer('approve', `acme/${id}`)).out).toContain('approved');
    expect((await reviewer('queue')).out).not.toContain(`acme/${id}`);

    const edited = await made('edit', id, '--clients', 'acme-main,acme-2');
    expect(edited).toMatchObject({
      state: 'draft',
      version: 2,
      approvedVersion: 1,
      clients: ['acme-2', 'acme-main'],
    });
    expect((await sender('show', id)).out).toContain('version 1 is in force');
    const suspended = await reviewer(
      ...['suspend', `acme/${id}`, '--reason', 'complaint 4712'],
      ...['--field', 'number:NUMBER_MISUSED:Three complaints today:Answer them'],
    );
    expect(suspended.out).toContain('suspended');
    const shown = (await sender('show', id)).out;
    expect(shown).toContain('number: NUMBER_MISUSED: Three complaints today; Answer them');
    expect(shown).toContain('no version is in force');
    expect((await reviewer('resume', `acme/${id}`)).code).toBe(0);
    expect((await sender('close', id)).out).toContain('closed');
    expect((await sender('history', id)).out).toMatch(/create[\s\S]*submit[\s\S]*approve[\s\S]*close/);
    const exported = write('acme.ndjson', (await sender('audit')).out);
    expect((await numgate('audit', 'verify', exported)).code).toBe(0);
    expect((await sender('events')).out).toMatch(/approved[\s\S]*suspended[\s\S]*resumed/);
  });

  it('is found by its number, also from standard input, and listed by its state', async () => {
    const { id } = await made('add', '02-2123-9000', ...CONTENT);
    const { child, result } = await as(tokens.sender, async () =>
      start(['registrations', 'find', '-'], 'pipe'),
    );
    child.stdin!.end('+82 2-2123-9000\n');
    expect((await result).out).toContain('+82221239000');
    expect((await sender('list', '--state', 'draft')).out).toContain('+82221239000');
    expect((await sender('list', '--state', 'expired')).out).toBe('no registrations\n');
    expect((await sender('list', '--client', 'acme-2', '--json')).out).not.toContain(`"id":"${id}"`);
  });

  it('keeps the kind of its holder when only the name is edited, and the name with the kind', async () => {
    const { id } = await made('add', '02-2123-9012', ...CONTENT, '--holder-kind', 'person');
    expect((await made('edit', id, '--holder', 'Lee')).holder).toEqual({ kind: 'person', name: 'Lee' });
    const { holder } = await made('edit', id, '--holder-kind', 'organisation');
    expect(holder).toEqual({ kind: 'organisation', name: 'Lee' });
    expect(await sender('edit', id)).toMatchObject({ code: 2 });
  });

  it('names each field that is wrong, with what to do', async () => {
    const { code, errors } = await sender(
      'validate',
      '112',
      '--basis',
      'own',
      '--holder',
      'A',
      '--clients',
      'other',
    );
    expect(code).toBe(1);
    expect(errors).toContain('not valid: 3 reasons');
    expect(errors).toContain('clients.0: CLIENT_UNKNOWN');
    expect(errors).toMatch(/number: NUMBER_\w+: .*; /);
    const refused = await sender('add', '02-2123-9001', ...CONTENT, '--submit');
    expect(refused.errors).toContain('proofs: PROOF_MISSING');
    expect((await sender('list')).out).not.toContain('+82221239001');
    expect(await sender('add', '02-2123-9001', '--proof', 'taxBill=x')).toMatchObject({ code: 2 });
    expect((await sender('add', '02-2123-9001', '--proof', 'serviceUse=none.pdf')).errors).toContain(
      'none.pdf: does not exist',
    );
  });

  it('needs a state that allows the action, and another organisation to decide', async () => {
    const { id } = await made('add', '02-2123-9002', ...CONTENT);
    expect(await reviewer('approve', `acme/${id}`)).toMatchObject({
      code: 4,
      errors: expect.stringContaining(
        'REGISTRATION_STATE: "approve" is not possible: the registration is "draft"',
      ),
    });
    expect((await as(tokens.sender, () => numgate('review', 'approve', `acme/${id}`))).errors).toContain(
      'PERMISSION_DENIED',
    );
    expect(await reviewer('approve', 'acme')).toMatchObject({ code: 2 });
    expect((await reviewer('reject', `acme/${id}`, '--reason', 'x', '--field', 'proofs')).code).toBe(2);
  });

  it('of a number that changes hands is named to the reviewer, and suspended if a block says so', async () => {
    const proof = ['--proof', `serviceUse=sha256:${'ab'.repeat(32)}`];
    const { id } = await made('add', '02-2123-9005', ...CONTENT, ...proof, '--submit');
    await reviewer('claim', `acme/${id}`);
    await reviewer('approve', `acme/${id}`);
    const event = (...args: string[]) => reviewer('number-event', '02-2123-9005', ...args);
    expect(await event()).toMatchObject({ code: 2 });
    expect((await event('--event', 'ported', '--at', '2026-11-20')).out).toBe(
      '1 registration in force with this number:\n' +
        `  acme/${id} stays approved: its sender must send a certificate from the new carrier\n`,
    );
    expect((await sender('show', id)).out).toContain(
      'NUMBER_PORTED: the number was ported at 2026-11-19T15:00:00.000Z',
    );
    await numgate(
      'block',
      '02-2123-9005',
      '--code',
      'NUMBER_TERMINATED',
      '--subject',
      'from',
      '--reason',
      'x',
    );
    await vi.waitFor(async () => expect((await sender('show', id)).out).toContain('is suspended'), HANG_MS);
    expect((await event('--event', 'terminated')).out).toBe('no registration in force has this number\n');
  });

  it('that a mistaken block has suspended is found by the block, and put back with all others', async () => {
    const proof = ['--proof', `serviceUse=sha256:${'ab'.repeat(32)}`];
    const numbers = ['02-2123-9006', '02-2123-9007'];
    for (const number of numbers) {
      const { id } = await made('add', number, ...CONTENT, ...proof, '--submit');
      await reviewer('claim', `acme/${id}`);
      await reviewer('approve', `acme/${id}`);
    }
    const terminated = ['--code', 'NUMBER_TERMINATED', '--subject', 'from', '--reason', 'x', '--json'];
    const [operation] = JSON.parse((await numgate('block', ...numbers, ...terminated)).out).operations;
    const names = await vi.waitFor(async () => {
      const lines = (await reviewer('suspended', String(operation))).out.trim().split('\n');
      expect(lines).toHaveLength(2);
      return lines;
    }, HANG_MS);
    const { child, result } = await as(tokens.reviewer, async () =>
      start(['review', 'resume', '-', '--reason', 'a mistake'], 'pipe'),
    );
    child.stdin!.end([names[0], 'acme/999999', names[1], ''].join('\n'));
    const { code, out, errors } = await result;
    expect(code).toBe(1);
    expect(out.match(/ approved /g)).toHaveLength(2);
    expect(errors).toBe(
      'error: 1 of 3 registrations failed\n' +
        '  acme/999999: REGISTRATION_UNKNOWN: no registration of the organisation has this id\n',
    );
    expect((await reviewer('suspended', String(operation))).out).toBe('');
  });

  it('loses its end and its reference with "none"', async () => {
    const rest = ['--expires', '2099-01-31', '--reference', 'gone'];
    const { id, reference } = await made('add', '02-2123-9013', ...CONTENT, ...rest);
    expect(reference).toBe('gone');
    const edited = await made('edit', id, '--expires', 'none', '--reference', 'none');
    expect(edited).toMatchObject({ expires: null, reference: null });
  });

  it('of a mock client is decided at once', async () => {
    const mock = [
      ...CONTENT.slice(0, -1),
      'acme-test',
      '--proof',
      `serviceUse=sha256:${'ab'.repeat(32)}`,
      '--submit',
    ];
    expect((await sender('add', '02-2123-9011', ...mock)).out).toContain('approved (mock)');
    expect((await sender('add', '02-2123-9018', ...mock)).out).toContain('rejected (mock)');
  });

  it('has documents that depend on its basis', async () => {
    expect((await sender('documents')).out).toContain('통신서비스 이용증명원');
  });
});

describe('the client package', () => {
  it('registers, uploads and finds numbers at the real service', async () => {
    const { NUMGATE_URL: url = '' } = process.env;
    const registrar = makeRegistrar({ url, token: tokens.sender, organisation: 'acme' });
    const content: RegistrationContent = {
      number: '02-2123-8001',
      basis: 'own',
      holder: { kind: 'organisation', name: 'Acme' },
      clients: ['acme-main'],
      reference: 'package',
    };
    expect(await registrar.validate(content)).toMatchObject({
      valid: false,
      reasons: [{ code: 'PROOF_MISSING' }],
    });
    await expect(registrar.create(content, { submit: true })).rejects.toMatchObject({
      ...{ code: 'REGISTRATION_INVALID', reasons: [{ field: 'proofs' }] },
    });
    const { id, version } = await registrar.create(content);
    const proofs = [{ kind: 'serviceUse', sha256: DIGEST }];
    expect(await registrar.edit(id, { proofs }, { version })).toMatchObject({ version: 2 });
    await expect(registrar.edit(id, {}, { version })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(await registrar.submit(id)).toMatchObject({ state: 'submitted' });
    const rows: string[] = [];
    for await (const { result } of registrar.upload([HEADER, lineOf(8_100), lineOf(8_101)]))
      rows.push(result);
    expect(rows).toEqual(['created', 'created']);
    expect(await registrar.find('02-2123-8100')).toMatchObject([{ reference: 'line-8100' }]);
    const references: unknown[] = [];
    for await (const { reference } of registrar.list({ state: 'submitted' })) references.push(reference);
    expect(references).toContain('package');
    expect(await registrar.close(id)).toMatchObject({ state: 'closed' });
  });
});
