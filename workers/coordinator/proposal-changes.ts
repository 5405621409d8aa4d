/**
 * Decides on proposals: approves, rejects or withdraws them. Without a decision, a proposal expires, and a break-glass
 * change is reverted. An approval runs the stored request again as its proposer. settlement.ts checks the decision in the
 * transaction of the change, so exactly one of two concurrent decisions counts.
 */
import type { ProposalInfo, ProposalState } from '../../shared/proposals.ts';
import { ok } from '../../shared/result.ts';
import { warn } from '../log.ts';
import { SharedWork } from '../storage/shared-work.ts';
import type { BackgroundWork } from './background-work.ts';
import {
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
  type Settlement,
  systemRequest,
  type Waiting,
} from './change-request.ts';
import type { ClientChanges } from './client-changes.ts';
import type { Command } from './command.ts';
import type { EntryChanges } from './entry-changes.ts';
import type { EntryUndo } from './entry-undo.ts';
import type { StoredProposal } from './proposal-store.ts';
import type { QualificationChanges } from './qualification-changes.ts';
import type { ReleaseChanges } from './release-changes.ts';
import { checkApprover, checkOpen, proposerNow } from './settlement.ts';
import type { Signers } from './signers.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

/** Refusals after which the proposal still waits: another try, or another person, may succeed. */
const WAITING: readonly (Refusal | Waiting)['code'][] = [
  ...([
    'PROPOSAL_DECIDED',
    'APPROVER_REFUSED',
    'RELEASE_INCOMPLETE',
    'STORAGE_FULL',
    'BUDGET_EXCEEDED',
  ] as const),
];

/** The parts that make the changes. */
interface Changes {
  readonly entries: EntryChanges;
  readonly undo: EntryUndo;
  readonly clients: ClientChanges;
  readonly releases: ReleaseChanges;
  readonly signers: Signers;
  readonly qualifications: QualificationChanges;
  readonly background: BackgroundWork;
}

export class ProposalChanges {
  readonly #tables: Tables;
  readonly #changes: Changes;
  readonly #runs = new SharedWork<void>();

  constructor(tables: Tables, changes: Changes) {
    this.#tables = tables;
    this.#changes = changes;
  }

  /** @param sha256 hash of the proposal as the approver has seen it */
  async approve(request: ChangeRequest, id: number, sha256: string): Promise<ChangeResult<ProposalInfo>> {
    const { ledger, proposals } = this.#tables;
    const known = ledger.begin<ProposalInfo>(request, FREEING_CHANGE);
    if (known !== null) return known;
    await this.settleDue();
    const stored = proposals.get(id);
    if (stored === null) return unknown(id);
    const { info } = stored;
    const isReview = info.state === 'unreviewed' || info.state === 'revertFailed';
    const allowed = this.#check(request, stored, isReview ? info.state : 'pending');
    if (!allowed.ok) return allowed;
    if (info.sha256 !== sha256) {
      const message = `proposal ${id} has the hash ${info.sha256}: read it again before you approve it`;
      return refuse('PROPOSAL_CHANGED', message);
    }
    if (isReview) return this.#close(request, stored, info.state, 'reviewed', request.reason);
    const proposer = proposerNow(stored, proposals, ledger.audit);
    const settles: Settlement = { id, from: 'pending', to: 'approved', decision: request };
    const done = proposer.ok
      ? await this.#run(
          { actor: proposer.value, reason: info.reason, repeat: null, settles },
          proposals.command(id),
        )
      : proposer;
    if (done.ok) return ok(this.#infoOf(id));
    if (WAITING.includes(done.code)) return done;
    const note = `${done.code}: ${done.message}`;
    const outdated = this.#close(request, stored, 'pending', 'outdated', note, null);
    if (!outdated.ok) return outdated;
    return refuse('PROPOSAL_OUTDATED', `nothing was changed: ${done.message}`, { extras: done.extras ?? {} });
  }

  /** Withdraws the caller's own proposal, rejects that of another person, or reverts a break-glass change now. */
  async reject(request: ChangeRequest, id: number): Promise<ChangeResult<ProposalInfo>> {
    const { ledger, proposals } = this.#tables;
    const known = ledger.begin<ProposalInfo>(request, FREEING_CHANGE);
    if (known !== null) return known;
    await this.settleDue();
    const stored = proposals.get(id);
    if (stored === null) return unknown(id);
    const { state, proposer } = stored.info;
    if (state === 'unreviewed') {
      const reverted = await this.#revert(stored, request);
      return reverted.ok ? ok(this.#infoOf(id)) : reverted;
    }
    const isOwn = proposer === request.actor.name;
    return this.#close(request, stored, 'pending', isOwn ? 'withdrawn' : 'rejected', request.reason);
  }

  async withdraw(request: ChangeRequest, id: number): Promise<ChangeResult<ProposalInfo>> {
    const stored = this.#tables.proposals.get(id);
    if (stored !== null && stored.info.proposer !== request.actor.name) {
      const message = `${stored.info.proposer} proposed this change, so you cannot withdraw it: reject it instead`;
      return refuse('APPROVER_REFUSED', message);
    }
    return this.reject(request, id);
  }

  #check(request: ChangeRequest, stored: StoredProposal, from: ProposalState): ChangeResult<void> {
    const { ledger, proposals } = this.#tables;
    const open = checkOpen(stored.info, from, Date.now());
    return open.ok ? checkApprover(stored, request.actor, proposals, ledger.audit) : open;
  }

