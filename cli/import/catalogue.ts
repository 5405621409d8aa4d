/**
 * The catalogue names the lists of a release and the files that fill them. It is a JSON file, so that the
 * effect and the subjects of a list can be reviewed and are not buried in a command line.
 */
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { LISTS_MAX } from '../../shared/limits/lists.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { nameSchema } from '../../shared/schemas.ts';
import { AGAINST_CODES, EFFECTS, SUBJECTS } from '../../shared/verdict.ts';
import { CommandFailure, validate } from '../failure.ts';
import { readJsonFile } from './json-file.ts';
import { FORMATS } from './rows.ts';

const listSchema = v.strictObject({
  name: nameSchema,
  reason: v.picklist([...AGAINST_CODES, 'ALLOW_OVERRIDE']),
  effect: v.optional(v.picklist(EFFECTS), 'block'),
  subjects: v.optional(v.pipe(v.array(v.picklist(SUBJECTS)), v.minLength(1), v.maxLength(SUBJECTS.length)), [
    'from',
    'to',
  ]),
  authority: nameSchema,
  /** When the authority compiled the list. Default: the time of the build. */
  asOf: v.optional(v.pipe(v.string(), v.isoTimestamp('must be a time such as 2026-11-24T03:12:09Z'))),
  /** Whether lines with letters are sources of this list. If not, they are rejected. */
  sources: v.optional(v.boolean(), false),
});

const inputSchema = v.strictObject({
  /** Relative to the catalogue. */
  file: v.string(),
  format: v.optional(v.picklist(FORMATS)),
  /** List for lines without a reason. */
  list: v.optional(nameSchema),
});

const catalogueSchema = v.strictObject({
  lists: v.pipe(v.array(listSchema), v.minLength(1), v.maxLength(LISTS_MAX)),
  inputs: v.array(inputSchema),
});

/** Field names of the object that holds the unknown field. */
function fieldsAt([outer, ...inner]: readonly (string | number)[]): string[] {
  const schema = inner.length === 0 ? catalogueSchema : outer === 'lists' ? listSchema : inputSchema;
  return Object.keys(schema.entries);
}

export type CatalogueList = v.InferOutput<typeof listSchema>;

export interface CatalogueInput {
  readonly path: string;
  readonly format: (typeof FORMATS)[number] | undefined;
  readonly list: string | null;
}

export interface Catalogue {
  readonly lists: readonly CatalogueList[];
  readonly inputs: readonly CatalogueInput[];
}

export function readCatalogue(path: string): Catalogue {
  const settings = { before: `${path}: `, whole: 'the catalogue', fieldsAt, exitCode: 1 } as const;
  const { lists, inputs } = validate(catalogueSchema, readJsonFile(path), settings);
  const names = new Set<string>();
  for (const list of lists) {
    if (names.has(list.name)) throw new CommandFailure(`${path}: two lists have the name ${list.name}`);
    names.add(list.name);
    // Verdicts name the live layer `live`.
    if (`${list.name}-`.startsWith(FOLDED_LIST_PREFIX)) {
      throw new CommandFailure(
        `${path}: list ${list.name}: the name "live" and names that begin with ${FOLDED_LIST_PREFIX} are reserved`,
      );
    }
    // An allow list must not block its numbers because a field was forgotten.
    if (list.reason === 'ALLOW_OVERRIDE' && list.effect !== 'allow') {
      throw new CommandFailure(
        `${path}: list ${list.name}: "reason": "ALLOW_OVERRIDE" requires "effect": "allow"`,
      );
    }
    // Verdicts of an allow list always carry ALLOW_OVERRIDE, whatever reason the catalogue gives.
    if (list.effect === 'allow' && list.reason !== 'ALLOW_OVERRIDE') {
      throw new CommandFailure(
        `${path}: list ${list.name}: "effect": "allow" requires "reason": "ALLOW_OVERRIDE"`,
      );
    }
  }
  const missing = inputs.find(({ list }) => list !== undefined && !names.has(list));
  if (missing !== undefined)
    throw new CommandFailure(`${path}: input ${missing.file} names an unknown list: ${missing.list}`);
  return {
    lists,
    inputs: inputs.map(({ file, format, list }) => ({
      path: resolve(dirname(path), file),
      format,
      list: list ?? null,
    })),
  };
}
