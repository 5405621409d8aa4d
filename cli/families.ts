/**
 * The families of commands. A family is loaded only if its commands are needed: loading all of them takes twice as long as
 * most commands do.
 */
import type { Command } from 'commander';

export interface Family {
  /** Names of its commands. */
  readonly commands: readonly string[];
  /** Loads the function that adds the commands to a program. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** By heading, in the order of the help. */
export const FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  'Lists:': [
    { commands: ['build'], load: async () => (await import('./commands/build.ts')).addBuild },
    { commands: ['prove'], load: async () => (await import('./commands/prove.ts')).addProve },
    { commands: ['plan'], load: async () => (await import('./commands/plan.ts')).addPlan },
    { commands: ['push'], load: async () => (await import('./commands/push.ts')).addPush },
    {
      commands: ['releases', 'promote', 'rollback'],
      load: async () => (await import('./commands/releases.ts')).addReleases,
    },
    { commands: ['sample'], load: async () => (await import('./commands/sample.ts')).addSample },
    { commands: ['operators'], load: async () => (await import('./commands/operators.ts')).addOperators },
  ],
  'Live changes:': [
    {
      commands: ['block', 'unblock', 'clear'],
      load: async () => (await import('./commands/block.ts')).addBlock,
    },
    { commands: ['undo'], load: async () => (await import('./commands/undo.ts')).addUndo },
    { commands: ['entries'], load: async () => (await import('./commands/entries.ts')).addEntries },
  ],
  'Organisations, clients and tokens:': [
    {
      commands: ['organisations'],
      load: async () => (await import('./commands/organisations.ts')).addOrganisations,
    },
    { commands: ['clients'], load: async () => (await import('./commands/clients.ts')).addClients },
    { commands: ['tokens'], load: async () => (await import('./commands/tokens.ts')).addTokens },
    { commands: ['list-key'], load: async () => (await import('./commands/list-key.ts')).addListKey },
  ],
  'Registered senders:': [
    {
      commands: ['registrations'],
      load: async () => (await import('./commands/registrations.ts')).addRegistrations,
    },
    { commands: ['review'], load: async () => (await import('./commands/review.ts')).addReview },
  ],
  'Sender credentials:': [
    {
      commands: ['qualifications'],
      load: async () => (await import('./commands/qualifications.ts')).addQualifications,
    },
    { commands: ['issuers'], load: async () => (await import('./commands/issuers.ts')).addIssuers },
    {
      commands: ['certificates'],
      load: async () => (await import('./commands/certificates.ts')).addCertificates,
    },
    {
      commands: ['delegations'],
      load: async () => (await import('./commands/delegations.ts')).addDelegations,
    },
    {
      commands: ['status-lists'],
      load: async () => (await import('./commands/status-lists.ts')).addStatusLists,
    },
    {
      commands: ['holder-keys'],
      load: async () => (await import('./commands/holder-keys.ts')).addHolderKeys,
    },
    { commands: ['passport'], load: async () => (await import('./commands/passport.ts')).addPassport },
  ],
  'Policy:': [
    { commands: ['policy'], load: async () => (await import('./commands/policy.ts')).addPolicy },
    { commands: ['guards'], load: async () => (await import('./commands/guards.ts')).addGuards },
    { commands: ['canaries'], load: async () => (await import('./commands/canaries.ts')).addCanaries },
  ],
  'Joint response:': [
    { commands: ['rules'], load: async () => (await import('./commands/rules.ts')).addRules },
    {
      commands: ['rule-blocks'],
      load: async () => (await import('./commands/rule-blocks.ts')).addRuleBlocks,
    },
    { commands: ['partners'], load: async () => (await import('./commands/partners.ts')).addPartners },
    { commands: ['appeals'], load: async () => (await import('./commands/appeals.ts')).addAppeals },
  ],
  'Text risk:': [{ commands: ['text'], load: async () => (await import('./commands/text.ts')).addText }],
  'Sharing:': [
    { commands: ['feed'], load: async () => (await import('./commands/feed.ts')).addFeed },
    { commands: ['webhooks'], load: async () => (await import('./commands/webhooks.ts')).addWebhooks },
    { commands: ['notices'], load: async () => (await import('./commands/notices.ts')).addNotices },
  ],
  'Second person:': [
    { commands: ['approvals'], load: async () => (await import('./commands/approvals.ts')).addApprovals },
    {
      commands: ['proposals', 'approve', 'reject'],
      load: async () => (await import('./commands/proposals.ts')).addProposals,
    },
  ],
  'Monitoring:': [
    { commands: ['status'], load: async () => (await import('./commands/status.ts')).addStatus },
    { commands: ['watch'], load: async () => (await import('./commands/watch.ts')).addWatch },
    { commands: ['usage'], load: async () => (await import('./commands/usage.ts')).addUsage },
    { commands: ['statistics'], load: async () => (await import('./commands/statistics.ts')).addStatistics },
    {
      commands: ['enumeration'],
      load: async () => (await import('./commands/enumeration.ts')).addEnumeration,
    },
    { commands: ['blocks'], load: async () => (await import('./commands/blocks.ts')).addBlocks },
    { commands: ['audit'], load: async () => (await import('./commands/audit.ts')).addAudit },
    { commands: ['evidence'], load: async () => (await import('./commands/evidence.ts')).addEvidence },
  ],
  'Shell:': [
    { commands: ['completion'], load: async () => (await import('./commands/completion.ts')).addCompletion },
  ],
};
