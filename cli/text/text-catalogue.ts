/**
 * The catalogue of a text release: its model, its host lists and the operator's canary texts, as a JSON file or as options
 * of the command line. Paths in a file are relative to it.
 */
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { HOST_LISTS_MAX } from '../../shared/limits/text.ts';
import { type Failure, fail, type Result } from '../../shared/result.ts';
import { nameSchema } from '../../shared/schemas.ts';
import { validateJson } from '../../shared/validate-json.ts';
import { EFFECTS } from '../../shared/verdict.ts';
import { CommandFailure, validate } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';

const listSchema = v.strictObject({
  name: nameSchema,
  /** Hosts, one per line, or JSON (host-file.ts). */
  file: v.string(),
  effect: v.optional(v.picklist(EFFECTS), 'block'),
  authority: nameSchema,
  /** When the authority compiled the list. Default: the time of the build. */
  asOf: v.optional(v.pipe(v.string(), v.isoTimestamp('must be a time such as 2026-11-24T03:12:09Z'))),
  /** Set by `numgate feed pull`: the feed of this installation does not pass the list on. */
  fromFeed: v.optional(v.boolean(), false),
});

const catalogueSchema = v.strictObject({
  /** Folder of a trained model. */
  model: v.optional(v.string()),
  hostLists: v.optional(v.pipe(v.array(listSchema), v.maxLength(HOST_LISTS_MAX)), []),
  /** Legitimate texts of the operator that the release must not hit. */
  canaryTexts: v.optional(v.string()),
  /** Other catalogues whose host lists follow, such as that of `numgate feed pull`. */
  include: v.optional(v.pipe(v.array(v.string()), v.maxLength(HOST_LISTS_MAX)), []),
});

/** Field names of the object that holds the unknown field. */
function fieldsAt(path: readonly (string | number)[]): string[] {
  return Object.keys((path[0] === 'hostLists' ? listSchema : catalogueSchema).entries);
}

export type CatalogueHostList = v.InferOutput<typeof listSchema>;

export interface TextCatalogue {
  /** Folder of a trained model, or null for a release without one. */
  readonly model: string | null;
  readonly hostLists: readonly CatalogueHostList[];
  /** File with the operator's own texts, or null. */
  readonly canaryTexts: string | null;
}

/** Options of a build that add to its catalogue, or replace in it. */
export interface CatalogueOptions {
  readonly model?: string;
  readonly hosts?: readonly CatalogueHostList[];
  readonly canaryTexts?: string;
}

/**
 * @param path null if the options are the whole catalogue
 * @param mayBeEmpty whether the build keeps a model or host lists of another release
 */
export function readTextCatalogue(
  path: string | null,
  options: CatalogueOptions,
  mayBeEmpty = false,
): TextCatalogue {
  const main = path === null ? { model: null, hostLists: [], canaryTexts: null, include: [] } : readOne(path);
  const hostLists = [...main.hostLists];
  for (const file of main.include) {
    const included = readOne(file);
    if (included.include.length > 0)
      throw new CommandFailure(
        `${file}: an included catalogue must not have "include": include those catalogues in ${path} instead`,
      );
    if (included.model !== null || included.canaryTexts !== null)
      throw new CommandFailure(`${file}: an included catalogue may only have "hostLists"`);
    hostLists.push(...included.hostLists);
  }
  hostLists.push(...(options.hosts ?? []));
  const names = hostLists.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    throw new CommandFailure(
      `two host lists have the name ${repeated}: rename one, or put both into one file`,
    );
  if (hostLists.length > HOST_LISTS_MAX)
    throw new CommandFailure(
      `${hostLists.length} host lists; a text release has at most ${HOST_LISTS_MAX}: put some into one file`,
    );
  const model = options.model ?? main.model;
  if (model === null && hostLists.length === 0 && !mayBeEmpty)
    throw new CommandFailure(
      `${path ?? 'the command'} names no model and no host list: add "model" or "hostLists" to a catalogue, or pass --model or --hosts`,
      path === null ? 2 : 1,
    );
  return { model, hostLists, canaryTexts: options.canaryTexts ?? main.canaryTexts };
}

/** Reads one file, and makes its paths absolute. */
function readOne(path: string) {
  const settings = { before: `${path}: `, whole: 'the catalogue', fieldsAt, exitCode: 1 } as const;
  const { model, hostLists, canaryTexts, include } = validate(catalogueSchema, readJsonFile(path), settings);
  const absolute = (file: string): string => resolve(dirname(path), file);
  return {
    model: model === undefined ? null : absolute(model),
    hostLists: hostLists.map((list) => ({ ...list, file: absolute(list.file) })),
    canaryTexts: canaryTexts === undefined ? null : absolute(canaryTexts),
    include: include.map(absolute),
  };
}

/**
 * One `--hosts` option: `name=FILE:effect:authority`. A path may contain colons; effects and authorities do not.
 * @returns null if the option is invalid
 */
export function parseHostsOption(text: string): CatalogueHostList | null {
  const read = readHostsOption(text);
  return read.ok ? read.value : null;
}

/** The same as parseHostsOption, but a failure says what is wrong and how to write the option. */
export function readHostsOption(text: string): Result<CatalogueHostList, Failure> {
  const [, name, file = '', effect, authority] = /^([^=]+)=(.+):([^:]*):([^:]*)$/.exec(text) ?? [];
  if (name === undefined)
    return fail('FORM', 'must be name=FILE:effect:authority, such as kisa=hosts.txt:block:kisa');
  const read = validateJson(listSchema, { name, file: resolve(file), effect, authority });
  if (read.ok) return read;
  return fail('FORM', `must be name=FILE:effect:authority: the ${read.path.join('.')} ${read.message}`);
}
