/**
 * `numgate organisations` and `clients` against the real service. Keys are shown once, only their digests are
 * stored, and no admin overwrites the change of another admin.
 */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import type { Client } from '../../../shared/clients.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { startTestService } from '../support/service.ts';

let admin: Admin;
beforeAll(async () => {
  ({ admin } = await startTestService());
});

const clients = (...args: string[]): Promise<CommandResult> => numgate('clients', ...args);
const organisations = (...args: string[]): Promise<CommandResult> => numgate('organisations', ...args);
const digestOf = (key: string): string =>
  createHash('sha256')
    .update(key.trim().split('.')[1] ?? '')
    .digest('hex');
const stored = (id: string): Promise<Client> => admin.get(`clients/${id}`);

describe('clients', () => {
  let first = '';

  it('start empty', async () => {
    expect(await clients('list', '--json')).toEqual({ code: 0, out: '{"clients":[]}\n', errors: '' });
  });

  it('get a key that is shown once and stored as a digest', async () => {
    const settings = ['--rights', 'check, gateway', '--fail-policy', 'closed', '--mode', 'label'];
    const more = ['--max-stale-seconds', '600', '--quota-numbers', '1_000', '--short-codes', '1335,114'];
    const added = await clients('add', 'acme-1', ...settings, ...more);
    expect([added.code, added.errors]).toEqual([0, '']);
    expect(added.out).toMatch(/^acme-1\.[\w-]{43}\n$/);
    first = added.out.trim();
    expect(await stored('acme-1')).toMatchObject({
      id: 'acme-1',
      secretSha256: [digestOf(first)],
      rights: ['check', 'gateway'],
      failPolicy: 'closed',
      maxStaleSeconds: 600,
      mode: 'label',
      quotaNumbers: 1_000,
      shortCodes: ['1335', '114'],
    });
  });

  it('cannot be created twice, which would revoke the key in use', async () => {
    const { code, errors } = await clients('add', 'acme-1');
    expect(code).toBe(4);
    expect(errors).toBe('error: client acme-1 already exists: use clients rotate to give it another key\n');
  });

  it('rotate to a second key, keep the previous one, and drop the first with a third on request', async () => {
    const keys = [first];
    for (const round of [1, 2]) {
      if (round === 2) {
        const { code, errors } = await clients('rotate', 'acme-1');
        expect([code, errors]).toEqual([2, expect.stringMatching(/acme-1 already has two keys.* --replace/)]);
        expect((await stored('acme-1')).secretSha256).toEqual(keys.map(digestOf));
      }
      const replace = round === 2 ? ['--replace'] : [];
      const { code, out } = await clients('rotate', 'acme-1', ...replace, '--json');
      expect(code).toBe(0);
      const { id, key } = JSON.parse(out) as { id: string; key: string };
      expect([id, keys.includes(key)]).toEqual(['acme-1', false]);
      keys.push(key);
      expect((await stored('acme-1')).secretSha256).toEqual(keys.slice(round - 1).map(digestOf));
    }
  });

  it('finish a rotation, after which only the newest key is left', async () => {
    const newest = (await stored('acme-1')).secretSha256[1];
    const { code, out } = await clients('rotate', 'acme-1', '--finish');
    expect([code, out]).toEqual([0, expect.stringMatching(/^acme-1 now has one key \(seq \d+\)\n/)]);
    expect((await stored('acme-1')).secretSha256).toEqual([newest]);
    const again = await clients('rotate', 'acme-1', '--finish', '--json');
    expect([again.code, JSON.parse(again.out)]).toEqual([0, { id: 'acme-1', changed: false }]);
  });

  it('end at a time, which the list and the status show, until it is taken away', async () => {
    const lasting = { ...(await stored('acme-1')) };
    expect((await clients('set', 'acme-1', '--expires', '20d')).code).toBe(0);
    const { expires } = await stored('acme-1');
    const days = (Date.parse(expires ?? '') - Date.now()) / 86_400_000;
    expect([days > 19.9, days < 20.1]).toEqual([true, true]);
    expect((await clients('list')).out).toContain(`expires soon: ${expires}`);
    expect((await numgate('status')).out).toContain(`client acme-1 expires soon: ${expires}`);
    expect((await clients('set', 'acme-1', '--expires', '2099-01-01')).code).toBe(0);
    expect((await stored('acme-1')).expires).toBe('2098-12-31T15:00:00.000Z');
    expect((await clients('set', 'acme-1', '--expires', 'none')).code).toBe(0);
    expect(await stored('acme-1')).toEqual(lasting);
  });

  it('cannot be bound to addresses or certificates where a client can send any', async () => {
    for (const [option, value, field] of [
      ['--addresses', '203.0.113.0/24,2001:db8::/32', 'addresses'],
      ['--certificate-sha256', Array(32).fill('AB').join(':'), 'certificateSha256'],
    ] as const) {
      const { code, errors } = await clients('set', 'acme-1', option, value);
      expect(code).toBe(1);
      expect(errors).toMatch(
        new RegExp(
          `^error: FIELD_VALUE: "client.${field}" cannot be checked here: .*PLATFORM = "cloudflare"`,
        ),
      );
    }
  });

  it('change the given settings and keep the others', async () => {
    const before = await stored('acme-1');
    const { code, out, errors } = await clients('set', 'acme-1', '--mode', 'enforce', '--wait');
    expect([code, errors]).toEqual([0, expect.stringMatching(/^acme-1 changed \(seq \d+\)\n/)]);
    // The change is visible even though there is no release yet.
    expect(out).toMatch(/^[\d.]+ s {2}http:\S+ shows seq \d+, release none\n$/);
    expect(await stored('acme-1')).toEqual({ ...before, mode: 'enforce' });
  });

  it('are listed without digests', async () => {
    const [{ out: text }, { out }] = await Promise.all([clients('list'), clients('list', '--json')]);
    expect(text).toMatch(
      /acme-1 .* check gateway .* enforce .* closed .* 600 s .* 1,000 .* 1 .* short codes 1335 114/,
    );
    const settings = ['--international-prefix', '00', '--sender-rules', 'none', '--record-blocks'];
    settings.push('--on-enumeration', 'stop', '--restriction', 'stopped');
    expect(await clients('add', 'acme-2', ...settings)).toMatchObject({ code: 0, errors: '' });
    const other = (await clients('list')).out;
    expect(other).toMatch(
      /acme-2 .* international prefix 00, sender rules none, records blocks, on enumeration stop, stopped/,
    );
    expect(
      await clients('set', 'acme-2', '--restriction', 'none', '--international-prefix', 'unknown'),
    ).toMatchObject({ code: 0, errors: '' });
    expect(await stored('acme-2')).toMatchObject({
      ...{ onEnumeration: 'stop', restriction: null, internationalPrefix: null },
    });
    const [client] = (JSON.parse(out) as { clients: object[] }).clients;
    expect(client).toMatchObject({ id: 'acme-1', keys: 1, certificates: 0, maxStaleSeconds: 600 });
    expect(out).not.toMatch(/sha256|[0-9a-f]{64}/i);
  });

  it('require registration as they are set to, and are mock from the start or never', async () => {
    await clients('add', 'sender', '--require-registration', 'shadow', '--on-suspicious-text', 'label');
    await clients('set', 'sender', '--require-registration', 'enforce', '--require-token', 'label');
    await clients('add', 'trial', '--mock');
    expect(await stored('sender')).toMatchObject({
      ...{ requireRegistration: 'enforce', requireToken: 'label', onSuspiciousText: 'label', mock: false },
    });
    expect(await stored('trial')).toMatchObject({ requireRegistration: 'off', mock: true });
    const { out } = await clients('list');
    expect(out).toMatch(/sender .*registration: enforce, requires tokens: label, on suspicious text label/);
    expect(out).toMatch(/trial .*mock/);
    const wrong = await clients('set', 'sender', '--require-registration', 'maybe');
    expect([wrong.code, wrong.errors]).toEqual([2, expect.stringContaining('enforce, label, shadow')]);
    expect((await clients('set', 'sender', '--mock')).code).toBe(2);
    const change = { client: { ...(await stored('sender')), mock: true }, reason: 'a test' };
    const { message } = await failureOf(() => admin.change('PUT', 'clients/sender', change));
    expect(message).toContain('"client.mock" cannot be changed: create another client');
    for (const id of ['sender', 'trial']) await clients('remove', id);
  });

  it('are not changed without a setting, which would record an empty change', async () => {
    const { seq } = await admin.get<StatusInfo>('status');
    const { code, errors } = await clients('set', 'acme-1', '--reason', 'a test', '--wait');
    expect([code, errors]).toEqual([
      2,
      expect.stringMatching(
        /^error: give at least one setting to change: .* --rights, .*--mode, .*--short-codes\n$/,
      ),
    ]);
    const same = await clients('set', 'acme-1', '--mode', 'enforce');
    expect([same.code, same.out]).toEqual([0, 'acme-1 already has these settings: nothing was changed\n']);
    expect((await admin.get<StatusInfo>('status')).seq).toBe(seq);
  });

  it('are unknown once they are removed', async () => {
    const { code, out } = await clients('remove', 'acme-1', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { id: 'acme-1', removed: true }]);
    for (const command of [['remove'], ['rotate'], ['set', '--mode', 'shadow']]) {
      const again = await clients(...command, 'acme-1');
      expect([again.code, again.errors]).toEqual([1, expect.stringMatching(/^error: CLIENT_UNKNOWN: /)]);
    }
  });
});

