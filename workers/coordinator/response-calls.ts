/**
 * The calls to the coordinator that concern the joint response.
 */
import type { RuleSettings } from '../../shared/reports/rule.ts';
import type { Precondition } from '../storage/precondition.ts';
import { AdminCalls, CORE } from './admin-calls.ts';
import type { ChangeRequest } from './change-request.ts';
import { partnersOf } from './partners.ts';

export abstract class ResponseCalls extends AdminCalls {
  /** What reports need: see PartnerSource. */
  async partners() {
    return partnersOf(this[CORE].tables);
  }

  /** All rules. Its version rises with each change, so the desk need not compare them. */
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
}
