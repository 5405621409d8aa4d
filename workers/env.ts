/**
 * Bindings and secrets from the runtime, checked once per isolate. The error for a missing secret names the secret and
 * the command that sets it.
 */
import { openPublicKeys, PUBLIC_KEY_BYTES, type ReleaseKey } from '../shared/release/signed.ts';
import { type Failure, fail, ok, type Result } from '../shared/result.ts';
import { type KeyRing, openKeyRing } from '../shared/set/key-ring.ts';
import type { AppealObject } from './storage/appeals-port.ts';
import type { CampaignObject } from './storage/campaign-port.ts';
import type { HeadSource } from './storage/coordinator-port.ts';
import type { CredentialObject } from './storage/credentials-port.ts';
import type { DriftObject, TextCanary } from './storage/drift-port.ts';
import type { FeedObject } from './storage/feed-port.ts';
import type { MetricTotalsObject } from './storage/metrics-port.ts';
import type { NoticeObject, NoticeRouterObject } from './storage/notices-port.ts';
import type { RegistrationSources, RegistryObject } from './storage/registry-port.ts';
import type { BudgetObject, IntakeObject, SubjectObject } from './storage/reports-port.ts';
import type { ResponseObject } from './storage/response-port.ts';
import type { StatisticsObject } from './storage/statistics-port.ts';
import type { TextObject, TextSource } from './storage/text-port.ts';
import type { ScanObjects, UsageObjects } from './storage/usage-port.ts';

/** Bindings of wrangler.toml, and secrets. */
export interface Env {
  readonly LISTS: KVNamespace;
  readonly QUOTA: RateLimit;
  /** The files of `workers/public/`. Optional: without them, only `/openapi.json` and `/asyncapi.json` fail. */
  readonly ASSETS?: Pick<Fetcher, 'fetch'>;
  /** Counts log events (workers/log.ts). Optional: without it, events are only logged. */
  readonly EVENTS?: AnalyticsEngineDataset;
  /** Class Coordinator. The edge sees only its read methods; admin/context.ts types the rest. */
  readonly COORDINATOR: { getByName(name: string): HeadSource };
  /** Class UsageCounter. Optional: without it, checks are answered, but not counted. */
  readonly USAGE?: UsageObjects | undefined;
  /** Class ScanDetector. Optional: without it, enumeration is not detected. */
  readonly SCANS?: ScanObjects | undefined;
  /**
   * `cloudflare` if Cloudflare receives the requests, and so vouches for `cf-connecting-ip` and `request.cf`.
   * Otherwise not set: keys that are bound to addresses or certificates are refused.
   */
  readonly PLATFORM?: string;
  /** 32 random bytes in base64. During rotation, two keys separated by a comma, of which the first one writes. */
  readonly LIST_KEY: string;
  /**
   * Ed25519 public keys (raw, base64) that may sign a manifest, separated by commas. `<organisation>:` before a
   * key binds it to the lists of that organisation.
   */
  readonly RELEASE_PUBLIC_KEYS: string;
  /**
   * The key of fingerprints of texts: 32 random bytes in base64, the same for all members of a community. Optional: without
   * it, no campaign is recognised.
   */
  readonly TEXT_KEY?: string | undefined;
}

