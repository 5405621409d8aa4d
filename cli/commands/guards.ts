/** `numgate guards`: bounds that a push or a live change may exceed only with an override. */
import type { Command } from 'commander';
import { type GuardSettings, guardSettingsSchema } from '../../shared/release/guard-settings.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure, validate } from '../failure.ts';
import { print } from '../terminal/output.ts';
import { examples, requireReason } from './options.ts';
import { addBreakGlassOption, type BreakGlassOptions, breakGlassField } from './override-authority.ts';

export function addGuards(program: Command): void {
  const guards = program
    .command('guards')
    .description('show or change guards, which limit what a push or a live change may do');

  guards
    .command('show')
    .description('show the guards')
    .addHelpText('after', examples('guards show'))
    .action(async () => printGuards(await adminOfEnvironment().get('guards')));

  addBreakGlassOption(requireReason(guards.command('set')))
    .description('change guards; the others stay unchanged')
    .argument('<name=value...>', 'values as JSON')
    .addHelpText(
      'after',
      `
protectedNumbers replaces the whole list; write each number as an integer. A push that lists a protected number is
refused, and so is a block of one. A live block that is already in force stays until it is cleared. operatorRanges replaces
the known ranges of Korean operators: [{"operator": "kt", "from": 821025000000, "to": 821030999999}]; null restores them.`,
    )
    .addHelpText('after', examples("guards set addShare=0.5 --reason 'first import of the year'"))
    .action(async (pairs: string[], { reason, ...options }: BreakGlassOptions & { reason: string }) => {
      const settings = Object.fromEntries(pairs.map(parsePair));
      const admin = adminOfEnvironment();
      const given = { ...(await admin.get<GuardSettings>('guards')), ...settings };
      const changed = validate(guardSettingsSchema, given, { whole: 'the guards' });
      printGuards(
        await admin.change('PUT', 'guards', { guards: changed, reason, ...breakGlassField(options) }),
      );
    });
}

const SETTINGS = Object.keys(guardSettingsSchema.entries);

/** @param text `name=value`, the value in JSON */
function parsePair(text: string): [name: string, value: unknown] {
  const [name = '', ...rest] = text.split('=');
  if (!SETTINGS.includes(name))
    throw new CommandFailure(`"${name}" is not a guard setting; settings: ${SETTINGS.join(', ')}`, 2);
  try {
    return [name, JSON.parse(rest.join('='))];
  } catch {
    throw new CommandFailure(`${name} must be written as ${name}=value, with the value in JSON`, 2);
  }
}

function printGuards(guards: GuardSettings): void {
  const lines = SETTINGS.map((name) => [name, guards[name as keyof GuardSettings]]).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}\n`,
  );
  print(lines.join(''), guards);
}
