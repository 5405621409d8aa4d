/**
 * RPC methods of the coordinator for the joint response.
 */
import type { EntryItem } from '../../shared/admin/entries.ts';
import type { RuleSettings } from '../../shared/reports/rule.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { ChainAnchor } from '../storage/chain-anchor.ts';
import type { Precondition } from '../storage/precondition.ts';
import type { RecordedMonth } from '../storage/statistics-port.ts';
import { CORE } from './admin-calls.ts';
import type { ChangeRequest } from './change-request.ts';
import { EvidenceCalls } from './evidence-calls.ts';
import { partnersOf } from './partners.ts';

export abstract class ResponseCalls extends EvidenceCalls {
  /** The data that the intake of reports needs: see PartnerSource. */
  async partners() {
    return partnersOf(this[CORE].tables);
  }

  /** All rules. The version of the set rises with each change, so the desk need not compare the rules. */
  async rules() {
    return this[CORE].tables.rules.set;
  }

  async rule(id: string) {
    return this[CORE].tables.rules.get(id);
  }

  async ruleVersions(id: string) {
    return this[CORE].tables.rules.versions(id);
  }

  async putRule(request: ChangeRequest, id: string, settings: RuleSettings, condition: Precondition) {
    return this[CORE].tables.rules.put(request, id, settings, condition);
  }

  async removeRule(request: ChangeRequest, id: string, condition: Precondition) {
    return this[CORE].tables.rules.remove(request, id, condition);
  }

  /** For appeals: the blocks in force of a number or sender ID. */
  async standingBlocks(item: EntryItem, subject: Subject) {
    return this[CORE].standingBlocks.find(item, subject);
  }

  /** @param end end of the audit chain of appeals */
  async anchorAppeals(end: ChainAnchor) {
    return this[CORE].registrationFacts.anchor('appeals', 'appeals', end);
  }

  /** For the desk. */
  async senderFacts(organisations: readonly string[]) {
    return this[CORE].registrationFacts.senders(organisations, Date.now());
  }

  /** Records a version of a month in the audit log. */
  async recordStatistics(request: ChangeRequest, { month, version, ...digests }: RecordedMonth) {
    this[CORE].registrationFacts.recordMonth(request, month, { version, ...digests });
  }

  /** @param end end of the audit chain of the desk */
  async anchorResponse(end: ChainAnchor) {
    return this[CORE].registrationFacts.anchor('response', 'joint response', end);
  }
}
