/**
 * Admits the clients of partners. The coordinator is read at most once in PARTNERS_FRESH_MS by each isolate that gets
 * reports, so reports do not load it. The reading holds digests of keys, so it stays in the isolate.
 */
import type { Client } from '../../shared/clients.ts';
import { PARTNERS_FRESH_MS, PARTNERS_KEPT_MS, PARTNERS_REREAD_MS } from '../../shared/limits/intake.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { RequestContext } from '../http/app.ts';
import { authenticate, type RefusedKey } from '../http/client-authentication.ts';
import { bearerOf } from '../http/credentials.ts';
import { FailedAuthentications } from '../http/failed-authentications.ts';
import { addressOf } from '../http/key-conditions.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { Partner, PartnerSource } from '../storage/reports-port.ts';
import { SingleFlight } from '../storage/single-flight.ts';

interface Reading {
  readonly partners: ReadonlyMap<string, Partner>;
  readonly clients: ReadonlyMap<string, Client>;
  /** ms since 1970. */
  readonly readAt: number;
}

class PartnerAdmission {
  readonly #failures = new FailedAuthentications('control');
  readonly #loading = new SingleFlight();
  #reading: Reading | null = null;

  /** The partner of the client that sends the request. */
  async admit(context: RequestContext): Promise<Result<Partner, Problem>> {
    const first = await this.#read(context, PARTNERS_FRESH_MS);
    if (!first.ok) return first;
    const admitted = await this.#authenticate(context, first.value);
    if (admitted.ok) return this.#partnerOf(admitted.value, first.value);
    const { request, env } = context;
    const [now, source] = [Date.now(), addressOf(request, env)];
    const limited = admitted.by === 'secret' ? this.#failures.limited(source, now) : null;
    if (admitted.by === 'missing' || limited !== null) return limited ?? admitted;
    // The key, its conditions or its right may be newer.
    const latest = await this.#read(context, PARTNERS_REREAD_MS);
    const again = latest.ok ? await this.#authenticate(context, latest.value) : admitted;
    if (latest.ok && again.ok) return this.#partnerOf(again.value, latest.value);
    const refused = again.ok ? admitted : again;
    const [id] = bearerOf(request);
    if (refused.by !== 'right' && refused.by !== 'missing')
      this.#failures.add(first.value.clients.has(id) ? id : null, refused.by, source, now);
    return refused;
  }

  #authenticate({ request, env }: RequestContext, { clients }: Reading): Promise<Result<Client, RefusedKey>> {
    return authenticate(request, clients, 'report', env);
  }

  #partnerOf({ organisation }: Client, { partners }: Reading): Result<Partner, Problem> {
    const partner = partners.get(organisation);
    if (partner !== undefined) return ok(partner);
    return problem('PERMISSION_DENIED', 'the organisation of this client is no partner');
  }

  /** @param freshMs how old the reading may be */
  async #read({ env, ctx }: RequestContext, freshMs: number): Promise<Result<Reading, Problem>> {
    const isWithin = (ms: number): boolean => Date.now() - (this.#reading?.readAt ?? 0) <= ms;
    if (!isWithin(freshMs)) {
      const load = async (): Promise<void> => {
        const readAt = Date.now();
        const { COORDINATOR } = env as unknown as ControlEnv;
        const coordinator = COORDINATOR.getByName(COORDINATOR_NAME) as unknown as PartnerSource;
        const { partners, clients } = await coordinator.partners();
        this.#reading = {
          partners: new Map(partners.map((partner) => [partner.id, partner])),
          clients: new Map(clients.map((client) => [client.id, client])),
          readAt,
        };
      };
      await this.#loading
        .wait(load, () => isWithin(freshMs), ctx)
        .catch((error: unknown) => warnFailed('partnersNotRead', error));
    }
    if (this.#reading !== null && isWithin(PARTNERS_KEPT_MS)) return ok(this.#reading);
    return problem('UNAVAILABLE', 'the partners cannot be read now; try again');
  }
}

/** Of this isolate. */
let admission = new PartnerAdmission();

export function admitPartner(context: RequestContext): Promise<Result<Partner, Problem>> {
  return admission.admit(context);
}

/** Resets all state, as a new isolate would. */
export function resetPartnerAdmission(): void {
  admission = new PartnerAdmission();
}
