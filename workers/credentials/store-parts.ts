/** The parts of the credential store, and its recurring work. Each part is built only from complete parts. */

import { STATUS_PULLS_AT_ONCE } from '../../shared/limits/credential-store.ts';
import { ALARM_AHEAD_MS_MAX } from '../../shared/limits/registrations.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { ownStatusListUri } from '../../shared/senders/register.ts';
import { DAY_MS } from '../../shared/time.ts';
import { type ControlEnv, publicUrlOf } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { Anchoring } from '../storage/anchoring.ts';
import type { CertifiedRegistrations } from '../storage/certified-port.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { CredentialAnchorRecorder, CredentialsUpdate } from '../storage/credentials-port.ts';
import { HeadValues } from '../storage/head-values.ts';
import { NoticeOutbox } from '../storage/notice-outbox.ts';
import { refuse, type StoreResult, systemRequest } from '../storage/store-request.ts';
import { CertificateReminders } from './certificate-reminders.ts';
import { CertificateUploads } from './certificate-uploads.ts';
import { DelegationChanges } from './delegation-changes.ts';
import { CredentialValues } from './head-values.ts';
import { IssuerChanges } from './issuer-changes.ts';
import { PassportChanges } from './passport-changes.ts';
import { PassportFetches } from './passport-fetches.ts';
import { type OrganisationSource, RegistrationSync } from './registration-sync.ts';
import { nextPullAt, StatusListChanges } from './status-list-changes.ts';
import type { StoredStatusList } from './status-list-rows.ts';
import { pullStatusList } from './status-pull.ts';
import { Tables } from './tables.ts';

/** Delay before the alarm retries an update of the coordinator or of registrations, in ms. */
const AGAIN_MS = 10_000;
/** The URI of the service's own list while there is no PUBLIC_URL. It never leaves the service. */
const LOCAL_URI = 'urn:numgate:status-list';

const PULLER = systemRequest('pulled from its issuer');

export class StoreParts {
  readonly tables: Tables;
  readonly head: HeadValues<CredentialsUpdate>;
  readonly issuerChanges: IssuerChanges;
  readonly statusLists: StatusListChanges;
  readonly uploads: CertificateUploads;
  readonly sync: RegistrationSync;
  /** Fails without PUBLIC_URL, because the status list of delegations then has no URI. */
  readonly delegations: Result<DelegationChanges, Failure<'NOT_CONFIGURED'>>;
  readonly passportChanges: PassportChanges;
  readonly #passportFetches: PassportFetches;
  readonly anchoring: Anchoring;
  readonly #notices: NoticeOutbox;
  readonly #reminders: CertificateReminders;
  readonly #env: ControlEnv;

