/**
 * Reads the counter-evidence against a block: which organisations have registered the number, whether they are certified,
 * and how much they send. Most reported numbers are not registered, so one call to the registry checks all numbers.
 */
import type { CounterEvidence } from '../../shared/admin/rule-blocks.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { OTHERS_MAX } from '../../shared/limits/registrations.ts';
import {
  FACT_CLIENTS_MAX,
  FACT_ORGANISATIONS_MAX,
  RESPONSE_CALLS_MAX,
} from '../../shared/limits/response.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import type { Channel } from '../../shared/request.ts';
import type { OtherRegistration } from '../../shared/senders/registration.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { VERDICTS } from '../../shared/verdict.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import { REGISTRY_NAME } from '../storage/registry-port.ts';
import type { ResponseKeeper, SenderFacts } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';
import { historyOf } from '../storage/usage-history.ts';

/** A number for which a rule fired. */
export interface FactQuery {
  readonly n: number;
  readonly channel: Channel;
  /** Window of the rule, in ms. */
  readonly windowMs: number;
  /** Reporters that counted. */
  readonly distinct: number;
}

export interface Facts extends CounterEvidence {
  /** Texts or calls that the clients of these organisations sent in the window; null if they are not counted. */
  readonly sent: number | null;
}

const NO_FACTS: Facts = { registered: [], certified: [], perThousand: null, sent: null };

interface RegistrationReader {
  competing(numbers: Span, limit: number): Promise<readonly OtherRegistration[]>;
}

export class FactReader {
  readonly #env: ControlEnv;
  readonly #keeper: () => ResponseKeeper;

  constructor(env: ControlEnv, keeper: () => ResponseKeeper) {
    this.#env = env;
    this.#keeper = keeper;
  }

  /** In the order of the queries; null for a query whose facts cannot be read now. */
  async read(queries: readonly FactQuery[]): Promise<readonly (Facts | null)[]> {
    if (queries.length === 0) return [];
    const registry = this.#env.REGISTRY.getByName(REGISTRY_NAME);
    const numbers = queries.map(({ n }) => n);
    const holders = await within(
      registry.organisationsOfEach(numbers, FACT_ORGANISATIONS_MAX),
      LOAD_WAIT_MS,
    ).catch((error: unknown) => warnFailed('factsNotRead', error));
    // The registry failed, or still reads its index back.
    if (holders === undefined || holders === null) return queries.map(() => null);
    const facts: (Facts | null)[] = queries.map(() => NO_FACTS);
    const held = queries.flatMap((query, index) =>
      holders[index]!.length === 0 ? [] : [{ query, index, organisations: holders[index]! }],
    );
    for (let first = 0; first < held.length; first += RESPONSE_CALLS_MAX) {
      const some = held
        .slice(first, first + RESPONSE_CALLS_MAX)
        .map(async ({ query, index, organisations }) => {
          facts[index] = await within(this.#factsOf(query, organisations), LOAD_WAIT_MS).catch(
            (error: unknown) => warnFailed('factsNotRead', error) ?? null,
          );
        });
      await Promise.all(some);
    }
    return facts;
  }

  async #factsOf(query: FactQuery, organisations: readonly string[]): Promise<Facts> {
    const span = { from: query.n, to: query.n };
    const found = await Promise.all(
      organisations.map((id) => {
        const store = this.#env.REGISTRATIONS.getByName(id) as unknown as RegistrationReader;
        return store.competing(span, OTHERS_MAX + 1);
      }),
    );
    const inForce = found.flat().filter((registration) => registration.inForce);
    const registered = [...new Set(inForce.map(({ organisation }) => organisation))];
    if (registered.length === 0) return NO_FACTS;
    const senders = await this.#keeper().senderFacts(registered);
    const certified = senders.flatMap(({ organisation, isCertified }) => (isCertified ? [organisation] : []));
    const sent = await this.#sent(senders, query);
    const perThousand = sent === null || sent === 0 ? null : (query.distinct * 1_000) / sent;
    return { registered, certified, sent, perThousand };
  }

  /** Counts whole hours, so a window of minutes is at least an hour. */
  async #sent(senders: readonly SenderFacts[], { channel, windowMs }: FactQuery): Promise<number | null> {
    const { USAGE } = this.#env;
    const clients = senders.flatMap((sender) => sender.clients);
    if (USAGE === undefined || clients.length > FACT_CLIENTS_MAX) return null;
    const now = Date.now();
    const hours = { from: Math.floor((now - windowMs) / HOUR_MS), to: Math.floor(now / HOUR_MS) + 1 };
    const histories = await Promise.all(clients.map((client) => historyOf(client, hours, USAGE)));
    let sent = 0;
    for (const { counts } of histories.flatMap(({ periods }) => periods)) {
      for (const [name, ...verdicts] of counts.by.channel ?? []) {
        if (name !== channel) continue;
        // Blocked texts and calls were not sent.
        for (const verdict of ['allow', 'label'] as const) sent += verdicts[VERDICTS.indexOf(verdict)] ?? 0;
      }
    }
    return sent;
  }
}