/** Environment of the control plane, and of the whole service as one Worker. */
export interface ControlEnv extends Env {
  /** Class RegistrationStore. admin/registration-stub.ts types the methods that only control calls. */
  readonly REGISTRATIONS: RegistrationSources;
  /** Class Registry. */
  readonly REGISTRY: { getByName(name: string): RegistryObject };
  /** Class CredentialStore. admin/credentials-stub.ts types the methods that only control calls. */
  readonly CREDENTIALS: { getByName(name: string): CredentialObject };
  /** Class TextStore. admin/text-stub.ts types the methods that only control calls. */
  readonly TEXT: { getByName(name: string): TextObject & TextSource & TextCanary & CampaignObject };
  /** Class ReportIntake. `intakesOf` returns the names. */
  readonly REPORTS: { getByName(name: string): IntakeObject };
  /** Class ReporterBudget. `shardOf` returns the names. */
  readonly REPORTERS: { getByName(name: string): BudgetObject };
  /** Class SubjectCounts. `shardOf` returns the names. */
  readonly SUBJECTS: { getByName(name: string): SubjectObject };
  /** Class ResponseDesk. */
  readonly RESPONSE: { getByName(name: string): ResponseObject };
  /** Class AppealStore. */
  readonly APPEALS: { getByName(name: string): AppealObject };
  /** Class TextDrift. */
  readonly TEXT_DRIFT: { getByName(name: string): DriftObject };
  /** Class FeedStore. */
  readonly FEED: { getByName(name: string): FeedObject };
  /** Class NoticeRouter. */
  readonly NOTICE_ROUTER: { getByName(name: string): NoticeRouterObject };
  /** Class NoticeStore, by ID of the organisation. */
  readonly NOTICES: { getByName(name: string): NoticeObject };
  /** Class StatisticsStore. */
  readonly STATISTICS: { getByName(name: string): StatisticsObject };
  /** Class MetricTotals. */
  readonly METRIC_TOTALS: { getByName(name: string): MetricTotalsObject };
  /**
   * The URL of this service for clients and other services, such as `https://numgate.example`: the `iss` of its
   * credentials, and the base of its status lists. Optional: without it, requests that need it fail with NOT_CONFIGURED.
   */
  readonly PUBLIC_URL?: string;
  /** Signs the status lists and credentials of the service itself: a private JWK for ES256. Optional. */
  readonly CREDENTIAL_KEY?: string;
  /**
   * 32 random bytes in base64, from which the keys of feed consumers and the secrets of webhooks are derived. During
   * rotation, two keys separated by a comma, of which the first one writes. Optional: without it, there are no feed and
   * no webhooks.
   */
  readonly SHARING_KEY?: string;
  /** SHA-256 (hex) of the secret of the token `root`. During rotation, two digests separated by a comma. */
  readonly ROOT_TOKEN_SHA256: string;
  /**
   * Signs checkpoints of the audit log: a private key in the text form of signed notes (shared/signed-note.ts). Optional:
   * without it, there are no checkpoints.
   */
  readonly CHECKPOINT_KEY?: string;
  /** Receives the audit log in pieces. Optional. */
  readonly AUDIT_EXPORT?: R2Bucket;
  /** Receives the same pieces by POST. Optional: `https:`, or `http:` on this machine. */
  readonly AUDIT_SINK_URL?: string;
  /** Bearer token for AUDIT_SINK_URL. */
  readonly AUDIT_SINK_TOKEN?: string;
  /** `https://<team>.cloudflareaccess.com` if Cloudflare Access protects the API; otherwise not set. */
  readonly ACCESS_TEAM?: string;
  /** The audience tag of the Access application. */
  readonly ACCESS_AUDIENCE?: string;
  /** Scopes of admins who come through Access, separated by commas. Default: `read`. */
  readonly ACCESS_SCOPES?: string;
  /** The organisation of admins who come through Access. Default: `default`. */
  readonly ACCESS_ORGANISATION?: string;
  /** How appellants prove that they are not robots: `off`, `work` or `turnstile`. Default: `off`. */
  readonly APPEAL_PROOF?: string;
  /** The secret key of the Turnstile widget, for APPEAL_PROOF = "turnstile". */
  readonly TURNSTILE_SECRET?: string;
  /** If `off` when the coordinator starts, no change waits for a second person any more. The way out of a lock-out. */
  readonly APPROVALS?: string;
}

/** The runtime guarantees nothing about secrets: any may be absent. */
type UncheckedEnv = { [Name in keyof Env]?: Env[Name] | undefined };

/** PUBLIC_URL without a trailing slash: the `iss` of everything this service signs, and the base of its status lists. */
export function publicUrlOf({
  PUBLIC_URL: text = '',
  PLATFORM,
}: Partial<ControlEnv>): Result<string, Failure<EnvProblem>> {
  if (text === '') return fail('NOT_CONFIGURED', 'PUBLIC_URL is not set: set it in [vars] of wrangler.toml');
  const url = URL.parse(text);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && PLATFORM !== 'cloudflare');
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '';
  if (isSafe && isPlain) return ok(url.href.replace(/\/+$/, ''));
  const form = 'an https: URL without query, such as https://numgate.example';
  return fail('NOT_CONFIGURED', `PUBLIC_URL must be ${form}`);
}

/** The keys derived from the secrets. */
export interface Secrets {
  readonly keys: KeyRing;
  readonly publicKeys: readonly ReleaseKey[];
}

type EnvProblem = 'NOT_CONFIGURED';

export async function openSecrets(env: UncheckedEnv): Promise<Result<Secrets, Failure<EnvProblem>>> {
  const keys = await openKeyRing(env.LIST_KEY ?? '');
  if (!keys.ok) {
    return fail('NOT_CONFIGURED', `LIST_KEY ${keys.message}: set it with wrangler secret put LIST_KEY`);
  }
  const publicKeys = await openPublicKeys(env.RELEASE_PUBLIC_KEYS ?? '');
  if (publicKeys === null) {
    const form = `Ed25519 public keys of ${PUBLIC_KEY_BYTES} bytes in base64`;
    const message = `RELEASE_PUBLIC_KEYS must be ${form}, each once, with "<organisation>:" before a key that belongs to an organisation`;
    return fail('NOT_CONFIGURED', `${message}; separate them with commas`);
  }
  if (publicKeys.length === 0) {
    const command = 'wrangler secret put RELEASE_PUBLIC_KEYS';
    return fail('NOT_CONFIGURED', `RELEASE_PUBLIC_KEYS is not set: set it with ${command}`);
  }
  return ok({ keys: keys.value, publicKeys });
}
