/** Bulk uploads and exports of registered senders over HTTP, and numbers that change hands. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { csvFields, csvLine } from '../../shared/csv.ts';
import type { Registration, RegistrationPage } from '../../shared/senders/registration.ts';
import type { ImportDone } from '../../shared/senders/registration-import.ts';
import {
  type AdminRequest,
  adminLines,
  adminValue,
  expectAdminRefused,
  sendAdmin,
} from './support/send-admin.ts';

const SENDER = 'bulk-acme';
const REVIEWER = 'bulk-kisa';
const PATH = `organisations/${SENDER}/registrations`;
const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires';
const sha256 = 'ab'.repeat(32);
const reason = 'a test';
const keys: Record<string, string> = {};
const as = (id: string): Pick<AdminRequest, 'token'> => ({ token: { key: keys[id]! } });

const line = (reference: string, number: string, client = `${SENDER}-main`): string =>
  csvLine([reference, number, 'own', 'organisation', 'Acme, Inc.', client, `serviceUse:${sha256}`, '']);
const piece = (...lines: string[]): string => [HEADER, ...lines, ''].join('\n');
/** Sends bytes, because the checks of requests read JSON. */
const upload = (body: string | Uint8Array, headers: Record<string, string> = {}): AdminRequest => ({
  ...{ method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'text/csv', ...headers } },
  ...as(SENDER),
});
const imported = (body: string, query = '', headers: Record<string, string> = {}) =>
  adminValue<ImportDone>(`${PATH}/import${query}`, upload(body, headers));
const count = async (): Promise<number> =>
  (await adminValue<RegistrationPage>(PATH, as(SENDER))).registrations.length;