describe('organisations', () => {
  it('are added, shown, listed and changed', async () => {
    const settings = ['--display-name', 'KISA', '--authority', 'kisa', '--roles', 'regulator,operator'];
    const added = await organisations('add', 'kisa', ...settings);
    expect([added.code, added.out]).toEqual([0, expect.stringMatching(/^kisa added \(seq \d+\)\n/)]);
    expect((await organisations('set', 'kisa', '--contact', '118', '--declared-numbers', '2000')).code).toBe(
      0,
    );
    expect(await admin.get('organisations/kisa')).toMatchObject({ declaredNumbers: 2_000 });
    expect((await organisations('set', 'kisa', '--declared-numbers', 'none')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ declaredNumbers: null, authority: 'kisa' });
    await clients('add', 'kisa-desk', '--organisation', 'kisa');
    const { out: text } = await organisations('show', 'kisa');
    for (const words of ['KISA', 'regulator operator', '118', 'active', 'kisa-desk'])
      expect(text).toContain(words);
    const { out } = await organisations('list', '--json');
    expect(JSON.parse(out)).toMatchObject({
      organisations: [{ id: 'default' }, { id: 'kisa', authority: 'kisa', contact: '118' }],
    });
    expect((await clients('list')).out).toMatch(/kisa-desk .* organisation kisa/);
    expect((await organisations('add', 'kisa')).errors).toMatch(/^error: organisation kisa already exists/);
  });

  it('become partners, whose clients may report', async () => {
    const partner = [
      '--partner-kind',
      'operator',
      '--partner-slices',
      '4',
      '--partner-reports-per-day',
      '9000',
    ];
    expect((await organisations('add', 'kt-reports', ...partner)).code).toBe(0);
    expect((await organisations('set', 'kt-reports', '--partner-weight', '1.5')).code).toBe(0);
    expect(await admin.get('organisations/kt-reports')).toMatchObject({
      partner: { kind: 'operator', weight: 1.5, slices: 4, reportsPerDay: 9_000, mock: false },
    });
    expect((await organisations('show', 'kt-reports')).out).toContain('operator: weight 1.5, 4 slices');
    expect((await clients('add', 'kt-1', '--organisation', 'kt-reports', '--rights', 'report')).code).toBe(0);
    const final = await organisations('set', 'kt-reports', '--partner-slices', '8');
    expect(final.errors).toMatch(/^error: FIELD_VALUE: .*slices/);
    expect((await organisations('set', 'kisa', '--partner-weight', '1')).errors).toContain('--partner-kind');
  });

  it('lose their authority', async () => {
    expect((await organisations('set', 'kisa', '--authority', 'none')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ authority: null });
    expect((await organisations('set', 'kisa', '--authority', 'kisa')).code).toBe(0);
  });

  it('are suspended and made active again', async () => {
    expect((await organisations('suspend', 'kisa', '--reason', 'a test')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ state: 'suspended' });
    expect((await organisations('suspend', 'kisa', '--undo')).code).toBe(0);
    expect(await admin.get('organisations/kisa')).toMatchObject({ state: 'active', authority: 'kisa' });
  });

  it('with members are not removed, and an empty one is', async () => {
    const kept = await organisations('remove', 'kisa');
    expect([kept.code, kept.errors]).toEqual([4, expect.stringMatching(/^error: ORGANISATION_IN_USE: /)]);
    expect((await organisations('add', 'acme')).code).toBe(0);
    expect((await organisations('remove', 'acme')).code).toBe(0);
    expect((await organisations('show', 'acme')).errors).toMatch(/^error: ORGANISATION_UNKNOWN: /);
  });

  it.each([
    [['add', 'Acme'], 'id must have only lower case letters, digits and dashes'],
    [['add', 'acme', '--authority', 'KT!'], 'must have only lower case letters'],
    [['add', 'acme', '--authority', 'root'], 'authority must not be root or numgate'],
    [['add', 'acme', '--roles', 'owner'], 'roles[0] must be one of regulator, '],
    [['add', 'acme', '--display-name', '\u001b[31m'], 'displayName must be one line'],
    [
      ['set', 'kisa'],
      'setting to change: npx numgate organisations set <id> with --display-name, --authority, ',
    ],
  ])('%j is rejected by its field, with exit code 2', async (args, message) => {
    const { code, errors } = await organisations(...args);
    expect([code, errors]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('an invalid value', () => {
  it.each([
    [['Acme'], 'id must have only lower case letters, digits and dashes'],
    [['a.b'], 'id must have '],
    [['acme', '--rights', 'admin'], 'rights[0] must be one of check, gateway'],
    [['acme', '--max-stale-seconds', '5'], 'maxStaleSeconds must be at least 10 seconds'],
    [['acme', '--max-stale-seconds', 'soon'], "'--max-stale-seconds <seconds>' argument 'soon' is invalid"],
    [['acme', '--expires', '2020-01-01'], '--expires must be in the future'],
    [['acme', '--expires', 'soon'], '--expires must be a duration (30m, 2h, 7d, 2w), a date or a time'],
    [['acme', '--expires', '2199-01-01'], '--expires must be before 2106; none removes the expiry'],
    [['acme', '--addresses', '0.0.0.0/0'], 'addresses[0] must not cover more than /8 for IPv4'],
    [['acme', '--addresses', '203.0.113.7/24'], 'addresses[0] must be 203.0.113.0/24'],
    [['acme', '--addresses', ''], 'addresses must not be empty'],
    [['acme', '--certificate-sha256', 'AB:CD'], 'certificateSha256[0] must be a SHA-256 in hex'],
    [['acme', '--quota-numbers', '0'], 'quotaNumbers must be at least 1 number a minute'],
    [['acme', '--quota-numbers', ''], 'must be a whole number'],
    [['acme', '--short-codes', '12,a'], 'shortCodes[0] must be a short code of 3 to 8 digits'],
    [['acme', '--mode', 'off'], 'Allowed choices are enforce, label, shadow'],
    [['acme', '--fail-policy', 'ajar'], 'Allowed choices are open, closed'],
    [[], "missing required argument 'id'"],
  ])('%j is rejected by its field, with exit code 2', async (args, message) => {
    const { code, out, errors } = await clients('add', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(errors).toContain(message);
    expect(errors).not.toMatch(/\n\s+at /);
  });
});
