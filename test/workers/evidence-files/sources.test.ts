/** What evidence files take from the credentials and notices that other senders share, and where they cut them. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import type { AuditRecord } from '../../../shared/audit.ts';
import type { CredentialsPart, NoticesPart } from '../../../shared/evidence-file/parts.ts';
import { ReferenceKey } from '../../../shared/feed/reference.ts';
import { EVIDENCE_ITEMS_MAX } from '../../../shared/limits/evidence-files.ts';
import { NOTICE_SUBJECTS_MAX, NOTICES_PAGE_MAX } from '../../../shared/limits/notices.ts';
import type { NoticeRecord } from '../../../shared/notices/notice.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import { openSharingKeys } from '../../../shared/sharing-keys.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { NoticeQuery } from '../../../workers/storage/notices-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { freshAppeals } from '../support/appeals.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { credentialWorld, uploaded } from '../support/credential-store.ts';
import {
  busySender,
  filesOf,
  linesOf,
  madeFile,
  makeFile,
  NUMBER,
  PERIOD,
  partOf,
  verified,
} from '../support/evidence-files.ts';
import { store } from '../support/registrations.ts';
import { ANY, NOON } from '../support/room.ts';
import { SHARING_KEY } from '../support/secrets.ts';

freshAppeals();

/** The reference of another number. */
const OTHER = 'a-reference-of-another';
const LATER = { ...PERIOD, to: new Date(NOON + 1_000).toISOString() };

beforeEach(() => {
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
});

test('a file has the certificates of the number, and their records without those of others', async () => {
  const world = await credentialWorld();
  await uploaded(world, 7, { nums: ['+8215880007'] });
  await uploaded(world, 8, { nums: ['+8215880008'] });
  await vi.waitFor(async () => {
    const { REGISTRY } = env as unknown as ControlEnv;
    const span = { from: 8_215_880_008, to: 8_215_880_008 };
    expect(await REGISTRY.getByName('main').organisationsOf(span, 10)).toEqual(['acme']);
    expect(await store().page({}, 0, 10)).toMatchObject({ registrations: [{}, {}] });
  }, HANG_MS);
  vi.setSystemTime(NOON + 2_000);
  const made = await madeFile({ ...LATER, sender: { number: '1588-0007' } });
  expect((await verified(filesOf(made))).steps.filter(({ ok }) => ok !== true)).toEqual([]);
  const { certificates } = partOf<CredentialsPart>(made, 'credentials.json');
  expect(certificates.map(({ numbers, state }) => [numbers, state])).toEqual([[['+8215880007'], 'valid']]);
  const records = linesOf<AuditRecord>(made, 'chain-credentials.ndjson');
  expect(records.map(({ action, subject }) => [action, subject])).toEqual([
    ['certificates.add', `certificate ${certificates[0]!.digest}`],
  ]);
  expect(JSON.stringify(made)).not.toContain('15880008');
});

/** Stores of notices that answer with these notices, and the queries that they received. */
function noticeStores(notices: (organisation: string) => readonly NoticeRecord[]) {
  const queries: (NoticeQuery & { organisation: string })[] = [];
  const NOTICES = {
    getByName: (organisation: string) => ({
      evidence: async (query: NoticeQuery) => {
        queries.push({ organisation, ...query });
        const { subjects, after, limit } = query;
        return notices(organisation)
          .filter(
            ({ subject, version }) => version > after && (subjects === null || subjects.includes(subject)),
          )
          .slice(0, limit);
      },
    }),
  };
  return { NOTICES, queries };
}

const notice = (version: number, subject: string): NoticeRecord => ({
  ...{
    version,
    type: 'kr.numgate.sender.blocked.v1',
    at: new Date(NOON).toISOString(),
    subject,
    mock: false,
  },
  ...{ respondBy: null, acknowledgement: null, deliveredAt: null, attempts: 1 },
});

async function referenceOf(number: string): Promise<string> {
  const keys = await openSharingKeys(SHARING_KEY);
  if (!keys.ok) throw new Error(keys.message);
  return (await ReferenceKey.open(keys.value[0]!)).reference('number', number, 'from');
}

test('notices are those about the number: to its holder, and to operators', async () => {
  await busySender();
  const operator = { ...bareOrganisation('skt'), roles: ['operator' as const] };
  unwrap(await coordinator().putOrganisation(asAdmin(), 'skt', operator, ANY));
  const reference = await referenceOf(NUMBER);
  const { NOTICES, queries } = noticeStores((organisation) =>
    organisation === 'acme'
      ? [notice(1, 'acme/1'), notice(2, 'acme/99'), notice(3, reference), notice(4, 'acme')]
      : [notice(1, reference), notice(2, OTHER)],
  );
  vi.setSystemTime(NOON + 2_000);
  const { made } = await makeFile(LATER, { NOTICES });
  const { notices } = partOf<NoticesPart>(made, 'notices.json');
  expect(notices.map(({ organisation, version }) => [organisation, version])).toEqual([
    ...[
      ['acme', 1],
      ['acme', 3],
      ['acme', 4],
    ],
    ['default', 1],
    ['skt', 1],
  ]);
  expect((await verified(filesOf(made))).ok).toBe(true);
  for (const { from, to, limit } of queries)
    expect([from, to, limit]).toEqual([NOON - 86_400_000, NOON + 1_000, NOTICES_PAGE_MAX]);
});

test('an organisation has all its notices, page by page, and the file says where they are cut', async () => {
  await busySender();
  const many = Array.from({ length: EVIDENCE_ITEMS_MAX + 5 }, (_, index) =>
    notice(index + 1, `subject ${index}`),
  );
  const { NOTICES, queries } = noticeStores((organisation) => (organisation === 'acme' ? many : []));
  const { made } = await makeFile({ sender: { organisation: 'acme' } }, { NOTICES });
  expect(partOf<NoticesPart>(made, 'notices.json').notices).toHaveLength(EVIDENCE_ITEMS_MAX);
  expect((JSON.parse(made.manifest) as { cut: string[] }).cut).toEqual(['notices.json']);
  expect(
    queries.filter(({ organisation }) => organisation === 'acme').every(({ subjects }) => subjects === null),
  ).toBe(true);
  for (const { subjects } of queries) expect(subjects?.length ?? 0).toBeLessThanOrEqual(NOTICE_SUBJECTS_MAX);
});

test('records of another number are not in the tree of proofs, also if they share an anchor', async () => {
  await busySender();
  vi.setSystemTime(NOON + 2_000);
  const made = await madeFile(LATER);
  const chain = linesOf<AuditRecord>(made, 'chain-response.ndjson');
  const { RESPONSE } = env as unknown as ControlEnv;
  const all = await runInDurableObject(
    RESPONSE.getByName('main') as never,
    (_: unknown, { storage }: DurableObjectState) =>
      storage.sql.exec<{ many: number }>('SELECT COUNT(*) AS many FROM audit').one().many,
  );
  // The chain also has records of partners.
  expect(chain.length).toBeLessThan(all);
  expect(chain.every(({ subject }) => subject === 'rule block 1')).toBe(true);
});
