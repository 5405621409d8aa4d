/** Text releases over HTTP: pushed, refused, in a canary, in force, rolled back, and in the audit log. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { TextChangeDone, TextReleaseInfo, TextStatus } from '../../shared/admin/text.ts';
import { type AuditRecord, AuditVerifier } from '../../shared/audit.ts';
import { fromBase64 } from '../../shared/bytes.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import { type BuiltText, buildText, type TextContent } from '../shared/support/text-releases.ts';
import { addOrganisation, asToken as as } from './support/organisations.ts';
import { serviceKeys, signingKey } from './support/releases.ts';
import { check } from './support/send.ts';
import { adminLines, adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

const REGULATOR = 'text-regulator';
const OPERATOR = 'text-operator';
const RELAY = 'text-relay';
const reason = 'a test';

const build = async (content: TextContent = {}, foreign = false): Promise<BuiltText> =>
  buildText(content, await serviceKeys(), await signingKey(foreign, null));
const push = (built: BuiltText) => adminValue<TextReleaseInfo>('text/releases', { body: built.put });
const status = () => adminValue<TextStatus>('text/status', as(OPERATOR));

let first: BuiltText;

describe('a text release', () => {
  beforeAll(async () => {
    await addOrganisation(REGULATOR, 'regulator');
    await addOrganisation(OPERATOR, 'operator');
    await addOrganisation(RELAY, 'relay');
    first = await build();
  });

  it('is refused with a foreign signature or a damaged value, and nothing of it is stored', async () => {
    const foreign = await build({}, true);
    const [key] = first.keys;
    const damaged = { ...first.put, values: { ...first.put.values, [key!]: 'AAAA' } };
    for (const [body, refusal] of [
      [foreign.put, 'SIGNATURE_INVALID'],
      [damaged, 'VALUE_DAMAGED'],
    ] as const) {
      const { json } = await expectAdminRefused(['text/releases', { body }], [422, 'RELEASE_REFUSED']);
      expect(json).toMatchObject({ refusal });
    }
    const partial = { body: { manifest: first.put.manifest } };
    await expectAdminRefused(['text/releases', partial], [400, 'FIELD_MISSING', 'values']);
    expect(await adminValue('text/releases')).toEqual({ releases: [] });
  });

  it('is pushed by the regulator, seen by an operator, and hidden from a relay', async () => {
    for (const id of [OPERATOR, RELAY])
      await expectAdminRefused(['text/releases', { body: first.put, ...as(id) }], [403, 'PERMISSION_DENIED']);
    await expectAdminRefused(['text/releases', as(RELAY)], [403, 'PERMISSION_DENIED']);
    const pushed = await sendAdmin('text/releases', { body: { ...first.put, reason }, ...as(REGULATOR) });
    expect(pushed.status).toBe(201);
    const info = await adminValue<TextReleaseInfo>(`text/releases/${first.release}`, as(OPERATOR));
    expect(info).toEqual(pushed.json);
    expect(info).toMatchObject({ state: 'pushed', pushedBy: `token:${REGULATOR}`, promotedAt: null });
    expect(await adminValue(`text/releases/${first.release}/manifest`)).toEqual(first.put.manifest);
    const [key] = first.keys;
    const value = await fetch(`${world().admin}/v1/admin/${key!.replace('text/', 'text/values/')}`, {
      headers: { authorization: `Bearer ${world().tokens.root}` },
    });
    expect(new Uint8Array(await value.arrayBuffer())).toEqual(fromBase64(first.put.values[key!]!));
    await expectAdminRefused(
      ['text/releases/text-20261124T0312Z-ffffffff', {}],
      [404, 'TEXT_RELEASE_UNKNOWN'],
    );
  });

  it('runs in a canary, in all data centres, and is rolled back; the head names its values in KV', async () => {
    const promote = (release: string, body: object) =>
      adminValue<TextChangeDone>(`text/releases/${release}/promote`, { body: { reason, ...body } });
    expect(await promote(first.release, { base: null, share: 0.5 })).toMatchObject({
      ...{ state: 'candidate', share: 0.5, current: null, published: true },
    });
    for (const key of first.keys) expect(await world().kv.admin.get(key)).not.toBeNull();
    expect(await promote(first.release, { base: null })).toMatchObject({ current: first.release });
    const next = await build({ base: first.release, minute: 1, hosts: {} });
    await push(next);
    const refused = await expectAdminRefused(
      [`text/releases/${next.release}/promote`, { body: { base: first.release, reason } }],
      [422, 'GUARD_HIT'],
    );
    expect(refused.json).toMatchObject({ guards: [{ guard: 'fewer-hosts', list: 'phishing' }] });
    const body = { base: first.release, reason, overrides: ['fewer-hosts'] };
    await expectAdminRefused(
      [`text/releases/${next.release}/promote`, { body, ...as(REGULATOR) }],
      [403, 'PERMISSION_DENIED'],
    );
    expect(await promote(next.release, { ...body, share: 0.1, dryRun: true })).toMatchObject({
      dryRun: true,
    });
    expect(await promote(next.release, body)).toMatchObject({ current: next.release });
    const { version } = await status();
    expect(await adminValue('text/rollback', { body: { reason }, ...as(REGULATOR) })).toMatchObject({
      ...{ release: next.release, state: 'withdrawn', current: first.release, version: version + 1 },
    });
    expect(await status()).toMatchObject({ current: first.release, candidate: null, published: version + 1 });
    await expectAdminRefused(
      [`text/releases/${next.release}/withdraw`, { body: { reason } }],
      [409, 'RELEASE_STATE'],
    );
  });

  it('is what the edge screens texts with, within seconds', async () => {
    const question = {
      to: '+82-10-7800-0042',
      text: '배송이 지연되어 확인이 필요합니다 http://www.evil.example/a',
    };
    await vi.waitFor(
      async () => {
        const { verdict, reasons } = await check(question, { base: world().admin });
        expect([verdict, reasons[0]?.code, reasons[0]?.list]).toEqual([
          'block',
          'TEXT_HOST_LISTED',
          'phishing',
        ]);
      },
      { timeout: HANG_MS, interval: 200 },
    );
    const other = await check({ ...question, text: '내일 세 시에 만나요' }, { base: world().admin });
    expect(other.text?.model).toBe('model-1');
    // All weights of the model are positive. A score alone has no effect.
    expect(other.reasons.filter(({ match }) => match === 'model')).toMatchObject([{ effect: 'shadow' }]);
    expect(other.verdict).not.toBe('block');
  });

  it('has every change in the audit chain, whose end the audit log gets', async () => {
    const records = await adminLines<AuditRecord>('AuditRecord', 'text/audit', as(OPERATOR));
    const verifier = new AuditVerifier();
    for (const record of records) expect(verifier.next(record)).toBeNull();
    expect(records.map(({ action }) => action.replace('textRelease.', ''))).toEqual([
      ...['push', 'promote', 'promote', 'push', 'promote', 'rollback'],
    ]);
    expect(records.at(-1)).toMatchObject({ actor: `token:${REGULATOR}`, reason });
  });
});
