/**
 * Changes as data. A proposal stores the change that it will make, a break-glass change the one that reverts it.
 * proposal-changes.ts runs them. They are stored in SQLite, so fields may only be added.
 */
import type { EntryChange, UndoOptions } from '../../shared/admin/entries.ts';
import type { Promote, Rollback } from '../../shared/admin/releases.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import type { Approvals } from '../../shared/proposals.ts';
import type { GuardSettings } from '../../shared/release/guard-settings.ts';
import type { RuleSettings } from '../../shared/reports/rule.ts';
import type { QualificationSettings } from '../../shared/senders/qualification.ts';
import type { Token } from '../../shared/tokens.ts';
import type { Precondition } from '../storage/precondition.ts';

export type Command =
  | { readonly name: 'changeEntries'; readonly change: EntryChange }
  | { readonly name: 'undoEntries'; readonly operation: number; readonly options: UndoOptions }
  | { readonly name: 'promote'; readonly release: string; readonly options: Promote }
  | { readonly name: 'rollback'; readonly options: Rollback }
  | { readonly name: 'putPolicy'; readonly policy: Policy; readonly condition: Precondition }
  | {
      readonly name: 'putGuards';
      readonly guards: GuardSettings;
      /** Apply the change only if these guards are in force. */
      readonly expected?: GuardSettings;
    }
  | { readonly name: 'putApprovals'; readonly approvals: Approvals }
  | {
      readonly name: 'putOrganisation';
      readonly id: string;
      readonly organisation: Organisation | null;
      readonly condition: Precondition;
    }
  | {
      readonly name: 'putToken';
      readonly id: string;
      readonly token: Token;
      readonly condition: Precondition;
      readonly authority?: string | null;
    }
  | { readonly name: 'approveSigners' }
  | {
      readonly name: 'putQualification';
      readonly organisation: string;
      readonly settings: QualificationSettings;
      readonly condition: Precondition;
    }
  | {
      readonly name: 'putRule';
      readonly id: string;
      /** Null to remove it. */
      readonly rule: RuleSettings | null;
      readonly condition: Precondition;
    };
