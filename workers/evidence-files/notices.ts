/**
 * Notices about a sender: to the organisations that hold it, and to operators. They are found by their subject, and come
 * without their data, which may be about others too.
 */
import type { CertificateInfo } from '../../shared/admin/credentials.ts';
import type { NoticesPart } from '../../shared/evidence-file/parts.ts';
import { EVIDENCE_ITEMS_MAX, EVIDENCE_RECEIVERS_MAX } from '../../shared/limits/evidence-files.ts';
import { NOTICE_SUBJECTS_MAX, NOTICES_PAGE_MAX } from '../../shared/limits/notices.ts';
import type { NoticeRecord } from '../../shared/notices/notice.ts';
import type { ControlEnv } from '../env.ts';
import type { NoticeObject, NoticeQuery } from '../storage/notices-port.ts';
import { readEach } from './batches.ts';
import type { EvidenceCoordinator } from './coordinator-calls.ts';
import type { Holders } from './holders.ts';
import type { EvidenceRequest } from './request.ts';
import { referencesOf } from './subjects.ts';

type Wanted = Pick<NoticeQuery, 'subjects' | 'from' | 'to'>;

interface ReadNotices {
  readonly notices: NoticesPart['notices'];
  readonly isCut: boolean;
}

export async function readNotices(
  { organisation, period }: EvidenceRequest,
  { parties, organisations, registrations }: Holders,
  certificates: readonly Pick<CertificateInfo, 'digest'>[],
  coordinator: EvidenceCoordinator,
  env: ControlEnv,
): Promise<ReadNotices> {
  const references = await referencesOf(parties, env.SHARING_KEY ?? '');
  const held = [
    ...registrations.map((each) => `${each.organisation}/${each.id}`),
    ...certificates.map(({ digest }) => digest),
  ];
  const operators = (await coordinator.organisations()).filter(({ roles }) => roles.includes('operator'));
  const receivers = [...new Set([...organisations, ...operators.map(({ id }) => id)])];
  const shown = receivers.slice(0, EVIDENCE_RECEIVERS_MAX);
  const read = await readEach(shown, async (receiver): Promise<ReadNotices> => {
    // All notices to the organisation of the request are read. Unless it is an operator, it gets only notices about itself.
    const isOfRequest = receiver === organisation;
    const isHolder = organisations.includes(receiver);
    const subjects = isHolder ? [...references, ...held, receiver] : references;
    const found = await noticesOf(env.NOTICES.getByName(receiver), isOfRequest ? null : subjects, period);
    return {
      notices: found.notices.map((notice) => ({ organisation: receiver, ...notice })),
      isCut: found.isCut,
    };
  });
  const notices = read.flatMap((each) => each.notices);
  return {
    notices: notices.slice(0, EVIDENCE_ITEMS_MAX),
    isCut:
      shown.length < receivers.length ||
      notices.length > EVIDENCE_ITEMS_MAX ||
      read.some(({ isCut }) => isCut),
  };
}

/** @param subjects null for all */
async function noticesOf(
  store: NoticeObject,
  subjects: readonly string[] | null,
  { from, to }: Pick<Wanted, 'from' | 'to'>,
): Promise<{ readonly notices: readonly NoticeRecord[]; readonly isCut: boolean }> {
  const groups: (readonly string[] | null)[] = subjects === null ? [null] : [];
  for (let first = 0; subjects !== null && first < subjects.length; first += NOTICE_SUBJECTS_MAX)
    groups.push(subjects.slice(first, first + NOTICE_SUBJECTS_MAX));
  const notices: NoticeRecord[] = [];
  for (const group of groups) {
    for (let after = 0; ; ) {
      const query = { subjects: group, from, to, after, limit: NOTICES_PAGE_MAX };
      const page = await store.evidence(query);
      notices.push(...page);
      if (notices.length > EVIDENCE_ITEMS_MAX) return { notices, isCut: true };
      if (page.length < NOTICES_PAGE_MAX) break;
      after = page.at(-1)!.version;
    }
  }
  return { notices: notices.sort((a, b) => a.version - b.version), isCut: false };
}
