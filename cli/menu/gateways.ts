/**
 * Commands for gateways: the policy on traffic from abroad, and the codes of operators.
 */
import type { Command } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { getPolicy, policyOfFile, setPolicy } from '../commands/policy.ts';
import { operatorsLike } from '../operators.ts';
import { operatorsOf, policyOf, policySet } from '../report-gateways.ts';
import { example, type Print, printChange, reasoned, type Waiting, waiting } from './options.ts';

type Setting = Waiting & { readonly reason: string };

export function addGateways(program: Command, print: Print): void {
  const policy = program.command('policy').description('what gateways are told about traffic from abroad');

  const showing = policy
    .command('show')
    .description('show the rules, in the order in which they are held against a call or text')
    .action(async () => print(...policyOf(await getPolicy(adminOfEnvironment()))));
  example(showing, 'policy show');

  const setting = waiting(reasoned(policy.command('set')))
    .description('set the whole policy out of a JSON file, as `policy show --json` prints it')
    .argument('<file>')
    .action(async (file: string, options: Setting) => {
      const done = await setPolicy(adminOfEnvironment(), policyOfFile(file), options.reason);
      await printChange(print, policySet(done), options);
    });
  example(setting, 'policy set policy.json --reason "070 numbers of our call centre abroad" --wait');

  const resetting = waiting(reasoned(policy.command('reset')))
    .description('set the policy that comes with the code')
    .action(async (options: Setting) => {
      const done = await setPolicy(adminOfEnvironment(), null, options.reason);
      await printChange(print, policySet(done), options);
    });
  example(resetting, 'policy reset --reason "trial is over"');

  const finding = program
    .command('operators')
    .description('find the MCC and MNC of operators, for lists and for block; asks no service')
    .argument('<words...>', 'of a name or a country, or the first digits of a code')
    .action((words: string[]) => print(...operatorsOf(operatorsLike(words))));
  example(finding, 'operators globe philippines', 'operators 515');
}