  constructor(storage: DurableObjectStorage, env: ControlEnv) {
    const url = publicUrlOf(env);
    const ownUri = url.ok ? ownStatusListUri(url.value, 'delegations') : LOCAL_URI;
    const registrations = (organisation: string): CertifiedRegistrations =>
      env.REGISTRATIONS.getByName(organisation) as unknown as CertifiedRegistrations;
    const organisations = (): OrganisationSource =>
      env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as OrganisationSource;
    this.#env = env;
    this.tables = new Tables(storage);
    this.head = new HeadValues(env, new CredentialValues(env, this.tables, ownUri));
    this.issuerChanges = new IssuerChanges(this.tables);
    this.statusLists = new StatusListChanges(this.tables);
    this.uploads = new CertificateUploads(this.tables, registrations, (uri) => this.#readList(uri));
    this.sync = new RegistrationSync(this.tables, registrations, organisations);
    this.passportChanges = new PassportChanges(this.tables, this.#isCloudflare);
    this.#passportFetches = new PassportFetches(storage, this.tables, this.#isCloudflare);
    const recorder = () => env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as CredentialAnchorRecorder;
    this.anchoring = new Anchoring(
      storage.sql,
      this.tables.audit,
      this.tables.meta,
      (end) => recorder().anchorCredentials(end),
      'credentialsNotAnchored',
    );
    this.#notices = new NoticeOutbox(
      storage,
      () => 'credentials',
      () => env.NOTICES,
    );
    this.#reminders = new CertificateReminders(storage, this.tables, this.#notices);
    this.#reminders.begin(Date.now());
    this.delegations = url.ok ? ok(new DelegationChanges(this.tables, ownUri)) : url;
  }

  /** Does everything that is due. Never throws. */
  async runDue(): Promise<void> {
    // Follow known changes at the same time, so that no host of an issuer delays them.
    await Promise.all([this.#follow(), this.#pullDue(), this.#passportFetches.run(Date.now())]);
    await this.#follow();
    this.#reminders.run(Date.now());
    await Promise.all([this.anchoring.run(), this.#notices.run()]);
    this.#sweep();
  }

  /** Brings the head and the registrations up to date. */
  async #follow(): Promise<void> {
    if (this.tables.publication.isBehind)
      await this.head.publish().catch((error: unknown) => warnFailed('credentialsNotPublished', error));
    await this.sync.run();
  }

  /** When the alarm must come next, in ms since 1970; null for never. */
  nextDueAt(now: number): number | null {
    const { publication, lists } = this.tables;
    const { dueAt } = this.sync;
    const times = [
      // The request that made the change publishes it; the alarm comes only if that failed.
      publication.isBehind ? now + AGAIN_MS : null,
      dueAt === null ? null : Math.max(dueAt, now + AGAIN_MS),
      lists.nextPullAt,
      this.#passportFetches.dueAt(now),
      this.anchoring.dueAt,
      this.#reminders.dueAt,
      this.#notices.alarmAt(now),
      this.#sweepDue,
    ].filter((time) => time !== null);
    if (times.length === 0) return null;
    return Math.min(Math.max(Math.min(...times), now), now + ALARM_AHEAD_MS_MAX);
  }

  /** Reads a list that a new certificate names. */
  async #readList(uri: string): Promise<StoreResult<void>> {
    const pulled = await pullStatusList(uri, this.#isCloudflare);
    if (!pulled.ok) {
      const message = `the status list of "certificate" cannot be read: ${pulled.message}; try again, or push the list`;
      return refuse('STATUS_LIST_UNAVAILABLE', message);
    }
    const accepted = await this.statusLists.accept(PULLER, pulled.value, uri, true);
    if (accepted.ok) return ok(undefined);
    return refuse(
      'STATUS_LIST_UNAVAILABLE',
      `the status list of "certificate" cannot be used: ${accepted.message}`,
    );
  }

  async #pullDue(): Promise<void> {
    const due = this.tables.lists.due(Date.now(), STATUS_PULLS_AT_ONCE);
    await Promise.all(due.map((list) => this.#pull(list)));
  }

  async #pull(list: StoredStatusList): Promise<void> {
    const { uri, issuer } = list;
    const done = this.statusLists.isOfIssuer(list)
      ? await this.#pulled(uri)
      : fail('STATUS_LIST_INVALID', 'its issuer may not publish it now');
    if (done.ok) return;
    const failures = list.failures + 1;
    warn('statusListNotPulled', { issuer, code: done.code, failures });
    this.tables.lists.setPulled(uri, nextPullAt(list, failures), done.code);
  }

  async #pulled(uri: string): Promise<Result<unknown, Failure>> {
    const pulled = await pullStatusList(uri, this.#isCloudflare);
    return pulled.ok ? this.statusLists.accept(PULLER, pulled.value, uri, true) : pulled;
  }

  get #isCloudflare(): boolean {
    return this.#env.PLATFORM === 'cloudflare';
  }

  get #sweepDue(): number | null {
    return this.tables.publication.version === 0 ? null : this.tables.meta.number('sweptAt') + DAY_MS;
  }

  /** Removes data that ended long ago, once a day. */
  #sweep(): void {
    const due = this.#sweepDue;
    if (due === null || due > Date.now()) return;
    this.tables.forget(Date.now());
  }
}
