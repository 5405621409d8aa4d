/**
 * Roots and certificates of PASSporTs in the admin API. test/gateways/passport.suite.ts fetches, publishes and uses them.
 */
import { describe, expect, it } from 'vitest';
import type { PassportCertificateInfo, PassportRootInfo } from '../../shared/admin/passport.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import vectors from '../vectors/passport.json' with { type: 'json' };
import {
  type AdminRequest,
  adminLines,
  adminValue,
  expectAdminRefused,
  sendAdmin,
} from './support/send-admin.ts';

const ROOT = { id: 'kr-sti', certificate: vectors['root.pem'], hosts: ['certs.invalid'] };
/** `.invalid` never resolves, so nothing is fetched (RFC 2606). */
const CERTIFICATE = {
  id: 'kt',
  url: 'https://certs.invalid/kt01.pem',
  numbers: ['+821000000000..+821099999999'],
};

type Write = readonly [path: string, request: AdminRequest];
const putRoot = (change: object = {}, headers: Record<string, string> = {}): Write => [
  'passport/roots/kr-sti',
  { method: 'PUT', headers, body: { root: { ...ROOT, ...change }, reason: 'tests' } },
];
const putCertificate = (change: object = {}, headers: Record<string, string> = {}): Write => [
  'passport/certificates/kt',
  { method: 'PUT', headers, body: { certificate: { ...CERTIFICATE, ...change }, reason: 'tests' } },
];
const remove = (path: string): Write => [path, { method: 'DELETE', body: { reason: 'tests' } }];

describe('roots and certificates of PASSporTs', () => {
  it('are stored, shown with their state, changed as read, and removed', async () => {
    expect(await adminValue(...putRoot())).toEqual({ ...ROOT, notBefore: BEGIN, notAfter: END });
    const waiting = await adminValue<PassportCertificateInfo>(...putCertificate());
    expect(waiting).toMatchObject({ ...CERTIFICATE, state: 'active', status: 'waiting', authorized: [] });
    const { json, headers } = await sendAdmin('passport/certificates/kt');
    expect(json).toMatchObject(CERTIFICATE);
    const etag = headers.get('etag')!;
    const suspended = putCertificate({ state: 'suspended' }, { 'if-match': etag });
    expect(await adminValue(...suspended)).toMatchObject({ status: 'suspended', nextFetchAt: null });
    await expectAdminRefused(suspended, [412, 'PRECONDITION_FAILED']);
    const { roots } = await adminValue<{ roots: PassportRootInfo[] }>('passport/roots');
    expect(roots).toEqual([await adminValue('passport/roots/kr-sti')]);
    await adminValue(...remove('passport/certificates/kt'));
    expect(await adminValue('passport/certificates')).toEqual({ certificates: [] });
    await adminValue(...remove('passport/roots/kr-sti'));
    const records = await adminLines<AuditRecord>('AuditRecord', 'credentials/audit');
    expect(records.map(({ action }) => action).filter((action) => action.startsWith('passport.'))).toEqual([
      ...['passport.putRoot', 'passport.putCertificate', 'passport.putCertificate'],
      ...['passport.removeCertificate', 'passport.removeRoot'],
    ]);
    expect(JSON.stringify(records)).not.toContain('+8210');
  });

  it('are refused by field', async () => {
    await adminValue(...putRoot());
    await adminValue(...putCertificate({ state: 'suspended' }));
    const refusals: readonly (readonly [Write, readonly [number, string, string?]])[] = [
      [putRoot({ certificate: vectors['signer.pem'] }), [422, 'PASSPORT_ROOT_INVALID']],
      [putRoot({ certificate: vectors['signer.key'] }), [422, 'PASSPORT_ROOT_INVALID']],
      [putRoot({ id: 'other' }), [400, 'FIELD_VALUE', 'root.id']],
      [putRoot({ hosts: [] }), [400, 'FIELD_VALUE', 'root.hosts']],
      [putRoot({ hosts: ['https://certs.invalid'] }), [400, 'FIELD_VALUE', 'root.hosts.0']],
      [putCertificate({ url: 'https://other.invalid/a.pem' }), [422, 'PASSPORT_HOST_UNKNOWN']],
      [putCertificate({ url: 'file:///etc/passwd' }), [400, 'FIELD_VALUE', 'certificate.url']],
      [putCertificate({ url: 'https://a:b@certs.invalid/a.pem' }), [400, 'FIELD_VALUE', 'certificate.url']],
      [putCertificate({ numbers: ['010'] }), [400, 'FIELD_VALUE', 'certificate.numbers.0']],
      [putCertificate({ key: 'x' }), [400, 'FIELD_UNKNOWN', 'certificate.key']],
      [remove('passport/roots/none'), [404, 'PASSPORT_ROOT_UNKNOWN']],
      [
        ['passport/certificates/none', {}],
        [404, 'PASSPORT_CERTIFICATE_UNKNOWN'],
      ],
    ];
    for (const [write, problem] of refusals) await expectAdminRefused(write, problem);
    const other = { certificate: { ...CERTIFICATE, id: 'other' }, reason: 'tests' };
    await expectAdminRefused(
      ['passport/certificates/other', { method: 'PUT', body: other }],
      [...([409, 'PASSPORT_URL_TAKEN'] as const)],
    );
    await adminValue(...remove('passport/certificates/kt'));
    await adminValue(...remove('passport/roots/kr-sti'));
  });
});

const BEGIN = '2026-01-01T00:00:00.000Z';
const END = '2046-01-01T00:00:00.000Z';
