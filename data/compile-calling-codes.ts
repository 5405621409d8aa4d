/**
 * Compiles `calling-codes.json` from the full metadata of libphonenumber-js: `node data/compile-calling-codes.ts`.
 * Run it after an update of that package. A test compares the file with what this script makes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CallingCodeRow } from '../shared/numbers/calling-codes.ts';

/** Places of what is read here in a country's metadata, as `libphonenumber-js/metadata.max.json` version 4 has them. */
const POSSIBLE_PATTERN = 2;
const POSSIBLE_LENGTHS = 3;
const NATIONAL_PREFIX = 5;
const TYPES = 11;

/** Pattern, and lengths where they are fewer than those of the country; 0 for a type that the country does not have. */
type NumberType = readonly [pattern: string, lengths?: readonly number[]] | 0;
type Country = readonly unknown[];

interface Metadata {
  readonly version: number;
  readonly country_calling_codes: Readonly<Record<string, readonly string[]>>;
  readonly countries: Readonly<Record<string, Country>>;
  readonly nonGeographic: Readonly<Record<string, Country>>;
}

/** Rwanda writes a trunk 0 too, but has numbers that begin with 0: after +250 a 0 stays. */
const KEEPS_ZERO = ['250'];
/** Seven digits after +1 are dialled only within one area. */
const LOCAL_ONLY_LENGTHS: Readonly<Record<string, readonly number[]>> = { 1: [7] };
/** Korea has a more precise plan: `kr-plan.json`. */
const OWN_PLAN = '82';

const FILE = fileURLToPath(new URL('calling-codes.json', import.meta.url));

/** Writes one row per line, so that a change of the plan changes few lines. */
export function compileCallingCodes(): string {
  const require = createRequire(import.meta.url);
  const metadata = require('libphonenumber-js/metadata.max.json') as Metadata;
  if (metadata.version !== 4) throw new Error('metadata of another version: check the places of its fields');
  const { version } = require('libphonenumber-js/package.json') as { version: string };
  const rows = Object.keys({ ...metadata.country_calling_codes, ...metadata.nonGeographic })
    .sort((a, b) => Number(a) - Number(b))
    .map((code) => `    ${JSON.stringify(rowOf(code, metadata))}`);
  const origin = `libphonenumber-js ${version}, metadata.max.json (MIT), after google/libphonenumber (Apache-2.0)`;
  return `{\n  "origin": ${JSON.stringify(origin)},\n  "codes": [\n${rows.join(',\n')}\n  ]\n}\n`;
}

function rowOf(code: string, { country_calling_codes, countries, nonGeographic }: Metadata): CallingCodeRow {
  const regions = country_calling_codes[code] ?? [];
  const world = nonGeographic[code];
  const members = world === undefined ? regions.map((region) => countries[region]!) : [world];
  const lengths = members.flatMap((member) => member[POSSIBLE_LENGTHS] as number[]);
  const row = {
    code: Number(code),
    regions,
    lengths: unique(lengths)
      .filter((length) => LOCAL_ONLY_LENGTHS[code]?.includes(length) !== true)
      .sort((a, b) => a - b),
    trunkZero: regions.length > 0 && members[0]![NATIONAL_PREFIX] === '0' && !KEEPS_ZERO.includes(code),
  };
  if (code === OWN_PLAN) return row;
  const possible = unique(members.map(possiblePattern)).join('|');
  const assigned = unique(members.flatMap(assignedPatterns)).join('|');
  return assigned === possible ? { ...row, possible } : { ...row, possible, assigned };
}

function possiblePattern(member: Country): string {
  return member[POSSIBLE_PATTERN] as string;
}

function assignedPatterns(member: Country): string[] {
  const types = (member[TYPES] || null) as readonly NumberType[] | null;
  return types?.flatMap((type) => (type ? [type[0]] : [])) ?? [possiblePattern(member)];
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = compileCallingCodes();
  const before = readFileSync(FILE, 'utf8');
  writeFileSync(FILE, text);
  console.log(text === before ? 'calling-codes.json is up to date' : 'calling-codes.json has changed');
}
