/**
 * The Durable Object that keeps the credentials of senders: issuers, certificates, delegations, and the status lists that
 * revoke them. There is one per installation. It gives the coordinator the index of the data for the edge, at most once in
 * HEAD_PART_INTERVAL_MS. Expected failures are values.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  AddCertificate,
  CertificateInfo,
  DelegationInfo,
  Issuer,
  IssuerInfo,
  ProposedDelegation,
  StatusListDone,
  StatusListInfo,
} from '../../shared/admin/credentials.ts';
import type {
  PassportCertificate,
  PassportCertificateInfo,
  PassportRoot,
  PassportRootInfo,
} from '../../shared/admin/passport.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import type { DelegationMove } from '../../shared/credentials/delegation-states.ts';
import { importKey, keyOfJwk, type PublicJwk } from '../../shared/credentials/keys.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import { ok } from '../../shared/result.ts';
import type { RegistrationFacts } from '../../shared/senders/registration.ts';
import type { ControlEnv } from '../env.ts';
import { warnFailed } from '../log.ts';
import type { CredentialObject } from '../storage/credentials-port.ts';
import type { CredentialEvidenceSource, EvidencePeriod } from '../storage/evidence-port.ts';
import type { Precondition } from '../storage/precondition.ts';
import { within } from '../storage/single-flight.ts';
import { refuse, refuseField, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { infoOf } from './certificate-uploads.ts';
import { credentialEvidence } from './evidence.ts';
import { createTables } from './schema.ts';
import { StoreParts } from './store-parts.ts';

export class CredentialStore
  extends DurableObject<ControlEnv>
  implements CredentialObject, CredentialEvidenceSource
{
  readonly #parts: StoreParts;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#parts = new StoreParts(ctx.storage, env);
    ctx.blockConcurrencyWhile(async () => {
      await this.#parts.tables.issuers.open();
      this.#alarmAt = await ctx.storage.getAlarm();
      // Set the alarm again, because the platform gives up on an alarm that fails too often.
      await this.#arm();
    });
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#parts.tables.values.bytes(key);
  }

  async refresh(): Promise<void> {
    await this.#parts.head.refresh();
    await this.#arm();
  }

  async issuers(): Promise<readonly IssuerInfo[]> {
    const { tables, issuerChanges } = this.#parts;
    return tables.issuers.all.map((each) => issuerChanges.info(each));
  }

  async issuer(id: string): Promise<IssuerInfo | null> {
    const { tables, issuerChanges } = this.#parts;
    const found = tables.issuers.get(id);
    return found && issuerChanges.info(found);
  }

  async putIssuer(
    request: StoreRequest,
    issuer: Issuer,
    condition: Precondition,
  ): Promise<StoreResult<IssuerInfo>> {
    return this.#changed(await this.#parts.issuerChanges.put(request, issuer, condition));
  }

  async removeIssuer(
    request: StoreRequest,
    id: string,
    condition: Precondition,
  ): Promise<StoreResult<object>> {
    return this.#changed(this.#parts.issuerChanges.remove(request, id, condition));
  }

  /** Waits until the registrations exist, but not for the publication. */
  async addCertificate(
    request: StoreRequest,
    facts: RegistrationFacts,
    body: AddCertificate,
  ): Promise<StoreResult<CertificateInfo>> {
    const { uploads, sync, tables } = this.#parts;
    const done = await uploads.add(request, facts, body);
    if (!done.ok) return done;
    await this.#changed(done);
    await sync.follow(facts.organisation);
    return ok(await infoOf(tables.certificates.get(done.value.digest) ?? done.value));
  }

  async certificates(
    organisation: string,
    after: string | null,
    limit: number,
  ): Promise<readonly CertificateInfo[]> {
    return Promise.all(this.#parts.tables.certificates.page(organisation, after, limit).map(infoOf));
  }

  async certificate(organisation: string, digest: string): Promise<CertificateInfo | null> {
    const found = this.#parts.tables.certificates.get(digest);
    return found?.organisation === organisation ? infoOf(found) : null;
  }

  async proposeDelegation(
    request: StoreRequest,
    principal: string,
    proposed: ProposedDelegation,
  ): Promise<StoreResult<DelegationInfo>> {
    const { delegations } = this.#parts;
    if (!delegations.ok) return delegations;
    return this.#shown(delegations.value.propose(request, principal, proposed));
  }

  /** @param given arguments of the move: the agent's key for `accept`, the signed claims for `confirm` */
  async moveDelegation(
    request: StoreRequest,
    organisation: string,
    id: number,
    move: DelegationMove,
    given: { readonly key?: PublicJwk; readonly delegation?: string },
  ): Promise<StoreResult<DelegationInfo>> {
    const { delegations } = this.#parts;
    if (!delegations.ok) return delegations;
    const key = given.key === undefined ? undefined : (keyOfJwk(given.key) ?? undefined);
    if (given.key !== undefined && (key === undefined || (await importKey(key)) === null))
      return refuseField('key', 'is not a valid key of its curve');
    const moved = await delegations.value.move(request, id, {
      ...{ move, organisation },
      ...(key === undefined ? {} : { key }),
      ...(given.delegation === undefined ? {} : { jws: given.delegation }),
    });
    return this.#shown(await this.#changed(moved));
  }

  async delegations(organisation: string, after: number, limit: number): Promise<readonly DelegationInfo[]> {
    const { delegations, tables } = this.#parts;
    if (!delegations.ok) return [];
    const page = tables.delegations.page(organisation, after, limit);
    return Promise.all(page.map((each) => delegations.value.info(each)));
  }

  /** A delegation of which the organisation is the principal or the agent. */
  async delegation(organisation: string, id: number): Promise<DelegationInfo | null> {
    const { delegations, tables } = this.#parts;
    const found = tables.delegations.get(id);
    const isPart = found?.principal === organisation || found?.agent === organisation;
    return delegations.ok && found !== null && isPart ? delegations.value.info(found) : null;
  }

  async statusLists(): Promise<readonly StatusListInfo[]> {
    return this.#parts.statusLists.infos;
  }

  /** Responds once the head has the list. */
  async pushStatusList(request: StoreRequest, text: string): Promise<StoreResult<StatusListDone>> {
    const { statusLists, tables, head } = this.#parts;
    const done = await statusLists.accept(request, text, null, false);
    if (!done.ok) return done;
    const { version } = tables.publication;
    await this.#arm();
    // Update the edge first, then the registrations.
    const published = await within(head.publish(), LOAD_WAIT_MS).catch((error: unknown) =>
      warnFailed('credentialsNotPublished', error),
    );
    this.ctx.waitUntil(this.#parts.sync.run().then(() => this.#arm()));
    return published === undefined
      ? refuse('UNAVAILABLE', 'the list is accepted, and is published as soon as the coordinator responds')
      : ok({ ...done.value, version });
  }

  /** Counts the credentials of an organisation that have not ended, on which others could rely. */
  async openCount(
    organisation: string,
  ): Promise<{ readonly certificates: number; readonly delegations: number }> {
    const { certificates, delegations } = this.#parts.tables;
    const nowS = Math.floor(Date.now() / 1000);
    return {
      certificates: certificates.countInForce(organisation, nowS),
      delegations: delegations.countWith(organisation, nowS),
    };
  }

  /** The statuses of delegations, for the status list of the service: two bits each, by ID. */
  async delegationStatuses(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#parts.tables.delegations.statuses.bytes;
  }

  async passportRoots(): Promise<readonly PassportRootInfo[]> {
    return this.#parts.passportChanges.roots;
  }

  async putPassportRoot(
    request: StoreRequest,
    root: PassportRoot,
    condition: Precondition,
  ): Promise<StoreResult<PassportRootInfo>> {
    return this.#changed(this.#parts.passportChanges.putRoot(request, root, condition));
  }

  async removePassportRoot(
    request: StoreRequest,
    id: string,
    condition: Precondition,
  ): Promise<StoreResult<object>> {
    return this.#changed(this.#parts.passportChanges.removeRoot(request, id, condition));
  }

  async passportCertificates(): Promise<readonly PassportCertificateInfo[]> {
    return this.#parts.passportChanges.certificates;
  }

  async passportCertificate(id: string): Promise<PassportCertificateInfo | null> {
    return this.#parts.passportChanges.certificate(id);
  }

  /** The alarm fetches the chain at once, after the response. */
  async putPassportCertificate(
    request: StoreRequest,
    certificate: PassportCertificate,
    condition: Precondition,
  ): Promise<StoreResult<PassportCertificateInfo>> {
    return this.#changed(await this.#parts.passportChanges.putCertificate(request, certificate, condition));
  }

  async removePassportCertificate(
    request: StoreRequest,
    id: string,
    condition: Precondition,
  ): Promise<StoreResult<object>> {
    return this.#changed(this.#parts.passportChanges.removeCertificate(request, id, condition));
  }

  /** @param after number of a record */
  async audit(after: number, limit: number): Promise<readonly AuditRecord[]> {
    return this.#parts.tables.audit.records(after, limit);
  }

  async credentialEvidence(organisations: readonly string[], numbers: Span | null, period: EvidencePeriod) {
    const { tables, delegations, anchoring } = this.#parts;
    const changes = delegations.ok ? delegations.value : null;
    return credentialEvidence(tables, changes, anchoring, organisations, numbers, period);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#parts.runDue();
    await this.#arm();
  }

  /** Publishes a change after the response. If that fails, the alarm retries. */
  async #changed<Value>(done: StoreResult<Value>): Promise<StoreResult<Value>> {
    if (!done.ok) return done;
    await this.#arm();
    const { head, sync } = this.#parts;
    this.ctx.waitUntil(
      Promise.all([
        head.publish().catch((error: unknown) => warnFailed('credentialsNotPublished', error)),
        sync.run(),
      ]).then(() => this.#arm()),
    );
    return done;
  }

  async #shown(done: StoreResult<number>): Promise<StoreResult<DelegationInfo>> {
    const { delegations, tables } = this.#parts;
    if (!done.ok) return done;
    return delegations.ok
      ? ok(await delegations.value.info(tables.delegations.get(done.value)!))
      : delegations;
  }

  /** Sets the alarm to the next time at which work is due. */
  async #arm(): Promise<void> {
    const next = this.#parts.nextDueAt(Date.now());
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    await this.ctx.storage.setAlarm(next);
  }
}
