/** Commands for gateways: the policy on traffic from abroad, and operator codes. */
import { type Command, Option } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { getPolicy, type PolicyFile, policyOfFile, previewPolicy, setPolicy } from '../commands/policy.ts';
import { CommandFailure } from '../failure.ts';
import { operatorsLike } from '../operators.ts';
import { operatorsOf, policyOf, policySet, policyTried } from '../report-gateways.ts';
import { addWaitOptions, example, type Print, printChange, type Waiting } from './options.ts';

type Setting = Waiting & { readonly reason?: string; readonly dryRun: boolean };

export function addGateways(program: Command, print: Print): void {
  const policy = program.command('policy').description('manage the gateway policy for traffic from abroad');

  const showing = policy
    .command('show')
    .description('show the rules in the order in which they are evaluated')
    .action(async () => print(...policyOf(await getPolicy(adminOfEnvironment()))));
  example(showing, 'policy show');

  const set = async (wanted: PolicyFile | null, { reason, dryRun, ...wait }: Setting): Promise<void> => {
    const admin = adminOfEnvironment();
    if (dryRun) return print(...policyTried(await previewPolicy(admin, wanted)));
    if (reason === undefined) throw new CommandFailure("required option '--reason <text>' not specified", 2);
    await printChange(print, policySet(await setPolicy(admin, wanted, reason)), wait);
  };
  const trying = (command: Command): Command =>
    addWaitOptions(command)
      .option('--reason <text>', 'reason for the audit log; required without --dry-run')
      .addOption(
        new Option('--dry-run', 'show what would change, and change nothing')
          .default(false)
          .conflicts('wait'),
      );

  const setting = trying(policy.command('set'))
    .description('replace the policy with a JSON file, in the format of `policy show --json`')
    .argument('<file>')
    .action((file: string, options: Setting) => set(policyOfFile(file), options));
  example(
    setting,
    'policy set policy.json --dry-run',
    'policy set policy.json --reason "070 numbers of our call centre abroad" --wait',
  );

  const resetting = trying(policy.command('reset'))
    .description('restore the default policy')
    .action((options: Setting) => set(null, options));
  example(resetting, 'policy reset --dry-run', 'policy reset --reason "trial is over"');

  const finding = program
    .command('operators')
    .helpGroup('Lists:')
    .description('look up the MCC and MNC of operators (works offline)')
    .argument('<words...>', 'words of a name or country, or the first digits of a code')
    .action((words: string[]) => print(...operatorsOf(operatorsLike(words))));
  example(finding, 'operators globe philippines', 'operators 515');
}
