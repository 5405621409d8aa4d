/** Registrations from draft to their end, in the store: review, edits, claims, and mock registrations. */
import { expect, test, vi } from 'vitest';
import { CLAIM_MS } from '../../../shared/limits/registrations.ts';
import { ACTIONS, type RegistrationContent } from '../../../shared/senders/registration.ts';
import {
  accepted,
  act,
  approved,
  asReviewer,
  asSender,
  content,
  create,
  DIGEST,
  facts,
  SERVICE_USE,
  store,
  withRegistry,
} from '../support/registrations.ts';

const edit = async (id: string, patch: Partial<RegistrationContent>, match: string | null = null) =>
  store().edit(asSender(), facts(), Number(id), patch, { match });
const events = async () =>
  (await store().events(0, 100)).map(({ type, registration }) => `${registration} ${type}`);

test('a registration is created, submitted, claimed, approved and in force', async () => {
  const draft = await create({}, false);
  expect(draft).toMatchObject({
    organisation: 'acme',
    id: '1',
    state: 'draft',
    version: 1,
    publication: 'none',
  });
  expect(accepted(await act('1', 'submit')).state).toBe('submitted');
  expect(accepted(await act('1', 'claim'))).toMatchObject({ state: 'inReview', claimedBy: 'token:kisa' });
  const done = accepted(await act('1', 'approve'));
  expect(done).toMatchObject({ state: 'approved', approvedVersion: 1, claimedBy: null, claimedUntil: null });
  expect(await store().published(null, 10)).toEqual({
    pairs: [{ client: 'acme/acme-main', from: 82_1588_1234, to: 82_1588_1234, op: 'addOwn' }],
    next: null,
  });
  expect(await events()).toEqual(['1 approved']);
});

test('the approved version stays in force until an edit of it is approved', async () => {
  const { id } = await approved();
  const edited = accepted(await edit(id, { number: '1588-4321', clients: ['acme-other'] }));
  expect(edited).toMatchObject({
    ...{ state: 'draft', version: 2, approvedVersion: 1, number: '+8215884321', clients: ['acme-other'] },
    approved: { version: 1, number: '+8215881234', clients: ['acme-main'] },
  });
  const inForce = async () =>
    (await store().published(null, 10)).pairs.map(({ client, from }) => `${client} ${from}`);
  for (const action of ['submit', 'claim', 'reject'] as const) {
    accepted(await act(id, action));
    expect(await inForce()).toEqual(['acme/acme-main 8215881234']);
  }
  expect(await store().get(1)).toMatchObject({ state: 'rejected', reasons: [{ field: 'proofs' }] });
  accepted(await edit(id, { reference: 'corrected' }));
  for (const action of ['submit', 'claim', 'approve'] as const) accepted(await act(id, action));
  expect(await inForce()).toEqual(['acme/acme-other 8215884321']);
  const done = (await store().get(1))!;
  expect(done).toMatchObject({ state: 'approved', version: 3, approvedVersion: 3, reasons: [] });
  expect(done).not.toHaveProperty('approved');
});

test('an edit that changes nothing makes no version, and one of an older version is refused', async () => {
  await create({}, false);
  expect(accepted(await edit('1', { number: '1588-1234' }))).toMatchObject({ version: 1 });
  expect(accepted(await edit('1', { number: '1588-1235' }, '1'))).toMatchObject({ version: 2 });
  expect(await edit('1', { number: '1588-1236' }, '1')).toMatchObject({ code: 'PRECONDITION_FAILED' });
  expect(await edit('7', {})).toMatchObject({ code: 'REGISTRATION_UNKNOWN' });
  expect(await store().get(1)).toMatchObject({ number: '+8215881235' });
});

test('a submitted registration can be edited, and is then a draft again; one in review cannot', async () => {
  await create();
  expect(accepted(await edit('1', { reference: 'a' }))).toMatchObject({ state: 'draft' });
  accepted(await act('1', 'submit'));
  accepted(await act('1', 'claim'));
  expect(await edit('1', { reference: 'b' })).toMatchObject({
    code: 'REGISTRATION_STATE',
    extras: {
      state: 'inReview',
      possible: ['close'],
    },
  });
});

