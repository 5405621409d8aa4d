/**
 * RPC methods of the coordinator for the admin API, the cron and the scan detectors. Each calls the part responsible.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EntryChange, EntryItem, UndoOptions } from '../../shared/admin/entries.ts';
import type { Promote, Rollback, Stage } from '../../shared/admin/releases.ts';
import type { Client } from '../../shared/clients.ts';
import type { Detection } from '../../shared/enumeration/detect.ts';
import type { Sink } from '../../shared/evidence.ts';
import { DETECTIONS_SHOWN_MAX } from '../../shared/limits/enumeration.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import type { Approvals } from '../../shared/proposals.ts';
import type { GuardSettings } from '../../shared/release/guard-settings.ts';
import type { QualificationSettings } from '../../shared/senders/qualification.ts';
import type { Token } from '../../shared/tokens.ts';
import type { ControlEnv } from '../env.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import type { Precondition } from '../storage/precondition.ts';
import type { ExportPiece } from './audit-exports.ts';
import type { ChangeRequest } from './change-request.ts';
import type { Core } from './core.ts';
import { requestOf } from './proposal-request.ts';
import type { QualificationFilter } from './qualification-changes.ts';
import { stagedRefusals } from './staged.ts';

/** The property through which the methods reach the parts. It is a symbol so that RPC does not expose it. */
export const CORE = Symbol('core');

export abstract class AdminCalls extends DurableObject<ControlEnv> {
  protected abstract get [CORE](): Core;

  async changeEntries(request: ChangeRequest, change: EntryChange) {
    return this[CORE].entryChanges.change(request, change);
  }

  async isRepeat(request: ChangeRequest) {
    return this[CORE].tables.ledger.isRepeat(request);
  }

  async undoOperation(request: ChangeRequest, operation: number, options: UndoOptions) {
    return this[CORE].entryUndo.undo(request, operation, options);
  }

  async findEntries(item: EntryItem) {
    return this[CORE].entryChanges.find(item);
  }

  /** @param upTo last `seq` to return; null for the current one */
  async entries(after: string, upTo: number | null, limit: number) {
    const { live, ledger } = this[CORE].tables;
    return live.page(after, upTo ?? ledger.seq, limit);
  }

  async stage(request: ChangeRequest, staged: Stage) {
    return this[CORE].releaseChanges.stage(request, staged);
  }

  async promote(request: ChangeRequest, release: string, options: Promote) {
    const done = await this[CORE].releaseChanges.promote(request, release, options);
    if (done.ok) this[CORE].registry.refresh();
    return done;
  }

  async rollback(request: ChangeRequest, options: Rollback) {
    return this[CORE].releaseChanges.rollback(request, options);
  }

  async plan(release: string) {
    return this[CORE].releaseChanges.plan(release);
  }

  async releases(limit: number) {
    return this[CORE].tables.releases.list(limit);
  }

  async stagedRefusals() {
    return stagedRefusals(this[CORE].tables.meta);
  }

  async manifest(release: string) {
    return this[CORE].tables.releases.get(release)?.signed ?? null;
  }

  async lists() {
    const { current } = this[CORE].tables.releases;
    return { release: current?.release ?? null, lists: current?.manifest.lists ?? [] };
  }

  async organisations() {
    return this[CORE].tables.organisations.all;
  }

  async organisation(id: string) {
    return this[CORE].tables.organisations.get(id);
  }

  /** @param organisation null to remove it */
  async putOrganisation(
    request: ChangeRequest,
    id: string,
    organisation: Organisation | null,
    condition: Precondition,
  ) {
    return this[CORE].clientChanges.putOrganisation(request, id, organisation, condition);
  }

  async qualification(organisation: string) {
    return this[CORE].qualificationChanges.get(organisation);
  }

  async qualifications(filter: QualificationFilter) {
    return this[CORE].qualificationChanges.list(filter);
  }

  async putQualification(
    request: ChangeRequest,
    organisation: string,
    settings: QualificationSettings,
    condition: Precondition,
  ) {
    return this[CORE].qualificationChanges.put(request, organisation, settings, condition);
  }

  /** The public data of all qualifications. */
  async register() {
    return this[CORE].qualificationChanges.register;
  }

  async clients() {
    return this[CORE].tables.clients.all;
  }

  async client(id: string) {
    return this[CORE].tables.clients.get(id);
  }

  /** @param client null to remove it */
  async putClient(request: ChangeRequest, id: string, client: Client | null, condition: Precondition) {
    return this[CORE].clientChanges.putClient(request, id, client, condition);
  }

  async declaredNumbers(organisation: string) {
    // Organisations stored by older versions lack this field.
    return this[CORE].tables.organisations.get(organisation)?.declaredNumbers ?? null;
  }

  /** @param day days since 1970 */
  async enumerationDetected(organisation: string, day: number, found: readonly Detection[]) {
    return this[CORE].enumerationChanges.record(organisation, day, found);
  }

