/** Admin tokens over HTTP: conditions, last use, and what a token inherits if it is created again. */
import { describe, expect, test, vi } from 'vitest';
import type { KeyConditions } from '../../../shared/key-conditions.ts';
import { TOKEN_ENTRIES_PER_HOUR_MAX } from '../../../shared/limits/control.ts';
import { ADDRESS, calls, freshControl, listed, logged, putToken, send } from '../support/admin.ts';
import { ADMIN, coordinator } from '../support/coordinator.ts';
import { DAY, generationOf, HOUR, NOON, spend } from '../support/room.ts';

freshControl();

const BLOCK = { op: 'block', items: [{ number: '+821030000001' }] };

describe('a token with conditions', () => {
  const ends = (ms: number): KeyConditions => ({ expires: new Date(NOON + ms).toISOString() });

  test('ends on time, and only the right secret gets to know', async () => {
    await putToken('night', ends(1_000));
    expect((await send('night', 'GET status')).status).toBe(200);
    vi.setSystemTime(NOON + 1_000);
    const right = await send('night', 'GET status');
    const wrong = await send('night', 'GET status', null, { secret: 'wrong' });
    expect([right.status, wrong.status]).toEqual([401, 401]);
    expect(right.answer.message).toBe(`the admin token expired at ${ends(1_000).expires}: ask for a new one`);
    expect(wrong.answer.message).toBe('the admin token is not valid');
    expect(logged).toContainEqual(expect.objectContaining({ id: 'night', reason: 'expired' }));
  });

  test('works from its addresses alone', async () => {
    await putToken('night', { addresses: ['203.0.113.0/24'] });
    const codes: unknown[] = [];
    for (const [address, platform] of [
      [ADDRESS, 'cloudflare'],
      ['203.0.114.9', 'cloudflare'],
      [ADDRESS, 'local'],
    ] as const) {
      const sent = { headers: { 'cf-connecting-ip': address }, platform };
      codes.push((await send('night', 'GET status', null, sent)).code);
    }
    expect(codes).toEqual([undefined, 'PERMISSION_DENIED', 'PERMISSION_DENIED']);
  });

  test.each([
    ['expires', ends(0), 'must be in the future: to stop a key now, remove it'],
    ['expires', { expires: 'soon' }, 'must be a time such as'],
    ['addresses.0', { addresses: ['0.0.0.0/0'] }, 'leave it out to accept every address'],
    ['addresses.1', { addresses: ['203.0.113.0/24', '::/0'] }, 'leave it out to accept every address'],
    ['addresses', { addresses: [] }, 'leave it out for no condition'],
    ['certificateSha256.0', { certificateSha256: ['AA:BB'] }, 'must be a SHA-256 in hex'],
  ])('with an invalid %s gets a 400 that names it: %j', async (field, settings, message) => {
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...settings };
    const kinds = [
      ['token', await putToken('night', settings)],
      ['client', await send('root', 'PUT clients/relay', { client })],
    ] as const;
    for (const [kind, { status, answer }] of kinds) {
      expect([status, answer.code, answer.field]).toEqual([400, 'FIELD_VALUE', `${kind}.${field}`]);
      expect(answer.message).toContain(message);
    }
  });

  test('can be changed after its end, which stays', async () => {
    await putToken('night', ends(1_000));
    vi.setSystemTime(NOON + DAY);
    expect((await putToken('night', { ...ends(1_000), scopes: ['read'] })).status).toBe(200);
  });

  test.each([
    ['addresses', { addresses: ['203.0.113.0/24'] }],
    ['certificateSha256', { certificateSha256: ['0'.repeat(64)] }],
  ])('cannot have %s where a client can send any', async (field, settings) => {
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...settings };
    for (const { status, answer } of [
      await putToken('night', settings, { platform: '' }),
      await send('root', 'PUT clients/relay', { client }, { platform: '' }),
    ]) {
      expect([status, answer.code]).toEqual([400, 'FIELD_VALUE']);
      expect(answer.field).toMatch(new RegExp(`\\.${field}$`));
      expect(answer.message).toContain('deploy with PLATFORM = "cloudflare", or filter in a proxy');
    }
  });

  test('has its ranges in canonical form', async () => {
    await putToken('night', { addresses: ['203.0.113.7', '2001:0DB8:0::/32', '::ffff:198.51.100.0/120'] });
    expect((await listed('night')).addresses).toEqual(['203.0.113.7/32', '2001:db8::/32', '198.51.100.0/24']);
  });
});

