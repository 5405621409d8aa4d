/**
 * The state that an isolate keeps between requests. It is lost with the isolate, and all of it can be loaded
 * again.
 */
import { type ScanKey, scanKeyOf } from '../../shared/enumeration/scan-key.ts';
import { ORGANISATIONS_MAX } from '../../shared/limits/control.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ScanSource } from '../../shared/usage/client-usage.ts';
import { type Env, openSecrets, type Secrets } from '../env.ts';
import type { RequestContext } from '../http/app.ts';
import { RefusedKeys } from '../http/client-authentication.ts';
import { FailedAuthentications } from '../http/failed-authentications.ts';
import type { Problem } from '../http/reply.ts';
import { SingleFlight } from '../storage/single-flight.ts';
import { BlockRecorder } from './block-recorder.ts';
import { HeadReader } from './head/head-reader.ts';
import type { LoadContext } from './head/head-sources.ts';
import { PassportVerifier } from './passport-verifier.ts';
import { Quota } from './quota.ts';
import { TokenVerifier } from './token-verifier.ts';
import { UsageMeters } from './usage.ts';

type OpenedSecrets = Awaited<ReturnType<typeof openSecrets>>;

export class Isolate {
  /** The sources of sketches by organisation. All of them share one key. */
  readonly #scanSources = new Map<string, ScanSource>();
  #scanKey: ScanKey | null = null;
  /** The opened secrets, or the failure to open them. Kept because the environment of an isolate does not change. */
  #secrets: OpenedSecrets | null = null;
  readonly #opening = new SingleFlight();
  readonly head: HeadReader;
  readonly tokens: TokenVerifier;
  readonly passports = new PassportVerifier();
  readonly quota = new Quota();
  readonly refusedKeys = new RefusedKeys();
  readonly failures = new FailedAuthentications('edge');
  readonly recorder = new BlockRecorder();
  readonly usage = new UsageMeters();

  constructor(shardBytesMax?: number) {
    this.head = new HeadReader(shardBytesMax);
    this.tokens = new TokenVerifier(this.head.credentialShards);
  }

  /** The context of the loads that this request starts: its bindings and the secrets. */
  async loadContext(context: RequestContext): Promise<Result<LoadContext, Problem>> {
    return loadContextWith(this.#secrets ?? (await this.#openSecrets(context)), context);
  }

  /** Like `loadContext`, but null until the secrets were opened once. */
  loadContextInMemory(context: RequestContext): Result<LoadContext, Problem> | null {
    return this.#secrets === null ? null : loadContextWith(this.#secrets, context);
  }

  /** How to summarise the numbers of an organisation in sketches. */
  scanSource(organisation: string, { secrets }: LoadContext): ScanSource {
    const known = this.#scanSources.get(organisation);
    if (known !== undefined) return known;
    const { keyId, scanSeed } = secrets.keys.writer;
    this.#scanKey ??= scanKeyOf(scanSeed);
    const source = { organisation, keyId, key: this.#scanKey };
    // The directory limits how many there are. Clearing all also drops those of removed organisations.
    if (this.#scanSources.size >= ORGANISATIONS_MAX) this.#scanSources.clear();
    this.#scanSources.set(organisation, source);
    return source;
  }

  async #openSecrets({ env, ctx }: RequestContext): Promise<OpenedSecrets> {
    const open = async (): Promise<void> => {
      this.#secrets = await openSecrets(env);
    };
    await this.#opening.wait(open, () => this.#secrets !== null, ctx).catch(() => undefined);
    return this.#secrets ?? openSecrets(env);
  }
}

let isolate = new Isolate();

export function currentIsolate(): Isolate {
  return isolate;
}

/**
 * Resets all state, as a new isolate would.
 * @param shardBytesMax memory for shards, if not the default
 */
export function resetIsolate(shardBytesMax?: number): void {
  isolate = new Isolate(shardBytesMax);
}

function loadContextWith(secrets: OpenedSecrets, context: RequestContext): Result<LoadContext, Problem> {
  return secrets.ok ? ok(new RequestLoadContext(context, secrets.value)) : secrets;
}

class RequestLoadContext implements LoadContext {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly #request: Request;

  constructor({ env, ctx, request }: RequestContext, secrets: Secrets) {
    this.env = env;
    this.secrets = secrets;
    this.ctx = ctx;
    this.#request = request;
  }

  /** Read only when a poll is due: the runtime parses `cf` on every access. */
  get dataCentre(): string {
    const { colo } = (this.#request.cf ?? {}) as { colo?: string };
    return colo ?? 'local';
  }
}
