/**
 * Monitoring: the audit log and its chain, the status, and the records of blocks. It uses the changes of the
 * other admin suites.
 */
import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { type AuditRecord, AuditVerifier, CHAIN_START, keyedNumber } from '../../shared/audit.ts';
import { STORAGE_BYTES_MAX } from '../../shared/limits/control.ts';
import type { BlockRecord } from '../../shared/screening/block-record.ts';
import { serviceKeys } from './support/releases.ts';
import { send } from './support/send.ts';
import {
  adminLines,
  adminValue,
  change,
  checkOnceVisible,
  expectAdminRefused,
  sendAdmin,
} from './support/send-admin.ts';
import { world } from './support/world.ts';

async function auditLog(pageLength = 1_000): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (;;) {
    const after = records.at(-1)?.n ?? 0;
    const path = `audit?after=${after}&limit=${pageLength}`;
    const page = await adminLines<AuditRecord>('AuditRecord', path, { token: 'read' });
    if (page.length === 0) return records;
    records.push(...page);
  }
}

/** The first break in a chain of records, or null. */
function brokenIn(records: readonly AuditRecord[]) {
  const verifier = new AuditVerifier();
  for (const record of records) {
    const broken = verifier.next(record);
    if (broken !== null) return broken;
  }
  return null;
}

describe('the audit log', () => {
  it('the log is one complete chain up to the record in the status', async () => {
    const { audit } = await adminValue<StatusInfo>('status');
    const records = await auditLog();
    expect(brokenIn(records)).toBeNull();
    const { n, hash } = audit;
    expect(records.at(-1)).toMatchObject({ n, hash });
    expect(records.length).toBeGreaterThan(10_000);
  });

  it('the chain reveals altered, missing and moved records', async () => {
    const records = (await adminLines<AuditRecord>('AuditRecord', 'audit?limit=20')) as AuditRecord[];
    expect(records).toHaveLength(20);
    const altered = {
      actor: 'token:nobody',
      reason: 'because',
      subject: 'x',
      action: 'entries.block',
      seq: 0,
    };
    for (const [field, value] of Object.entries(altered)) {
      const changed = records.map((record) => (record.n === 7 ? { ...record, [field]: value } : record));
      expect([field, brokenIn(changed)]).toMatchObject([field, { n: 7, problem: 'ALTERED' }]);
    }
    const cut = records.filter(({ n }) => n !== 7);
    expect(brokenIn(cut)).toMatchObject({ n: 7, problem: 'MISSING' });
    expect(brokenIn(records.toSpliced(6, 0, records[5]!))).toMatchObject({ problem: 'REORDERED' });
  });

  it('a record names author, change, reason, before and after', async () => {
    const number = '+821079100001';
    const body = { op: 'block', items: [{ number }], reason: 'ticket 4711' };
    const { seq } = await adminValue<{ seq: number }>('entries', { token: 'entries', body });
    const { audit } = await adminValue<StatusInfo>('status');
    const [record] = await adminLines<AuditRecord>('AuditRecord', `audit?after=${audit.n - 1}`);
    expect(record).toMatchObject({
      ...{ n: audit.n, hash: audit.hash, seq, actor: 'token:only-entries', reason: 'ticket 4711' },
      ...{ action: 'entries.block', subject: keyedNumber(Number(number), await serviceKeys()) },
      ...{ before: null, after: [{ op: 'block', code: 'SENDER_REPORTED', subjects: ['from', 'to'], seq }] },
    });
    expect(Object.keys(record!).sort()).toEqual([
      ...['action', 'actor', 'after', 'at', 'before', 'hash', 'n', 'previous', 'reason', 'seq', 'subject'],
    ]);
  });

  it('every kind of change and refusal has a record', async () => {
    const actions = new Set((await auditLog()).map(({ action }) => action));
    for (const action of [
      ...['entries.block', 'entries.unblock', 'entries.clear', 'entries.end', 'guards.put'],
      ...['release.stage', 'release.promote', 'release.refuse', 'release.rollback'],
      ...['clients.put', 'clients.remove', 'tokens.put', 'tokens.remove'],
    ]) {
      expect(actions).toContain(action);
    }
  });

  it('the log contains no number of an entry in clear, and no secret', async () => {
    const records = await auditLog();
    const texts = records
      .filter(({ action }) => action.startsWith('entries.'))
      .map(({ subject, reason, before, after }) => JSON.stringify([subject, reason, before, after]));
    expect(texts.length).toBeGreaterThan(10_000);
    expect(texts.filter((text) => /82107\d{7}|0107\d{7}/.test(text))).toEqual([]);
    const text = JSON.stringify(records);
    for (const key of [...Object.values(world().tokens), ...Object.values(world().keys)]) {
      expect(text).not.toContain(key.split('.')[1]);
    }
  });
});

