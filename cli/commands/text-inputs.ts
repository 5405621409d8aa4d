/** Inputs that `text train` and `text evaluate` share: labelled texts, and a model to compare with. */
import { type Command, InvalidArgumentError } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { startProgress } from '../terminal/progress.ts';
import { type Comparison, compareModels } from '../text/comparison.ts';
import { LABELS, type Label, type LabelledText } from '../text/labelled-text.ts';
import { readModelFolder, type TrainedModel } from '../text/model-folder.ts';
import { modelInForce } from '../text/open-release.ts';
import { notTrainedOn } from '../text/trained-on.ts';
import { commaList } from './options.ts';

export interface TextInputOptions {
  readonly labels?: ReadonlyMap<string, Label>;
  readonly oneDomain: boolean;
  readonly against?: string;
  readonly inForce: boolean;
}

export function addTextInputOptions(command: Command): Command {
  return command
    .option('--labels <names>', 'what other labels mean, such as ham=legitimate,1=spam', labelsOf)
    .option('--one-domain', 'accept that all legitimate texts are of one domain', false)
    .option('--against <folder>', 'compare with the model of this folder, on the same texts')
    .option('--in-force', 'compare with the model in force (scope: text)', false);
}

function labelsOf(text: string): Map<string, Label> {
  return new Map(
    commaList(text).map((pair) => {
      const [name = '', label] = pair.split('=');
      const known = LABELS.find((each) => each === label);
      if (name === '' || known === undefined)
        throw new InvalidArgumentError(
          `must be pairs of a label and ${LABELS.join(' or ')}: ham=legitimate,1=spam`,
        );
      return [name, known];
    }),
  );
}

export async function readTexts(
  files: readonly string[],
  { labels = new Map() }: Pick<TextInputOptions, 'labels'>,
): Promise<LabelledText[]> {
  // Loaded only for a command that reads texts, because it imports csv-parse.
  const { readLabelledTexts } = await import('../text/read-texts.ts');
  const progress = startProgress('reading');
  const settings = { labels, now: Date.now() / 1000 };
  return readLabelledTexts(files, settings, (share) => progress.update(share)).finally(() => progress.stop());
}

/** A model to compare with. */
export interface OtherModel {
  readonly model: TrainedModel;
  /** The folder shows which texts the model learnt from; null for the model in force. */
  readonly folder: string | null;
}

/** Loads the models to compare with. Call it before anything that takes long, so that a missing model fails at once. */
export async function otherModels({
  against,
  inForce,
}: Pick<TextInputOptions, 'against' | 'inForce'>): Promise<OtherModel[]> {
  const others: OtherModel[] = [];
  if (against !== undefined) others.push({ model: readModelFolder(against), folder: against });
  if (!inForce) return others;
  const model = await modelInForce(adminOfEnvironment());
  if (model === null) throw new CommandFailure('no model is in force: leave out --in-force');
  return [...others, { model, folder: null }];
}

/** @param texts that the model did not learn from */
export function compareWith(
  others: readonly OtherModel[],
  model: TrainedModel,
  texts: readonly LabelledText[],
): Comparison[] {
  return others.map(({ model: other, folder }) => {
    const fresh = folder === null ? texts : notTrainedOn(folder, texts);
    checkLabels(fresh, `model ${other.facts.name} learnt from the others`);
    return compareModels(model, other, fresh, folder === null ? null : texts.length - fresh.length);
  });
}

/** @throws CommandFailure unless both labels are left */
export function checkLabels(texts: readonly LabelledText[], why: string): void {
  const spam = texts.filter(({ isSpam }) => isSpam).length;
  if (spam === 0 || spam === texts.length)
    throw new CommandFailure(
      `${texts.length === 0 ? 'no text is' : 'only one label is'} left to evaluate: ${why}. Add other texts of both labels`,
    );
}
