/**
 * The request of a proposal for a second person to read. Numbers are in clear, as the scope `read` shows live entries
 * too. Use it only in the body of the response to a read. Logs, errors and the audit log must never contain it.
 */
import { PROPOSAL_SHOWN_MAX } from '../../shared/limits/control.ts';
import type { ProposedRequest } from '../../shared/proposals.ts';
import type { Command } from './command.ts';

export function requestOf(command: Command): ProposedRequest {
  const { name } = command;
  switch (name) {
    case 'changeEntries': {
      const { items, reason: _, breakGlass: _now, dryRun: _dry, ...fields } = command.change;
      return { command: name, fields, count: items.length, items: items.slice(0, PROPOSAL_SHOWN_MAX) };
    }
    case 'undoEntries': {
      const { breakGlass: _, ...options } = command.options;
      return { command: name, fields: { operation: command.operation, ...options } };
    }
    case 'promote': {
      const { reason: _, breakGlass: _now, ...options } = command.options;
      return { command: name, fields: { release: command.release, ...options } };
    }
    case 'rollback': {
      const { reason: _, breakGlass: _now, ...options } = command.options;
      return { command: name, fields: options };
    }
    case 'putPolicy':
      return { command: name, fields: { policy: command.policy } };
    case 'putGuards':
      return { command: name, fields: { guards: command.guards } };
    case 'putApprovals':
      return { command: name, fields: command.approvals };
    case 'putOrganisation':
      return { command: name, fields: { id: command.id, organisation: command.organisation } };
    case 'putToken': {
      const { secretSha256: _, ...token } = command.token;
      const { authority } = command;
      return { command: name, fields: { ...token, ...(authority === undefined ? {} : { authority }) } };
    }
    case 'approveSigners':
      return { command: name, fields: {} };
    case 'putQualification':
      return { command: name, fields: { organisation: command.organisation, ...command.settings } };
    case 'putRule':
      return { command: name, fields: { id: command.id, rule: command.rule } };
  }
}
