/**
 * The catalogue names the lists of a release and the files that fill them. It is a JSON file, so that the
 * effect and the subjects of a list can be reviewed and are not buried in a command line.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { LISTS_MAX } from '../../shared/limits/lists.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import { nameSchema } from '../../shared/schemas.ts';
import { AGAINST_CODES, BLOCK_STAGES, EFFECTS, SUBJECTS } from '../../shared/verdict.ts';
import { CommandFailure, validate } from '../failure.ts';
import { readJsonFile } from './json-file.ts';
import { FORMATS } from './rows.ts';

/** A rule with its version: `kr-50@3`. */
export const RULE_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}@[1-9]\d{0,9}$/;

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
  /** For blocks that a rule of another installation made: the rule with its version, and the stage. Reasons show both. */
  rule: v.exactOptional(v.pipe(v.string(), v.regex(RULE_PATTERN, 'must be a rule and its version: kr-50@3'))),
  stage: v.exactOptional(v.picklist(BLOCK_STAGES)),
});

const inputSchema = v.strictObject({
  /** Relative to the catalogue. */
  file: v.string(),
  format: v.optional(v.picklist(FORMATS)),
  /** List for lines without a reason. */
  list: v.optional(nameSchema),
});

const catalogueSchema = v.strictObject({
  lists: v.pipe(v.array(listSchema), v.maxLength(LISTS_MAX)),
  inputs: v.array(inputSchema),
  /** Other catalogues whose lists follow these, such as that of `numgate feed pull`. Relative to this catalogue. */
  include: v.optional(v.pipe(v.array(v.string()), v.maxLength(LISTS_MAX)), []),
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
  /** The lists that the input can fill: those of the catalogue file that names it. */
  readonly part: CataloguePart;
}

/** The lists of one catalogue file, and the index of the first one in the whole catalogue. */
export interface CataloguePart {
  readonly first: number;
  readonly lists: readonly CatalogueList[];
}

export interface Catalogue {
  /** Its own path, with the links of its folder resolved. */
  readonly path: string;
  /** Paths of the catalogues that it includes. */
  readonly included: readonly string[];
  readonly lists: readonly CatalogueList[];
  readonly inputs: readonly CatalogueInput[];
}

/**
 * The catalogue. The lists of included catalogues follow its own.
 * @param included read these files in place of the catalogues that it names, such as the files that a build has read
 */
export function readCatalogue(path: string, included?: readonly string[]): Catalogue {
  const main = settled(path);
  const { include, ...own } = readOne(main);
  const files = included ?? include.map((file) => settled(resolve(dirname(main), file)));
  const catalogues = [{ path: main, ...own }];
  for (const file of files) {
    const { include: further, ...parts } = readOne(file);
    if (further.length > 0)
      throw new CommandFailure(
        `${file}: an included catalogue must not have "include": include those catalogues in ${path} instead`,
      );
    catalogues.push({ path: file, ...parts });
  }
  const lists: CatalogueList[] = [];
  const inputs: CatalogueInput[] = [];
  for (const catalogue of catalogues) {
    const part = { first: lists.length, lists: catalogue.lists };
    for (const list of catalogue.lists) {
      if (lists.some(({ name }) => name === list.name))
        throw new CommandFailure(`${catalogue.path}: two lists have the name ${list.name}`);
      lists.push(list);
    }
    for (const { file, format, list } of catalogue.inputs)
      inputs.push({ path: resolve(dirname(catalogue.path), file), format, list: list ?? null, part });
  }
  if (lists.length === 0) throw new CommandFailure(`${path}: lists must have at least 1 item`);
  if (lists.length > LISTS_MAX) {
    throw new CommandFailure(
      `${path}: ${lists.length} lists, including those of the included catalogues; a release has at most ${LISTS_MAX}`,
    );
  }
  return { path: resolve(main), included: files, lists, inputs };
}

/**
 * Resolves the links in the folder of a path. A pull of a feed replaces the link to its newest folder, so everything must be
 * read behind the link as it is now.
 */
function settled(path: string): string {
  try {
    const folder = resolve(dirname(path));
    const real = realpathSync(folder);
    return real === folder ? path : join(real, basename(path));
  } catch {
    // Reading the file reports why.
    return path;
  }
}

/** Reads and checks one file. */
function readOne(path: string): v.InferOutput<typeof catalogueSchema> {
  const settings = { before: `${path}: `, whole: 'the catalogue', fieldsAt, exitCode: 1 } as const;
  const catalogue = validate(catalogueSchema, readJsonFile(path), settings);
  for (const list of catalogue.lists) {
    const problem = problemOf(list);
    if (problem !== null) throw new CommandFailure(`${path}: list ${list.name}: ${problem}`);
  }
  const { lists, inputs } = catalogue;
  const missing = inputs.find(({ list }) => list !== undefined && !lists.some(({ name }) => name === list));
  if (missing !== undefined)
    throw new CommandFailure(`${path}: input ${missing.file} names an unknown list: ${missing.list}`);
  return catalogue;
}

/** Why the fields of a list do not fit together, or null. */
function problemOf({ name, reason, effect, rule, stage }: CatalogueList): string | null {
  // Verdicts name the live layer `live`.
  if (`${name}-`.startsWith(FOLDED_LIST_PREFIX))
    return `the name "live" and names that begin with ${FOLDED_LIST_PREFIX} are reserved`;
  // An allow list must not block its numbers because a field was forgotten.
  if (reason === 'ALLOW_OVERRIDE' && effect !== 'allow')
    return '"reason": "ALLOW_OVERRIDE" requires "effect": "allow"';
  // Verdicts of an allow list always carry ALLOW_OVERRIDE, whatever reason the catalogue gives.
  if (effect === 'allow' && reason !== 'ALLOW_OVERRIDE')
    return '"effect": "allow" requires "reason": "ALLOW_OVERRIDE"';
  if ((rule === undefined) !== (stage === undefined)) return '"rule" and "stage" require each other';
  if (rule !== undefined && effect === 'allow') return '"rule" requires an "effect" other than "allow"';
  return null;
}
