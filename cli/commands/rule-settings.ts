/** The settings of a rule as an admin writes them: a base, such as the rule in force or a file, and fields as `name=value`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isRecord } from '../../shared/fields.ts';
import { RULE_FIELDS, type Rule, type RuleSettings, ruleSchema } from '../../shared/reports/rule.ts';
import type { Admin, Tagged } from '../admin.ts';
import { CommandFailure, hasCode, validate } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';
import { commaList } from './options.ts';

/** The base of the settings, if it is not the rule in force. */
export interface BaseOptions {
  readonly file?: string;
  readonly like?: string;
}

/** `name=value`, parsed. */
export type Given = Readonly<Record<string, unknown>>;

export function addRuleArguments(command: Command): Command {
  return command
    .argument('<id>', 'such as kr-50')
    .argument(
      '[name=value...]',
      'fields to change, such as distinct=60 window=48h kinds=police,regulator',
      pair,
    )
    .option('--file <file>', 'start from a JSON file in the format of `rules show --json`')
    .addOption(new Option('--like <rule>', 'start from the settings of another rule').conflicts('file'))
    .addHelpText('after', `\nFields: ${RULE_FIELDS.join(', ')}. docs/operations.md explains them.`);
}

const FIGURES: readonly string[] = ['distinct', 'maxShare', 'weightMin'];

function pair(text: string, before: Given = {}): Given {
  const [name = '', ...rest] = text.split('=');
  if (!RULE_FIELDS.some((field) => field === name) || rest.length === 0) {
    throw new InvalidArgumentError(
      `Write a field and its value, such as distinct=60: ${RULE_FIELDS.join(', ')}.`,
    );
  }
  const written = rest.join('=');
  const figure = written.trim() === '' ? Number.NaN : Number(written);
  if (FIGURES.includes(name) && Number.isNaN(figure)) {
    throw new InvalidArgumentError(`${name} must be a number.`);
  }
  const value = FIGURES.includes(name) ? figure : name === 'kinds' ? commaList(written) : written;
  return { ...before, [name]: value };
}

/** The rule in force. For a new rule, `value` is null, and the change must not overwrite a rule made meanwhile. */
export async function loadRule(admin: Admin, id: string): Promise<Tagged<Rule | null>> {
  return admin.tagged<Rule>(pathOf(id)).catch((error: unknown) => {
    if (!hasCode(error, 'RULE_UNKNOWN')) throw error;
    return { value: null, ifUnchanged: { 'if-none-match': '*' } };
  });
}

export function pathOf(id: string): string {
  return `rules/${encodeURIComponent(id)}`;
}

export function settingsOf({ id: _, version: _version, ...settings }: Rule): RuleSettings {
  return settings;
}

/**
 * The settings that result from the base and the given fields.
 * @throws CommandFailure that names an invalid field, or if the file has another version than the rule in force
 */
export async function wantedSettings(
  admin: Admin,
  id: string,
  inForce: Rule | null,
  given: Given,
  options: BaseOptions,
): Promise<RuleSettings> {
  const base = await baseSettings(admin, id, inForce, options);
  const whole = 'the rule';
  return validate(ruleSchema, { ...base, ...given }, { whole, fieldsAt: () => RULE_FIELDS });
}

async function baseSettings(
  admin: Admin,
  id: string,
  inForce: Rule | null,
  { file, like }: BaseOptions,
): Promise<object> {
  if (file !== undefined) return readRuleFile(file, id, inForce);
  if (like !== undefined) return settingsOf(await admin.get<Rule>(pathOf(like)));
  return inForce === null ? {} : settingsOf(inForce);
}

/** A rule file as `rules show --json` prints it, with or without its id and version. */
function readRuleFile(path: string, id: string, inForce: Rule | null): object {
  const document = readJsonFile(path);
  if (!isRecord(document)) throw new CommandFailure(`${path}: must be a JSON object`);
  const { id: written = id, version, ...settings } = document;
  if (written !== id) throw new CommandFailure(`${path}: has the rule ${String(written)}, not ${id}`);
  // Prevents overwriting a change that somebody else made meanwhile.
  if (version !== undefined && version !== (inForce?.version ?? null)) {
    const now = inForce === null ? 'there is no such rule' : `version ${inForce.version} is in force`;
    throw new CommandFailure(
      `${path}: is based on version ${String(version)} of ${id}, but ${now}: ` +
        'start from the output of `rules show --json`, or remove "version" from the file',
      4,
    );
  }
  return settings;
}
