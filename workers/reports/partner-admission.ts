/**
 * Admits clients that may report and whose organisation is a partner.
 */
import { ok, type Result } from '../../shared/result.ts';
import type { RequestContext } from '../http/app.ts';
import { type AdmissionContent, ClientAdmission } from '../http/client-admission.ts';
import { type Problem, problem } from '../http/reply.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { Partner, PartnerSource } from '../storage/reports-port.ts';

interface Reading extends AdmissionContent {
  readonly partners: ReadonlyMap<string, Partner>;
}

function newAdmission(): ClientAdmission<Reading> {
  return new ClientAdmission<Reading>({
    right: 'report',
    read: async ({ COORDINATOR }) => {
      const coordinator = COORDINATOR.getByName(COORDINATOR_NAME) as unknown as PartnerSource;
      const { partners, clients } = await coordinator.partners();
      return {
        partners: new Map(partners.map((partner) => [partner.id, partner])),
        clients: new Map(clients.map((client) => [client.id, client])),
      };
    },
    failed: 'partnersNotRead',
    unavailable: 'the partners cannot be read now; try again',
  });
}

/** The admission of this isolate. */
let admission = newAdmission();

/** The partner of the client that sends the request. */
export async function admitPartner(context: RequestContext): Promise<Result<Partner, Problem>> {
  const admitted = await admission.admit(context);
  if (!admitted.ok) return admitted;
  const { client, content } = admitted.value;
  const partner = content.partners.get(client.organisation);
  if (partner !== undefined) return ok(partner);
  return problem('PERMISSION_DENIED', 'the organisation of this client is no partner');
}

/** Resets all state, as a new isolate would. */
export function resetPartnerAdmission(): void {
  admission = newAdmission();
}
