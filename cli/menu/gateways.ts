/**
 * Commands for gateways: the policy on traffic from abroad, and the codes of operators.
 */
import { type Command, Option } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { getPolicy, policyOfFile, setPolicy, tryPolicy, type WantedPolicy } from '../commands/policy.ts';
import { CommandFailure } from '../failure.ts';
import { operatorsLike } from '../operators.ts';
import { operatorsOf, policyOf, policySet, policyTried } from '../report-gateways.ts';
import { example, type Print, printChange, type Waiting, waiting } from './options.ts';

type Setting = Waiting & { readonly reason?: string; readonly dryRun: boolean };

export function addGateways(program: Command, print: Print): void {
  const policy = program.command('policy').description('what gateways are told about traffic from abroad');

  const showing = policy
    .command('show')
    .description('show the rules, in the order in which they are held against a call or text')
    .action(async () => print(...policyOf(await getPolicy(adminOfEnvironment()))));
  example(showing, 'policy show');

  const set = async (wanted: WantedPolicy | null, { reason, dryRun, ...wait }: Setting): Promise<void> => {
    const admin = adminOfEnvironment();
    if (dryRun) return print(...policyTried(await tryPolicy(admin, wanted)));
    if (reason === undefined) throw new CommandFailure("required option '--reason <text>' not specified", 2);
    await printChange(print, policySet(await setPolicy(admin, wanted, reason)), wait);
  };
  const trying = (command: Command): Command =>
    waiting(command)
      .option('--reason <text>', 'why: kept in the audit log; needed without --dry-run')
      .addOption(
        new Option('--dry-run', 'show what would change, and change nothing')
          .default(false)
          .conflicts('wait'),
      );

  const setting = trying(policy.command('set'))
    .description('set the whole policy out of a JSON file, as `policy show --json` prints it')
    .argument('<file>')
    .action((file: string, options: Setting) => set(policyOfFile(file), options));
  example(
    setting,
    'policy set policy.json --dry-run',
    'policy set policy.json --reason "070 numbers of our call centre abroad" --wait',
  );

  const resetting = trying(policy.command('reset'))
    .description('set the policy that comes with the code')
    .action((options: Setting) => set(null, options));
  example(resetting, 'policy reset --dry-run', 'policy reset --reason "trial is over"');

  const finding = program
    .command('operators')
    .description('find the MCC and MNC of operators, for lists and for block; asks no service')
    .argument('<words...>', 'of a name or a country, or the first digits of a code')
    .action((words: string[]) => print(...operatorsOf(operatorsLike(words))));
  example(finding, 'operators globe philippines', 'operators 515');
}
