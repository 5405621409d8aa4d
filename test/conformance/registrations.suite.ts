/** Registered senders over HTTP: registration, review, publication, and every problem by its name. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type AuditRecord, AuditVerifier } from '../../shared/audit.ts';
import type { DocumentInfo } from '../../shared/senders/documents.ts';
import type {
  Registration,
  RegistrationEvent,
  RegistrationPage,
  ReviewQueue,
} from '../../shared/senders/registration.ts';
import {
  addClient,
  addOrganisation,
  asToken as as,
  putDocument as put,
  sha256,
} from './support/organisations.ts';
import { adminLines, adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';

const SENDER = 'sender-acme';
const OTHER = 'sender-other';
const REVIEWER = 'reviewer-kisa';
const PATH = `organisations/${SENDER}/registrations`;
const reason = 'a test';
let next = 1000;
/** Valid content with its own number. */
const content = (rest: object = {}) => ({
  ...{ number: `1588-${next++}`, basis: 'own', holder: { kind: 'organisation', name: 'Acme' } },
  ...{ clients: [`${SENDER}-main`], proofs: [{ kind: 'serviceUse', sha256 }] },
  ...rest,
});
const create = (rest: object = {}, submit = true) =>
  adminValue<Registration>(PATH, { body: { registration: content(rest), submit }, ...as(SENDER) });
const act = (id: string, action: string, actor = REVIEWER, body: object = {}) =>
  adminValue<Registration>(`${PATH}/${id}/${action}`, { body: { reason, ...body }, ...as(actor) });
const get = (id: string, actor = SENDER) => adminValue<Registration>(`${PATH}/${id}`, as(actor));
const reasons = [
  { field: 'proofs', code: 'PROOF_UNREADABLE', detail: 'cannot be read', help: 'scan it again' },
];

