/** Finds the numbers that an evidence file is about, and the organisations that have registered them. */
import { EVIDENCE_NUMBERS_MAX, EVIDENCE_ORGANISATIONS_MAX } from '../../shared/limits/evidence-files.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Registration } from '../../shared/senders/registration.ts';
import { spanOf } from '../../shared/senders/sender-numbers.ts';
import { isTestNumber } from '../../shared/test-numbers.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { EvidencePeriod, RegistrationEvidenceSource } from '../storage/evidence-port.ts';
import { REGISTRY_NAME } from '../storage/registry-port.ts';
import { readEach } from './batches.ts';
import type { CollectedChain } from './collected.ts';
import type { EvidenceCoordinator } from './coordinator-calls.ts';
import type { EvidenceRequest, Party } from './request.ts';

export interface Holders {
  readonly organisations: readonly string[];
  readonly registrations: readonly Registration[];
  readonly chains: readonly CollectedChain[];
  readonly isCut: boolean;
  readonly parties: readonly Party[];
}

/** For a number, reads only the registrations of the number. For an organisation, reads all its registrations. */
export async function readHolders(
  { party, organisation, period }: EvidenceRequest,
  coordinator: EvidenceCoordinator,
  env: ControlEnv,
): Promise<Result<Holders, Problem>> {
  if (organisation !== null) {
    const known = (await coordinator.organisations()).some(({ id }) => id === organisation);
    if (!known) return problem('ORGANISATION_UNKNOWN', 'no organisation has this id');
    const read = await readRegistrations([organisation], null, period, env);
    const parties = numbersOf(read.registrations);
    if (parties !== null) return ok({ ...read, organisations: [organisation], parties });
    const most = `more than ${EVIDENCE_NUMBERS_MAX} registered numbers`;
    return problem('EVIDENCE_TOO_LARGE', `the organisation has ${most}: make a file for each number`);
  }
  if (party?.kind !== 'number') {
    const none = { organisations: [], registrations: [], chains: [], isCut: false };
    return ok({ ...none, parties: party === null ? [] : [party] });
  }
  const span = { from: party.n, to: party.n };
  const organisations = await holdersOf(party.n, coordinator, env);
  if (organisations === null)
    return problem('UNAVAILABLE', 'the registry is reading its index back: try again in a minute');
  if (organisations.length > EVIDENCE_ORGANISATIONS_MAX) {
    const most = `more than ${EVIDENCE_ORGANISATIONS_MAX} organisations`;
    return problem('EVIDENCE_TOO_LARGE', `${most} have registered the number: make a file for each of them`);
  }
  const read = await readRegistrations(organisations, span, period, env);
  return ok({ ...read, organisations, parties: [party] });
}

/** Organisations that have or had the number; null while the registry rebuilds its index. */
async function holdersOf(
  n: number,
  coordinator: EvidenceCoordinator,
  { REGISTRY }: ControlEnv,
): Promise<readonly string[] | null> {
  // Mock registrations are not in the index.
  if (isTestNumber(n)) {
    const mock = (await coordinator.clients()).filter((client) => client.mock === true);
    return [...new Set(mock.map((client) => client.organisation))].sort();
  }
  const span = { from: n, to: n };
  const found = await REGISTRY.getByName(REGISTRY_NAME).organisationsOf(span, EVIDENCE_ORGANISATIONS_MAX + 1);
  return found === null ? null : [...found].sort();
}

async function readRegistrations(
  organisations: readonly string[],
  numbers: Span | null,
  period: EvidencePeriod,
  { REGISTRATIONS }: ControlEnv,
): Promise<Pick<Holders, 'registrations' | 'chains' | 'isCut'>> {
  const read = await readEach(organisations, (organisation) => {
    const store = REGISTRATIONS.getByName(organisation) as unknown as RegistrationEvidenceSource;
    return store.registrationEvidence(numbers, period);
  });
  return {
    registrations: read.flatMap(({ registrations }) => registrations),
    chains: read.map(({ records }, index) => ({
      ...{ chain: 'registrations' as const, organisation: organisations[index]!, records },
    })),
    isCut: read.some(({ isCut }) => isCut),
  };
}

/** The numbers of the registrations; null if there are more than EVIDENCE_NUMBERS_MAX. */
function numbersOf(registrations: readonly Registration[]): Party[] | null {
  const numbers = new Set<number>();
  for (const { number, approved } of registrations) {
    for (const text of new Set([number, approved?.number ?? number])) {
      const { from, to } = spanOf(text);
      if (to - from >= EVIDENCE_NUMBERS_MAX) return null;
      for (let n = from; n <= to; n++) numbers.add(n);
    }
  }
  if (numbers.size > EVIDENCE_NUMBERS_MAX) return null;
  return [...numbers].sort((a, b) => a - b).map((n) => ({ kind: 'number', n }));
}