  async detections() {
    return this[CORE].tables.detections.newest(DETECTIONS_SHOWN_MAX);
  }

  /** For the stores of registrations; null if there is no such organisation. */
  async registrationFacts(organisation: string) {
    return this[CORE].registrationFacts.of(organisation);
  }

  /** @param end end of the audit chain of the credential store */
  async anchorCredentials(end: ChainAnchor) {
    return this[CORE].registrationFacts.anchor('credentials', 'sender credentials', end);
  }

  async anchorRegistrations(organisation: string, end: ChainAnchor) {
    return this[CORE].registrationFacts.anchor('registrations', organisation, end);
  }

  async tokens() {
    return this[CORE].clientChanges.listedTokens;
  }

  /** @param token null to remove it @param authority authority that the request names; undefined if it names none */
  async putToken(
    request: ChangeRequest,
    id: string,
    token: Token | null,
    condition: Precondition,
    authority?: string | null,
  ) {
    return this[CORE].clientChanges.putToken(request, id, token, condition, authority);
  }

  async guards() {
    return this[CORE].tables.settings.guards;
  }

  async putGuards(request: ChangeRequest, guards: GuardSettings) {
    return this[CORE].tables.settings.putGuards(request, guards);
  }

  async policy() {
    return this[CORE].tables.settings.policy;
  }

  async putPolicy(request: ChangeRequest, policy: Policy, condition: Precondition) {
    const { tables, background } = this[CORE];
    const done = tables.settings.putPolicy(request, policy, condition);
    if (done.ok) background.changed();
    return done;
  }

  async canaries() {
    return this[CORE].tables.settings.canaries;
  }

  async putCanaries(request: ChangeRequest, canaries: readonly number[]) {
    const { tables, background } = this[CORE];
    const done = tables.settings.putCanaries(request, canaries);
    if (done.ok) background.changed();
    return done;
  }

  async approvals() {
    return this[CORE].tables.proposals.rules;
  }

  async putApprovals(request: ChangeRequest, approvals: Approvals) {
    const { tables, signers } = this[CORE];
    return tables.settings.putApprovals(request, approvals, signers.current);
  }

  /** Open proposals first, then all others, each newest first. */
  async proposals(limit: number) {
    await this[CORE].proposalChanges.settleDue();
    return this[CORE].tables.proposals.list(limit);
  }

  async proposal(id: number) {
    await this[CORE].proposalChanges.settleDue();
    const { proposals } = this[CORE].tables;
    const info = proposals.get(id)?.info ?? null;
    // A break-glass change stores the command that reverts it, not its request.
    const command = info?.state === 'pending' ? proposals.command(id) : null;
    return info && { ...info, request: command === null ? null : requestOf(command) };
  }

  /** The pending change of live entries in this proposal; null if the proposal is decided or is of another kind. */
  async proposedEntries(id: number) {
    const { proposals } = this[CORE].tables;
    const command = proposals.get(id)?.info.state === 'pending' ? proposals.command(id) : null;
    return command?.name === 'changeEntries' ? command.change : null;
  }

  async approve(request: ChangeRequest, id: number, sha256: string) {
    return this[CORE].proposalChanges.approve(request, id, sha256);
  }

  async reject(request: ChangeRequest, id: number) {
    return this[CORE].proposalChanges.reject(request, id);
  }

  async withdraw(request: ChangeRequest, id: number) {
    return this[CORE].proposalChanges.withdraw(request, id);
  }

  async audit(after: number, limit: number) {
    return this[CORE].tables.ledger.audit.records(after, limit);
  }

  /** Called by the cron with the configured sinks. The log is trimmed only up to the records that all of them have. */
  async setExportSinks(sinks: readonly Sink[]) {
    this[CORE].exports.configure(sinks);
  }

  async nextExport(sink: Sink) {
    return this[CORE].exports.next(sink, Date.now());
  }

  /** @param error null if the sink has the piece now */
  async endExport(sink: Sink, piece: ExportPiece, error: string | null) {
    this[CORE].exports.end(sink, piece, error, Date.now());
  }

  /** @param after size of a checkpoint */
  async checkpoints(after: number, limit: number) {
    return this[CORE].checkpoints.page(after, limit);
  }

  /** @param n record number @param size size of the tree; the current size by default */
  async inclusion(n: number, size?: number) {
    return this[CORE].checkpoints.inclusion(n, size);
  }

  /** @param from size of a tree @param to size of a larger tree; the current size by default */
  async consistency(from: number, to?: number) {
    return this[CORE].checkpoints.consistency(from, to);
  }

  /** @param n last record to remove @param hash hash of record `n` */
  async trimAudit(request: ChangeRequest, n: number, hash: string) {
    const allowed = this[CORE].exports.checkTrim(n);
    return allowed.ok ? this[CORE].tables.ledger.trimAudit(request, n, hash) : allowed;
  }
}
