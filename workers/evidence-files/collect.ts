/** Reads everything that the stores have about a sender in the period. */
import type { EntryItem } from '../../shared/admin/entries.ts';
import {
  APPEALS_PART,
  type BlocksPart,
  CREDENTIALS_PART,
  NOTICES_PART,
  REGISTRATIONS_PART,
  type ReportsPart,
  RULE_BLOCKS_PART,
} from '../../shared/evidence-file/parts.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { ok, type Result } from '../../shared/result.ts';
import { formatSource } from '../../shared/sources/source.ts';
import { isTestNumber } from '../../shared/test-numbers.ts';
import { koreanDayOf, koreanDayText } from '../../shared/time.ts';
import { SUBJECTS } from '../../shared/verdict.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import { reportKeys } from '../reports/keying.ts';
import { APPEALS_NAME } from '../storage/appeals-port.ts';
import { CREDENTIALS_NAME } from '../storage/credentials-port.ts';
import type {
  AppealEvidenceSource,
  CredentialEvidence,
  CredentialEvidenceSource,
  EvidencePeriod,
  ResponseEvidence,
} from '../storage/evidence-port.ts';
import { shardOf } from '../storage/reports-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { readEach } from './batches.ts';
import type { Collected } from './collected.ts';
import type { EvidenceCoordinator } from './coordinator-calls.ts';
import { readHolders } from './holders.ts';
import { readNotices } from './notices.ts';
import { type EvidenceRequest, type Party, senderOf } from './request.ts';
import { appealParties, reportSubject } from './subjects.ts';

const NO_CREDENTIALS: CredentialEvidence = { certificates: [], delegations: [], records: [], isCut: false };

/** @param done called with the share that has been read, 0 to 1 @throws if a store does not respond */
export async function collect(
  request: EvidenceRequest,
  coordinator: EvidenceCoordinator,
  env: ControlEnv,
  done: (share: number) => void,
): Promise<Result<Collected, Problem>> {
  const { period, party } = request;
  const holders = await readHolders(request, coordinator, env);
  if (!holders.ok) return holders;
  const { parties, organisations, registrations } = holders.value;
  let read = 0;
  const steps = 2 * parties.length + 1;
  const step = (): void => done(++read / steps);
  const blocks = await readBlocks(parties, coordinator, step);
  if (!blocks.ok) return blocks;
  const reports = await readReports(parties, period, env, step);
  const subjects = parties.map(reportSubject);
  const [ruleBlocks] = await readEach([env.RESPONSE.getByName(RESPONSE_NAME)], (desk) =>
    (desk as unknown as ResponseEvidence).ruleBlockEvidence(subjects, period),
  );
  const [appeals] = await readEach([env.APPEALS.getByName(APPEALS_NAME)], (store) =>
    (store as unknown as AppealEvidenceSource).appealEvidence(parties.flatMap(appealParties), period),
  );
  const numbers = party?.kind === 'number' ? { from: party.n, to: party.n } : null;
  const [credentials = NO_CREDENTIALS] = await readEach(
    organisations.length === 0 ? [] : [env.CREDENTIALS.getByName(CREDENTIALS_NAME)],
    (store) =>
      (store as unknown as CredentialEvidenceSource).credentialEvidence(organisations, numbers, period),
  );
  const notices = await readNotices(request, holders.value, credentials.certificates, coordinator, env);
  const qualifications = await readEach(organisations, (id) => coordinator.qualification(id));
  step();
  const isMock = registrations.length > 0 && registrations.every(({ mock }) => mock === true);
  return ok({
    ...{ parties, organisations, registrations, blocks: blocks.value, reports, notices: notices.notices },
    ...{ ruleBlocks: ruleBlocks!.ruleBlocks, rules: ruleBlocks!.rules, appeals: appeals!.appeals },
    qualifications: qualifications.flatMap((each) => (each === null ? [] : [each.info])),
    ...{ certificates: credentials.certificates, delegations: credentials.delegations },
    chains: [
      { chain: 'response', organisation: null, records: ruleBlocks!.records },
      { chain: 'appeals', organisation: null, records: appeals!.records },
      { chain: 'credentials', organisation: null, records: credentials.records },
      ...holders.value.chains,
    ],
    cut: [
      ...(ruleBlocks!.isCut ? [RULE_BLOCKS_PART] : []),
      ...(appeals!.isCut ? [APPEALS_PART] : []),
      ...(credentials.isCut ? [CREDENTIALS_PART] : []),
      ...(holders.value.isCut ? [REGISTRATIONS_PART] : []),
      ...(notices.isCut ? [NOTICES_PART] : []),
    ],
    mock: party?.kind === 'number' ? isTestNumber(party.n) : isMock,
  });
}

function nameOf(party: Party): string {
  return party.kind === 'number' ? toE164(party.n) : formatSource(party.source);
}

async function readBlocks(
  parties: readonly Party[],
  coordinator: EvidenceCoordinator,
  step: () => void,
): Promise<Result<BlocksPart, Problem>> {
  const { release } = await coordinator.lists();
  const read = await readEach(
    parties,
    async (party): Promise<Result<BlocksPart['numbers'][number], Problem>> => {
      const sender = senderOf(party) as EntryItem;
      const entries = await coordinator.findEntries(sender);
      if (!entries.ok) return problem('UNAVAILABLE', `live entries cannot be read: ${entries.message}`);
      const lists = [];
      for (const subject of party.kind === 'number' ? SUBJECTS : (['from'] as const)) {
        const standing = await coordinator.standingBlocks(sender, subject);
        if (!standing.ok) return problem('UNAVAILABLE', `lists cannot be read: ${standing.message}`);
        // Live entries are in `entries` already.
        const listed = standing.value.filter(({ seq }) => seq === null);
        lists.push(...listed.map((block) => ({ ...block, subject })));
      }
      return ok({ sender: nameOf(party), entries: entries.value, lists });
    },
    step,
  );
  const failed = read.find((each) => !each.ok);
  if (failed !== undefined && !failed.ok) return failed;
  return ok({ numbers: read.flatMap((each) => (each.ok ? [each.value] : [])), release });
}

async function readReports(
  parties: readonly Party[],
  { from, to }: EvidencePeriod,
  env: ControlEnv,
  step: () => void,
): Promise<ReportsPart> {
  const keys = await reportKeys(env);
  const numbers = await readEach(
    parties,
    async (party) => {
      const { subject, mock } = reportSubject(party);
      const keyed = await keys.subject(subject, mock);
      const counts = env.SUBJECTS.getByName(shardOf(keyed));
      const { totals, days } = await counts.reportEvidence(keyed, koreanDayOf(from), koreanDayOf(to - 1));
      return {
        ...{ sender: nameOf(party), totals },
        days: days.map(({ day, spam: kind, ...counted }) => ({ day: koreanDayText(day), kind, ...counted })),
      };
    },
    step,
  );
  return { timeZone: 'Asia/Seoul', numbers };
}