describe('trimming the log', () => {
  it('only root may trim the log; a young, unknown or different record is rejected', async () => {
    const { audit } = await adminValue<StatusInfo>('status');
    expect([audit.trimmedTo, audit.trimmedHash]).toEqual([0, CHAIN_START]);
    const trim = (n: number, hash: string) =>
      ['audit/trim', { body: { n, hash, reason: 'a test' } }] as const;
    const { n, hash } = audit;
    const young = await expectAdminRefused(trim(n, hash), [400, 'FIELD_VALUE', 'n']);
    expect(young.json.message).toBe('"n" must be the number of a record that is older than 7 days');
    await expectAdminRefused(trim(n + 1, hash), [400, 'FIELD_VALUE', 'n']);
    await expectAdminRefused(trim(n, '0'.repeat(64)), [400, 'FIELD_VALUE', 'hash']);
    await expectAdminRefused(trim(n, 'x'), [400, 'FIELD_VALUE', 'hash']);
    await expectAdminRefused(trim(0, hash), [400, 'FIELD_VALUE', 'n']);
    await expectAdminRefused(trim(0.5, hash), [400, 'FIELD_VALUE', 'n']);
    expect((await adminValue<StatusInfo>('status')).audit).toEqual(audit);
  });
});

describe('the status', () => {
  it('the status shows the current release, the live entries and the propagation', async () => {
    const seq = await change('block', [{ number: '+821079100002' }]);
    await checkOnceVisible(seq, { to: '112' });
    let status = await adminValue<StatusInfo>('status', { token: 'read' });
    while (status.kvSeq < seq) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      status = await adminValue<StatusInfo>('status');
    }
    const { clients } = await adminValue<{ clients: readonly object[] }>('clients');
    expect(clients.length).toBeGreaterThanOrEqual(3);
    expect(status).toMatchObject({ seq, kvSeq: seq, candidate: null, clients: clients.length });
    expect(status.current!.state).toBe('promoted');
    expect(status.live.entries).toBeGreaterThan(10_000);
    expect(status.live.segments).toBeGreaterThan(0);
    expect(status).toMatchObject({ storageBytesMax: STORAGE_BYTES_MAX, storageLevel: 'normal' });
    expect(status.storageBytes).toBeGreaterThan(0);
    expect(status.propagation).toMatchObject([{ dataCentre: 'local', seq }]);
  });
});

describe('records of blocks', () => {
  it('blocks are recorded, with keyed numbers, only for a client with recordBlocks', async () => {
    const { key, secretSha256 } = await newKey('recorded');
    const client = { id: 'recorded', secretSha256: [secretSha256], rights: ['check'], recordBlocks: true };
    await adminValue('clients/recorded', { method: 'PUT', body: { client, reason: 'a test' } });
    const number = '+821079100003';
    const seq = await change('block', [{ number }], { code: 'SUBSCRIBER_DNO' });
    await checkOnceVisible(seq, { to: number });
    const headers = { authorization: `Bearer ${key}` };
    const question = { base: world().admin, client: null, headers, body: { to: number, from: '112' } };
    while ((await send('/v1/check', question)).json.verdict !== 'block') {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const path = `blocks?day=${new Date().toISOString().slice(0, 10)}`;
    let records: BlockRecord[] = [];
    while (records.length === 0) {
      records = await adminLines<BlockRecord>('BlockRecord', path, { token: 'read' });
    }
    expect(new Set(records.map(({ client: id }) => id))).toEqual(new Set(['recorded']));
    expect(records[0]).toMatchObject({
      ...{ channel: 'sms', from: '112', to: keyedNumber(Number(number), await serviceKeys()), subject: 'to' },
      ...{ code: 'SUBSCRIBER_DNO', list: 'live', enforced: true },
    });
    for (const name of await world().kv.admin.keys('blocks/')) {
      const stored = new TextDecoder().decode((await world().kv.admin.get(name))!);
      expect(stored).not.toContain('SUBSCRIBER_DNO');
    }
    expect((await sendAdmin('blocks?day=2026-01-01')).text).toBe('');
    await adminValue('clients/recorded', { method: 'DELETE', body: { reason: 'a test' } });
  });

  it('records that were moved to another day or altered are refused by the name of their key', async () => {
    const { kv } = world();
    const [name] = await kv.admin.keys('blocks/');
    const bytes = (await kv.admin.get(name!))!;
    const moved = name!.replace(/\d{4}-\d\d-\d\d/, '2026-01-02');
    await kv.admin.put(moved, bytes);
    await kv.admin.put('blocks/2026-01-03/000000-x', bytes.with(-1, bytes.at(-1)! ^ 1));
    for (const [day, key] of [
      ['2026-01-02', moved],
      ['2026-01-03', 'blocks/2026-01-03/000000-x'],
    ]) {
      const { status, text, headers } = await sendAdmin(`blocks?day=${day}`);
      expect([status, text, headers.get('x-refused')]).toEqual([200, '', key]);
    }
  });
});