test.each([
  ['the claimant', 'kisa', ['claim', 'release', 'approve', 'reject', 'requestUpdate']],
  ['another reviewer', 'ktoa', []],
])('a refusal names to %s only what it may do now', async (_who, name, possible) => {
  const { id } = await create();
  accepted(await act(id, 'claim'));
  const rest = possible.length === 0 ? 'you can do nothing in this state' : 'possible: claim, release';
  expect(await act(id, 'resume', asReviewer(name))).toMatchObject({
    ...{ code: 'REGISTRATION_STATE', extras: { state: 'inReview', possible } },
    message: expect.stringContaining(`the registration is "inReview"; ${rest}`),
  });
  const root = { ...asReviewer(name), actor: { ...asReviewer(name).actor, root: true } };
  const all = possible.length === 0 ? ['release', 'close'] : [...possible, 'close'];
  expect(await act(id, 'resume', root)).toMatchObject({ extras: { possible: all } });
  accepted(await act(id, 'close'));
  expect(await act(id, 'claim', asReviewer(name))).toMatchObject({
    message: expect.stringContaining('"closed"; a closed registration cannot change'),
  });
});

test('every action that a state does not allow is refused by name, and changes nothing', async () => {
  const before = await create({}, false);
  for (const action of ACTIONS.filter((each) => !['submit', 'close'].includes(each))) {
    expect([action, await act('1', action)]).toMatchObject([action, { code: 'REGISTRATION_STATE' }]);
  }
  expect(await store().get(1)).toEqual(before);
});

test('suspending takes the approved version out of force, and resuming puts it back', async () => {
  const { id } = await approved();
  accepted(await edit(id, { reference: 'newer' }));
  accepted(await act(id, 'submit'));
  accepted(await act(id, 'claim'));
  expect(accepted(await act(id, 'suspend', asReviewer('ktoa')))).toMatchObject({
    state: 'suspended',
    claimedBy: null,
  });
  expect((await store().published(null, 10)).pairs).toEqual([]);
  expect(await edit(id, { reference: 'other' })).toMatchObject({ code: 'REGISTRATION_STATE' });
  // The review of the newer version continues, with whichever reviewer claims it.
  expect(accepted(await act(id, 'resume'))).toMatchObject({ state: 'submitted', approvedVersion: 1 });
  expect((await store().published(null, 10)).pairs).toHaveLength(1);
  expect(await events()).toEqual(['1 approved', '1 suspended', '1 resumed']);
  accepted(await act(id, 'close'));
  expect((await store().published(null, 10)).pairs).toEqual([]);
});

test('a registration resumes although another one has the reference of its approved version', async () => {
  const { id } = await approved({ reference: 'a' });
  accepted(await edit(id, { reference: 'b' }));
  await create({ reference: 'a' }, false);
  accepted(await act(id, 'suspend'));
  expect(accepted(await act(id, 'resume'))).toMatchObject({ state: 'draft', approvedVersion: 1 });
});

test('only the reviewer who has claimed a registration decides on it', async () => {
  await create();
  accepted(await act('1', 'claim', asReviewer('one')));
  for (const action of ['claim', 'release', 'approve', 'reject', 'requestUpdate'] as const) {
    expect([action, await act('1', action, asReviewer('two'))]).toMatchObject([
      action,
      { code: 'REGISTRATION_CLAIMED', message: expect.stringContaining('token:one has claimed it until 20') },
    ]);
  }
  accepted(await act('1', 'claim', asReviewer('one')));
  accepted(await act('1', 'release', asReviewer('one')));
  accepted(await act('1', 'claim', asReviewer('two')));
  accepted(await act('1', 'approve', asReviewer('two')));
});

test('root can end the claim of a reviewer', async () => {
  await create();
  accepted(await act('1', 'claim'));
  const release = { action: 'release', reasons: [], isRoot: true } as const;
  const done = await store().act(asReviewer('root'), facts(), 1, release, { match: null });
  expect(accepted(done)).toMatchObject({ state: 'submitted', claimedBy: null });
});

test('a claim that has ended blocks nobody', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await create();
  accepted(await act('1', 'claim', asReviewer('one')));
  vi.setSystemTime(Date.now() + CLAIM_MS);
  expect(await act('1', 'approve', asReviewer('one'))).toMatchObject({ code: 'REGISTRATION_STATE' });
  expect(accepted(await act('1', 'claim', asReviewer('two')))).toMatchObject({ claimedBy: 'token:two' });
  const history = (await store().history(1, 0, 100))!.map(({ actor, action }) => `${actor} ${action}`);
  expect(history.slice(2)).toEqual([
    ...['token:one registrations.claim', 'numgate registrations.release', 'token:two registrations.claim'],
  ]);
});