describe('bulk uploads of registered senders', () => {
  beforeAll(async () => {
    const put = (path: string, body: object) =>
      adminValue(path, { method: 'PUT', body: { ...body, reason } });
    for (const [id, role] of [
      [SENDER, 'relay'],
      [REVIEWER, 'operator'],
    ] as const) {
      await put(`organisations/${id}`, { organisation: { id, displayName: id, roles: [role] } });
      const { key, secretSha256 } = await newKey(id);
      await put(`tokens/${id}`, { token: { id, secretSha256: [secretSha256], role, organisation: id } });
      keys[id] = key;
    }
    const client = { id: `${SENDER}-main`, secretSha256: [sha256], rights: ['check'], organisation: SENDER };
    await put(`clients/${client.id}`, { client });
  });

  it('a piece is stored once, also if it is sent again with its key', async () => {
    const body = piece(line('hq', '1588-2001'), '', line('branch', '+82221230000..+82221230099'));
    const first = await imported(body, '?line=1002&submit=true', { 'idempotency-key': 'upload:1002' });
    expect(first.rows).toMatchObject([
      { line: 1_002, reference: 'hq', result: 'created', state: 'submitted', reasons: [] },
      { line: 1_004, reference: 'branch', result: 'created', state: 'submitted', reasons: [] },
    ]);
    const before = await count();
    expect(await imported(body, '?line=1002&submit=true', { 'idempotency-key': 'upload:1002' })).toEqual(
      first,
    );
    expect((await imported(body)).rows.map(({ result }) => result)).toEqual(['unchanged', 'unchanged']);
    const other = upload(piece(line('hq', '1588-2002')), { 'idempotency-key': 'upload:1002' });
    await expectAdminRefused([`${PATH}/import`, other], [409, 'IDEMPOTENCY_CONFLICT']);
    expect(await count()).toBe(before);
  });

  it('invalid lines store nothing, and are named with field and line', async () => {
    const body = piece(line('good', '1588-2003'), line('bad', '112'), line('other', '1588-2004', 'nobody'));
    const before = await count();
    const { json } = await expectAdminRefused(
      [`${PATH}/import`, upload(body)],
      [422, 'REGISTRATIONS_INVALID'],
    );
    expect((json as unknown as { lines: ImportDone['rows'] }).lines).toMatchObject([
      { line: 3, reference: 'bad', reasons: [{ field: 'number' }] },
      { line: 4, reference: 'other', reasons: [{ field: 'clients', code: 'CLIENT_UNKNOWN' }] },
    ]);
    const tried = await imported(body, '?dryRun=true');
    expect(tried.rows.map(({ result }) => result)).toEqual(['created', 'rejected', 'rejected']);
    expect(await count()).toBe(before);
    const kept = await imported(body, '?skipInvalid=true');
    expect(kept.rows.map(({ result }) => result)).toEqual(['created', 'rejected', 'rejected']);
    expect(await count()).toBe(before + 1);
  });

  it.each<[string, string | Uint8Array, Record<string, string>, readonly [number, string, string?]]>([
    ['a wrong column', 'reference,phone\nhq,1588-2001\n', {}, [400, 'CSV_INVALID', 'phone']],
    ['a missing column', 'reference,number\nhq,1588-2001\n', {}, [400, 'CSV_INVALID', 'basis']],
    // 한국 in CP949.
    [
      'another encoding',
      Buffer.concat([Buffer.from(`${HEADER}\n`), Buffer.from([0xc7, 0xd1, 0xb1, 0xb9])]),
      {},
      [400, 'CSV_INVALID'],
    ],
    [
      'a declared encoding',
      piece(),
      { 'content-type': 'text/csv; charset=euc-kr' },
      [415, 'CONTENT_TYPE_UNSUPPORTED'],
    ],
    ['JSON', '{}', { 'content-type': 'application/json' }, [415, 'CONTENT_TYPE_UNSUPPORTED']],
    ['nothing', '', {}, [400, 'BODY_MISSING']],
    ['too many lines', piece(...Array.from({ length: 1_001 }, () => 'x')), {}, [400, 'ITEMS_TOO_MANY']],
    ['too many bytes', 'x'.repeat(4_194_305), {}, [413, 'BODY_TOO_LARGE']],
  ])('%s is refused by name', async (_what, body, headers, problem) => {
    await expectAdminRefused([`${PATH}/import`, { ...upload(body, headers), undocumented: true }], problem);
  });

  it.each([
    ['?submit=yes', 'submit'],
    ['?line=two', 'line'],
    ['?partial=true', 'partial'],
  ])('the parameter %s is refused by name', async (query, field) => {
    const code = field === 'partial' ? 'FIELD_UNKNOWN' : 'FIELD_VALUE';
    await expectAdminRefused([`${PATH}/import${query}`, upload(piece())], [400, code, field]);
  });

  it('an export has every registration once, as CSV or NDJSON, and can be uploaded again', async () => {
    const first = await sendAdmin(`${PATH}/export?limit=2`, as(SENDER));
    expect(first.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const rest = await sendAdmin(`${PATH}/export?after=${first.headers.get('x-next')}`, as(SENDER));
    const lines = (first.text + rest.text).trimEnd().split('\n');
    expect(lines[0]).toBe(`${HEADER},id,state,endsAt`);
    expect(lines.slice(1).map((each) => csvFields(each)![0])).toEqual(['hq', 'branch', 'good']);
    expect((await imported(lines.join('\n'))).rows.map(({ result }) => result)).toEqual(
      lines.slice(1).map(() => 'unchanged'),
    );
    const accept = { headers: { accept: 'application/x-ndjson' }, ...as(SENDER) };
    const values = await adminLines<Registration>('SenderRegistration', `${PATH}/export`, accept);
    expect(values.map(({ reference }) => reference)).toEqual(['hq', 'branch', 'good']);
  });

  it('only the organisation uploads, and reviewers may export', async () => {
    const foreign = { ...upload(piece()), ...as(REVIEWER) };
    await expectAdminRefused([`${PATH}/import`, foreign], [403, 'PERMISSION_DENIED']);
    await expectAdminRefused(
      [`organisations/none/registrations/import`, { ...upload(piece()), token: 'root' }],
      [404, 'ORGANISATION_UNKNOWN'],
    );
    expect((await sendAdmin(`${PATH}/export`, as(REVIEWER))).status).toBe(200);
  });

  it('a number that changes hands raises an event, and reviewers alone report it', async () => {
    const { registrations } = await adminValue<RegistrationPage>(PATH, as(SENDER));
    const { id } = registrations.find(({ reference }) => reference === 'hq')!;
    for (const action of ['claim', 'approve'])
      await adminValue(`${PATH}/${id}/${action}`, { body: { reason }, ...as(REVIEWER) });
    const event = { number: '1588-2001', event: 'ported', at: '2026-11-20T00:00:00Z', reason };
    await expectAdminRefused(
      ['registrations/number-events', { body: event, ...as(SENDER) }],
      [403, 'PERMISSION_DENIED'],
    );
    expect(await adminValue('registrations/number-events', { body: event, ...as(REVIEWER) })).toEqual({
      registrations: [{ organisation: SENDER, id, state: 'approved' }],
    });
    expect(await adminValue<Registration>(`${PATH}/${id}`, as(SENDER))).toMatchObject({
      ...{ state: 'approved', reasons: [{ field: 'number', code: 'NUMBER_PORTED' }] },
    });
    const wrong = { body: { ...event, number: '112' }, ...as(REVIEWER) };
    await expectAdminRefused(['registrations/number-events', wrong], [400, 'FIELD_VALUE', 'number']);
  });
});
