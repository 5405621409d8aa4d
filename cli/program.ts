/**
 * The command line of a list admin: all commands, in groups. Results go to standard output, progress and
 * errors to standard error. failure.ts defines the exit codes.
 */
import { Command, Help } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { addAppeals } from './commands/appeals.ts';
import { addApprovals } from './commands/approvals.ts';
import { addAudit } from './commands/audit.ts';
import { addBlock } from './commands/block.ts';
import { addBlocks } from './commands/blocks.ts';
import { addBuild } from './commands/build.ts';
import { addCanaries } from './commands/canaries.ts';
import { addCertificates } from './commands/certificates.ts';
import { addClients } from './commands/clients.ts';
import { addCompletion } from './commands/completion.ts';
import { addDelegations } from './commands/delegations.ts';
import { addEntries } from './commands/entries.ts';
import { addEnumeration } from './commands/enumeration.ts';
import { addEvidence } from './commands/evidence.ts';
import { addFeed } from './commands/feed.ts';
import { addGuards } from './commands/guards.ts';
import { addHolderKeys } from './commands/holder-keys.ts';
import { addIssuers } from './commands/issuers.ts';
import { addListKey } from './commands/list-key.ts';
import { addNotices } from './commands/notices.ts';
import { addOperators } from './commands/operators.ts';
import { addOrganisations } from './commands/organisations.ts';
import { addPartners } from './commands/partners.ts';
import { addPassport } from './commands/passport.ts';
import { addPlan } from './commands/plan.ts';
import { addPolicy } from './commands/policy.ts';
import { addProposals } from './commands/proposals.ts';
import { addProve } from './commands/prove.ts';
import { addPush } from './commands/push.ts';
import { addQualifications } from './commands/qualifications.ts';
import { addRegistrations } from './commands/registrations.ts';
import { addReleases } from './commands/releases.ts';
import { addReview } from './commands/review.ts';
import { addRuleBlocks } from './commands/rule-blocks.ts';
import { addRules } from './commands/rules.ts';
import { addSample } from './commands/sample.ts';
import { addStatistics } from './commands/statistics.ts';
import { addStatus } from './commands/status.ts';
import { addStatusLists } from './commands/status-lists.ts';
import { addText } from './commands/text.ts';
import { addTokens } from './commands/tokens.ts';
import { addUndo } from './commands/undo.ts';
import { addUsage } from './commands/usage.ts';
import { addWatch } from './commands/watch.ts';
import { addWebhooks } from './commands/webhooks.ts';
import { failureReport } from './failure.ts';
import { note, printError, write } from './terminal/output.ts';

const GROUPS: Readonly<Record<string, readonly ((program: Command) => void)[]>> = {
  'Lists:': [addBuild, addProve, addPlan, addPush, addReleases, addSample, addOperators],
  'Live changes:': [addBlock, addUndo, addEntries],
  'Organisations, clients and tokens:': [addOrganisations, addClients, addTokens, addListKey],
  'Registered senders:': [addRegistrations, addReview],
  'Sender credentials:': [
    addQualifications,
    addIssuers,
    addCertificates,
    addDelegations,
    addStatusLists,
    addHolderKeys,
    addPassport,
  ],
  'Policy:': [addPolicy, addGuards, addCanaries],
  'Joint response:': [addRules, addRuleBlocks, addPartners, addAppeals],
  'Text risk:': [addText],
  'Sharing:': [addFeed, addWebhooks, addNotices],
  'Second person:': [addApprovals, addProposals],
  'Monitoring:': [
    addStatus,
    addWatch,
    addUsage,
    addStatistics,
    addEnumeration,
    addBlocks,
    addAudit,
    addEvidence,
  ],
  'Shell:': [addCompletion],
};

/** The options of `Command.error`. */
type ErrorOptions = Parameters<Command['error']>[1];

/** Commander's handler of an unknown option. It is not in commander's types. */
const { unknownOption } = Command.prototype as unknown as { unknownOption(flag: string): void };

/** Suggests the right spelling for `--resaon=text` too, and does not repeat the value, which may be a number. */
class CommandLine extends Command {
  override createCommand(name?: string): Command {
    return new CommandLine(name);
  }

  unknownOption(flag: string): void {
    unknownOption.call(this, flag.replace(/=.*/s, ''));
  }

  /** Names a wrong argument as commander names a wrong option. */
  override error(message: string, options?: ErrorOptions): never {
    const wrong = /^error: command-argument value (.*) is invalid for argument '(.*?)'\. /s;
    return super.error(message.replace(wrong, "error: argument '<$2>' value $1 is invalid. "), options);
  }
}

/** Commander's description of the whole command line. */
export const program: Command = new CommandLine('npx numgate')
  .description('Build, prove and publish lists, make live changes, and manage clients, tokens and policy.')
  .version(packageJson.version, '--version', 'print the version')
  .option('--json', 'print one JSON object instead of text; on failure it has "error"')
  .helpOption('-h, --help', 'show the help of this command')
  .helpCommand('help [command]', 'show the help of a command')
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .configureOutput({ writeOut: write, writeErr: note })
  .configureHelp({
    showGlobalOptions: true,
    // Leave out `(default: false)`, which says nothing about a flag.
    optionDescription(option) {
      const text = Help.prototype.optionDescription.call(this, option);
      return option.defaultValue === false ? text.replace(' (default: false)', '') : text;
    },
  })
  .addHelpText(
    'after',
    `
Environment:
  NUMGATE_URL    URL of the service (default: http://localhost:<port>, with the port from PORT or from npm start)
  NUMGATE_TOKEN  admin token (default: the token that npm start created, only for the service that it runs)

Exit codes: 0 success, 1 failure, 2 invalid usage, 3 refused by a guard, 4 the target changed since you looked,
5 waits for a second person (npx numgate approve).
Errors go to standard error. With --json, a command that fails before it has printed a result also prints
{"error": {"code", "message", "exitCode", …}} to standard output.`,
  );

for (const [heading, families] of Object.entries(GROUPS)) {
  program.commandsGroup(heading);
  for (const addFamily of families) addFamily(program);
}

/** Runs a command line and prints its failure. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    const { exitCode, text, error } = failureReport(thrown);
    note(text);
    if (error !== null) printError(error);
    return exitCode;
  }
}