test('a draft may lack proofs, a submission may not, and nothing invalid is stored', async () => {
  await create({ proofs: [] }, false);
  const missing = {
    code: 'REGISTRATION_INVALID',
    extras: { reasons: [{ field: 'proofs', code: 'PROOF_MISSING' }] },
  };
  expect(await act('1', 'submit')).toMatchObject(missing);
  expect(await store().create(asSender(), facts(), content({ proofs: [] }), true)).toMatchObject(missing);
  expect(await store().create(asSender(), facts(), content({ number: '112' }), false)).toMatchObject({
    extras: { reasons: [{ field: 'number', code: 'NUMBER_EMERGENCY' }] },
  });
  expect((await store().page({}, 0, 10)).registrations).toHaveLength(1);
  expect(await store().validate(facts(), content({ proofs: [] }))).toMatchObject([{ code: 'PROOF_MISSING' }]);
  expect(await store().validate(facts(), content())).toEqual([]);
});

test('a proof that ends during the review stops its approval', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  await create({ proofs: [{ ...SERVICE_USE, expires }] });
  vi.setSystemTime(Date.now() + 3_600_001);
  accepted(await act('1', 'claim'));
  expect(await act('1', 'approve')).toMatchObject({ extras: { reasons: [{ code: 'PROOF_EXPIRED' }] } });
});

test('a reference belongs to one open registration', async () => {
  await create({ reference: 'a' }, false);
  const taken = { extras: { reasons: [{ field: 'reference', code: 'REFERENCE_TAKEN' }] } };
  expect(await store().create(asSender(), facts(), content({ reference: 'a' }), false)).toMatchObject(taken);
  expect(await store().validate(facts(), content({ reference: 'a' }))).toMatchObject([
    { code: 'REFERENCE_TAKEN' },
  ]);
  await create({}, false);
  expect(await edit('2', { reference: 'a' })).toMatchObject(taken);
  accepted(await act('1', 'close'));
  accepted(await edit('2', { reference: 'a' }));
});

test('mock registrations are decided on at once by their last digit, and never published', async () => {
  const sent = await withRegistry();
  const states: Record<string, string> = {};
  for (let digit = 0; digit <= 9; digit++) {
    const number = `010-0000-000${digit}`;
    const proofs = [{ ...SERVICE_USE, sha256: DIGEST }];
    const done = await create({ number, clients: ['acme-mock'], proofs });
    expect(done.mock).toBe(true);
    states[digit] = `${done.state} ${done.publication}`;
  }
  expect(Object.values(states)).toEqual([
    ...Array.from({ length: 7 }, () => 'approved none'),
    ...['needsUpdate none', 'rejected none', 'inReview none'],
  ]);
  expect(await store().get(8)).toMatchObject({ reasons: [{ code: 'PROOF_UNREADABLE' }] });
  expect((await store().events(0, 100)).every(({ mock }) => mock)).toBe(true);
  expect((await store().published(null, 10)).pairs).toEqual([]);
  expect(sent).toEqual([]);
  expect(await edit('1', { clients: ['acme-main'], number: '1588-1234' })).toMatchObject({
    extras: { reasons: [{ field: 'clients', code: 'CLIENT_MOCK' }] },
  });
});

test('a repeated request gets the first answer, and another one with its key is refused', async () => {
  const send = (sha256: string) => store().create(asSender('key', sha256), facts(), content(), true);
  const first = accepted(await send('one'));
  expect(accepted(await send('one'))).toEqual(first);
  expect(await send('two')).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  expect((await store().page({}, 0, 10)).registrations).toHaveLength(1);
});

test('pages can be filtered, and numbers are found in both versions', async () => {
  const { id } = await approved();
  await create({ number: '1588-1300..1588-1399', clients: ['acme-main', 'acme-other'] }, false);
  await create(
    { number: '02-2123-4567', basis: 'delegated', holder: { kind: 'person', name: 'Kim' } },
    false,
  );
  accepted(await edit(id, { number: '1588-9999' }));
  const ids = async (filter: Parameters<ReturnType<typeof store>['page']>[0], after = 0, limit = 10) => {
    const { registrations, next } = await store().page(filter, after, limit);
    return [registrations.map((each) => each.id).join(), next];
  };
  expect(await ids({})).toEqual(['1,2,3', null]);
  expect(await ids({}, 0, 2)).toEqual(['1,2', '2']);
  expect(await ids({}, 2, 2)).toEqual(['3', null]);
  expect(await ids({ client: 'acme-other' })).toEqual(['2', null]);
  expect(await ids({ basis: 'delegated' })).toEqual(['3', null]);
  expect(await ids({ state: 'draft', client: 'acme-main' })).toEqual(['1,2,3', null]);
  expect(await ids({ state: 'approved' })).toEqual(['', null]);
  const find = async (n: number) =>
    (await store().find({ from: n, to: n }, 10)).map((each) => each.id).join();
  expect(await find(82_1588_1234)).toBe('1');
  expect(await find(82_1588_9999)).toBe('1');
  expect(await find(82_1588_1350)).toBe('2');
  expect(await find(82_1588_1400)).toBe('');
});
