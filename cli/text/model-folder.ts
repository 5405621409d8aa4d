/**
 * A trained model on disk: `model.bin` has the weights, and `model.json` the facts that the manifest of a text release states.
 * `numgate text train` writes the folder, `numgate text build` reads it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { TextModel } from '../../shared/text/model.ts';
import { type ModelFacts, modelFactsSchema } from '../../shared/text/text-manifest.ts';
import { CommandFailure, describeFileError, validate } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';

export interface TrainedModel {
  readonly facts: ModelFacts;
  /** As encodeModel returns them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const WEIGHTS = 'model.bin';
const FACTS = 'model.json';

/** @param more fields of `model.json` for people and programs, which a build ignores */
export function writeModelFolder(path: string, { facts, bytes }: TrainedModel, more: object = {}): void {
  mkdirSync(path, { recursive: true });
  writeWhole(join(path, WEIGHTS), bytes);
  writeWhole(join(path, FACTS), `${JSON.stringify({ ...facts, ...more }, null, 2)}\n`);
}

/** @throws CommandFailure with the path of the file that is missing or damaged */
export function readModelFolder(path: string): TrainedModel {
  const file = join(path, FACTS);
  const facts = validate(v.object(modelFactsSchema.entries), readJsonFile(file), {
    before: `${file}: `,
    whole: 'the model',
    exitCode: 1,
  });
  const bytes = weightsIn(join(path, WEIGHTS));
  const { bits } = new TextModel(bytes).parameters;
  if (bits !== facts.bits)
    throw new CommandFailure(
      `${file}: "bits" is ${facts.bits}, but ${WEIGHTS} has ${bits}: train the model again`,
    );
  return { facts, bytes };
}

function weightsIn(path: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = new Uint8Array(readFileSync(path));
    new TextModel(bytes);
    return bytes;
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'LayoutError' ? error.message : describeFileError(error);
    throw new CommandFailure(`${path}: ${why}: train the model again`);
  }
}

/** Writes a temporary file and renames it, so that a command that dies leaves a whole file or none. */
function writeWhole(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
