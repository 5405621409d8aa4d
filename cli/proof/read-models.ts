/**
 * Reads the inputs of a build again, into plain models of its lists: its files, the folded entries, and for `build --authority`
 * the lists that were carried over from the base.
 */
import type { Manifest } from '../../shared/release/manifest.ts';
import type { Load, Release } from '../../shared/release/release.ts';
import { CommandFailure } from '../failure.ts';
import { originsFor, originsOf } from '../import/carried-lists.ts';
import { type Catalogue, type CatalogueList, readCatalogue } from '../import/catalogue.ts';
import { collect } from '../import/collect.ts';
import { type FoldedList, fingerprintOf } from '../import/fold.ts';
import { type EntrySink, readLists } from '../import/release-lists.ts';
import type { BuildFolder } from '../publish/build-folder.ts';
import { type ListModel, ListModelBuilder } from './list-model.ts';

/**
 * The models of the lists of a release, in its order.
 * @param densePrefix the prefix whose numbers may all be looked up @param load values of the base
 * @throws CommandFailure if the lists of the release differ from those of its inputs
 */
export async function readModels(
  folder: BuildFolder,
  { manifest, keys }: Release,
  densePrefix: number,
  load: Load,
  onProgress: InputSinks['onProgress'],
): Promise<ListModel[]> {
  const { catalogue: path, included, authority } = folder.report;
  const { folded } = folder;
  const catalogue = readCatalogue(path, included);
  const base = authority === undefined ? null : await folder.openBase(keys);
  const origins = base === null ? originsOf(catalogue) : originsFor(authority!, catalogue, base);
  const lists = origins.map(({ from, index }) => (from === 'base' ? base!.lists : catalogue.lists)[index]!);
  if (termsOf([...lists, ...folded]) !== termsOf(manifest.lists))
    throw new CommandFailure(`${path} does not name the lists of the release: build again`);
  const models = manifest.lists.map(({ effect }) => new ListModelBuilder(effect, densePrefix));
  const ofCatalogue = new Map(
    origins.flatMap(({ from, index }, list) => (from === 'base' ? [] : [[index, models[list]!] as const])),
  );
  await readInputs(folder, path, catalogue, { models: ofCatalogue, onProgress });
  for (const [index, { entries }] of folded.entries()) {
    for (const entry of entries) models[origins.length + index]!.addFolded(entry);
  }
  if (base !== null) {
    checkBase(manifest, base);
    const carried = new Map<number, ListModelBuilder>();
    for (const [list, { from, index }] of origins.entries()) {
      if (from !== 'base') continue;
      // The signed counts of the base show that the models below have all its entries.
      if (JSON.stringify(manifest.lists[list]) !== JSON.stringify(base.lists[index]))
        throw new CommandFailure(
          `list ${base.lists[index]!.name} differs from that in ${base.release}: build again`,
        );
      carried.set(index, models[list]!);
    }
    const sinks = [...carried].map(([index, model]) => [index, sinkFor(model)] as const);
    await readLists({ manifest: base, load }, new Map(sinks), keys);
  }
  return models.map((model) => model.finish());
}

interface InputSinks {
  /** Models by the index of the list in the catalogue. */
  readonly models: ReadonlyMap<number, ListModelBuilder>;
  readonly onProgress: Parameters<typeof collect>[1]['onProgress'];
}

async function readInputs(
  folder: BuildFolder,
  path: string,
  catalogue: Catalogue,
  { models, onProgress }: InputSinks,
): Promise<void> {
  const { now, inputs } = folder.report;
  const again = await collect(catalogue, {
    now,
    onEntry: ({ list, what, dates }) => models.get(list)!.add(what, dates),
    onNumber: (list, n) => models.get(list)!.addNumber(n),
    onReject: () => undefined,
    onProgress,
  });
  if (again.length !== inputs.length)
    throw new CommandFailure(`${path}: the inputs have changed since the build: build again`);
  for (const [index, { file, sha256 }] of inputs.entries()) {
    if (again[index]?.sha256 !== sha256)
      throw new CommandFailure(`${file} has changed since the build: build again`);
  }
}

/** Checks the base. A build that carries lists over folds in nothing. */
function checkBase(manifest: Manifest, base: Manifest): void {
  if (manifest.base === base.release && manifest.foldedSeq === base.foldedSeq) return;
  throw new CommandFailure(`base.json is not the base of ${manifest.release}: build again`);
}

function sinkFor(model: ListModelBuilder): EntrySink {
  return {
    addNumber: (n, dates) => model.add({ kind: 'number', n }, dates),
    addRange: ({ from, to, ...dates }) => model.add({ kind: 'ranges', ranges: [{ from, to }] }, dates),
    addSource: ({ fingerprint, ...dates }) => model.addFolded({ what: fingerprintOf(fingerprint), ...dates }),
  };
}

/** What identifies the lists and their effects, as one text. */
function termsOf(lists: readonly (CatalogueList | FoldedList | Manifest['lists'][number])[]): string {
  return JSON.stringify(
    lists.map(({ name, reason, effect, subjects, authority, ...list }) => {
      const mark = 'rule' in list ? [list.rule, list.stage] : [];
      return [name, reason, effect, subjects, authority, ...mark];
    }),
  );
}