describe('the last use of a token', () => {
  test('is the hour, written once an hour, and not in the audit log', async () => {
    await putToken('night');
    expect((await listed('night')).lastUsedAt).toBeNull();
    const { audit } = (await send('root', 'GET status')).answer as { audit: { n: number } };
    const seen: unknown[] = [];
    for (const after of [0, 1, HOUR - 1, HOUR, HOUR + 1, 3 * HOUR + 1]) {
      vi.setSystemTime(NOON + after);
      await send('night', 'GET status');
      await send('night', 'GET status', null, { secret: 'wrong' });
      seen.push((await listed('night')).lastUsedAt);
    }
    const [noon, one, three] = [0, 1, 3].map((hours) => new Date(NOON + hours * HOUR).toISOString());
    expect(seen).toEqual([noon, noon, noon, one, one, three]);
    expect(calls.filter((name) => name === 'tokenUsed')).toHaveLength(3);
    expect((await send('root', 'GET status')).answer.audit).toEqual(audit);
  });
});

describe('a token that is created again', () => {
  const again = async (id: string): Promise<void> => {
    expect((await send('root', `DELETE tokens/${id}`, {})).status).toBe(200);
    expect((await putToken(id)).status).toBe(200);
  };
  const block = (id: string) => send(id, 'POST entries', BLOCK, { headers: { 'idempotency-key': 'same' } });

  test('gets no answers of the one before', async () => {
    await putToken('night');
    const first = (await block('night')).answer;
    expect((await block('night')).answer).toEqual(first);
    // Changing the token does not make a new holder.
    await putToken('night', { scopes: ['entries'] });
    expect((await block('night')).answer).toEqual(first);
    await again('night');
    expect((await block('night')).answer.seq).toBeGreaterThan(first.seq as number);
  });

  test('has a budget and a last use of its own, and the same name in the audit log', async () => {
    await putToken('night');
    const before = await generationOf('night');
    await spend({ ...ADMIN, name: 'token:night', generation: before }, 'entries', TOKEN_ENTRIES_PER_HOUR_MAX);
    expect((await block('night')).code).toBe('BUDGET_EXCEEDED');
    await again('night');
    expect(await generationOf('night')).toBeGreaterThan(before);
    expect((await listed('night')).lastUsedAt).toBeNull();
    expect((await block('night')).status).toBe(200);
    const { entries } = (await send('night', 'GET entries')).answer as { entries: { by: string }[] };
    expect(entries.map(({ by }) => by)).toEqual(['token:night']);
  });
});

describe('keys that end', () => {
  test('soon or recently are in the status, and in the log once a day', async () => {
    const ends = (days: number): KeyConditions => ({ expires: new Date(NOON + days * DAY).toISOString() });
    await putToken('soon', ends(29));
    await putToken('later', ends(31));
    await putToken('past', ends(1));
    const client = { id: 'relay', secretSha256: ['0'.repeat(64)], rights: ['check'], ...ends(20) };
    await send('root', 'PUT clients/relay', { client });
    vi.setSystemTime(NOON + 1.5 * DAY);
    const expected = [
      { kind: 'client', id: 'relay', ...ends(20) },
      { kind: 'token', id: 'soon', ...ends(29) },
      { kind: 'token', id: 'later', ...ends(31) },
      { kind: 'token', id: 'past', ...ends(1) },
    ];
    expect((await send('root', 'GET status')).answer.expiring).toEqual(expected);
    for (const after of [0, 1, DAY]) {
      vi.setSystemTime(NOON + 1.5 * DAY + after);
      await coordinator().sweep(ADMIN);
    }
    const warned = logged.filter(({ event }) => event === 'keyExpires');
    expect(warned).toEqual([...expected, ...expected].map((key) => ({ event: 'keyExpires', ...key })));
    vi.setSystemTime(NOON + 33 * DAY);
    const { expiring } = (await send('root', 'GET status')).answer as { expiring: { id: string }[] };
    expect(expiring.map(({ id }) => id)).toEqual(['relay', 'soon', 'later']);
  });
});
