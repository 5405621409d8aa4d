/**
 * The register as control reads it from the coordinator: at most once in REGISTER_FRESH_SECONDS by each data centre, so
 * that nobody can burden the coordinator through public requests. While the coordinator does not respond, the last copy
 * serves for REGISTER_KEPT_SECONDS.
 */
import { utf8 } from '../../shared/bytes.ts';
import { REGISTER_FRESH_SECONDS, REGISTER_KEPT_SECONDS } from '../../shared/limits/qualification.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import type { RequestContext } from '../http/app.ts';
import { cacheable, type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { SingleFlight } from '../storage/single-flight.ts';

/** What this needs from the coordinator. */
interface RegisterObject {
  register(): Promise<RegisterData>;
}

/** The register, and when the coordinator gave it, in ms since 1970. */
export interface ReadRegister {
  readonly data: RegisterData;
  readonly readAt: number;
}

const READ_HEADER = 'x-numgate-read-at';

/** Of this isolate. */
let held: ReadRegister | null = null;
let loading = new SingleFlight();

/** Resets all state, as a new isolate would. */
export function resetRegister(): void {
  held = null;
  loading = new SingleFlight();
}

const isWithin = (seconds: number): boolean => held !== null && Date.now() - held.readAt <= seconds * 1000;

export async function readRegister(context: RequestContext): Promise<Result<ReadRegister, Problem>> {
  const isFresh = (): boolean => isWithin(REGISTER_FRESH_SECONDS);
  if (!isFresh())
    await loading
      .wait(() => load(context), isFresh, context.ctx)
      .catch((error: unknown) => warnFailed('registerFailed', error));
  if (held !== null && isWithin(REGISTER_KEPT_SECONDS)) return ok(held);
  return problem('UNAVAILABLE', 'the register cannot be read now; try again');
}

async function load({ env, request }: RequestContext): Promise<void> {
  // By host, because other installations in the zone share the cache.
  const key = `https://register.numgate.internal/${new URL(request.url).host}`;
  const copy = await readCopy(key);
  if (copy !== null && copy.readAt > (held?.readAt ?? 0)) held = copy;
  if (isWithin(REGISTER_FRESH_SECONDS)) return;
  const coordinator = env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as RegisterObject;
  const readAt = Date.now();
  held = { data: await coordinator.register(), readAt };
  const body = utf8(JSON.stringify(held.data));
  const response = cacheable(body, REGISTER_KEPT_SECONDS, { [READ_HEADER]: String(readAt) });
  await caches.default.put(key, response).catch(() => undefined);
}

/** The copy of the data centre. If the cache fails, there is none. */
async function readCopy(key: string): Promise<ReadRegister | null> {
  try {
    const response = await caches.default.match(key);
    if (response === undefined) return null;
    return {
      data: (await response.json()) as RegisterData,
      readAt: Number(response.headers.get(READ_HEADER)),
    };
  } catch {
    return null;
  }
}