  /** Ends a proposal without a change. @param repeat key under which the result is stored for a repeat; null for none */
  #close(
    request: ChangeRequest,
    { info: { id } }: StoredProposal,
    from: ProposalState,
    to: ProposalState,
    note: string,
    repeat: ChangeRequest['repeat'] = request.repeat,
  ): ChangeResult<ProposalInfo> {
    const { ledger, proposals } = this.#tables;
    return ledger.transact({ ...request, repeat }, counted(FREEING_CHANGE), () => {
      const now = proposals.get(id)!.info;
      const open = checkOpen(now, from, to === 'expired' ? 0 : Date.now());
      if (!open.ok) return open;
      const record = proposals.close(now, to, request.actor.name, { note: note || null });
      return applied(this.#infoOf(id), [record]);
    });
  }

  #infoOf(id: number): ProposalInfo {
    const { shown: _, ...info } = this.#tables.proposals.get(id)!.info;
    return info;
  }

  /** Ends proposals that have expired, and reverts break-glass changes that nobody has reviewed in time. */
  settleDue(): Promise<void> {
    return this.#runs.run('settle', async () => {
      const { proposals } = this.#tables;
      for (const stored of proposals.ended('pending', Date.now()))
        this.#close(systemRequest('nobody approved it in time'), stored, 'pending', 'expired', '');
      for (const stored of proposals.ended('unreviewed', Date.now()))
        await this.#revert(stored, systemRequest('nobody reviewed it within a day'));
    });
  }

  /**
   * @param decision the request of the person who rejects the change, or of the service
   * @returns a refusal if the change still waits for a review
   */
  async #revert(stored: StoredProposal, decision: ChangeRequest): Promise<ChangeResult<unknown>> {
    const { info } = stored;
    const { id, kinds } = info;
    const settles: Settlement = { id, from: 'unreviewed', to: 'reverted', decision };
    const request = {
      ...systemRequest(`break-glass change ${id} is taken back: ${decision.reason}`),
      settles,
    };
    const done = await this.#run(request, this.#tables.proposals.command(id));
    const values = { proposal: id, kinds: kinds.join(' ') };
    if (done.ok) {
      const isWhole = this.#infoOf(id).state === 'reverted';
      if (isWhole) warn('breakGlassReverted', values);
      else warn('breakGlassRevertFailed', { ...values, code: 'ENTRIES_CHANGED' });
      return done;
    }
    if (WAITING.includes(done.code)) return done;
    warn('breakGlassRevertFailed', { ...values, code: done.code });
    const note = `${done.extras?.refusal ?? done.code}: ${done.message}`;
    return this.#close(decision, stored, 'unreviewed', 'revertFailed', note, null);
  }

  async #run(request: ChangeRequest, command: Command | null): Promise<ChangeResult<unknown>> {
    const done = await this.#make(request, command);
    if (done.ok) this.#changes.background.changed();
    return done;
  }

  async #make(request: ChangeRequest, command: Command | null): Promise<ChangeResult<unknown>> {
    const { entries, undo, clients, releases, signers, qualifications } = this.#changes;
    const { settings, rules } = this.#tables;
    if (command === null)
      return refuse(
        'PROPOSAL_DECIDED',
        'somebody has decided on the proposal in the meantime: read it again',
      );
    switch (command.name) {
      case 'changeEntries':
        return entries.change(request, command.change);
      case 'undoEntries':
        return undo.undo(request, command.operation, command.options);
      case 'promote':
        return releases.promote(request, command.release, command.options);
      case 'rollback':
        return releases.rollback(request, command.options);
      case 'putPolicy':
        return settings.putPolicy(request, command.policy, command.condition);
      case 'putGuards':
        return settings.putGuards(request, command.guards, command.expected);
      case 'putApprovals':
        return settings.putApprovals(request, command.approvals, signers.current);
      case 'putOrganisation':
        return clients.putOrganisation(request, command.id, command.organisation, command.condition);
      case 'putToken':
        return clients.putToken(request, command.id, command.token, command.condition, command.authority);
      case 'approveSigners':
        return signers.approve(request);
      case 'putQualification':
        return qualifications.put(request, command.organisation, command.settings, command.condition);
      case 'putRule':
        return rules.run(request, command);
    }
  }
}

function unknown(id: number): Refusal {
  return refuse('PROPOSAL_UNKNOWN', `there is no proposal ${id}: see npx numgate proposals list`);
}
