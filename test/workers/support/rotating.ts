/** The coordinator and edges with different LIST_KEYs over one state, as during a rotation of the key. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { toBase64 } from '../../../shared/bytes.ts';
import { parseListed } from '../../../shared/numbers/parse.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { toRequest } from '../../../shared/screening/parse-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import { Coordinator } from '../../../workers/coordinator/coordinator.ts';
import { HeadReader } from '../../../workers/edge/head/head-reader.ts';
import { valuesNeededBy, withValues } from '../../../workers/edge/head/shards.ts';
import { type ControlEnv, openSecrets } from '../../../workers/env.ts';
import { OTHER_LIST_KEY } from '../../shared/support/other-keys.ts';
import { client, stub } from './coordinator.ts';
import { LIST_KEY } from './secrets.ts';

/** The key of the tests, and its replacement. */
export const A = LIST_KEY;
export const B = toBase64(OTHER_LIST_KEY);

/** Runs work on a freshly started coordinator with this LIST_KEY. */
export function restarted<Value>(
  listKey: string,
  work: (coordinator: Coordinator, state: DurableObjectState) => Promise<Value>,
): Promise<Value> {
  return runInDurableObject(stub(), async (_, state) => {
    const fresh = new Coordinator(state, { ...env, LIST_KEY: listKey } as unknown as ControlEnv);
    await fresh.token('root');
    return work(fresh, state);
  });
}

/** An isolate of the edge. It calls a coordinator with the LIST_KEY that `coordinatorKey` returns. */
export class RotatingEdge {
  readonly #head = new HeadReader();
  readonly #listKey: string;
  readonly #coordinatorKey: () => string;

  constructor(listKey: string, coordinatorKey: () => string) {
    this.#listKey = listKey;
    this.#coordinatorKey = coordinatorKey;
  }

  async #context(ctx: ExecutionContext) {
    const secrets = await openSecrets({ ...env, LIST_KEY: this.#listKey });
    if (!secrets.ok) throw new Error(secrets.message);
    const key = this.#coordinatorKey();
    const COORDINATOR = {
      getByName: () => ({
        head: (request: Parameters<Coordinator['head']>[0]) => restarted(key, (each) => each.head(request)),
        value: (name: string) => restarted(key, (each) => each.value(name)),
      }),
    };
    return {
      env: { ...env, COORDINATOR },
      secrets: secrets.value,
      ctx,
      dataCentre: this.#listKey.slice(0, 3),
    };
  }

  /** Polls, whether or not a poll is due. */
  async poll(): Promise<void> {
    const ctx = createExecutionContext();
    await this.#head.pinFresh((await this.#context(ctx)) as never, -1);
    await waitOnExecutionContext(ctx);
  }

  /** The verdicts and codes for these senders and recipients, from the data in memory. */
  async verdicts(questions: readonly Question[]): Promise<string[]> {
    const ctx = createExecutionContext();
    const context = (await this.#context(ctx)) as never;
    const { snapshot } = await this.#head.pin(context);
    const found: string[] = [];
    for (const question of questions) {
      const request = requestOf(question);
      const settings = { ...client('any'), senderRules: 'none' } as const;
      const decide = (): string => {
        const { verdict, reasons } = screen(request, snapshot, settings);
        return [verdict, ...reasons.slice(0, 1).map(({ code }) => code)].join(' ');
      };
      const { release } = snapshot;
      found.push(
        release === null
          ? decide()
          : await withValues(
              release,
              valuesNeededBy(request, release, snapshot.live, settings),
              { env, ctx },
              decide,
            ),
      );
    }
    await waitOnExecutionContext(ctx);
    return found;
  }
}

export type Question = Readonly<Partial<Record<'from' | 'to', string>>>;

function requestOf({ from, to }: Question): ScreenRequest {
  const sender = from === undefined ? null : { kind: 'source', text: from };
  const recipient = to === undefined ? null : parseListed(to);
  return toRequest({ from: sender, to: recipient, channel: 'sms', ingress: null } as never);
}
