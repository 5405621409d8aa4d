/** `numgate text`: text releases (a model and host lists), from training to rollback. Each family has a file of its own. */
import type { Command } from 'commander';
import { addTextBuild } from './text-build.ts';
import { addTextCampaigns } from './text-campaigns.ts';
import { addTextDrift } from './text-drift.ts';
import { addTextEvaluate } from './text-evaluate.ts';
import { addTextExplain } from './text-explain.ts';
import { addTextPlan } from './text-plan.ts';
import { addTextPush } from './text-push.ts';
import { addTextReleases } from './text-releases.ts';
import { addTextSample } from './text-sample.ts';
import { addTextTrain } from './text-train.ts';

/** Each function adds one command, or a few, to `numgate text`. */
const FAMILIES: readonly ((text: Command) => void)[] = [
  addTextSample,
  addTextTrain,
  addTextEvaluate,
  addTextBuild,
  addTextPlan,
  addTextPush,
  addTextReleases,
  addTextExplain,
  addTextCampaigns,
  addTextDrift,
];

export function addText(program: Command): void {
  const text = program
    .command('text')
    .description('manage text risk: train models, build and publish text releases, explain scores');
  for (const addFamily of FAMILIES) addFamily(text);
}
