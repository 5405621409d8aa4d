/**
 * Admits clients to routes of the control plane. Each isolate reads the coordinator at most once in
 * ADMISSION_FRESH_MS, or in ADMISSION_REREAD_MS for refused keys, so these requests do not load it. The reading
 * contains digests of keys, so it stays in the isolate.
 */
import type { Client, Right } from '../../shared/clients.ts';
import { ADMISSION_FRESH_MS, ADMISSION_KEPT_MS, ADMISSION_REREAD_MS } from '../../shared/limits/requests.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { SingleFlight } from '../storage/single-flight.ts';
import type { RequestContext } from './app.ts';
import { authenticate, type Directory, type RefusedKey } from './client-authentication.ts';
import { bearerOf } from './credentials.ts';
import { FailedAuthentications } from './failed-authentications.ts';
import { addressOf } from './key-conditions.ts';
import { type Problem, problem } from './reply.ts';

/** The content that is read from the coordinator. */
export interface AdmissionContent {
  /** The clients that have the right. */
  readonly clients: Directory;
}

export interface Admitted<Content> {
  readonly client: Client;
  /** The reading that admitted the client. */
  readonly content: Content;
}

/** How to read the coordinator, and what to report if that fails. */
export interface AdmissionSource<Content extends AdmissionContent> {
  readonly right: Right;
  readonly read: (env: ControlEnv) => Promise<Content>;
  /** Event in the log for a failed reading. */
  readonly failed: string;
  /** Message of the problem if there is no usable reading. */
  readonly unavailable: string;
}

export class ClientAdmission<Content extends AdmissionContent> {
  readonly #source: AdmissionSource<Content>;
  readonly #failures = new FailedAuthentications('control');
  readonly #loading = new SingleFlight();
  #content: Content | null = null;
  /** When the content was read, in ms since 1970. */
  #readAt = 0;

  constructor(source: AdmissionSource<Content>) {
    this.#source = source;
  }

  /** Admits the client that sends the request. */
  async admit(context: RequestContext): Promise<Result<Admitted<Content>, Problem>> {
    const first = await this.#read(context, ADMISSION_FRESH_MS);
    if (!first.ok) return first;
    const admitted = await this.#authenticate(context, first.value);
    if (admitted.ok) return ok({ client: admitted.value, content: first.value });
    const { request, env } = context;
    const [now, source] = [Date.now(), addressOf(request, env)];
    const limited = admitted.by === 'secret' ? this.#failures.limited(source, now) : null;
    if (admitted.by === 'missing' || limited !== null) return limited ?? admitted;
    // The key, its conditions or its right may be newer.
    const latest = await this.#read(context, ADMISSION_REREAD_MS);
    const again = latest.ok ? await this.#authenticate(context, latest.value) : admitted;
    if (latest.ok && again.ok) return ok({ client: again.value, content: latest.value });
    const refused = again.ok ? admitted : again;
    const [id] = bearerOf(request);
    if (refused.by !== 'right' && refused.by !== 'missing')
      this.#failures.add(first.value.clients.has(id) ? id : null, refused.by, source, now);
    return refused;
  }

  #authenticate({ request, env }: RequestContext, { clients }: Content): Promise<Result<Client, RefusedKey>> {
    return authenticate(request, clients, this.#source.right, env);
  }

  /** @param freshMs maximum age of the reading, in ms */
  async #read({ env, ctx }: RequestContext, freshMs: number): Promise<Result<Content, Problem>> {
    const isWithin = (ms: number): boolean => Date.now() - this.#readAt <= ms;
    if (!isWithin(freshMs)) {
      const load = async (): Promise<void> => {
        const readAt = Date.now();
        this.#content = await this.#source.read(env as unknown as ControlEnv);
        this.#readAt = readAt;
      };
      await this.#loading
        .wait(load, () => isWithin(freshMs), ctx)
        .catch((error: unknown) => warnFailed(this.#source.failed, error));
    }
    if (this.#content !== null && isWithin(ADMISSION_KEPT_MS)) return ok(this.#content);
    return problem('UNAVAILABLE', this.#source.unavailable);
  }
}