async function untilPublished(id: string): Promise<Registration> {
  for (;;) {
    const registration = await get(id);
    if (registration.publication === 'published') return registration;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe('registered senders', () => {
  beforeAll(async () => {
    await addOrganisation(SENDER, 'relay');
    await addOrganisation(OTHER, 'relay');
    await addOrganisation(REVIEWER, 'operator');
    await addClient(SENDER, 'main');
    await addClient(SENDER, 'mock', { mock: true });
    await addClient(OTHER, 'main');
  });

  it('a draft becomes a submission, is reviewed, approved and published, and has a history', async () => {
    const draft = await create({ reference: 'first' }, false);
    expect(draft).toMatchObject({ state: 'draft', version: 1, organisation: SENDER, publication: 'none' });
    await act(draft.id, 'submit', SENDER);
    const { registrations } = await adminValue<ReviewQueue>('registrations/queue', as(REVIEWER));
    expect(registrations).toContainEqual(
      expect.objectContaining({ organisation: SENDER, id: draft.id, state: 'submitted' }),
    );
    expect(await act(draft.id, 'claim')).toMatchObject({ claimedBy: `token:${REVIEWER}` });
    expect(await act(draft.id, 'approve')).toMatchObject({ state: 'approved', approvedVersion: 1 });
    expect(await untilPublished(draft.id)).toMatchObject({ publishedAt: expect.any(String) });
    const { records } = await adminValue<{ records: AuditRecord[] }>(
      `${PATH}/${draft.id}/history`,
      as(SENDER),
    );
    expect(records.map(({ action }) => action)).toEqual(
      ['create', 'submit', 'claim', 'approve'].map((move) => `registrations.${move}`),
    );
  });

  it('an edit keeps the approved version, and names its version in the ETag', async () => {
    const { id } = await create();
    await act(id, 'claim');
    await act(id, 'approve');
    const edit = {
      method: 'PATCH',
      body: { registration: { expires: '2099-01-01T00:00:00Z' }, reason },
    } as const;
    const stale = { ...edit, headers: { 'if-match': '"7"' }, ...as(SENDER) };
    await expectAdminRefused([`${PATH}/${id}`, stale], [412, 'PRECONDITION_FAILED']);
    const fresh = { ...edit, headers: { 'if-match': '"1"' }, ...as(SENDER) };
    const { headers, json } = await sendAdmin(`${PATH}/${id}`, fresh);
    expect(headers.get('etag')).toBe('"2"');
    expect(json).toMatchObject({ state: 'draft', version: 2, approvedVersion: 1, approved: { version: 1 } });
  });

  it('a reviewer explains a refusal by field, and the sender sees it', async () => {
    const { id } = await create();
    await act(id, 'claim');
    const bare = { body: { reason }, ...as(REVIEWER) };
    for (const action of ['reject', 'requestUpdate', 'suspend'])
      await expectAdminRefused([`${PATH}/${id}/${action}`, bare], [400, 'FIELD_MISSING', 'reasons']);
    const explained = { body: { reasons }, ...as(REVIEWER) };
    await expectAdminRefused([`${PATH}/${id}/approve`, explained], [400, 'FIELD_VALUE', 'reasons']);
    await act(id, 'requestUpdate', REVIEWER, { reasons });
    expect(await get(id)).toMatchObject({ state: 'needsUpdate', reasons });
    const { events } = await adminValue<{ events: RegistrationEvent[] }>(`${PATH}/events`, as(SENDER));
    expect(events.at(-1)).toMatchObject({ type: 'needsUpdate', registration: id, state: 'needsUpdate' });
  });

  it('what is wrong is 422 with every reason, and nothing is stored', async () => {
    const { registrations: before } = await adminValue<RegistrationPage>(PATH, as(SENDER));
    const wrong = {
      number: '010-123-4567',
      clients: [`${OTHER}-main`],
      proofs: [{ kind: 'serviceUse', sha256: '1' }],
    };
    const request = { body: { registration: content(wrong) }, ...as(SENDER) };
    const { json } = await expectAdminRefused([PATH, request], [422, 'REGISTRATION_INVALID']);
    const found = (json as unknown as { reasons: { field: string; code: string }[] }).reasons;
    expect(found.map(({ field, code }) => `${field} ${code}`)).toEqual([
      ...['clients.0 CLIENT_UNKNOWN', 'number NUMBER_INVALID', 'proofs.0.sha256 PROOF_DIGEST'],
    ]);
    const validity = await adminValue(`${PATH}/validate`, request);
    expect(validity).toEqual({ valid: false, reasons: found });
    expect(
      await adminValue(`${PATH}/validate`, { body: { registration: content() }, ...as(SENDER) }),
    ).toEqual({
      ...{ valid: true, reasons: [] },
    });
    const { registrations: after } = await adminValue<RegistrationPage>(PATH, as(SENDER));
    expect(after.length).toBe(before.length);
  });

  it('an unknown field, a wrong type and a wrong filter are named', async () => {
    const send = (registration: object) => ({ body: { registration }, ...as(SENDER) });
    await expectAdminRefused(
      [PATH, send(content({ colour: 1 }))],
      [400, 'FIELD_UNKNOWN', 'registration.colour'],
    );
    await expectAdminRefused(
      [PATH, send(content({ basis: 'rented' }))],
      [400, 'FIELD_VALUE', 'registration.basis'],
    );
    await expectAdminRefused([`${PATH}?state=gone`, as(SENDER)], [400, 'FIELD_VALUE', 'state']);
    await expectAdminRefused([`${PATH}?number=1`, as(SENDER)], [400, 'FIELD_UNKNOWN', 'number']);
    await expectAdminRefused(['registrations/queue?after=x', as(REVIEWER)], [400, 'FIELD_VALUE', 'after']);
    const find = { body: { number: '010-123' }, ...as(SENDER) };
    await expectAdminRefused([`${PATH}/find`, find], [400, 'FIELD_VALUE', 'number']);
  });

  it('an action that the state does not allow is 409 and names what is possible', async () => {
    const { id } = await create({}, false);
    const request = { body: { reason }, ...as(REVIEWER) };
    const { json } = await expectAdminRefused(
      [`${PATH}/${id}/approve`, request],
      [409, 'REGISTRATION_STATE'],
    );
    expect(json).toMatchObject({ state: 'draft', possible: [] });
    await act(id, 'submit', SENDER);
    const again = { body: { reason }, ...as(SENDER) };
    const refused = await expectAdminRefused([`${PATH}/${id}/submit`, again], [409, 'REGISTRATION_STATE']);
    expect(refused.json).toMatchObject({ state: 'submitted', possible: ['edit', 'close'] });
    await expectAdminRefused([`${PATH}/${id}/praise`, request], [404, 'NOT_FOUND']);
    await expectAdminRefused([`${PATH}/999999/claim`, request], [404, 'REGISTRATION_UNKNOWN']);
    await expectAdminRefused([`${PATH}/one`, as(SENDER)], [404, 'REGISTRATION_UNKNOWN']);
    await expectAdminRefused(
      ['organisations/nobody/registrations', as(REVIEWER)],
      [404, 'ORGANISATION_UNKNOWN'],
    );
  });

  it('a claimed registration is decided on by its reviewer alone', async () => {
    const { id } = await create();
    await act(id, 'claim');
    const request = { body: { reason }, token: 'review' } as const;
    await expectAdminRefused([`${PATH}/${id}/approve`, request], [409, 'REGISTRATION_CLAIMED']);
    await act(id, 'release');
    await adminValue(`${PATH}/${id}/claim`, request);
    await adminValue(`${PATH}/${id}/approve`, request);
  });

  it('senders see and change only the registrations of their own organisation, and decide on none', async () => {
    const { id } = await create();
    const one = `${PATH}/${id}`;
    for (const path of [PATH, one, `${one}/history`, `${PATH}/events`, `${PATH}/audit`]) {
      await expectAdminRefused([path, as(OTHER)], [403, 'PERMISSION_DENIED']);
    }
    const registration = content();
    await expectAdminRefused([PATH, { body: { registration }, ...as(OTHER) }], [403, 'PERMISSION_DENIED']);
    const patch = { method: 'PATCH', body: { registration: { reference: 'x' } }, ...as(OTHER) };
    await expectAdminRefused([one, patch], [403, 'PERMISSION_DENIED']);
    for (const action of ['claim', 'approve', 'suspend']) {
      await expectAdminRefused(
        [`${one}/${action}`, { body: { reason }, ...as(SENDER) }],
        [403, 'PERMISSION_DENIED'],
      );
    }
    await expectAdminRefused(
      [`${one}/close`, { body: { reason }, ...as(REVIEWER) }],
      [403, 'PERMISSION_DENIED'],
    );
    await expectAdminRefused(['registrations/queue', as(SENDER)], [403, 'PERMISSION_DENIED']);
  });

  it('a reviewer does not decide on a registration of its own organisation; root may', async () => {
    const path = 'organisations/default/registrations';
    await put('clients/default-sender', {
      client: { id: 'default-sender', secretSha256: [sha256], rights: ['check'] },
    });
    const body = { registration: content({ clients: ['default-sender'] }), submit: true };
    const { id } = await adminValue<Registration>(path, { body, token: 'registrations' });
    const claim = [`${path}/${id}/claim`, { body: { reason }, token: 'review' }] as const;
    await expectAdminRefused(claim, [403, 'REVIEW_OWN']);
    for (const action of ['claim', 'approve', 'close'])
      await adminValue(`${path}/${id}/${action}`, { body: {} });
  });

  it('a repeated request with its key makes one registration', async () => {
    const request = {
      ...{
        body: { registration: content({ reference: 'once' }) },
        headers: { 'idempotency-key': 'one registration' },
      },
      ...as(SENDER),
    };
    const first = await adminValue<Registration>(PATH, request);
    expect(await adminValue<Registration>(PATH, request)).toEqual(first);
    const other = { ...request, body: { registration: content({ reference: 'twice' }) } };
    await expectAdminRefused([PATH, other], [409, 'IDEMPOTENCY_CONFLICT']);
    const { json } = await expectAdminRefused(
      [PATH, { body: { registration: content({ reference: 'once' }) }, ...as(SENDER) }],
      [422, 'REGISTRATION_INVALID'],
    );
    expect(json).toMatchObject({ reasons: [{ field: 'reference', code: 'REFERENCE_TAKEN' }] });
  });

  it('mock registrations are decided on at once, and are marked', async () => {
    const clients = [`${SENDER}-mock`];
    const states = [];
    for (const digit of [0, 7, 8, 9]) {
      const made = await create({ number: `010-0000-010${digit}`, clients });
      expect(made.mock).toBe(true);
      states.push(made.state);
    }
    expect(states).toEqual(['approved', 'needsUpdate', 'rejected', 'inReview']);
    const { registrations } = await adminValue<ReviewQueue>('registrations/queue', as(REVIEWER));
    expect(
      registrations.filter(({ organisation, state }) => organisation === SENDER && state === 'inReview'),
    ).toEqual([]);
  });

  it('registrations are listed by page and filter, and found by number', async () => {
    const number = `1588-${next++}`;
    const { id } = await create(
      { number, basis: 'delegated', holder: { kind: 'person', name: 'Kim' } },
      false,
    );
    const first = await adminValue<RegistrationPage>(`${PATH}?limit=1`, as(REVIEWER));
    expect(first).toMatchObject({ registrations: [{ id: '1' }], next: '1' });
    const delegated = await adminValue<RegistrationPage>(`${PATH}?basis=delegated&state=draft`, as(SENDER));
    expect(delegated.registrations.map((each) => each.id)).toEqual([id]);
    const found = await adminValue<RegistrationPage>(`${PATH}/find`, { body: { number }, ...as(REVIEWER) });
    expect(found.registrations.map((each) => each.id)).toEqual([id]);
  });

  it('the documents of each basis are a resource', async () => {
    const { rules, documents } = await adminValue<DocumentInfo>('registrations/documents', as(SENDER));
    expect(rules).toContainEqual({
      basis: 'own',
      holder: 'organisation',
      line: null,
      proofs: ['serviceUse'],
    });
    expect(documents[0]).toMatchObject({ kind: 'serviceUse', nameKo: '통신서비스 이용증명원' });
  });

  it('the audit chain of the registrations verifies', async () => {
    const records = await adminLines<AuditRecord>('AuditRecord', `${PATH}/audit`, as(SENDER));
    const verifier = new AuditVerifier();
    for (const record of records) expect(verifier.next(record)).toBeNull();
    expect(records.length).toBeGreaterThan(20);
    expect(await adminLines('AuditRecord', `${PATH}/audit?after=${records.length}`, as(SENDER))).toEqual([]);
  });

  it('an organisation with open registrations cannot be removed', async () => {
    const { id } = await adminValue<Registration>(`organisations/${OTHER}/registrations`, {
      ...{ body: { registration: content({ clients: [`${OTHER}-main`] }) }, ...as(OTHER) },
    });
    const remove = { method: 'DELETE', body: { reason } };
    await adminValue(`clients/${OTHER}-main`, remove);
    // No one can send as a deleted client, so its registrations stay unchanged.
    expect(
      (await adminValue<RegistrationPage>(`organisations/${OTHER}/registrations`)).registrations,
    ).toHaveLength(1);
    await adminValue(`tokens/${OTHER}`, remove);
    await expectAdminRefused([`organisations/${OTHER}`, remove], [409, 'ORGANISATION_IN_USE']);
    await adminValue(`organisations/${OTHER}/registrations/${id}/close`, { body: { reason } });
    await adminValue(`organisations/${OTHER}`, remove);
  });
});
